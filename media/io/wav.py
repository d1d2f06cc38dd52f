"""WAV files from disk, at the rate that they are wanted at."""

from __future__ import annotations

import wave
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

import numpy as np

from media import player
from media.columns import I16
from media.player import Cache, Unreadable

MAX_BYTES = 64 * 1024 * 1024  # of a file


def read(path: str, rate: int) -> I16:
    """A PCM WAV file of 8 or 16 bits as samples to play at `rate` Hz. Raises Unreadable."""
    try:
        if Path(path).stat().st_size > MAX_BYTES:
            raise Unreadable(f"{path}: larger than {MAX_BYTES} bytes")
        with wave.open(path, "rb") as file:
            width, channels, own = file.getsampwidth(), file.getnchannels(), file.getframerate()
            data = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise Unreadable(f"{path}: {error}") from error
    if width == 2:
        samples = np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.int16)
    elif width == 1:
        samples = (np.frombuffer(data, np.uint8).astype(np.int16) - 128) * 256
    else:
        raise Unreadable(f"{path}: {8 * width} bits a sample")
    whole = len(samples) // channels * channels
    return player.to_plane(samples[:whole].reshape(-1, channels), own, rate)


class Files:
    """Sounds read when they are first asked for."""

    def __init__(self, limit: int = 64 * 1024 * 1024) -> None:
        self._cache = Cache(limit)

    def get(self, path: str, rate: int) -> I16:
        sound = self._cache.get(path, rate)
        if sound is None:
            sound = read(path, rate)
            self._cache.put(path, rate, sound)
        return sound


class ThreadedFiles:
    """The same, read beside the tick: `get` gives None until the file is there."""

    def __init__(self, limit: int = 64 * 1024 * 1024) -> None:
        self._cache = Cache(limit)
        self._thread = ThreadPoolExecutor(1, "sounds")
        self._loading: dict[tuple[str, int], Future[I16]] = {}

    def get(self, path: str, rate: int) -> I16 | None:
        sound = self._cache.get(path, rate)
        if sound is not None:
            return sound
        future = self._loading.get((path, rate))
        if future is None:
            self._loading[path, rate] = self._thread.submit(read, path, rate)
            return None
        if not future.done():
            return None
        del self._loading[path, rate]
        sound = future.result()
        self._cache.put(path, rate, sound)
        return sound

    def wait(self, path: str, rate: int) -> None:
        """Wait until a file that was asked for has been read, or turned out to be unreadable."""
        future = self._loading.get((path, rate))
        if future is not None:
            wait([future])

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
