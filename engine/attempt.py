"""One attempt to reach somebody: every contact rings at once, the first to answer has the call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.description import Description, PhoneDescription
from engine.encryption import BROWSERS, IN_TURN, UNSUITED, Encryption, Form, Policy, policy
from engine.events import Side
from engine.leg import Leg
from engine.signalling import PAGE
from engine.states import Trigger
from engine.timers import Timer
from routing.agent import AgentEvent, IllegalTransition
from routing.number import AgentTarget, UriTarget
from sip.errors import SipError
from sip.events import Rejected
from sip.hop import WEBSOCKETS, Hop
from sip.uri import NameAddr, Uri

if TYPE_CHECKING:
    from engine.call import Call
    from engine.trunk.attempt import LineAttempt
    from sip.events import Authorised
    from sip.session import Session

Headers = Sequence[tuple[str, str]]
Aside = Callable[[Trigger, float, Any], None]
WORDS = {408: "no answer", 480: "not there", 486: "busy", 487: "called off", 600: "busy", 603: "declined"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt failed: the SIP status that stands for all contacts tried. retry_after_s: told with
    a 503, None for nothing.
    """

    status: int
    retry_after_s: float | None = None

    @property
    def word(self) -> str:
        return WORDS.get(self.status, f"failed ({self.status})")

    @property
    def refused(self) -> bool:
        """The person said no, as against not being there."""
        return self.status in (486, 600, 603)


@dataclass(frozen=True, slots=True)
class Progress:
    """The far end rings; with `early_media` it can be heard already. authorised: what its network says that
    may be heard, None where it says nothing.
    """

    leg: Leg
    status: int
    early_media: bool
    authorised: Authorised | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """One way to somebody: the request URI, where to send it, and the proxies in between (RFC 3327)."""

    uri: Uri
    hops: Sequence[Hop]
    path: Sequence[str] = ()

    @property
    def transport(self) -> str:
        """How signalling gets to whoever is there: behind proxies, how the last of them speaks to it."""
        if self.hops:
            return self.hops[0].transport
        last = NameAddr.parse(self.path[-1]).uri if self.path else self.uri
        return "tls" if last.scheme == "sips" else (last.param("transport") or "udp").lower()


@dataclass(frozen=True, slots=True)
class Ringing:
    """A contact that was invited. description: our side, as it was offered; rest: forms of description to
    try when this one is refused.
    """

    contact: Contact
    description: Description
    rest: Sequence[Form]


class Attempt:
    """Ends by firing ANSWERED (with the leg) or FAILED (with the outcome); cancelled, by neither.

    agent: who is reserved for the call. account: of ours whose phones ring, the agent's when left out; "" for
    an address elsewhere.
    """

    def __init__(
        self, call: Call, *, ring_s: float, to: Uri, agent: str = "", account: str = "", offered: bool = False
    ) -> None:
        self.call = call
        self.agent = agent
        self.account = account or agent
        self.aside: Aside | None = None  # who takes what it tells, of somebody beside the two
        self.leg = call.new_leg(Side.AGENT)
        self.leg.attempt = self
        self._to = to
        self._ring_s = ring_s
        self._offered = offered
        self._ringing: dict[Session, Ringing] = {}
        self._timer: Timer | None = None
        self._worst = 0
        self._over = False

    @classmethod
    def to_agent(cls, call: Call, name: str, ring_s: float) -> Attempt:
        """An offer that the ACD chose: the agent is reserved for it already."""
        return cls(call, ring_s=ring_s, to=call.switch.aor(name), agent=name, offered=True)

    @classmethod
    def direct(cls, call: Call, target: AgentTarget | UriTarget, number: str) -> Attempt:
        """A call to somebody, past any queue. number: as dialled."""
        ring_s = call.switch.config.sip.timers.ring_s
        if isinstance(target, AgentTarget):
            return cls(call, ring_s=ring_s, to=call.switch.aor(target.name), agent=target.name)
        uri = Uri.parse(target.uri.replace("{number}", number))
        return cls(call, ring_s=ring_s, to=uri)

    def move(self, call: Call) -> None:
        """Go on for another call: the transferor hung up while the target still rang."""
        if self.agent:
            call.switch.acd.move(self.agent, self.call.id, call.id)
        self.call = call
        call.adopt(self.leg, Side.AGENT)
        call.attempt = self

    def start(self, now: float) -> None:
        self.leg.name = self.account or str(self._to)
        self.leg.account, self.leg.agent = self.account, self.agent
        if self.agent and not self._offered and not self._occupy(now):
            return
        switch = self.call.switch
        self._timer = switch.timers.at(now + self._ring_s, self._ring_timeout)
        contacts = self.contacts(now)
        away = switch.gate is None or not switch.gate.up
        if not away and any(contact.transport in WEBSOCKETS for contact in contacts):
            self.leg.give_door()
        self.leg.open()

    def contacts(self, now: float) -> Sequence[Contact]:
        """Where the account's phones are; of nobody's, none."""
        return self.call.switch.contacts(self.account, now) if self.account else ()

    def _occupy(self, now: float) -> bool:
        """Reserve the agent; one who is in a call already is busy, so that nobody is ever in two."""
        acd = self.call.switch.acd
        try:
            if acd.calls_of(self.agent):
                raise IllegalTransition(
                    self.agent, acd.agents[self.agent].state, AgentEvent.CALL_BEGAN, "busy"
                )
            acd.begin(self.agent, self.call.id, now)
        except IllegalTransition:
            self.leg.agent = ""
            self._fail(486, now)
            return False
        return True

    def leg_opened(self, now: float) -> None:
        """The media leg has its port: invite every contact."""
        if self.account:
            self._invite(self.contacts(now), now)
        else:
            self.call.switch.resolver.resolve(
                self._to, now, lambda hops: self._invite([Contact(self._to, hops)] if hops else [], now)
            )

    def _invite(self, contacts: Sequence[Contact], now: float) -> None:
        if self._over:
            return
        if not contacts:
            self._fail(480, now)
            return
        for contact in contacts:
            self._ring(contact, self._forms(contact), now)

    def _forms(self, contact: Contact) -> Sequence[Form]:
        """How it is described to, in turn: over a WebSocket is a browser, or a phone that says it is none."""
        forms = IN_TURN[self._policy(contact)]
        browser = self.leg.door is not None and contact.transport in WEBSOCKETS
        return (BROWSERS, *forms) if browser else forms

    def _ring(self, contact: Contact, forms: Sequence[Form], now: float) -> None:
        """Invite one contact with keys of its own, that no other phone of the account knows."""
        switch, leg, customer = self.call.switch, self.leg, self.call.customer
        media = switch.config.media
        form, *rest = forms
        if form is BROWSERS:
            leg.description = leg.described_to_browsers()
        else:
            encryption = Encryption(self._policy(contact), media.srtp_suites, switch.rng)
            encryption.form = form
            leg.description = PhoneDescription(switch.media.capabilities, encryption)
        body = leg.offer(customer.codec, customer.pauses) if customer else leg.offer()
        session = self._send(contact, body, now)
        self._ringing[session] = Ringing(contact, leg.description, rest)

    def _policy(self, contact: Contact) -> Policy:
        return policy(self.call.switch.config.media.srtp, contact.transport)

    def _send(self, contact: Contact, offer: bytes, now: float, headers: Headers = ()) -> Session:
        from_, to = self._caller(), NameAddr("", self._to, ())
        switch = self.call.switch
        return switch.invite(self.leg, contact, from_=from_, to=to, offer=offer, headers=headers, now=now)

    def _caller(self) -> NameAddr:
        """Who calls; an agent to whom a queue's call is offered is shown which queue, too."""
        call = self.call
        shown = (call.queue.title, call.display) if self._offered and call.queue else (call.display,)
        return NameAddr(": ".join(filter(None, shown)), call.switch.aor(call.caller or "anonymous"), ())

    @property
    def ringing(self) -> list[Session]:
        """Invitations that are not answered."""
        return list(self._ringing)

    # --- what the contacts say --------------------------------------------------------------------

    def progress(self, session: Session, status: int, body: bytes | None, now: float) -> None:
        if status == 100:
            return  # nobody rings yet
        early = False
        if body and len(self._ringing) == 1 and session in self._ringing:
            try:
                self.leg.description = self._ringing[session].description
                self.leg.take_answer(body)
            except SipError:
                body = None
            else:
                self.leg.update()
                early = True
        tell(self, Trigger.PROGRESS, now, Progress(self.leg, status, early))

    def answered(self, session: Session, body: bytes | None, now: float) -> None:
        if self._over:
            session.hangup(None, now=now)
            return
        ringing = self._ringing[session]
        try:
            self.leg.description = ringing.description
            self.leg.take_answer(body or b"")
        except SipError as error:
            session.hangup(None, now=now)
            self.call.switch.forget_session(session)
            self.rejected(session, error.sip_status, now)
            return
        self._over = True
        self._stop_timer()
        for other in self._ringing:
            if other is not session:
                other.hangup(None, now=now)
        self.leg.session = session
        self.leg.connected = True
        self.leg.attempt = None
        if isinstance(self.leg.description, PhoneDescription):
            self.leg.shut_door()
        elif self.account and ringing.contact.transport in WEBSOCKETS:
            self.leg.manner = PAGE
        self.leg.update()
        tell(self, Trigger.ANSWERED, now, self.leg)

    def refused(self, event: Rejected, now: float) -> None:
        self.rejected(event.session, event.status, now)

    def rejected(self, session: Session, status: int, now: float) -> None:
        """A contact said no; after the last the most telling status stands for all (RFC 3261 16.7.6)."""
        ringing = self._ringing.pop(session, None)
        if ringing is not None and ringing.rest and status in UNSUITED and not self._over:
            self._ring(ringing.contact, ringing.rest, now)
            return
        self._worst = better(self._worst, status)
        if not self._ringing:
            self._fail(self._worst, now)

    def leg_failed(self, now: float) -> None:
        self._hang_up(now)
        self._fail(503, now)

    def _ring_timeout(self, now: float) -> None:
        self._hang_up(now)
        self._fail(408, now)

    def _fail(self, status: int, now: float) -> None:
        if not self._over:
            self._over = True
            self._stop_timer()
            self.leg.attempt = None
            self.leg.close()
            if not self._offered and self.leg.agent:
                self.call.switch.acd.release(self.agent, self.call.id, now)
            self.leg.agent = ""
            tell(self, Trigger.FAILED, now, Outcome(status))

    def cancel(self, now: float) -> None:
        """Stop ringing; nothing is fired."""
        if not self._over:
            self._over = True
            leave_aside(self)
            self._stop_timer()
            self._hang_up(now)
            self.leg.attempt = None
            self.leg.close()
            if not self._offered and self.leg.agent:
                self.call.switch.acd.release(self.agent, self.call.id, now)
            self.leg.agent = ""

    def _hang_up(self, now: float) -> None:
        for session in self._ringing:
            session.hangup(None, now=now)
        self._ringing.clear()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def tell(attempt: Attempt | LineAttempt, trigger: Trigger, now: float, what: Any) -> None:
    """Tell the attempt's call, or who takes it in place of that."""
    aside = attempt.aside
    if aside is None:
        attempt.call.fire(trigger, now, what)
        return
    if trigger is not Trigger.PROGRESS:
        leave_aside(attempt)
    aside(trigger, now, what)


def leave_aside(attempt: Attempt | LineAttempt) -> None:
    """It is over. Who took what it tells knows it, and the ring is not left to Python's collector."""
    if attempt.aside is not None:
        attempt.aside = _nobody


def _nobody(trigger: Trigger, now: float, what: Any) -> None:
    """Takes what a phone says too late."""


def better(a: int, b: int) -> int:
    """Of two final statuses the one to keep: 6xx before all, else the lowest class, 0 being none."""
    if not a or not b:
        return a or b
    return min(a, b, key=lambda status: (status < 600, status // 100, status))
