"""Sources that are answered no more: who sees them, and who answers one again."""

from __future__ import annotations

import asyncio

import pytest

from engine.access.role import Permission
from engine.console import acts, pages
from engine.console.desk import Desk
from engine.console.door import Principal
from engine.console.look import Place, Told
from engine.console.markup import text_of
from engine.console.views.sources import sources
from engine.insight.sources import SourceView
from tests.engine.api_node import Node
from tests.engine.console.looks import OPERATOR, VIEWER, look
from tests.engine.store_samples import T0

HERE = Place("nodes")
FORGED = SourceView("192.0.2.9", "blocked", T0, T0 + 60.0, 9, "<img src=x>", "wrong_passwords")


def desk(node: Node, who: Principal) -> Desk:
    return Desk(node, None, lambda: T0).of(who)  # type: ignore[arg-type]


def drawn(node: Node, who: Principal = OPERATOR, say: str = "en") -> str:
    found = asyncio.run(acts.nodes(desk(node, who), HERE, None))
    return str(sources(look("/console/nodes", who=who, say=say, loaded=found)))


def lift(node: Node, source: str) -> Told:
    right, act = pages.NODES.acts["unblock_source"]
    assert right is Permission.CONFIGURE
    return asyncio.run(act(desk(node, OPERATOR), OPERATOR, HERE, {"source": source}))  # type: ignore[arg-type]


def test_a_source_is_listed_with_what_it_tried_and_lifted_after_a_second_thought() -> None:
    node = Node()
    node.insight.sources[FORGED.source] = FORGED
    made = drawn(node)
    told = text_of(made)
    assert "guessed passwords" in told and "never proved who it is" in told
    assert "203.0.113.66" in told and "ignored" in told and "+4930123456" in told
    assert "<img" not in made and "Answer 192.0.2.9 again?" in told.replace("\u2068", "").replace(
        "\u2069", ""
    )
    assert made.count('data-do="unblock_source"') == made.count("<dialog") == 2, "only within a dialog"
    assert lift(node, "203.0.113.66").key == "sources.lifted" and lift(node, "203.0.113.66").bad
    assert list(node.insight.sources) == ["192.0.2.9"]


def test_one_of_ipv6_is_lifted_as_it_is_listed() -> None:
    node = Node()
    node.insight.sources["2001:db8:1:2::"] = FORGED
    assert lift(node, "2001:db8:1:2::/64").key == "sources.lifted"


@pytest.mark.parametrize("say", ["en", "es", "zh", "ar"])
def test_nobody_turned_away_says_when_somebody_would_be(say: str) -> None:
    node = Node()
    node.insight.sources.clear()
    assert 'class="empty"' in drawn(node, say=say) and "sources." not in text_of(drawn(node, say=say))


def test_who_may_not_read_the_configuration_sees_none_of_it_and_an_auditor_no_address() -> None:
    auditor = Principal("axel", "auditor", rights=frozenset({Permission.CALLS, Permission.READ_CONFIG}))
    seen = drawn(Node(), auditor)
    assert "203.0.113.x" in seen and "203.0.113.66" not in seen and "data-do" not in seen
    supervisor = Principal("sue", "supervisor", rights=frozenset({Permission.CALLS}))
    assert drawn(Node(), supervisor) == ""
    assert Permission.CONFIGURE not in VIEWER.rights
