"""A call's attempts over lines, one after the other: a generator that is told what became of each.

    steps = failover(demand, choose, manner, policy, now)
    step = next(steps)                      # an Attempt to make, or a Pause to let pass
    step = steps.send(Outcome(...))         # until StopIteration, whose value is the Result

The generator decides; whoever drives it keeps the timers that an `Attempt` names, and tells what happened and
when.

- Another line is tried only while no callee can be ringing: after a reliable sign of it (180, an answer, or
  183 with a description where the line's means that) the call lives or ends on that line.
- All attempts share one budget of time and number. What an attempt may wait for is never more than what is
  left.
- A line says something within `no_100_s` (learnt from its own haste) or it loses the call; one that said 100
  and then nothing loses it after `progress_s`.
- A redirection is followed by policy, by the number alone: whatever host a far end names, calls go over our
  lines.
- Emergency calls have no budget, and every line that may carry them is tried.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum

from routing.line import Choice, Demand
from routing.response import Blame, Meaning, Then, meaning


class Heard(IntEnum):
    """The furthest that a call came, as heard from the line."""

    NOTHING = 0
    TRYING = 1  # 100
    PROGRESS = 2  # 181, 182, 183 without a description
    EARLY_MEDIA = 3  # 183 with one: an announcement, a ringing tone, or preconditions
    RINGING = 4  # 180
    ANSWERED = 5


class End(StrEnum):
    """How an attempt ended. SILENT: nothing within `no_100_s`. STALLED: 100, then nothing within
    `progress_s`. UNREACHABLE: the transport failed. REFUSED: a final response of 300 or more. GIVEN_UP: the
    caller hung up. NO_ANSWER: it rang until `ring_s` was over.
    """

    ANSWERED = "answered"
    REFUSED = "refused"
    SILENT = "silent"
    STALLED = "stalled"
    UNREACHABLE = "unreachable"
    NO_ANSWER = "no answer"
    GIVEN_UP = "given up"


class Redirects(StrEnum):
    """What a 3xx leads to. REFUSE: the end. SAME_LINE: its number, over the line that said so. ANY_LINE: its
    number, over the best line for that.
    """

    REFUSE = "refuse"
    SAME_LINE = "same-line"
    ANY_LINE = "any-line"


@dataclass(frozen=True, slots=True)
class Policy:
    """budget_s: from the call's start to ringing, all attempts and pauses together. attempts: at most.
    least_s: what must be left for another to be worth it. progress_s: from 100 to ringing or early media.
    queue_s: how long a call may wait for room at a cap. redirects_followed: in one call.
    """

    budget_s: float = 12.0
    attempts: int = 5
    least_s: float = 0.5
    progress_s: float = 6.0
    ring_s: float = 60.0
    queue_s: float = 2.0
    retry_after_s: float = 10.0
    redirects: Redirects = Redirects.SAME_LINE
    redirects_followed: int = 3


@dataclass(frozen=True, slots=True)
class Manner:
    """What the generator needs to know of one line. no_100_s: its patience now. early_media_rings: a 183 with
    a description may mean that the callee's phone rings.
    """

    no_100_s: float = 0.5
    early_media_rings: bool = True


@dataclass(frozen=True, slots=True)
class Attempt:
    """Call `number` over `line`. Durations in seconds; serial counts from 1. choice: why that line."""

    line: str
    number: str
    serial: int
    no_100_s: float
    progress_s: float
    ring_s: float
    choice: Choice | None = None

    @property
    def why(self) -> str:
        """What spoke for the line, and for the next best."""
        if self.choice is None:
            return ""
        said = [self.choice.reasons.lot] if self.choice.reasons.lot else []
        return "; ".join([*said, *(self.choice.reasons.of(name) for name in self.choice.order[:TOLD])])


TOLD = 3  # lines that are told of in the reasons of an attempt


@dataclass(frozen=True, slots=True)
class Pause:
    """All lines that could take the call are at a cap. Go on after `seconds`, or when one has room."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt at `at`. cause: of Q.850, 0 for none. contacts: numbers that a 3xx named,
    E.164, best first. rang_at: when the first sign of ringing came. retry_after_s: as a 503 said. After a
    Pause `at` alone counts, unless the caller gave up or a status says that no more may wait.
    """

    at: float
    end: End = End.REFUSED
    heard: Heard = Heard.NOTHING
    status: int = 0
    cause: int = 0
    contacts: tuple[str, ...] = ()
    rang_at: float | None = None
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt, for the call's record. blame: what it said of the line. The rest as in `Outcome`."""

    line: str
    number: str
    began: float
    ended: float
    heard: Heard
    status: int
    words: str
    blame: Blame
    rang_at: float | None = None
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """status: 200, or what the caller is told; retry_after_s goes with a 503. words: why it ended. choices:
    what was known of all lines at each attempt.
    """

    status: int
    line: str
    words: str
    tried: tuple[Tried, ...] = ()
    choices: tuple[Choice, ...] = ()
    retry_after_s: float | None = None

    @property
    def answered(self) -> bool:
        return self.status == 200


# How an attempt that got no response ended: the status that stands for it, and what it means.
SILENCES: Mapping[End, tuple[int, Meaning]] = {
    End.SILENT: (408, Meaning(Then.NEXT, Blame.FAILED, "said nothing")),
    End.STALLED: (408, Meaning(Then.NEXT, Blame.FAILED, "went no further")),
    End.UNREACHABLE: (503, Meaning(Then.NEXT, Blame.FAILED, "cannot be reached")),
    End.NO_ANSWER: (480, Meaning(Then.STOP, Blame.WORKED, "no answer")),
    End.GIVEN_UP: (487, Meaning(Then.STOP, Blame.NOTHING, "called off")),
    End.ANSWERED: (200, Meaning(Then.STOP, Blame.WORKED, "answered")),
}

# What a caller is told instead of what a line said to us: that a password of ours was wrong is none of his.
# After the callee rang, and where no line was left.
STOPPED: Mapping[int, int] = dict.fromkeys((300, 301, 302, 305, 380, 401, 402, 407, 408), 480)
EXHAUSTED: Mapping[int, int] = {
    **dict.fromkeys((300, 301, 302), 480),
    **dict.fromkeys((305, 380, 401, 402, 407, 408), 503),
}

Choose = Callable[[Demand, float], Choice]
Steps = Generator[Attempt | Pause, Outcome, Result]


def nobody(tried: Tried) -> None:
    """Who is told where nobody wants to know."""


def failover(
    demand: Demand,
    choose: Choose,
    manner: Callable[[str], Manner],
    policy: Policy,
    now: float,
    tell: Callable[[Tried], None] = nobody,
) -> Steps:
    """The attempts of one call. choose: the best lines for a demand at a moment, with what was tried left
    out. tell: is told of each attempt when it is over, before the next is chosen.
    """
    return _Call(demand, choose, manner, policy, now, tell).run()


@dataclass(slots=True)
class _Call:
    demand: Demand
    choose: Choose
    manner: Callable[[str], Manner]
    policy: Policy
    now: float
    tell: Callable[[Tried], None]
    began: float = field(init=False)
    tried: list[Tried] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)  # that the call was for, redirections included
    pinned: str = ""  # the line that a redirection is followed on
    stopped: Outcome | None = None  # while it waited for room

    def __post_init__(self) -> None:
        self.began = self.now

    def run(self) -> Steps:
        self.numbers.append(self.demand.number)
        while (line := (yield from self._line())) is not None:
            attempt = self._attempt(line)
            began = self.now
            outcome = yield attempt
            self.now = max(self.now, outcome.at)
            status, meant = _meant(outcome)
            meant = self._certain(line, outcome, meant)
            self._record(attempt, began, outcome, status, meant)
            self.demand = replace(self.demand, avoid=self.demand.avoid | {line})
            if meant.then is Then.FOLLOW and self._follow(line, outcome):
                continue
            if meant.then is not Then.NEXT:
                return self._result(STOPPED.get(status, status), line, meant.words)
        return self._exhausted()

    def _record(self, attempt: Attempt, began: float, outcome: Outcome, status: int, meant: Meaning) -> None:
        tried = Tried(
            line=attempt.line,
            number=attempt.number,
            began=began,
            ended=self.now,
            heard=outcome.heard,
            status=status,
            words=meant.words,
            blame=meant.blame,
            rang_at=outcome.rang_at,
            retry_after_s=outcome.retry_after_s,
        )
        self.tried.append(tried)
        self.tell(tried)

    def _line(self) -> Generator[Pause, Outcome, str | None]:
        """The line to try next; None when there is none, or no budget."""
        if self.pinned:
            return self._same_line() if self._may_go_on() else None
        until = self.now + self.policy.queue_s
        while self._may_go_on():
            choice = self.choose(self.demand, self.now)
            if choice.order or choice.wait_s is None or self.now >= until:
                self.choices.append(choice)
                return choice.order[0] if choice.order else None
            outcome = yield Pause(self._pause(choice.wait_s, until))
            self.now = max(self.now, outcome.at)
            if outcome.end is End.GIVEN_UP or outcome.status:
                self.choices.append(choice)
                self.stopped = outcome
                return None
        return None

    def _same_line(self) -> str | None:
        """The line that redirected, if it may carry the new number: no far end calls what is barred to us."""
        line, self.pinned = self.pinned, ""
        choice = self.choose(self.demand, self.now)
        self.choices.append(choice)
        return line if choice.reasons.takes(line) else None

    def _pause(self, wait_s: float, until: float) -> float:
        room = min(until - self.now, self.left)
        return min(wait_s, room) if wait_s > 0 else room

    @property
    def left(self) -> float:
        """Seconds of the budget."""
        if self.demand.emergency:
            return float("inf")
        return self.policy.budget_s - (self.now - self.began)

    def _may_go_on(self) -> bool:
        if self.demand.emergency:
            return True
        return len(self.tried) < self.policy.attempts and self.left >= self.policy.least_s

    def _attempt(self, line: str) -> Attempt:
        policy = self.policy
        return Attempt(
            line=line,
            number=self.demand.number,
            serial=len(self.tried) + 1,
            no_100_s=min(self.manner(line).no_100_s, self.left),
            progress_s=min(policy.progress_s, self.left),
            ring_s=policy.ring_s,
            choice=self.choices[-1] if self.choices else None,
        )

    def _certain(self, line: str, outcome: Outcome, meant: Meaning) -> Meaning:
        """Whatever is said after a sign of ringing, no other phone is to be rung."""
        if meant.then is Then.STOP or not rings(outcome.heard, self.manner(line)):
            return meant
        return Meaning(Then.STOP, meant.blame, f"{meant.words}, after it rang")

    def _follow(self, line: str, outcome: Outcome) -> bool:
        """Take the first new number of a redirection; False when it leads nowhere."""
        if self.policy.redirects is Redirects.REFUSE or len(self.numbers) > self.policy.redirects_followed:
            return False
        number = next((each for each in outcome.contacts if each not in self.numbers), None)
        if number is None:
            return False
        self.numbers.append(number)
        # Lines that failed for the old number failed all the same; the one that redirected did not.
        self.demand = replace(self.demand, number=number, avoid=self.demand.avoid - {line})
        self.pinned = line if self.policy.redirects is Redirects.SAME_LINE else ""
        return True

    def _exhausted(self) -> Result:
        """No line is left, or no budget: what was said last is told, or that we have no room."""
        if self.stopped is not None and self.stopped.end is End.GIVEN_UP:
            return self._result(487, "", "called off")
        if self.stopped is not None:
            told = self._result(self.stopped.status, "", "too many wait for a line")
            return replace(told, retry_after_s=self.stopped.retry_after_s or told.retry_after_s)
        if self.tried:
            last = self.tried[-1]
            return self._result(EXHAUSTED.get(last.status, last.status), last.line, last.words)
        waits = bool(self.choices and self.choices[-1].wait_s is not None) or self.left < self.policy.least_s
        return self._result(503, "", "no line has room" if waits else "no line takes this call")

    def _result(self, status: int, line: str, words: str) -> Result:
        later = self.policy.retry_after_s if status == 503 else None
        return Result(status, line, words, tuple(self.tried), tuple(self.choices), later)


def rings(heard: Heard, manner: Manner) -> bool:
    """Whether the callee's phone may be ringing."""
    return heard >= (Heard.EARLY_MEDIA if manner.early_media_rings else Heard.RINGING)


def _meant(outcome: Outcome) -> tuple[int, Meaning]:
    if outcome.end is End.REFUSED:
        return outcome.status, meaning(outcome.status, outcome.cause)
    status, meant = SILENCES[outcome.end]
    return status, meant
