"""Calls in which something was said, with the lines in which it was."""

from __future__ import annotations

from markupsafe import Markup

from engine.console.files import Found
from engine.console.language import clock
from engine.console.look import Look, address
from engine.console.markup import tag
from engine.console.views import pieces
from engine.console.views.filters import pages
from engine.console.views.pieces import cell, link, moment, name, row, table
from engine.store.transcripts import Hit, Said


def found(look: Look, page: Found) -> Markup:
    say = look.say
    if not page.items:
        key = "found.refused" if page.refused else "found.none"
        return tag("section", pieces.empty(say, key), class_="card")
    heads = [
        (say("calls.when"), ""),
        (say("captions.title"), ""),
        (say("queue.name"), ""),
        (say("calls.agent"), ""),
        (say("record.market"), ""),
        (say("filter.language"), ""),
    ]
    rows = [_row(look, each) for each in page.items]
    return tag(
        "section",
        table(heads, rows, label=say("page.recordings")),
        pages(look, page.next),
        class_="card first-table",
    )


def _row(look: Look, hit: Hit) -> Markup:
    review = hit.review
    to = address("recordings", review.call)
    return row(
        review.call,
        cell(link(moment(review.ended_at, "day"), to, class_="strong")),
        cell([_line(look, each) for each in hit.lines]),
        cell(name(review.queue) if review.queue else "–"),
        cell(name(review.agent) if review.agent else "–"),
        cell(name(review.market)),
        cell(tag("span", review.language, class_="language-code")),
        to="recording",
    )


def _line(look: Look, line: Said) -> Markup:
    """Who said it, when in the call, and what it means."""
    who = [look.say(f"side.{line.side}"), " ", clock(line.begin)]
    return tag(
        "p",
        tag("span", who, class_="soft small"),
        tag("q", line.text, lang=line.language or None, dir="auto"),
        tag("q", line.translation, class_="soft", dir="auto") if line.translation else None,
        class_="heard",
    )
