"""When something holds: days and hours of a week in a time zone, asked for a moment of the wall clock.

A `Schedule` is a week of 10,080 minutes as one whole number, a bit a minute, so that asking costs a shift
however many windows it was made of. `wall` is seconds since 1970 (UTC): what the clock on the wall says is
decided by law, and no monotonic clock knows it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY = 24 * 60
WEEK = 7 * DAY
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class UnknownZone(ValueError):
    """No time zone of that name is known on this machine."""


@dataclass(frozen=True, slots=True)
class Window:
    """Minutes `start` to before `end` of some days, 0 is Monday; one that ends before it starts goes past
    midnight and belongs to the day on which it starts. `end` 1440 is midnight.
    """

    days: frozenset[int]
    start: int = 0
    end: int = DAY

    def minutes(self) -> int:
        """The minutes of the week that it holds, a bit each."""
        length = (self.end - self.start) % DAY or DAY
        found = 0
        for day in self.days:
            at = day * DAY + self.start
            bits = ((1 << length) - 1) << at
            found |= (bits & ((1 << WEEK) - 1)) | (bits >> WEEK)
        return found


@dataclass(frozen=True, slots=True)
class Schedule:
    """Windows of one zone, as one whole number."""

    zone: str
    minutes: int

    def holds(self, wall: float) -> bool:
        return bool(self.minutes >> minute_of_week(int(wall) // 60, self.zone) & 1)


def schedule(windows: Iterable[Window], zone: str = "UTC") -> Schedule:
    """The windows taken together. Raises UnknownZone."""
    zone_of(zone)
    found = 0
    for window in windows:
        found |= window.minutes()
    return Schedule(zone, found)


@lru_cache(maxsize=512)
def zone_of(name: str) -> tzinfo:
    """The zone of an IANA name. Raises UnknownZone."""
    if name == "UTC":
        return UTC  # also where the machine has no table of zones
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownZone(name) from error


@lru_cache(maxsize=4096)
def minute_of_week(minutes: int, zone: str) -> int:
    """Minutes since Monday 00:00 on the zone's wall, `minutes` after 1970 began."""
    local = datetime.fromtimestamp(minutes * 60, zone_of(zone))
    return local.weekday() * DAY + local.hour * 60 + local.minute
