"""The craft of speaking: texts that are waited for, the most urgent first, given as they are being said.

One text is spoken at a time; a worker that is to speak more has more crafts. The first piece of a text goes
out when a third of a second of it is there, each later one is twice as long as the one before, so that a
listener who hears the first never waits and few are sent. What was said before, and is short, is kept.
"""

from __future__ import annotations

import heapq
import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

import numpy as np

from media.resample import Resampling
from media.speech.jobs import AnyJob, AnyResult, Failed, Offer, Speak, Spoken
from media.speech.loudness import Loudness
from media.speech.voice import I16, MOST_S, Saying, Voice, VoiceFault, sayable

RATES = (8_000, 16_000, 24_000, 48_000)
MOST_VOICES = 256  # whose levels are remembered


@dataclass(frozen=True, slots=True)
class Terms:
    """waiting: jobs at most. patience_s: that a piece of work may wait for sound. stall_s: without any, after
    which a voice is given up. first_s, longest_s: of the pieces. kept_bytes, kept_characters: of what is kept
    to be said again, and of one text in it.
    """

    waiting: int = 64
    patience_s: float = 0.02
    stall_s: float = 5.0
    first_s: float = 0.3
    longest_s: float = 2.4
    kept_bytes: int = 16 * 1024 * 1024
    kept_characters: int = 200


@dataclass(slots=True)
class _Underway:
    """What is being said. least: samples of the next piece. due: until when the first has to be there."""

    job: Speak
    saying: Saying
    resampling: Resampling
    loudness: Loudness
    due: float
    heard_at: float
    least: int
    made: float = 0.0  # s of sound
    given: list[bytes] = field(default_factory=list)
    ready: list[I16] = field(default_factory=list)

    def feed(self, sound: I16 | None) -> None:
        """Sound as the synthesiser has it; None: there is no more."""
        raw = np.zeros(0, np.float32) if sound is None else sound.astype(np.float32)
        self.made += len(raw) / self.saying.rate
        at_rate = self.resampling.feed(raw, over=sound is None)
        self.ready.append(self.loudness.feed(at_rate, over=sound is None))

    def piece(self, over: bool) -> bytes | None:
        """The next one, where it is long enough or the last."""
        if not over and sum(map(len, self.ready)) < self.least:
            return None
        pcm = np.concatenate(self.ready).astype("<i2").tobytes() if self.ready else b""
        self.ready.clear()
        self.given.append(pcm)
        return pcm


class Speaking:
    """A `Craft` (media/speech/jobs.py) over a voice."""

    def __init__(self, voice: Voice, terms: Terms | None = None) -> None:
        self.terms = terms or Terms()
        self._voice = voice
        self._line: list[tuple[float, int, Speak]] = []  # a heap by when it is due
        self._serial = count()
        self._now: _Underway | None = None
        self._refused: list[AnyResult] = []
        self._kept: OrderedDict[tuple[str, ...], tuple[str, bytes]] = OrderedDict()
        self._kept_bytes = 0
        self._levels: OrderedDict[str, float] = OrderedDict()  # dBov, of each voice

    @property
    def offer(self) -> Offer:
        return Offer("speak", self._voice.name, languages=self._voice.languages, why=self._voice.why)

    @property
    def busy(self) -> bool:
        return bool(self._now or self._line or self._refused)

    def take(self, job: AnyJob, now: float) -> None:
        """Put it in line; of what is too much, the newest is refused."""
        if not isinstance(job, Speak):
            self._refuse(job.key, "this worker speaks, and does nothing else", ever=True)
        elif job.rate not in RATES:
            self._refuse(job.key, f"a voice at {job.rate} Hz is not made; ask for one of {RATES}", ever=True)
        elif len(self._line) >= self.terms.waiting:
            self._refuse(job.key, f"{len(self._line)} texts wait to be said already", ever=False)
        elif math.isfinite(job.due_s):
            heapq.heappush(self._line, (now + job.due_s, next(self._serial), job))

    def work(self, now: float) -> Sequence[AnyResult]:
        """A piece of the text that is being said, or of the most urgent one that waits."""
        refused, self._refused = self._refused, []
        if self._now is None:
            refused += self._begin(now)
        return [*refused, *self._go_on(now)]

    def close(self) -> None:
        self._end()
        self._voice.close()

    def _refuse(self, key: str, why: str, *, ever: bool) -> None:
        if len(self._refused) < self.terms.waiting:
            self._refused.append(Failed(key, self._voice.name, why=why, ever=ever))

    def _begin(self, now: float) -> list[AnyResult]:
        while self._line:
            due, _, job = heapq.heappop(self._line)
            if due <= now:
                continue
            kept = self._kept.get(_words(job))
            if kept is not None:
                self._kept.move_to_end(_words(job))
                return [Spoken(job.key, kept[0], pcm=kept[1], rate=job.rate)]
            try:
                saying = self._voice.say(sayable(job.text), job.language, job.gender, job.voice)
            except VoiceFault as fault:
                return [Failed(job.key, self._voice.name, why=str(fault), ever=fault.ever)]
            self._now = _Underway(
                job,
                saying,
                Resampling(saying.rate, job.rate),
                Loudness(job.rate, self._levels.get(saying.by)),
                due,
                now,
                int(self.terms.first_s * job.rate),
            )
            break
        return []

    def _go_on(self, now: float) -> list[AnyResult]:
        saying = self._now
        if saying is None:
            return []
        try:
            return self._pieces(saying, now)
        except VoiceFault as fault:
            self._end()
            return [Failed(saying.job.key, saying.saying.by, why=str(fault), ever=fault.ever)]

    def _pieces(self, one: _Underway, now: float) -> list[AnyResult]:
        sound = one.saying.read(self.terms.patience_s)
        if sound is not None and not len(sound):
            if not one.given and now >= one.due:
                self._end()
            elif now - one.heard_at > self.terms.stall_s:
                raise VoiceFault(f"it said nothing more for {self.terms.stall_s:.0f} s", ever=False)
            return []
        one.heard_at = now
        one.feed(sound)
        if one.made > MOST_S:
            raise VoiceFault(f"it was still speaking after {MOST_S:.0f} s", ever=True)
        pcm = one.piece(sound is None)
        if pcm is None:
            return []
        one.least = min(2 * one.least, int(self.terms.longest_s * one.job.rate))
        if sound is None:
            return [self._over(one, pcm)]
        return [Spoken(one.job.key, one.saying.by, pcm=pcm, rate=one.job.rate, over=False)]

    def _over(self, one: _Underway, last: bytes) -> AnyResult:
        self._end()
        job, by, cost = one.job, one.saying.by, one.saying.cost_s
        if not any(one.given):
            return Failed(job.key, by, cost, why="the voice made silence of it", ever=True)
        level = one.loudness.level
        if level is not None:
            _remember(self._levels, by, level)
        self._keep(job, by, b"".join(one.given))
        return Spoken(job.key, by, cost, pcm=last, rate=job.rate)

    def _keep(self, job: Speak, by: str, pcm: bytes) -> None:
        if len(job.text) > self.terms.kept_characters or len(pcm) > self.terms.kept_bytes:
            return
        self._kept[_words(job)] = (by, pcm)
        self._kept_bytes += len(pcm)
        while self._kept_bytes > self.terms.kept_bytes:
            self._kept_bytes -= len(self._kept.popitem(last=False)[1][1])

    def _end(self) -> None:
        if self._now is not None:
            self._now.saying.close()
            self._now = None


def _words(job: Speak) -> tuple[str, ...]:
    """All that decides how it sounds."""
    return (job.text, job.language, job.gender, job.voice, str(job.rate))


def _remember(levels: OrderedDict[str, float], by: str, level: float) -> None:
    levels[by] = level
    levels.move_to_end(by)
    while len(levels) > MOST_VOICES:
        levels.popitem(last=False)
