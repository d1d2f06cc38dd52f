"""What was said in a call, as it is said: always as text, whatever it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from engine.access.role import Permission
from engine.console.language import clock
from engine.console.look import Look
from engine.console.markup import tag
from engine.console.views import pieces
from engine.console.views.one_call import file_of, live_of
from engine.console.views.pieces import card, pill
from engine.store.rows import Entry

MOST_WORDS = 600
MOST_REASONS = 3
MOODS = {"fine": "good", "uneasy": "warn", "upset": "bad"}


def captions(look: Look) -> Markup:
    say, found = look.say, file_of(look).said
    live = live_of(look) is not None
    more = tag("span", pieces.dot("good live"), say("wall.live"), class_="live-word soft") if live else None
    felt = _felt(look) if look.who.may(Permission.LISTEN) else None
    if not found:
        return card(
            say("captions.title"),
            felt,
            pieces.empty(say, "captions.live" if live else "captions.none"),
            more=more,
            key="captions",
        )
    shown = found[-MOST_WORDS:]
    lines = [
        tag(
            "li",
            tag("b", say(f"side.{each.side}"), tag("span", clock(each.begin), class_="number")),
            tag("span", each.text, lang=each.language or None, dir="auto"),
            tag("span", each.translation, class_="other", dir="auto") if each.translation else None,
            _marks(look, each.low, each.gist),
            class_="caption",
            data_mine=each.side == "agent",
            data_final=True,
            data_begin=round(each.begin, 2),
            data_key=f"{each.side}-{each.begin:.2f}",
        )
        for each in shown
    ]
    read = tag("ol", lines, class_="captions")
    body = tag(
        "div",
        read,
        class_="said",
        tabindex=0,
        role="log" if live else "group",
        aria_labelledby="captions-title",
        data_tail=live,
    )
    return card(say("captions.title"), felt, body, more=more, key="captions")


def _felt(look: Look) -> Markup | None:
    """How each side feels by now, with the words that tell; and what was said that is urgent."""
    say, moods, urgent = look.say, dict[str, Entry](), list[str]()
    for entry in file_of(look).entries:
        if entry.kind == "call.mood":
            moods[str(entry.data.get("side", ""))] = entry
        elif entry.kind == "call.urgent":
            urgent.append(str((entry.data | entry.person).get("term", "")))
    rows = [_mood(look, side, entry.data | entry.person) for side, entry in moods.items()]
    for term in dict.fromkeys(urgent):
        row = tag(
            "li", pill(say("mood.urgent"), "bad"), tag("q", term, dir="auto"), data_key=f"urgent-{term}"
        )
        rows.append(row)
    return tag("ul", rows, class_="moods", aria_label=say("mood.title")) if rows else None


def _mood(look: Look, side: str, felt: Mapping[str, Any]) -> Markup:
    level = str(felt.get("level", ""))
    reasons = felt.get("reasons") or ()
    return tag(
        "li",
        tag("b", look.say.known(f"side.{side}", side)),
        pill(look.say.known(f"mood.{level}", level), MOODS.get(level, "soft")),
        [tag("q", str(each), dir="auto") for each in reasons][:MOST_REASONS],
        data_key=f"mood-{side}",
    )


def _marks(look: Look, low: bool, gist: bool) -> Markup | None:
    marks = [look.say(key) for key, there in (("captions.low", low), ("captions.gist", gist)) if there]
    return (
        tag("span", [tag("span", each, class_="mark") for each in marks], class_="marks") if marks else None
    )
