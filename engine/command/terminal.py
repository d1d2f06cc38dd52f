"""What is shown to a person: tables as wide as their words are, coloured on a terminal alone.

Names and numbers come from far ends: what could move the cursor, or turn the direction of what follows, is
never shown as it is.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TextIO

GAP = "  "
NARROWEST = 8  # columns that a cell which gives way keeps
LEFT_TO_RIGHT = "\u200e"
ISOLATES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")
COLOURS = {"good": "32", "poor": "33", "bad": "31", "faint": "2", "head": "1"}


def plain(text: object) -> str:
    """A text without line breaks, controls and turns of direction; each becomes U+FFFD."""
    said = str(text)
    if said.isascii() and said.isprintable():
        return said
    hidden = {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}
    return "".join(
        "\ufffd" if unicodedata.category(each) in hidden or each in ISOLATES else each for each in said
    )


def wide(text: str) -> int:
    """Columns of a terminal that a plain text takes."""
    if text.isascii():
        return len(text)
    from wcwidth import wcswidth

    return max(0, wcswidth(text))


def cut(text: str, columns: int) -> str:
    """A text that takes so many at most, with an ellipsis where it is cut."""
    if wide(text) <= columns:
        return text
    while text and wide(text) > columns - 1:
        text = text[:-1]
    return text + "…"


@dataclass(frozen=True, slots=True)
class Cell:
    """colour: one of COLOURS, "" for none."""

    text: str
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """right: figures stand to the right. gives: it is cut where the terminal is too narrow."""

    head: str
    right: bool = False
    gives: bool = False


@dataclass(frozen=True, slots=True)
class Terminal:
    """colours: whether there are any. columns: of the terminal; None where the output is none."""

    colours: bool = False
    columns: int | None = None

    def paint(self, text: str, colour: str) -> str:
        return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m" if self.colours and colour and text else text

    def table(self, columns: Sequence[Column], rows: Iterable[Sequence[Cell | str]]) -> list[str]:
        """The heads, then the rows."""
        every = [[_cell(each) for each in row] for row in rows]
        table = Table(self, columns)
        table.fit(every)
        return [table.heads(), *(table.line(row) for row in every)]


@dataclass
class Table:
    """Rows one by one, in columns that only ever grow. widths: of the columns so far."""

    terminal: Terminal
    columns: Sequence[Column]
    widths: list[int] = field(default_factory=list)

    def fit(self, rows: Iterable[Sequence[Cell]]) -> None:
        self.widths = self.widths or [wide(each.head) for each in self.columns]
        for row in rows:
            self.widths = [max(have, wide(each.text)) for have, each in zip(self.widths, row)]
        if self.terminal.columns is not None:
            self._narrow(self.terminal.columns)

    def heads(self) -> str:
        return self.line([Cell(each.head, "head") for each in self.columns])

    def line(self, row: Sequence[Cell]) -> str:
        parts = []
        for column, width, cell in zip(self.columns, self.widths, row):
            text = cut(cell.text, width)
            space = " " * (width - wide(text))
            shown = self.terminal.paint(text, cell.colour) + self._settled(text)
            parts.append(space + shown if column.right else shown + space)
        return GAP.join(parts).rstrip()

    def _settled(self, text: str) -> str:
        """What keeps figures beside a text that runs to the left where they are."""
        if self.terminal.columns is None or text.isascii():
            return ""
        turns = any(unicodedata.bidirectional(each) in ("R", "AL") for each in text)
        return LEFT_TO_RIGHT if turns else ""

    def _narrow(self, room: int) -> None:
        over = sum(self.widths) + len(GAP) * (len(self.widths) - 1) - room
        for at in sorted(range(len(self.columns)), key=lambda at: -self.widths[at]):
            if over > 0 and self.columns[at].gives:
                less = min(over, max(0, self.widths[at] - NARROWEST))
                self.widths[at] -= less
                over -= less


def _cell(given: Cell | str) -> Cell:
    cell = Cell(given) if isinstance(given, str) else given
    return Cell(plain(cell.text), cell.colour)


def of(out: TextIO | None = None, env: Mapping[str, str] | None = None) -> Terminal:
    """The one that is written to (https://no-color.org: not even then where NO_COLOR is set)."""
    out, env = out or sys.stdout, os.environ if env is None else env
    if not out.isatty():
        return Terminal()
    colours = not env.get("NO_COLOR") and env.get("TERM", "") not in ("", "dumb")
    return Terminal(colours, shutil.get_terminal_size().columns)


def said(text: str) -> Iterator[str]:
    """The lines of a text of many, each plain."""
    return (plain(line.expandtabs()) for line in re.split(r"\r\n|\n|\r", text.rstrip()))


def span(seconds: float) -> str:
    """How long, as people say it: `41 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 172_800:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"
