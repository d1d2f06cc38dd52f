"""Marks in speech: found again within a fraction of a sample, whatever the network did to them."""

from __future__ import annotations

import numpy as np
import pytest

from media import codecs, marker
from media.columns import F64, I16
from media.marker import Marked

RATE = 8000
DELAYS_S = (0.0, 0.0123456, 0.2, 0.7512345, 2.2)


@pytest.fixture(scope="module")
def said() -> Marked:
    """Noise that swells and fades as syllables do stands for speech."""
    rng = np.random.default_rng(5)
    syllables = np.abs(np.sin(np.arange(RATE * 6) * np.pi * 3.5 / RATE)) ** 2
    return marker.marked((rng.normal(0, 3000, RATE * 6) * syllables).astype(np.int16), RATE, 9.0, rng)


def delayed(sound: I16, by_s: float) -> F64:
    """By any fraction of a sample."""
    count = len(sound) + int(by_s * RATE) + RATE
    spectrum = np.fft.rfft(sound.astype(np.float64), count)
    return np.fft.irfft(
        spectrum * np.exp(-2j * np.pi * np.arange(len(spectrum)) / count * RATE * by_s), count
    )


def whole(sound: F64) -> I16:
    return np.clip(np.rint(sound), -32768, 32767).astype(np.int16)


def coded(sound: I16, number: int) -> I16:
    encoder, decoder = codecs.encoder(number, {}), codecs.decoder(number, {})
    packets = [encoder.encode(sound[at : at + 160]) for at in range(0, len(sound) - 159, 160)]
    decoded = (decoder.decode(packet) for packet in packets)
    return np.concatenate([each if each is not None else np.zeros(160, np.int16) for each in decoded])


@pytest.mark.parametrize("late_s", DELAYS_S)
def test_a_delay_is_found_to_a_tenth_of_a_sample(said: Marked, late_s: float) -> None:
    found = marker.find(said, whole(delayed(said.sound, late_s)))
    assert np.abs(found - late_s).max() < 0.1 / RATE


def test_level_and_noise_do_not_matter(said: Marked) -> None:
    quiet = delayed(said.sound, 0.31) * 0.05
    noise = np.random.default_rng(1).normal(0, 120, len(quiet))
    assert np.abs(marker.find(said, whole(quiet + noise)) - 0.31).max() < 0.5e-3


@pytest.mark.parametrize("number", [codecs.PCMU, codecs.PCMA, codecs.AMR, codecs.G729])
def test_marks_come_through_every_codec_of_a_telephone(said: Marked, number: int) -> None:
    if not codecs.available(number):
        pytest.skip("this machine lacks the codec's library")
    found = marker.find(said, coded(whole(delayed(said.sound, 0.2)), number))
    assert not np.isnan(found).any()
    assert np.ptp(found) < 1e-3  # a codec's own delay is the same for all


def test_marks_that_were_lost_are_missed_and_no_others(said: Marked) -> None:
    came = whole(delayed(said.sound, 0.1))
    gone = int(said.at[3] + 0.1 * RATE)
    came[gone - 80 : gone + 900] = 0
    lost = np.isnan(marker.find(said, came))
    assert lost.tolist() == [number == 3 for number in range(len(said.at))]


def test_packets_lost_here_and_there_move_no_mark(said: Marked) -> None:
    came = whole(delayed(said.sound, 0.15))
    for at in np.random.default_rng(3).integers(0, len(came) // 160, 50) * 160:
        came[at : at + 160] = 0
    found = marker.find(said, came)
    assert np.isnan(found).sum() <= 2
    assert np.nanmax(np.abs(found - 0.15)) < 1e-3


def test_a_jitter_buffer_that_grows_is_seen_to_grow(said: Marked) -> None:
    came = whole(delayed(said.sound, 0.1))
    turn = int(said.at[4] + 0.1 * RATE) - 400
    later = np.concatenate((came[:turn], np.zeros(480, np.int16), came[turn:]))
    found = marker.find(said, later)
    assert found[:4] == pytest.approx(0.1, abs=1e-3)
    assert found[4:] == pytest.approx(0.16, abs=1e-3)


@pytest.mark.parametrize("sound", ["silence", "other speech", "nothing"])
def test_what_is_not_ours_has_no_marks(said: Marked, sound: str) -> None:
    rng = np.random.default_rng(9)
    came = {
        "silence": np.zeros(RATE * 10, np.int16),
        "other speech": rng.normal(0, 3000, RATE * 10).astype(np.int16),
        "nothing": np.zeros(0, np.int16),
    }[sound]
    assert np.isnan(marker.find(said, came)).all()


def test_what_was_sent_is_taken_out_though_somebody_else_speaks(said: Marked) -> None:
    rng = np.random.default_rng(8)
    other = np.convolve(rng.normal(0, 4000, len(said.sound) + RATE), np.ones(6) / 2, "same")
    other[321 : 321 + len(said.sound)] += said.sound
    parted = marker.part(said, whole(other))
    assert parted is not None and parted[0] == 321
    assert np.isnan(marker.find(said, parted[1])).all()


@pytest.mark.parametrize("late_s", [0.02, 0.05, 0.4, None])
def test_what_was_sent_is_taken_out_of_a_recording_of_both(said: Marked, late_s: float | None) -> None:
    began = 1234
    recording = np.zeros(began + len(said.sound) + 2 * RATE)
    recording[began : began + len(said.sound)] += said.sound
    if late_s is not None:
        back = delayed(said.sound, late_s) * 1.1
        recording[began : began + len(back)] += back[: len(recording) - began]
    parted = marker.part(said, whole(recording))
    assert parted is not None and parted[0] == began
    found = marker.find(said, parted[1])
    if late_s is None:
        assert np.isnan(found).all()
    else:
        assert found == pytest.approx(late_s, abs=1e-3)


def test_nothing_is_taken_out_of_a_recording_that_does_not_have_it(said: Marked) -> None:
    coarse = codecs.decode(
        np.array([codecs.PCMA], np.int8), codecs.encode(np.array([codecs.PCMA], np.int8), said.sound[None, :])
    )
    assert marker.part(said, np.zeros(RATE, np.int16)) is None
    assert marker.part(said, (coarse[0] // 2).astype(np.int16)) is None
