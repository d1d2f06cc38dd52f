"""All lines at work: what is heard of them becomes how they stand, and calls are sent accordingly.

It brings the parts together and adds nothing of its own: `routing.board` how lines stand, `health` of each
address, `breaker` of each line, `line` which to choose, `failover` which next, `surge` who waits. Whoever
drives it does the input and output:

    steps = exchange.call(demand, now, wall)           # see routing.failover; tell `began`, `heard`, `ended`
    for line, address in exchange.questions(now): ...  # send OPTIONS; tell `heard` of the answer, or of none
    exchange.tick(now)                                 # at `next_timeout()`

An address is heard of by the events of `health`; a line lives while one of its addresses does. What a call
came to is judged once, by the record of its attempt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

import phonenumbers

from routing import breaker, health, rescue
from routing.board import Board, LineSpec
from routing.dial import Address, Terms, in_order
from routing.emergency import is_emergency
from routing.failover import Heard, Manner, Policy, Steps, Tried, failover, nobody
from routing.line import Choice, Demand, Weights, choose
from routing.measure import Measure
from routing.response import Blame
from routing.surge import Surge

TICK_S = 0.1
MOST_GONE = 1000
MOST_FOUND = 12  # addresses of one name, whatever its zone holds


@dataclass(frozen=True, slots=True)
class Rules:
    """The operator's, for all lines. typical_s: the call that costs are compared for. half_life_s: of
    measurements. emergency_numbers: beside those of the country.
    """

    weights: Weights = field(default_factory=Weights)
    policy: Policy = field(default_factory=Policy)
    health: health.Terms = field(default_factory=health.Terms)
    circuit: breaker.Terms = field(default_factory=breaker.Terms)
    rescue: rescue.Terms = field(default_factory=rescue.Terms)
    sticky: bool = False
    most_waiting: int = 50
    typical_s: float = 180.0
    half_life_s: float = 1800.0
    emergency_numbers: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Line:
    """One line at work. care: the terms of health, with its own interval of questions. found: what each
    address of the configuration was found to be, itself until then. reach: of all that were found.
    """

    terms: Terms
    care: health.Terms
    found: dict[Address, tuple[Address, ...]]
    reach: dict[Address, health.Reach]
    circuit: breaker.Breaker = field(default_factory=breaker.Breaker)

    def usable(self, address: Address) -> bool:
        return any(self.reach[each].usable for each in self.found.get(address, (address,)))

    def settle(self) -> None:
        """Know of what was found and of nothing else."""
        every = dict.fromkeys(each for found in self.found.values() for each in found)
        self.reach = {each: self.reach.get(each, health.Reach()) for each in every}

    def share(self, now: float) -> float:
        return max((each.share(now, self.care) for each in self.reach.values()), default=0.0)

    @property
    def sure(self) -> bool:
        return any(each.sure for each in self.reach.values())


class Exchange:
    """specs, terms: of each line, by name. now: seconds of one monotonic clock, in all methods."""

    def __init__(
        self, specs: Mapping[str, LineSpec], terms: Mapping[str, Terms], rules: Rules, rng: Random
    ) -> None:
        self.rules = rules
        self._rng = rng
        self.board = Board(tuple(specs.values()), typical_s=rules.typical_s, half_life_s=rules.half_life_s)
        policy = rules.policy
        self.surge = Surge(rules.most_waiting, policy.queue_s, policy.retry_after_s)
        self._lines = {name: _line(terms[name], rules) for name in specs}
        self._gone: dict[str, _Line] = {}  # that calls may be on their way over yet
        self._tick_at = float("-inf")

    def change(
        self, specs: Mapping[str, LineSpec], terms: Mapping[str, Terms], rules: Rules, now: float
    ) -> None:
        """The operator wants other lines or rules. Calls that are being made are led by them from their next
        line on; one over a line that is gone goes on in the manner that it had.
        """
        other = Exchange(specs, terms, rules, self._rng)
        other._keep(self, now)
        gone = {name: line for name, line in self._lines.items() if name not in specs}
        self._gone = dict([*self._gone.items(), *gone.items()][-MOST_GONE:])
        self.rules, self.board, self._lines = rules, other.board, other._lines
        surge, self.surge = self.surge, other.surge
        self.surge.calls = surge.calls
        self._tick_at = float("-inf")

    def _keep(self, old: Exchange, now: float) -> None:
        """Take over what the exchange before a change of configuration knows."""
        self.board.keep(old.board)
        for name, line in self._lines.items():
            was = old._lines.get(name)
            if was is not None:
                line.circuit = was.circuit
                line.found |= {address: was.found[address] for address in line.found if address in was.found}
                line.reach |= was.reach
                line.settle()
                self._stand(name, now)

    # --- calls ------------------------------------------------------------------------------------

    def demand(
        self,
        number: str,
        country: str,
        *,
        region: str = "",
        residency: frozenset[str] = frozenset(),
        among: frozenset[str] = frozenset(),
        avoid: frozenset[str] = frozenset(),
    ) -> Demand:
        """What a call to `number` (E.164, or as dialled in `country`) asks for. among, avoid: lines."""
        return Demand(
            number=number,
            destination=destination_of(number),
            region=region,
            residency=residency,
            sticky=number if self.rules.sticky else "",
            emergency=is_emergency(number, country, self.rules.emergency_numbers),
            country=country,
            among=among,
            avoid=avoid,
        )

    def choose(self, demand: Demand, now: float, wall: float) -> Choice:
        """wall: seconds since 1970, at `now`."""
        if now >= self._tick_at:
            self.tick(now)
        return choose(self.board, demand, now, wall, self._rng, self.rules.weights)

    def call(self, demand: Demand, now: float, wall: float, tell: Callable[[Tried], None] = nobody) -> Steps:
        """The attempts of one call. A policy of the lines' own is in what `manner` says. tell: is told of
        each attempt when it is over.
        """

        def best(wanted: Demand, at: float) -> Choice:
            if wanted.number != demand.number:  # it was redirected
                wanted = replace(wanted, destination=destination_of(wanted.number))
            return self.choose(wanted, at, wall + at - now)

        def judge(tried: Tried) -> None:
            self._judge(demand, tried)
            tell(tried)

        return failover(demand, best, self.manner, self.rules.policy, now, judge)

    def manner(self, name: str) -> Manner:
        """What an attempt over the line has to know: the patience is that of its slowest address."""
        line = self._line(name)
        waits = [each.wait_s(line.care) for each in line.reach.values() if each.usable]
        patience = max(waits, default=line.care.first_wait_s)
        return Manner(no_100_s=patience, early_media_rings=line.terms.early_media_rings)

    def addresses(self, name: str) -> tuple[Address, ...]:
        """Those of a line that live, in the order to call them; all of them where none does (emergencies),
        none of a line that is gone.
        """
        line = self._lines.get(name)
        if line is None:
            return ()
        alive = self._in_order(line, line.usable)
        return alive or self._in_order(line, lambda _: True)

    def _in_order(self, line: _Line, usable: Callable[[Address], bool]) -> tuple[Address, ...]:
        configured = in_order(line.terms.addresses, usable, self._rng)
        return tuple(found for each in configured for found in in_order(line.found[each], usable, self._rng))

    def resolved(self, name: str, address: Address, found: Sequence[Address], now: float) -> None:
        """What DNS says that an address of the configuration is (SRV, RFC 3263): each is asked and judged for
        itself from then on. Nothing found changes nothing: a name server that is away is no dead line.
        """
        line = self._lines.get(name)
        if line is not None and address in line.found and found:
            line.found[address] = tuple(dict.fromkeys(found))[:MOST_FOUND]
            line.settle()
            self._stand(name, now)

    def terms(self, name: str) -> Terms:
        return self._line(name).terms

    def _line(self, name: str) -> _Line:
        return self._lines[name] if name in self._lines else self._gone[name]

    def began(self, name: str, now: float) -> None:
        """An attempt was sent over the line. To be told at once. Safe for a line that is gone."""
        if name in self._lines:
            self.board.began(name, now)
            self._circuit(name, breaker.Event.BEGAN, now)

    def ended(self, name: str) -> None:
        """A call over the line is over, or its attempt was."""
        self.board.ended(name)

    def took(self, name: str) -> bool:
        """A call came in over the line and has a channel of it until `ended`; False where none is free."""
        at = self.board.index.get(name)
        if at is None:
            return True
        if self.board.active[at] >= self.board.channels[at]:
            return False
        self.board.active[at] += 1
        return True

    def registered(self, name: str, there: bool) -> None:
        """Whether the carrier of a line that has to register knows us. Safe for a line that is gone."""
        if name in self._lines:
            self.board.registered(name, there)

    def measured(self, name: str, destination: str, what: Measure, value: float, now: float) -> None:
        """MOS, or loss as a share; answers and post-dial delay are known from the attempts. Safe for a line
        that is gone.
        """
        at = self.board.index.get(name)
        if at is not None:
            self.board.measured.add(what, at, destination, value, now)

    def mute(self, tried: Tried, now: float) -> None:
        """A call was answered and nothing was heard of it: the line did not carry it, whatever it said."""
        if tried.line in self._lines:
            destination = destination_of(tried.number)
            self.measured(tried.line, destination, Measure.LOSS, 1.0, now)
            self.measured(tried.line, destination, Measure.MOS, 1.0, now)
            if self._lines[tried.line].circuit.circuit is breaker.Circuit.CLOSED:
                self._circuit(tried.line, breaker.Event.MUTE, now)
            else:
                self._listened(tried, breaker.Event.MUTE, now)

    def sounded(self, tried: Tried, now: float) -> None:
        """Something was heard of a call that was answered. Safe for a line that is gone."""
        self._listened(tried, breaker.Event.WORKED, now)

    def unknown(self, tried: Tried, now: float) -> None:
        """A call that was answered is over, too soon to say whether it would have been heard."""
        self._listened(tried, breaker.Event.DROPPED, now)

    def _listened(self, tried: Tried, event: breaker.Event, now: float) -> None:
        """A trial by sound is over; calls from before it say nothing of it."""
        line = self._lines.get(tried.line)
        if line is not None and line.circuit.listens() and tried.began >= line.circuit.since:
            self._circuit(tried.line, event, now)

    # --- health -----------------------------------------------------------------------------------

    def heard(
        self, name: str, address: Address, event: health.Event, now: float, *, rtt_s: float | None = None
    ) -> health.State | None:
        """What was heard of an address, or was not; how it is taken then, None for one that is gone."""
        line = self._lines.get(name)
        reach = line.reach.get(address) if line is not None else None
        if line is None or reach is None:
            return None
        found = health.apply(reach, event, now, line.care, rtt_s=rtt_s, chance=self._rng.random())
        line.reach[address] = found
        self._stand(name, now)
        return found.state

    def questions(self, now: float) -> list[tuple[str, Address]]:
        """Addresses to be asked now (OPTIONS); they count as asked."""
        found = []
        for name, line in self._lines.items():
            for address, reach in line.reach.items():
                if health.asks(reach, now, line.care):
                    line.reach[address] = health.asked(reach)
                    found.append((name, address))
        return found

    def wait_s(self, name: str, address: Address) -> float:
        """How long to wait for an answer to a question."""
        line = self._lines[name]
        return line.reach[address].answer_wait_s(line.care)

    def tick(self, now: float) -> None:
        """Whatever time has brought. A choice sees to it by itself, ten times a second at most."""
        self._tick_at = now + TICK_S
        for name, line in self._lines.items():
            for address, reach in line.reach.items():
                event = health.due(reach, now, line.care)
                if event is not None:
                    line.reach[address] = health.apply(reach, event, now, line.care)
            rested = breaker.due(line.circuit, now)
            if rested is not None:
                line.circuit = breaker.apply(line.circuit, rested, now, self.rules.circuit)
            if self.board.share[self.board.index[name]] < 1.0:
                self._stand(name, now)

    def next_timeout(self) -> float:
        """When `questions` or `tick` have something to do next; inf for never."""
        times = [
            health.next_timeout(reach, line.care)
            for line in self._lines.values()
            for reach in line.reach.values()
        ]
        rests = (breaker.next_timeout(line.circuit) for line in self._lines.values())
        return min([*times, *(each for each in rests if each is not None)], default=float("inf"))

    def state(self, name: str) -> tuple[Mapping[Address, health.Reach], breaker.Breaker]:
        """For dashboards and reports."""
        line = self._lines[name]
        return dict(line.reach), line.circuit

    def rescue_due(self, leg: rescue.Rescue, now: float) -> rescue.Event | None:
        """What time has brought to a leg in the middle of its call."""
        return rescue.due(leg, now, self.rules.rescue)

    def _judge(self, demand: Demand, tried: Tried) -> None:
        """What an attempt came to, for its line; nothing for one that is gone."""
        if tried.line not in self._lines:
            return
        now, at, asked = tried.ended, self.board.index[tried.line], tried.retry_after_s
        told = tried.status == 503 and asked is not None
        event = breaker.Event.TOLD if told else _JUDGED[tried.blame]
        if tried.heard is not Heard.ANSWERED or not self._lines[tried.line].circuit.listens():
            self._circuit(tried.line, event, now, told_s=asked or 0.0)
        if tried.blame is not Blame.NOTHING:
            answered = float(tried.heard is Heard.ANSWERED)
            self.board.measured.add(Measure.ASR, at, demand.destination, answered, now)
        if tried.rang_at is not None:
            delay = tried.rang_at - tried.began
            self.board.measured.add(Measure.PDD, at, demand.destination, delay, now)

    def _circuit(self, name: str, event: breaker.Event, now: float, *, told_s: float = 0.0) -> None:
        line = self._lines[name]
        line.circuit = breaker.apply(line.circuit, event, now, self.rules.circuit, told_s=told_s)
        self._stand(name, now)

    def _stand(self, name: str, now: float) -> None:
        line = self._lines[name]
        passing = line.circuit.share_of_calls(now, self.rules.circuit)
        alive = line.share(now)
        share = min(passing, alive)
        self.board.stands(name, share, doubted=not line.sure, tripped=alive > 0 and passing <= 0)


_JUDGED = {
    Blame.WORKED: breaker.Event.WORKED,
    Blame.FAILED: breaker.Event.FAILED,
    Blame.NOTHING: breaker.Event.DROPPED,
}


def _line(terms: Terms, rules: Rules) -> _Line:
    own = rules.health
    if terms.options_every_s is not None:
        own = replace(own, interval_s=terms.options_every_s)
    line = _Line(terms, own, {address: (address,) for address in terms.addresses}, {})
    line.settle()
    return line


def destination_of(number: str) -> str:
    """What measurements of a number are kept by: its country's calling code; "" for what is not E.164."""
    if not number.startswith("+"):
        return ""
    for end in range(2, 5):
        if number[1:end].isdecimal() and int(number[1:end]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return number[1:end]
    return ""
