"""The core's clock: its two periods, when each is next due, and NTP timestamps. Time is always passed in."""

from __future__ import annotations

TICK = 0.020  # s, rendered legs move at every tick
DRAIN = 0.005  # s, relayed packets wait this long at most
DENSE_DRAIN = 0.003  # s, where so many come that a drain's own length adds to their delay
DENSE = 25_000  # packets a second from which that is so; a drain's fixed cost is small beside theirs
SPARSE = 8_000  # packets a second under which a drain costs more than those that it takes
SLACK = 0.0005  # s by which a drain may be due behind a tick and still come before it
TICKS = 50  # a second
RATE = 8000  # Hz of the narrow plane, in which telephone sound is rendered
WIDE = 16000  # Hz of the other
BLOCK = 160  # samples of a tick at RATE
LATE = 0.060  # s behind at which ticks are skipped rather than made up for

NTP_EPOCH = 2_208_988_800  # s from 1900 to 1970


class Schedule:
    """When to drain and when to tick; ticks up to LATE behind are made up for, older ones skipped and
    counted.
    """

    def __init__(self, now: float) -> None:
        self.next_drain = now
        self.next_tick = now
        self.skipped = 0
        self._period = DRAIN
        self._rested = 0  # drains that were left out since the last one
        self._sparse = False

    def restart(self, now: float) -> None:
        """Begin anew after a time with nothing to do."""
        self.next_drain = self.next_tick = now

    def wait(self, now: float) -> float:
        """Seconds until something is due, 0 when it is already."""
        return max(0.0, min(self.next_drain, self.next_tick) - now)

    def drain_due(self, now: float) -> bool:
        """Whether to drain now; drains missed are not made up for."""
        if now < self.next_drain:
            return False
        self.next_drain += self._period
        if self.next_drain <= now:
            self.next_drain = now + self._period
        return True

    def rests(self) -> bool:
        """Whether the drain that is due may be left out where nothing is sent on as it comes: few packets do,
        and another drain is due before the next tick.
        """
        rests = self._sparse and self.next_drain <= self.next_tick + SLACK
        self._rested += rests
        return rests

    def drained(self, packets: int) -> None:
        """How many packets the drain took, which says how soon the next but one is to be."""
        passed = self._period * (1 + self._rested)
        self._rested, self._sparse = 0, packets < SPARSE * passed
        self._period = DENSE_DRAIN if packets >= DENSE * passed else DRAIN

    def tick_due(self, now: float) -> int | None:
        """None when no tick is due, else how many ticks were skipped before the one that is."""
        if now < self.next_tick:
            return None
        behind = now - self.next_tick
        skip = int(behind / TICK) if behind > LATE else 0
        self.skipped += skip
        self.next_tick += (skip + 1) * TICK
        return skip


def ntp(seconds: float) -> int:
    """64-bit NTP timestamp (RFC 3550 section 4) of seconds since 1970."""
    return int((seconds + NTP_EPOCH) * 2**32) & 0xFFFF_FFFF_FFFF_FFFF


def ntp_middle(seconds: float) -> int:
    """The middle 32 bits of the NTP timestamp: units of 1/65536 s, as LSR has it."""
    return (ntp(seconds) >> 16) & 0xFFFF_FFFF
