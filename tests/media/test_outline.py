"""The outline of a recording shows who spoke when, on each side, however the file came and ended."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np
import pytest

from media import outline as module
from media.duplex import FRAME_MS, coder
from media.outline import MOST, Outline, Unreadable, outline

RATE = 8000
SPAN = RATE * FRAME_MS // 1000
# loudness of each side in stretches of a second
LEFT, RIGHT = (0.5, 0.0, 0.0, 0.25), (0.0, 0.0, 0.8, 0.0)


def file(format: str, seconds: int = 4) -> bytes:
    """Tones of LEFT and RIGHT, over and over."""
    made = coder(format, RATE, 28_000, 1, 0)
    tone = np.sin(2 * np.pi * 440 * np.arange(SPAN) / RATE) * 32_767
    data = b""
    for frame in range(seconds * 1000 // FRAME_MS):
        at = int(frame * FRAME_MS / 1000) % 4
        sound = np.stack([tone * LEFT[at], tone * RIGHT[at]]).astype(np.int16)
        made.frame(sound.ctypes.data, (not LEFT[at], not RIGHT[at]))
        data += made.cut() if frame % 5 == 4 else b""
    return data + made.finish(0)


def pieces(data: bytes, seed: int = 1) -> Iterator[bytes]:
    """Cut anywhere."""
    rng, at = Random(seed), 0
    while at < len(data):
        size = rng.randint(1, 700)
        yield data[at : at + size]
        at += size


def loudest(side: tuple[float, ...], second: int) -> float:
    """Away from the edges of a second."""
    blocks = 1000 / FRAME_MS
    return max(side[int(second * blocks) + 2 : int((second + 1) * blocks) - 1])


@pytest.mark.parametrize("format", ["opus", "wav"])
def test_each_side_is_as_loud_as_it_was(format: str) -> None:
    found = outline(pieces(file(format)), format)
    assert found.seconds == pytest.approx(4.0, abs=0.15)
    assert len(found.left) == len(found.right)
    for side, wanted in ((found.left, LEFT), (found.right, RIGHT)):
        assert [loudest(side, second) for second in range(4)] == pytest.approx(wanted, abs=0.06)


@pytest.mark.parametrize("format", ["opus", "wav"])
def test_a_file_that_breaks_off_has_an_outline_as_far_as_it_goes(format: str) -> None:
    data = file(format)
    found = outline(pieces(data[: len(data) * 3 // 4]), format)
    assert 1.5 < found.seconds < 3.7 and loudest(found.left, 0) == pytest.approx(0.5, abs=0.06)
    assert outline([], "wav") == Outline(0.0, (), ())


def test_a_long_one_is_told_in_so_many_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 10)
    found = outline([file("wav", seconds=8)], "wav")
    assert MOST > len(found.left) == len(found.right) == 10
    assert max(found.right) == pytest.approx(0.8, abs=0.01), "the loudest of each stretch counts"
    monkeypatch.setattr(module, "LONGEST", 5)
    assert outline([file("wav")], "wav").seconds == pytest.approx(0.6)


@pytest.mark.parametrize("format", ["opus", "wav"])
def test_what_is_no_recording_is_told_to_be_none(format: str) -> None:
    with pytest.raises(Unreadable):
        outline([b"#!/bin/sh\n" + bytes(200)], format)
    with pytest.raises(Unreadable):
        outline([file("wav" if format == "opus" else "opus")], format)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_in_a_file_it_has_an_outline_or_is_told_to_have_none(seed: int) -> None:
    rng, data = Random(seed), bytearray(file("opus"))
    for _ in range(20):
        data[rng.randrange(300, len(data))] = rng.randrange(256)
    try:
        found = outline(pieces(bytes(data), seed), "opus")
    except Unreadable:
        return
    assert 0 < found.seconds < 20 and all(0 <= each <= 1 for each in (*found.left, *found.right))
