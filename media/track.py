"""One recording under way: its frames into the bytes of its file, and what it owes while the disk fails."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from media import duplex
from media.recording import Record
from media.sealed import Seal

CHUNK = 8  # frames that are written together: with those that are held, under 1.4 s are lost with the process
HELD = 512 * 1024  # bytes of a recording that wait for the disk; then silence takes the place of sound
SILENCE = 2000  # frames of silence made up for at once


class News(NamedTuple):
    """What became of a file: "fault" with what and remedy, "well" again, or "closed" with its size."""

    path: str
    kind: str
    what: str = ""
    remedy: str = ""
    size: int = 0
    complete: bool = True


class Sink(Protocol):
    """Where files are written, without waiting for it."""

    def open(self, path: str) -> None: ...

    def append(self, path: str, data: bytes, head: bytes | None) -> None:
        """Write on, with the next `flush`; `head` takes the place of the file's first bytes."""

    def flush(self) -> None:
        """Begin to write what was given: to wake who writes for every file costs more than writing."""

    def close(self, path: str) -> None: ...

    def waiting(self, path: str) -> int:
        """Bytes that are not written yet."""

    def news(self) -> Iterable[News]: ...


class Track:
    """One recording's file under way. `slot`: its place in a Feed."""

    def __init__(self, command: Record, path: str, seal: Seal | None, serial: int) -> None:
        self.name = command.name
        self.leg = command.leg
        self.path = path
        self.paused = command.paused
        self.began = False
        self.slot = -1
        self.rate = 0
        self.frames = 0
        self.lost = 0  # frames that were silenced because the disk did not take them
        self.lead = 0
        self.spare = 0
        self.ends = float("inf")
        self._format, self._bitrate, self._serial = command.format, command.bitrate, serial
        self._seal = seal
        self._sealed = False
        self._coder: duplex.Coder | None = None
        self._owed = 0  # frames of silence still to be written
        self._phase = 0

    @property
    def seconds(self) -> float:
        return max(0.0, (self.frames * duplex.FRAME_MS - self.lead - self.spare) / 1000)

    def begin(self, rate: int, lead: int, phase: int) -> None:
        """The first sound is here, `lead` ms into its frame. phase: which frames it is written after."""
        self.began, self.rate, self.lead, self._phase = True, rate, lead, phase
        self._coder = duplex.coder(self._format, rate, self._bitrate, self._serial, lead)

    def take(self, at: int, quiet: tuple[bool, bool], sink: Sink, *, last: bool = False) -> None:
        """The next frame, at an address in memory; the last is written with the file's end."""
        assert self._coder is not None, "begun"
        self.frames += 1
        if self._owed or sink.waiting(self.path) > HELD:
            self._owed += 1
            self.lost += not (quiet[0] and quiet[1])
            self._pay(sink)
            return
        self._coder.frame(at, quiet)
        if (self.frames + self._phase) % CHUNK == 0 and not last:
            self.write(sink)

    def skip(self, frames: int, sink: Sink) -> None:
        """Frames of the grid in which nothing came."""
        self.frames += frames
        self._owed += frames
        self._pay(sink)

    def _pay(self, sink: Sink) -> None:
        """Write silence that is owed, once the disk takes it."""
        assert self._coder is not None, "begun"
        while self._owed and sink.waiting(self.path) <= HELD // 2:
            now = min(self._owed, SILENCE)
            self._coder.silence(now)
            self._owed -= now
            self.write(sink)

    def write(self, sink: Sink) -> None:
        assert self._coder is not None, "begun"
        if self._coder.waiting:
            data = self._coder.cut()
            self._append(data, sink, last=False)

    def finish(self, spare: int, sink: Sink) -> None:
        """The end; `spare` ms of the last frame are behind it. Silence that is still owed is left out."""
        if self._coder is not None:
            self.spare = spare
            self._pay(sink)
            self.frames -= self._owed
            self._append(self._coder.finish(0 if self._owed else spare), sink, last=True)
        sink.close(self.path)

    def _append(self, data: bytes, sink: Sink, *, last: bool) -> None:
        assert self._coder is not None, "begun"
        if self._seal is None:
            sink.append(self.path, data, self._coder.head())
            return
        head = b"" if self._sealed else self._seal.header
        self._sealed = True
        sink.append(self.path, head + self._seal.chunk(data, last=last), None)
