"""Hours of a week as operators write them: `mon-fri 08:00-18:00`, `sat,sun`, `22:00-06:00`."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, PlainValidator

from config.setting import Words, wrong
from routing.window import DAY, DAYS, UnknownZone, Window, zone_of

_DAYS = "|".join(DAYS)
_WINDOW = re.compile(
    rf"(?P<days>(?:{_DAYS})(?:-(?:{_DAYS}))?(?:,(?:{_DAYS})(?:-(?:{_DAYS}))?)*)?\s*"
    r"(?P<hours>(?P<start>[0-9]{2}:[0-9]{2})-(?P<end>[0-9]{2}:[0-9]{2}))?"
)
REMEDY = "write days and hours, such as mon-fri 08:00-18:00, sat,sun or 22:00-06:00"


def window(text: object) -> Window:
    """What one such text means; all days or all hours where it names none. Raises PydanticCustomError."""
    found = _WINDOW.fullmatch(text.strip().lower()) if isinstance(text, str) else None
    if found is None or not (found["days"] or found["hours"]):
        raise wrong(f"{str(text)[:60]!r} are no hours", REMEDY)
    start, end = (_minutes(found["start"]), _minutes(found["end"])) if found["hours"] else (0, DAY)
    if start in (end, DAY):
        raise wrong(f"{text!r} holds never", "let it end at another time than it starts; 24:00 is midnight")
    return Window(_days(found["days"] or f"{DAYS[0]}-{DAYS[-1]}"), start, end)


def _days(text: str) -> frozenset[int]:
    """`fri-mon` goes on past Sunday."""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        at, end = DAYS.index(first), DAYS.index(last or first)
        found |= {(at + more) % 7 for more in range((end - at) % 7 + 1)}
    return frozenset(found)


def _minutes(text: str) -> int:
    hours, minutes = (int(part) for part in text.split(":"))
    if minutes > 59 or hours * 60 + minutes > DAY:
        raise wrong(f"{text} is no time of day", "write 00:00 to 24:00")
    return hours * 60 + minutes


def _zone(name: str) -> str:
    try:
        zone_of(name)
    except UnknownZone as unknown:
        remedy = "write its IANA name, such as Europe/London; where none is known install Debian's tzdata"
        raise wrong(f"no time zone {name!r} is known here", remedy) from unknown
    return name


WindowField = Annotated[Window, PlainValidator(window), Words("hours")]
Zone = Annotated[str, AfterValidator(_zone), Words("time zone")]
