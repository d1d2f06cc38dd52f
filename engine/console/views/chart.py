"""Charts as SVG of our own: as wide as there is room, in the page's colours, time from left to right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from engine.console.markup import tag
from engine.console.views.pieces import moment

TALL = 100.0
WIDE = 1000.0
MOST_POINTS = 300


@dataclass(frozen=True, slots=True)
class Series:
    """points: (at, value), None where nothing was measured. kind: its colour's name."""

    kind: str
    name: str
    points: tuple[tuple[float, float | None], ...]


@dataclass(frozen=True, slots=True)
class Scale:
    """low, high: what the chart spans at least. marks: values with a line and a text. unit: of a value above
    all marks, where the chart's upper end is told as well; "" where it is not.
    """

    low: float
    high: float
    marks: tuple[tuple[float, str], ...] = ()
    unit: str = ""


def thinned(
    points: Sequence[tuple[float, float | None]], most: int = MOST_POINTS
) -> list[tuple[float, float | None]]:
    """At most so many, each the worst of those it stands for: the first known one that lies farthest out."""
    if len(points) <= most:
        return list(points)
    step = len(points) / most
    kept = []
    for place in range(most):
        part = points[int(place * step) : int((place + 1) * step)] or points[-1:]
        known = [point for point in part if point[1] is not None]
        mean = sum(point[1] or 0.0 for point in known) / len(known) if known else 0.0
        kept.append(max(known, key=lambda point: abs((point[1] or 0.0) - mean)) if known else part[0])
    return kept


def span_of(series: Sequence[Series], scale: Scale) -> tuple[float, float]:
    values = [value for each in series for _, value in each.points if value is not None]
    return min([scale.low, *values]), max([scale.high, *values])


def _marks(scale: Scale, low: float, high: float) -> list[tuple[float, str]]:
    """The scale's, and the upper end where it is far above them: how bad it got is read there."""
    top = max((value for value, _ in scale.marks), default=low)
    if not scale.unit or high - top < 0.2 * (high - low):
        return list(scale.marks)
    return [*scale.marks, (high, f"{high:.0f} {scale.unit}")]


def path_of(
    points: Sequence[tuple[float, float | None]], begin: float, end: float, low: float, high: float
) -> str:
    """An SVG path in WIDE by TALL; gaps where nothing was measured."""
    parts, pen = [], "M"
    for at, value in points:
        if value is None:
            pen = "M"
            continue
        x = (at - begin) / max(end - begin, 1e-9) * WIDE
        y = TALL - (value - low) / max(high - low, 1e-9) * TALL
        parts.append(f"{pen}{x:.1f} {y:.1f}")
        pen = "L"
    return "".join(parts)


def chart(
    title: str, series: Sequence[Series], scale: Scale, begin: float, end: float, newest: str = ""
) -> Markup:
    """newest: the last value in words, beside the title."""
    low, high = span_of(series, scale)
    lines, texts = [], []
    for value, words in _marks(scale, low, high):
        y = f"{100 - (value - low) / max(high - low, 1e-9) * 100:.1f}%"
        lines.append(tag("line", x1=0, x2="100%", y1=y, y2=y, class_="mark-line"))
        below = value >= high  # above it is the legend
        texts.append(tag("text", words, x="100%", y=y, dy=11 if below else -3, class_="mark-text"))
    drawn = [
        tag("path", d=path, class_=f"series {each.kind}", vector_effect="non-scaling-stroke")
        for each in series
        if (path := path_of(thinned(each.points), begin, end, low, high))
    ]
    inner = tag(
        "svg",
        drawn,
        viewbox=f"0 0 {WIDE:g} {TALL:g}",
        preserveaspectratio="none",
        width="100%",
        height="100%",
    )
    named = f"{title}: {newest}" if newest else title
    plot = tag("svg", lines, inner, texts, class_="plot", role="img", aria_label=named)
    kinds = dict.fromkeys((each.kind, each.name) for each in series)  # several legs may be of one side
    names = [tag("li", tag("i", class_=f"sign {kind}", aria_hidden="true"), name) for kind, name in kinds]
    head = tag("figcaption", tag("b", title), tag("ul", names, class_="legend") if len(series) > 1 else None)
    times = tag("div", moment(begin, "time"), moment(end, "time"), class_="axis")
    return tag("figure", head, tag("div", plot, times, dir="ltr"), class_="chart", data_key=title)


def spark(values: Sequence[tuple[str, str, float]], label: str) -> Markup:
    """Small bars side by side. values: (title, level, share of the height)."""
    width = 100 / max(len(values), 1)
    bars = []
    for place, (title, level, share) in enumerate(values):
        tall = max(share, 0.04) * 100
        bars.append(
            tag(
                "rect",
                tag("title", title),
                x=f"{place * width + width * 0.12:.2f}%",
                y=f"{100 - tall:.1f}%",
                width=f"{width * 0.76:.2f}%",
                height=f"{tall:.1f}%",
                rx=1,
                class_=level,
            )
        )
    return tag("svg", bars, class_="spark", role="img", aria_label=label)
