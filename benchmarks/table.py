"""Tables of benchmark figures, made from benchmarks/results: `python -m benchmarks.table [--write]`.

The README has the figures that are held to an aim, benchmarks/results/README.md all of them. What each means
is said in benchmarks/figures.py, once; a figure that is measured and not said there is an error, so that no
table grows numbers that nobody can read.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.figures import FIGURES, Figure

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
README = ROOT / "README.md"
WHOLE = RESULTS / "README.md"
BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"


def results() -> dict[str, dict[str, Any]]:
    """The kept result of each benchmark, by noun."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(RESULTS.glob("*.json"))}


def rounded(value: float | None) -> str:
    """Three digits that matter, and no more precision than was measured."""
    if value is None:
        return "—"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


class Row(NamedTuple):
    """A line of a table. at: the number of calls it is of, "" when it is that of the largest run."""

    name: str
    figure: Figure
    at: str
    value: str


def rows(noun: str, result: dict[str, Any]) -> list[Row]:
    """The result's figures in the order of `FIGURES`. Raises KeyError for one not described there."""
    described, figures = FIGURES[noun], dict(result["figures"])
    found = []
    for name, figure in described.items():
        for full in sorted(figures, key=lambda full: int(_number(full) or 0)):
            at = _number(full) if full != name else ""
            if full == name or (at and full == f"{name}_{at}" and full not in described):
                value = " ".join(filter(None, (rounded(figures.pop(full)), figure.unit)))
                found.append(Row(full, figure, at, value))
    if figures:
        raise KeyError(f"say in benchmarks/table.py what these figures of '{noun}' mean: {sorted(figures)}")
    return found


def _number(name: str) -> str:
    """What a figure's name ends in when it is that at so many calls, or calls a second."""
    found = re.search(r"_(\d+)$", name)
    return found[1] if found else ""


def table(kept: dict[str, dict[str, Any]]) -> str:
    """README's table, in Markdown: what is held to an aim, and the benchmark that says so."""
    if not kept:
        return "Nothing is measured yet: `make bench`."
    lines = ["| what is measured | figure | aim | by, at |", "|---|---:|---|---|"]
    for noun, result in kept.items():
        by = f"`bench_{noun}`, {result['commit'][:7]}"
        held = [row for row in rows(noun, result) if row.figure.aim and not row.at]
        lines += [f"| {row.figure.meaning} | {row.value} | {row.figure.aim} | {by} |" for row in held]
    machines = sorted({result["machine"] for result in kept.values()})
    return "\n".join([*lines, "", "Measured on " + "; ".join(machines) + "."])


def whole(kept: dict[str, dict[str, Any]]) -> str:
    """All figures, in Markdown, a table each benchmark."""
    parts = ["# What was measured", "Made by `make table`; [what the figures mean](../README.md)."]
    for noun, result in kept.items():
        parts.append(f"## {noun}")
        parts.append(f"`python -m benchmarks.bench_{noun}` at {result['commit'][:7]}, {result['machine']}.")
        lines = ["| name | what is measured | figure | aim |", "|---|---|---:|---|"]
        for name, figure, at, value in rows(noun, result):
            meaning = f"{figure.meaning}, at {at}" if at else figure.meaning
            lines.append(f"| `{name}` | {meaning} | {value} | {figure.aim} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def placed(readme: str, made: str) -> str:
    """The README with the table between its two marks."""
    before, _, rest = readme.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"README.md has no {BEGIN} … {END}")
    return f"{before}{BEGIN}\n{made}\n{END}{after}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.table", description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the tables into the two READMEs")
    options = parser.parse_args()
    made = table(results())
    if options.write:
        README.write_text(placed(README.read_text("utf-8"), made), encoding="utf-8")
        WHOLE.write_text(whole(results()), encoding="utf-8")
    print(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
