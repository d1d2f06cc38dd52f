"""Recordings read back, and what a disk would be: what the tests of the recorder share."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import av
import numpy as np

from media.tap import HEARD, SAID, Frame, Part
from media.track import News

Sound = np.ndarray[Any, Any]


class Memory:
    """A sink without a disk. `stuck`: what is given stays waiting."""

    def __init__(self) -> None:
        self.files: dict[str, bytearray] = {}
        self.stuck = False
        self._waiting: dict[str, int] = {}
        self._news: list[News] = []

    def open(self, path: str) -> None:
        self.files[path] = bytearray()
        self._waiting[path] = 0

    def append(self, path: str, data: bytes, head: bytes | None) -> None:
        self.files[path] += data
        if head is not None:
            self.files[path][: len(head)] = head
        if self.stuck:
            self._waiting[path] += len(data)

    def flush(self) -> None: ...

    def flow(self) -> None:
        """The disk takes what waits."""
        self.stuck = False
        self._waiting = dict.fromkeys(self._waiting, 0)

    def close(self, path: str) -> None:
        self._news.append(News(path, "closed", size=len(self.files[path])))

    def waiting(self, path: str) -> int:
        return self._waiting[path]

    def news(self) -> Iterable[News]:
        news, self._news = self._news, []
        return news


def read(data: bytes, kind: str = "opus") -> Sound:
    """Both channels of a file at 8 kHz: int16[2, n]."""
    if kind == "wav":
        return _wav(data)
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.audio[0]
        frames = [frame.to_ndarray() for frame in container.decode(stream)]
    sound = np.concatenate(frames, axis=1)
    taps = np.hanning(13)  # enough of a filter for pulses, without a delay
    smooth = np.stack([np.convolve(side, taps / taps.sum(), "same") for side in sound])
    return np.rint(smooth[:, ::6] * 32768).clip(-32768, 32767).astype(np.int16)


def envelope(data: bytes, kind: str = "opus") -> Sound:
    """The loudest sample of each millisecond of both channels: int32[2, n]."""
    if kind == "wav":
        sound = np.abs(_wav(data).astype(np.int32))
        return sound[:, : sound.shape[1] // 8 * 8].reshape(2, -1, 8).max(axis=2)
    rest, found = np.empty((2, 0), np.float32), []
    with av.open(io.BytesIO(data)) as container:
        for frame in container.decode(container.streams.audio[0]):
            rest = np.concatenate([rest, frame.to_ndarray()], axis=1)
            whole = rest.shape[1] // 48 * 48
            found.append(np.abs(rest[:, :whole]).reshape(2, -1, 48).max(axis=2))
            rest = rest[:, whole:]
    return (np.concatenate(found, axis=1) * 32768).astype(np.int32)


def _wav(data: bytes) -> Sound:
    with wave.open(io.BytesIO(data)) as file:
        assert file.getnchannels() == 2 and file.getsampwidth() == 2
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
        return samples[:: file.getframerate() // 8000].T


def frame(
    tick: int,
    heard: dict[int, Sound],
    said: dict[int, Sound],
    rate: int = 8000,
    late: Mapping[tuple[int, int], float] = MappingProxyType({}),
) -> Frame:
    """A tick's sound by leg, both ways. late: ms, by leg and direction."""
    parts = []
    for direction, sounds in ((HEARD, heard), (SAID, said)):
        if sounds:
            legs = np.array(list(sounds), np.int64)
            waits = np.array([late.get((leg, direction), 0.0) for leg in sounds], np.float32)
            parts.append(Part(direction, rate, legs, waits, np.stack(list(sounds.values())).astype(np.int16)))
    return Frame(tick, parts)


def pulse(rate: int = 8000) -> Sound:
    """A tick with a short burst at its beginning."""
    n = np.arange(rate // 50)
    return np.rint(20_000 * np.sin(2 * np.pi * 1000 * n / rate) * np.exp(-n / (rate / 500))).astype(np.int16)


def onsets(channel: Sound, gap_s: float = 0.1) -> Sound:
    """Where bursts begin, in seconds."""
    loud = np.flatnonzero(np.abs(channel.astype(np.int32)) > 4000)
    if not len(loud):
        return np.empty(0)
    first = np.concatenate([[True], np.diff(loud) > gap_s * 8000])
    return loud[first] / 8000
