"""How messages lie in the bytes of a connection: one after the other in a stream; `sip.io.ws`: in frames."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from sip.errors import StreamBroken
from sip.framing import Framed, Framer

_PONG = b"\r\n"
_MAX_PONGS = 8  # answers to the pings of one read


@dataclass(slots=True)
class Taken:
    """What some bytes came to.

    raw: each of `framed` as it came. reply: to be sent at once. alive: the peer has shown that it is there.
    pong: it has answered a ping of ours. over: why the connection is to be closed, "" while it goes on;
    clean: because the peer wants so.
    """

    framed: list[Framed] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    reply: bytes = b""
    alive: bool = False
    pong: bool = False
    over: str = ""
    clean: bool = False


class Wire(Protocol):
    """One connection's, without its socket."""

    def feed(self, data: bytes) -> Taken:
        """Take what was read. Raises nothing, whatever it is."""

    def wrap(self, message: bytes) -> bytes:
        """A message as it is written; empty when nothing can be sent any more."""

    def ping(self) -> bytes:
        """What asks the peer for a sign of life; empty where we do not ask."""

    def farewell(self, reason: str) -> bytes:
        """What is said before closing."""


class StreamWire:
    """TCP and TLS: RFC 3261 section 18.3, keep-alive as in RFC 5626 section 3.5.1."""

    def __init__(self, max_body: int) -> None:
        self._framer = Framer(max_body)

    def feed(self, data: bytes) -> Taken:
        """Cut it into messages."""
        framer, over = self._framer, ""
        try:
            framed = framer.feed(data)
        except StreamBroken as error:
            framed, over = error.framed, error.reason
        pings, pongs = framer.pings, framer.pongs
        framer.pings = framer.pongs = 0
        raw, framer.raw = framer.raw, []
        return Taken(framed, raw, _PONG * min(pings, _MAX_PONGS), bool(framed or pings), bool(pongs), over)

    def wrap(self, message: bytes) -> bytes:
        """As it is."""
        return message

    def ping(self) -> bytes:
        """Phones keep their streams alive themselves."""
        return b""

    def farewell(self, reason: str) -> bytes:
        """A stream just ends."""
        return b""
