"""Whether a line's address is there: what was heard of it, as a table with hysteresis.

`Reach` is a frozen value of one address of a line (SRV may give several: one that is dead must not hide one
that lives, nor the other way round). `apply` returns the next one. All times are seconds on the caller's
clock.

What the table decides:

- One call that nobody took up is a doubt, not a death: the address is asked at once (OPTIONS), and calls
  prefer others meanwhile. `fall` misses in a row, or one error of the transport, are a death.
- A dead address carries nothing. It is asked at growing intervals, faster again from its first answer on, and
  comes back after `rise` answers in a row. What is heard of it otherwise only brings the next question
  forward.
- What came back gets a growing share of calls (`share`), and dies at once on a miss; each death in short
  order makes the way back longer.
- What carries calls is not asked: whatever is heard puts the next question off.
- Where OPTIONS are not wanted (`interval_s` 0), a dead address comes back by time alone, with a small share.

Any final answer to OPTIONS is a sign of life, 404 and 405 among them; 503 says that no calls are wanted
(REFUSING).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, StrEnum


class State(StrEnum):
    UP = "up"
    DOUBTED = "doubted"
    DOWN = "down"
    RETURNING = "returning"


class Event(StrEnum):
    """HEARD: a call's first answer. ANSWERED: one to OPTIONS. MISSED: nothing came in time, of either.
    BROKEN: the transport failed. REFUSING: 503 to OPTIONS. WAITED, RAMPED: what time brings (`due`).
    """

    HEARD = "heard"
    ANSWERED = "answered"
    MISSED = "missed"
    BROKEN = "broken"
    REFUSING = "refusing"
    WAITED = "waited"
    RAMPED = "ramped"


@dataclass(frozen=True, slots=True)
class Terms:
    """How an address is judged. Durations in seconds.

    interval_s: between questions to an address of which nothing is heard; 0: it is never asked. doubt_s:
    while it is in doubt or answers again. first_back_off_s grows by half each time, to longest_back_off_s,
    while it is dead. fall, rise: misses and answers in a row. return_s: until a share of 1; doubled by each
    death within forget_s of the one before, eightfold at most. least_share: with which it comes back.
    first_wait_s: for the first answer, while nothing is known of the round trip; then what that teaches,
    between least_wait_s and longest_wait_s.
    """

    interval_s: float = 30.0
    doubt_s: float = 0.5
    first_back_off_s: float = 1.0
    longest_back_off_s: float = 10.0
    fall: int = 3
    rise: int = 3
    return_s: float = 30.0
    forget_s: float = 600.0
    least_share: float = 0.05
    first_wait_s: float = 0.5
    least_wait_s: float = 0.25
    longest_wait_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Rtt:
    """From a request to its first answer: the network and the far end's haste (RFC 6298 section 2). doubted:
    the newest request had no answer in time, and nothing was learnt from it: twice as long is waited next
    (section 5.5), or a line that has become slow would never be heard out again.
    """

    smoothed: float = 0.0
    spread: float = 0.0
    known: bool = False
    doubted: bool = False

    def seen(self, seconds: float) -> Rtt:
        sample = max(0.0, seconds)
        if not self.known:
            return Rtt(sample, sample / 2, True)
        spread = 0.75 * self.spread + 0.25 * abs(self.smoothed - sample)
        return Rtt(0.875 * self.smoothed + 0.125 * sample, spread, True)

    def missed(self) -> Rtt:
        return replace(self, doubted=True)

    def wait_s(self, terms: Terms) -> float:
        """How long to wait for an answer before it is missed."""
        usual = terms.first_wait_s
        if self.known:
            usual = max(HASTE_S + self.smoothed + 4 * self.spread, terms.least_wait_s)
        return min(2 * usual if self.doubted else usual, terms.longest_wait_s)


HASTE_S = 0.2  # within which a server answers an INVITE by itself, with 100 (RFC 3261 section 17.2.1)


@dataclass(frozen=True, slots=True)
class Reach:
    """One address now. `ask_at` is when it is to be asked next, inf for never; `deaths` in short order."""

    state: State = State.UP
    since: float = 0.0
    ask_at: float = float("-inf")  # nothing is known of it: ask now
    misses: int = 0
    hits: int = 0
    back_off_s: float = 0.0
    deaths: int = 0
    died_at: float = float("-inf")
    rtt: Rtt = Rtt()  # of questions
    call_rtt: Rtt = Rtt()  # of calls: what answers OPTIONS at once may take long to say 100

    @property
    def usable(self) -> bool:
        """Whether calls may go there at all."""
        return self.state is not State.DOWN

    @property
    def sure(self) -> bool:
        """Whether it may be used before those in doubt."""
        return self.state in (State.UP, State.RETURNING)

    def wait_s(self, terms: Terms) -> float:
        """How long to wait for the first answer to a call. Until calls have taught it, no less than questions
        say.
        """
        usual = self.call_rtt.wait_s(terms)
        return usual if self.call_rtt.known else max(usual, self.rtt.wait_s(terms))

    def answer_wait_s(self, terms: Terms) -> float:
        """How long to wait for the answer to a question."""
        return self.rtt.wait_s(terms)

    def share(self, now: float, terms: Terms) -> float:
        """Share of its calls, 0 to 1, that it is given now."""
        if self.state is State.DOWN:
            return 0.0
        if self.state is not State.RETURNING:
            return 1.0
        grown = (now - self.since) / return_s(self, terms) if terms.return_s > 0 else 1.0
        return min(1.0, max(terms.least_share, grown))


class Next(Enum):
    """A next state that depends on the counts, decided in `_destination`."""

    SAME = "same"
    AFTER_MISS = "down after `fall` misses, else doubted"
    AFTER_HIT = "returning after `rise` answers, else down"


class Do(Enum):
    """What else changes with the state."""

    CLEAR = "forget misses and answers; ask again after the interval"
    MISS = "one more miss in a row"
    HIT = "one more answer in a row; ask again soon"
    ASK_SOON = "ask again while in doubt"
    HASTEN = "ask now"
    DIE = "count the death; the first back-off"
    BACK_OFF = "of what was asked: no answers in a row; a longer back-off"


_UP, _DOUBTED, _DOWN, _RETURNING = State
_E = Event

TABLE: dict[tuple[State, Event], tuple[State | Next, tuple[Do, ...]]] = {
    # state      event              next state        what else
    (_UP, _E.HEARD): (Next.SAME, (Do.CLEAR,)),
    (_UP, _E.ANSWERED): (Next.SAME, (Do.CLEAR,)),
    (_UP, _E.MISSED): (Next.AFTER_MISS, (Do.MISS, Do.ASK_SOON)),
    (_UP, _E.BROKEN): (_DOWN, (Do.DIE,)),
    (_UP, _E.REFUSING): (_DOWN, (Do.DIE,)),
    (_DOUBTED, _E.HEARD): (_UP, (Do.CLEAR,)),
    (_DOUBTED, _E.ANSWERED): (_UP, (Do.CLEAR,)),
    (_DOUBTED, _E.MISSED): (Next.AFTER_MISS, (Do.MISS, Do.ASK_SOON)),
    (_DOUBTED, _E.BROKEN): (_DOWN, (Do.DIE,)),
    (_DOUBTED, _E.REFUSING): (_DOWN, (Do.DIE,)),
    (_DOWN, _E.HEARD): (Next.SAME, (Do.HASTEN,)),  # a late answer to an old call proves little
    (_DOWN, _E.ANSWERED): (Next.AFTER_HIT, (Do.HIT,)),
    (_DOWN, _E.MISSED): (Next.SAME, (Do.BACK_OFF,)),
    (_DOWN, _E.BROKEN): (Next.SAME, (Do.BACK_OFF,)),
    (_DOWN, _E.REFUSING): (Next.SAME, (Do.BACK_OFF,)),
    (_DOWN, _E.WAITED): (_RETURNING, (Do.CLEAR,)),
    (_RETURNING, _E.HEARD): (Next.SAME, (Do.CLEAR,)),
    (_RETURNING, _E.ANSWERED): (Next.SAME, (Do.CLEAR,)),
    (_RETURNING, _E.MISSED): (_DOWN, (Do.DIE,)),
    (_RETURNING, _E.BROKEN): (_DOWN, (Do.DIE,)),
    (_RETURNING, _E.REFUSING): (_DOWN, (Do.DIE,)),
    (_RETURNING, _E.RAMPED): (_UP, (Do.CLEAR,)),
}


def apply(
    reach: Reach, event: Event, now: float, terms: Terms, *, rtt_s: float | None = None, chance: float = 0.5
) -> Reach:
    """The address after `event`; the same where the event means nothing in its state.

    rtt_s: time from the request to this answer, with HEARD and ANSWERED. chance: 0 to 1, a throw of dice that
    keeps a thousand lines from being asked in step.
    """
    reach = _learnt(reach, event, rtt_s)
    row = TABLE.get((reach.state, event))
    if row is None:
        return reach
    target, actions = row
    changed = reach
    for action in actions:
        changed = _act(changed, action, now, terms, 0.9 + 0.2 * chance)
    state = _destination(changed, target, terms)
    if state is changed.state:
        return changed
    if state is State.DOWN and Do.DIE not in actions:  # of misses, not of an error
        changed = _act(changed, Do.DIE, now, terms, 0.9 + 0.2 * chance)
    if state is State.RETURNING:
        changed = _act(changed, Do.CLEAR, now, terms, 0.9 + 0.2 * chance)
    return replace(changed, state=state, since=now)


def _learnt(reach: Reach, event: Event, rtt_s: float | None) -> Reach:
    """What an answer, or none, says of how long to wait for the next."""
    if rtt_s is not None:
        if event is Event.HEARD:
            return replace(reach, call_rtt=reach.call_rtt.seen(rtt_s))
        return replace(reach, rtt=reach.rtt.seen(rtt_s))
    if event is Event.MISSED and reach.state is State.UP:
        return replace(reach, call_rtt=reach.call_rtt.missed())
    return reach


def next_timeout(reach: Reach, terms: Terms) -> float:
    """When time has something to say next: a question to ask, or an event of `due`."""
    if reach.state is State.RETURNING:
        return min(reach.ask_at, reach.since + return_s(reach, terms))
    if reach.state is State.DOWN and terms.interval_s <= 0:
        return reach.since + reach.back_off_s
    return reach.ask_at


def due(reach: Reach, now: float, terms: Terms) -> Event | None:
    """The event that time has brought; None when there is none."""
    if reach.state is State.RETURNING and now >= reach.since + return_s(reach, terms):
        return Event.RAMPED
    unasked = reach.state is State.DOWN and terms.interval_s <= 0
    return Event.WAITED if unasked and now >= reach.since + reach.back_off_s else None


def asks(reach: Reach, now: float, terms: Terms) -> bool:
    """Whether OPTIONS are to be sent now. Call `asked` when they are."""
    return terms.interval_s > 0 and now >= reach.ask_at


def asked(reach: Reach) -> Reach:
    """A question is on its way: the next is asked after its answer, or its absence, was applied."""
    return replace(reach, ask_at=float("inf"))


def return_s(reach: Reach, terms: Terms) -> float:
    """How long the way back is, after so many deaths."""
    return terms.return_s * 2.0 ** min(3, max(0, reach.deaths - 1))


def _act(reach: Reach, action: Do, now: float, terms: Terms, spread: float) -> Reach:
    match action:
        case Do.CLEAR:
            at = now + terms.interval_s * spread if terms.interval_s > 0 else float("inf")
            return replace(reach, misses=0, hits=0, ask_at=at)
        case Do.MISS:
            return replace(reach, misses=reach.misses + 1)
        case Do.HIT:
            return replace(reach, hits=reach.hits + 1, ask_at=now + terms.doubt_s)
        case Do.ASK_SOON:
            soon = now if reach.state is State.UP else now + terms.doubt_s * spread
            return replace(reach, ask_at=soon)
        case Do.HASTEN:
            return replace(reach, ask_at=min(reach.ask_at, now))
        case Do.DIE:
            again = now - reach.died_at < terms.forget_s
            back_off = terms.first_back_off_s
            return replace(
                reach,
                misses=0,
                hits=0,
                deaths=reach.deaths + 1 if again else 1,
                died_at=now,
                back_off_s=back_off,
                ask_at=now + back_off * spread,
            )
        case Do.BACK_OFF:
            if reach.ask_at < float("inf"):
                return reach  # nothing was asked: this is of a call that was under way when it died
            longer = min(max(reach.back_off_s * 1.5, terms.first_back_off_s), terms.longest_back_off_s)
            return replace(reach, hits=0, back_off_s=longer, ask_at=now + longer * spread)


def _destination(reach: Reach, target: State | Next, terms: Terms) -> State:
    match target:
        case Next.SAME:
            return reach.state
        case Next.AFTER_MISS:
            return State.DOWN if reach.misses >= terms.fall else State.DOUBTED
        case Next.AFTER_HIT:
            return State.RETURNING if reach.hits >= terms.rise else State.DOWN
        case _:
            return target
