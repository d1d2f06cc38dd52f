"""A crowd of phones that do everything at random, at every moment: what properties and soaks are made of."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from sip.events import (
    Answered,
    Cancelled,
    Ended,
    IncomingCall,
    Provisional,
    Reason,
    Referred,
    Rejected,
    Reoffered,
)
from sip.session import Session
from tests.sip.network import Network, Node, Weather

LAST = (Rejected, Cancelled, Ended)
TRANSPORTS = ("udp", "udp", "udp", "tcp", "tls")
HEADERS: tuple[list[tuple[str, str]], ...] = ([], [], [("Require", "100rel")], [("Privacy", "id")])


class Crowd:
    """Phones on one network. `check` raises AssertionError as soon as an event breaks the promise of.

    `sip.events`.
    """

    def __init__(self, seed: int, weather: Weather, phones: int = 3, **settings: Any) -> None:
        self.rng = Random(seed)
        self.network = Network(seed, weather)
        self.network.keep_trace = False
        settings.setdefault("session_expires", 120)
        settings.setdefault("max_ringing", 100.0)
        self.nodes = [
            self.network.add(
                f"10.0.0.{number + 1}",
                prefer_update=bool(number % 2),
                we_refresh=bool(number % 3),
                **settings,
            )
            for number in range(phones)
        ]
        self.live: dict[Node, set[Session]] = {node: set() for node in self.nodes}
        self.over: set[Session] = set()
        self.told: Counter[str] = Counter()
        for node in self.nodes:
            node.on_event = lambda event, node=node: self._on_event(node, event)

    # ----------------------------------------------------------------------------------------- their owners

    def _on_event(self, node: Node, event: Any) -> None:
        node.log.clear()
        self.told[type(event).__name__] += 1
        session = getattr(event, "session", None)
        if session is None:
            return
        assert session not in self.over, f"{event} after the last word about {session}"
        if isinstance(event, LAST):
            self.over.add(session)
            self.live[node].discard(session)
            return
        self.live[node].add(session)
        self._react(session, event)

    def _react(self, session: Session, event: Any) -> None:
        rng, now = self.rng, self.network.now
        if isinstance(event, IncomingCall) and rng.random() < 0.5:
            self._treat(session)
        elif isinstance(event, Answered | Provisional) and event.sdp and event.sdp.endswith(b"offers"):
            if session.state == "answer due" or isinstance(event, Provisional):
                session.acknowledge(b"v=0 caller answers", now=now)
        elif isinstance(event, Reoffered) and rng.random() < 0.9:
            if rng.random() < 0.8:
                session.accept(b"v=0 accepts %d" % rng.randrange(5), now=now)
            else:
                session.refuse(488, now=now)
        elif isinstance(event, Referred):
            if rng.random() < 0.7:
                session.accept_refer(now=now)
            elif rng.random() < 0.7:
                session.refuse_refer(603, now=now)

    # -------------------------------------------------------------------------------------------- at random

    def act(self) -> None:
        """Somebody does something."""
        rng = self.rng
        node = rng.choice(self.nodes)
        sessions = sorted(self.live[node], key=lambda session: session.id)
        if not sessions or (rng.random() < 0.3 and len(sessions) < 8):
            self._call(node)
        else:
            self._treat(rng.choice(sessions))
        self.network.flush_all()

    def hang_up_all(self) -> None:
        """The day is over."""
        for sessions in list(self.live.values()):
            for session in sorted(sessions, key=lambda session: session.id):
                session.hangup(now=self.network.now)
        self.network.flush_all()

    def _call(self, node: Node) -> None:
        rng = self.rng
        other = rng.choice([each for each in self.nodes if each is not node])
        offer = b"v=0 caller %d" % rng.randrange(5) if rng.random() < 0.8 else None
        session = node.call(
            other,
            offer,
            rng.choice(TRANSPORTS),
            headers=rng.choice(HEADERS),
            ring_timeout=rng.choice([5.0, 60.0]),
        )
        if session.state != "ended":
            self.live[node].add(session)

    def _treat(self, session: Session) -> None:
        if session.over:
            return
        if session.state in ("offered", "ringing"):
            self._pick_up(session)
        else:
            self._talk(session)

    def _pick_up(self, session: Session) -> None:
        rng, now = self.rng, self.network.now
        assert session.dialog is not None
        asked = session.dialog.offer.state == "asked" or session.dialog.offer.agreed
        sdp = b"v=0 callee answers" if asked else b"v=0 callee offers"
        choice = rng.randrange(8)
        if choice == 0:
            session.ring(now=now)
        elif choice == 1:
            session.progress(sdp, reliable=rng.choice([None, True, False]), now=now)
        elif choice == 2:
            session.ring(sdp, reliable=True, now=now)
        elif choice == 3:
            session.reject(rng.choice([404, 480, 486, 600]), now=now)
        elif choice == 4:
            session.hangup(now=now)
        else:
            session.answer(sdp, now=now)

    def _talk(self, session: Session) -> None:
        rng, now = self.rng, self.network.now
        choice = rng.randrange(10)
        if choice < 3:
            session.reoffer(b"v=0 offers %d" % rng.randrange(5), now=now)
        elif choice == 3:
            session.reoffer(None, now=now)
        elif choice == 4 and session.dialog is not None:
            session.info_dtmf(rng.choice("0123456789*#"), now=now)
        elif choice == 5 and session.state == "connected":
            others = [each for each in self.live[self._node_of(session)] if each is not session]
            replaces = rng.choice(sorted(others, key=lambda each: each.id)) if others else None
            session.refer(rng.choice(self.nodes).uri, replaces, now=now)
        elif choice == 6:
            session.notify_refer(rng.choice([180, 200, 486]), now=now)
        elif choice == 7:
            session.hangup(Reason("Q.850", 16), now=now)

    def _node_of(self, session: Session) -> Node:
        return next(node for node in self.nodes if session in self.live[node])

    def run(self, acts: int, pause: float = 1.0) -> None:
        """So many acts, up to `pause` seconds apart."""
        for _ in range(acts):
            self.act()
            self.network.run(self.rng.random() * pause)
