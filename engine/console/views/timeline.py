"""Who was in which state of a call from when to when: a lane each, side by side."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from engine.console.language import clock
from engine.console.look import Look, address
from engine.console.markup import tag
from engine.console.story import Lane, Span, Story, told
from engine.console.views import pieces
from engine.console.views.one_call import file_of
from engine.console.views.pieces import card, link, name


def timeline(look: Look) -> Markup:
    say, file = look.say, file_of(look)
    story = told(file.entries, look.now.at)
    if not story.lanes:
        return card(say("story.title"), pieces.empty(say, "story.none"), key="story")
    lanes = [_lane(look, story, lane) for lane in story.lanes]
    ends = tag("div", tag("span", "0:00"), tag("span", clock(story.seconds)), class_="axis", dir="ltr")
    return card(
        say("story.title"),
        tag("div", lanes, tag("div", tag("span"), ends, class_="lane"), class_="lanes"),
        _kinds(look, story),
        more=tag("span", clock(story.seconds), class_="soft number"),
        key="story",
    )


KINDS: Mapping[str, str] = {
    "arrived": "soft",
    "greeting": "soft",
    "queued": "warn",
    "offered": "warn",
    "dialling": "warn",
    "talking": "busy",
    "held": "held",
    "transferring": "held",
    "on": "good",
    "paused": "held",
    "missed": "bad",
}


def _lane(look: Look, story: Story, lane: Lane) -> Markup:
    say = look.say
    words = say(f"lane.{lane.kind}") if lane.kind in ("caller", "recording") else lane.name
    if lane.kind == "sound":
        words = say("lane.sound", side=say.known(f"side.{lane.name}", lane.name))
    bars = [_span(look, story, span, lane) for span in lane.spans]
    label = tag(
        "span",
        link(name(words), address("agents", words))
        if lane.kind == "agent" and words in _agents(look)
        else name(words),
    )
    drawn = tag("svg", bars, height=22, role="img", aria_label=f"{words}: {_heard(look, lane)}", dir="ltr")
    return tag("div", label, drawn, class_=f"lane {lane.kind}", data_key=f"{lane.kind}-{lane.name}")


def _agents(look: Look) -> set[str]:
    return {agent.name for agent in look.now.agents}


def _word(look: Look, span: Span) -> str:
    for key in (f"span.{span.kind}", f"state.{span.kind}", f"trouble.{span.kind}"):
        found = look.say.known(key, "")
        if found:
            return found
    return span.kind


def _heard(look: Look, lane: Lane) -> str:
    return "; ".join(f"{_word(look, span)} {clock(span.end - span.begin)}" for span in lane.spans[:12])


def _span(look: Look, story: Story, span: Span, lane: Lane) -> Markup:
    left = (span.begin - story.begin) / story.seconds * 100
    wide = max((span.end - span.begin) / story.seconds * 100, 0.6)
    level = KINDS.get(span.kind, "bad" if lane.kind == "sound" else "soft")
    words = f"{_word(look, span)}, {clock(span.end - span.begin)}" + (f". {span.note}" if span.note else "")
    x, width = f"{min(left, 99.4):.2f}%", f"{min(wide, 100 - min(left, 99.4)):.2f}%"
    return tag("rect", tag("title", words), x=x, y=3, width=width, height=16, rx=4, class_=f"span {level}")


def _kinds(look: Look, story: Story) -> Markup:
    """What the colours mean, of those that are there."""
    there = dict.fromkeys(span.kind for lane in story.lanes if lane.kind != "sound" for span in lane.spans)
    told_of = [
        tag(
            "li",
            tag("i", class_=f"sign {KINDS.get(kind, 'soft')}", aria_hidden="true"),
            _word(look, Span(kind, 0, 0)),
        )
        for kind in there
    ]
    return tag("ul", told_of, class_="legend")
