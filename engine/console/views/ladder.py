"""The SIP ladder: a row a message, each with its text folded into it."""

from __future__ import annotations

from markupsafe import Markup

from engine.console.insight import Ladder, Message, Party
from engine.console.language import Words
from engine.console.markup import tag
from engine.console.views.pieces import name

MOST_PARTIES = 6
MOST_MESSAGES = 400


def ladder(say: Words, found: Ladder) -> Markup:
    """Only what is between the parties that are shown."""
    parties = found.parties[:MOST_PARTIES]
    columns = {each.id: place for place, each in enumerate(parties)}
    shown = [each for each in found.messages if each.source in columns and each.target in columns]
    heads = [_head(say, each) for each in parties]
    called = {each.id: each.name or each.address for each in parties}
    first = shown[0].at if shown else 0.0
    rows = [
        _row(say, place, each, columns, called, first) for place, each in enumerate(shown[:MOST_MESSAGES])
    ]
    left = len(shown) - len(rows)
    return tag(
        "div",
        tag("ul", heads, class_=f"parties of-{len(parties)}"),
        tag("ol", rows, class_="messages"),
        tag("p", say("ladder.more", n=left), class_="soft") if left > 0 else None,
        class_="ladder",
        dir="ltr",
    )


def _head(say: Words, party: Party) -> Markup:
    """Who, and below where: a caller with the line that brought her."""
    who = tag("b", name(party.name or say.known(f"side.{party.kind}", party.kind)))
    way = tag("span", say("ladder.way", line=party.way), class_="soft", dir="auto") if party.way else None
    return tag("li", who, way, tag("span", name(party.address), class_="soft") if party.address else None)


def _row(
    say: Words,
    place: int,
    message: Message,
    columns: dict[str, int],
    called: dict[str, str],
    first: float,
) -> Markup:
    many = len(columns)
    lifelines = [
        tag("line", x1=_x(each, many), x2=_x(each, many), y1=0, y2="100%", class_="life")
        for each in range(many)
    ]
    source, target = columns[message.source], columns[message.target]
    level = level_of(message.label)
    classes = f"message {level}{' again' if message.again else ''}"
    drawn = [*lifelines, tag("g", _arrow(source, target, many), class_=classes)]
    words = [tag("b", message.label), tag("span", message.cseq, class_="soft") if message.cseq else None]
    if message.again:
        words.append(tag("span", say("ladder.again"), class_="pill warn"))
    middle = tag("text", message.label, x=_x((source + target) / 2, many), y=15, class_=f"label {level}")
    picture = tag("svg", drawn, middle, height=34, aria_hidden="true")
    since = f"+{message.at - first:.3f}"
    heard = tag(
        "span",
        say("ladder.from", source=called[message.source], target=called[message.target]),
        *words,
        class_="quiet",
    )
    summary = tag("summary", tag("span", since, class_="number soft"), heard, picture)
    body = tag("pre", message.text or say("ladder.untold"))
    return tag("li", tag("details", summary, body), data_key=f"{place}-{message.at:.4f}-{message.label}")


def _x(column: float, many: int) -> str:
    return f"{(column + 0.5) / many * 100:.3f}%"


def _arrow(source: int, target: int, many: int) -> list[Markup]:
    """A line and its head; the head is drawn in a nested drawing, for a path knows no percentages."""
    ahead = 1 if target > source else -1
    tip = "M-8-4.5 0 0-8 4.5" if ahead > 0 else "M8-4.5 0 0 8 4.5"
    head = tag("svg", tag("path", d=tip), x=_x(target, many), y=22, overflow="visible")
    return [tag("line", x1=_x(source, many), x2=_x(target, many), y1=22, y2=22), head]


def level_of(label: str) -> str:
    """How a message is coloured: requests are busy, answers by their class."""
    if not label[:1].isdigit():
        return "busy"
    return {"1": "soft", "2": "good", "3": "warn"}.get(label[0], "bad")
