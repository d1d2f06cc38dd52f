"""Reports and the audit log as CSV (RFC 4180), with no cell that a spreadsheet takes for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields

from engine.drill import Figures, Report

FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")  # the last four as East Asia writes them


def cell(value: object) -> object:
    """A text that begins like a formula is quoted; numbers stay numbers."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def lines(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([cell(value) for value in row] for row in rows)
    return text.getvalue()


def table_of(report: Report) -> str:
    """The rows of a report, below the names of its columns."""
    head = [*report.ask.by, *(each.name for each in fields(Figures))]
    return lines([head, *([*row.key, *asdict(row.figures).values()] for row in report.rows)])
