"""The same store on PostgreSQL: a server of its own in a temporary folder, where Debian's postgresql is
installed.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from config.hook import HookSettings
from config.secret import Secret
from engine.access.chain import Entry, verify
from engine.access.errors import LastAdmin, NameTaken, OtherVersion
from engine.access.role import Role
from engine.drill import Dimension, reported
from engine.journal import Journal
from engine.sharing import Sharing, Wish
from engine.speech_events import InterpreterSpoke
from engine.store import database, migrate, schema
from engine.store.accounts import Session, User
from engine.store.keeper import Keeping
from engine.store.outbox import DAY_S, TOO_LATE, TOO_MANY, Failed, GivenUp, Outbox
from engine.store.records import RecordFilter
from engine.store.traces import Row, TraceStore
from engine.store.trail import TrailFilter
from engine.store.transcripts import Felt, Review
from routing.report import HOUR_S, added, figures
from tests.engine.store_samples import NODE, T0, arrived, ended, record, talk
from tests.engine.test_drill import BASE, DAY, call, late, state
from tests.engine.test_line_sums import probed, used
from tests.engine.test_scorecards import found_again
from tests.engine.test_transcripts import FINDINGS, calls, fill
from tests.engine.test_within import within_reach
from tests.engine.transcript_samples import said

pytest.importorskip("psycopg", reason="the PostgreSQL driver psycopg is not installed")


def binaries() -> Path | None:
    found = [Path(path).parent for path in (shutil.which("initdb"),) if path]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in found if (folder / "initdb").exists()), None)


class Server:
    """PostgreSQL on a Unix socket alone, run by its own user when the tests run as root, which it refuses."""

    def __init__(self, bin: Path, folder: Path) -> None:
        self.bin, self.folder = bin, folder
        self.as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []

    def run(self, name: str, *args: str) -> None:
        subprocess.run(
            [*self.as_user, str(self.bin / name), *args],
            check=True, timeout=60, stdout=subprocess.DEVNULL, cwd=self.folder,
        )  # fmt: skip

    def init(self) -> None:
        self.run(
            "initdb", "-D", f"{self.folder}/data", "-A", "trust", "-U", "isogloss", "--no-sync", "-E", "UTF8"
        )

    def start(self) -> None:
        options = f"-c listen_addresses='' -c fsync=off -k {self.folder}"
        log = f"{self.folder}/log"
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-m", "immediate", "stop")

    @property
    def url(self) -> str:
        return f"postgresql://isogloss@/postgres?host={self.folder}"


@contextmanager
def running() -> Iterator[Server]:
    """A server, or a skip that says what is missing."""
    bin = binaries()
    if bin is None:
        pytest.skip("no PostgreSQL here: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="isogloss-pg-"))
    if os.getuid() == 0:
        try:
            user = pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("PostgreSQL refuses to run as root, and there is no user postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
    server = Server(bin, folder)
    server.init()
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as made:
        yield made


@pytest.fixture
def journal(server: Server, tmp_path: Path) -> Iterator[Journal]:
    engine = database.connect(server.url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    with Journal(server.url, NODE, spill=tmp_path / "journal.spill") as journal:
        yield journal


def test_the_migrations_make_exactly_the_tables_the_code_uses(journal: Journal, server: Server) -> None:
    with database.connect(server.url).connect() as connection:
        assert (
            compare_metadata(
                MigrationContext.configure(connection, opts={"include_name": schema.modelled}),
                schema.metadata,
            )
            == []
        )


def test_nodes_that_start_together_migrate_one_after_the_other(server: Server, journal: Journal) -> None:
    with database.connect(server.url).begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    with ThreadPoolExecutor(4) as nodes:
        starts = [nodes.submit(migrate.upgrade, database.connect(server.url)) for _ in range(4)]
    assert [start.exception() for start in starts] == [None] * 4


def test_a_call_is_kept_whole(journal: Journal) -> None:
    for event in talk("c1"):
        journal.append(event)
    journal.finish(ended("c1"), record("c1"))
    assert journal.flush()
    assert [entry.event() for entry in journal.events("c1")] == [*talk("c1"), ended("c1")]
    assert journal.record("c1") == record("c1")
    assert journal.open_calls() == []


def test_a_callers_strangest_name_is_kept(journal: Journal) -> None:
    journal.append(arrived("c1", customer="a\0b\ud800 \u2028'\"\\"))
    journal.finish(ended("c1"), record("c1", customer="a\0b\ud800"))
    assert journal.flush() and journal.state().refused == 0
    kept = journal.record("c1")
    assert kept is not None and kept.customer == "a\ufffdb?"


def test_pages_hold_every_record_once(journal: Journal) -> None:
    for number in range(25):
        journal.finish(ended(f"c{number:02}"), record(f"c{number:02}", T0 + number // 3))
    journal.flush()
    seen: list[str] = []
    cursor = None
    while True:
        page = journal.records(RecordFilter(queue="support"), cursor=cursor, limit=4)
        seen += [item.call for item in page.items]
        if (cursor := page.next) is None:
            break
    assert seen == [f"c{number:02}" for number in reversed(range(25))]


def test_what_was_said_is_found_by_its_words_and_erased(journal: Journal) -> None:
    kept = fill(journal.transcripts)
    for words, found in FINDINGS:
        assert calls(kept, words=words) == found, words
    assert (calls(kept, topic="refund", since=T0 + 3), calls(kept, written=False)) == (["c4", "c3"], ["mute"])
    kept.draft("open", [said("a refund")], T0 + 20)
    assert calls(kept, words="refund") == ["c3", "c0"]
    assert kept.erase("c0") and kept.erase_before(T0 + 3) == 2
    assert calls(kept, words="refund") == ["c3"] and calls(kept, written=True) == ["c4", "c3"]


def test_traces_are_kept_by_node_and_let_go_of(journal: Journal) -> None:
    store, other = journal.traces, TraceStore(journal._engine, "n2")
    store.keep([Row("t1", T0, b"\x00first"), Row("t2", T0 + 9, b"\xff")])
    other.keep([Row("t1", T0 + 1, b"later")])
    store.keep([Row("t1", T0, b"\x00again")])
    assert store.get("t1") == [b"\x00again", b"later"]
    assert store.erase_before(T0 + 5) == 2
    assert (store.get("t1"), store.get("t2")) == ([], [b"\xff"])


def test_what_lines_did_is_added_up(journal: Journal) -> None:
    hours = [T0 // HOUR_S * HOUR_S + 10.0, T0 // HOUR_S * HOUR_S + 3590.0, (T0 // HOUR_S + 1) * HOUR_S]
    for at in hours:
        journal.append(used(at, pdd_s=0.4, mos=4.0))
    journal.append(probed(hours[0], passed=False, fault="silence", delay_ms=120.0))
    assert journal.flush() and journal.state().refused == 0
    told = added(journal.lines.cells(hours[0], hours[2] + 1), ("hour",))
    calls = {hour: (figures(row).calls, figures(row).probes) for (hour,), row in told.items()}
    assert calls == {T0 // HOUR_S: (2, 1), T0 // HOUR_S + 1: (1, 0)}
    assert figures(told[T0 // HOUR_S,]).pdd_p95_s is not None
    assert [each.fault for each in journal.lines.probes("carrier")] == ["silence"]


def test_a_row_it_refuses_is_set_aside(journal: Journal) -> None:
    journal.finish(ended("c1"), record("c1", number=None))
    for event in talk("c2"):
        journal.append(event)
    assert journal.flush()
    assert journal.state().refused == 1 and len(journal.events("c2")) == len(talk("c2"))


def test_a_server_that_goes_away_and_comes_back_loses_nothing(journal: Journal, server: Server) -> None:
    journal.append(arrived("c1"))
    journal.flush()
    server.stop()
    for event in talk("c1")[1:]:
        journal.append(event)
    journal.finish(ended("c1"), record("c1"))
    assert journal.flush(20.0)
    assert journal.state().keeping is Keeping.SPILLED
    server.start()
    for _ in range(1000):
        journal.flush(20.0)
        if journal.state().keeping is Keeping.STORED:
            break
        threading.Event().wait(0.02)
    assert [entry.event() for entry in journal.events("c1")] == [*talk("c1"), ended("c1")]
    assert journal.record("c1") == record("c1")


def test_reports_are_what_sqlite_makes_of_the_same_calls(journal: Journal, tmp_path: Path) -> None:
    with Journal(f"sqlite:///{tmp_path}/other/isogloss.db", NODE) as other:
        for each in (journal, other):
            for number in range(40):
                at = BASE + number * 700.0
                kept = call(f"c{number}", at, queue=("support", "sales")[number % 2], wait_s=float(number))
                kept = replace(kept, asr_latency=late(0.1 * number), mt_latency=late(0.2, 0.4))
                each.finish(ended(f"c{number}", kept.ended_at), kept)
                for seconds, name in ((0, "talking"), (90, "wrap_up"), (120, "available")):
                    each.append(state(at + seconds, name, f"c{number}" if name == "talking" else ""))
            each.append(InterpreterSpoke(at=BASE, call="c0", side="agent", seconds=1.0, lag_s=1.5))
            felt = {"customer": Felt(last=0.25, worst=0.0)}
            each.transcripts.keep(Review(call="c1", ended_at=BASE, moods=felt), ())
            assert each.flush()
        for by in ((Dimension.QUEUE, Dimension.HOUR), (Dimension.AGENT, Dimension.DAY), (Dimension.LINE,)):
            ask = replace(DAY, by=by, lines=("carrier",), only={Dimension.AGENT: "alice"})
            made, wanted = (reported(ask, each.drill.cells(ask, BASE + 86_400)) for each in (journal, other))
            assert made == wanted and made.total.offered == 40
        assert (made.total.mood, made.total.lag_s) == (0.25, 1.5)
        assert (made.total.asr_latency_ms, made.total.mt_latency_ms) == (1950.0, 300.0)
        assert journal.record("c7") == other.record("c7")


def test_hooks_are_told_out_of_the_same_outbox(journal: Journal) -> None:
    outbox = Outbox(journal.store, NODE)
    outbox.begin(anew=False)
    for event in talk("c1"):
        journal.append(event)
    assert journal.flush()
    hooks = {"crm": HookSettings(name="crm", url="https://x.example", secret=Secret("t", "s"), kinds=("*",))}
    assert outbox.fill(hooks, T0) == len(talk("c1")) and outbox.fill(hooks, T0) == 0
    (first,) = outbox.due("crm", T0, 10)
    outbox.settle([first], [])
    (second,) = outbox.due("crm", T0, 10)
    outbox.settle([], [Failed(second, "answered 410", None)])
    assert [letter.error for letter in outbox.dead("crm")] == ["answered 410"]
    assert outbox.waiting()["crm"].dead == 1 and outbox.replay("crm", [second.seq], T0, T0 + 1) == 1


def test_letters_of_hooks_are_bounded_and_have_their_time(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.store.outbox.MOST_WAITING", 3)
    monkeypatch.setattr("engine.store.outbox.MOST_ASIDE", 2)
    outbox, secret = Outbox(journal.store, NODE), Secret("t", "s")
    outbox.begin(anew=False)
    for event in talk("c1"):
        journal.append(event)
    assert journal.flush()
    hooks = {"crm": HookSettings(name="crm", url="https://x.example", secret=secret, kinds=("*",))}
    outbox.fill(hooks, T0)
    aside, dropped = GivenUp("crm", 4, TOO_MANY), GivenUp("crm", 2, TOO_MANY, dropped=True)
    assert outbox.bound(hooks) == [aside, dropped]
    late = GivenUp("crm", 3, TOO_LATE), GivenUp("crm", 3, TOO_MANY, dropped=True)
    assert outbox.clean(T0 + 4 * DAY_S, DAY_S) == [*late]
    assert [letter.error for letter in outbox.dead("crm")] == [TOO_LATE] * 2
    assert len(outbox.clean(T0 + 5 * DAY_S, DAY_S)) == 1 and outbox.waiting() == {}


def test_links_to_recordings_and_judged_calls_are_kept_as_in_sqlite(journal: Journal) -> None:
    now = [T0]
    links = Sharing(journal.shares, lambda: now[0])
    made, link = links.make("2026-03-02/01hz-1.opus", Wish(lasts_s=600, most=1), "sue")
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: links.open(link, use=True), range(4)))
    assert sum(each is not None for each in opened) == 1, "one use is one, whoever asks at once"
    assert links.revoke(made.recording, made.id, "ann") is not None
    assert [each.revoked_by for each in links.of(made.recording)] == ["ann"]
    found_again(journal.scorecards)


def test_a_code_is_taken_once_and_the_last_administrator_stays(journal: Journal) -> None:
    accounts = journal.accounts
    for name in ("admin", "boss"):
        accounts.add(
            User(name=name, role=Role.ADMIN, markets=(), subject=None if name == "boss" else "iss 1")
        )
    with pytest.raises(NameTaken):
        accounts.add(User(name="other", role=Role.AGENT, subject="iss 1"))
    with ThreadPoolExecutor(8) as nodes:
        taken = list(nodes.map(lambda _: accounts.take_step("boss", 7), range(8)))
    assert sum(taken) == 1

    def demote(name: str) -> object:
        try:
            return accounts.change(name, T0, role=Role.AGENT)
        except LastAdmin as error:
            return error

    with ThreadPoolExecutor(2) as nodes:
        assert sum(isinstance(each, LastAdmin) for each in nodes.map(demote, ("admin", "boss"))) == 1
    session = Session(
        digest="d", owner="boss", how="password", source="", made_at=T0, seen_at=T0, expires_at=T0 + 9
    )
    accounts.begin_session(session, 5.0)
    assert accounts.session("d") is not None
    accounts.change("boss", T0, ends=True, display="B")
    assert accounts.session("d") is None


def test_of_two_changes_of_one_version_one_is_told_so_where_there_is_no_administrator(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts, both = journal.accounts, threading.Barrier(2)
    accounts.add(User(name="sue", role=Role.SUPERVISOR))
    find = accounts._find

    def late(*asked: Any, **how: Any) -> User | None:
        found = find(*asked, **how)
        with suppress(threading.BrokenBarrierError):
            both.wait(0.5)  # until the other has read it as well, if it may
        return found

    monkeypatch.setattr(accounts, "_find", late)

    def change(display: str) -> object:
        try:
            return accounts.change("sue", T0, expected=1, display=display)
        except OtherVersion as error:
            return error

    with ThreadPoolExecutor(2) as nodes:
        done = list(nodes.map(change, ("Sue", "Susan")))
    assert sum(isinstance(each, OtherVersion) for each in done) == 1


def test_nodes_that_write_the_audit_log_together_write_one_chain(journal: Journal) -> None:
    def write(node: int) -> None:
        for number in range(10):
            id = f"{node}-{number}"
            journal.trail.append(
                [Entry(id, T0 + number / 7, str(node), "señor\0", "password", "x", id, "done")]
            )

    with ThreadPoolExecutor(4) as nodes:
        list(nodes.map(write, range(4)))
    rows = list(journal.trail.rows())
    assert verify(rows).rows == 40 and len({row.entry.object for row in rows}) == 40
    journal.trail.append([rows[0].entry], again=True)
    assert verify(journal.trail.rows()).rows == 40
    page, after = journal.trail.page(TrailFilter(node="2"), limit=4)
    assert [row.entry.object for row in page] == ["2-9", "2-8", "2-7", "2-6"] and after is not None


def test_records_within_reach_are_found_by_market_and_team(journal: Journal) -> None:
    for id, more in {
        "c1": {"market": "de"},
        "c2": {"market": "us", "agent": "carol"},
        "c3": {"market": "de", "agent": "", "queue": "sales"},
    }.items():
        journal.finish(ended(id), record(id, **more))
    journal.flush()
    assert within_reach(journal) == {"de": "c3 c1", "north": "c1", "south": "c3 c2"}
