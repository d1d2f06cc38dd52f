"""Times of the year that customs and laws go by: Ramadan and its feast, and the sales of France.

Ramadan and Eid al-Fitr: the first days of Ramadan and Shawwal in the Umm al-Qura calendar of Saudi Arabia,
which is computed ahead; who goes by the sighting of the moon may be a day off, and an operator may give other
dates. Sales ("soldes"): Code de commerce, articles L310-3 and D310-15-2, and arrêté of 27 May 2019: four
weeks from the second Wednesday of January (the first where the second is after the 12th) and from the last
Wednesday of June (the last but one where the last is after the 28th). Border and overseas departments have
dates of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

ALWAYS, OUTSIDE = "always", "outside "
RAMADAN, EID, SOLDES = "ramadan", "eid-al-fitr", "soldes"
BUILT_IN = (RAMADAN, EID, SOLDES)
EID_DAYS = 4
WEDNESDAY = 2
SALE = timedelta(weeks=4)

# First day of Ramadan, first of Shawwal.
FASTS = """
    2024-03-11 2024-04-10  2025-03-01 2025-03-30  2026-02-18 2026-03-20  2027-02-08 2027-03-09
    2028-01-28 2028-02-26  2029-01-16 2029-02-14  2030-01-05 2030-02-04  2030-12-26 2031-01-24
    2031-12-15 2032-01-14  2032-12-04 2033-01-02  2033-11-23 2033-12-23  2034-11-12 2034-12-12
    2035-11-01 2035-12-01  2036-10-20 2036-11-19  2037-10-10 2037-11-08  2038-09-30 2038-10-29
    2039-09-19 2039-10-19  2040-09-07 2040-10-07  2041-08-28 2041-09-26  2042-08-17 2042-09-15
    2043-08-06 2043-09-04  2044-07-26 2044-08-24  2045-07-15 2045-08-14  2046-07-05 2046-08-03
    2047-06-24 2047-07-24  2048-06-12 2048-07-12  2049-06-02 2049-07-01  2050-05-22 2050-06-20
    2051-05-11 2051-06-10
"""


@dataclass(frozen=True, slots=True, order=True)
class Season:
    """Both days belong to it."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


def sales(year: int) -> tuple[Season, Season]:
    """Those of winter and summer."""
    winter = _wednesday(date(year, 1, 8))
    if winter.day > 12:
        winter -= timedelta(weeks=1)
    summer = _wednesday(date(year, 6, 24))
    if summer.day > 28:
        summer -= timedelta(weeks=1)
    return _sale(winter), _sale(summer)


def holds(during: str, day: date, own: Mapping[str, Iterable[Season]]) -> bool:
    """Whether a rule counts on a day. during: "always", a season, or "outside " and a season. own: seasons
    with dates by an operator; a year that these have dates in goes by them alone.
    """
    if during == ALWAYS:
        return True
    name = during.removeprefix(OUTSIDE)
    within = any(day in each for each in seasons(name, day.year, own))
    return within != during.startswith(OUTSIDE)


def seasons(name: str, year: int, own: Mapping[str, Iterable[Season]]) -> list[Season]:
    """Those that have days in the year."""
    given = [each for each in own.get(name, ()) if year in (each.first.year, each.last.year)]
    return given or [each for each in _known(name, year) if year in (each.first.year, each.last.year)]


def _known(name: str, year: int) -> list[Season]:
    if name == SOLDES:
        return list(sales(year))
    if name == RAMADAN:
        return [Season(first, feast - timedelta(days=1)) for first, feast in _fasts()]
    if name == EID:
        return [Season(feast, feast + timedelta(days=EID_DAYS - 1)) for _, feast in _fasts()]
    return []


@cache
def _fasts() -> tuple[tuple[date, date], ...]:
    days = [date.fromisoformat(each) for each in FASTS.split()]
    return tuple(zip(days[::2], days[1::2], strict=True))


def _wednesday(from_day: date) -> date:
    """The first one from that day on."""
    return from_day + timedelta(days=(WEDNESDAY - from_day.weekday()) % 7)


def _sale(first: date) -> Season:
    return Season(first, first + SALE - timedelta(days=1))
