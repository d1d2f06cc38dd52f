"""A process's connection to the engine that started it: commands come in, events go out."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator, Sequence

import msgspec

from media.messages import AnyCommand, AnyEvent, Frames, decode_commands, encode

READ = 256 * 1024  # bytes taken at once
LIMIT = 8 * 1024 * 1024  # bytes unsent at which the engine is taken for dead


class Lost(Exception):
    """The engine is gone, or this process is of no more use to it."""


class Link:
    """Waits for nothing: what cannot be sent yet is kept, up to LIMIT.

    engine: a connected, non-blocking stream. log: where commands are told of that are not understood.
    """

    def __init__(self, engine: socket.socket, log: logging.Logger) -> None:
        self._engine = engine
        self._log = log
        self._frames = Frames()
        self._out = bytearray()

    @classmethod
    def connect(cls, path: str, log: logging.Logger) -> Link:
        """A link to the engine's Unix socket at `path`. Raises OSError."""
        engine = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        engine.connect(path)
        engine.setblocking(False)
        return cls(engine, log)

    def fileno(self) -> int:
        """What to wait on for commands, and while something is `unsent` for room."""
        return self._engine.fileno()

    @property
    def unsent(self) -> int:
        """Bytes that the engine has not taken yet."""
        return len(self._out)

    def hear(self) -> Iterator[list[AnyCommand]]:
        """What the engine has said by now, frame by frame. Raises Lost."""
        try:
            data = self._engine.recv(READ)
        except BlockingIOError:
            return
        except OSError as error:
            raise Lost(f"engine's connection: {error}") from error
        if not data:
            raise Lost("the engine closed its connection")
        try:
            bodies = self._frames.feed(data)
        except ValueError as error:
            raise Lost(str(error)) from error
        for body in bodies:
            try:
                commands = decode_commands(body)
            except msgspec.DecodeError as error:
                self._log.error("a frame of the engine is not understood: %s", error)
                continue
            yield commands

    def tell(self, events: Sequence[AnyEvent]) -> None:
        """Say it, behind what is unsent. Raises Lost."""
        if events:
            self._out += encode(events)
        if len(self._out) > LIMIT:
            raise Lost("the engine does not listen")
        self.flush()

    def flush(self) -> None:
        """Send what the engine takes now. Raises Lost."""
        while self._out:
            try:
                sent = self._engine.send(self._out)
            except BlockingIOError:
                return
            except OSError as error:
                raise Lost(f"engine's connection: {error}") from error
            del self._out[:sent]

    def close(self) -> None:
        """End the connection."""
        self._engine.close()
