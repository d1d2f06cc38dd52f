"""The page of the audit log: what is shown is told to the log first, sifted, proved and taken along."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from engine.access.chain import ANCHOR_ITSELF, Verdict, verify
from engine.access.errors import AuditUnavailable
from engine.access.proving import Proof
from engine.access.role import Permission, Role
from engine.console import downloads, trail
from engine.console.downloads import download
from engine.console.look import Place
from engine.console.markup import text_of
from engine.console.trail import filter_of
from engine.console.views.audit import kind_of, where
from tests.engine.access.stand import run
from tests.engine.console.offices import Office, office

HERE = "/console/audit"


@pytest.fixture
def auditor(tmp_path: Path) -> Iterator[Office]:
    with office(tmp_path, Role.AUDITOR) as made:
        note(made, "sue", "get_recording", "recordings/r1.opus")
        note(made, "sue", "get_recording", "recordings/r2.opus")
        note(made, "tom", "list_records", "records")
        note(made, "tom", "change_user", "users/sue")
        note(made, "eve", "login", "session", "wrong-credentials")
        made.stand.settle()
        yield made


def note(office_: Office, who: str, what: str, object: str, outcome: str = "done") -> None:
    log = office_.stand.audit
    log.note(log.entry(who, "password", what, object, outcome))


def shown(auditor: Office, query: str = "") -> list[tuple[str, str]]:
    auditor.loaded = None
    auditor.load(f"{HERE}?{query}")
    found = [(row.entry.who, row.entry.what) for row in auditor.loaded.rows]
    return [each for each in found if each[0] in ("sue", "tom", "eve")]


def test_reading_it_is_told_to_it_before_it_is_shown(auditor: Office) -> None:
    auditor.load(HERE)
    newest = auditor.loaded.rows[0].entry
    assert (newest.who, newest.what) == ("ada", "list_audit")
    auditor.load(HERE)
    assert [each[1] for each in auditor.stand.told()].count("list_audit") == 1, "looking on is no news"


def test_what_the_log_does_not_take_is_not_shown(auditor: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async def keep(entry: Any) -> None:
        raise AuditUnavailable("full")

    monkeypatch.setattr(auditor.stand.audit, "keep", keep)
    with pytest.raises(AuditUnavailable):
        auditor.load(HERE)


def test_it_is_sifted_by_who_what_and_about(auditor: Office) -> None:
    assert shown(auditor, "who=tom") == [("tom", "change_user"), ("tom", "list_records")]
    assert shown(auditor, "what=get_recording&about=r2") == [("sue", "get_recording")]
    assert shown(auditor, "about=%25") == [], "a sign of the database's own is a sign like others"
    assert shown(auditor, "outcome=wrong-credentials") == [("eve", "login")]


def test_reads_changes_and_sessions_are_apart(auditor: Office) -> None:
    assert [what for _, what in shown(auditor, "doing=reads")] == [
        "list_records",
        "get_recording",
        "get_recording",
    ]
    tallies = {(each.who, each.what): each.count for each in auditor.loaded.tallies}
    assert tallies["sue", "get_recording"] == 2
    assert shown(auditor, "doing=changes") == [("tom", "change_user")]
    assert shown(auditor, "doing=sessions") == [("eve", "login")]
    assert len(shown(auditor, "doing=nonsense")) == 5
    for what in ("get_recording", "change_user", "login"):
        assert kind_of(what) in trail.DOINGS


def test_who_opened_what_read_personal_data_and_changed_nothing(auditor: Office) -> None:
    for what in ("hear_judged", "read_desk", "open_desk", "open_share"):
        note(auditor, "sue", what, "calls/c1")
        assert kind_of(what) == "reads"
    auditor.stand.settle()
    assert [what for _, what in shown(auditor, "doing=changes")] == ["change_user"]
    assert [what for _, what in shown(auditor, "doing=reads")][:3] == ["open_share", "open_desk", "read_desk"]


def test_the_log_is_taken_along_in_the_zone_that_is_shown(auditor: Office) -> None:
    auditor.load(HERE)
    auditor.loaded = replace(auditor.loaded, zone="Etc/GMT+5")
    (link,) = re.findall(r'href="/console/files/([^"]+)"', auditor.drawn(f"{HERE}?who=sue"))
    assert Place.of(f"/{unescape(link)}").asked == {"who": "sue", "zone": "Etc/GMT+5"}


def test_days_are_the_readers_own() -> None:
    wanted, faults = filter_of(Place.of("/console/audit?from=2026-03-29&to=2026-03-29"), "Europe/Madrid")
    begin, end = (
        datetime.fromtimestamp(at, UTC).isoformat() for at in (wanted.since or 0, wanted.until or 0)
    )
    assert (begin, end) == ("2026-03-28T23:00:00+00:00", "2026-03-29T22:00:00+00:00") and not faults
    for day in ("yesterday", "9999-12-31", "0001-01-01"):
        wanted, faults = filter_of(Place.of(f"/console/audit?to={day}"), "Asia/Tokyo")
        assert (wanted.until is None) == bool(faults)


def test_pages_lead_on(auditor: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail, "PAGE", 3)
    auditor.load(HERE)
    first = auditor.loaded
    assert len(first.rows) == 3 and f"cursor={first.next}" in auditor.drawn(HERE)
    auditor.loaded = None
    auditor.load(f"{HERE}?cursor={first.next}")
    assert auditor.loaded.rows[0].seq == first.next - 1
    auditor.loaded = None
    assert auditor.load(f"{HERE}?cursor=-1;drop").rows[0].seq >= first.rows[0].seq


def test_the_chain_is_proved_for_all_who_look(auditor: Office) -> None:
    async def story() -> None:
        desk = auditor.desk
        assert (await trail.prove(desk, auditor.who, Place.of(HERE), {})).key == "audit.proof.begun"
        assert (await trail.prove(desk, auditor.who, Place.of(HERE), {})).key == "audit.proof.goes_on"
        found = await trail.load(desk, Place.of(HERE), None)
        assert found.proof is not None
        assert desk.proving is not None
        await desk.proving.rest_of_it()
        after = await trail.load(desk, Place.of(HERE), found)
        assert after.proof is not None and after.proof.verdict is not None and after.proof.verdict.whole
        auditor.loaded = after

    run(story())
    assert "Whole: all" in text_of(auditor.drawn(HERE))


@pytest.mark.parametrize("code", ["en", "es", "zh", "ar"])
def test_it_is_drawn_in_every_language(auditor: Office, code: str) -> None:
    hostile = '"><script>alert(1)</script>'
    note(auditor, hostile, hostile, hostile, hostile)
    auditor.stand.settle()
    auditor.load(f"{HERE}?doing=reads&who=")
    rows = tuple(auditor.stand.trail.rows())
    whole, broken = Verdict(8), Verdict(3, 4, "was changed")
    proofs = (
        None,
        Proof("ada", 1.0, 2, 8),
        Proof("ada", 1.0, 8, 8, 2.0, whole, 8),
        Proof("ada", 1.0, 8, 8, 2.0, whole),
        Proof("ada", 1.0, 3, 8, 2.0, broken),
        Proof("ada", 1.0, 8, 8, 2.0, Verdict(8, ANCHOR_ITSELF, "is missing")),
        Proof("ada", 1.0, 0, 0, 2.0, None, None, "away"),
    )
    kept = auditor.loaded
    for proof in proofs:
        auditor.loaded = replace(kept, rows=rows, proof=proof)
        made = auditor.drawn(HERE, code)
        assert "<script" not in made and "style=" not in made
        assert not re.findall(r">((?:[a-z_]+\.)+[a-z_]+)<", made)
    for file in (trail.AuditFile(kept=False), trail.AuditFile()):
        auditor.loaded = file
        assert "empty" in auditor.drawn(HERE, code)


def test_an_anchor_that_is_missing_is_not_called_an_entry(auditor: Office) -> None:
    auditor.load(HERE)
    missing = Proof("ada", 1.0, 8, 8, 2.0, Verdict(8, ANCHOR_ITSELF, "is missing"))
    auditor.loaded = replace(auditor.loaded, proof=missing)
    told = text_of(auditor.drawn(HERE))
    assert "what this machine keeps of the end of the chain was removed or changed" in told
    assert "entry 0" not in told


def test_an_object_leads_to_its_page() -> None:
    assert where("records/r1/events") == "/console/calls/r1" and where("users/sue") == "/console/users/sue"
    assert where("console/calls/c4") == "/console/calls/c4"
    assert where("session") == "" and where("recordings/x") == "" and where("users/") == ""


# --- taken along -----------------------------------------------------------------------------------


def taken(office_: Office, name: str, query: str = "", **who: Any) -> tuple[int, str]:
    async def asked() -> tuple[int, str]:
        scope = {
            "type": "http",
            "method": "GET",
            "path": f"/{name}",
            "headers": [],
            "query_string": query.encode(),
        }
        scope |= {"server": ("x", 80), "scheme": "http"}
        answer: Response = await download(office_.whole, replace(office_.who, **who), Request(scope), name)
        if isinstance(answer, StreamingResponse):
            return answer.status_code, "".join([str(each) async for each in answer.body_iterator])
        return answer.status_code, bytes(answer.body).decode()

    return asyncio.run(asked())


def test_the_log_is_taken_along_with_its_hashes_and_that_is_told(auditor: Office) -> None:
    note(auditor, "=cmd()", "get_call", "calls/1")
    auditor.stand.settle()
    status, text = taken(auditor, "audit.csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert (
        status == 200 and rows[0]["what"] == "export_audit" and any(row["who"] == "'=cmd()" for row in rows)
    )
    kept = {str(row.seq): row for row in auditor.stand.trail.rows()}
    assert all(kept[row["row"]].hash == row["hash"] for row in rows)
    assert verify(auditor.stand.trail.rows()).whole
    assert len(list(csv.DictReader(io.StringIO(taken(auditor, "audit.csv", "who=tom")[1])))) == 2


def test_all_rows_of_the_log_come_along_however_many_pages_they_are(
    auditor: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "AT_ONCE", 2)
    for number in range(20):
        note(auditor, "sue", "get_call", f"calls/{number}")
    auditor.stand.settle()
    rows = list(csv.DictReader(io.StringIO(taken(auditor, "audit.csv")[1])))
    there = [row.seq for row in auditor.stand.trail.rows()]
    assert [int(row["row"]) for row in rows] == there[::-1] and len(rows) > 20


def test_a_report_is_taken_along_as_it_is_looked_at(auditor: Office) -> None:
    auditor.stand.wall.now = auditor.whole.view.began  # type: ignore[attr-defined]
    status, text = taken(auditor, "calls.csv", "period=week&by=queue&then=day&zone=Asia/Tokyo")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert status == 200 and {row["queue"] for row in rows} == {"support", "sales", "ventas", "vip"}
    assert "export_report" in [what for _, what, _ in auditor.stand.told()]


def test_who_may_not_read_it_takes_nothing_along(auditor: Office) -> None:
    nobody: frozenset[Permission] = frozenset()
    assert taken(auditor, "audit.csv", rights=nobody)[0] == 403
    assert taken(auditor, "calls.csv", rights=nobody)[0] == 403
    for name in ("", "..", "audit.csv/x", "users.csv"):
        assert taken(auditor, name)[0] == 404
