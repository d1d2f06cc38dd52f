"""How something is said, against how the same person spoke before."""

from __future__ import annotations

import numpy as np
import pytest

from media.columns import I16
from media.speech.prosody import Prosody, Voice, pitch

RATE = 8000


def spoken(hz: float, seconds: float, *, gain: float = 1.0, syllables: float = 4.0, rate: int = RATE) -> I16:
    """A buzz with harmonics, louder and softer so many times a second."""
    at = np.arange(round(seconds * rate)) / rate
    buzz = sum(np.sin(2 * np.pi * hz * k * at) / k for k in range(1, 9))
    shape = 0.02 + np.square(np.sin(np.pi * syllables * at))
    return np.clip(4000 * gain * buzz * shape, -32768, 32767).astype(np.int16)


def said(prosody: Prosody, sound: I16, row: int = 0, rate: int = RATE) -> Voice:
    rows, size = np.array([row]), rate // 50
    for at in range(0, len(sound) - size + 1, size):
        prosody.hear(rows, sound[None, at : at + size], rate)
    voice = prosody.end(row)
    assert voice is not None
    return voice


@pytest.mark.parametrize("hz", [85, 120, 180, 240, 320])
def test_the_pitch_of_a_voice_is_found(hz: int):
    window = spoken(hz, 1.0, syllables=0.5)[3840:4160]
    assert pitch(window[None])[0] == pytest.approx(hz, rel=0.06)


def test_noise_and_silence_have_none():
    noise = np.random.default_rng(1).normal(0, 2000, (50, 320)).astype(np.int16)
    assert (pitch(noise) > 0).mean() < 0.1
    assert pitch(np.zeros((1, 320), np.int16))[0] == 0.0


@pytest.mark.parametrize("rate", [8000, 16000])
def test_an_utterance_has_its_pitch_level_and_pace(rate: int):
    voice = said(Prosody(1), spoken(150, 2.0, rate=rate), rate=rate)
    assert voice.pitch_hz == pytest.approx(150, rel=0.05)
    assert voice.pace == pytest.approx(4.0, abs=0.6)
    assert voice.seconds == pytest.approx(2.0, abs=0.1)


def test_who_always_speaks_so_is_not_strained():
    prosody = Prosody(1)
    strains = [said(prosody, spoken(300, 1.5, gain=2.0)).strain for _ in range(6)]
    assert max(strains) < 0.1


def test_who_becomes_louder_and_higher_than_before_is():
    prosody = Prosody(1)
    for hz in (118, 120, 123, 119):
        said(prosody, spoken(hz, 1.5, gain=0.2))
    voice = said(prosody, spoken(170, 1.5, gain=1.0))
    assert voice.higher > 2 and voice.louder > 2 and voice.strain > 0.5


def test_nothing_is_unusual_before_somebody_has_spoken_a_few_times():
    prosody = Prosody(1)
    said(prosody, spoken(120, 1.0, gain=0.2))
    assert said(prosody, spoken(200, 1.0)).strain == 0.0


def test_rows_do_not_mind_each_other():
    prosody, alone = Prosody(2), Prosody(1)
    one, other = spoken(120, 1.0), spoken(220, 1.0)
    for at in range(0, len(one), 160):
        prosody.hear(np.array([1, 0]), np.stack([other[at : at + 160], one[at : at + 160]]), RATE)
    assert prosody.end(0) == said(alone, one)


def test_a_word_is_too_short_to_tell():
    prosody = Prosody(1)
    prosody.hear(np.array([0]), spoken(120, 0.02)[None], RATE)
    assert prosody.end(0) is None
