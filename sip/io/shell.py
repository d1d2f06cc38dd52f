"""The shell around a sans-IO agent: sockets in, sockets out, one timer. Runs on asyncio and uvloop."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, Protocol, TypeVar

from sip.errors import MalformedMessage
from sip.framing import Framed
from sip.hop import BETWEEN, DEFAULT_PORTS, SECURED, Hop
from sip.io.connection import Owner, StreamLimits
from sip.io.large import PATIENCE, LargeRequests
from sip.io.marks import Marks
from sip.io.tcp import Streams, listening
from sip.io.tls import TlsContexts
from sip.io.udp import UdpPort
from sip.message import Request, Response
from sip.reach import is_numeric

_log = logging.getLogger(__name__)

MAX_LOGGED = 1000  # faults
MAX_ROUNDS = 64  # of sending and reporting, before other callbacks of the loop get their turn

EventT = TypeVar("EventT")


class Tap(Protocol):
    """Who is shown each message as it comes and goes: `sip.ladder.Ladders`, or something as quick."""

    def received(self, data: bytes, hop: Hop, now: float) -> None: ...
    def sent(self, data: bytes, hop: Hop, now: float) -> None: ...

    def undelivered(self, data: bytes, hop: Hop, reason: str, now: float) -> None:
        """A message that was shown as sent did not go."""

    def unreachable(self, hop: Hop, reason: str, now: float) -> None:
        """Nothing gets to where messages went."""


class Agent(Protocol[EventT]):
    """What the shell drives: `sip.agent.UserAgent`, or anything else that speaks SIP without sockets."""

    def receive(self, data: bytes, hop: Hop, now: float) -> None: ...
    def receive_parsed(
        self, message: Request | Response | MalformedMessage, hop: Hop, now: float
    ) -> None: ...
    def transport_failed(self, hop: Hop, reason: str, now: float) -> None: ...
    def ponged(self, hop: Hop, now: float) -> None: ...
    def outgoing(self) -> list[tuple[bytes, Hop]]: ...
    def next_timeout(self) -> float | None: ...
    def timeout(self, now: float) -> None: ...
    def events(self) -> list[EventT]: ...


@dataclass(slots=True)
class Listener:
    """An address to listen at. transport: a key of `DEFAULT_PORTS`. host: numeric. port 0: any free one.
    between: for other nodes of ours alone.

    `open` takes the address at once, so that it is known before an agent is made; `start` of the shell opens
    the rest.
    """

    transport: str
    host: str
    port: int
    sock: socket.socket | None = field(default=None, repr=False)
    between: bool = False

    def open(self) -> Listener:
        """Bind. Raises OSError when the address is taken or not ours."""
        if self.sock is None:
            bind = UdpPort.bind if self.transport == "udp" else listening
            self.sock = bind(self.host, self.port)
            self.port = self.sock.getsockname()[1]
        return self

    def close(self) -> None:
        """Give the address back."""
        if self.sock is not None:
            self.sock.close()
            self.sock = None


class SipShell(Generic[EventT]):
    """Feeds an agent and sends what it says.

    on_events: called with the agent's events after each drain; it may call the agent, what that leads to is
    sent at once. Code that calls the agent at other times calls `flush` afterwards. drops: asked before a
    message is read, True for sources that get no answer at all. marks: of what is sent to some. names: what
    the certificate of an address has to name. tap: shown every message that is read or sent. clock:
    monotonic seconds, the agent's `now`.
    """

    def __init__(
        self,
        agent: Agent[EventT],
        listeners: Sequence[Listener],
        on_events: Callable[[list[EventT]], None],
        *,
        tls: TlsContexts | None = None,
        between: TlsContexts | None = None,
        limits: StreamLimits | None = None,
        drops: Callable[[Hop, float], bool] | None = None,
        marks: Marks | None = None,
        names: Callable[[str], str] = str,
        tap: Tap | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.agent = agent
        self._tap = tap
        self.listeners = tuple(listeners)
        self.clock = clock
        self._on_events = on_events
        self._tls = tls
        self._between = between
        self._limits = limits or StreamLimits()
        self._drops = drops
        self._marks = marks if marks is not None else {}
        self._names = names
        self._counts: Counter[str] = Counter()
        self._ports: list[UdpPort] = []
        self._streams: Streams | None = None
        self._large = LargeRequests()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._draining = False

    async def start(self) -> None:
        """Open what is not open yet, and begin. Raises OSError when an address is taken, all closed."""
        try:
            for listener in self.listeners:
                if listener.transport in SECURED and self._contexts(listener) is None:
                    raise OSError("a TLS listener needs TLS contexts")
                listener.open()
        except OSError:
            for listener in self.listeners:
                listener.close()
            raise
        loop = self._loop = asyncio.get_running_loop()
        owner = Owner(
            loop, self.clock, self._receive_framed, self.flush, self._failed, self._refuses, self._ponged
        )
        client = self._tls.client if self._tls else None
        between = self._between.client if self._between else None
        self._streams = Streams(owner, self._limits, client, between, self._marks, self._names)
        for listener in self.listeners:
            if listener.sock is None:
                continue
            if listener.transport == "udp":
                port = UdpPort(listener.sock, self._receive, self.flush, self._unreachable, self._marks)
                self._ports.append(port)
                port.start(loop)
            else:
                contexts = self._contexts(listener) if listener.transport in SECURED else None
                context = contexts.server if contexts is not None else None
                name = BETWEEN if listener.between else ""
                self._streams.listen(listener.transport, listener.sock, context, name)
        self.flush()

    def _contexts(self, listener: Listener) -> TlsContexts | None:
        return self._between if listener.between else self._tls

    async def close(self) -> None:
        """Send what is left to send, then close everything."""
        self.flush()
        self._loop = None
        if self._timer is not None:
            self._timer.cancel()
        for port in self._ports:
            port.close()
        if self._streams is not None:
            await self._streams.close()

    def flush(self, now: float | None = None) -> None:
        """Send what the agent has to send, report its events, until both are empty; then set the timer.

        Called within `on_events` it does nothing: the drain that called it goes on by itself.
        """
        loop = self._loop
        if self._draining or loop is None:
            return
        self._draining = True
        try:
            for _ in range(MAX_ROUNDS):
                outgoing = self.send()
                events = self.agent.events()
                if events:
                    self._guarded(self._on_events, events)
                elif not outgoing:
                    break
            else:
                loop.call_soon(self.flush)
        finally:
            self._draining = False
            self._set_timer(loop)

    def send(self) -> int:
        """Send what the agent has to send; how much that was. Between the events of one drain this lets what
        the first led to go before the last is looked at.
        """
        outgoing = self.agent.outgoing()
        for data, hop in outgoing:
            self._send(data, hop)
        return len(outgoing)

    def local(self, hop: Hop) -> tuple[str, int] | None:
        """Where the newest connection that we opened to a hop begins; None where there is none of ours."""
        return self._streams.local(hop) if self._streams is not None else None

    def counts(self) -> dict[str, int]:
        """Datagrams and connections since the start, by what became of them, and connections open now."""
        counts = Counter(self._counts)
        for port in self._ports:
            counts.update({f"udp {name}": count for name, count in port.counts.items()})
        if self._streams is not None:
            counts.update({f"stream {name}": count for name, count in self._streams.counts.items()})
            counts["connections"] = len(self._streams)
        return dict(counts)

    def _receive(self, data: bytes, hop: Hop) -> None:
        now = self.clock()
        if self._drops is not None and self._drops(hop, now):
            self._counts["dropped"] += 1
            return
        if self._tap is not None:
            self._tap.received(data, hop, now)
        self._guarded(self.agent.receive, data, hop, now)

    def _receive_framed(self, message: Framed, raw: bytes, hop: Hop, now: float) -> None:
        if self._drops is not None and self._drops(hop, now):
            self._counts["dropped"] += 1
            return
        if self._tap is not None:
            self._tap.received(raw, hop, now)
        self._guarded(self.agent.receive_parsed, message, hop, now)

    def _ponged(self, hop: Hop) -> None:
        self._guarded(self.agent.ponged, hop, self.clock())

    def _refuses(self, host: str) -> bool:
        return self._drops is not None and self._drops(Hop("tcp", host, 0), self.clock())

    def _failed(self, hop: Hop, reason: str) -> None:
        self._counts["failed"] += 1
        self._guarded(self.agent.transport_failed, hop, reason, self.clock())

    def _unreachable(self, hop: Hop, reason: str) -> None:
        if self._tap is not None:
            self._tap.unreachable(hop, reason, self.clock())
        self._failed(hop, reason)

    def _undelivered(self, data: bytes, hop: Hop, reason: str) -> None:
        if self._tap is not None:
            self._tap.undelivered(data, hop, reason, self.clock())
        self._failed(hop, reason)

    def _send(self, data: bytes, hop: Hop) -> None:
        streams = self._streams
        if not is_numeric(hop.host):  # the kernel's resolver would hold up everything
            self._undelivered(data, hop, "the host of a hop has to be numeric")
        elif hop.transport == "udp":
            if not (self._large.concerns(data) and self._send_moved(data, hop)):
                self._send_datagram(data, hop)
        elif streams is not None and hop.transport in DEFAULT_PORTS:
            self._show(data, hop)
            streams.send(data, hop, partial(self._undelivered, data, hop))
        else:
            self._undelivered(data, hop, f"no such transport: {hop.transport}")

    def _show(self, data: bytes, hop: Hop) -> None:
        if self._tap is not None:
            self._tap.sent(data, hop, self.clock())

    def _send_datagram(self, data: bytes, hop: Hop) -> None:
        self._show(data, hop)
        family = socket.AF_INET6 if ":" in hop.host else socket.AF_INET
        ports = [port for port in self._ports if port.family == family]
        if not ports:
            self._undelivered(data, hop, "no socket for its address family")
            return
        # Where there are several, the one the peer knows: its firewall lets no other in.
        port = ports[0] if len(ports) == 1 else next((each for each in ports if each.knows(hop)), ports[0])
        reason = port.send(data, hop)
        if reason is not None:
            self._undelivered(data, hop, reason)

    def _send_moved(self, data: bytes, hop: Hop) -> bool:
        """Whether a datagram was sent over TCP instead."""
        if self._streams is None or not any(listener.transport == "tcp" for listener in self.listeners):
            return False
        moved = self._large.move(data, hop, self.clock())
        if moved is None:
            return False
        if moved[0]:
            self._counts["moved to tcp"] += 1
            self._show(*moved)
            self._streams.send(*moved, partial(self._fall_back, data, hop), patience=PATIENCE)
        return True

    def _fall_back(self, data: bytes, hop: Hop, reason: str) -> None:
        _log.debug("no TCP at %s (%s): UDP it is", hop, reason)
        self._counts["fell back to udp"] += 1
        self._large.failed(data, hop, self.clock())
        self._send_datagram(data, hop)

    def _set_timer(self, loop: asyncio.AbstractEventLoop) -> None:
        ends = [self.agent.next_timeout(), None if self._streams is None else self._streams.next_timeout()]
        due = min((end for end in ends if end is not None), default=None)
        if due is None:
            return
        if self._timer is not None:
            if self._timer_at <= due:  # it wakes in time, and sets itself anew
                return
            self._timer.cancel()
        self._timer_at = due
        self._timer = loop.call_later(max(0.0, due - self.clock()), self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        now = self.clock()
        self._guarded(self.agent.timeout, now)
        if self._streams is not None:
            self._streams.timeout(now)
        self.flush()

    def _guarded(self, call: Callable[..., object], *arguments: object) -> None:
        """The outermost edge: a fault over one message must not take the messages after it along."""
        try:
            call(*arguments)
        except Exception:  # noqa: BLE001 - whatever it is, it is logged and the loop goes on
            self._counts["faults"] += 1
            if (
                self._counts["faults"] <= MAX_LOGGED
            ):  # whoever found a way to cause them must not fill the disk
                _log.exception("fault in %s", getattr(call, "__qualname__", call))
