"""An ear among scripted hands: sound by levels, a recogniser that knows what is said, a virtual clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from media.speech.ear import Ear
from media.speech.jobs import (
    AnyJob,
    AnyResult,
    Forget,
    Hear,
    Heard,
    Offer,
    Speak,
    Spoken,
    Translate,
    Translated,
)
from media.speech.messages import Attend, Into, SpeechEvent
from media.speech.word import Guess, Word
from media.tap import HEARD, Frame, Part

E = TypeVar("E")
RATE = 8000
BLOCK = RATE // 50
HEARING = Offer("hear", "script", ("es", "en"), streams=True)
SPEAKING = Offer("speak", "voice")
TRANSLATING = Offer("translate", "book", pairs=(("es", "en", True), ("en", "es", True)))


class Levels:
    """VAD by loudness."""

    def passes(self, rows: Any, blocks: Any, rate: int) -> Any:
        return np.abs(blocks).max(axis=1) > 100

    def sure(self, rows: Any, blocks: Any, rate: int) -> Any:
        return np.where(np.abs(blocks).max(axis=1) > 1000, 0.9, 0.1).astype(np.float32)

    def forget(self, row: int) -> None: ...


@dataclass
class Script:
    """Says the words whose end lies within what it has heard; `each_s` is how long one takes."""

    words: list[str]
    each_s: float = 0.4
    heard: dict[str, int] = field(default_factory=dict)
    cost_s: float = 0.0

    def __call__(self, job: AnyJob) -> list[AnyResult]:
        if isinstance(job, Forget):
            self.heard.pop(job.stream, None)
            return []
        assert isinstance(job, Hear)
        have = self.heard.get(job.stream, 0)
        if job.at > have:
            return [Heard(job.key, "script", missing=have)]
        self.heard[job.stream] = max(have, job.at + len(job.pcm) // 2)
        seconds = self.heard[job.stream] / job.rate
        words = tuple(
            Word(f" {text}", job.begin + at * self.each_s, job.begin + (at + 1) * self.each_s)
            for at, text in enumerate(self.words)
            if (at + 1) * self.each_s <= seconds
        )
        return [Heard(job.key, "script", self.cost_s, guess=Guess(0, words), low=True)]


def shout(job: AnyJob) -> list[AnyResult]:
    """A translator that shouts, and a voice that is as long as its text."""
    if isinstance(job, Translate):
        return [Translated(job.key, "book", text=job.text.upper(), gist=True)]
    assert isinstance(job, Speak)
    half = np.ones(40 * len(job.text), "<i2").tobytes()
    return [Spoken(job.key, "voice", pcm=half, over=False), Spoken(job.key, "voice", pcm=half)]


class Scene:
    def __init__(self, **more: Any) -> None:
        self.now = 100.0
        self.tick = 0
        self.files: list[bytes] = []
        self.full = False  # the disk
        self.ear = Ear(Levels(), self._write, **more)
        self.events: list[SpeechEvent] = []
        self.asked: list[tuple[int, AnyJob]] = []
        self.hands: dict[int, Callable[[AnyJob], list[AnyResult]]] = {}

    def _write(self, pcm: bytes, rate: int) -> str:
        if self.full:
            return ""
        self.files.append(pcm)
        return f"clip-{len(self.files)}"

    def hand(self, number: int, answers: Callable[[AnyJob], list[AnyResult]], *offers: Offer) -> None:
        self.hands[number] = answers
        self.ear.came(number, offers, self.now)

    def attend(self, leg: int = 1, languages: tuple[str, ...] = ("es",), *into: Into) -> None:
        self.ear.attend(Attend(leg, languages, into))

    def listen(
        self, seconds: float, level: int = 0, legs: tuple[int, ...] = (1,), made: bool = False
    ) -> None:
        """Time passes, and the legs are as loud as that."""
        for _ in range(round(seconds * 50)):
            self.now += 0.02
            self.tick += 1
            shape = (len(legs), BLOCK)
            part = Part(
                HEARD, RATE, np.array(legs), np.zeros(len(legs), np.float32),
                np.full(shape, level, np.int16), np.full(len(legs), made),
            )  # fmt: skip
            self.ear.hear(7, Frame(self.tick, [part]), self.now)
            self.ear.tick(self.now)
            self.work()

    def speak(self, seconds: float, legs: tuple[int, ...] = (1,)) -> None:
        self.listen(seconds, 5000, legs)

    def work(self) -> None:
        """Everybody who is there does what is asked, at once."""
        while self.ear.jobs:
            jobs, self.ear.jobs = self.ear.jobs, []
            self.asked += jobs
            for number, job in jobs:
                if number in self.hands:
                    for answer in self.hands[number](job):
                        self.ear.answered(answer, self.now)
        self.events += self.ear.events
        self.ear.events = []

    def kill(self, number: int) -> None:
        del self.hands[number]
        self.ear.gone(number, self.now)
        self.work()

    def told(self, kind: type[E]) -> list[E]:
        return [each for each in self.events if isinstance(each, kind)]

    def jobs(self, kind: type[E]) -> list[E]:
        return [job for _, job in self.asked if isinstance(job, kind)]
