"""What pages are put together from: times, pills, tiles, tables, bars, icons, and states with nothing in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from markupsafe import Markup

from engine.console.language import DASH, Words
from engine.console.look import Look, address
from engine.console.markup import Content, tag

ICONS: Mapping[str, str] = {
    "wallboard": "M4 5h7v6H4zM13 5h7v3.5h-7zM13 11h7v8h-7zM4 14h7v5H4z",
    "calls": "M6.5 4h3l1.5 4-2 1.4a11 11 0 0 0 5.6 5.6L16 13l4 1.5v3A2.5 2.5 0 0 1 17.5 20 13.5 13.5 0 0 1 4 6.5 2.5 2.5 0 0 1 6.5 4z",
    "queues": "M4 7h16M4 12h16M4 17h10",
    "agents": "M4.5 12.5v-1a7.5 7.5 0 0 1 15 0v1M4.5 13h2.5v5H6a1.5 1.5 0 0 1-1.5-1.5zM19.5 13H17v5h1a1.5 1.5 0 0 0 1.5-1.5z",
    "lines": "M3 12h4l2.5-6 4 12 2.5-6H21",
    "nodes": "M5 5h14v5H5zM5 14h14v5H5zM8.5 7.5h.01M8.5 16.5h.01",
    "config": "M4 8h9M17 8h3M4 16h3M11 16h9M15 5.5v5M9 13.5v5",
    "reports": "M5 19V11M12 19V5M19 19v-5",
    "language": "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM4 12h16M12 4c2.5 2.2 3.5 5 3.5 8s-1 5.8-3.5 8c-2.5-2.2-3.5-5-3.5-8s1-5.8 3.5-8z",
    "theme": "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
    "out": "M14 5h4.5v14H14M4.5 12H14M10.5 8.5 14 12l-3.5 3.5",
    "wall": "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
    "menu": "M4 7h16M4 12h16M4 17h16",
    "warning": "M12 4.5 21 19.5H3zM12 10v4.5M12 17.2h.01",
    "good": "M5 12.5 10 17.5 19.5 7",
    "search": "M10.5 4.5a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM15 15l5 5",
    "hangup": "M3.5 14.5c5-4.700 12-4.700 17 0l-2.2 2.5-3.8-1.5v-2.300a9 9 0 0 0-5 0v2.300L5.700 17z",
    "back": "M14.5 5.5 8 12l6.5 6.5",
    "next": "M9.5 5.5 16 12l-6.5 6.5",
    "play": "M8 5.5v13l10.5-6.5z",
    "download": "M12 4.5v10M7.5 10.5 12 15l4.5-4.5M5 19.5h14",
}
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
    return tag("time", "", data_at=round(at, 3), data_form=form)


def name(text: str, **more: str) -> Markup:
    """What may be written in any direction."""
    return tag("bdi", text, **more)


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
        "div", tag("p", say(key), class_="empty-what"), tag("p", say(f"{key}.more")), step, class_="empty"
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
    """A share as a bar, with its goal as a notch. Drawn from where the language begins to be read."""
    if share is None:
        return tag("span", class_="bar none", aria_hidden="true")
    whole = max(0.0, min(share, 1.0)) * 100
    notch = tag("rect", x=goal * 100 - 0.75, y=0, width=1.5, height=6, class_="goal") if goal else None
    drawn = [
        tag("rect", x=0, y=0, width=100, height=6, rx=3, class_="ground"),
        tag("rect", x=0, y=0, width=max(whole, 3.0), height=6, rx=3, class_=level) if whole else None,
        notch,
    ]
    return tag(
        "svg",
        drawn,
        class_="bar",
        viewbox="0 0 100 6",
        preserveaspectratio="none",
        role="img",
        aria_label=label,
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


def call_link(id: str, words: Content) -> Markup:
    return link(words, address("calls", id))
