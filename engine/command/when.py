"""Instants as people type them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo

from engine.command.fault import CommandFault

AGO = re.compile(r"(\d{1,5})([mhd])")
UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def instant(text: str, now: datetime, zone: tzinfo) -> datetime:
    """A day, a time of a day in that zone, a whole RFC 3339 instant, or how long before now. Raises
    CommandFault.
    """
    if ago := AGO.fullmatch(text.strip()):
        return now - timedelta(**{UNITS[ago[2]]: int(ago[1])})
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise CommandFault(
            f"{text!r} is no time: write a day (2026-03-02), a time (2026-03-02T09:00), or how long ago "
            "(90m, 36h, 7d)"
        ) from None
    return found if found.tzinfo is not None else found.replace(tzinfo=zone)
