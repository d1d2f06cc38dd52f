"""A recogniser that has only so much of a processor, in virtual time, behind the craft of hearing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np

from media.speech.hearing import Hearing
from media.speech.jobs import AnyJob, AnyResult
from media.speech.recogniser import Said
from media.speech.word import Guess, Word
from media.tap import HEARD, Frame, Part
from tests.media.speech.scene import BLOCK, RATE, Scene

PIECE_S = 0.6
WORD_S = 0.4
SENTENCE_S, TURN_S = 3.4, 4.2  # of speech, and with the pause after it


class Slow:
    """Hears a sound once, piece by piece, at `cost` s of a core for a second of it."""

    name, batch, streams, low, languages, closed = "slow", 1, True, True, ("es",), ()

    def __init__(self, cost: float) -> None:
        self.cost, self.spent = cost, 0.0
        self._waiting: dict[str, int] = {}
        self._heard: dict[str, int] = {}
        self._rate = 8000

    def start(self, stream: str, rate: int, *_: object) -> None:
        self._waiting[stream] = self._heard[stream] = 0

    def feed(self, stream: str, pcm: bytes) -> None:
        self._waiting[stream] += len(pcm) // 2

    def guesses(self, streams: Sequence[str], finals: AbstractSet[str], now: float) -> Mapping[str, Said]:
        said = {}
        for name in streams:
            piece = min(self._waiting[name], int(PIECE_S * self._rate))
            self._waiting[name] -= piece
            self._heard[name] += piece
            self.spent += self.cost * piece / self._rate + 1e-4
            if not self._waiting[name]:
                said[name] = Said(Guess(0, self._words(name), name in finals), "es")
        return said

    def stop(self, stream: str) -> None:
        del self._waiting[stream], self._heard[stream]

    def close(self) -> None: ...

    @property
    def waiting_s(self) -> float:
        """Of sound that was not heard yet."""
        return sum(self._waiting.values()) / self._rate

    def _words(self, stream: str) -> tuple[Word, ...]:
        count = int(self._heard[stream] / self._rate / WORD_S)
        return tuple(Word(f" w{at}", at * WORD_S, (at + 1) * WORD_S) for at in range(count))


class BusyScene(Scene):
    """Worker 1 hears: it gets `cores` of a processor, which may change."""

    def __init__(self, cost: float, cores: float = 1.0, **more: Any) -> None:
        super().__init__(**more)
        self.cores = cores
        self.slow = Slow(cost)
        self.hearing = Hearing(self.slow, lambda: self.slow.spent)
        self._credit, self._at = 0.0, self.now
        self.hand(1, self._take, self.hearing.offer)

    def _take(self, job: AnyJob) -> list[AnyResult]:
        self.hearing.take(job, self.now)
        return []

    def talk(self, seconds: float, legs: Sequence[int]) -> None:
        """Sentence after sentence of each leg, one beginning after the other."""
        numbers = np.array(legs)
        for _ in range(round(seconds * 50)):
            self.now, self.tick = self.now + 0.02, self.tick + 1
            speaks = (self.now + numbers * TURN_S / len(legs)) % TURN_S < SENTENCE_S
            blocks = np.where(speaks[:, None], np.int16(5000), np.int16(0)) * np.ones(BLOCK, np.int16)
            part = Part(HEARD, RATE, numbers, np.zeros(len(legs), np.float32), blocks)
            self.ear.hear(7, Frame(self.tick, [part]), self.now)
            self.ear.tick(self.now)
            self.work()

    def work(self) -> None:
        super().work()
        if self.now > self._at:
            self._credit = min(self._credit, 0.0) + self.cores * (self.now - self._at)
            self._at = self.now
            while self._credit > 0 and self.hearing.busy:
                before = self.slow.spent
                for answer in self.hearing.work(self.now):
                    self.ear.answered(answer, self.now)
                self._credit -= self.slow.spent - before
            super().work()
