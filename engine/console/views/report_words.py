"""Figures and values of reports, in words."""

from __future__ import annotations

from datetime import date, datetime

from engine.console.language import Words, clock
from engine.console.reports import FORMS
from engine.drill import Dimension


def written(say: Words, figure: str, value: float | None) -> str:
    """A figure as its language writes it; a dash for what nobody measured."""
    form = FORMS[figure]
    if value is None:
        return say.number(None)
    if form == "count":
        return say.number(value)
    if form.startswith("share"):
        return say.share(value, int(form[5:] or 0))
    if form == "clock":
        return clock(value)
    if form.startswith("ms"):
        return say.unit(value, "ms", int(form[2:] or 1))
    if form.startswith("s"):
        return say.unit(value, "s", int(form[1:]))
    if form == "mood":
        return f"\u2066{value:+.2f}\u2069"
    return say.number(value, 2)


def label(say: Words, dimension: Dimension, value: str) -> str:
    """A value of a dimension: days and hours as they are called, reasons in words."""
    if not value:
        return say("report.without")
    if dimension is Dimension.DAY:
        return day_words(say, date.fromisoformat(value))
    if dimension is Dimension.HOUR:
        at = datetime.fromisoformat(value)
        return f"{day_words(say, at.date())}, {at.hour:02}:{at.minute:02}"
    if dimension is Dimension.HOUR_OF_DAY:
        return f"{value}:00"
    return say.known(f"reason.{value}", value) if dimension is Dimension.REASON else value


def day_words(say: Words, day: date) -> str:
    """Such as Mon 2 Nov."""
    month = say(f"month.{day.month}")
    return say("day.words", weekday=say(f"weekday.{day.weekday()}"), day=str(day.day), month=month)


def slot_words(say: Words, dimension: Dimension, value: str) -> str:
    """The same as short as it goes below a chart."""
    if dimension is Dimension.HOUR:
        at = datetime.fromisoformat(value)
        return say(f"weekday.{at.weekday()}") if at.hour == 0 else f"{at.hour:02}"
    day = date.fromisoformat(value)
    return f"{say(f'weekday.{day.weekday()}')} {day.day}" if dimension is Dimension.DAY else value
