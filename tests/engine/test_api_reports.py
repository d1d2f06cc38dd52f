"""Reports over the API: what is asked for, as JSON and as a table, and what is refused."""

from __future__ import annotations

import csv

import pytest

from engine.api.app import create_app
from engine.api.problem import MEDIA_TYPE
from tests.engine.api_node import SETTINGS, Node
from tests.engine.test_api import Client

PATH = "/v1/reports/calls"


@pytest.fixture(scope="module")
def ask() -> Client:
    return Client(create_app(Node(), SETTINGS))


def test_a_report_names_its_formula_and_holds_rows_and_their_total(ask: Client) -> None:
    answer = ask(
        "GET", f"{PATH}?by=queue&by=hour&threshold_s=30&formula=of_offered&zone=Europe/Berlin"
    ).json()
    assert answer["by"] == ["queue", "hour"] and answer["threshold_s"] == 30.0
    assert answer["formula_words"].startswith("answered within the threshold / offered")
    (row,) = answer["items"]
    assert row["key"] == {"queue": "support", "hour": "2025-10-09T10:00:00+02:00"}
    assert row["figures"]["service_level"] == answer["total"]["service_level"] == 0.75


@pytest.mark.parametrize(
    ("path", "headers"), [(f"{PATH}.csv", {}), (PATH, {"Accept": "text/csv, */*;q=0.1"})]
)
def test_a_table_is_one_that_a_spreadsheet_takes_for_no_formula(
    ask: Client, path: str, headers: dict[str, str]
) -> None:
    answer = ask("GET", f"{path}?by=agent", headers=headers)
    assert answer.headers["content-type"].startswith("text/csv")
    names, row = csv.reader(answer.text.splitlines())
    assert names[:4] == ["agent", "offered", "answered", "abandoned"] and row[:3] == ["'=alice", "4", "3"]


@pytest.mark.parametrize(
    "query",
    [
        "by=weather",
        "by=queue&by=agent&by=hour",
        "by=queue&by=queue",
        "from=2026-01-01T00:00:00Z&to=2025-01-01T00:00:00Z",
        "from=2025-01-01T00:00:00Z&to=2026-01-01T00:00:00Z",
        "zone=../../etc/passwd",
        "zone=Mars/Base",
        "threshold_s=-1",
        "formula=best",
        "queue=%00",
        "colour=red",
    ],
)
def test_what_no_report_can_be_made_of_is_refused(ask: Client, query: str) -> None:
    answer = ask("GET", f"{PATH}?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (422, MEDIA_TYPE)
