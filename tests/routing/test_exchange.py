"""All lines at work, in virtual time: far ends die and come back under load, and callers notice little."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import pytest

from routing.board import WINDOW_S, LineSpec
from routing.dial import Address, Terms
from routing.exchange import Exchange, Rules, destination_of
from routing.failover import Attempt, End, Heard, Outcome, Pause, Result, Steps, Tried
from routing.health import Event, State
from routing.rescue import Rescue
from routing.surge import TooMany

NUMBER, TRIP_S, RINGS_S, ANSWERS_S = "+442071838750", 0.02, 0.5, 1.0
ALIVE, SILENT, BROKEN, OVERLOADED, USELESS = "alive", "silent", "broken", "overloaded", "useless"
MUTE, MUTE_S = "mute", 5.0


@dataclass
class World:
    """Far ends behave as `far` says, by line; calls and answers take their time on a clock of its own.

    USELESS answers OPTIONS and refuses every call, MUTE answers every call and sends no sound.
    """

    exchange: Exchange
    far: dict[str, str]
    now: float = 0.0
    results: dict[int, Result] = field(default_factory=dict)
    began: dict[int, float] = field(default_factory=dict)
    rang: list[tuple[int, str, float]] = field(default_factory=list)
    used: list[tuple[str, float]] = field(default_factory=list)
    unheard: list[float] = field(default_factory=list)
    _heap: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _count: int = 0

    def at(self, when: float, action: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._heap, (when, self._count, action))

    def run(self, until: float) -> None:
        while self._heap and self._heap[0][0] <= until:
            self.now, _, action = heapq.heappop(self._heap)
            action()
        self.now = until

    def poll(self, until: float) -> None:
        """Ask whom the exchange wants asked, every 50 ms."""
        for name, address in self.exchange.questions(self.now):
            if self.far[name] in (ALIVE, USELESS, MUTE):
                self._tell(self.now + TRIP_S, name, address, Event.ANSWERED, TRIP_S)
            elif self.far[name] == OVERLOADED:
                self._tell(self.now + TRIP_S, name, address, Event.REFUSING, TRIP_S)
            else:
                late = self.now + self.exchange.wait_s(name, address)
                self._tell(late, name, address, Event.MISSED, None)
        if self.now + 0.05 <= until:
            self.at(self.now + 0.05, lambda: self.poll(until))

    def _tell(self, when: float, name: str, address: Address, event: Event, rtt_s: float | None) -> None:
        self.at(when, lambda: self._told(name, address, event, rtt_s))

    def _told(self, name: str, address: Address, event: Event, rtt_s: float | None) -> None:
        self.exchange.heard(name, address, event, self.now, rtt_s=rtt_s)

    def call(self, number: int) -> None:
        self.began[number] = self.now
        demand = self.exchange.demand(NUMBER, "GB")
        steps = self.exchange.call(demand, self.now, 0.0, self._tried)
        self._step(number, steps, None)

    def _tried(self, tried: Tried) -> None:
        """Of a call that was answered something is heard soon, or nothing is."""
        if tried.heard is not Heard.ANSWERED:
            return
        if self.far[tried.line] == MUTE:
            self.unheard.append(tried.began)
            self.at(self.now + MUTE_S, lambda: self.exchange.mute(tried, self.now))
        else:
            self.at(self.now + TRIP_S, lambda: self.exchange.sounded(tried, self.now))

    def _step(self, number: int, steps: Steps, told: Outcome | None) -> None:
        try:
            step = next(steps) if told is None else steps.send(told)
        except StopIteration as ended:
            self.results[number] = ended.value
            self.exchange.surge.leave(str(number))
            return
        if isinstance(step, Pause):
            self._wait(number, steps, step)
        else:
            self._dial(number, steps, step)

    def _wait(self, number: int, steps: Steps, pause: Pause) -> None:
        try:
            self.exchange.surge.join(str(number), self.now)
        except TooMany as full:
            self._step(number, steps, Outcome(self.now, status=503, retry_after_s=full.retry_after_s))
            return
        self.at(self.now + pause.seconds, lambda: self._step(number, steps, Outcome(self.now)))

    def _dial(self, number: int, steps: Steps, attempt: Attempt) -> None:
        name, start = attempt.line, self.now
        address = self.exchange.addresses(name)[0]
        self.exchange.began(name, start)
        self.used.append((name, start))

        def ends(end: End, heard: Heard, status: int = 0) -> None:
            rang_at = start + RINGS_S if heard is Heard.ANSWERED else None
            self._step(number, steps, Outcome(self.now, end, heard, status, rang_at=rang_at))
            if end is not End.ANSWERED:
                self.exchange.ended(name)
            else:
                self.at(self.now + 3.0, lambda: self.exchange.ended(name))

        if self.far[name] in (ALIVE, MUTE):
            self._tell(start + TRIP_S, name, address, Event.HEARD, TRIP_S)
            self.at(start + RINGS_S, lambda: self.rang.append((number, name, self.now)))
            self.at(start + ANSWERS_S, lambda: ends(End.ANSWERED, Heard.ANSWERED))
        elif self.far[name] in (USELESS, OVERLOADED):
            self._tell(start + TRIP_S, name, address, Event.HEARD, TRIP_S)
            self.at(start + TRIP_S, lambda: ends(End.REFUSED, Heard.TRYING, 503))
        elif self.far[name] == BROKEN:
            self._told(name, address, Event.BROKEN, None)
            ends(End.UNREACHABLE, Heard.NOTHING)
        else:
            late = start + attempt.no_100_s
            self._tell(late, name, address, Event.MISSED, None)
            self.at(late, lambda: ends(End.SILENT, Heard.NOTHING))

    def load(self, per_s: float, start: float, end: float) -> None:
        for at in range(int((end - start) * per_s)):
            self.at(start + at / per_s, lambda at=at: self.call(at))
        self.at(start, lambda: self.poll(end))


def world(*specs: LineSpec, rules: Rules | None = None) -> World:
    terms = {spec.name: Terms(addresses=(Address(f"{spec.name}.example"),)) for spec in specs}
    exchange = Exchange({spec.name: spec for spec in specs}, terms, rules or Rules(), Random(7))
    return World(exchange, {spec.name: ALIVE for spec in specs})


BEST, BACKUP = LineSpec("best", priority=1), LineSpec("backup", priority=2)
DIES, RETURNS, END = 5.0, 20.0, 62.0


@pytest.fixture(scope="module", params=[SILENT, BROKEN, OVERLOADED, USELESS])
def story(request: pytest.FixtureRequest) -> World:
    """20 calls a second; the best line dies and comes back."""
    found = world(BEST, BACKUP)
    found.load(20.0, 0.0, END)

    def becomes(what: str) -> None:
        found.far["best"] = what

    found.at(DIES, lambda: becomes(request.param))
    found.at(RETURNS, lambda: becomes(ALIVE))
    found.run(END + 10)
    return found


def test_no_call_is_lost_and_no_phone_rings_twice(story: World):
    assert all(result.answered for result in story.results.values())
    assert len(story.results) == int(END * 20)
    assert max(Counter(number for number, _, _ in story.rang).values()) == 1


def test_a_call_that_met_the_dead_line_rings_half_a_second_later_at_most(story: World):
    late = sorted(at - story.began[number] - RINGS_S for number, _, at in story.rang)
    assert late[-1] <= 0.55
    assert sum(each > 0.001 for each in late) <= 20


def test_the_dead_line_is_left_alone_within_a_second_and_while_it_is_dead(story: World):
    met = [at for name, at in story.used if name == "best" and DIES <= at < RETURNS]
    assert sum(at > DIES + 1.0 for at in met) <= 4, "trials of the circuit alone"
    assert len(met) <= 20


def test_a_line_that_answers_and_stays_mute_has_no_more_calls_than_are_needed_to_know():
    found = world(BEST, BACKUP)
    found.load(20.0, 0.0, END)
    found.at(DIES, lambda: found.far.update(best=MUTE))
    found.at(RETURNS, lambda: found.far.update(best=ALIVE))
    found.run(END + 10)
    assert all(result.answered for result in found.results.values())
    left_alone = DIES + ANSWERS_S + MUTE_S + 1.0
    later = [at for at in found.unheard if at > left_alone]
    assert 1 <= len(later) <= 2, "trials of the circuit, whose answers say nothing"
    back = [at for name, at in found.used if name == "best" and at > RETURNS + 1.0]
    assert min(back) <= RETURNS + 20.0


def test_it_comes_back_within_a_minute_and_not_all_at_once(story: World):
    lines = [(name, at) for name, at in story.used if at > RETURNS]
    first = min(at for name, at in lines if name == "best")
    early = Counter(name for name, at in lines if first <= at < first + 5)
    assert early["best"] < early["backup"]
    last = Counter(name for name, at in lines if at > END - 2)
    assert last["best"] > 0.7 * last.total()


def test_load_beyond_all_caps_is_refused_clearly_and_never_exceeds_them():
    found = world(LineSpec("a", max_calls_per_s=5), LineSpec("b", max_calls_per_s=5, max_calls=12))
    found.load(60.0, 0.0, 4.0)
    found.run(30.0)
    assert len(found.results) == 240
    for name in ("a", "b"):
        starts = sorted(at for line, at in found.used if line == name)
        assert all(late - early >= WINDOW_S - 1e-9 for early, late in zip(starts, starts[5:], strict=False))
    refused = [result for result in found.results.values() if not result.answered]
    assert {(result.status, result.retry_after_s) for result in refused} == {(503, 10.0)}
    assert len(refused) + sum(result.answered for result in found.results.values()) == 240
    assert sum(result.answered for result in found.results.values()) >= 35
    assert len(found.exchange.surge) == 0


def test_one_dead_address_of_a_line_does_not_hide_the_other():
    spec, near, far = LineSpec("a"), Address("near.example", priority=1), Address("far.example", priority=2)
    exchange = Exchange({"a": spec}, {"a": Terms(addresses=(near, far))}, Rules(), Random(1))
    exchange.heard("a", near, Event.BROKEN, 1.0)
    assert exchange.addresses("a") == (far,)
    assert exchange.choose(exchange.demand(NUMBER, "GB"), 1.0, 0.0).order == ("a",)
    exchange.heard("a", far, Event.BROKEN, 1.0)
    assert exchange.choose(exchange.demand(NUMBER, "GB"), 1.0, 0.0).order == ()
    assert exchange.choose(exchange.demand("999", "GB"), 1.0, 0.0).order == ("a",)
    assert set(exchange.addresses("a")) == {near, far}


def test_each_address_behind_a_name_is_asked_and_judged_for_itself():
    name, other = Address("sip.example"), Address("192.0.2.9", 5060, priority=20)
    exchange = Exchange({"a": LineSpec("a")}, {"a": Terms(addresses=(name, other))}, Rules(), Random(1))
    first, second = Address("192.0.2.1", 5060, priority=1), Address("192.0.2.2", 5060, priority=2)
    exchange.resolved("a", name, (first, second), 0.0)
    assert exchange.addresses("a") == (first, second, other)
    assert [address for _, address in exchange.questions(0.0)] == [first, second, other]
    exchange.heard("a", first, Event.BROKEN, 1.0)
    assert exchange.addresses("a") == (second, other)
    exchange.resolved("a", name, (second, first), 2.0)
    exchange.resolved("a", name, (), 3.0)
    assert exchange.addresses("a") == (second, other)
    exchange.resolved("a", name, (second,), 4.0)
    assert exchange.heard("a", first, Event.HEARD, 5.0) is None


@pytest.mark.parametrize("dialled", ["", "+", "alice", "1001", "*45", "+" + "9" * 300, NUMBER])
def test_whatever_is_dialled_has_an_answer_with_lines_and_without_any(dialled):
    none, some = Exchange({}, {}, Rules(), Random(1)), world(BEST).exchange
    for exchange, order in ((none, ()), (some, ("best",))):
        choice = exchange.choose(exchange.demand(dialled, "GB"), 0.0, 0.0)
        assert (choice.order, choice.wait_s) == (order, None)
    assert none.next_timeout() == float("inf")
    assert none.questions(0.0) == []


def test_what_is_heard_of_lines_that_are_gone_breaks_nothing():
    exchange = world(BEST).exchange
    assert exchange.heard("gone", Address("x.example"), Event.HEARD, 1.0) is None
    exchange.began("gone", 1.0)
    exchange.ended("gone")
    exchange.resolved("gone", Address("x.example"), (Address("192.0.2.1"),), 1.0)


def test_a_line_may_have_its_own_interval_of_questions_or_none():
    terms = {
        name: Terms(addresses=(Address("x.example"),), options_every_s=own)
        for name, own in (("usual", None), ("often", 5.0), ("never", 0.0))
    }
    exchange = Exchange({name: LineSpec(name) for name in terms}, terms, Rules(), Random(1))
    assert [name for name, _ in exchange.questions(0.0)] == ["usual", "often"]
    for name, address in (("usual", Address("x.example")), ("often", Address("x.example"))):
        exchange.heard(name, address, Event.ANSWERED, 0.0)
    assert [name for name, _ in exchange.questions(6.0)] == ["often"]


def test_a_change_of_configuration_forgets_nothing_of_lines_that_stay():
    exchange = world(BEST, BACKUP).exchange
    address = Address("best.example")
    exchange.heard("best", address, Event.BROKEN, 1.0)
    change(exchange, BEST, LineSpec("new"))
    assert exchange.state("best")[0][address].state is State.DOWN
    assert exchange.choose(exchange.demand(NUMBER, "GB"), 2.0, 0.0).order == ("new",)


def test_a_call_on_its_way_goes_on_by_the_lines_there_are_now():
    exchange = world(BEST, BACKUP).exchange
    steps = exchange.call(exchange.demand(NUMBER, "GB"), 1.0, 0.0)
    assert next(steps).line == "best"
    exchange.began("best", 1.0)
    change(exchange, LineSpec("new"))
    assert exchange.addresses("best") == ()
    assert exchange.terms("best").addresses == (Address("best.example"),)
    assert exchange.manner("best").no_100_s > 0, "what was sent over it goes on as it began"
    assert steps.send(Outcome(2.0, End.SILENT)).line == "new"
    exchange.ended("best")


def test_calls_that_wait_for_room_wait_on_through_a_change():
    exchange = world(BEST).exchange
    exchange.surge.join("a call", 1.0)
    change(exchange, BEST, BACKUP)
    assert exchange.surge.head == "a call"


def change(exchange: Exchange, *specs: LineSpec) -> None:
    terms = {each.name: Terms(addresses=(Address(f"{each.name}.example"),)) for each in specs}
    exchange.change({each.name: each for each in specs}, terms, Rules(), 2.0)


def test_where_calls_are_to_stick_a_number_has_its_line():
    exchange = world(LineSpec("a"), LineSpec("b"), rules=Rules(sticky=True)).exchange
    numbers = [f"+44207183{last:04}" for last in range(40)]

    def line(number: str) -> str:
        return exchange.choose(exchange.demand(number, "GB"), 0.0, 0.0).order[0]

    assert all(len({line(number) for _ in range(5)}) == 1 for number in numbers)
    assert {line(number) for number in numbers} == {"a", "b"}


def test_there_is_always_a_time_for_the_next_question():
    exchange = world(BEST, BACKUP).exchange
    assert exchange.next_timeout() <= 0.0
    exchange.questions(0.0)
    for name in ("best", "backup"):
        exchange.heard(name, Address(f"{name}.example"), Event.ANSWERED, 0.1, rtt_s=0.1)
    assert 20.0 < exchange.next_timeout() < 40.0
    assert exchange.rescue_due(Rescue(), 1.5) is not None


@pytest.mark.parametrize(
    ("number", "destination"), [(NUMBER, "44"), ("+12125551212", "1"), ("+35312345678", "353"), ("112", "")]
)
def test_measurements_are_kept_by_calling_code(number, destination):
    assert destination_of(number) == destination
