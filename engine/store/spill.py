"""The spill file: where rows wait, in the order they came, while the store cannot take them.

One JSON line a row, an event of the journal's or an entry of the audit log. The file is kept open and locked
for the life of its owner, so that two processes of one node can never number events alike. A line cut short
by the death of the process is passed over.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from engine.store.errors import SpillInUse
from engine.store.rows import Line

CHUNK_BYTES = 256 * 1024
MAX_LINE_BYTES = 4 * 1024 * 1024

T = TypeVar("T", bound=msgspec.Struct)


class SpillFile(Generic[T]):
    """kind: of rows. Raises SpillInUse when another process has the file, OSError when it cannot be
    opened.
    """

    def __init__(self, path: Path, kind: type[T]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.broken = 0  # lines that could not be read back
        self._encoder = msgspec.json.Encoder()
        self._decoder = msgspec.json.Decoder(kind)
        self._file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise SpillInUse(f"{path} is in use by another process") from error
        self._size = self._mend()

    def __bool__(self) -> bool:
        return self._size > 0

    @property
    def size(self) -> int:
        """Bytes waiting."""
        return self._size

    def append(self, lines: Sequence[T]) -> None:
        """Add lines; in the file, whatever happens to this process, once this returns. Raises OSError when
        the disk is full or broken, and then none of them were added."""
        data = b"".join(self._encoder.encode(line) + b"\n" for line in lines)
        try:
            written = 0
            while written < len(data):
                written += os.pwrite(self._file, data[written:], self._size + written)
        except OSError:
            os.ftruncate(self._file, self._size)
            raise
        self._size += len(data)

    def chunks(self) -> Iterator[list[T]]:
        """The lines, some hundred at a time, oldest first."""
        at, rest = 0, b""
        while at < self._size:
            piece = os.pread(self._file, min(CHUNK_BYTES, self._size - at), at)
            if not piece:
                break
            at += len(piece)
            whole, newline, rest = (rest + piece).rpartition(b"\n")
            if newline and (lines := self._read(whole)):
                yield lines
            if len(rest) > MAX_LINE_BYTES:
                self.broken += 1
                rest = b""
        if rest and (lines := self._read(rest)):
            yield lines

    def clear(self) -> None:
        """Forget every line: they are in the store now."""
        os.ftruncate(self._file, 0)
        self._size = 0

    def close(self) -> None:
        """Let go of the file; an empty one is removed."""
        if self._file < 0:
            return
        if not self._size:
            self.path.unlink(missing_ok=True)
        os.close(self._file)
        self._file = -1

    def _mend(self) -> int:
        """End a last line that a dying process cut short, so that the next begins on its own."""
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.pwrite(self._file, b"\n", size)
            size += 1
        return size

    def _read(self, whole: bytes) -> list[T]:
        lines = []
        for text in whole.split(b"\n"):
            if not text:
                continue
            try:
                lines.append(self._decoder.decode(text))
            except (msgspec.DecodeError, UnicodeDecodeError):
                self.broken += 1
        return lines


class Spill(SpillFile[Line]):
    """That of the journal's events."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, Line)
