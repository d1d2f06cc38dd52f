"""Figures over time as columns or lines, over two dimensions as a map of heat; SVG and tables of our own.

Columns and dots are placed in percent of the room there is, so that nothing is stretched but lines, which
keep their width. Time goes from left to right in every language.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from engine.console.markup import Content, tag
from engine.console.views.chart import TALL, WIDE, path_of

GRIDS = 4  # lines across, about
WIDEST, NARROWEST = 46.0, 1.0  # px of a column, by CSS
LABELS = 9  # below the axis, about
STEPS = 7  # of heat


@dataclass(frozen=True, slots=True)
class Slot:
    """A piece of time. label: below the axis; title: all of it, in words. parts: (kind, value) of a column,
    from the axis upwards; value: of a line, None where nothing was measured.
    """

    label: str
    title: str
    parts: tuple[tuple[str, float], ...] = ()
    value: float | None = None

    @property
    def height(self) -> float:
        return sum(value for _, value in self.parts)


@dataclass(frozen=True, slots=True)
class Axis:
    """Values from `low` to `high`; marks: (value, words). goal: a line of its own."""

    low: float
    high: float
    marks: tuple[tuple[float, str], ...]
    goal: float | None = None

    def y(self, value: float) -> float:
        """Percent from the top."""
        return 100 - (value - self.low) / max(self.high - self.low, 1e-9) * 100


def ticks(low: float, high: float, most: int = GRIDS, *, whole: bool = False) -> tuple[float, ...]:
    """Round values from below `low` to above `high`, in steps of 1, 2 or 5 times a power of ten."""
    rough = max(high - low, 1e-9) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(each * power for each in (1, 2, 5, 10) if each * power >= rough * (1 - 1e-9))
    step = max(step, 1.0) if whole else step
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(round(each * step, 10) for each in range(first, max(last, first + 1) + 1))


def columns(title: str, slots: Sequence[Slot], axis: Axis) -> Markup:
    """Columns of parts on top of each other."""
    width = 100 / max(len(slots), 1)
    drawn = []
    for place, slot in enumerate(slots):
        x, bottom = place * width, 0.0
        rects = []
        for at, (kind, value) in enumerate(slot.parts):
            if not value:
                continue
            top = bottom + value
            crown = not any(left for _, left in slot.parts[at + 1 :])
            rects.append(_column(x, width, axis.y(top), axis.y(bottom), kind, crown))
            bottom = top
        hover = tag("rect", x=f"{x:.3f}%", y=0, width=f"{width:.3f}%", height="100%", class_="hover")
        drawn.append(tag("g", hover, rects, tag("title", slot.title), class_="slot"))
    return _framed(title, slots, axis, [tag("svg", drawn, width="100%", height="100%", class_="columns")])


def _column(x: float, width: float, top: float, bottom: float, kind: str, crown: bool) -> Markup:
    share = 0.62 if width > 2 else 0.76
    return tag(
        "rect",
        x=f"{x + width * (1 - share) / 2:.3f}%",
        y=f"{top:.3f}%",
        width=f"{width * share:.3f}%",
        height=f"{max(bottom - top, 0.4):.3f}%",
        rx=3 if crown else None,
        class_=f"column {kind}",
    )


def lines(title: str, slots: Sequence[Slot], axis: Axis, kind: str = "customer") -> Markup:
    """A line through what was measured, broken where nothing was, with a dot at each value."""
    points = [(place + 0.5, slot.value) for place, slot in enumerate(slots)]
    path = path_of(points, 0.0, len(slots), axis.low, axis.high)
    inner: list[Content] = []
    if path:
        inner.append(
            tag(
                "svg",
                [
                    tag("path", d=_area(points, len(slots), axis), class_=f"area {kind}"),
                    tag("path", d=path, class_=f"series {kind}", vector_effect="non-scaling-stroke"),
                ],
                viewbox=f"0 0 {WIDE:g} {TALL:g}",
                preserveaspectratio="none",
                width="100%",
                height="100%",
            )
        )
    width = 100 / max(len(slots), 1)
    for place, slot in enumerate(slots):
        hover = tag(
            "rect", x=f"{place * width:.3f}%", y=0, width=f"{width:.3f}%", height="100%", class_="hover"
        )
        dot = None
        if slot.value is not None:
            dot = tag(
                "circle",
                cx=f"{(place + 0.5) * width:.3f}%",
                cy=f"{axis.y(slot.value):.3f}%",
                r=3.5 if len(slots) <= 40 else 2,
                class_=f"point {kind}",
            )
        inner.append(tag("g", hover, dot, tag("title", slot.title), class_="slot"))
    return _framed(title, slots, axis, inner)


def _area(points: Sequence[tuple[float, float | None]], end: float, axis: Axis) -> str:
    """Below each unbroken stretch of the line, down to the axis."""
    parts, run = [], list[tuple[float, float]]()
    for at, value in [*points, (end, None)]:
        if value is not None:
            run.append((at, value))
        elif len(run) > 1:
            line = path_of(run, 0.0, end, axis.low, axis.high)
            first, last = (each / end * WIDE for each in (run[0][0], run[-1][0]))
            parts.append(f"{line}L{last:.1f} {TALL:g}L{first:.1f} {TALL:g}Z")
            run = []
        else:
            run = []
    return "".join(parts)


def _framed(title: str, slots: Sequence[Slot], axis: Axis, inner: Sequence[Content]) -> Markup:
    grid = []
    for value, words in axis.marks:
        y = f"{axis.y(value):.2f}%"
        grid.append(
            tag("line", x1=0, x2="100%", y1=y, y2=y, class_="grid base" if value <= axis.low else "grid")
        )
        grid.append(tag("text", words, x=0, y=y, dx=-8, dy="0.32em", class_="tick"))
    if axis.goal is not None:
        y = f"{axis.y(axis.goal):.2f}%"
        grid.append(tag("line", x1=0, x2="100%", y1=y, y2=y, class_="goal-line"))
    every = max(1, math.ceil(len(slots) / LABELS))
    width = 100 / max(len(slots), 1)
    below = [
        tag(
            "text",
            slot.label,
            x=f"{(place + 0.5) * width:.3f}%",
            y="100%",
            dy=18,
            class_=_label(place // every),
        )
        for place, slot in enumerate(slots)
        if place % every == 0
    ]
    plot = tag("svg", grid, inner, below, class_="graph", role="img", aria_label=title)
    return tag("div", plot, dir="ltr", class_="graph-room", data_key=f"graph-{title}")


def _label(place: int) -> str:
    """Every second one gives way on a narrow screen."""
    return "tick middle second" if place % 2 else "tick middle"


# --- two dimensions --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Heat:
    """rows, columns: (key, what it is called). cells: (value, words, where it leads) by row and column."""

    rows: tuple[tuple[str, Content], ...]
    columns: tuple[tuple[str, str], ...]
    cells: dict[tuple[str, str], tuple[float | None, str, str]]


def step_of(value: float | None, low: float, high: float) -> int:
    """Which of STEPS shades, 0 for nothing."""
    if value is None or (value <= 0 and low >= 0):
        return 0
    if high <= low:
        return STEPS
    return 1 + min(STEPS - 1, int((value - low) / (high - low) * STEPS))


def heat(title: str, found: Heat, corner: str, *, good: bool = False) -> Markup:
    """A table whose cells are the deeper the more there is; it scrolls within itself. good: more is better,
    and shades go from bad to good.
    """
    values = [value for value, _, _ in found.cells.values() if value is not None]
    low, high = (min(values), max(values)) if values else (0.0, 0.0)
    if not good:
        low = min(low, 0.0)
    heads = [tag("th", name, scope="col") for _, name in found.columns]
    rows = []
    for row, words in found.rows:
        cells = []
        for column, name in found.columns:
            value, text, to = found.cells.get((row, column), (None, "", ""))
            shade = f"heat-{'s' if good else 'n'}{step_of(value, low, high)}"
            inner: Content = tag("a", text, href=to, data_go=True) if to and text else text
            cells.append(tag("td", inner, class_=shade, data_label=name))
        rows.append(tag("tr", tag("th", words, scope="row"), cells, data_key=row))
    head = tag("thead", tag("tr", tag("th", corner, scope="col"), heads))
    table = tag("table", head, tag("tbody", rows), class_="heat")
    return tag("div", table, class_="scroll", tabindex=0, role="region", aria_label=title)
