"""Judging calls over the API: by forms, by who may; and each agent sees her own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.access.role import Role
from tests.engine.access.stand import standing
from tests.engine.card_samples import GOOD
from tests.engine.test_shared import Street

AT = "/v1/calls/r1/scorecards"


@pytest.fixture
def street(tmp_path: Any) -> Iterator[Street]:
    with standing(tmp_path) as stand:
        yield Street(stand)


def judge(street: Street, call: str = "r1", **wanted: Any) -> Any:
    body = {"form": "service", "answers": GOOD, **wanted}
    return street.ask("POST", f"/v1/calls/{call}/scorecards", json=body)


def test_a_call_is_judged_and_found_by_call_and_by_agent(street: Street) -> None:
    (form,) = street.ask("GET", "/v1/forms").json()["items"]
    assert (form["name"], [each["critical"] for each in form["questions"]]) == (
        "service",
        [False, True, False, False],
    )
    made = judge(street, comment=" Kind and quick.\nA pleasure. ")
    assert made.status_code == 201
    card = made.json()
    assert (card["score"], card["failed"], card["by"]) == (90.0, False, "sue")
    assert card["comment"] == "Kind and quick.\nA pleasure."
    assert street.ask("GET", AT).json()["items"] == [card]
    agent = card["agent"]
    assert street.ask("GET", f"/v1/scorecards?agent={agent}").json() == {"items": [card], "next": None}
    assert street.ask("GET", "/v1/scorecards?agent=nobody").json()["items"] == []
    assert ("sue", "judge_call", "done") in street.stand.told()


@pytest.mark.parametrize(
    ("wanted", "status", "kind"),
    [
        ({"answers": {}}, 422, "bad-answers"),
        ({"answers": GOOD | {"solved": 9}}, 422, "bad-answers"),
        ({"answers": GOOD | {"solved": 99}}, 422, "invalid-request"),
        ({"answers": GOOD | {"solved": True}}, 422, "invalid-request"),
        ({"form": "other"}, 422, "unknown-form"),
        ({"form": "../x"}, 422, "invalid-request"),
        ({"comment": "x" * 2001}, 422, "invalid-request"),
    ],
)
def test_what_is_no_judgement_is_refused(
    street: Street, wanted: dict[str, Any], status: int, kind: str
) -> None:
    refused = judge(street, **wanted)
    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (status, kind)
    assert street.ask("GET", AT).json()["items"] == []


def test_a_call_that_goes_on_or_is_none_is_not_judged(street: Street) -> None:
    assert judge(street, "c1").status_code == 404
    assert street.ask("GET", "/v1/calls/nowhere/scorecards").status_code == 404


def test_an_agent_sees_her_own_and_no_other(street: Street) -> None:
    card = judge(street).json()
    for name, mine in ((card["agent"], [card]), ("somebody", [])):
        hers = Street.__new__(Street)
        hers.stand, hers.node, hers.app = street.stand, street.node, street.app
        hers.sign_in(name, Role.AGENT)
        assert hers.ask("GET", "/v1/session/scorecards").json()["items"] == mine
        assert hers.ask("GET", "/v1/scorecards").status_code == 403
        assert hers.ask("GET", AT).status_code == 403
