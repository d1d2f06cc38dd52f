"""The ear of a node: hears legs by their taps, has their speech recognised, translated and voiced, and tells.

It takes blocks of all legs at once and finds who speaks (media/speech/segment.py). From then on each
utterance goes its own way: media/speech/recognition.py, then media/speech/translation.py. Their jobs go to
workers by media/speech/dispatch.py; what a worker owes that is gone is asked of another.

Nothing here waits or reads a clock; `jobs` and `events` collect what is to be sent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from media.columns import F32, I16, I64, Bool
from media.level import measure
from media.speech import segment
from media.speech.dispatch import Dispatch
from media.speech.jobs import AnyJob, AnyResult, Failed, Forget, Hear, Heard, Offer, Translate
from media.speech.listener import Listener
from media.speech.messages import Attend, Crafts, Ignore, SpeechEvent, Strained, Talking, Tone, Unable
from media.speech.prosody import Prosody
from media.speech.recognition import Recognition, Terms
from media.speech.segment import BLOCK_S, Began, Ended, Segments
from media.speech.shedding import Kind, Shedding
from media.speech.translation import Interpreter
from media.tap import HEARD, Frame, Part

LONGEST_GAP = 50  # ticks left out after which a leg is heard anew
LIMIT = 4096  # legs


class Vad(Protocol):
    """Says of blocks int16[n, L] at `rate` whether there is speech; state by row."""

    def passes(self, rows: I64, blocks: I16, rate: int) -> Bool:
        """bool[n]: there may be; cheap."""

    def sure(self, rows: I64, blocks: I16, rate: int) -> F32:
        """Probability, float32[n]; NaN while it is not known yet."""

    def forget(self, row: int) -> None: ...


class Ear:
    """See the module. write: makes a file of an interpreter's words, samples and Hz, and gives its path.
    name: told apart by workers from that of another ear, before or after it.
    """

    def __init__(
        self,
        vad: Vad,
        write: Callable[[bytes, int], str],
        *,
        shedding: Shedding | None = None,
        segments: segment.Terms | None = None,
        terms: Terms | None = None,
        name: str = "ear",
    ) -> None:
        self.events: list[SpeechEvent] = []
        self.jobs: list[tuple[int, AnyJob]] = []
        self.dispatch = Dispatch()
        self.shedding = shedding or Shedding()
        self._vad = vad
        self._segments = Segments(16, segments)
        self._prosody = Prosody(16)
        self._free = list(range(15, -1, -1))
        self._listeners: dict[int, Listener] = {}
        self._by_row: dict[int, Listener] = {}
        self._new: set[int] = set()  # legs whose phrases are to be made ready
        self._waiting: list[tuple[AnyJob, float]] = []  # for somebody who can, until then
        self._clocks: dict[int, tuple[int, float]] = {}  # of sources: newest tick, and when their tick 0 was
        self._interpreter = Interpreter(self._ask, self._tell, write, self.shedding.does)
        self._recognition = Recognition(
            terms or Terms(), self.dispatch, self.shedding, self._interpreter,
            self._tell, self._send, self._wait, name,
        )  # fmt: skip

    @property
    def active(self) -> bool:
        """Whether time brings anything."""
        return bool(self._listeners or self._waiting or self._recognition.open)

    # --- what the engine asks -----------------------------------------------------------------------

    def attend(self, terms: Attend) -> None:
        """Hear a leg, or go on on other terms."""
        known = self._listeners.get(terms.leg)
        self._new.add(terms.leg)
        if known is not None:
            known.expect(terms)
            return
        if len(self._listeners) >= LIMIT:
            self._tell(Unable(terms.leg, "hear", f"{LIMIT} legs are heard already; add a node"))
            return
        if not self._free:
            before = self._segments.rows
            self._segments.grow(2 * before)
            self._prosody.grow(2 * before)
            self._free = list(range(2 * before - 1, before - 1, -1))
        listener = Listener(self._free.pop(), terms)
        listener.expect(terms)
        self._listeners[terms.leg] = self._by_row[listener.row] = listener

    def ignore(self, terms: Ignore, now: float) -> None:
        """Hear it no more; what it was saying is still recognised."""
        listener = self._listeners.pop(terms.leg, None)
        if listener is not None:
            self._leave(listener, now)
            del self._by_row[listener.row]
            self._free.append(listener.row)
            self._prosody.clear(listener.row)

    # --- sound --------------------------------------------------------------------------------------

    def hear(self, source: int, frame: Frame, now: float) -> None:
        """A tick of one worker's taps."""
        tick, zero = self._clocks.get(source, (frame.tick - 1, now))
        missed = frame.tick - tick - 1
        if missed < 0:
            missed, zero = 0, now
        zero = min(zero, now - frame.tick * BLOCK_S)
        self._clocks[source] = frame.tick, zero
        at = zero + frame.tick * BLOCK_S
        if missed:
            self._miss(source, missed, at, now)
        for part in frame.parts:
            if part.direction == HEARD:
                self._take(source, part, at, now)

    def lost(self, source: int, now: float) -> None:
        """A worker's taps are over, and its legs with them."""
        self._clocks.pop(source, None)
        for listener in self._from(source):
            self._leave(listener, now)

    def _from(self, source: int) -> list[Listener]:
        return [each for each in self._listeners.values() if each.source == source and each.rate]

    def _miss(self, source: int, ticks: int, at: float, now: float) -> None:
        """Ticks that were left out on their way: speech goes on across a few, as across lost packets."""
        here = self._from(source)
        if ticks > LONGEST_GAP:
            for listener in here:
                self._leave(listener, now)
            return
        for rate in {each.rate for each in here}:
            legs = np.array([each.leg for each in here if each.rate == rate], np.int64)
            blocks = np.zeros((len(legs), round(rate * BLOCK_S)), np.int16)
            part = Part(HEARD, rate, legs, np.zeros(len(legs), np.float32), blocks, np.ones(len(legs), bool))
            for left in range(ticks, 0, -1):
                self._take(source, part, at - left * BLOCK_S, now)

    def _take(self, source: int, part: Part, at: float, now: float) -> None:
        """A block of some legs, that ended at `at`."""
        places = [place for place, leg in enumerate(part.legs.tolist()) if leg in self._listeners]
        if not places:
            return
        listeners = [self._listeners[leg] for leg in part.legs[places].tolist()]
        for listener in listeners:
            if listener.rate != part.rate or listener.source != source:
                self._leave(listener, now)
                listener.start(part.rate, source, at - BLOCK_S)
        rows = np.array([each.row for each in listeners], np.int64)
        blocks = part.samples[places]
        made = np.zeros(len(rows), np.bool_) if part.made is None else part.made[places]
        gate, sure = self._judge(rows, blocks, part.rate)
        for listener, block, level, voice in zip(listeners, blocks, measure(blocks).tolist(), gate.tolist()):
            listener.hear(block.tobytes(), level, BLOCK_S if voice else 0.0)
        speaks = self._segments.state[rows] == segment.State.SPEAKING
        self._prosody.hear(rows[speaks], blocks[speaks], part.rate)
        for event in self._segments.hear(rows, gate, sure, made, at):
            self._turned(self._by_row[event.row], event, now)

    def _judge(self, rows: I64, blocks: I16, rate: int) -> tuple[Bool, F32]:
        """Whether there may be speech, and where that is asked how sure it is."""
        gate = self._vad.passes(rows, blocks, rate)
        sure = np.full(len(rows), np.nan, np.float32)
        asks = self._segments.asks(rows)
        if asks.any():
            sure[asks] = self._vad.sure(rows[asks], blocks[asks], rate)
        return gate, sure

    def _leave(self, listener: Listener, now: float) -> None:
        """Its sound breaks off: what it was saying is over."""
        for event in self._segments.leave(listener.row, listener.heard_until):
            self._turned(listener, event, now)
        self._vad.forget(listener.row)
        listener.rate = 0

    def _turned(self, listener: Listener, event: Began | Ended, now: float) -> None:
        """It begins to speak, or has ended."""
        if isinstance(event, Began):
            self._recognition.begin(listener, event.at, now)
            self._tell(Talking(listener.leg, True, event.at))
        else:
            self._tell(Talking(listener.leg, False, event.voiced))
            voice = self._prosody.end(listener.row)
            if voice is not None:
                self._tell(Tone(listener.leg, listener.utterances, voice))
            self._recognition.end(listener, event, now)

    # --- workers ------------------------------------------------------------------------------------

    def came(self, worker: int, offers: Sequence[Offer], now: float) -> None:
        """A worker is there: what waited for one is asked."""
        self.dispatch.came(worker, tuple(offers))
        self._tell(Crafts(self.dispatch.offers))
        self._recognition.unprepared()
        self._new.update(self._listeners)
        waiting, self._waiting = self._waiting, []
        for job, until in waiting:
            self._again(job, until, now)

    def gone(self, worker: int, now: float) -> None:
        """A worker died: another is asked what it owed; utterances are heard from their beginning again."""
        owed = self.dispatch.gone(worker)
        self._tell(Crafts(self.dispatch.offers))
        for job in owed:
            self._again(job, now + job.due_s, now)

    def answered(self, result: AnyResult, now: float) -> None:
        """A worker's answer."""
        job = self.dispatch.answered(result)
        if job is None:
            return
        if isinstance(result, Failed):
            self._failed(job, result, now)
        elif isinstance(job, Hear):
            if isinstance(result, Heard):
                self._recognition.heard(job, result, now)
        else:
            kind = Kind.FINAL if isinstance(job, Translate) else Kind.VOICE
            self.shedding.wanted(kind, result.cost_s, now)
            self._interpreter.answered(job, result, now)
            self._recognition.review(job.key.rpartition(".")[0])

    def tick(self, now: float) -> None:
        """To be called every block: what is due, and work that is late."""
        self._recognition.tick(now)
        if self._new and self.dispatch.workers:
            for leg in self._new & self._listeners.keys():
                self._recognition.prepare(self._listeners[leg], now)
            self._new.clear()
        for job in self.dispatch.overdue(now):
            self._failed(job, Failed(job.key, why="no answer came", ever=False), now)
        over = [job for job, until in self._waiting if now >= until]
        if over:
            self._waiting = [each for each in self._waiting if now < each[1]]
        for job in over:
            self._failed(job, Failed(job.key, why="nobody is there who can"), now)
        change = self.shedding.tick(now)
        if change is not None:
            self._tell(Strained(change.level, change.load, str(change)))

    def _failed(self, job: AnyJob, result: Failed, now: float) -> None:
        if isinstance(job, Hear):
            self._recognition.failed(job, result, now)
        else:
            self._interpreter.failed(job, result, now)
            self._recognition.review(job.key.rpartition(".")[0])

    def _ask(self, job: AnyJob, now: float) -> bool:
        """Give it to somebody; whether anybody does it."""
        worker = self.dispatch.give(job, now)
        if worker is not None:
            self._send(worker, job)
        return worker is not None

    def _again(self, job: AnyJob, until: float, now: float) -> None:
        """What was asked of one that is gone, or waited for one that can."""
        if isinstance(job, Hear):
            self._recognition.again(job, now)
        elif not isinstance(job, Forget):
            asked = self._interpreter.anew(job)
            if asked is not None and not self._ask(asked, now):
                self._waiting.append((asked, until))

    def _wait(self, job: AnyJob, now: float) -> None:
        self._waiting.append((job, now + job.due_s))

    def _send(self, worker: int, job: AnyJob) -> None:
        self.jobs.append((worker, job))

    def _tell(self, event: SpeechEvent) -> None:
        self.events.append(event)
