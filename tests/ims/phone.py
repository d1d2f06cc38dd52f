"""A real user agent with sockets of its own, for sipp to play a mobile network against."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from config.media import MediaSettings
from config.mobile import TELEPHONY
from engine.build import mobile_capabilities_of
from engine.trunk.invitation import OPENING
from sip import sdp
from sip.admission import Admitted, Identity, Verdict
from sip.agent import UserAgent
from sip.digest import Account
from sip.errors import MalformedMessage
from sip.events import Event, IncomingCall, Reoffered
from sip.hop import Hop
from sip.io.shell import Listener, SipShell
from sip.line import LineDown, LineLeft, LineUp, RegistrationSettings
from sip.manner import Manner
from sip.message import NameAddr, Request, Response, Uri, parse
from sip.registration import Registration
from sip.session import Session
from sip.settings import AgentSettings
from sip.timeouts import Timing
from tests.interop.sipp import Sipp
from tests.sip.subscriber import HOME

LOCAL = "127.0.0.1"
NUMBER = "+442071838750"
ACCESS = ("P-Access-Network-Info", "3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=0010100010000001")
CODECS = mobile_capabilities_of(MediaSettings(), ("AMR-WB", "AMR"))
PATIENCE = 10.0
_LOGGED = re.compile(rb"(?:UDP|TCP) message (received|sent) [\[(](\d+)[\])]? bytes\)? ?:\n\n")


def manner(**changes: Any) -> Manner:
    chosen = {
        "always": (ACCESS,),
        "opening": OPENING,
        "supported": ("100rel", "timer", "precondition"),
        "features": TELEPHONY,
        "contact": "line",
        "bandwidth": True,
    }
    return Manner(**(chosen | changes))


class Open:
    """The network is let in; nobody else can reach these sockets."""

    def admit(self, request: Request, hop: Hop, now: float) -> Verdict:
        return Admitted(Identity("line", "mobile"))


class Observed(UserAgent):
    """Says whenever anything happened that may have changed something."""

    def __init__(self, settings: AgentSettings, changed: asyncio.Event) -> None:
        super().__init__(settings, rng=Random(1), admission=Open())
        self._changed = changed

    def receive_parsed(self, message: Request | Response | MalformedMessage, hop: Hop, now: float) -> None:
        super().receive_parsed(message, hop, now)
        self._changed.set()

    def timeout(self, now: float) -> None:
        super().timeout(now)
        self._changed.set()


class Phone:
    """`async with`; all its calls go to `network`, the address of a sipp."""

    def __init__(self, **settings: Any) -> None:
        self.listeners = [Listener(transport, LOCAL, 0).open() for transport in ("udp", "tcp")]
        addresses = {each.transport: (LOCAL, each.port) for each in self.listeners}
        chosen = {"timing": Timing(t1=0.1), "session_expires": 0} | settings
        self._changed = asyncio.Event()
        self.agent = Observed(AgentSettings(addresses, **chosen), self._changed)
        self.shell = SipShell(self.agent, self.listeners, self._on_events)
        self.network = Hop("udp", LOCAL, 0)
        self.events: list[Any] = []
        self.on_call: Callable[[Session], None] | None = None

    async def __aenter__(self) -> Phone:
        await self.shell.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.shell.close()

    @property
    def address(self) -> str:
        return f"{LOCAL}:{self.listeners[0].port}"

    # ------------------------------------------------------------------------------------------ doing things

    def register(self, account: Account, **changes: Any) -> Registration:
        chosen = {
            "line": "mobile",
            "registrar": Uri.parse(f"sip:{HOME}"),
            "account": NameAddr.parse(f"<sip:{NUMBER}@{HOME}>"),
            "contact": lambda hop: self.agent.contact("line", hop),
            "credentials": account,
            "expires": 600_000,
            "manner": Manner(always=(ACCESS,), features=TELEPHONY),
            "home": HOME,
            "first_back_off": 0.1,
        } | changes
        registration = self.agent.register(
            RegistrationSettings(**chosen), (self.network,), now=time.monotonic()
        )
        self.shell.flush()
        return registration

    def call(self, called: str = "tel:+34910601234", **changes: Any) -> Session:
        offer = sdp.make_offer(CODECS, address=LOCAL, port=40_000)
        chosen = {
            "from_": NameAddr.parse(f"<sip:{NUMBER}@{HOME}>"),
            "to": NameAddr("", Uri.parse(called)),
            "offer": offer.encode(),
            "headers": [("P-Preferred-Identity", f"<sip:{NUMBER}@{HOME}>")],
            "manner": manner(),
        } | changes
        hops = (chosen.pop("hop", self.network),)
        session = self.agent.invite(Uri.parse(called), hops, now=time.monotonic(), **chosen)
        self.shell.flush()
        return session

    def do(self, action: Callable[..., object], *arguments: object) -> None:
        """Ask something of a session."""
        action(*arguments, now=time.monotonic())
        self.shell.flush()

    def answer_to(self, offer: bytes) -> bytes:
        """Our description, as the engine would make it."""
        read = sdp.parse(offer)
        chosen = sdp.choose(read, CODECS)
        return sdp.make_answer(read, chosen, address=LOCAL, port=40_000).encode()

    # ---------------------------------------------------------------------------------------- being told

    async def told(self, kind: type[Any], count: int = 1) -> Any:
        """The `count`th event of a kind, once it is there."""
        await self.until(lambda: len(self.every(kind)) >= count)
        return self.every(kind)[count - 1]

    async def answered(self, method: str) -> None:
        """A request of the network has been answered."""
        await self.until(lambda: ("in", method) in self.agent.messages())

    async def over(self) -> None:
        """No call is left."""
        await self.until(lambda: not self.agent.sessions())

    async def until(self, holds: Callable[[], object]) -> None:
        """Something holds, after whatever message or timer it was."""
        async with asyncio.timeout(PATIENCE):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    def every(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def _on_events(self, events: list[Event | LineUp | LineDown | LineLeft]) -> None:
        self.events += events
        for event in events:
            if isinstance(event, Reoffered) and event.sdp is not None:
                event.session.accept(self.answer_to(event.sdp), now=time.monotonic())
            elif isinstance(event, IncomingCall) and self.on_call is not None:
                self.on_call(event.session)


class Wire:
    """What went over it between a phone and a sipp, as sipp saw it."""

    def __init__(self, log: bytes) -> None:
        self.messages: list[tuple[bool, Request | Response]] = []
        for found in _LOGGED.finditer(log):
            data = log[found.end() : found.end() + int(found[2])]
            self.messages.append((found[1] == b"received", _read(data)))

    @property
    def ours(self) -> list[Request | Response]:
        """What the phone sent."""
        return [message for from_us, message in self.messages if from_us]

    def requests(self, method: str = "") -> list[Request]:
        """Of the phone; retransmissions left out."""
        found: dict[str | None, Request] = {}
        for message in self.ours:
            if isinstance(message, Request) and method in ("", message.method):
                found.setdefault(f"{message.method} {message.top_via.branch}", message)
        return list(found.values())

    def responses(self, status: int, method: str) -> list[Response]:
        """Of the phone."""
        every = (message for message in self.ours if isinstance(message, Response))
        return [each for each in every if (each.status, each.cseq[1]) == (status, method)]

    def order(self) -> list[str]:
        """What happened, both ways, retransmissions left out: `INVITE`, `183 INVITE`…"""
        seen: dict[str, str] = {}
        for _, message in self.messages:
            word = message.method if isinstance(message, Request) else f"{message.status} {message.cseq[1]}"
            seen.setdefault(f"{word} {message.cseq[0]}", word)
        return list(seen.values())


def _read(data: bytes) -> Request | Response:
    message = parse(data)
    assert isinstance(message, Request | Response)
    return message


Story = Callable[[Phone], Awaitable[None]]


async def played(sipp: Callable[[str], Sipp], story: Story, called: bool, **settings: Any) -> Wire:
    """One story against one sipp, to the end of both. called: sipp calls the phone."""
    async with Phone(**settings) as phone:
        begun: asyncio.Task[None] | None = None
        if called:
            begun = asyncio.ensure_future(_told(story, phone))
            await asyncio.sleep(0)
        with sipp(phone.address) as network:
            phone.network = Hop("tcp" if "t1" in network.command else "udp", LOCAL, network.port)
            await (begun or story(phone))
            await asyncio.to_thread(network.process.wait, PATIENCE)
        assert phone.shell.counts().get("faults", 0) == 0
        return Wire((network.folder / "messages.log").read_bytes())


async def _told(story: Story, phone: Phone) -> None:
    await story(phone)
