"""Taps: the sound of legs given to other processes, one block a tick for each leg and direction.

A subscriber is a process that listens at a Unix socket; the recorder is one, speech workers are others. A
tick's sound goes to it as one frame over a byte stream:

    head    4 bytes length of what follows, then `tick` int64, `parts` uint16, all little-endian
    part    direction uint8 (0 heard, 1 said), 3 bytes zero, uint32 each: rate in Hz, legs, samples a leg;
            then the leg numbers int64[legs], how late each is float32[legs], the samples
            int16[legs, samples], and whether each was made up uint8[legs]

How late a leg is are the ms that its sound waited here, so that a reader can put the sides of a call
together as they came. Made up is what stands for packets that were lost, not for a sender's rest. `heard` is
what the far end of a leg said, as received; `said` is what was sent to it. `tick` counts ticks of 20 ms since
the worker began, those without a frame too, so that a reader knows the true place of every block. A
subscriber that is slow loses whole ticks, which are counted; nothing here ever waits.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from media.columns import F32, I16, I64, Bool
from media.recording import TapLost

HEARD, SAID = 0, 1
HEAD = struct.Struct("<IqH")
PART = struct.Struct("<BxxxIII")
LIMIT = 4 * 1024 * 1024  # bytes that a subscriber may be behind, beside what the kernel holds
MAX_FRAME = 64 * 1024 * 1024
TELL_EVERY = 100  # ticks between reports of ticks lost
RETRY = 10  # ticks until a subscriber that is not there is looked for again


class Part(NamedTuple):
    """One direction of some legs at one rate: legs int64[n], late float32[n], ms, samples int16[n, block],
    made bool[n]: nothing of it came from packets that should have come; None where none is.
    """

    direction: int
    rate: int
    legs: I64
    late: F32
    samples: I16
    made: Bool | None = None


class Frame(NamedTuple):
    """What a reader gets of one tick."""

    tick: int
    parts: list[Part]


class Outlet(Protocol):
    """A stream to a subscriber."""

    def send(self, data: memoryview) -> int:
        """Bytes taken, 0 when none can be now. Raises ConnectionError when it is gone."""

    def close(self) -> None: ...


class NoSubscriber(ConnectionError):
    """Nobody listens there."""


Open = Callable[[str], Outlet]  # raises NoSubscriber


class Subscriber:
    """One at the far side of a socket: the legs it wants, and what it has not taken yet."""

    def __init__(self, to: str, open: Open) -> None:
        self.to = to
        self.legs: set[int] = set()
        self.lost = 0  # ticks not told of yet
        self.lost_ever = 0
        self._open = open
        self._outlet: Outlet | None = None
        self._waiting: deque[memoryview] = deque()
        self._bytes = 0
        self._again = 0
        self._wanted: I64 = np.empty(0, np.int64)
        self._places: dict[tuple[int, int], tuple[I64, I64 | None]] = {}

    @property
    def connected(self) -> bool:
        """It gets every tick, also those with no sound for it: time goes on while a recording is paused."""
        return self._outlet is not None

    def want(self, leg: int, wanted: bool) -> None:
        (self.legs.add if wanted else self.legs.discard)(leg)
        self._wanted = np.array(sorted(self.legs), np.int64)
        self._places.clear()

    def offer(self, tick: int, parts: Sequence[Part]) -> None:
        """Send what it wants of a tick, or count the tick as lost."""
        if self._outlet is None and not self._connect(tick):
            self._lose()
            return
        self.flush()
        if self._bytes > LIMIT or self._outlet is None:
            self._lose()
            return
        frame = encode(tick, [part for each in parts if (part := self._select(each)) is not None])
        self._waiting.append(memoryview(frame))
        self._bytes += len(frame)
        self.flush()

    def flush(self) -> None:
        """Send on what waits, as far as it is taken."""
        try:
            while self._waiting and self._outlet is not None:
                data = self._waiting[0]
                sent = self._outlet.send(data)
                self._bytes -= sent
                if sent < len(data):
                    self._waiting[0] = data[sent:]
                    return
                self._waiting.popleft()
        except ConnectionError:
            self.close()

    def close(self) -> None:
        """Part from it; what waits is of no use to who comes next."""
        if self._outlet is not None:
            self._outlet.close()
            self._outlet = None
        self._waiting.clear()
        self._bytes = 0

    def _connect(self, tick: int) -> bool:
        if tick < self._again:
            return False
        try:
            self._outlet = self._open(self.to)
        except NoSubscriber:
            self._again = tick + RETRY
            return False
        return True

    def _lose(self) -> None:
        self.lost += 1
        self.lost_ever += 1

    def _select(self, part: Part) -> Part | None:
        """The part's legs that are wanted here; which these are is found anew only when either changes."""
        key = part.direction, part.rate
        known = self._places.get(key)
        if known is None or len(known[0]) != len(part.legs) or not (known[0] == part.legs).all():
            here = np.isin(part.legs, self._wanted)
            known = self._places[key] = part.legs.copy(), None if here.all() else np.flatnonzero(here)
        places = known[1]
        if places is None:
            return part if len(part.legs) else None
        if not len(places):
            return None
        made = None if part.made is None else part.made[places]
        return Part(
            part.direction, part.rate, part.legs[places], part.late[places], part.samples[places], made
        )


class Taps:
    """All subscribers of a worker. `open` connects to the Unix socket of one."""

    def __init__(self, open: Open) -> None:
        self.legs: frozenset[int] = frozenset()  # the numbers of all that are tapped
        self.tick = 0
        self._open = open
        self._subscribers: dict[str, Subscriber] = {}
        self._told = 0

    def tap(self, leg: int, to: str) -> None:
        """Let the subscriber have the leg."""
        subscriber = self._subscribers.get(to)
        if subscriber is None:
            subscriber = self._subscribers[to] = Subscriber(to, self._open)
        subscriber.want(leg, True)
        self._count()

    def untap(self, leg: int, to: str) -> None:
        """Take the leg from the subscriber; safe when it has it not."""
        subscriber = self._subscribers.get(to)
        if subscriber is None:
            return
        subscriber.want(leg, False)
        self._count()

    def forget(self, leg: int) -> None:
        """The leg is closed."""
        if leg in self.legs:
            for to in list(self._subscribers):
                self.untap(leg, to)

    def give(self, parts: Sequence[Part], skipped: int = 0) -> list[TapLost]:
        """One tick's sound of the tapped legs, whatever subscribers want of it. Once every tick, also empty.

        skipped: ticks before this one that were left out. Returns what is to be told.
        """
        self.tick += skipped + 1
        for subscriber in self._subscribers.values():
            if subscriber.legs or subscriber.connected:
                subscriber.offer(self.tick, parts)
        if self.tick < self._told + TELL_EVERY:
            return []
        self._told = self.tick
        return self._tell()

    def flush(self) -> None:
        """Send on what subscribers could not take at the tick."""
        for subscriber in self._subscribers.values():
            subscriber.flush()

    def close(self) -> None:
        for subscriber in self._subscribers.values():
            subscriber.close()
        self._subscribers.clear()

    def _tell(self) -> list[TapLost]:
        """What each has lost since. Who wants nothing and is not there is known no more."""
        told = []
        for subscriber in list(self._subscribers.values()):
            if subscriber.lost:
                told.append(TapLost(subscriber.to, subscriber.lost))
                subscriber.lost = 0
            if not (subscriber.legs or subscriber.connected):
                del self._subscribers[subscriber.to]
        return told

    def _count(self) -> None:
        self.legs = frozenset().union(*(each.legs for each in self._subscribers.values()))


def encode(tick: int, parts: Sequence[Part]) -> bytes:
    """The frame of a tick."""
    pieces: list[bytes | memoryview] = [b""]
    for part in parts:
        count, block = part.samples.shape
        pieces.append(PART.pack(part.direction, part.rate, count, block))
        pieces.append(np.ascontiguousarray(part.legs, np.int64).data.cast("B"))
        pieces.append(np.ascontiguousarray(part.late, np.float32).data.cast("B"))
        pieces.append(np.ascontiguousarray(part.samples, np.int16).data.cast("B"))
        pieces.append(bytes(count) if part.made is None else part.made.astype(np.uint8).tobytes())
    size = sum(map(len, pieces)) + HEAD.size - 4
    pieces[0] = HEAD.pack(size, tick, len(parts))
    return b"".join(pieces)


class Reader:
    """The subscriber's side: bytes of the stream in, frames out, their arrays views into what came."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes | memoryview) -> Iterator[Frame]:
        """Frames that `data` completes. Raises ValueError for what is no frame."""
        self._buffer += data
        at = 0
        while len(self._buffer) - at >= HEAD.size:
            size = int.from_bytes(self._buffer[at : at + 4], "little")
            if not HEAD.size - 4 <= size <= MAX_FRAME:
                raise ValueError(f"a tap's frame of {size} bytes")
            if len(self._buffer) - at - 4 < size:
                break
            yield decode(bytes(memoryview(self._buffer)[at : at + 4 + size]))
            at += 4 + size
        del self._buffer[:at]


def decode(frame: bytes) -> Frame:
    """One whole frame. Raises ValueError when its parts do not fill it."""
    _, tick, count = HEAD.unpack_from(frame)
    at, parts = HEAD.size, []
    for _ in range(count):
        if len(frame) - at < PART.size:
            raise ValueError("a tap's frame ends within a part")
        direction, rate, legs, block = PART.unpack_from(frame, at)
        at += PART.size
        if len(frame) - at < 13 * legs + 2 * legs * block:
            raise ValueError("a tap's frame ends within a part")
        numbers = np.frombuffer(frame, "<i8", legs, at)
        late = np.frombuffer(frame, "<f4", legs, at + 8 * legs)
        samples = np.frombuffer(frame, "<i2", legs * block, at + 12 * legs).reshape(legs, block)
        made = np.frombuffer(frame, "?", legs, at + 12 * legs + 2 * legs * block)
        at += 13 * legs + 2 * legs * block
        parts.append(Part(direction, rate, numbers.astype(np.int64, copy=False), late, samples, made))
    return Frame(tick, parts)
