"""SIP in WebSocket frames, our side being the server (RFC 7118 over RFC 6455): one message, one frame.

The protocol itself is the sans-IO core of `websockets`; what is here decides who is let in, puts frames
together, and keeps both within bounds.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from sip.errors import MalformedMessage
from sip.head import MAX_BODY, MAX_HEAD
from sip.io.wire import Taken
from sip.message import parse

SUBPROTOCOL = Subprotocol("sip")  # RFC 7118 section 4.1
ANY_ORIGIN = "*"
MAX_HANDSHAKE = 16 * 1024  # bytes of the HTTP request
MAX_FRAMES = 500  # of one read: a peer that sends more means to keep us busy
_SLICE = 4096  # bytes taken before frames are counted
_PING, _PONG = b"\r\n\r\n", b"\r\n"  # RFC 5626 section 3.5.1, in frames of their own
_BLANK = b"\r\n\0 "
_UNREADABLE = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_END = b"\r\n\r\n"

_quiet = logging.getLogger(__name__)  # every handshake of a scanner is no news
_quiet.setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class WebSocketPolicy:
    """origins: of pages that may connect, as browsers write them, beside those of the host that is called.

    `ANY_ORIGIN` lets all in. Clients that are no browsers send no origin and are let in: passwords are what
    keeps strangers out. body: bytes of a message's body at most.
    """

    origins: frozenset[str] = frozenset()
    body: int = MAX_BODY


class WebSocketWire:
    """One connection, from its handshake on."""

    def __init__(self, policy: WebSocketPolicy) -> None:
        self._policy = policy
        self._protocol = ServerProtocol(
            subprotocols=[SUBPROTOCOL], max_size=MAX_HEAD + policy.body, logger=_quiet
        )
        self._request: bytearray | None = bytearray()  # of the handshake, until it is whole
        self._parts = bytearray()  # of a message in several frames
        self._is_text = False

    def feed(self, data: bytes) -> Taken:
        """Take what was read."""
        taken = Taken()
        rest = self._shake_hands(data, taken)
        frames = 0
        for at in range(0, len(rest), _SLICE):
            if self._protocol.eof_sent:
                break
            self._protocol.receive_data(rest[at : at + _SLICE])
            events = self._protocol.events_received()
            for event in events:
                if isinstance(event, Frame):
                    self._take(event, taken)
            frames += len(events)
            if frames > MAX_FRAMES:
                self._fail(CloseCode.POLICY_VIOLATION, "too many frames")
        taken.reply += b"".join(self._protocol.data_to_send())
        if self._protocol.eof_sent:
            taken.over = taken.over or self._ending()
            received = self._protocol.close_rcvd
            taken.clean = received is not None and received == self._protocol.close_sent
        return taken

    def wrap(self, message: bytes) -> bytes:
        """In a text frame, which every client reads; what is no text in a binary one."""
        if self._protocol.state is not OPEN:
            return b""
        try:
            message.decode()
        except UnicodeDecodeError:
            self._protocol.send_binary(message)
        else:
            self._protocol.send_text(message)
        return b"".join(self._protocol.data_to_send())

    def ping(self) -> bytes:
        """A Ping frame, which browsers answer by themselves (RFC 7118 section 6)."""
        if self._protocol.state is not OPEN:
            return b""
        self._protocol.send_ping(b"")
        return b"".join(self._protocol.data_to_send())

    def farewell(self, reason: str) -> bytes:
        """A Close frame: we go away, or the peer is to."""
        if self._protocol.state is not OPEN:
            return b""
        self._protocol.send_close(CloseCode.GOING_AWAY, reason)
        return b"".join(self._protocol.data_to_send())

    def _shake_hands(self, data: bytes, taken: Taken) -> bytes:
        """Answer the handshake once it is whole; what is left of `data` behind it."""
        request = self._request
        if request is None:
            return data
        searched = max(0, len(request) - len(_END) + 1)
        request += data
        end = request.find(_END, searched)
        if end < 0 or end > MAX_HANDSHAKE:
            if len(request) > MAX_HANDSHAKE:
                taken.reply, taken.over = _TOO_LONG, "handshake too long"
                request.clear()
            return b""
        self._request = None
        protocol = self._protocol
        protocol.receive_data(bytes(request[: end + len(_END)]))
        events = protocol.events_received()
        if not events or not isinstance(events[0], Request):
            taken.reply = b"".join(protocol.data_to_send()) or _UNREADABLE
            taken.over = "handshake unreadable"
            return b""
        response = self._decide(events[0])
        protocol.send_response(response)
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            taken.over = f"handshake refused: {response.status_code}"
            return b""
        taken.alive = True
        return bytes(request[end + len(_END) :])

    def _decide(self, request: Request) -> Response:
        """426 to what is no WebSocket, 400 to one without our sub-protocol, 403 to pages of others."""
        protocol = self._protocol
        response = protocol.accept(request)
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            return response
        origin = request.headers.get("Origin")
        host = request.headers.get_all("Host")
        if origin is not None and not may_connect(origin, host[0] if host else "", self._policy.origins):
            return protocol.reject(HTTPStatus.FORBIDDEN, f"Pages of {origin[:200]} may not connect.\n")
        return response

    def _take(self, frame: Frame, taken: Taken) -> None:
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
            self._parts.clear()
            self._is_text = frame.opcode is Opcode.TEXT
        elif frame.opcode is not Opcode.CONT:
            taken.alive = taken.alive or frame.opcode in (Opcode.PING, Opcode.PONG)
            return
        self._parts += frame.data
        if frame.fin:
            message = bytes(self._parts)
            self._parts.clear()
            self._take_message(message, taken)

    def _take_message(self, message: bytes, taken: Taken) -> None:
        if self._is_text and not _is_utf8(message):
            self._fail(CloseCode.INVALID_DATA, "text that is not UTF-8")
            return
        taken.alive = True
        if not message.strip(_BLANK):
            if message == _PING and self._protocol.state is OPEN:
                self._protocol.send_text(_PONG)
            return
        taken.raw.append(message)
        try:
            taken.framed.append(parse(message))
        except MalformedMessage as malformed:
            # Kept as a value: its traceback holds this frame, which holds the list that would hold it.
            malformed.__context__ = malformed.__cause__ = malformed.__traceback__ = None
            taken.framed.append(malformed)

    def _fail(self, code: CloseCode, reason: str) -> None:
        if not self._protocol.eof_sent:
            self._protocol.fail(code, reason)

    def _ending(self) -> str:
        protocol = self._protocol
        close = protocol.close_sent
        if close is None:
            return "closed by peer"
        by = "closed by peer" if protocol.close_rcvd is not None else "closed"
        return f"{by}: {close.code} {close.reason}".rstrip()


def may_connect(origin: str, host: str, allowed: Collection[str]) -> bool:
    """Whether a page of `origin` may; host: what the client called us, as in its Host header."""
    if ANY_ORIGIN in allowed or origin.lower() in allowed:
        return True
    ours = _host_of("//" + host)
    return bool(ours) and _host_of(origin) == ours


def _host_of(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:  # brackets that hold no IPv6 address
        return None


def _is_utf8(message: bytes) -> bool:
    try:
        message.decode()
    except UnicodeDecodeError:
        return False
    return True
