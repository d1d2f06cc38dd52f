"""A node under calls is given other configurations and goes back: no call is dropped, new ones follow."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
import yaml

from engine.cli import main
from tests.interop.conftest import prompts_of, serve
from tests.interop.node import FAR, LINE, FarEnd, Node
from tests.interop.sipp import Sipp
from tests.interop.test_registration import register

CALLS = {"calls": 50, "rate": 10, "timeout": 40}
TALK_MS = "5000"


@pytest.fixture(scope="module")
def node(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node of its own, whose configuration is changed."""
    yield from serve(Node(tmp_path_factory.mktemp("reloaded"), prompts_of(request.config.cache)))


@pytest.fixture
def files(node: Node) -> Callable[..., None]:
    """Write settings into files of the node; None takes one away."""

    def change(file: str, **settings: Any) -> None:
        path = node.folder / "config" / f"{file}.yaml"
        content = (yaml.safe_load(path.read_text()) if path.exists() else {}) | settings
        path.write_text(yaml.safe_dump({name: each for name, each in content.items() if each is not None}))

    return change


@pytest.fixture
def leads(node: Node, files: Callable[..., None]) -> Callable[[FarEnd], None]:
    """Have the number `moving` lead to a far end."""
    numbers = yaml.safe_load((node.folder / "config" / "numbers.yaml").read_text())["numbers"]

    def lead(end: FarEnd) -> None:
        files("numbers", numbers=numbers | {"moving": {"uri": f"sip:far@{FAR}:{end.port}"}})

    return lead


def operate(node: Node, command: str, *more: str) -> int:
    return main([command, *more, "--config", str(node.folder / "config"), "--data", str(node.data)])


def callee(folder: Path, end: FarEnd, **options: Any) -> Sipp:
    return Sipp("callee", folder, address=FAR, port=end.port, **options)


def caller(node: Node, folder: Path, number: str, **options: Any) -> Sipp:
    place = {"remote": node.address(), "address": LINE, "number": number, "caller": "+441632960001"}
    return Sipp("caller_talks", folder, **place, **options)


def reaches(node: Node, folder: Path, end: FarEnd) -> None:
    """A call to `moving` gets there."""
    with callee(folder, end), caller(node, folder, "moving", talk="10"):
        pass


def test_calls_live_through_changes_and_new_ones_follow_them(
    node: Node, files: Callable[..., None], leads: Callable[[FarEnd], None], tmp_path: Path
) -> None:
    steady, one, other = node.far_end(), node.far_end(), node.far_end()
    people = yaml.safe_load((node.folder / "config" / "agents.yaml").read_text())["agents"]
    leads(one)
    files("routing", rescue={"enabled": False})  # sipp sends no sound, and nobody is to call it anew for that
    assert operate(node, "apply", "--why", "a number that will move") == 0
    with register(node, tmp_path, "register", "lodger") as phone:
        pass
    with callee(tmp_path, steady, **CALLS), caller(node, tmp_path, steady.number, talk=TALK_MS, **CALLS):
        node._poll(lambda: len(node._calls("")) > 5, 10.0, "calls in progress")
        reaches(node, tmp_path, one)
        leads(other)
        files("media", codecs=["PCMU", "PCMA"])
        node.post("/v1/config/apply", {})
        reaches(node, tmp_path, other)
        files("queues", spare={"title": "Spare", "language": "en"})
        files("agents", agents=people | {"gus": people["gus"] | {"queues": ["spare"]}})
        files("lines/second", country="GB", sources=["192.0.2.0/24"])
        node.post("/v1/config/apply", {})
        assert "spare" in {each["name"] for each in node.get("/v1/queues")["items"]}
        files("queues", spare=None)
        files("agents", agents=people)
        (node.folder / "config" / "lines" / "second.yaml").unlink()
        node.post("/v1/config/apply", {})
        assert node.post("/v1/config/rollback", {"version": 2})["version"]["of"] == 2
        reaches(node, tmp_path, one)
        assert node._calls(steady.number), "all of it happened under these calls"
        assert phone.contact in str(node.get("/v1/registrations")), "phones stay registered"
    node.idle(steady.number, 10.0)
    records = node.get(f"/v1/records?number={steady.number}&limit=100")["items"]
    assert [each["reason"] for each in records] == ["completed"] * CALLS["calls"]
    assert [each["how"] for each in node.get("/v1/config/versions")["items"]] == [
        *("rollback", "apply", "apply", "apply", "apply", "start")
    ]


def test_the_operators_commands_say_what_they_do(
    node: Node, files: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    files("sip", anonymous_callers=True)
    assert operate(node, "plan") == 0
    changed = "At once, calls in progress included:\n  sip.anonymous_callers: false → true\n"
    assert changed in capsys.readouterr().out
    assert operate(node, "apply", "--why", "an open day") == 0
    assert "  sip.anonymous_callers: false → true\n" in capsys.readouterr().out
    assert operate(node, "history") == 0
    assert "apply by console: an open day\n" in capsys.readouterr().out
    files("sip", anonymous_callers="no")
    assert operate(node, "apply") == 2
    assert "sip.yaml:1 anonymous_callers: must be true or false" in capsys.readouterr().err
    assert operate(node, "rollback") == 0, "although the files are broken"
    files("sip", anonymous_callers=None)


def test_a_hangup_signal_has_the_files_taken(node: Node, files: Callable[..., None]) -> None:
    files("queues", desk={"title": "Reception", "language": "en"})
    before = node.get("/v1/config")["version"]["number"]
    os.kill(node.process.pid, signal.SIGHUP)
    node._poll(lambda: node.get("/v1/config")["version"]["number"] > before, 10.0, "new version")
    assert node.get("/v1/config")["version"]["by"] == "SIGHUP"


def test_files_that_are_watched_are_taken_when_they_have_rested(
    node: Node, files: Callable[..., None]
) -> None:
    files("node", changes={"watch": True, "settle_s": 0.3})
    node.post("/v1/config/apply", {})
    health = lambda: {each["name"]: each for each in node.get("/health")["checks"]}["configuration"]  # noqa: E731
    files("sip", anonymous_callers="maybe")
    node._poll(lambda: "anonymous_callers: must be true or false" in node.said(), 10.0, "fault in the log")
    assert f"{node.folder / 'config' / 'sip.yaml'}:1" in node.said()
    assert health()["status"] == "degraded"
    before = node.get("/v1/config")["version"]["number"]
    files("sip", anonymous_callers=True)
    node._poll(lambda: node.get("/v1/config")["version"]["number"] > before, 10.0, "new version")
    assert node.get("/v1/config")["version"]["by"] == "watching"
    assert health()["status"] == "ok"


def test_another_token_counts_at_once(node: Node, files: Callable[..., None]) -> None:
    (node.folder / "config" / "other").write_text("another-token-for-tests\n")
    tokens = {"console": {"token": {"file": "other"}, "role": "operator"}}
    files("api", tokens=tokens)
    node._poll(lambda: refused(node), 10.0, "end of the former token")
    files("api", tokens={"console": {"token": {"file": "token"}, "role": "operator"}})
    os.kill(node.process.pid, signal.SIGHUP)
    node._poll(lambda: not refused(node), 10.0, "token of before")


def refused(node: Node) -> bool:
    try:
        node.get("/v1/config")
    except HTTPError as error:
        return error.code == 401
    return False
