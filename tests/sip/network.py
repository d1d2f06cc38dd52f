"""An in-memory network between user agents, on a virtual clock.

Delay, loss, duplication, reordering, all by seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random
from typing import Any

from sip.admission import Admitted, Identity, Verdict
from sip.agent import AgentEvent, UserAgent
from sip.errors import MalformedMessage
from sip.framing import Framer
from sip.hop import Hop
from sip.message import NameAddr, Request, Response, parse
from sip.session import Session
from sip.settings import AgentSettings
from sip.uri import Uri


@dataclass(slots=True)
class Weather:
    """What the network does to a datagram; streams keep their order and lose nothing.

    Seconds and shares of one.
    """

    delay: float = 0.01
    jitter: float = 0.0  # added to the delay, evenly spread: what reorders
    loss: float = 0.0
    duplication: float = 0.0


class Open:
    """Lets everybody in, under the name in From."""

    def admit(self, request: Request, hop: Hop, now: float) -> Verdict:
        return Admitted(Identity("user", request.from_.uri.user_text))


Message = Request | Response


@dataclass(slots=True)
class Seen:
    """One message as it was sent."""

    at: float
    source: str
    target: str
    message: Message
    data: bytes

    @property
    def what(self) -> str:
        """`INVITE`, `180 INVITE`, …"""
        message = self.message
        return message.method if isinstance(message, Request) else f"{message.status} {message.cseq[1]}"


class Node:
    """A user agent at an address of the network, and what its owner was told."""

    def __init__(self, network: Network, host: str, agent: UserAgent) -> None:
        self.network = network
        self.host = host
        self.agent = agent
        self.log: list[AgentEvent] = []
        self.on_event: Callable[[Any], None] | None = None

    @property
    def uri(self) -> Uri:
        return Uri.sip(f"user{self.host.rpartition('.')[2]}", self.host, 5060)

    @property
    def address(self) -> NameAddr:
        return NameAddr("", self.uri)

    def call(
        self, other: Node, offer: bytes | None = b"v=0 offer", transport: str = "udp", **options: Any
    ) -> Session:
        """INVITE the other node over one hop to it."""
        options.setdefault("hops", (Hop(transport, other.host, 5060),))
        options.setdefault("from_", self.address)
        options.setdefault("to", other.address)
        hops, target = options.pop("hops"), options.pop("target", other.uri)
        session = self.agent.invite(target, hops, offer=offer, now=self.network.now, **options)
        self.network.flush(self)
        return session

    def told(self, kind: type[Any], session: Session | None = None) -> list[Any]:
        """The events of one kind (about one session) so far."""
        return [
            event
            for event in self.log
            if isinstance(event, kind) and (session is None or getattr(event, "session", None) is session)
        ]

    def last(self, kind: type[Any], session: Session | None = None) -> Any:
        """The newest of them."""
        return self.told(kind, session)[-1]


@dataclass(slots=True)
class _Stream:
    ends: dict[str, int] = field(default_factory=dict)  # host -> its connection number
    arrival: float = 0.0
    framers: dict[str, Framer] = field(default_factory=dict)


class Network:
    """Nodes, what is in flight between them, and the clock. `trace` holds every message sent, in order."""

    def __init__(self, seed: int = 1, weather: Weather | None = None) -> None:
        self.now = 1000.0
        self.rng = Random(seed)
        self.weather = weather or Weather()
        self.nodes: dict[str, Node] = {}
        self.trace: list[Seen] = []
        self.keep_trace = True
        self.drop: Callable[[Seen], bool] | None = None  # a fault to inject: True loses the message
        self.mangle: Callable[[bytes], bytes] | None = None  # what becomes of a datagram on its way
        self.unreachable: set[str] = set()  # hosts whose transport reports an error
        self._flying: list[tuple[float, int, str, Hop, bytes]] = []
        self._count = 0
        self._streams: dict[tuple[str, str, str], _Stream] = {}
        self._connections = 0

    def add(
        self, host: str, *, admission: Any = None, registrar: Any = None, resolve: Any = None, **settings: Any
    ) -> Node:
        """A new node with one user agent that speaks UDP, TCP and TLS on port 5060."""
        addresses = dict.fromkeys(("udp", "tcp", "tls"), (host, 5060))
        agent = UserAgent(
            AgentSettings(addresses, **settings),
            rng=Random(self.rng.getrandbits(64)),
            admission=admission or Open(),
            registrar=registrar,
            resolve=resolve,
        )
        node = self.nodes[host] = Node(self, host, agent)
        return node

    # ------------------------------------------------------------------------------------------------- time

    def flush(self, node: Node) -> None:
        """Send what the node's agent has ready and tell its owner what happened, until it is quiet."""
        while True:
            outgoing, events = node.agent.outgoing(), node.agent.events()
            if not outgoing and not events:
                return
            for data, hop in outgoing:
                self._send(node.host, data, hop)
            for event in events:
                node.log.append(event)
                if node.on_event is not None:
                    node.on_event(event)

    def flush_all(self) -> None:
        """After acting on several sessions by hand."""
        for node in self.nodes.values():
            self.flush(node)

    def run(self, seconds: float) -> None:
        """Let that much time pass."""
        end = self.now + seconds
        self.flush_all()
        while (step := self._next()) is not None and step <= end:
            self._advance(step)
        self.now = end

    def settle(self, limit: float = 10_000.0) -> None:
        """Until nothing is in flight and no timer runs."""
        end = self.now + limit
        self.flush_all()
        while (step := self._next()) is not None:
            assert step <= end, f"still busy after {limit} s: {self.counts()}"
            self._advance(step)

    def counts(self) -> dict[str, int]:
        """The rows left in all tables of all nodes."""
        total: dict[str, int] = {}
        for node in self.nodes.values():
            for name, count in node.agent.counts().items():
                total[name] = total.get(name, 0) + count
        return total

    def _next(self) -> float | None:
        wanted = (node.agent.next_timeout() for node in self.nodes.values())
        times = [timeout for timeout in wanted if timeout is not None]
        if self._flying:
            times.append(self._flying[0][0])
        return max(min(times), self.now) if times else None

    def _advance(self, to: float) -> None:
        self.now = to
        while self._flying and self._flying[0][0] <= to:
            _, _, host, hop, data = heappop(self._flying)
            node = self.nodes.get(host)
            if node is not None:
                self._deliver(node, hop, data)
                self.flush(node)
        for node in self.nodes.values():
            due = node.agent.next_timeout()
            if due is not None and due <= to:
                node.agent.timeout(to)
                self.flush(node)

    # --------------------------------------------------------------------------------------------- messages

    def send(self, target: str, data: bytes, origin: Hop) -> None:
        """A datagram from somebody who is no node, played by hand."""
        self._fly(self.now + self.weather.delay, target, origin, data)

    def _send(self, source: str, data: bytes, hop: Hop) -> None:
        if self.keep_trace or self.drop is not None:
            seen = Seen(self.now, source, hop.host, parse(data), data)
            if self.keep_trace:
                self.trace.append(seen)
            if self.drop is not None and self.drop(seen):
                return
        if hop.host in self.unreachable or source in self.unreachable:
            self.nodes[source].agent.transport_failed(hop, "unreachable", self.now)
            return
        if hop.transport == "udp":
            self._send_datagram(source, data, hop)
        else:
            self._send_on_stream(source, data, hop)

    def _send_datagram(self, source: str, data: bytes, hop: Hop) -> None:
        weather, rng = self.weather, self.rng
        copies = 2 if weather.duplication and rng.random() < weather.duplication else 1
        for _ in range(copies):
            if weather.loss and rng.random() < weather.loss:
                continue
            delay = weather.delay + (rng.random() * weather.jitter if weather.jitter else 0.0)
            arriving = data if self.mangle is None else self.mangle(data)
            self._fly(self.now + delay, hop.host, Hop("udp", source, 5060), arriving)

    def _send_on_stream(self, source: str, data: bytes, hop: Hop) -> None:
        first, second = sorted((source, hop.host))
        stream = self._streams.get((hop.transport, first, second))
        if stream is None:
            self._connections += 2
            stream = _Stream({first: self._connections - 1, second: self._connections})
            self._streams[(hop.transport, first, second)] = stream
        stream.arrival = max(stream.arrival, self.now + self.weather.delay)
        origin = Hop(hop.transport, source, 5060, stream.ends[hop.host])
        self._fly(stream.arrival, hop.host, origin, data)

    def _fly(self, at: float, host: str, origin: Hop, data: bytes) -> None:
        self._count += 1
        heappush(self._flying, (at, self._count, host, origin, data))

    def _deliver(self, node: Node, origin: Hop, data: bytes) -> None:
        if origin.transport == "udp":
            node.agent.receive(data, origin, self.now)
            return
        key = (origin.transport, *sorted((origin.host, node.host)))
        framer = self._streams[key].framers.setdefault(node.host, Framer())
        for message in framer.feed(data):
            assert not isinstance(message, MalformedMessage), message
            node.agent.receive_parsed(message, origin, self.now)

    def said(self, source: Node | None = None, since: int = 0) -> list[str]:
        """What was sent (by one node), in order: `INVITE`, `180 INVITE`, …"""
        return [seen.what for seen in self.trace[since:] if source is None or seen.source == source.host]


def pair(seed: int = 1, weather: Weather | None = None, **settings: Any) -> tuple[Network, Node, Node]:
    """A network with a caller at 10.0.0.1 and a callee at 10.0.0.2."""
    network = Network(seed, weather)
    return network, network.add("10.0.0.1", **settings), network.add("10.0.0.2", **settings)


def connect(network: Network, caller: Node, callee: Node, **options: Any) -> tuple[Session, Session]:
    """A call set up and answered; both sessions."""
    from sip.events import IncomingCall

    ours = caller.call(callee, **options)
    network.run(0.1)
    theirs: Session = callee.last(IncomingCall).session
    theirs.answer(b"v=0 answer", now=network.now)
    network.run(0.2)
    assert (ours.state, theirs.state) == ("connected", "connected"), (ours, theirs)
    return ours, theirs


def drained(counts: dict[str, int]) -> bool:
    """Whether all tables are empty."""
    return not any(counts.values())
