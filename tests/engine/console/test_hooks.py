"""Webhooks in the console: how they do, one that is tried, and events told once more."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from engine.access.role import Permission
from engine.console import acts, pages
from engine.console.desk import Desk
from engine.console.door import Principal
from engine.console.look import Place, Told
from engine.console.markup import text_of
from engine.console.views.hooks import hooks
from engine.hook_views import HookTrial, HookView
from tests.engine.api_node import Node
from tests.engine.console.looks import OPERATOR, VIEWER, look
from tests.engine.store_samples import T0

HERE = Place("nodes")
URL = "https://crm.example.com/in?key=1"


class Telling(Node):
    """told: of which hooks something was told again."""

    def __init__(self, *known: HookView, taken: bool = True) -> None:
        super().__init__()
        self.known, self.taken = known, taken
        self.told: list[tuple[str, Sequence[int] | None]] = []

    def hooks(self) -> Sequence[HookView]:
        return self.known

    async def try_hook(self, hook: str) -> HookTrial:
        if not self.taken:
            return await super().try_hook(hook)
        return HookTrial("n1-trial-7", True, 204, "", 0.0312)

    def replay(self, hook: str, seqs: Sequence[int] | None) -> int:
        self.told.append((hook, seqs))
        return 3


def hook(name: str = "crm", **more: object) -> HookView:
    return HookView(name=name, url=URL, enabled=True, kinds=("call.*",), **more)  # type: ignore[arg-type]


def drawn(node: Node, who: Principal = OPERATOR, say: str = "en") -> str:
    desk = Desk(node, None, lambda: T0).of(who)  # type: ignore[arg-type]
    found = asyncio.run(acts.nodes(desk, HERE, None))
    return str(hooks(look("/console/nodes", who=who, say=say, loaded=found)))


def act(node: Node, name: str, hook: str) -> Told:
    right, does = pages.NODES.acts[name]
    assert right is Permission.CONFIGURE
    desk = Desk(node, None, lambda: T0).of(OPERATOR)  # type: ignore[arg-type]
    return asyncio.run(does(desk, OPERATOR, HERE, {"hook": hook}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("standing", "told"),
    [
        ({"told": 1204}, "well"),
        ({"failures": 2, "error": "answered <b>503</b>", "waiting": 9}, "out of order"),
        ({"dead": 4}, "not all taken"),
        ({"error": "answered 422"}, "not all taken"),
        ({"failures": 2, "trying": True}, "being tried"),
        ({"enabled": False, "failures": 2}, "off"),
    ],
)
def test_each_says_how_it_does_without_the_key_in_its_url(standing: dict[str, object], told: str) -> None:
    values = {"name": "crm", "url": URL, "enabled": True, "kinds": ("call.*",)} | standing
    made = drawn(Telling(HookView(**values)))  # type: ignore[arg-type]
    assert f">{told}</span>" in made and "https://crm.example.com/in" in made and "key=1" not in made
    assert "<b>503" not in made and ("answered" in made) == ("error" in standing)
    assert (" disabled" in made) == ("trying" in standing), "once at a time"
    assert ('data-do="replay_hook"' in made) == ("dead" in standing), "where there is something to tell"


def test_one_is_tried_and_how_it_took_that_is_told() -> None:
    well, ill = Telling(hook()), Telling(hook(), taken=False)
    assert (act(well, "try_hook", "crm").key, act(well, "try_hook", "crm").values["ms"]) == (
        "hooks.taken",
        31,
    )
    told = act(ill, "try_hook", "crm")
    assert (told.key, told.bad, told.values["why"]) == ("hooks.refused", True, "answered 503")
    assert act(ill, "try_hook", "erp").key == "hooks.gone"
    ill.trying = True
    assert act(ill, "try_hook", "crm").key == "hooks.busy"


def test_what_was_put_aside_is_told_again() -> None:
    node = Telling(hook(dead=3))
    told = act(node, "replay_hook", "crm")
    assert (told.key, told.values, node.told) == ("hooks.replayed", {"n": 3}, [("crm", None)])
    assert act(node, "replay_hook", "erp").bad and len(node.told) == 1


@pytest.mark.parametrize("say", ["en", "es", "zh", "ar"])
def test_none_says_how_there_would_be_one(say: str) -> None:
    made = drawn(Telling(), say=say)
    assert 'class="empty"' in made and "hooks.yaml" in text_of(made)
    assert "hooks." not in text_of(drawn(Telling(hook(dead=1)), say=say))


def test_who_may_not_read_the_configuration_sees_none_and_who_may_not_change_it_does_nothing() -> None:
    supervisor = Principal("sue", "supervisor", rights=frozenset({Permission.CALLS}))
    assert drawn(Telling(hook()), supervisor) == ""
    reader = Principal("axel", "auditor", rights=frozenset({Permission.CALLS, Permission.READ_CONFIG}))
    assert "data-do" not in drawn(Telling(hook(dead=1)), reader)
    assert Permission.CONFIGURE not in VIEWER.rights
