"""What is heard where packets were lost."""

from __future__ import annotations

import numpy as np
import pytest

from media.columns import F32, I16
from media.plc import FADED_MS, FUTURE_MS, HISTORY_MS, Concealer

RATES = pytest.mark.parametrize("rate", [8000, 16000])


def vowel(rate: int, hertz: float, seconds: float, level: float = 3000.0) -> I16:
    """Harmonics with the formants of an open vowel."""
    time = np.arange(int(seconds * rate)) / rate
    sound = np.zeros(len(time))
    for harmonic in np.arange(hertz, min(3600, rate / 2), hertz):
        strength = sum(np.exp(-(((harmonic - formant) / width) ** 2)) for formant, width in FORMANTS)
        sound += (strength + 0.01) * np.cos(2 * np.pi * harmonic * time + harmonic)
    return np.rint(sound / np.sqrt(np.mean(sound**2)) * level).astype(np.int16)


FORMANTS = ((700, 150), (1200, 200), (2600, 300))


def noise(rate: int, seconds: float, level: float, seed: int = 1) -> I16:
    sound = np.random.default_rng(seed).standard_normal(int(seconds * rate)) * level
    return np.clip(np.rint(sound), -32768, 32767).astype(np.int16)


def played(rate: int, sound: I16, lost: set[int], ahead: int = 0, concealer: Concealer | None = None) -> I16:
    """What is heard of a sound whose blocks `lost` are missing, `ahead` blocks being known beforehand."""
    concealer = concealer or Concealer(1, rate)
    span, history, one = rate // 50, HISTORY_MS * rate // 1000, np.array([0])
    blocks = len(sound) // span
    there = np.repeat([number not in lost for number in range(blocks + ahead)], span)
    sent = np.where(there, np.pad(sound[: blocks * span], (0, ahead * span)), 0).astype(np.int16)
    heard = np.zeros(history + blocks * span, np.int16)
    for now in range(0, blocks * span, span):
        after, later = now + span, now + span * (1 + ahead)
        block = sent[None, now:after].copy()
        if not there[now] or concealer.concealing(one)[0]:
            past = heard[None, now : now + history]
            future = (sent[None, after:later], there[None, after:later]) if ahead else ()
            concealer.fill(one, past, block, there[None, now:after], *future)
        elif now // span % 16 == 0:
            concealer.listen(one, block)
        heard[history + now : history + after] = block[0]
    return heard[history:]


def level(sound: I16 | F32) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))


def roughness(sound: I16) -> float:
    """The sharpest bend of a waveform: what a click is."""
    return float(np.abs(np.diff(sound.astype(np.float64), 2)).max())


@RATES
@pytest.mark.parametrize("hertz", [85, 120, 210, 330])
@pytest.mark.parametrize("ahead", [0, 1])
def test_a_lost_vowel_goes_on_at_its_pitch(rate: int, hertz: int, ahead: int):
    sound = vowel(rate, hertz, 0.5)
    heard = played(rate, sound, {12}, ahead)
    gap = slice(12 * rate // 50, 13 * rate // 50)
    deep = np.hanning(rate // 500)  # lets pass what is below about 1 kHz
    before, after = (np.convolve(each, deep, "same")[gap] for each in (sound, heard))
    assert level(after - before) < 0.4 * level(before)
    assert 0.8 * level(sound[gap]) < level(heard[gap]) < 1.25 * level(sound[gap])


@RATES
def test_the_sound_after_the_gap_makes_up_for_a_voice_that_moved_on(rate: int):
    time = np.arange(rate // 2) / rate
    louder = np.interp(time, [0.24, 0.26], [0.3, 1.0])
    sound = (vowel(rate, 140, 0.5, 6000) * louder).astype(np.int16)
    gap = slice(12 * rate // 50, 13 * rate // 50)
    blind, joined = (level(played(rate, sound, {12}, ahead)[gap]) for ahead in (0, 1))
    assert blind < 0.6 * level(sound[gap])
    assert 0.7 * level(sound[gap]) < joined < 1.3 * level(sound[gap])


@RATES
def test_long_loss_fades_to_the_noise_that_was_there(rate: int):
    sound = noise(rate, 2.0, 60)
    spoken = slice(rate // 2, rate)
    sound[spoken] += vowel(rate, 140, 0.5, 4000)
    heard = played(rate, sound, set(range(50, 100)))
    faded = heard[rate + (FADED_MS + 20) * rate // 1000 :]
    assert 0.5 * 60 < level(faded) < 2 * 60
    thirds = [level(part) for part in np.array_split(faded, 3)]
    assert max(thirds) < 1.5 * min(thirds)


def test_the_noise_that_is_faded_to_has_the_colour_of_the_background():
    rate = 8000
    hum = np.convolve(noise(rate, 2.0, 100), np.ones(8) / 8, "same").astype(np.int16)
    heard = played(rate, hum, set(range(50, 100)))
    spectrum = np.abs(np.fft.rfft(heard[rate + rate // 4 :])) ** 2
    low, high = np.split(spectrum[: len(spectrum) // 2 * 2], 2)
    assert low.sum() > 5 * high.sum()


@RATES
@pytest.mark.parametrize("ahead", [0, 1, 2])
@pytest.mark.parametrize("packets", [1, 2, 4])
def test_neither_the_gap_nor_recovery_clicks(rate: int, ahead: int, packets: int):
    sound = vowel(rate, 110, 0.6)
    heard = played(rate, sound, set(range(12, 12 + packets)), ahead)
    assert roughness(heard) < 1.3 * roughness(sound)


@RATES
@pytest.mark.parametrize("ahead", [0, 1])
def test_silence_stays_silence(rate: int, ahead: int):
    assert not played(rate, np.zeros(rate, np.int16), {5, 6, 7, 20}, ahead).any()


@RATES
@pytest.mark.parametrize("ahead", [1, 2])
def test_clean_sound_is_untouched_bit_for_bit_when_what_follows_a_gap_is_known(rate: int, ahead: int):
    sound, span = vowel(rate, 140, 0.5), rate // 50
    heard = played(rate, sound, {7, 15}, ahead)
    kept = np.ones(len(sound), bool)
    for number in (7, 15):
        kept[number * span : (number + 1) * span] = False
    assert (heard[kept] == sound[kept]).all()


@RATES
def test_recovery_from_a_gap_of_unknown_end_touches_a_few_milliseconds(rate: int):
    sound, span = vowel(rate, 140, 0.5), rate // 50
    heard = played(rate, sound, {7})
    assert (heard[: 7 * span] == sound[: 7 * span]).all()
    assert (heard[8 * span + 8 * rate // 1000 :] == sound[8 * span + 8 * rate // 1000 :]).all()


@RATES
def test_gaps_may_begin_and_end_anywhere_in_a_block(rate: int):
    sound, span, history = vowel(rate, 140, 0.5), rate // 50, HISTORY_MS * rate // 1000
    for begin, end in ((0, span // 2), (span // 2, span), (span // 4, span // 2), (3, span - 5)):
        concealer, at = Concealer(1, rate), 10 * span
        block, there = sound[None, at : at + span].copy(), np.ones((1, span), bool)
        block[0, begin:end], there[0, begin:end] = 0, False
        concealer.fill(np.array([0]), sound[None, at - history : at], block, there)
        assert (block[there] == sound[at : at + span][there[0]]).all()
        gap = sound[at + begin : at + end]
        assert 0.5 * level(gap) < level(block[0, begin:end]) < 2 * level(gap)
        assert concealer.concealing(np.array([0]))[0] == (end == span)


@RATES
def test_hostile_input_never_raises_nor_gets_louder_than_a_sample_can_be(rate: int):
    rng, span, slots = np.random.default_rng(1), rate // 50, np.arange(6)
    concealer = Concealer(6, rate)
    for turn in range(60):
        past = rng.choice(np.array([-32768, 32767, 0, 9], np.int16), (6, HISTORY_MS * rate // 1000))
        block = rng.integers(-32768, 32768, (6, span)).astype(np.int16)
        future = rng.integers(-32768, 32768, (6, turn % 3 * span)).astype(np.int16)
        if turn % 2:
            there, known = rng.random(block.shape) < 0.9, rng.random(future.shape) < 0.5
        else:
            there = np.repeat(rng.random((6, 4)) < 0.5, span // 4, axis=1)
            known = np.ones(future.shape, bool)
        concealer.fill(slots, past, block, there, future, known)
        concealer.listen(slots, block)
    square = np.where(np.arange(rate) // 20 % 2, 32767, -32768).astype(np.int16)
    heard = played(rate, square, set(range(20, 30)), 1)
    assert level(heard[20 * span : 22 * span]) > 10_000
    assert (np.abs(heard[31 * span :].astype(int)) >= 32767).all()


@RATES
def test_what_a_slot_hears_does_not_depend_on_who_else_loses_packets(rate: int):
    rng, span, history = np.random.default_rng(3), rate // 50, HISTORY_MS * rate // 1000
    count, sounds = 7, [vowel(rate, hertz, 0.6) for hertz in (90, 100, 130, 170, 200, 250, 300)]
    lost = rng.random((count, 30)) < 0.4
    lost[:, :4] = False
    alone = [played(rate, sound, set(np.flatnonzero(gone)), 1) for sound, gone in zip(sounds, lost)]
    concealer, slots = Concealer(count, rate), rng.permutation(count)
    sent, there = np.zeros((count, 31 * span), np.int16), np.ones((count, 31 * span), bool)
    for slot, sound in enumerate(sounds):
        sent[slot, : 30 * span] = sound
        there[slot, : 30 * span] = ~np.repeat(lost[slot], span)
    sent[~there] = 0
    sent[:, 30 * span :] = 0
    heard = np.zeros((count, history + 30 * span), np.int16)
    for now in range(0, 30 * span, span):
        after, later = now + span, now + 2 * span
        block = sent[:, now:after].copy()
        hurt = slots[~there[slots, now] | concealer.concealing(slots)]
        if len(hurt):
            part = block[hurt]
            past = heard[hurt, now : now + history]
            concealer.fill(
                hurt, past, part, there[hurt, now:after], sent[hurt, after:later], there[hurt, after:later]
            )
            block[hurt] = part
        if now // span % 16 == 0:
            rest = np.setdiff1d(slots, hurt)
            concealer.listen(rest, block[rest])
        heard[:, history + now : history + after] = block
    assert all((heard[slot, history:] == alone[slot]).all() for slot in range(count))


def test_a_call_that_began_with_speech_does_not_fade_to_speech():
    rate = 8000
    heard = played(rate, vowel(rate, 140, 1.0, 6000), set(range(25, 50)))
    assert level(heard[-rate // 10 :]) < 500


@RATES
def test_gaps_of_several_lengths_are_filled_at_once_as_each_would_be_alone(rate: int):
    sound, span, history = vowel(rate, 140, 0.5), rate // 50, HISTORY_MS * rate // 1000
    past = np.stack([sound[at : at + history] for at in (0, 333, 500)])
    there = np.ones((3, span), bool)
    for row, (begin, end) in enumerate(((0, span), (span // 2, span), (span // 4, span // 2))):
        there[row, begin:end] = False
    blocks = np.where(there, past[:, :span], 0).astype(np.int16)
    together = blocks.copy()
    Concealer(3, rate).fill(np.arange(3), past, together, there)
    for row in range(3):
        alone = blocks[row : row + 1].copy()
        Concealer(1, rate).fill(np.array([0]), past[row : row + 1], alone, there[row : row + 1])
        assert (together[row] == alone[0]).all()


def test_the_background_is_what_is_heard_between_words():
    rate = 8000
    concealer, one = Concealer(1, rate), np.array([0])
    sound = noise(rate, 4.0, 50)
    sound[rate : 2 * rate] += vowel(rate, 140, 1.0, 4000)
    for block in sound.reshape(-1, 1, rate // 50)[::16]:
        concealer.listen(one, block)
    assert 25 < concealer.noise(one)[0] < 100


def test_a_slot_that_was_cleared_remembers_nothing():
    rate = 8000
    concealer, one = Concealer(2, rate), np.array([0])
    played(rate, noise(rate, 1.0, 200), {20, 49}, concealer=concealer)
    concealer.clear(0)
    assert not concealer.concealing(one)[0]
    assert concealer.noise(one)[0] == 0
    concealer.grow(4)
    assert not played(rate, np.zeros(rate, np.int16), {5, 6}, FUTURE_MS // 20, concealer).any()
