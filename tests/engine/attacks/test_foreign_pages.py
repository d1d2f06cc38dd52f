"""Pages of others have a browser write with its session's cookie: every write there is refuses them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.access.desk import csrf_of
from engine.access.role import Role
from engine.api.identify import SAFE
from tests.engine.access.stand import standing
from tests.engine.test_api_matrix import BODIES, OPEN, SEEN, People, method_of, path_of, routes

WRITES = sorted(name for name, route in routes().items() if name not in OPEN and method_of(route) not in SAFE)
FORGED = {
    "foreign page": ({"Origin": "https://evil.example.com"}, "foreign-origin"),
    "page of a host whose name begins like ours": ({"Origin": "http://node.example.com"}, "foreign-origin"),
    "page in a sandbox": ({"Origin": "null"}, "foreign-origin"),
    "form without an origin": ({"Origin": ""}, "foreign-origin"),
    "page that does not know the token": ({"X-CSRF-Token": ""}, "csrf-token-wanted"),
    "page that has the token of another session": ({"X-CSRF-Token": csrf_of("A" * 43)}, "csrf-token-wanted"),
}


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    with standing(tmp_path_factory.mktemp("pages")) as stand:
        yield People(stand)


@pytest.mark.parametrize("forged", FORGED)
def test_no_write_is_done_for_a_page_of_others(people: People, forged: str) -> None:
    headers, name = FORGED[forged]
    node = people.node
    before = (list(node.hung_up), list(node.asked), dict(node.team), dict(node.guests))
    asked = [
        (
            Role.ADMIN,
            "all",
            method_of(routes()[each]),
            path_of(each, routes()[each], SEEN, "r1"),
            BODIES.get(each),
        )
        for each in WRITES
    ]
    answers = people.ask(asked, **headers)
    told = {each: answer.json().get("type", "").rpartition(":")[2] for each, answer in zip(WRITES, answers)}
    assert told == dict.fromkeys(WRITES, name)
    assert {answer.status_code for answer in answers} == {403}
    assert (node.hung_up, node.asked, node.team, node.guests) == before
    assert set(node.transcripts.said) == {"r1", "s1"}
