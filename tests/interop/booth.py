"""A node's speech processes with people who speak to them: sound by the tick, as media workers bring it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from config.load import SHIPPED, load
from config.schema import Config
from engine.speech.house import House
from engine.voice import say, telephone
from media.columns import I16, I64
from media.speech.messages import Attend, Crafts, SpeechEvent
from media.tap import HEARD, Part, encode

RATE = 8000
BLOCK = RATE // 50
TICK_S = 0.02
READY_S = 60.0
E = TypeVar("E")


def shipped(**language: object) -> Config:
    """The shipped configuration with other settings of language.yaml."""
    config = load(SHIPPED, {})
    return replace(config, language=replace(config.language, **language))  # type: ignore[arg-type]


def speech(text: str, voice: str, before_s: float = 0.3, after_s: float = 0.0) -> I16:
    """int16[n] at RATE, with silence around."""
    rate, sound = say(text, voice=voice)
    quiet = [np.zeros(round(each * RATE), np.int16) for each in (before_s, after_s)]
    return np.concatenate([quiet[0], telephone(sound, rate, RATE), quiet[1]])


class Booth:
    """legs: who is attended, and on which terms, also after the ear died."""

    def __init__(self, config: Config, *legs: Attend) -> None:
        self.events: list[tuple[float, SpeechEvent]] = []
        self._legs = legs
        self._news = asyncio.Event()
        self._tap: socket.socket | None = None
        self._tick = 0
        self._loop = asyncio.get_running_loop()
        self.house = self.built(config)
        self.house.take_up()

    @property
    def now(self) -> float:
        return self._loop.time()

    def built(self, config: Config) -> House:
        return House(config, self._told, self._ready, lambda: None)

    async def move(self, config: Config) -> float:
        """To processes of another configuration, as a node does (Engine.move_house); when."""
        house = self.built(config)
        await house.up()
        former, self.house = self.house, house
        self.part()
        since = self.now
        house.take_up()
        await former.close()
        return since

    def _told(self, events: list[SpeechEvent]) -> None:
        self.events += [(self.now, event) for event in events]
        self._news.set()

    def _ready(self) -> None:
        for leg in self._legs:
            self.house.send(leg)

    async def until(self, holds: Callable[[], bool], seconds: float = READY_S) -> None:
        """Wait for something that events bring. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not holds():
                self._news.clear()
                await self._news.wait()

    def told(self, kind: type[E], since: float = 0.0) -> list[E]:
        return [event for at, event in self.events if at >= since and isinstance(event, kind)]

    def crafts(self) -> set[str]:
        """That somebody does now."""
        told = self.told(Crafts)
        return {offer.craft for offer in told[-1].offers} if told else set()

    async def say(self, leg: int, sound: I16) -> float:
        """Speak it, in as long as it takes; when it was over."""
        began = await self.speak({leg: sound})
        return began + len(sound) // BLOCK * TICK_S

    async def speak(self, sounds: Mapping[int, I16]) -> float:
        """Legs speak at once, for as long as the longest takes; when they began."""
        start, ticks = self.now, max(map(len, sounds.values())) // BLOCK
        legs = np.array(list(sounds), np.int64)
        blocks = np.zeros((len(legs), ticks, BLOCK), np.int16)
        for row, sound in zip(blocks, sounds.values()):
            whole = len(sound) // BLOCK
            row[:whole] = sound[: whole * BLOCK].reshape(whole, BLOCK)
        for at in range(ticks):
            self._bring(legs, blocks[:, at])
            due = self._loop.create_future()
            timer = self._loop.call_at(start + (at + 1) * TICK_S, due.set_result, None)
            try:
                await due
            finally:
                timer.cancel()
        return start

    def _bring(self, legs: I64, blocks: I16) -> None:
        """A tick of a worker that looks for the ear again as one does."""
        self._tick += 1
        part = Part(HEARD, RATE, legs, np.zeros(len(legs), np.float32), blocks)
        try:
            if self._tap is None and self._tick % 10 == 0:
                tap = socket.socket(socket.AF_UNIX)
                tap.connect(self.house.taps)
                self._tap = tap
            if self._tap is not None:
                self._tap.sendall(encode(self._tick, [part]))
        except OSError:
            self.part()

    async def until_reserved(self) -> None:
        """Every process has another that would take its place."""
        async with asyncio.timeout(READY_S):
            while not self.house.reserved:
                due = self._loop.create_future()
                self._loop.call_later(0.1, due.set_result, None)
                await due

    def part(self) -> None:
        if self._tap is not None:
            self._tap.close()
            self._tap = None

    def kill(self, name: str) -> float:
        """kill -9 of all that do it; when."""
        for pid in self.house.pids[name]:
            os.kill(pid, signal.SIGKILL)
        return self.now


@asynccontextmanager
async def booth(config: Config, *legs: Attend) -> AsyncIterator[Booth]:
    """With all its processes there."""
    made = Booth(config, *legs)
    made.house.wake()
    try:
        await made.until(lambda: made.crafts() >= {"hear", "translate", "speak"})
        await made.until_reserved()
        yield made
    finally:
        made.part()
        await made.house.close()


def fixtures(name: str) -> Path:
    """A small model that the tests have."""
    return Path(__file__).resolve().parents[1] / "media" / "speech" / "models" / name
