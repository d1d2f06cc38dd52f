"""What was said in a call, as it is said: always as text, whatever it says."""

from __future__ import annotations

from markupsafe import Markup

from engine.console.language import clock
from engine.console.look import Look
from engine.console.markup import tag
from engine.console.views import pieces
from engine.console.views.one_call import file_of, live_of
from engine.console.views.pieces import card

MOST_WORDS = 600


def captions(look: Look) -> Markup:
    say, found = look.say, file_of(look).said
    live = live_of(look) is not None
    more = tag("span", pieces.dot("good live"), say("wall.live"), class_="live-word soft") if live else None
    if not found:
        return card(
            say("captions.title"),
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
    return card(say("captions.title"), body, more=more, key="captions")


def _marks(look: Look, low: bool, gist: bool) -> Markup | None:
    marks = [look.say(key) for key, there in (("captions.low", low), ("captions.gist", gist)) if there]
    return (
        tag("span", [tag("span", each, class_="mark") for each in marks], class_="marks") if marks else None
    )
