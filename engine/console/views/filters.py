"""Lists narrowed by fields whose values stand in the address, and their pages."""

from __future__ import annotations

from markupsafe import Markup

from engine.console.language import Words
from engine.console.look import Look, address
from engine.console.markup import tag
from engine.console.views.pieces import icon, link


def choice(say: Words, field: str, value: str, options: list[str], words: str = "") -> Markup:
    names = dict.fromkeys([*options, *([value] if value else [])])
    told = [tag("option", say(f"filter.{field}.any"), value="")]
    for each in names:
        label = say.known(f"{words}.{each}", each) if words else each
        told.append(tag("option", label, value=each, selected=each == value))
    return tag(
        "label",
        tag("span", say(f"filter.{field}"), class_="quiet"),
        tag("select", told, name=field, data_key=f"{field}-{value}"),
        class_="filter",
    )


def search(say: Words, field: str, value: str, direction: str = "ltr") -> Markup:
    label = say(f"filter.{field}")
    box = tag(
        "input",
        type="search",
        name=field,
        value=value,
        placeholder=label,
        aria_label=label,
        dir=direction,
        maxlength=64,
        autocomplete="off",
    )
    return tag("span", icon("search"), box, class_="filter search")


def pages(look: Look, onward: str | None) -> Markup | None:
    """On to older ones; back is what the browser's own button does. onward: the cursor of the next page."""
    say, asked = look.say, dict(look.place.asked)
    asked.pop("cursor", None)
    first = (
        link([icon("back"), say("calls.newest")], address(look.place.page, **asked), class_="button")
        if look.place.get("cursor")
        else None
    )
    older = (
        link(
            [say("calls.older"), icon("next")],
            address(look.place.page, **asked, cursor=onward),
            class_="button",
        )
        if onward
        else None
    )
    return tag("nav", first, older, class_="pages", aria_label=say("calls.pages")) if first or older else None
