"""Every event has its place in docs/events.md, and nothing else has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields

import engine.guest_events
import engine.hand_events
import engine.line_events
import engine.speech_events
import engine.supervision_events
from engine.events import Event
from engine.store.rows import PERSONAL
from tests.project.tree import ROOT

assert engine.guest_events and engine.hand_events and engine.line_events  # they make their events known
assert engine.speech_events and engine.supervision_events

EVENT = re.compile(r"^\| `([a-z_.]+)` \| (.+?) \| (.*) \|$", re.MULTILINE)


def below(kind: type) -> Iterator[type]:
    for each in kind.__subclasses__():
        yield each
        yield from below(each)


def test_every_event_is_told_with_its_fields() -> None:
    events = {each.kind: each for each in below(Event) if each.__module__.startswith("engine.")}
    page = (ROOT / "docs" / "events.md").read_text("utf-8")
    told = {kind: words for kind, _, words in EVENT.findall(page)}
    assert list(told) == sorted(events)
    for kind, event in events.items():
        own = [each.name for each in fields(event) if each.name not in ("at", "call")]
        assert re.findall(r"`(\w+)`", told[kind]) == own, kind
        assert set(re.findall(r"\*`(\w+)`\*", told[kind])) == PERSONAL & {*own}, kind
