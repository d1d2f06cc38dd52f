"""What pages are put together from: times, pills, tiles, tables, bars, and states with nothing in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from engine.access.role import Permission
from engine.console.language import DASH, Words
from engine.console.look import Look, address
from engine.console.markup import Content, tag
from engine.console.views.icons import ICONS

ANONYMOUS = "anonymous"  # RFC 3323
MOST_NODES = 6  # that are named
LEVELS = ("good", "warn", "bad", "busy", "soft")


def icon(name: str) -> Markup:
    drawn = tag("path", d=ICONS[name])
    return tag("svg", drawn, class_=f"icon icon-{name}", viewbox="0 0 24 24", aria_hidden="true")


def since(at: float | None, **more: str) -> Markup:
    """How long ago, counting up in the browser. at: epoch s."""
    if at is None:
        return tag("span", DASH)
    return tag("time", "", data_since=round(at, 1), **more)


def moment(at: float | None, form: str = "time") -> Markup:
    """When, by the reader's own clock. form: time, minute, day or full. at: epoch s."""
    if at is None:
        return tag("span", DASH)
    return tag("time", "", data_at=round(at, 3), data_form=form, dir="auto")


def name(text: str, **more: str) -> Markup:
    """What may be written in any direction."""
    return tag("bdi", text, **more)


def called(say: Words, customer: str) -> str:
    """Who calls, as people say it: a browser's caller without a number says "anonymous" of herself."""
    return customer if customer not in ("", ANONYMOUS) else say("call.unknown")


def prose(text: str) -> Content:
    """A sentence of the node's, in which what is typed stands between backticks."""
    return [tag("code", each, dir="ltr") if place % 2 else each for place, each in enumerate(text.split("`"))]


def pill(words: Content, level: str = "soft", **more: str) -> Markup:
    """Few words with a meaning. level: of LEVELS."""
    return tag("span", words, class_=f"pill {level}", **more)


def dot(level: str) -> Markup:
    return tag("i", class_=f"dot {level}", aria_hidden="true")


def link(words: Content, to: str, **more: str | None) -> Markup:
    """To another place of the console."""
    return tag("a", words, href=to, data_go=True, **more)


def card(title: Content, *content: Content, more: Content = None, key: str = "", class_: str = "") -> Markup:
    """A titled part of a page. more: beside the title."""
    head = tag("header", tag("h2", title, id=f"{key}-title" if key else None), more)
    labelled = f"{key}-title" if key else None
    return tag(
        "section",
        head,
        *content,
        class_=f"card {class_}".strip(),
        aria_labelledby=labelled,
        data_key=key or None,
    )


def empty(say: Words, key: str, step: Content = None) -> Markup:
    """Nothing is here: why, and what comes next. The texts are KEY and KEY.more."""
    return tag(
        "div",
        tag("p", say(key), class_="empty-what"),
        tag("p", prose(say(f"{key}.more"))),
        step,
        class_="empty",
    )


def tile(label: str, value: Content, more: Content = None, level: str = "") -> Markup:
    """A figure that is read from afar."""
    return tag(
        "div",
        tag("dt", label),
        tag("dd", value, class_="figure"),
        tag("dd", more, class_="figure-more") if more is not None else None,
        class_=f"tile {level}".strip(),
        data_key=label,
    )


def table(
    heads: Sequence[tuple[str, str]], rows: Iterable[Markup], *, label: str, class_: str = ""
) -> Markup:
    """heads: words and class of each column; a row is what `row` makes. Scrolls within itself."""
    head = tag("tr", [tag("th", words, scope="col", class_=kind or None) for words, kind in heads])
    inner = tag("table", tag("thead", head), tag("tbody", rows), class_=class_ or None)
    return tag("div", inner, class_="scroll", tabindex=0, role="region", aria_label=label)


def row(key: str, *cells: Markup, to: str = "", class_: str = "") -> Markup:
    """A row that leads somewhere as a whole, through the link in it."""
    return tag("tr", cells, data_key=key, class_=f"{'leads ' if to else ''}{class_}".strip() or None)


def cell(content: Content, kind: str = "", **more: str | None) -> Markup:
    return tag("td", content, class_=kind or None, **more)


def bar(share: float | None, level: str, label: str, goal: float | None = None) -> Markup:
    """A share as a bar, with its goal as a notch. Drawn from where the language begins to be read. label: ""
    where the same is said beside it.
    """
    if share is None:
        return tag("span", class_="bar none", aria_hidden="true")
    whole = max(0.0, min(share, 1.0)) * 100
    notch = tag("rect", x=goal * 100 - 0.75, y=0, width=1.5, height=6, class_="goal") if goal else None
    drawn = [
        tag("rect", x=0, y=0, width=100, height=6, class_="ground"),
        tag("rect", x=0, y=0, width=max(whole, 3.0), height=6, class_=level) if whole else None,
        notch,
    ]
    return tag(
        "svg",
        drawn,
        class_="bar",
        viewbox="0 0 100 6",
        preserveaspectratio="none",
        role="img" if label else None,
        aria_label=label or None,
        aria_hidden=None if label else "true",
    )


def facts(pairs: Iterable[tuple[str, Content]]) -> Markup:
    return tag("dl", [[tag("dt", term), tag("dd", told)] for term, told in pairs], class_="facts")


def confirm(id: str, say: Words, key: str, button: Markup, **values: object) -> Markup:
    """A dialog before something that cannot be undone. The texts are KEY, KEY.more; button does it."""
    close = tag("button", say("cancel"), type="button", data_closes=True)
    inner = [
        tag("h2", say(key, **values), id=f"{id}-title"),
        tag("p", say(f"{key}.more", **values)),
        tag("div", close, button, class_="row end"),
    ]
    return tag("dialog", inner, id=id, aria_labelledby=f"{id}-title")


def head(look: Look, title: str, *more: Content, back: str = "", soft: Content = None) -> Markup:
    """The top of a page; its heading gets the focus after coming here."""
    way = (
        link([icon("back"), tag("span", look.say("back"), class_="quiet")], back, class_="round")
        if back
        else None
    )
    named = tag("h1", name(title), tabindex=-1)
    below = tag("p", soft, class_="soft") if soft is not None else None
    return tag(
        "header",
        way,
        tag("div", named, below, class_="grow"),
        tag("div", more, class_="row") if more else None,
        class_="page-head",
        data_title=f"{title} · Isogloss",
        data_key=look.place.page,
    )


def of_here(look: Look) -> str | None:
    """What a page tells of this node alone, and of whom else what it does not; None for a node by itself."""
    others = look.now.others
    if not others:
        return None
    named = ", ".join(others[:MOST_NODES]) + (" …" if len(others) > MOST_NODES else "")
    return look.say("here.of", name=look.now.here, others=named)


def edit_link(look: Look, file: str, at: str, words: str) -> Markup | None:
    """To where this is written in the configuration, for who may change it."""
    if not look.who.may(Permission.CONFIGURE):
        return None
    return link([icon("edit"), words], address("config", file=file, at=at), class_="button")
