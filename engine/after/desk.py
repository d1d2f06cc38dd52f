"""Where calls go when they are over: a thread of its own that writes down what was said and how it went.

    CallRecord ── notice ──► bounded line, `SETTLE_S` for last words ──► thread: review, summary ──► store

Calls and their records never wait for it. When more end than it can take, or the store is away for so long
that the line is full, the oldest go without a review, and are counted.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from engine.after import quality
from engine.after.endpoint import Endpoint
from engine.after.facts import Facts, Hold
from engine.after.minutes import Minutes
from engine.after.review import Lexica, heard_worse, kept, line_of, review, shown, without_words
from engine.after.summaries import Summaries
from engine.events import CallHeld, CallRecord, CallResumed, CallWrappedUp, Event
from engine.speech_events import MoodTurned
from engine.store.errors import StoreUnavailable
from engine.store.transcripts import Review, Said, Transcripts
from engine.views import Check, Health
from media.speech.transcript import Line

SETTLE_S = 5.0  # that last words and an agent's wrap-up may come after the end
MOST = 2000  # calls that wait
OPEN = 20_000  # calls in progress that something is noted of
RETRY_S = 2.0  # between two tries where the store does not answer
DRAFT_S = 20.0  # that a node which is lost takes of what was said
CLEAN_S = 3600.0  # between two looks for what is too old
DAY_S = 86_400.0

log = structlog.get_logger("after")


class Sayings(Protocol):
    """What the rules want of a market (media/speech/market.py)."""

    @property
    def language(self) -> str: ...
    @property
    def phrases(self) -> Mapping[str, tuple[str, ...]]: ...
    @property
    def required(self) -> Mapping[str, tuple[str, ...]]: ...


@dataclass(frozen=True, slots=True)
class Terms:
    """transcripts: whether words are kept at all. days: after which they are erased, 0 for never. settle_s:
    that last words may take. quality: what rules hold calls to.
    """

    transcripts: bool = True
    days: float = 0.0
    settle_s: float = SETTLE_S
    quality: quality.Terms = quality.DEFAULT


@dataclass(slots=True)
class _Noted:
    """Of a call in progress: who has held since when, and what is over, epoch seconds."""

    holding: dict[str, float] = field(default_factory=dict)
    holds: list[Hold] = field(default_factory=list)
    chosen: str = ""
    worst: dict[str, float] = field(default_factory=dict)  # mood by side, of words and voice


@dataclass(slots=True)
class _Closed:
    """A call that is over, since `at` of the monotonic clock."""

    at: float
    record: CallRecord
    noted: _Noted


class After:
    """wall: epoch seconds of an instant of lines' clock. sayings: of a market by its name and language; None
    where there is none. reads: an agent's language. lexica: a language's.
    """

    def __init__(
        self,
        transcripts: Transcripts,
        minutes: Minutes,
        wall: Callable[[float], float],
        *,
        lexica: Lexica,
        sayings: Callable[[str, str], Sayings | None] = lambda market, language: None,
        reads: Callable[[str], str] = lambda agent: "",
        endpoint: Callable[[], Endpoint | None] = lambda: None,
        terms: Callable[[], Terms] = Terms,
    ) -> None:
        self.terms = terms
        self.done = self.lost = 0
        self._away = ""  # why the store is, while reviews wait for it
        self._transcripts, self._minutes, self._wall = transcripts, minutes, wall
        self._lexica, self._sayings, self._reads = lexica, sayings, reads
        self._summaries = Summaries(transcripts, endpoint)
        self._noted: OrderedDict[str, _Noted] = OrderedDict()
        self._line: deque[_Closed] = deque()
        self._chosen: dict[str, str] = {}  # outcomes of calls whose reviews are kept already
        self._wake = threading.Condition()
        self._closing = False
        self._cleaned = self._drafted = 0.0
        self._thread: threading.Thread | None = None

    # --- the engine's side --------------------------------------------------------------------------

    def notice(self, event: Event | CallRecord) -> None:
        """For the switch's observers: costs next to nothing."""
        if isinstance(event, CallRecord):
            self._close(event)
        elif isinstance(event, CallHeld):
            self._note(event.call).holding.setdefault(str(event.by), event.at)
        elif isinstance(event, CallResumed) and event.call in self._noted:
            _resume(self._noted[event.call], str(event.by), event.at)
        elif isinstance(event, MoodTurned):
            worst = self._note(event.call).worst
            worst[event.side] = min(worst.get(event.side, 0.0), event.score)
        elif isinstance(event, CallWrappedUp):
            self._wrapped(event)

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="after-calls", daemon=True)
        self._thread.start()

    def close(self, timeout_s: float = 10.0) -> None:
        """Finish what waits, without waiting for last words. Blocks."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join(timeout_s)
        self._summaries.close(timeout_s)

    def check(self) -> Check:
        """Its line in the node's health."""
        if self.lost:
            detail = f"since start {self.lost} calls went without a review"
            return Check(name="reviews", status=Health.DEGRADED, detail=detail)
        if self._away:
            return Check(name="reviews", status=Health.DEGRADED, detail="reviews wait for the store")
        return Check(name="reviews", status=Health.OK)

    def _note(self, call: str) -> _Noted:
        noted = self._noted.setdefault(call, _Noted())
        while len(self._noted) > OPEN:
            gone, _ = self._noted.popitem(last=False)
            self._minutes.take(gone)
        return noted

    def _wrapped(self, event: CallWrappedUp) -> None:
        with self._wake:
            for each in self._line:
                if each.record.call == event.call:
                    each.noted.chosen = event.outcome
                    return
            if event.call in self._noted:
                self._noted[event.call].chosen = event.outcome
            elif event.outcome and len(self._chosen) < MOST:
                self._chosen[event.call] = event.outcome
                self._wake.notify()

    def _close(self, record: CallRecord) -> None:
        noted = self._noted.pop(record.call, None) or _Noted()
        for side in list(noted.holding):
            _resume(noted, side, record.ended_at)
        with self._wake:
            self._line.append(_Closed(time.monotonic(), record, noted))
            while len(self._line) > MOST:
                self.lost += 1
                self._minutes.take(self._line.popleft().record.call)
            self._wake.notify()

    # --- the thread's side --------------------------------------------------------------------------

    def _run(self) -> None:
        while (closed := self._next()) is not None:
            try:
                self._finish(closed)
            except Exception:  # one odd call must not take the others' reviews with it
                self.lost += 1
                log.exception("a call goes without a review", call=closed.record.call)

    def _next(self) -> _Closed | None:
        """The next call whose last words are in; None when all is done and nothing more comes."""
        while True:
            with self._wake:
                wait = CLEAN_S
                if self._line:
                    wait = self._line[0].at + self.terms().settle_s - time.monotonic()
                    if wait <= 0 or self._closing:
                        return self._line.popleft()
                elif self._closing and not self._chosen:
                    return None
                if not self._chosen:
                    self._wake.wait(min(wait, DRAFT_S))
                chosen, self._chosen = self._chosen, {}
            self._settle(chosen)
            self._clean()
            self._draft(time.monotonic())

    def _finish(self, closed: _Closed) -> None:
        call = closed.record.call
        lines = self._minutes.take(call) or self._drafts(call)
        facts = self.facts(closed.record, closed.noted, lines)
        made = heard_worse(
            review(closed.record, facts, self._lexica, self.terms().quality), closed.noted.worst
        )
        words = self.terms().transcripts
        made = made if words else without_words(made)
        said = kept(facts.lines) if words else []
        while not self._kept(made, said):
            with self._wake:
                if len(self._line) >= MOST or self._wake.wait_for(lambda: self._closing, RETRY_S):
                    self.lost += 1
                    log.error("a call goes without a review", call=made.call, why=self._away)
                    return
        self.done += 1
        if words:
            self._summaries.ask(made.call, shown(facts.lines), facts.reads)

    def _kept(self, made: Review, said: Sequence[Said]) -> bool:
        try:
            self._transcripts.keep(made, said)
        except StoreUnavailable as fault:
            if not self._away:
                log.warning("reviews wait for the store", why=str(fault))
            self._away = str(fault)
            return False
        self._away = ""
        return True

    def facts(self, record: CallRecord, noted: _Noted, lines: Sequence[Line]) -> Facts:
        """What rules see of it, in seconds since it arrived."""
        began = record.offered_at
        moved = [
            each._replace(begin=self._wall(each.begin) - began, end=self._wall(each.end) - began)
            for each in lines
        ]
        market = self._sayings(record.market, record.language)
        connected = record.connected_at
        return Facts(
            lines=moved,
            connected=connected - began if connected is not None else None,
            ended=record.ended_at - began,
            reason=str(record.reason),
            transfers=record.transfers,
            holds=[Hold(each.side, each.begin - began, each.end - began) for each in noted.holds],
            language=market.language if market is not None else "",
            phrases=market.phrases if market is not None else {},
            required=market.required if market is not None else {},
            chosen=noted.chosen,
            reads=self._reads(record.agent),
        )

    def _draft(self, now: float) -> None:
        """Now and then: put by what is said in calls that go on, for a node that comes back."""
        if not self.terms().transcripts or now - self._drafted < DRAFT_S:
            return
        self._drafted = now
        try:
            for call in self._minutes.changed():
                self._transcripts.draft(call, kept(self._on_the_wall(self._minutes.lines(call))), time.time())
        except StoreUnavailable as fault:
            log.warning("what is said is in memory alone for now", why=str(fault))

    def _drafts(self, call: str) -> list[Line]:
        """What another life of this node put by of a call, on the lines' clock."""
        try:
            said = self._transcripts.lines(call)
            if said and self._transcripts.review(call) is not None:
                said = ()
        except StoreUnavailable:  # the review will wait for it
            return []
        zero = self._wall(0.0)
        return [line_of(call, at, each, zero) for at, each in enumerate(said or ())]

    def _on_the_wall(self, lines: Sequence[Line]) -> list[Line]:
        return [each._replace(begin=self._wall(each.begin), end=self._wall(each.end)) for each in lines]

    def _settle(self, chosen: Mapping[str, str]) -> None:
        """What agents chose after all, of calls that are reviewed."""
        for call, outcome in chosen.items():
            try:
                self._transcripts.settle(call, outcome)
            except StoreUnavailable as fault:
                log.warning("an outcome is not kept with its review", call=call, why=str(fault))

    def _clean(self) -> None:
        """Now and then: erase what is older than it may be."""
        now = time.monotonic()
        if self.terms().days and (not self._cleaned or now - self._cleaned >= CLEAN_S):
            self._cleaned = now
            self.clean(time.time())

    def clean(self, wall: float) -> None:
        """The same, at an instant in epoch seconds. Blocks."""
        try:
            erased = self._transcripts.erase_before(wall - self.terms().days * DAY_S)
        except StoreUnavailable as fault:
            log.warning("old transcripts cannot be erased now", why=str(fault))
            return
        if erased:
            log.info("transcripts erased", calls=erased, older_than_days=self.terms().days)


def _resume(noted: _Noted, side: str, at: float) -> None:
    since = noted.holding.pop(side, None)
    if since is not None:
        noted.holds.append(Hold(side, since, at))
