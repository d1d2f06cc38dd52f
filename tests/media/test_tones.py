"""DTMF in the sound itself, by the limits of ITU-T Q.23 and Q.24."""

from __future__ import annotations

import numpy as np
import pytest

from media.codecs import g711
from media.tones import HIGH, KEYPAD, LOW, Tones
from tests.media import voices

DBM0 = -6.18  # dBov of a sine at 0 dBm0


def pressed(digit: str, ms: float, *, dbm0=-10.0, twist=0.0, low_off=0.0, high_off=0.0, rate=8000):
    """A key's two tones; twist: dB that the high one is louder by."""
    key = KEYPAD.index(digit)
    t = np.arange(int(rate * ms / 1000)) / rate
    one = 10 ** ((dbm0 + DBM0) / 20) * np.sqrt(2) * 32768
    low = one * np.sin(2 * np.pi * LOW[key // 4] * (1 + low_off) * t + 0.4)
    high = one * 10 ** (twist / 20) * np.sin(2 * np.pi * HIGH[key % 4] * (1 + high_off) * t + 1.9)
    return low + high


def dialled(digits: str, ms: float = 40, gap: float = 40, start: int = 37, rate: int = 8000, **how: float):
    parts = [np.zeros(start)]
    for digit in digits:
        parts += [pressed(digit, ms, rate=rate, **how), np.zeros(int(rate * gap / 1000))]
    sound = np.concatenate([*parts, np.zeros(rate // 5)])
    return np.pad(sound, (0, -len(sound) % (rate // 50)))


def told(sound: np.ndarray, rate: int = 8000) -> list:
    """What is told of one leg's sound, through mu-law where that is the rate."""
    samples = np.clip(np.rint(sound), -32767, 32767).astype(np.int16)
    if rate == 8000:
        samples = g711.decode(g711.MU, g711.encode(g711.MU, samples))
    tones, me = Tones(1, rate), np.array([0])
    return [heard for block in samples.reshape(-1, rate // 50) for _, heard in tones.listen(me, block[None])]


def digits(sound: np.ndarray, rate: int = 8000) -> str:
    return "".join(heard.digit for heard in told(sound, rate))


@pytest.mark.parametrize("rate", [8000, 16000])
def test_every_key_is_told_once_at_the_shortest_press_and_pause(rate):
    assert digits(dialled(KEYPAD, 40, 40, rate=rate), rate) == KEYPAD


@pytest.mark.parametrize("start", range(0, 160, 23))
def test_a_press_need_not_fit_the_blocks(start):
    assert digits(dialled("1590", 40, 40, start)) == "1590"


def test_how_long_it_was_held_is_told():
    for ms in (40, 100, 500, 2000):
        (heard,) = told(dialled("7", ms))
        assert abs(heard.ms - ms) <= 10


@pytest.mark.parametrize("dbm0", [0, -10, -24])
def test_loud_and_faint_tones_are_taken(dbm0):
    assert digits(dialled("258D", dbm0=dbm0)) == "258D"


@pytest.mark.parametrize("off", [-0.015, 0.015])
def test_frequencies_off_by_one_and_a_half_percent_are_taken(off):
    assert digits(dialled("147#", 50, low_off=off, high_off=-off)) == "147#"


@pytest.mark.parametrize("off", [-0.035, 0.035])
def test_frequencies_off_by_three_and_a_half_percent_are_refused(off):
    assert digits(dialled("147#", 80, low_off=off)) == digits(dialled("147#", 80, high_off=off)) == ""


@pytest.mark.parametrize("twist", [4, -8])
def test_the_twist_of_long_lines_is_taken(twist):
    assert digits(dialled("369A", twist=twist, dbm0=-14)) == "369A"


@pytest.mark.parametrize("twist", [10, -13])
def test_too_much_twist_is_refused(twist):
    assert digits(dialled("369A", twist=twist, dbm0=-14)) == ""


def test_what_is_too_faint_or_too_short_is_refused():
    assert digits(dialled("5" * 4, dbm0=-36)) == "" and digits(dialled("5", 18)) == ""


def test_one_tone_alone_is_no_digit():
    sound = np.pad(tone_of(770), (160, 160))
    assert digits(sound) == ""


def tone_of(hertz: float) -> np.ndarray:
    return 6000 * np.sin(2 * np.pi * hertz * np.arange(1600) / 8000)


def test_a_break_of_10_ms_makes_no_second_digit():
    sound = dialled("5", 120)
    for at in range(400, 480, 16):
        broken = sound.copy()
        broken[at : at + 80] = 0
        assert digits(broken) == "5"


@pytest.mark.parametrize("snr", [15, 20])
def test_digits_are_told_in_noise(snr):
    sound = dialled("31415926", 50, 50)
    assert digits(sound + voices.white(len(sound), -10 + DBM0 + 3 - snr)) == "31415926"


def test_people_who_speak_press_no_keys():
    """Talk-off: half a minute here, all of the recordings in the benchmark."""
    said = voices.rows(voices.speech(seconds=30), 160)
    tones, who = Tones(len(said), 8000), np.arange(len(said))
    assert not [
        each for block in np.split(said, said.shape[1] // 160, axis=1) for each in tones.listen(who, block)
    ]


def test_rows_do_not_know_of_each_other():
    sounds = voices.rows([dialled(text) for text in ("123", "4", "", "D*")], 160)
    tones, who = Tones(4, 8000), np.arange(4)
    got = {0: "", 1: "", 2: "", 3: ""}
    for block in np.split(sounds, sounds.shape[1] // 160, axis=1):
        for row, heard in tones.listen(who, block):
            got[row] += heard.digit
    assert list(got.values()) == ["123", "4", "", "D*"]
