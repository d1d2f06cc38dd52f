"""Files of the configuration over the API: read, written over what was read, made, removed, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import editing
from engine.api.app import create_app
from tests.engine.api_node import READ, SETTINGS, WRITE
from tests.engine.api_node import Node as NodeInMemory
from tests.engine.operating_stand import Stand, shipped
from tests.engine.test_api import Client, refused

FILES = "/v1/config/files"
QUEUES = f"{FILES}/queues.yaml"
LINE = (
    "country: GB\nsources: [198.51.100.1/32]\naddresses: [{host: 198.51.100.1}]\ncaller_id: {show: caller}\n"
)
NEW = {"If-None-Match": "*"}


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    made = Stand(shipped(tmp_path / "config"), tmp_path / "data")
    yield made
    made.close()


@pytest.fixture
def ask(stand: Stand) -> Client:
    return Client(create_app(NodeInMemory(), SETTINGS, None, stand.operating))


def test_a_queue_is_changed_from_afar(ask: Client, stand: Stand) -> None:
    read = ask("GET", QUEUES, WRITE)
    over = {"If-Match": read.headers["etag"]}
    text = read.json()["text"]
    assert text == (stand.folder / "queues.yaml").read_text("utf-8")
    wrong = text.replace("ring_timeout_s: 20", "ring_timeuot_s: 20")
    told = ask("PUT", QUEUES, WRITE, json={"text": wrong}, headers=over)
    fault = told.json()["faults"][0]
    assert (told.json()["ok"], fault["line"]) == (False, 12)
    assert fault["remedy"] == "did you mean 'ring_timeout_s'?"
    right = text.replace("ring_timeout_s: 20", "ring_timeout_s: 25")
    told = ask("PUT", QUEUES, WRITE, json={"text": right}, headers={"If-Match": told.headers["etag"]})
    assert told.json() == {"name": "queues.yaml", "ok": True, "faults": []}
    assert stand.engine.switch.acd.queues["support"].spec.ring_timeout_s == 20, (
        "nothing runs before it is applied"
    )
    assert ask("POST", "/v1/config/apply", WRITE, json={}).status_code == 200
    assert stand.engine.switch.acd.queues["support"].spec.ring_timeout_s == 25


def test_a_line_is_made_and_removed(ask: Client, stand: Stand) -> None:
    path, file = f"{FILES}/lines/telecom-b.yaml", stand.folder / "lines" / "telecom-b.yaml"
    made = ask("PUT", path, WRITE, json={"text": LINE}, headers=NEW)
    assert made.json()["ok"] and file.read_text("utf-8") == LINE and file.stat().st_mode & 0o777 == 0o600
    listed = [each["name"] for each in ask("GET", FILES, WRITE).json()["items"]]
    assert "lines/telecom-b.yaml" in listed and "queues.yaml" in listed and "api.yaml" not in listed
    ask("POST", "/v1/config/apply", WRITE, json={})
    assert "telecom-b" in stand.engine.config.lines
    stale = ask("DELETE", path, WRITE, headers={"If-Match": f'"{"0" * 64}"'})
    refused(stale, 412, "other-version")
    assert stale.headers["etag"] == made.headers["etag"] and file.exists()
    assert ask("DELETE", path, WRITE, headers={"If-Match": made.headers["etag"]}).status_code == 204
    assert not file.exists()
    refused(ask("GET", path, WRITE), 404, "unknown-file")
    refused(ask("DELETE", path, WRITE, headers={"If-Match": made.headers["etag"]}), 404, "unknown-file")


def test_what_somebody_else_wrote_is_not_written_over(ask: Client, stand: Stand) -> None:
    read = ask("GET", QUEUES, WRITE)
    stand.edit("queues.yaml", "ring_timeout_s: 20", "ring_timeout_s: 30")
    over = {"If-Match": read.headers["etag"]}
    stale = ask("PUT", QUEUES, WRITE, json={"text": "x"}, headers=over)
    refused(stale, 412, "other-version")
    assert stale.headers["etag"] == ask("GET", QUEUES, WRITE).headers["etag"]
    refused(ask("PUT", QUEUES, WRITE, json={"text": "x"}, headers=NEW), 412, "other-version")
    assert "ring_timeout_s: 30" in (stand.folder / "queues.yaml").read_text("utf-8")
    gone = f"{FILES}/lines/gone.yaml"
    refused(ask("PUT", gone, WRITE, json={"text": "x"}, headers=over), 412, "other-version")
    for broken in ('"7"', "x", '"é"'):
        answer = ask("PUT", QUEUES, WRITE, json={"text": "x"}, headers={"If-Match": broken.encode("latin-1")})
        refused(answer, 412, "other-version")


def test_over_what_it_is_written_has_to_be_said(ask: Client) -> None:
    refused(ask("PUT", QUEUES, WRITE, json={"text": "x"}), 428, "precondition-required")
    refused(
        ask("PUT", QUEUES, WRITE, json={"text": "x"}, headers={"If-None-Match": '"1"'}),
        428,
        "precondition-required",
    )
    refused(
        ask("PUT", QUEUES, WRITE, json={"text": "x"}, headers={"If-Match": "*"}), 428, "precondition-required"
    )
    refused(ask("DELETE", QUEUES, WRITE), 428, "precondition-required")


def test_the_same_once_more_is_no_change(ask: Client, stand: Stand) -> None:
    """Whoever lost the answer asks again; the file is not even touched."""
    path = f"{FILES}/lines/telecom-b.yaml"
    first = ask("PUT", path, WRITE, json={"text": LINE}, headers=NEW)
    inode = (stand.folder / "lines" / "telecom-b.yaml").stat().st_ino
    again = ask("PUT", path, WRITE, json={"text": LINE}, headers=NEW)
    assert (again.status_code, again.headers["etag"]) == (200, first.headers["etag"])
    assert (stand.folder / "lines" / "telecom-b.yaml").stat().st_ino == inode


@pytest.mark.parametrize(
    "name",
    ["api.yaml", "node.yaml", "hooks.yaml", "lines/rates.csv", "../queues.yaml", "lines/..%2F..%2Fnode.yaml",
     "lines/.a.yaml", "markets/a/b.yaml", "%2Fetc%2Fpasswd", "lines%2Fa.yaml%00"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_no_other_file_is_reached(ask: Client, stand: Stand, method: str, name: str) -> None:
    before = {each: each.read_bytes() for each in stand.folder.parent.rglob("*.yaml")}
    body = {"json": {"text": "x"}} if method == "PUT" else {}
    answer = ask(method, f"{FILES}/{name}", WRITE, headers=NEW, **body)
    assert answer.status_code in (404, 405, 422), answer.text
    assert {each: each.read_bytes() for each in stand.folder.parent.rglob("*.yaml")} == before


def test_a_link_out_of_the_folder_leads_nowhere(ask: Client, stand: Stand) -> None:
    outside = stand.folder.parent / "outside.yaml"
    outside.write_text("of somebody else")
    (stand.folder / "lines" / "away.yaml").symlink_to(outside)
    path = f"{FILES}/lines/away.yaml"
    refused(ask("GET", path, WRITE), 404, "unknown-file")
    refused(ask("PUT", path, WRITE, json={"text": "x"}, headers=NEW), 404, "unknown-file")
    assert outside.read_text() == "of somebody else"


def test_what_is_too_long_or_no_text_is_refused(ask: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"{FILES}/lines/telecom-b.yaml"
    for text in ("é" * (editing.MOST_BYTES // 2 + 1), "\0"):
        refused(ask("PUT", path, WRITE, json={"text": text}, headers=NEW), 422, "invalid-request")
    monkeypatch.setattr(editing, "MOST_FILES", 1)
    problem = refused(ask("PUT", path, WRITE, json={"text": LINE}, headers=NEW), 409, "illegal-state")
    assert "on the machine" in problem["detail"]


def test_a_disk_that_takes_nothing_leaves_the_file_as_it_was(
    ask: Client, stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    read = ask("GET", QUEUES, WRITE)
    monkeypatch.setattr(editing.os, "fsync", full)
    over = {"If-Match": read.headers["etag"]}
    problem = refused(ask("PUT", QUEUES, WRITE, json={"text": "x"}, headers=over), 503, "not-written")
    assert "No space left" in problem["detail"]
    assert ask("GET", QUEUES, WRITE).json() == read.json()


def test_whoever_may_only_read_what_runs_sees_no_file(ask: Client) -> None:
    for method, path in (("GET", FILES), ("GET", QUEUES), ("PUT", QUEUES), ("DELETE", QUEUES)):
        body = {"json": {"text": "x"}} if method == "PUT" else {}
        refused(ask(method, path, READ, **body), 403, "forbidden")
        refused(ask(method, path, None, **body), 401, "unauthorized")


def test_a_node_whose_configuration_stays_as_it_is_has_none() -> None:
    ask = Client(create_app(NodeInMemory(), SETTINGS))
    refused(ask("GET", FILES, WRITE), 404, "unknown-version")
