"""Lines at the API, and the commands that ask it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest

from engine.access.role import Permission
from engine.api.app import create_app
from engine.api.settings import token
from engine.command import trunk
from engine.command.fault import NotDone
from engine.line_views import ReportView
from engine.probe.result import Delay, Fault, Streams
from media.fidelity import Fidelity
from routing.cost import Cost
from tests.engine.api_node import SETTINGS, WRITE, Node
from tests.engine.test_api import Client, refused
from tests.engine.trunk_samples import PROBE, result

COST = Cost(calls=212, seconds=40_210.0, low=9.47, high=12.1, unpriced=3)


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
def ask(node: Node) -> Client:
    return Client(create_app(node, SETTINGS))


def test_lines_are_told_as_they_stand(ask: Client) -> None:
    lines = ask("GET", "/v1/lines").json()["items"]
    assert [(line["name"], line["state"]) for line in lines] == [
        ("carrier", "fit"),
        ("gateway", "dead"),
        ("idle", "off"),
    ]


@pytest.mark.parametrize("name", ["region", "country", "kind", "state"])
def test_lines_are_filtered_by_what_they_are(ask: Client, name: str) -> None:
    lines = ask("GET", "/v1/lines").json()["items"]
    for value in {line[name] for line in lines} - {""}:
        shown = ask("GET", f"/v1/lines?{name}={value}").json()["items"]
        assert shown == [line for line in lines if line[name] == value]
    answer = ask("GET", f"/v1/lines?{name}=none-such")
    assert answer.status_code == 422 if name == "state" else answer.json()["items"] == []


def test_the_report_has_the_worst_line_first_and_the_idle_last(ask: Client) -> None:
    told = ask("GET", "/v1/lines/report?hours=2").json()
    assert [(line["line"], line["level"]) for line in told["lines"]] == [
        ("gateway", "bad"),
        ("carrier", "good"),
        ("idle", "none"),
    ]
    worst, good, _ = told["lines"]
    assert [hour["level"] for hour in worst["hours"]] == ["good", "bad"]
    assert {reason["kind"] for reason in worst["reasons"]} >= {"mos", "loss", "drop"}
    assert worst["newest"]["fault"] == "one-way audio"
    assert [region["region"] for region in good["regions"]] == ["eu", "us"]
    assert good["figures"]["calls"] == 160 and good["figures"]["pdd_p95_s"] == pytest.approx(1.475)


def test_what_a_line_has_cost_is_told_to_who_may_read_the_configuration(node: Node) -> None:
    report = node.trunks.report

    def priced(since: float, until: float) -> ReportView:
        found = report(since, until)
        lines = (replace(each, cost=COST if each.line == "carrier" else None) for each in found.lines)
        return replace(found, lines=tuple(lines))

    node.trunks.report = priced  # type: ignore[method-assign]
    board = token("board", "b" * 20, Permission.BOARD)
    ask = Client(create_app(node, replace(SETTINGS, tokens=(*SETTINGS.tokens, board))))
    costs = {
        key: {each["line"]: each["cost"] for each in ask("GET", "/v1/lines/report", key).json()["lines"]}
        for key in (WRITE, "b" * 20)
    }
    nothing = dict.fromkeys(("gateway", "carrier", "idle"))
    assert costs == {WRITE: nothing | {"carrier": asdict(COST)}, "b" * 20: nothing}


@pytest.mark.parametrize("query", ["hours=0", "hours=1000", "hours=x", "days=2"])
def test_a_report_of_no_such_time_is_refused(ask: Client, query: str) -> None:
    refused(ask("GET", f"/v1/lines/report?{query}"), 422, "invalid-request")


def test_without_its_store_the_report_is_unavailable(ask: Client, node: Node) -> None:
    node.trunks.answers = False
    problem = refused(ask("GET", "/v1/lines/report"), 503, "store-unavailable")
    assert "hunter2" not in json.dumps(problem)


def test_a_probe_is_begun_followed_and_told(ask: Client, node: Node) -> None:
    begun = ask("POST", "/v1/lines/carrier/probes", WRITE, json={"number": "+44123"})
    assert (begun.status_code, begun.json()["result"]) == (202, None)
    assert node.trunks.begun == [("carrier", "+44123", "supervisor")]
    path = f"/v1/lines/carrier/probes/{begun.json()['id']}"
    assert ask("GET", path).json()["result"] is None
    over = ask("GET", path).json()["result"]
    assert over["passed"] and over["delay"]["median_ms"] == 171.2 and over["digits"] == 1.0
    assert ask("GET", "/v1/lines/carrier/probes").json()["items"][0]["delay_ms"] == 171.0


def test_who_may_only_look_begins_no_probe(ask: Client, node: Node) -> None:
    refused(ask("POST", "/v1/lines/carrier/probes", json={}), 403, "forbidden")
    assert node.trunks.begun == []


@pytest.mark.parametrize(
    ("path", "body", "status", "name"),
    [
        ("/v1/lines/nowhere/probes", {}, 404, "unknown-line"),
        ("/v1/lines/idle/probes", {}, 409, "illegal-state"),
        ("/v1/lines/carrier/probes", {"number": "sip:me@here"}, 422, "invalid-request"),
        ("/v1/lines/carrier/probes", {"loud": True}, 422, "invalid-request"),
    ],
)
def test_what_cannot_be_probed_is_refused(
    ask: Client, path: str, body: dict[str, Any], status: int, name: str
) -> None:
    refused(ask("POST", path, WRITE, json=body), status, name)


def test_a_probe_that_nobody_knows_is_not_there(ask: Client) -> None:
    refused(ask("GET", f"/v1/lines/gateway/probes/{PROBE}"), 404, "unknown-probe")


# --- the command line ---------------------------------------------------------------------------------

Run = Callable[..., int]


@pytest.fixture
def run(ask: Client, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The commands, which reach the API without a network in between."""

    class Near:
        def __init__(self, options: object) -> None:
            pass

        def ask(self, method: str, path: str, body: Any = None, query: Any = None) -> Any:
            answer = ask(method, path, WRITE, params=query, **({} if body is None else {"json": body}))
            if answer.status_code >= 400:
                raise NotDone(answer.json())
            return answer.json()

    from engine.cli import main

    monkeypatch.setattr(trunk, "Node", Near)
    monkeypatch.setattr(trunk, "LOOK_S", 0.0)
    return lambda *words: main(["trunk", *words])


def test_a_line_that_passes_is_told_with_its_figures(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("test", "carrier") == 0
    told = capsys.readouterr().out
    for words in ("is answered after 1.20 s", "171.2 ms", "MOS 4.10 (bark)", "159# of 159#", "passed"):
        assert words in told


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"fault": Fault.ONE_WAY, "detail": "not one packet came back"}, 1, "external_address"),
        ({"streams": Streams(400, 300, 0.25)}, 1, "25.0% of the packets"),
        ({"speech": Fidelity(2.0, 9.0, 9.0, 0.0, 0.0)}, 1, "MOS 2.00 (bark), under 3.00"),
        ({"delay": Delay(950.0, 999.0, 900.0, None, 4, 4)}, 1, "950 ms there and back"),
        ({"digits_back": "15"}, 1, "15 of 159#"),
        ({"fault": Fault.NOT_RUN, "detail": "the phone died"}, 2, "probe again"),
    ],
)
def test_what_is_wrong_is_told_with_a_remedy(
    run: Run, node: Node, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], status: int, words: str
) -> None:
    node.trunks.comes_to = result(**changes)
    assert run("test", "carrier") == status
    assert words in capsys.readouterr().out


def test_a_machine_that_was_too_busy_blames_no_line(
    run: Run, node: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    node.trunks.comes_to = result(speech=Fidelity(2.0, 9.0, 9.0, 0.0, 0.0), late_ms=140.0)
    assert run("test", "carrier") == 0
    assert "too busy" in capsys.readouterr().out


def test_as_json_the_verdict_is_one_line(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("test", "carrier", "--json") == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["passed"] and told["line"] == "carrier" and told["measure"] == "bark"


def test_the_report_is_a_table_by_line_region_or_hour(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("report") == 0
    head, worst, good, idle = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["line", "calls", "connect"]
    assert worst.startswith("gateway") and "MOS" in worst and "lost" in worst
    assert good.rstrip().endswith("good") and idle.startswith("idle")
    assert run("report", "--by", "region") == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert run("report", "--by", "hour") == 0
    assert len(capsys.readouterr().out.splitlines()) == 5


def test_what_the_node_refuses_is_said(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("test", "idle") == 2
    assert "no calls go out over idle" in capsys.readouterr().err
