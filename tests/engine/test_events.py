"""Every event has its place in docs/events.md, and nothing else has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module

from engine.events import Event
from engine.store.rows import PERSONAL
from tests.project.tree import ROOT, files

ROW = re.compile(r"^\| `([a-z_.]+)` \| (.+?) \| (.*) \|$", re.MULTILINE)


def below(kind: type[Event]) -> Iterator[type[Event]]:
    for each in kind.__subclasses__():
        yield each
        yield from below(each)


def known() -> dict[str, type[Event]]:
    """Every event by its kind, in order."""
    for path in files("events.py"):
        if path.parts[0] == "engine":
            import_module(".".join(path.with_suffix("").parts))
    found = {each.kind: each for each in below(Event) if each.__module__.startswith("engine.")}
    return dict(sorted(found.items()))


def test_every_event_is_told_with_its_fields() -> None:
    page = (ROOT / "docs" / "events.md").read_text("utf-8")
    told = {kind: words for kind, _, words in ROW.findall(page)}
    assert list(told) == list(known())
    for kind, event in known().items():
        own = [each.name for each in fields(event) if each.name not in ("at", "call")]
        assert re.findall(r"`(\w+)`", told[kind]) == own, kind
        assert set(re.findall(r"\*`(\w+)`\*", told[kind])) == PERSONAL & {*own}, kind
