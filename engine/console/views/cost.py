"""What a line has cost, in words: a sum, or two where nobody can say which."""

from __future__ import annotations

from markupsafe import Markup

from engine.console.look import Look
from engine.console.markup import Content, tag
from engine.console.views import pieces
from engine.console.views.pieces import card
from engine.line_views import LineReportView
from routing.cost import Cost

HOURS = 24  # that the page looks back


def money(look: Look, cost: Cost | None) -> str:
    """In the currency of the rates, which nobody named: known, or between two sums."""
    say = look.say
    if cost is None:
        return say.number(None)
    low, high = (say.number(each, 2) for each in (cost.low, cost.high))
    return f"\u2066{low}\u2069" if cost.exact else f"\u2066{low} – {high}\u2069"


def paid(look: Look, found: LineReportView | None) -> Markup | None:
    """What its calls out have cost: in all, a call, a minute, an hour of the day's."""
    say, cost = look.say, found.cost if found else None
    if cost is None:
        return None
    if not cost.calls:
        return card(say("line.cost"), pieces.empty(say, "line.cost.none"), key="cost")
    middle = (cost.low + cost.high) / 2
    pairs: list[tuple[str, Content]] = [
        (say("line.cost.all"), tag("b", money(look, cost))),
        (say("line.cost.call"), say.number(cost.a_call, 4)),
        (say("line.cost.minute"), say.number(middle / cost.seconds * 60 if cost.seconds else None, 4)),
        (say("line.cost.hour"), say.number(middle / HOURS, 2)),
        (say("figure.calls"), say.number(cost.calls)),
    ]
    if cost.unpriced:
        pairs.append((say("line.cost.unpriced"), say.number(cost.unpriced)))
    about = tag("p", say("line.cost.sure" if cost.exact else "line.cost.between"), class_="soft small")
    return card(
        say("line.cost"),
        pieces.facts(pairs),
        about,
        more=tag("span", say("lines.span"), class_="soft"),
        key="cost",
    )
