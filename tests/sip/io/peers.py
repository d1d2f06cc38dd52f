"""What the shells are tested against: an agent that answers, and the plain sockets of a far end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence

from sip.errors import MalformedMessage
from sip.hop import Hop
from sip.io.shell import Listener, SipShell
from sip.message import Request, Response, parse

LOCAL = "127.0.0.1"


class Answerer:
    """A sans-IO agent: answers each request with 200, remembers what reached it. Its events are strings."""

    def __init__(self) -> None:
        self.requests: list[tuple[Request, Hop]] = []
        self.responses: list[tuple[Response, Hop]] = []
        self.malformed: list[tuple[MalformedMessage, Hop]] = []
        self.failures: list[tuple[Hop, str]] = []
        self.pongs: list[Hop] = []
        self.fired: list[float] = []
        self.due: float | None = None
        self.answers = True
        self._outgoing: list[tuple[bytes, Hop]] = []
        self._events: list[str] = []

    def receive(self, data: bytes, hop: Hop, now: float) -> None:
        try:
            message: Request | Response | MalformedMessage = parse(data)
        except MalformedMessage as malformed:
            message = malformed
        self.receive_parsed(message, hop, now)

    def receive_parsed(self, message: Request | Response | MalformedMessage, hop: Hop, now: float) -> None:
        if isinstance(message, Request):
            self.requests.append((message, hop))
            self._events.append(f"request {message.call_id}")
            if message.call_id == "poison":
                raise ValueError("a fault of the agent")
            if self.answers:
                self.send(message.respond(200).encode(), hop)
        elif isinstance(message, Response):
            self.responses.append((message, hop))
            self._events.append(f"response {message.call_id}")
        else:
            self.malformed.append((message, hop))
            self._events.append("malformed")

    def transport_failed(self, hop: Hop, reason: str, now: float) -> None:
        self.failures.append((hop, reason))
        self._events.append(f"failed {reason}")

    def ponged(self, hop: Hop, now: float) -> None:
        self.pongs.append(hop)
        self._events.append("pong")

    def send(self, data: bytes, hop: Hop) -> None:
        self._outgoing.append((data, hop))

    def outgoing(self) -> list[tuple[bytes, Hop]]:
        drained, self._outgoing = self._outgoing, []
        return drained

    def next_timeout(self) -> float | None:
        return self.due

    def timeout(self, now: float) -> None:
        if self.due is not None and now >= self.due:
            self.due = None
            self.fired.append(now)
            self._events.append("timeout")

    def events(self) -> list[str]:
        drained, self._events = self._events, []
        return drained


class Node:
    """An answerer in a shell; `until` waits for what its events bring about."""

    def __init__(
        self, *transports: str, host: str = LOCAL, more: Sequence[Listener] = (), **options: object
    ) -> None:
        self.agent = Answerer()
        opened = [*(Listener(transport, host, 0).open() for transport in transports), *more]
        self.listeners = {listener.transport: listener for listener in opened}
        self.seen: list[str] = []
        self.on_event: Callable[[str], None] = lambda event: None
        self._changed = asyncio.Event()
        self.shell = SipShell(self.agent, opened, self._on_events, **options)

    async def __aenter__(self) -> Node:
        await self.shell.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.shell.close()

    def _on_events(self, events: list[str]) -> None:
        self.seen += events
        self._changed.set()
        for event in events:
            self.on_event(event)

    def hop(self, transport: str) -> Hop:
        listener = self.listeners[transport]
        return Hop(transport, listener.host, listener.port)

    def send(self, data: bytes, hop: Hop) -> None:
        self.agent.send(data, hop)
        self.shell.flush()

    async def until(self, condition: Callable[[], object], seconds: float = 5.0) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                self._changed.clear()
                await self._changed.wait()


def request(call_id: str = "1", method: str = "OPTIONS", transport: str = "UDP", size: int = 0) -> bytes:
    body = b"x" * size
    return (
        f"{method} sip:a@127.0.0.1 SIP/2.0\r\n"
        f"Via: SIP/2.0/{transport} 127.0.0.1:5060;rport;branch=z9hG4bK{call_id}\r\n"
        f"From: <sip:b@127.0.0.1>;tag=1\r\nTo: <sip:a@127.0.0.1>\r\nCall-ID: {call_id}\r\n"
        f"CSeq: 1 {method}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def udp_socket(host: str = LOCAL) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((host, 0))
    sock.setblocking(False)
    return sock


async def receive(sock: socket.socket, size: int = 65535) -> bytes:
    return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(sock, size), 5.0)


def unused_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind((LOCAL, 0))
        port: int = sock.getsockname()[1]
        return port
