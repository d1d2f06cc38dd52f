"""A parameter given twice: what checks a request and what answers it must not take different ones."""

from __future__ import annotations

import pytest

from engine.api.app import create_app
from engine.api.repeated import parameters_of
from tests.engine.api_node import SETTINGS, Node
from tests.engine.test_api import Client, refused
from tests.engine.test_api_matrix import routes


@pytest.fixture(scope="module")
def ask() -> Client:
    return Client(create_app(Node(), SETTINGS))


@pytest.mark.parametrize("query", ["queue=support&queue=sales", "limit=1&limit=200", "queue=a&queue=a"])
def test_one_value_is_wanted_and_no_two(ask: Client, query: str) -> None:
    problem = refused(ask("GET", f"/v1/calls?{query}"), 422, "invalid-request")
    assert problem["errors"][0]["what"] == "is given more than once"


def test_what_takes_several_values_takes_them(ask: Client) -> None:
    assert ask("GET", "/v1/reports/calls?by=queue&by=hour").status_code == 200


def test_every_parameter_there_is_is_known() -> None:
    listed = {name: parameters_of(route.endpoint) for name, route in routes().items()}
    assert listed["list_calls"]["limit"] is False and listed["get_call_report"]["by"] is True
    assert listed["get_call_report"]["from"] is False, "by its alias"
    assert listed["watch_live"]["topics"] is True
