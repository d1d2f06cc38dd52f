"""How a call sounds: each side's figures, and charts of them over time."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from engine.console.insight import LegQuality
from engine.console.language import DASH
from engine.console.look import Look
from engine.console.markup import tag
from engine.console.views import pieces
from engine.console.views.chart import Scale, Series, chart
from engine.console.views.one_call import file_of, live_of
from engine.console.views.pieces import card, cell, name, pill, row, table
from engine.views import LegView


def legs(look: Look) -> Markup:
    """How each phone hears and is heard now; of a call that is over, in all."""
    say, call = look.say, live_of(look)
    if call is None:
        return _record_legs(look)
    heads = [
        (say("leg.side"), ""),
        (say("leg.mos"), "number"),
        (say("leg.loss"), "number"),
        (say("leg.jitter"), "number"),
        (say("leg.codec"), ""),
    ]
    rows = [_leg(look, leg) for leg in call.legs]
    return card(say("legs.title"), table(heads, rows, label=say("legs.title")), key="legs")


def mos_level(mos: float | None) -> str:
    """Of ITU-T G.107's scale: from 4 on satisfied, under 3.1 many are not."""
    return "soft" if mos is None else "good" if mos >= 4.0 else "warn" if mos >= 3.1 else "bad"


def _leg(look: Look, leg: LegView) -> Markup:
    say = look.say
    mos = leg.mos_now if leg.mos_now is not None else leg.mos
    side, words = say(f"side.{leg.role or leg.side}"), leg.codec or DASH
    return row(
        str(leg.id),
        cell([tag("b", side), tag("span", name(leg.remote or DASH), class_="soft below")]),
        cell(tag("b", say.number(mos, 2), class_=mos_level(mos)), "number"),
        cell(say.share(leg.loss, 1), "number"),
        cell(say.ms(leg.jitter_ms), "number"),
        cell(
            [
                tag("span", words),
                pill(say("leg.encrypted"), "good") if leg.encryption else pill(say("leg.plain")),
            ]
        ),
    )


def _record_legs(look: Look) -> Markup:
    say, record = look.say, file_of(look).record
    if record is None:
        return Markup("")
    heads = [
        (say("leg.side"), ""),
        (say("leg.mos"), "number"),
        (say("leg.loss"), "number"),
        (say("leg.jitter"), "number"),
        (say("leg.codec"), ""),
    ]
    sides = (
        (
            "customer",
            record.customer_mos,
            record.customer_loss,
            record.customer_jitter_ms,
            record.customer_codec,
            record.customer_encryption,
        ),
        (
            "agent",
            record.agent_mos,
            record.agent_loss,
            record.agent_jitter_ms,
            record.agent_codec,
            record.agent_encryption,
        ),
    )
    rows = [
        row(
            side,
            cell(tag("b", say(f"side.{side}"))),
            cell(tag("b", say.number(mos, 2), class_=mos_level(mos)), "number"),
            cell(say.share(loss, 1), "number"),
            cell(say.ms(jitter), "number"),
            cell([tag("span", codec), pill(say("leg.encrypted"), "good") if encryption else None]),
        )
        for side, mos, loss, jitter, codec, encryption in sides
        if codec
    ]
    return card(say("legs.over"), table(heads, rows, label=say("legs.over")), key="legs")


# what is drawn of samples: field, scale, digits
FIGURES: Sequence[tuple[str, Scale, float]] = (
    ("mos", Scale(1.0, 4.5, ((4.0, "4.0"), (3.1, "3.1"))), 1.0),
    ("loss", Scale(0.0, 5.0, ((1.0, "1 %"),), "%"), 100.0),
    ("jitter_ms", Scale(0.0, 40.0, ((20.0, "20 ms"),), "ms"), 1.0),
    ("delay_ms", Scale(0.0, 300.0, ((150.0, "150 ms"),), "ms"), 1.0),
)


def quality(look: Look) -> Markup:
    say, found = look.say, file_of(look).quality
    title = say("quality.title")
    drawn = _charts(look, found) if found else []
    if not drawn:
        return card(title, pieces.empty(say, "quality.none"), key="quality")
    return card(title, tag("div", drawn, class_="charts"), key="quality")


def _charts(look: Look, found: Sequence[LegQuality]) -> list[Markup]:
    say = look.say
    times = [sample.at for leg in found for sample in leg.samples]
    if len(times) < 2:
        return []
    begin, end = min(times), max(times)
    drawn = []
    for field, scale, times_ in FIGURES:
        series = [
            Series(
                leg.side,
                say.known(f"side.{leg.side}", leg.side),
                tuple((s.at, _scaled(getattr(s, field), times_)) for s in leg.samples),
            )
            for leg in found
        ]
        if any(value is not None for each in series for _, value in each.points):
            drawn.append(chart(say(f"quality.{field}"), series, scale, begin, end))
    return drawn


def _scaled(value: float | None, times: float) -> float | None:
    return None if value is None else value * times
