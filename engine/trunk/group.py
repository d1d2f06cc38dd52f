"""The node's lines: addresses looked up and asked after, registrations kept, channels given.

What is decided about them is decided by `routing.exchange`; here it is told what happened and made to
happen. Nothing is asked of lines that take no calls out.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import structlog

from engine import line_use
from engine.build import capabilities_of, mobile_capabilities_of
from engine.leg import NOTICED_S
from engine.line_events import LineChanged
from engine.timers import Timer
from engine.trunk import muteness
from engine.trunk.enrolment import Enrolment
from engine.trunk.invitation import manner_of
from routing import health
from routing.board import LineSpec
from routing.dial import Address, Terms
from routing.exchange import Exchange, Rules
from routing.line import Demand
from sip.digest import Account
from sip.events import OptionsAnswered
from sip.hop import Hop
from sip.manner import PLAIN, Manner
from sip.registration import LineDown, LineLeft, LineUp
from sip.sdp import CodecOffer
from sip.uri import Uri

if TYPE_CHECKING:
    from config.line import LineSettings
    from config.schema import Config
    from engine.call import Call
    from engine.leg import Leg
    from engine.switch import Switch
    from engine.trunk.attempt import LineAttempt

LOOK_UP_S = 60.0  # between two looks at the DNS; what it says is kept for as long as it says
HASTE_S = 0.02  # the least between two rounds of questions
SLOW_S = 4.0  # answers later than this say nothing about the way

log = structlog.get_logger("lines")


class Way(NamedTuple):
    """One address of a line, how it is reached, and what the configuration calls it."""

    address: Address
    hop: Hop
    called: Address


class Question(NamedTuple):
    line: str
    address: Address
    late: Timer  # when no answer is one


class TrunkGroup:
    """`start` when the network is there. All times are of the switch's clock."""

    def __init__(self, switch: Switch, rng: random.Random) -> None:
        self.switch = switch
        specs, terms, rules = _decides(switch.config)
        self.exchange = Exchange(specs, terms, rules, rng)
        self.waiting: dict[str, LineAttempt] = {}  # for room, by their legs' numbers
        self.trying: set[LineAttempt] = set()  # that a line has taken and nobody rings for
        self._hops: dict[tuple[str, Address], tuple[Hop, Address]] = {}  # and as what it was looked up
        self.marks: dict[tuple[str, int], int] = {}  # DSCP of what is sent to their addresses
        self._questions: dict[int, Question] = {}
        self.enrolment = Enrolment(self)
        self._accounts: dict[str, tuple[object, Account | None]] = {}  # each with what it was made from
        self._capabilities: dict[str, Sequence[CodecOffer]] = {}
        self._alarm: Timer | None = None
        self._look_up: Timer | None = None
        self._looking = False
        self._told: dict[str, bool] = {}  # whether the journal has a line as fit for calls

    @property
    def lines(self) -> Sequence[LineSettings]:
        """Those that calls go out over."""
        return [line for line in self.switch.config.lines.values() if line.calls_out]

    def beside(self, name: str, *, back: bool) -> bool:
        """Whether a leg that this line loses may be called again over another. back: it had called us."""
        terms = self.exchange.rules.rescue
        wanted = terms.enabled and (terms.call_back or not back)
        return wanted and any(line.name != name for line in self.lines)

    def patience_s(self, name: str, *, back: bool) -> float:
        """Silence after which a worker is to miss a leg over the line."""
        return self.exchange.rules.rescue.doubt_s if self.beside(name, back=back) else NOTICED_S

    # --- life -------------------------------------------------------------------------------------

    def start(self, now: float) -> None:
        """Look lines up, register, and begin to ask."""
        for line in self.lines:
            self._told.setdefault(line.name, True)
        self.enrolment.keep(now)
        if self.lines or self.enrolment.wanted:
            self._look(now)

    def reconfigured(self, now: float) -> None:
        """The switch has another configuration: lines that stay keep what is known of them."""
        self.exchange.change(*_decides(self.switch.config), now)
        self._capabilities.clear()
        self.marks.clear()
        self._told = {line.name: self._told.get(line.name, True) for line in self.lines}
        self.start(now)
        if self.waiting:
            self.switch.timers.at(0.0, self._room)

    def stop(self, now: float) -> None:
        """Take our registrations away."""
        self.enrolment.end(now)

    # --- the DNS ----------------------------------------------------------------------------------

    def _look(self, now: float) -> None:
        """Look all of them up; what is known already is found at once, and one alarm is enough for that."""
        self._looking = True
        for line in self.lines:
            for address in self.exchange.terms(line.name).addresses:
                self._resolve(line.name, address, now)
        self.enrolment.look(now)
        self._looking = False
        self._rearm(now)
        if self._look_up is not None:
            self._look_up.cancel()
        self._look_up = self.switch.timers.at(now + LOOK_UP_S, self._look)

    def _resolve(self, name: str, address: Address, now: float) -> None:
        transport = self.exchange.terms(name).transport
        uri = _uri(address, transport)
        self.switch.resolver.resolve(uri, now, lambda hops: self._found(name, address, hops, now))

    def _found(self, name: str, address: Address, hops: Sequence[Hop], now: float) -> None:
        """Each hop is an address of its own from now on, in the order that the DNS has them."""
        found = []
        for at, hop in enumerate(hops):
            each = Address(hop.host, hop.port, priority=at)
            self._hops[name, each] = hop, address
            self._mark(name, hop)
            found.append(each)
        if found:
            self.exchange.resolved(name, address, found, now)
            self.enrolment.reached(name, [way.hop for way in self._every(name)], now)
            if not self._looking:
                self._rearm(now)
        else:
            log.warning("line not found in the DNS", line=name, host=address.host)

    def _mark(self, name: str, hop: Hop) -> None:
        line = self.switch.config.lines.get(name)
        dscp = line.dscp.signalling if line is not None else None
        if dscp is not None:
            self.marks[hop.host, hop.port] = dscp

    def ways(self, name: str) -> list[Way]:
        """How a line is reached, in the order to try; what no lookup has found yet is left out, and of a
        mobile network every P-CSCF but the one that we are registered through (TS 24.229 section 5.1.2A.1.1).
        """
        found, through = self._every(name), self.enrolment.through(name)
        return [way for way in found if way.hop == through] or found

    def _every(self, name: str) -> list[Way]:
        known = ((each, self._hops.get((name, each))) for each in self.exchange.addresses(name))
        return [Way(address, *found) for address, found in known if found is not None]

    # --- questions --------------------------------------------------------------------------------

    def _rearm(self, now: float) -> None:
        """Wake when there is something to ask, or time has something to say."""
        when = max(self.exchange.next_timeout(), now + HASTE_S)
        if self._alarm is not None and self._alarm.pending:
            if self._alarm.when <= when:
                return
            self._alarm.cancel()
        if when < float("inf"):
            self._alarm = self.switch.timers.at(when, self._wake)

    def _wake(self, now: float) -> None:
        self.exchange.tick(now)
        for name, address in self.exchange.questions(now):
            self._ask(name, address, now)
        self._tell(now)
        self._rearm(now)

    def _ask(self, name: str, address: Address, now: float) -> None:
        known = self._hops.get((name, address))
        if known is None:
            return  # looked up and not found; it is asked once it is
        hop, switch = known[0], self.switch
        target, headers = _uri(address, hop.transport), self.manner(name).always
        number = switch.user_agent.options(target, [hop], now, headers=headers, patience=SLOW_S)
        wait = self.exchange.wait_s(name, address)
        late = switch.timers.at(now + wait, lambda at: self.heard(name, address, health.Event.MISSED, at))
        self._questions[number] = Question(name, address, late)

    def answered(self, event: OptionsAnswered, now: float) -> None:
        """What an address said, or that nothing can be sent there. Late answers are answers: they teach how
        long to wait.
        """
        question = self._questions.pop(event.id, None)
        if question is None:
            return
        in_time = question.late.pending
        question.late.cancel()
        if event.status is None:
            if in_time or event.cause == "transport":
                self.heard(question.line, question.address, health.Event.BROKEN, now)
            return
        refusing = event.status == 503
        heard = health.Event.REFUSING if refusing else health.Event.ANSWERED
        rtt = event.seconds if event.seconds < SLOW_S else None
        if rtt is not None and self.switch.cluster is not None and heard is health.Event.ANSWERED:
            self.switch.cluster.line_answered(question.line, rtt, now)
        self.heard(question.line, question.address, heard, now, rtt_s=rtt)

    def heard(
        self, name: str, address: Address, event: health.Event, now: float, *, rtt_s: float | None = None
    ) -> None:
        """Something was heard of an address, or was not."""
        state = self.exchange.heard(name, address, event, now, rtt_s=rtt_s)
        if state is health.State.DOWN:
            for attempt in [each for each in self.trying if each.tries(name, address)]:
                attempt.deserted(now)
            known = self._hops.get((name, address))
            if known is not None:
                self.enrolment.unreachable(name, known[0], now)
        if event is not health.Event.HEARD:
            self._tell(now)
            self._rearm(now)

    def _tell(self, now: float) -> None:
        """Put into the journal which lines came to carry calls, and which ceased to."""
        board = self.exchange.board
        for name, was in self._told.items():
            at = board.index[name]
            fit = bool(board.share[at] > 0) and not board.unregistered[at]
            if fit != was:
                self._told[name] = fit
                why = "" if fit else self._why(name, at)
                log.warning("line " + ("fit for calls again" if fit else "given up"), line=name, why=why)
                self.switch.note(LineChanged(at=self.switch.wall(now), line=name, fit=fit, why=why))

    def loads(self) -> Sequence[tuple[str, float, int]]:
        """Each line's name, the share of its calls that it is given now, and its channels in use."""
        board, found = self.exchange.board, []
        for line in self.lines:
            at = board.index[line.name]
            share = 0.0 if board.unregistered[at] else float(board.share[at])
            found.append((line.name, share, int(board.active[at])))
        return found

    def fit(self, name: str) -> bool:
        """Whether calls may go out over a line now."""
        board = self.exchange.board
        at = board.index.get(name)
        return at is not None and bool(board.share[at] > 0) and not board.unregistered[at]

    def missing(self, name: str) -> tuple[str, str]:
        """Why a call cannot be sent over a line: the cause (LineUnreached) and what there is to say of it."""
        if not self._every(name):
            return "dns", " ".join(each.host for each in self.exchange.terms(name).addresses)
        at = self.exchange.board.index[name]
        why = self._why(name, at)
        return ("unregistered" if self.exchange.board.unregistered[at] else "down"), why

    def _why(self, name: str, at: int) -> str:
        if self.exchange.board.unregistered[at]:
            return "not registered with its carrier"
        return "fails its calls" if self.exchange.board.tripped[at] else "answers nothing"

    # --- registrations ----------------------------------------------------------------------------

    def registration(self, event: LineUp | LineDown | LineLeft, now: float) -> None:
        """A carrier knows us, or does not any more; what we took away ourselves says nothing of the line."""
        if isinstance(event, LineDown):
            log.warning("line not registered", line=event.line, status=event.status, why=event.reason)
        elif isinstance(event, LineLeft):
            self.enrolment.leaving.discard(event.line)
        self.exchange.registered(event.line, self.enrolment.registered(event.line))
        self._tell(now)

    # --- calls ------------------------------------------------------------------------------------

    def capabilities(self, name: str) -> Sequence[CodecOffer]:
        """What is spoken over the line: its own codecs, those of mobile networks, or the node's."""
        line = self.switch.config.lines.get(name)
        mobile = line is not None and line.kind == "ims"
        if line is None or not (line.codecs or mobile):
            return self.switch.media.capabilities
        found = self._capabilities.get(name)
        if found is None:
            media = self.switch.config.media
            found = self._capabilities[name] = (
                mobile_capabilities_of(media, line.codecs)
                if mobile
                else capabilities_of(replace(media, codecs=line.codecs))
            )
        return found

    def account(self, name: str) -> Account | None:
        """What challenges are answered with; one value for all calls and the registration of a line."""
        line = self.switch.config.lines.get(name)
        if line is None:
            return None
        made_from, account = line.credentials, self._accounts.get(name)
        if account is None or account[0] != (made_from, line.ims):
            account = self._accounts[name] = (made_from, line.ims), line.account()
            if self.switch.cards is not None:
                self.switch.cards.attend(account[1])
        return account[1]

    def media_dscp(self, name: str) -> int | None:
        """Of its calls' sound; None for the node's."""
        line = self.switch.config.lines.get(name)
        return line.dscp.media if line is not None else None

    def manner(self, name: str) -> Manner:
        """What sets its calls apart from those of a phone."""
        line = self.switch.config.lines.get(name)
        return manner_of(line) if line is not None else PLAIN

    def route(self, name: str) -> Sequence[str]:
        """The proxies that the carrier wants requests to pass (RFC 3608)."""
        return self.enrolment.route(name)

    def own(self, name: str) -> str:
        """The domain under which the line's far end knows us; of a mobile network its own."""
        line = self.switch.config.lines.get(name)
        home = line.ims.domain if line is not None and line.ims is not None else ""
        return self.enrolment.domain(name) or home or self.switch.config.sip.domain

    def demand(self, call: Call, number: str, among: Sequence[str], avoid: frozenset[str]) -> Demand:
        """What a call to `number` asks of lines."""
        return self.exchange.demand(
            number,
            self.switch.config.node.country,
            region=call.region,
            among=frozenset(among),
            avoid=avoid,
        )

    def wait(self, attempt: LineAttempt, now: float) -> float:
        """Let a call wait for room: until when. Raises TooMany."""
        name = str(attempt.leg.number)
        until = self.exchange.surge.join(name, now)
        self.waiting[name] = attempt
        return until

    def go(self, attempt: LineAttempt) -> None:
        """It waits no more."""
        name = str(attempt.leg.number)
        self.exchange.surge.leave(name)
        self.waiting.pop(name, None)

    def ended(self, name: str) -> None:
        """A call over the line is over: who waited longest for room may have it, when all that ends has."""
        self.exchange.ended(name)
        if self.waiting:
            self.switch.timers.at(0.0, self._room)

    def over(self, leg: Leg, now: float) -> None:
        """The sound of a leg is over and its figures are known: what its line was worth."""
        tried, leg.carried = leg.carried, None
        if tried is None:
            return
        line_use.carried(leg, tried, now)
        muteness.over(leg, tried, now)

    def _room(self, now: float) -> None:
        head = self.waiting.get(self.exchange.surge.head)
        if head is not None:
            head.room(now)


def _decides(config: Config) -> tuple[Mapping[str, LineSpec], Mapping[str, Terms], Rules]:
    """What the exchange goes by."""
    terms = {name: line.terms() for name, line in config.lines.items()}
    return config.specs, terms, config.routing.rules(config.sip.timers.ring_s)


def _uri(address: Address, transport: str) -> Uri:
    """An address as what a request is sent to."""
    through = {} if transport in ("", "udp") else {"transport": transport}
    return Uri.sip("", address.host, address.port or None, **through)
