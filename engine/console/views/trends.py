"""A report's figure over time, and over two dimensions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from engine.console.alerts import LOW
from engine.console.look import Look
from engine.console.markup import Content, tag
from engine.console.reports import FORMS, ReportFile, calls_of, of
from engine.console.views.pieces import name
from engine.console.views.plot import Axis, Heat, Slot, columns, heat, lines, ticks
from engine.console.views.report_words import label, slot_words, written
from engine.drill import TIMES, Ask, Dimension, Figures, Key, Row

MOST_HEAT_ROWS, MOST_HEAT_COLUMNS = 31, 31
CLOCKS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 36_000)  # s between marks
COUNTS = ("offered", "answered", "abandoned")


def slots_of(ask: Ask) -> Iterator[str]:
    """Every hour or day of the time asked about, as the report names them, with calls or without."""
    zone, by = ZoneInfo(ask.zone), ask.by[0]
    if by is Dimension.HOUR:
        at = ask.since
        while at < ask.until:
            yield datetime.fromtimestamp(at, zone).replace(minute=0, second=0).isoformat()
            at += 3600.0
        return
    day = datetime.fromtimestamp(ask.since, zone).date()
    last = datetime.fromtimestamp(ask.until - 1, zone).date()
    while day <= last:
        yield day.isoformat()
        day += timedelta(days=1)


def trend(look: Look, file: ReportFile) -> list[Content]:
    say, figure = look.say, file.wish.figure
    report = file.trend
    assert report is not None
    by = report.ask.by[0]
    found = {row.key[0]: row.figures for row in report.rows}
    slots = []
    for key in slots_of(report.ask):
        figures = found.get(key)
        title = f"{label(say, by, key)}: {_title(look, figure, figures)}"
        parts = tuple(_parts(figure, figures)) if figure in COUNTS else ()
        value = of(figures, figure) if figures is not None else None
        slots.append(Slot(slot_words(say, by, key), title, parts, value))
    title = f"{say(f'fig.{figure}')}: {written(say, figure, of(report.total, figure))}"
    if figure not in COUNTS:
        known = [slot.value for slot in slots if slot.value is not None]
        return [lines(title, slots, axis_of(look, figure, known))]
    drawn = columns(title, slots, axis_of(look, figure, [slot.height for slot in slots]))
    if figure != "offered":
        return [drawn]
    legend = [
        tag("li", tag("i", class_=f"sign {kind}", aria_hidden="true"), say(words))
        for kind, words in (("taken", "fig.answered"), ("gone", "fig.abandoned"), ("other", "report.other"))
    ]
    return [tag("ul", legend, class_="legend"), drawn]


def _parts(figure: str, figures: Figures | None) -> Iterator[tuple[str, float]]:
    if figures is None:
        return
    if figure != "offered":
        yield "taken" if figure == "answered" else "gone", float(of(figures, figure) or 0)
        return
    rest = figures.offered - figures.answered - figures.abandoned
    for kind, value in (("taken", figures.answered), ("gone", figures.abandoned), ("other", max(rest, 0))):
        yield kind, float(value)


def _title(look: Look, figure: str, figures: Figures | None) -> str:
    say = look.say
    if figures is None:
        return say("report.no_calls")
    names = COUNTS if figure == "offered" else (figure,)
    return ", ".join(f"{say(f'fig.{each}')} {written(say, each, of(figures, each))}" for each in names)


def axis_of(look: Look, figure: str, values: list[float]) -> Axis:
    """From nought, as far as values go; shares of calls, MOS and mood have ends of their own."""
    say, form = look.say, FORMS[figure]
    high = max(values, default=0.0)
    if form == "share":
        marks: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
    elif form == "mos":
        marks = (1.0, 2.0, 3.0, 4.0, 5.0)
    elif form == "mood":
        marks = (-1.0, -0.5, 0.0, 0.5, 1.0)
    elif form == "clock":
        step = next((each for each in CLOCKS if each * 4 >= high), CLOCKS[-1])
        marks = tuple(float(step * each) for each in range(int(-(-high // step)) + 1 or 2))
        marks = marks if len(marks) > 1 else (0.0, float(step))
    else:
        marks = ticks(0.0, high or 1.0, whole=form == "count")
    fine = {"share1": 1, "share2": 1}.get(form)
    words = (say.share(each, fine) if fine else written(say, figure, each) for each in marks)
    goal = LOW if figure == "service_level" else None
    return Axis(marks[0], marks[-1], tuple(zip(marks, words)), goal)


def map_of(look: Look, file: ReportFile) -> list[Content]:
    """Two dimensions as a table of shades; time goes to the right."""
    say, wish, report = look.say, file.wish, file.table
    assert report is not None
    down, across = wish.ask.by
    turned = down in TIMES and across not in TIMES
    if turned or (down is Dimension.HOUR_OF_DAY and across in TIMES):
        down, across, turned = across, down, True

    def placed(key: Key) -> tuple[str, str]:
        return (key[1], key[0]) if turned else (key[0], key[1])

    rows, tops = (_most(look, report.rows, placed, at, each) for at, each in enumerate((down, across)))
    cells = {}
    for row in report.rows:
        value = of(row.figures, wish.figure)
        nothing = value is None or (not value and wish.figure in COUNTS)
        text = "" if nothing else written(say, wish.figure, value)
        cells[placed(row.key)] = value, text, calls_of(wish, row.key)
    kept = {key: each for key, each in cells.items() if key[0] in rows and key[1] in tops}
    found = Heat(
        rows=tuple((key, name(label(say, down, key))) for key in rows),
        columns=tuple((key, _short(look, across, key)) for key in tops),
        cells=kept,
    )
    good = wish.figure in ("service_level", "connect", "customer_mos", "agent_mos", "mood")
    drawn = heat(say(f"fig.{wish.figure}"), found, say(f"dimension.{down}"), good=good)
    left = len(cells) - len(kept)
    return [drawn, tag("p", say("report.left", n=left), class_="soft small") if left else None]


def _short(look: Look, dimension: Dimension, key: str) -> str:
    if dimension is Dimension.HOUR_OF_DAY:
        return key
    return (
        label(look.say, dimension, key)
        if dimension is Dimension.HOUR
        else (
            slot_words(look.say, dimension, key)
            if dimension is Dimension.DAY
            else label(look.say, dimension, key)
        )
    )


def _most(look: Look, rows: tuple[Row, ...], placed: object, at: int, dimension: Dimension) -> list[str]:
    """The values of one of the two: times in their order, others by how many calls they had."""
    assert callable(placed)
    counts: dict[str, int] = {}
    for row in rows:
        key = placed(row.key)[at]
        counts[key] = counts.get(key, 0) + row.figures.offered
    most = MOST_HEAT_COLUMNS if at else MOST_HEAT_ROWS
    if dimension in TIMES:
        return sorted(counts)[-most:]
    return sorted(counts, key=lambda key: (-counts[key], key))[:most]
