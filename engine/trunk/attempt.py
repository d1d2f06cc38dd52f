"""One attempt to reach a number over lines: one line after the other, as `routing.failover` says.

Within a line its addresses are tried in turn while nothing was heard of the call: one that is silent or out
of reach has no say in what becomes of it. To the call it is an attempt as any other (engine/attempt.py).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from engine import line_use
from engine.attempt import Aside, Progress, leave_aside, tell
from engine.attempt import Outcome as Failure
from engine.description import PhoneDescription
from engine.early_sound import sign
from engine.encryption import IN_TURN, UNSUITED, Encryption, Form, Policy, policy
from engine.events import Side
from engine.line_events import LineChosen, LineUnreached
from engine.states import Trigger
from engine.timers import Timer
from engine.trunk import muteness
from engine.trunk.group import TrunkGroup, Way
from engine.trunk.inviting import invite
from routing.dial import Address
from routing.failover import Attempt, End, Heard, Outcome, Pause, Result, Steps, Tried, rings
from routing.health import Event
from routing.identity import Caller
from routing.surge import TooMany
from sip.errors import SipError
from sip.events import Rejected
from sip.reason import Reason

if TYPE_CHECKING:
    from engine.call import Call
    from sip.session import Session


class LineAttempt:
    """Ends by firing ANSWERED (with the leg) or FAILED (with the outcome); cancelled, by neither.

    number: E.164, or as dialled. lines: those that may be used, all when empty; avoid: those that may not.
    caller: who calls, the call's own when None.
    """

    agent = ""  # nobody's of ours

    def __init__(
        self,
        call: Call,
        number: str,
        lines: Sequence[str] = (),
        avoid: frozenset[str] = frozenset(),
        caller: Caller | None = None,
    ) -> None:
        self.call = call
        self.number = number
        self.aside: Aside | None = None  # as engine.attempt.Attempt has it
        self.leg = call.new_leg(Side.AGENT)
        self.leg.attempt, self.leg.lines = self, lines
        self.leg.patience_s = self._trunks.patience_s("", back=False)
        self._avoid, self._caller = avoid, caller
        self._steps: Steps | None = None
        self._step: Attempt | None = None
        self._ways: deque[Way] = deque()
        self._way: Way | None = None
        self._forms: deque[Form] = deque()
        self._session: Session | None = None
        self._sent_at = self._until = 0.0
        self._heard = Heard.NOTHING
        self._rang_at: float | None = None
        self._timer: Timer | None = None
        self._over = False

    @property
    def _trunks(self) -> TrunkGroup:
        return self.call.switch.trunks

    def move(self, call: Call) -> None:
        """Go on for another call: the transferor hung up while the target still rang."""
        self.call = call
        call.adopt(self.leg, Side.AGENT)
        call.attempt = self

    def start(self, now: float) -> None:
        self.leg.name = self.number
        self.leg.open()

    def leg_opened(self, now: float) -> None:
        """The media leg has its port: choose a line."""
        if self._over:
            return
        switch, trunks = self.call.switch, self._trunks
        demand = trunks.demand(self.call, self.number, self.leg.lines, self._avoid)
        self._steps = trunks.exchange.call(demand, now, switch.wall(now), self._tried)
        self._go(None, now)

    # --- as the generator says ----------------------------------------------------------------------

    def _go(self, outcome: Outcome | None, now: float) -> None:
        """Tell what became of the last step, and take the next."""
        assert self._steps is not None
        self._trunks.trying.discard(self)
        self._stop_timer()
        try:
            step = next(self._steps) if outcome is None else self._steps.send(outcome)
        except StopIteration as over:
            self._concluded(over.value, now)
            return
        if isinstance(step, Pause):
            self._pause(step, now)
        else:
            self._trunks.go(self)
            self._call(step, now)

    def _call(self, step: Attempt, now: float) -> None:
        """Send the call over a line."""
        trunks = self._trunks
        self._step, self._heard, self._rang_at = step, Heard.NOTHING, None
        self._until = now + step.progress_s
        self._ways = deque(trunks.ways(step.line))
        trunks.exchange.began(step.line, now)
        self.leg.line = step.line
        self.call.note(LineChosen, now, line=step.line, target=step.number, serial=step.serial, why=step.why)
        if not self._ways:
            self._unreached(step.line, now)
        self._next_way(End.UNREACHABLE, now)

    def _unreached(self, line: str, now: float) -> None:
        cause, what = self._trunks.missing(line)
        self.call.note(LineUnreached, now, line=line, cause=cause, what=what)

    def _next_way(self, end: End, now: float) -> None:
        """Try the line's next address; `end` is what became of the last where there is none, or no time."""
        assert self._step is not None
        self._stop_timer()
        self._trunks.trying.discard(self)
        if not self._ways or now >= self._until:
            self._ended(Outcome(now, end, self._heard), now)
            return
        self._way = self._ways.popleft()
        wanted = policy(self._trunks.exchange.terms(self._step.line).srtp, self._way.hop.transport)
        self._forms = deque(IN_TURN[wanted])
        self._invite(now)

    def _invite(self, now: float) -> None:
        """Invite over the address with the next form of description."""
        assert self._step is not None and self._way is not None
        call, step, way = self.call, self._step, self._way
        srtp = self._trunks.exchange.terms(step.line).srtp
        offer = self._offer(step.line, policy(srtp, way.hop.transport))
        self._session = invite(call, self.number, step, way, offer, self._caller, now)
        call.switch.bind(self._session, self.leg)
        self._sent_at, self._heard = now, Heard.NOTHING  # of this INVITE: those before got nowhere
        self._arm(min(step.no_100_s, self._until - now), self._silent, now)

    def _offer(self, line: str, wanted: Policy) -> bytes:
        switch, customer = self.call.switch, self.call.customer
        encryption = Encryption(wanted, switch.config.media.srtp_suites, switch.rng)
        encryption.form = self._forms.popleft()
        self.leg.description = PhoneDescription(self._trunks.capabilities(line), encryption)
        return self.leg.offer(customer.codec, customer.pauses) if customer else self.leg.offer()

    @property
    def ringing(self) -> list[Session]:
        """Its invitation that is not answered."""
        return [self._session] if self._session is not None else []

    # --- what the line says -------------------------------------------------------------------------

    def progress(self, session: Session, status: int, body: bytes | None, now: float) -> None:
        if session is not self._session or self._step is None:
            return
        self._speaks(now)
        early = body is not None and self._take(body)
        self._further(sign(status, self.leg.description.agreed, session.early_media), now)
        if status > 100:
            tell(self, Trigger.PROGRESS, now, Progress(self.leg, status, early, session.early_media))

    def _speaks(self, now: float) -> None:
        """The first answer to this INVITE: the address is there, and so quick."""
        if self._way is not None and self._heard is Heard.NOTHING:
            assert self._step is not None
            took = now - self._sent_at
            self._trunks.heard(self._step.line, self._way.address, Event.HEARD, now, rtt_s=took)

    def tries(self, line: str, address: Address) -> bool:
        """Whether it waits for an address to get any further."""
        way, step = self._way, self._step
        return step is not None and way is not None and step.line == line and way.address == address

    def deserted(self, now: float) -> None:
        """The address that took it is dead: nobody will ring."""
        if self._heard < Heard.EARLY_MEDIA and not self._over:
            self._stalled(now)

    def _further(self, said: Heard, now: float) -> None:
        """Wait on for as long as what it says is worth."""
        assert self._step is not None
        step, before = self._step, self._heard
        self._heard = max(before, said)
        manner = self._trunks.exchange.manner(step.line)
        if self._rang_at is None and rings(self._heard, manner):
            self._rang_at = now
        if self._heard >= Heard.EARLY_MEDIA > before:
            self._trunks.trying.discard(self)
            self._arm(step.ring_s, self._rung_out, now)
        elif before is Heard.NOTHING and self._heard < Heard.EARLY_MEDIA:
            self._trunks.trying.add(self)
            self._arm(max(0.0, self._until - now), self._stalled, now)

    def _take(self, body: bytes) -> bool:
        """Hear what it sends before the answer; what cannot be read is not heard."""
        try:
            self.leg.take_answer(body)
        except SipError:
            return False
        self.leg.update()
        return True

    def answered(self, session: Session, body: bytes | None, now: float) -> None:
        if self._over or session is not self._session:
            session.hangup(None, now=now)
            return
        self._speaks(now)
        try:
            self.leg.take_answer(body or b"")
        except SipError as error:
            session.hangup(None, now=now)
            self._refused(error.sip_status, now)
            return
        self._heard = Heard.ANSWERED
        rang = self._rang_at if self._rang_at is not None else now
        self._go(Outcome(now, End.ANSWERED, Heard.ANSWERED, 200, rang_at=rang), now)

    def refused(self, event: Rejected, now: float) -> None:
        """A final response, or that none will come."""
        if event.session is not self._session or self._step is None or self._way is None:
            return
        self._session = None
        line, address = self._step.line, self._way.address
        if event.cause == "transport":
            self._trunks.heard(line, address, Event.BROKEN, now)
            self._next_way(End.UNREACHABLE, now)
        elif event.cause == "timeout":
            self._trunks.heard(line, address, Event.MISSED, now)
            self._next_way(End.SILENT, now)
        elif event.cause == "ringing":
            self._ended(Outcome(now, End.NO_ANSWER, self._heard, rang_at=self._rang_at), now)
        else:
            self._speaks(now)
            self._refused(event.status, now, event)

    def _refused(self, status: int, now: float, event: Rejected | None = None) -> None:
        nowhere = self._heard < Heard.PROGRESS and now < self._until
        if nowhere and status in UNSUITED and self._forms:
            self._trunks.trying.discard(self)
            self._invite(now)
            return
        if nowhere and status == 503 and self._ways:
            self._next_way(End.UNREACHABLE, now)  # RFC 3263 section 4.3
            return
        why = Reason.parse(event.why) if event and event.why else None
        outcome = Outcome(
            now,
            End.REFUSED,
            self._heard,
            status,
            cause=why.cause if why is not None and why.protocol == "Q.850" else 0,
            contacts=self._numbers(event),
            rang_at=self._rang_at,
            retry_after_s=event.retry_after if event else None,
        )
        self._ended(outcome, now)

    def _numbers(self, event: Rejected | None) -> tuple[str, ...]:
        """Where a redirection points, as numbers; what is none is nowhere for a line."""
        if event is None or self._step is None:
            return ()
        style = self._trunks.exchange.terms(self._step.line).incoming
        users = (uri.user_text for uri in event.contacts if uri.scheme in ("sip", "sips", "tel"))
        return tuple(style.incoming(user) for user in users if user.lstrip("+").isdecimal())

    # --- what time brings ---------------------------------------------------------------------------

    def _silent(self, now: float) -> None:
        """Not even 100: the next address, or line. Whoever hears of the call later is not to ring."""
        assert self._step is not None and self._way is not None
        self._trunks.heard(self._step.line, self._way.address, Event.MISSED, now)
        self._abandon(now)
        self._next_way(End.SILENT, now)

    def _stalled(self, now: float) -> None:
        self._abandon(now)
        self._ended(Outcome(now, End.STALLED, self._heard), now)

    def _rung_out(self, now: float) -> None:
        self._abandon(now)
        self._ended(Outcome(now, End.NO_ANSWER, self._heard, rang_at=self._rang_at), now)

    def _pause(self, step: Pause, now: float) -> None:
        """Every line that takes the call is full: wait in turn, for a while."""
        try:
            until = self._trunks.wait(self, now)
        except TooMany as full:
            refusal = Outcome(now, End.REFUSED, status=503, retry_after_s=full.retry_after_s)
            self._go(refusal, now)
            return
        self._arm(max(0.0, min(step.seconds, until - now)), self.room, now)

    def room(self, now: float) -> None:
        """There may be room now."""
        self._go(Outcome(now), now)

    # --- the end ------------------------------------------------------------------------------------

    def _ended(self, outcome: Outcome, now: float) -> None:
        """The line did not carry the call."""
        self._stop_timer()
        self._session, self._step = None, None
        self.leg.leave_line()
        self._go(outcome, now)

    def _concluded(self, result: Result, now: float) -> None:
        self._trunks.go(self)
        if self._over:
            return
        self._over = True
        self._stop_timer()
        self.leg.attempt = None
        if result.answered:
            self.leg.session, self.leg.connected = self._session, True
            self.leg.update()
            tell(self, Trigger.ANSWERED, now, self.leg)
        else:
            if not result.tried and result.status == 503:
                for line in self.leg.lines or [each.name for each in self._trunks.lines]:
                    if not self._trunks.fit(line):
                        self._unreached(line, now)
            self.leg.close()
            tell(self, Trigger.FAILED, now, Failure(result.status, result.retry_after_s))

    def leg_failed(self, now: float) -> None:
        self._give_up(now)
        tell(self, Trigger.FAILED, now, Failure(503))

    def cancel(self, now: float) -> None:
        """Stop calling; nothing is fired."""
        if not self._over:
            leave_aside(self)
            self._give_up(now)
            self.leg.close()

    def _give_up(self, now: float) -> None:
        self._over = True
        self._stop_timer()
        self._hang_up(now)
        self.leg.attempt = None
        if self._steps is not None:
            self._go(Outcome(now, End.GIVEN_UP, self._heard, rang_at=self._rang_at), now)
        self.leg.leave_line()

    def _hang_up(self, now: float) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.hangup(None, now=now)

    def _abandon(self, now: float) -> None:
        session, self._session = self._session, None
        if session is not None:
            self.call.switch.forget_session(session)
            session.abandon(now=now)

    def _tried(self, tried: Tried) -> None:
        """One line is done with; of one that carries the call, the rest is known at its end."""
        if tried.heard is Heard.ANSWERED:
            self.leg.carried = tried
            muteness.begin(self.leg, tried.ended)
        else:
            line_use.failed(self.call, tried, tried.ended)

    def _arm(self, delay: float, action: Callable[[float], None], now: float) -> None:
        self._stop_timer()
        self._timer = self.call.switch.timers.at(now + delay, action)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
