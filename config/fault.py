"""What is wrong with a configuration: where, what, and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One mistake. `line` counts from 1, 0 for the whole file; `path` reads `listen[1].port`."""

    file: str
    line: int
    path: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {f'{self.path}: ' if self.path else ''}{self.problem}; {self.remedy}"


class ConfigError(Exception):
    """The configuration cannot be used. `faults` holds every mistake that was found, in file order."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = sorted(faults)
        super().__init__("\n".join(map(str, self.faults)))


def dotted(path: Path) -> str:
    """`("listen", 1, "port")` as `listen[1].port`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """A remedy for an unknown word: the nearest known one, or all of them when there are few."""
    choices = sorted(known)
    close = difflib.get_close_matches(word, choices, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    return otherwise or f"known here: {listed(choices)}"


def listed(words: Sequence[str], limit: int = 12) -> str:
    """Words for reading, cut short when there are many."""
    if not words:
        return "nothing"
    shown = ", ".join(words[:limit])
    return shown if len(words) <= limit else f"{shown} and {len(words) - limit} more"
