"""The tone of a phone that rings, as a caller hears it."""

from __future__ import annotations

import numpy as np
import pytest

from engine.ring_back import CADENCE_S, HERTZ, LEVEL_DBFS, TONE_S, ring_back


@pytest.mark.parametrize("rate", [8_000, 16_000])
def test_it_is_one_tone_of_a_second_and_four_of_silence(rate: int) -> None:
    loop = ring_back(rate) / 32768
    tone, rest = np.split(loop, [int(TONE_S * rate)])
    assert len(loop) == CADENCE_S * rate and not rest.any()
    assert np.argmax(np.abs(np.fft.rfft(tone))) == pytest.approx(HERTZ)  # a second: its bins are hertz
    assert 10 * np.log10(np.mean(tone**2)) == pytest.approx(LEVEL_DBFS, abs=0.2)


def test_it_begins_and_ends_without_a_click() -> None:
    tone = ring_back(8_000)[: int(TONE_S * 8_000)].astype(float)
    assert max(abs(tone[0]), abs(tone[-1])) < 40
