"""Prompts and music into a leg: files one after the other, loops that give way to announcements.

A play that loops (music) gives way to a play queued after it and goes on where it was when that has ended;
a second loop replaces the first. Sounds are decoded, made mono and brought to the rendered rate once, and
shared by all legs.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from media.clock import RATE
from media.columns import I16, I32
from media.resample import resample

MAX_QUEUE = 64  # plays waiting on a leg
MAX_ITEMS = 64  # files in a play


class Unreadable(Exception):
    """The file is missing, no WAV, or of a kind that is not played."""


class Sounds(Protocol):
    """Where a player gets its samples."""

    def get(self, path: str, rate: int) -> I16 | None:
        """Samples at `rate` Hz, or None while they are being loaded. Raises Unreadable."""


def to_plane(samples: I16, rate: int, to: int) -> I16:
    """Samples int16[n, channels] at `rate` Hz as one channel at `to` Hz. Raises Unreadable."""
    if not 4000 <= rate <= 192_000 or samples.size == 0:
        raise Unreadable(f"{samples.shape[0]} samples at {rate} Hz")
    mono = resample(samples.mean(axis=1, dtype=np.float32), rate, to)
    return np.clip(np.rint(mono), -32767, 32767).astype(np.int16)


class Cache:
    """Loaded sounds by path and rate, the longest unused forgotten once they are over `limit` bytes."""

    def __init__(self, limit: int = 64 * 1024 * 1024) -> None:
        self._limit = limit
        self._bytes = 0
        self._sounds: OrderedDict[tuple[str, int], I16] = OrderedDict()

    def get(self, path: str, rate: int) -> I16 | None:
        sound = self._sounds.get((path, rate))
        if sound is not None:
            self._sounds.move_to_end((path, rate))
        return sound

    def put(self, path: str, rate: int, sound: I16) -> None:
        """Keep the sound; players that have one which is forgotten keep playing it."""
        self._drop((path, rate))
        self._sounds[path, rate] = sound
        self._bytes += sound.nbytes
        while self._bytes > self._limit and len(self._sounds) > 1:
            self._drop(next(iter(self._sounds)))

    def _drop(self, key: tuple[str, int]) -> None:
        old = self._sounds.pop(key, None)
        if old is not None:
            self._bytes -= old.nbytes


@dataclass(slots=True)
class _Play:
    number: int
    items: list[str]
    loop: bool
    gain: float
    barge: bool = False
    item: int = 0
    position: int = 0
    sound: I16 | None = None
    heard: bool = False  # whether anything of this round could be played: a loop of unreadable files must end


class Done(NamedTuple):
    """A play that ended; completed: it was heard to its end; interrupted: by whom it was played to."""

    number: int
    completed: bool
    interrupted: bool = False


class Player:
    """What is played to one leg."""

    def __init__(self, sounds: Sounds) -> None:
        self._sounds = sounds
        self._rate = RATE
        self._loop: _Play | None = None
        self._queue: deque[_Play] = deque()
        self._quiet = False  # what may be interrupted waits for the one who began to speak
        self._faded = False

    @property
    def playing(self) -> bool:
        return bool(self._queue) or self._loop is not None

    @property
    def interruptible(self) -> bool:
        """Whether the listener's speech ends what plays now or next."""
        return any(play.barge for play in self._queue)

    def play(self, number: int, items: list[str], loop: bool, gain: float, barge: bool = False) -> list[Done]:
        """Queue a play; returns what ended by it, the play itself when there is no room or nothing in it.

        barge: who it is played to may interrupt it by speaking; of loops, nobody can.
        """
        if not items or len(items) > MAX_ITEMS or len(self._queue) >= MAX_QUEUE:
            return [Done(number, False)]
        play = _Play(number, list(items), loop, min(max(gain, 0.0), 8.0), barge and not loop)
        if not loop:
            self._queue.append(play)
            return []
        replaced = [Done(self._loop.number, False)] if self._loop is not None else []
        self._loop = play
        return replaced

    def stop(self, number: int | None) -> list[Done]:
        """Stop one play, or all."""
        plays = [*self._queue, *([self._loop] if self._loop is not None else [])]
        stopped = [play for play in plays if number is None or play.number == number]
        self._queue = deque(play for play in self._queue if play not in stopped)
        if self._loop in stopped:
            self._loop = None
        return [Done(play.number, False) for play in stopped]

    def pause(self) -> None:
        """Let a play that may be interrupted be silent, and stay where it is, from the next block on."""
        self._quiet = True

    def resume(self) -> None:
        """Let it go on."""
        self._quiet = False

    def interrupt(self) -> list[Done]:
        """End all plays that may be interrupted."""
        self.resume()
        ended = [play for play in self._queue if play.barge]
        self._queue = deque(play for play in self._queue if not play.barge)
        return [Done(play.number, False, True) for play in ended]

    def block(self, out: I32, rate: int, done: list[Done]) -> None:
        """Add the next block at `rate` Hz to `out`, int32[L]; plays that end are added to `done`."""
        if rate != self._rate:
            self._change_rate(rate)
        quiet = self._quiet and bool(self._queue) and self._queue[0].barge
        if quiet == self._faded:
            if not quiet:
                self._block(out, done)
            return
        self._faded = quiet
        apart = np.zeros_like(out)
        self._block(apart, done)
        line = np.arange(1, len(out) + 1, dtype=np.float32) / np.float32(len(out))
        out += np.rint(apart * (1 - line if quiet else line)).astype(np.int32)

    def _block(self, out: I32, done: list[Done]) -> None:
        """Add the next block at the present rate."""
        at = 0
        while at < len(out):
            play = self._queue[0] if self._queue else self._loop
            if play is None:
                return
            try:
                at, pending = self._fill(play, out, at)
            except Unreadable:
                self._next_item(play, False, done)
                continue
            if pending:
                return
            if play.sound is not None and play.position >= len(play.sound):
                play.heard = True
                self._next_item(play, True, done)

    def _change_rate(self, rate: int) -> None:
        """The leg is rendered at another rate from now on: everything goes on where it was."""
        for play in (*self._queue, *([self._loop] if self._loop is not None else [])):
            play.position = play.position * rate // self._rate
            play.sound = None
        self._rate = rate

    def _fill(self, play: _Play, out: I32, at: int) -> tuple[int, bool]:
        """Add what the play's present file has for the block from `at`; (where it got to, is it still
        loading).
        """
        if play.sound is None:
            play.sound = self._sounds.get(play.items[play.item], self._rate)
            if play.sound is None:
                return at, True
        piece = play.sound[play.position : play.position + len(out) - at]
        play.position += len(piece)
        if play.gain == 1.0:
            out[at : at + len(piece)] += piece
        else:
            out[at : at + len(piece)] += np.rint(piece * play.gain).astype(np.int32)
        return at + len(piece), False

    def _next_item(self, play: _Play, played: bool, done: list[Done]) -> None:
        play.item += 1
        play.position = 0
        play.sound = None
        if play.item < len(play.items):
            return
        if play.loop and play.heard:
            play.item = 0
            play.heard = False
            return
        done.append(Done(play.number, play.heard and played))
        if play is self._loop:
            self._loop = None
        else:
            self._queue.popleft()
