"""No setting without effect: what an operator may write is read by something that acts on it.

By name, from the syntax trees: a setting counts as read when its name is an attribute that is looked at in
`engine/`, or in `routing/`, `sip/` and `media/speech/` under the name it is handed over by. Looking at it to
check it, as `config/order.py` does, is no effect. A name that other things have as well may be found for the
wrong reason; that a setting does what it says is for tests of its own, such as
tests/engine/test_settings_at_work.py.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

from config.outline import settings_of
from config.reference import PAGES
from routing.number import Feature

ROOT = Path(__file__).resolve().parents[2]
ACTING = ("engine", "routing", "sip", "media/speech")
# What builds a part of `Config` out of what was written; the rest of config/ declares, checks and explains.
BUILDING = ("config/load.py", "config/schema.py", "config/numbers.py", "config/markets.py")


def settings(block: type) -> Iterator[str]:
    for setting in settings_of(block).values():
        yield setting.name
        if setting.block is not None:
            yield from settings(setting.block)


def nodes(*places: str) -> Iterator[ast.AST]:
    for place in places:
        for path in [ROOT / place] if place.endswith(".py") else sorted((ROOT / place).rglob("*.py")):
            yield from ast.walk(ast.parse(path.read_text("utf-8")))


def looked_at(found: Iterable[ast.AST]) -> Iterator[str]:
    for node in found:
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield node.attr


@cache
def acted_on() -> frozenset[str]:
    return frozenset(looked_at(nodes(*ACTING, *BUILDING)))


@cache
def handed_over() -> frozenset[tuple[str, str]]:
    """first_delay=self.first_delay_s: under another name."""
    return frozenset(
        (name, str(node.arg))
        for node in nodes("config")
        if isinstance(node, ast.keyword) and node.arg
        for name in looked_at(ast.walk(node.value))
    )


FEATURES = {feature.value for feature in Feature}  # read by the names of the features


@pytest.mark.parametrize("name", sorted({name for page in PAGES for name in settings(page.block)}))
def test_it_has_an_effect(name: str) -> None:
    others = {other for given, other in handed_over() if given == name}
    assert ({name} | others) & acted_on() or name in FEATURES, f"nothing acts on {name}: wire it or remove it"
