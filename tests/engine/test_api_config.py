"""The configuration over the API: looked at, compared, applied once, gone back from, refused in words."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from engine.access.role import Permission
from engine.api.app import create_app, set_settings
from engine.api.idempotency import Once
from engine.api.problem import Problem
from engine.api.settings import Settings, token
from tests.engine.api_node import READ, SETTINGS, WRITE
from tests.engine.api_node import Node as NodeInMemory
from tests.engine.operating_stand import Stand, shipped
from tests.engine.test_api import Client, refused


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    made = Stand(shipped(tmp_path / "config"), tmp_path / "data")
    yield made
    made.close()


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """For what changes nothing."""
    place = tmp_path_factory.mktemp("lasting")
    stand = Stand(shipped(place / "config"), place / "data")
    yield Client(create_app(NodeInMemory(), SETTINGS, None, stand.operating))
    stand.close()


@pytest.fixture
def ask(stand: Stand) -> Client:
    return Client(create_app(NodeInMemory(), SETTINGS, None, stand.operating))


def test_what_runs_is_told_with_its_version_as_etag(ask: Client, stand: Stand) -> None:
    answer = ask("GET", "/v1/config")
    assert answer.headers["etag"] == '"1"'
    told = answer.json()
    assert (told["version"]["number"], told["version"]["how"]) == (1, "start")
    assert told["folder"] == str(stand.folder.resolve())
    assert told["restart"] == told["faults"] == []


def test_the_files_are_checked_with_file_line_and_remedy(ask: Client, stand: Stand) -> None:
    assert ask("POST", "/v1/config/check", WRITE).json() == {"ok": True, "faults": []}
    stand.edit("queues.yaml", "ring_timeout_s: 20", "ring_timeuot_s: 20")
    told = ask("POST", "/v1/config/check", WRITE).json()
    assert not told["ok"]
    assert told["faults"][0] | {"file": ""} == {
        "file": "",
        "line": 12,
        "setting": "support.ring_timeuot_s",
        "problem": "is no setting here",
        "remedy": "did you mean 'ring_timeout_s'?",
    }
    assert ask("GET", "/v1/config").json()["faults"] == told["faults"]


def test_a_plan_says_what_would_change_and_when_it_would_be_felt(ask: Client, stand: Stand) -> None:
    stand.line("telecom-a", "max_calls: 30")
    ask("POST", "/v1/config/apply", WRITE, json={})
    stand.line("telecom-a", "max_calls: 60")
    stand.edit("queues.yaml", "ring_timeout_s: 20", "ring_timeout_s: 25")
    stand.edit("api.yaml", "port: 8080", "port: 8081")
    plan = ask("POST", "/v1/config/plan", WRITE, json={}).json()
    assert plan["version"] == 2
    assert {each["words"]: each["effect"] for each in plan["changes"]} == {
        "api.port: 8080 → 8081": "restart",
        "queue support: ring_timeout_s: 20 → 25": "now",
        "line telecom-a: up to 60 calls instead of 30": "next_call",
    }
    (stand.folder / "lines" / "telecom-a.yaml").unlink()
    refusals = ask("POST", "/v1/config/plan", WRITE, json={}).json()["refusals"]
    assert refusals == ["all numbers outside would have no line any more"]
    back = ask("POST", "/v1/config/plan", WRITE, json={"version": 1}).json()
    assert "line telecom-a is removed" in [each["words"] for each in back["changes"]]


def test_files_are_applied_and_gone_back_from(ask: Client, stand: Stand) -> None:
    stand.edit("queues.yaml", "ring_timeout_s: 20", "ring_timeout_s: 25")
    answer = ask("POST", "/v1/config/apply", WRITE, json={"why": "phones ring longer"})
    assert answer.headers["etag"] == '"2"'
    done = answer.json()
    assert (done["version"]["by"], done["version"]["why"]) == ("supervisor", "phones ring longer")
    assert [each["words"] for each in done["changes"]] == ["queue support: ring_timeout_s: 20 → 25"]
    back = ask("POST", "/v1/config/rollback", WRITE, json={"why": "too long"}).json()
    assert (back["version"]["number"], back["version"]["of"]) == (3, 1)
    assert stand.engine.switch.acd.queues["support"].spec.ring_timeout_s == 20
    listed = ask("GET", "/v1/config/versions?limit=2").json()
    assert [each["number"] for each in listed["items"]] == [3, 2]
    rest = ask("GET", f"/v1/config/versions?cursor={listed['next']}").json()
    assert [each["number"] for each in rest["items"]] == [1] and rest["next"] is None


def test_files_with_faults_are_refused_and_nothing_changes(ask: Client, stand: Stand) -> None:
    stand.edit("queues.yaml", "ring_timeout_s: 20", "ring_timeuot_s: 20")
    running = stand.engine.config
    for path in ("plan", "apply"):
        problem = refused(ask("POST", f"/v1/config/{path}", WRITE, json={}), 422, "configuration-faults")
        assert problem["errors"][0]["where"] == f"{stand.folder / 'queues.yaml'}:12 support.ring_timeuot_s"
        assert problem["errors"][0]["what"] == "is no setting here; did you mean 'ring_timeout_s'?"
    assert stand.engine.config is running


def test_a_destination_that_would_lose_its_last_line_is_named_and_may_be_forced(
    ask: Client, stand: Stand
) -> None:
    stand.line("telecom-a", 'takes: ["+44"]')
    ask("POST", "/v1/config/apply", WRITE, json={})
    (stand.folder / "lines" / "telecom-a.yaml").unlink()
    problem = refused(ask("POST", "/v1/config/apply", WRITE, json={}), 409, "destination-without-line")
    assert problem["errors"] == [
        {"where": "lines", "what": "numbers that begin with +44 (GB) would have no line any more"}
    ]
    done = ask("POST", "/v1/config/apply", WRITE, json={"force": True}).json()
    assert done["version"]["forced"] and "telecom-a" not in stand.engine.config.lines


def test_another_version_than_the_one_that_was_looked_at_is_not_changed(ask: Client, stand: Stand) -> None:
    stand.edit("queues.yaml", "ring_timeout_s: 20", "ring_timeout_s: 25")
    stale = ask("POST", "/v1/config/apply", WRITE, json={}, headers={"If-Match": '"4"'})
    refused(stale, 412, "other-version")
    assert stale.headers["etag"] == '"1"'
    refused(
        ask("POST", "/v1/config/apply", WRITE, json={}, headers={"If-Match": "one"}), 412, "other-version"
    )
    assert ask("POST", "/v1/config/apply", WRITE, json={}, headers={"If-Match": '"1"'}).status_code == 200


def test_a_wish_with_a_key_is_done_once_and_answered_the_same(ask: Client, stand: Stand) -> None:
    stand.edit("queues.yaml", "ring_timeout_s: 20", "ring_timeout_s: 25")
    keyed = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
    first = ask("POST", "/v1/config/apply", WRITE, json={"why": "a"}, headers=keyed)
    stand.edit("queues.yaml", "ring_timeout_s: 25", "ring_timeout_s: 26")
    again = ask("POST", "/v1/config/apply", WRITE, json={"why": "a"}, headers=keyed)
    assert again.json() == first.json() and again.headers["etag"] == '"2"'
    assert stand.engine.switch.acd.queues["support"].spec.ring_timeout_s == 25
    other = ask("POST", "/v1/config/apply", WRITE, json={"why": "b"}, headers=keyed)
    refused(other, 422, "idempotency-key-reused")
    back = ask("POST", "/v1/config/rollback", WRITE, json={}, headers=keyed)
    assert back.json()["version"]["number"] == 3, "another kind of wish has keys of its own"


def test_a_refusal_is_answered_again_as_well(ask: Client, stand: Stand) -> None:
    stand.edit("queues.yaml", "ring_timeout_s: 20", "ring_timeuot_s: 20")
    keyed = {"Idempotency-Key": "k"}
    refused(ask("POST", "/v1/config/apply", WRITE, json={}, headers=keyed), 422, "configuration-faults")
    stand.edit("queues.yaml", "ring_timeuot_s: 20", "ring_timeout_s: 25")
    refused(ask("POST", "/v1/config/apply", WRITE, json={}, headers=keyed), 422, "configuration-faults")
    assert ask("POST", "/v1/config/apply", WRITE, json={}).status_code == 200


@pytest.mark.parametrize("key", ["", "x" * 256, "a b"])
def test_a_key_that_is_none_is_refused(lasting: Client, key: str) -> None:
    answer = lasting("POST", "/v1/config/apply", WRITE, json={}, headers={"Idempotency-Key": key})
    refused(answer, 422, "invalid-request")


def test_what_is_not_kept_is_not_found(lasting: Client) -> None:
    refused(lasting("POST", "/v1/config/rollback", WRITE, json={"version": 9}), 404, "unknown-version")
    refused(lasting("POST", "/v1/config/plan", WRITE, json={"version": 9}), 404, "unknown-version")
    refused(lasting("POST", "/v1/config/rollback", WRITE, json={}), 404, "unknown-version")


def test_where_nothing_can_be_kept_nothing_changes(ask: Client, stand: Stand) -> None:
    stand.edit("queues.yaml", "ring_timeout_s: 20", "ring_timeout_s: 25")
    history = stand.data / "config-history"
    history.rename(stand.data / "elsewhere")
    history.write_text("no folder")
    problem = refused(ask("POST", "/v1/config/apply", WRITE, json={}), 503, "not-ready")
    assert "make room there" in problem["detail"]
    assert stand.engine.switch.acd.queues["support"].spec.ring_timeout_s == 20


@pytest.mark.parametrize("path", ["check", "plan", "apply", "rollback"])
def test_whoever_may_only_read_changes_nothing(lasting: Client, path: str) -> None:
    refused(lasting("POST", f"/v1/config/{path}", READ, json={}), 403, "forbidden")
    refused(lasting("POST", f"/v1/config/{path}", None, json={}), 401, "unauthorized")
    assert lasting("GET", "/v1/config", READ).status_code == 200
    assert lasting("GET", "/v1/config/versions", READ).status_code == 200


def test_a_node_whose_configuration_stays_as_it_is_says_so() -> None:
    ask = Client(create_app(NodeInMemory(), SETTINGS))
    refused(ask("GET", "/v1/config", READ), 404, "unknown-version")


def test_a_token_that_is_taken_away_opens_nothing_any_more() -> None:
    app = create_app(NodeInMemory(), SETTINGS)
    ask = Client(app)
    assert ask("GET", "/v1/calls", READ).status_code == 200
    set_settings(app, Settings(tokens=(token("new", "another-token-0123456789", Permission.CALLS),)))
    refused(ask("GET", "/v1/calls", READ), 401, "unauthorized")
    assert ask("GET", "/v1/calls", "another-token-0123456789").status_code == 200


# --- keys by themselves -----------------------------------------------------------------------------


class Wish(BaseModel):
    what: str = ""


def test_a_wish_that_is_being_done_is_waited_for() -> None:
    once, begun, may_end = Once(), [], asyncio.Event()

    async def act() -> str:
        begun.append(1)
        await may_end.wait()
        return "done"

    async def both() -> list[Any]:
        first = asyncio.create_task(once.do("me", "k", Wish(), 0.0, act))
        second = asyncio.create_task(once.do("me", "k", Wish(), 1.0, act))
        await asyncio.sleep(0)
        may_end.set()
        return [await first, await second]

    assert asyncio.run(both()) == ["done", "done"]
    assert len(begun) == 1


def test_whoever_asked_first_may_go_and_the_wish_is_done_all_the_same() -> None:
    once, done = Once(), []

    async def act() -> str:
        await asyncio.sleep(0)
        done.append(1)
        return "done"

    async def gone() -> Any:
        first = asyncio.create_task(once.do("me", "k", Wish(), 0.0, act))
        await asyncio.sleep(0)
        first.cancel()
        return await once.do("me", "k", Wish(), 1.0, act)

    assert asyncio.run(gone()) == "done" and len(done) == 1


@pytest.mark.parametrize(("fault", "tries"), [(Problem(503, "x", "x"), 2), (Problem(409, "x", "x"), 1)])
def test_what_failed_for_a_fault_of_the_nodes_own_may_be_tried_again(fault: Problem, tries: int) -> None:
    once, tried = Once(), []

    async def act() -> None:
        tried.append(1)
        raise fault

    async def twice() -> None:
        for _ in range(2):
            with pytest.raises(Problem):
                await once.do("me", "k", Wish(), 0.0, act)
            await asyncio.sleep(0)

    asyncio.run(twice())
    assert len(tried) == tries


def test_keys_are_forgotten_after_a_day_or_when_there_are_too_many() -> None:
    once, done = Once(most=3, life_s=100.0), []

    async def act() -> int:
        done.append(1)
        return len(done)

    async def many() -> list[int]:
        times = {"a": 0.0, "b": 1.0, "c": 2.0, "d": 3.0}
        for key, at in times.items():
            await once.do("me", key, Wish(), at, act)
        again = [await once.do("me", key, Wish(), 4.0, act) for key in ("d", "c", "a")]
        return [*again, await once.do("me", "d", Wish(), 104.0, act)]

    assert asyncio.run(many()) == [4, 3, 5, 6]


def test_a_key_is_its_holders_own() -> None:
    async def two() -> list[str]:
        once = Once()
        first = await once.do("anna", "k", Wish(), 0.0, lambda: asyncio.sleep(0, "anna's"))
        second = await once.do("ben", "k", Wish(what="else"), 0.0, lambda: asyncio.sleep(0, "ben's"))
        return [first, second]

    assert asyncio.run(two()) == ["anna's", "ben's"]
