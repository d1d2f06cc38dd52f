"""Sources that are answered no more, and who may answer one again."""

from __future__ import annotations

from markupsafe import Markup

from engine.access.role import Permission
from engine.console.look import Look
from engine.console.markup import Content, tag
from engine.console.views import pieces
from engine.console.views.nodes_file import NodesFile
from engine.console.views.pieces import card, cell, moment, name, pill, row, table
from engine.insight.sources import SourceView

LEVELS = {"blocked": "bad", "ignored": "warn"}


def sources(look: Look) -> Markup:
    """Nothing for who may not read the configuration, which has the rules."""
    say = look.say
    if not look.who.may(Permission.READ_CONFIG) or not isinstance(look.loaded, NodesFile):
        return Markup("")
    if not look.loaded.sources:
        return card(say("sources.title"), pieces.empty(say, "sources.none"), key="sources")
    may = look.who.may(Permission.CONFIGURE) and look.who.may(Permission.PERSONAL)  # to name it
    heads = [
        (say("sources.source"), ""),
        (say("calls.state"), ""),
        (say("sources.why"), ""),
        (say("sources.tried"), "number"),
        (say("sources.user"), ""),
        (say("sources.since"), ""),
        (say("sources.until"), ""),
        *([("", "number")] if may else []),
    ]
    rows = [_row(look, each, may) for each in look.loaded.sources]
    count = tag("span", say.number(len(look.loaded.sources)), class_="count")
    about = tag("p", say("sources.about"), class_="soft small")
    return card(
        say("sources.title"), table(heads, rows, label=say("sources.title")), about, more=count, key="sources"
    )


def _row(look: Look, each: SourceView, may: bool) -> Markup:
    say = look.say
    cells = [
        cell(tag("code", each.source, dir="ltr")),
        cell(pill(say(f"sources.{each.how}"), LEVELS.get(each.how, "soft"))),
        cell(say.known(f"sources.why.{each.why}", each.why)),
        cell(say.number(each.count), "number"),
        cell(name(each.user) if each.user else "–"),
        cell(moment(each.since, "day")),
        cell(moment(each.until, "day")),
    ]
    if may:
        cells.append(cell(_lift(look, each), "number"))
    return row(each.source, *cells)


def _lift(look: Look, each: SourceView) -> Content:
    say, id = look.say, f"lift-{each.source}"
    sure = tag(
        "button",
        say("sources.lift"),
        type="button",
        class_="stop",
        data_do="unblock_source",
        data_source=each.source,
        data_closes=True,
    )
    words = [say("sources.lift"), tag("span", f" {each.source}", class_="quiet")]
    button = tag("button", words, type="button", data_opens=id)
    return [button, pieces.confirm(id, say, "sources.lift.sure", sure, source=each.source)]
