"""Each item of the live state is seen by those whose it is, and as much of it as they may read."""

from __future__ import annotations

from typing import Any

import pytest

from engine.access.principal import Directory, How, Place, Principal
from engine.access.role import Permission
from engine.access.seen_live import SeenLive, sight
from engine.live.angle import Angle
from engine.live.tree import Change, Topic

DIRECTORY = Directory(
    {"alice": Place("north", ("support",)), "carol": Place("south", ("sales",))},
    {"support": "de", "sales": "us"},
    {"carrier": "de", "gateway": "us"},
)
NUMBER = "+4930123456"
ITEMS: list[tuple[Topic, dict[str, Any], dict[str, Any]]] = [  # one of de and north, one of us and south
    (
        Topic.CALLS,
        {"market": "de", "queue": "support", "agent": "alice", "customer": NUMBER},
        {"market": "us", "queue": "sales", "agent": "carol", "customer": NUMBER},
    ),
    (
        Topic.CAPTIONS,
        {"market": "de", "queue": "support", "agent": "alice", "text": NUMBER, "translation": ""},
        {"market": "us", "queue": "sales", "agent": "carol", "text": NUMBER, "translation": ""},
    ),
    (Topic.QUEUES, {"name": "support"}, {"name": "sales"}),
    (Topic.AGENTS, {"name": "alice", "call": "c1"}, {"name": "carol", "call": "c2"}),
]
LINES: list[tuple[Topic, dict[str, Any], dict[str, Any]]] = [
    (Topic.LINES, {"name": "carrier"}, {"name": "gateway"}),
    (Topic.ALERTS, {"kind": "line", "name": "carrier"}, {"kind": "line", "name": "gateway"}),
]


def seen(*permissions: Permission, **limits: Any) -> SeenLive:
    given = {name: frozenset(value) for name, value in limits.items()}
    who = Principal(who="maria", permissions=frozenset(permissions), how=How.TOKEN, **given)
    return sight(who, DIRECTORY)


@pytest.mark.parametrize(("topic", "own", "foreign"), [*ITEMS, *LINES])
def test_what_is_out_of_reach_is_not_there(topic: Topic, own: Any, foreign: Any) -> None:
    all_of_it = seen(*Permission)
    assert all_of_it.sees(topic, own) and all_of_it.sees(topic, foreign)
    limits: list[dict[str, Any]] = [{"markets": ["de"]}]
    if (topic, own, foreign) in ITEMS:  # lines have no team
        limits.append({"teams": ["north"]})
    for limit in limits:
        limited = seen(*Permission, **limit)
        assert limited.sees(topic, own) and not limited.sees(topic, foreign)


def test_calls_and_captions_want_a_permission_of_their_own() -> None:
    (_, call, _), (_, caption, _) = ITEMS[:2]
    board = seen(Permission.BOARD)
    assert not board.sees(Topic.CALLS, call) and not board.sees(Topic.CAPTIONS, caption)
    assert seen(Permission.CALLS).sees(Topic.CALLS, call)
    assert not seen(Permission.CALLS).sees(Topic.CAPTIONS, caption)
    assert seen(Permission.LISTEN).sees(Topic.CAPTIONS, caption)
    assert board.sees(Topic.NODES, {"name": "n1"}) and board.sees(
        Topic.ALERTS, {"kind": "health", "name": "x"}
    )


def test_numbers_are_masked_for_who_may_not_read_them_in_whole_items_and_in_changes() -> None:
    masked, plain = seen(Permission.CALLS, Permission.LISTEN), seen(*Permission)
    for topic, own, _ in ITEMS[:2]:
        assert NUMBER in plain.shown(topic, own).values() and NUMBER not in masked.shown(topic, own).values()
        assert masked.shown(topic, {"queue": "support"}) == {"queue": "support"}
    change = Change(Topic.CALLS, "c1", ITEMS[0][1] | {"customer": "+4930999999"}, ITEMS[0][1])
    (told,) = Angle(frozenset(Topic), scope=masked).changes([change])
    assert told["value"] == {"customer": "+49*****456"}


def test_captions_have_no_cards_for_anybody_and_no_part_of_a_number_for_who_may_not_read_them() -> None:
    masked, plain = seen(Permission.LISTEN), seen(*Permission)
    card = {"text": "4111, 1111, 1111, 1111", "translation": "mine is four one one one"}
    assert plain.shown(Topic.CAPTIONS, card) == {
        "text": "************1111",
        "translation": "mine is four one one one",
    }
    assert masked.shown(Topic.CAPTIONS, card) == {"text": "****************", "translation": "mine is ****"}


def test_an_agents_call_is_named_to_those_alone_who_see_all() -> None:
    fields = {"name": "alice", "call": "c1"}
    assert seen(Permission.BOARD).shown(Topic.AGENTS, fields) == fields
    assert seen(*Permission, markets=["de"]).shown(Topic.AGENTS, fields)["call"] == ""


def test_two_of_the_same_rights_and_reach_share_and_others_do_not() -> None:
    one, other = seen(Permission.CALLS, markets=["de"]), seen(Permission.CALLS, markets=["de"])
    assert one == other and hash(one) == hash(other)
    assert one != seen(Permission.CALLS, markets=["us"]) and one != seen(Permission.BOARD, markets=["de"])


def test_personal_data_is_what_is_said_and_calls_with_their_numbers() -> None:
    assert seen(Permission.CALLS).personal_data(Topic) == frozenset()
    assert seen(Permission.CALLS, Permission.PERSONAL).personal_data(Topic) == {Topic.CALLS}
    assert seen(*Permission).personal_data({Topic.CAPTIONS, Topic.QUEUES}) == {Topic.CAPTIONS}
