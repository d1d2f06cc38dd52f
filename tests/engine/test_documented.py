"""Every event and every problem of the API has its place in the documents, and nothing else has."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from http import HTTPStatus
from itertools import pairwise

import engine.guest_events
import engine.hand_events
import engine.line_events
import engine.speech_events
import engine.supervision_events
from engine.access import errors
from engine.api.app import create_app
from engine.events import Event
from engine.store.rows import PERSONAL
from tests.engine.api_node import SETTINGS, Node
from tests.project.tree import ROOT, files, syntax

assert engine.guest_events and engine.hand_events and engine.line_events  # they make their events known
assert engine.speech_events and engine.supervision_events

EVENT = re.compile(r"^\| `([a-z_.]+)` \| (.+?) \| (.*) \|$", re.MULTILINE)
PROBLEM = re.compile(r"^\| `([a-z-]+)` \| (\d{3}) \| .+ \|$", re.MULTILINE)
OF_FRAMEWORK = {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}  # answered in its own words


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


def named_in_code() -> Iterator[tuple[str, int]]:
    """Problems that the code raises or answers by name, with their status."""
    for path in files(".py"):
        if path.parts[0] != "engine":
            continue
        for node in ast.walk(syntax(path)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            literals = [each.value if isinstance(each, ast.Constant) else None for each in node.args]
            if node.func.id == "not_found":
                yield f"unknown-{literals[0]}", 404
            for status, name in pairwise(literals):
                named = isinstance(status, int) and isinstance(name, str) and status >= 400
                if node.func.id in ("Problem", "reply", "Refused") and named:
                    yield name, status


def in_openapi() -> Iterator[tuple[str, int]]:
    document = create_app(Node(), SETTINGS).openapi()
    for item in document["paths"].values():
        for operation in item.values():
            for status, answer in operation["responses"].items():
                example = answer.get("content", {}).get("application/problem+json", {}).get("example")
                if example is not None:
                    yield example["type"].rpartition(":")[2], int(status)


def test_every_problem_is_told_with_its_status() -> None:
    page = (ROOT / "docs" / "errors.md").read_text("utf-8")
    told = {(name, int(status)) for name, status in PROBLEM.findall(page)}
    kinds = {(each.name, each.status) for each in below(errors.AccessError)}
    framework = {(each.phrase.lower().replace(" ", "-"), each.value) for each in OF_FRAMEWORK}
    assert told == {*named_in_code(), *in_openapi(), *kinds, *framework}
