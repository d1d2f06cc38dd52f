"""A call that is captioned on a virtual clock: the node's ear, and a worker that takes as long as it takes.

The sound comes in blocks of 20 ms; what the recogniser costs is measured, and its answer comes so much later
on the clock of the call. Nothing waits in between but what would: one core does all of the work.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from time import process_time

import numpy as np

from media.columns import I16
from media.speech.ear import Ear
from media.speech.hearing import Hearing
from media.speech.io.vad import TwoStage
from media.speech.jobs import AnyResult
from media.speech.messages import Attend, Said, Talking
from media.speech.recogniser import Recogniser
from media.speech.segment import Terms
from media.speech.shedding import Shedding
from media.speech.shedding import Terms as Sheds
from media.tap import HEARD, Frame, Part

BLOCK_S = 0.02
PAUSE_S = 1.5  # between two clips: each ends an utterance
IDLE = 8.0  # level of a line on which nobody speaks
LEG, WORKER = 1, 1
SETTLE_S = 6.0
LEGS = 16


@dataclass
class Heard:
    """Of a clip. text: of its utterances, in a row. first_s: from the beginning of speech to the first text
    that is shown; final_s: from its end to the last, of each utterance.
    """

    text: str = ""
    first_s: list[float] = field(default_factory=list)
    final_s: list[float] = field(default_factory=list)


@dataclass
class Captions:
    """What came of a call: its clips, seconds of speech and of a core, the ear's and the recogniser's."""

    clips: list[Heard]
    speech_s: float
    ear_s: float
    recogniser_s: float


class Call:
    """One leg, captioned by one recogniser."""

    def __init__(self, recogniser: Recogniser, languages: tuple[str, ...], rate: int) -> None:
        self.rate = rate
        self.hearing = Hearing(recogniser, process_time)
        self.ear = Ear(TwoStage(), lambda pcm, rate: "", shedding=Shedding(Sheds(cores=1e9)))
        self.ear.came(WORKER, [self.hearing.offer], 0.0)
        self.ear.attend(Attend(LEG, languages))
        self.now, self.tick, self.free_at = 0.0, 0, 0.0
        self.answers: deque[tuple[float, AnyResult]] = deque()
        self.said: list[tuple[float, Said]] = []
        self.onsets: list[float] = []
        self.ear_s = self.recogniser_s = 0.0

    def hear(self, sound: I16) -> tuple[float, float]:
        """Sound of the leg; s from when to when it was."""
        begin, size = self.now, round(self.rate * BLOCK_S)
        whole = np.pad(sound, (0, -len(sound) % size)).reshape(-1, size)
        for block in whole:
            self._pass(block)
        return begin, self.now

    def _pass(self, block: I16) -> None:
        self.now += BLOCK_S
        self.tick += 1
        since = process_time()
        part = Part(HEARD, self.rate, np.array([LEG]), np.zeros(1, np.float32), block[None])
        self.ear.hear(0, Frame(self.tick, [part]), self.now)
        self.ear.tick(self.now)
        while self.answers and self.answers[0][0] <= self.now:
            self.ear.answered(self.answers.popleft()[1], self.now)
        self.ear_s += process_time() - since
        self._note()
        self._work()

    def _note(self) -> None:
        for event in self.ear.events:
            if isinstance(event, Said):
                self.said.append((self.now, event))
            elif isinstance(event, Talking) and event.speaks:
                self.onsets.append(event.at + Terms().lead_s)
        self.ear.events = []

    def _work(self) -> None:
        """The worker, as far as it is by now."""
        jobs, self.ear.jobs = self.ear.jobs, []
        since = process_time()
        for _, job in jobs:
            self.hearing.take(job, self.now)
        self.recogniser_s += process_time() - since
        while self.hearing.busy and self.free_at <= self.now:
            since = process_time()
            done = self.hearing.work(self.now)
            spent = process_time() - since
            self.recogniser_s += spent
            self.free_at = max(self.free_at, self.now) + spent
            self.answers += [(self.free_at, answer) for answer in done]


def captioned(
    recogniser: Recogniser, sounds: list[I16], rate: int, languages: tuple[str, ...] = ("en",)
) -> Captions:
    """All of the sounds as one call, one after the other."""
    call, rng = Call(recogniser, languages, rate), np.random.default_rng(1)

    def idle(seconds: float) -> I16:
        return rng.normal(0.0, IDLE, int(seconds * rate)).astype(np.int16)

    call.hear(idle(1.0))
    spans = []
    for sound in sounds:
        spans.append(call.hear(sound))
        call.hear(idle(PAUSE_S))
    call.hear(idle(SETTLE_S))
    heard = [_heard(call, begin - 0.3, end + 0.3) for begin, end in spans]
    speech = sum(end - begin for begin, end in spans)
    call.hearing.close()
    return Captions(heard, speech, call.ear_s, call.recogniser_s)


def ear_alone(sounds: list[I16], rate: int, legs: int = LEGS, seconds: float = 10.0) -> float:
    """Seconds of a core for a second of one leg's sound, of many who all speak at once; nobody recognises."""
    size, whole = round(rate * BLOCK_S), np.concatenate(sounds)
    ear = Ear(TwoStage(), lambda pcm, rate: "", shedding=Shedding(Sheds(cores=1e9)))
    numbers, late = np.arange(1, legs + 1), np.zeros(legs, np.float32)
    for leg in numbers.tolist():
        ear.attend(Attend(leg, ("en",)))
    ticks = round(seconds / BLOCK_S)
    starts = np.linspace(0, max(0, len(whole) - ticks * size - 1), legs).astype(np.int64)
    since = process_time()
    for tick in range(1, ticks + 1):
        block = whole[(starts[:, None] + (tick - 1) * size + np.arange(size)) % len(whole)]
        ear.hear(0, Frame(tick, [Part(HEARD, rate, numbers, late, block)]), tick * BLOCK_S)
        ear.tick(tick * BLOCK_S)
        ear.events.clear()
        ear.jobs.clear()
    return (process_time() - since) / seconds / legs


def _heard(call: Call, begin: float, end: float) -> Heard:
    """Of the utterances that began in between."""
    found = Heard()
    numbers = dict.fromkeys(each.utterance for _, each in call.said if begin <= each.begin < end)
    for number in numbers:
        own = [(at, each) for at, each in call.said if each.utterance == number]
        onset = call.onsets[number - 1]
        found.first_s += [at - onset for at, each in own if each.stands or each.guess][:1]
        found.final_s += [at - each.end for at, each in own if each.over and each.stands]
        found.text += " " + own[-1][1].stands
    return found
