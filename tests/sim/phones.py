"""Simulated phones: real SIP user agents with seeded people behind them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from sip import events
from sip.admission import Admitted, Identity, Verdict
from sip.agent import UserAgent
from sip.digest import Credentials
from sip.hop import Hop
from sip.manner import PLAIN, Manner
from sip.message import Request
from sip.session import Session
from sip.settings import AgentSettings
from sip.uri import NameAddr, Uri
from tests.sim.house import ADDRESS, DOMAIN
from tests.sim.world import Host, World

HOUSE = Hop("udp", ADDRESS, 5060)


def sdp(address: str, port: int, direction: str = "sendrecv", version: int = 1) -> bytes:
    return (
        f"v=0\r\no=- 1 {version} IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
    ).encode()


class OpenDoor:
    """A phone takes calls from anybody."""

    def admit(self, request: Request, hop: Hop, now: float) -> Verdict:
        return Admitted(Identity("anonymous"))


class Phone:
    """One user agent at one address; remembers its live sessions, does what a person would with them."""

    def __init__(self, world: World, address: str, rng: Random) -> None:
        self.world = world
        self.rng = rng
        self.address = address
        self.agent = UserAgent(
            AgentSettings(addresses={"udp": (address, 5060)}), rng=rng, admission=OpenDoor()
        )
        self.host = Host(world, address, 5060, self.agent)
        self.host.on_event = self.happened
        self.live: dict[int, Session] = {}
        self.house = HOUSE  # where it calls and registers
        self.version = 1

    def sdp(self, direction: str = "sendrecv") -> bytes:
        self.version += 1
        return sdp(self.address, 4000, direction, self.version)

    def call(
        self,
        number: str,
        user: str,
        credentials: Credentials | None = None,
        *,
        offer: bool = True,
        headers: Sequence[tuple[str, str]] = (),
        manner: Manner = PLAIN,
    ) -> Session:
        uri = Uri.parse(f"sip:{number}@{DOMAIN}")
        session = self.agent.invite(
            uri,
            [self.house],
            from_=NameAddr.parse(f"<sip:{user}@{DOMAIN}>"),
            to=NameAddr.parse(f"<{uri}>"),
            offer=self.sdp() if offer else None,
            credentials=credentials,
            headers=headers,
            manner=manner,
            now=self.world.now,
        )
        self.live[session.id] = session
        self.host.pump()
        return session

    def later(self, delay: float, session: Session, act: Callable[[Session], None]) -> None:
        """Do something with the session in a while, if it still lives then."""

        def go() -> None:
            if self.host.up and session.id in self.live:
                act(session)
                self.host.pump()

        self.world.after(delay, go)

    def happened(self, event: object) -> None:
        now = self.world.now
        match event:
            case events.IncomingCall(session=session):
                self.live[session.id] = session
                self.rung(event)
            case events.Answered(session=session):
                if session.state == "answer due":
                    session.acknowledge(self.sdp(), now=now)
                self.connected(session)
            case events.Reoffered(session=session):
                session.accept(self.sdp(), now=now)
            case events.Rejected(session=session) | events.Cancelled(session=session):
                self.live.pop(session.id, None)
            case events.Ended(session=session):
                self.live.pop(session.id, None)
                self.ended(session)
            case events.Referred(session=session):
                session.refuse_refer(603, now=now)

    def rung(self, event: events.IncomingCall) -> None:
        event.session.reject(486, now=self.world.now)

    def connected(self, session: Session) -> None:
        """The phone's own call was answered."""

    def ended(self, session: Session) -> None:
        """A call that was answered is over."""

    def hang_up(self, session: Session) -> None:
        session.hangup(None, now=self.world.now)

    def hold_for(self, seconds: float) -> Callable[[Session], None]:
        def act(session: Session) -> None:
            session.reoffer(self.sdp("sendonly"), now=self.world.now)
            self.later(seconds, session, lambda s: s.reoffer(self.sdp(), now=self.world.now))

        return act


class Customer(Phone):
    """Calls once, through a carrier's line, and hangs up whenever the seed says: in any state."""

    VANISHING = 0.02  # the share of those who are connected whose battery will be empty
    NUMBERS = ("+4930100", "+4930100", "+4930100", "+4930200", "+4930200", "+4930300", "+4930999")

    def begin(self) -> None:
        rng = self.rng
        session = self.call(rng.choice(self.NUMBERS), "+491701234", offer=rng.random() > 0.1)
        patience = rng.choice((rng.uniform(0, 0.2), rng.uniform(0, 3), rng.expovariate(1 / 25), 300.0))
        self.later(patience, session, self.hang_up)

    def connected(self, session: Session) -> None:
        rng = self.rng
        if rng.random() < 0.05:
            self.later(rng.uniform(0.5, 20), session, lambda s: s.info_dtmf("*", now=self.world.now))
        if rng.random() < 0.1:
            self.later(rng.uniform(0, 30), session, self.hold_for(rng.uniform(0, 8)))
        if rng.random() < self.VANISHING:
            self.later(rng.uniform(0, 30), session, self.vanish)

    def vanish(self, session: Session) -> None:
        """The battery is empty: nothing more is heard of this phone."""
        self.host.up = False
        self.live.clear()


class AgentPhone(Phone):
    """An agent's registered phone: answers, misses, refuses, holds, transfers, pauses and comes back."""

    TALK_S = 25.0  # how long on average

    def __init__(self, world: World, address: str, rng: Random, name: str, colleagues: list[str]) -> None:
        super().__init__(world, address, rng)
        self.name = name
        self.colleagues = [each for each in colleagues if each != name]
        self.credentials = Credentials(name, f"secret of {name}")
        self.consulting: dict[int, Session] = {}

    def register(self) -> None:
        aor = Uri.parse(f"sip:{self.name}@{DOMAIN}")
        us = NameAddr("", aor)
        self.agent.request(
            "REGISTER", Uri.parse(f"sip:{DOMAIN}"), [self.house], from_=us, to=us, final=lambda *_: None,
            headers=[("Contact", f"<sip:{self.name}@{self.address}:5060>"), ("Expires", "3600")],
            credentials=self.credentials, now=self.world.now,
        )  # fmt: skip
        self.host.pump()

    def rung(self, event: events.IncomingCall) -> None:
        now, rng, session = self.world.now, self.rng, event.session
        mood = rng.random()
        if mood < 0.03:
            session.reject(486, now=now)
        elif mood < 0.06:
            session.reject(603, now=now)
        else:
            session.ring(now=now)
            if mood > 0.12:
                self.later(rng.uniform(0.2, 6), session, self.pick_up)

    def pick_up(self, session: Session) -> None:
        rng = self.rng
        session.answer(self.sdp(), now=self.world.now)
        self.later(rng.expovariate(1 / self.TALK_S), session, self.hang_up)
        mood = rng.random()
        if mood < 0.15:
            self.later(rng.uniform(0, 10), session, self.hold_for(rng.uniform(0, 10)))
        elif mood < 0.25:
            self.later(rng.uniform(1, 10), session, self.transfer)
        elif mood < 0.33:
            self.later(rng.uniform(1, 10), session, self.consult)

    def transfer(self, session: Session) -> None:
        target = self.rng.choice((*self.colleagues[:3], "+4930200", "+4930300", "+4930999"))
        session.refer(Uri.parse(f"sip:{target}@{DOMAIN}"), now=self.world.now)
        if self.rng.random() < 0.5:
            self.later(self.rng.uniform(0, 1), session, self.hang_up)

    def consult(self, session: Session) -> None:
        """Hold, call a colleague, and join the two, sometimes before the colleague has answered."""
        session.reoffer(self.sdp("sendonly"), now=self.world.now)
        other = self.call(self.rng.choice(self.colleagues), self.name, self.credentials)
        self.later(self.rng.uniform(1, 20), other, self.hang_up)
        self.consulting[other.id] = session
        self.later(self.rng.uniform(0.1, 9), other, self.join)

    def join(self, other: Session) -> None:
        session = self.consulting.pop(other.id, None)
        if session is not None and session.id in self.live and other.state == "connected":
            session.refer(other.remote.uri, replaces=other, now=self.world.now)

    def break_time(self) -> None:
        """Dial a feature code now and then."""
        if not self.live:
            code = self.rng.choice(("*45", "*47", "*48", "*48", "*49"))
            self.later(20, self.call(code, self.name, self.credentials), self.hang_up)
        self.world.after(self.rng.uniform(20, 200), self.break_time)


class Desk(Phone):
    """A phone outside of the house that a number leads to."""

    def rung(self, event: events.IncomingCall) -> None:
        event.session.ring(now=self.world.now)
        if self.rng.random() < 0.8:
            self.later(self.rng.uniform(0, 5), event.session, self.pick_up)

    def pick_up(self, session: Session) -> None:
        session.answer(self.sdp(), now=self.world.now)
        self.later(self.rng.expovariate(1 / 20), session, self.hang_up)
