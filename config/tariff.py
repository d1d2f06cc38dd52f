"""What calls over a line cost, as values: a few rates in the line's file, or a carrier's list as CSV."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Le
from pydantic import AfterValidator, ValidationError
from pydantic_core import PydanticCustomError

from config.fault import Fault
from config.hours import WindowField, window
from config.setting import Words, setting, settings, wrong
from routing.rate import Rate
from routing.window import Schedule, schedule

MAX_LIST_BYTES = 32 * 1024 * 1024
MAX_RATES = 200_000
COLUMNS = ("prefix", "per_minute", "per_call", "hours")
_PREFIX = re.compile(r"\+[0-9]{0,15}")
_PRICE = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")


def _prefix(text: str) -> str:
    if not _PREFIX.fullmatch(text):
        raise wrong(f"{text!r} is not an E.164 prefix", "write + and the first digits, + alone for all")
    return text


Prefix = Annotated[str, AfterValidator(_prefix), Words("E.164 prefix")]
Price = Annotated[float, Ge(0), Le(1_000_000), Words("price")]


@settings
class RateSettings:
    prefix: Prefix = setting("Numbers that begin so; + alone for all. The longest counts.")
    per_minute: Price = setting("Price of a minute, in whatever currency all lines use.")
    per_call: Price = setting("Price of the call beside its minutes.", default=0.0)
    hours: tuple[WindowField, ...] = setting(
        "When it counts, such as `mon-fri 08:00-18:00`; at all hours that no other rate of the prefix names "
        "when left out.",
        default=(),
    )

    def value(self, zone: str) -> Rate:
        """As routing sees it."""
        when = schedule(self.hours, zone) if self.hours else None
        return Rate(self.prefix, self.per_minute, self.per_call, when)


@dataclass(frozen=True, slots=True)
class RateList:
    """A carrier's list, read: rates and what is wrong with its lines."""

    rates: tuple[Rate, ...]
    faults: tuple[Fault, ...]


def read_list(path: Path, zone: str, file: str) -> RateList:
    """A CSV file whose first line names its columns: prefix, per_minute, and perhaps per_call and hours.

    file: how it is called in faults.
    """
    try:
        if path.stat().st_size > MAX_LIST_BYTES:
            return _unread(file, f"is over {MAX_LIST_BYTES} bytes", "leave out what is never called")
        text = path.read_text("utf-8-sig")
    except OSError as error:
        return _unread(file, f"cannot be read ({error.strerror})", "check that it is there and readable")
    except UnicodeDecodeError:
        return _unread(file, "is not UTF-8 text", "save it as UTF-8")
    rates: dict[tuple[str, Schedule | None], Rate] = {}
    faults: list[Fault] = []
    reader = csv.DictReader(text.splitlines(), strict=True)
    if not reader.fieldnames or not {"prefix", "per_minute"} <= set(reader.fieldnames) <= set(COLUMNS):
        return _unread(file, "has other columns", f"let its first line be {','.join(COLUMNS)}", 1)
    try:
        for row in reader:
            found = _rate(row, zone, file, reader.line_num)
            if isinstance(found, Fault):
                faults.append(found)
            elif (found.prefix, found.when) in rates:
                problem = f"names {found.prefix} a second time"
                faults.append(Fault(file, reader.line_num, "prefix", problem, "keep one"))
            else:
                rates[found.prefix, found.when] = found
            if len(faults) >= 20 or len(rates) > MAX_RATES:
                break
    except csv.Error as error:
        line = reader.reader.line_num  # the reader's own says where the last whole row ended
        faults.append(Fault(file, line, "", f"is not CSV ({error})", "write one rate a line"))
    if len(rates) > MAX_RATES:
        faults.append(Fault(file, 0, "", f"has over {MAX_RATES} rates", "leave out what is never called"))
    return RateList(tuple(rates.values()), tuple(faults))


def _rate(row: dict[str, str | None], zone: str, file: str, line: int) -> Rate | Fault:
    """One line of a list; columns are short by None, and too many stand under the name None."""
    if None in row or None in row.values():
        return Fault(file, line, "", "has too many or too few columns", "write one value for each column")
    cells = {name: (value or "").strip() for name, value in row.items()}
    if not _PREFIX.fullmatch(cells["prefix"]):
        problem = f"{cells['prefix'][:30]!r} is not an E.164 prefix"
        return Fault(file, line, "prefix", problem, "write + and the first digits")
    for name in ("per_minute", "per_call"):
        if not _PRICE.fullmatch(cells.get(name) or "0"):
            problem = f"{cells[name][:30]!r} is not a price"
            return Fault(file, line, name, problem, "write digits, with a point before fractions")
    try:
        windows = [window(part) for part in cells.get("hours", "").split(";") if part.strip()]
    except (PydanticCustomError, ValidationError) as error:
        context = getattr(error, "context", None) or {}
        return Fault(file, line, "hours", str(context.get("problem", error)), str(context.get("remedy", "")))
    when = schedule(windows, zone) if windows else None
    return Rate(cells["prefix"], float(cells["per_minute"]), float(cells.get("per_call") or 0), when)


def twice(rates: tuple[RateSettings, ...]) -> Iterator[int]:
    """Places of rates that an earlier one names already, prefix and hours."""
    for at, rate in enumerate(rates):
        if any(rate.prefix == other.prefix and rate.hours == other.hours for other in rates[:at]):
            yield at


def _unread(file: str, problem: str, remedy: str, line: int = 0) -> RateList:
    return RateList((), (Fault(file, line, "", problem, remedy),))
