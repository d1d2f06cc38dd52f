"""A voice that is a process: text in by standard input, sound out by standard output as it is made."""

from __future__ import annotations

import os
import selectors
import subprocess

import numpy as np

from media.speech.voice import I16, VoiceFault

PIECE = 65_536  # bytes read at a time
MOST_TEXT = 32_768  # bytes: less than a pipe holds, so that writing never waits


class ProcessSaying:
    """One text on its way out of a process of its own. by: the voice; rate: Hz; header: bytes before the
    sound, which is int16, little-endian, mono. Raises VoiceFault.
    """

    def __init__(self, by: str, command: list[str], text: bytes, *, rate: int, header: int = 0) -> None:
        self.by, self.rate, self.cost_s = by, rate, 0.0
        self._before_sound = header
        self._half = b""  # a sample of which one byte has come
        self._spoke = False
        if len(text) > MOST_TEXT:
            raise VoiceFault(f"a text of {len(text)} bytes; {MOST_TEXT} at most", ever=True)
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError as error:
            raise VoiceFault(f"{command[0]} cannot be run: {error}", ever=False) from error
        assert self._process.stdin is not None and self._process.stdout is not None
        self._sound = self._process.stdout
        self._ended = os.pidfd_open(self._process.pid)
        try:
            self._process.stdin.write(text)
            self._process.stdin.close()
        except BrokenPipeError:
            pass  # it ended at once, which the reading will tell

    def read(self, patience_s: float) -> I16 | None:
        """See `media.speech.voice.Saying`."""
        if not _ready(self._sound.fileno(), patience_s):
            return np.zeros(0, np.int16)
        data = os.read(self._sound.fileno(), PIECE)
        if data:
            return self._samples(data)
        if not _ready(self._ended, patience_s):
            return np.zeros(0, np.int16)
        self._reap()
        if self._process.returncode != 0 or not self._spoke:
            raise VoiceFault(f"{self.by} ended with {self._process.returncode} before its time", ever=False)
        return None

    def close(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
            self._reap()
        if self._ended >= 0:
            os.close(self._ended)
            self._ended = -1
        self._sound.close()

    def _samples(self, data: bytes) -> I16:
        skipped = min(self._before_sound, len(data))
        self._before_sound -= skipped
        data = self._half + data[skipped:]
        whole = len(data) // 2 * 2
        self._half = data[whole:]
        self._spoke = self._spoke or whole > 0
        return np.frombuffer(data[:whole], "<i2").astype(np.int16)

    def _reap(self) -> None:
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self.cost_s = usage.ru_utime + usage.ru_stime


def _ready(descriptor: int, patience_s: float) -> bool:
    with selectors.DefaultSelector() as waiting:
        waiting.register(descriptor, selectors.EVENT_READ)
        return bool(waiting.select(patience_s))
