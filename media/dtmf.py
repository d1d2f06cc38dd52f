"""Telephone events (RFC 4733): digits heard on a leg, and digits sent.

An event is known by its timestamp, which all its packets share, and is over with the first packet that has
the end bit; the marker bit is not looked at, because it is lost with the first packet and some phones never
set it.
"""

from __future__ import annotations

import struct
from collections import deque
from typing import NamedTuple

from media.clock import RATE, TICKS
from media.rtp import U32

DIGITS = "0123456789*#ABCD"
EVENT = struct.Struct("!BBH")  # event, end bit and volume, duration
END = 0x80
VOLUME = 10  # -10 dBm0
REPEATS = 3  # end packets sent, RFC 4733 section 2.5.1.4
GAP = 4  # ticks between two digits
LOST = 0.2  # s without a packet of an event whose end was lost
SEGMENT = 0xFFFF  # longest duration a packet can tell; a longer event goes on under a new timestamp
MAX_QUEUE = 64  # digits waiting to be sent


class Heard(NamedTuple):
    """One key press. ms: how long, as far as known."""

    digit: str
    ms: int


class Listener:
    """Digits of one leg's incoming events, each told once."""

    __slots__ = ("_duration", "_event", "_last", "_timestamp", "clock", "pressed")

    def __init__(self) -> None:
        self.clock = RATE  # Hz of the durations told
        self.pressed = False
        self._timestamp = -1
        self._event = -1
        self._duration = 0
        self._last = 0.0

    def packet(self, timestamp: int, payload: bytes, now: float) -> list[Heard]:
        """An event packet, its payload of 4 bytes or more; returns the digits that end with it."""
        if len(payload) < EVENT.size:
            return []
        event, flags, duration = EVENT.unpack_from(payload)
        if event >= len(DIGITS):
            return []  # flash, tones and trunk signals
        heard: list[Heard] = []
        if timestamp != self._timestamp:
            behind = self._timestamp >= 0 and (timestamp - self._timestamp & U32) >= 1 << 31
            if behind:
                return []  # a straggler of an event before this one
            goes_on = self.pressed and event == self._event and self._duration == SEGMENT
            if self.pressed and not goes_on:
                heard.append(self._end())
            self._timestamp = timestamp
            self._event = event
            self._duration = 0
            self.pressed = True
        elif not self.pressed:
            return []  # the end again
        self._last = now
        self._duration = max(self._duration, duration)
        if flags & END:
            heard.append(self._end())
        return heard

    def overdue(self, now: float) -> list[Heard]:
        """The digit whose end packets were lost, once nothing of it has come for LOST s."""
        if self.pressed and now - self._last >= LOST:
            return [self._end()]
        return []

    def forget(self) -> None:
        """Another stream begins: its timestamps say nothing about those before."""
        self._timestamp = -1

    def _end(self) -> Heard:
        self.pressed = False
        return Heard(DIGITS[self._event], self._duration * 1000 // self.clock)


class EventPacket(NamedTuple):
    """begins: first of its digit (marker bit, and a timestamp of its own that the rest share)."""

    begins: bool
    payload: bytes


class Dialler:
    """Digits of one leg's outgoing events: a packet a tick, the end three times. clock: Hz of durations."""

    def __init__(self, clock: int = RATE) -> None:
        self.clock = clock
        self._queue: deque[tuple[int, int]] = deque()
        self._elapsed = 0
        self._pause = 0

    @property
    def dialling(self) -> bool:
        return bool(self._queue) or self._pause > 0

    def dial(self, digits: str, ms: int) -> bool:
        """Queue digits, each `ms` long (40 to 2000); False when one is no digit or there is no room."""
        events = [DIGITS.find(digit) for digit in digits.upper()]
        if min(events, default=-1) < 0 or len(self._queue) + len(events) > MAX_QUEUE:
            return False
        duration = min(min(max(ms, 40), 2000) * self.clock // 1000, SEGMENT)
        self._queue.extend((event, duration) for event in events)
        return True

    def tick(self) -> list[EventPacket]:
        """What to send at this tick."""
        if self._pause:
            self._pause -= 1
            return []
        if not self._queue:
            return []
        event, duration = self._queue[0]
        begins = self._elapsed == 0
        self._elapsed = min(self._elapsed + self.clock // TICKS, duration)
        over = self._elapsed >= duration
        packet = EventPacket(begins, EVENT.pack(event, (END if over else 0) | VOLUME, self._elapsed))
        if not over:
            return [packet]
        self._queue.popleft()
        self._elapsed = 0
        self._pause = GAP
        return [packet, *[EventPacket(False, packet.payload)] * (REPEATS - 1)]
