"""The journal: cheap for the engine, durable within moments, whole after a crash."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.events import (
    CallAnswered,
    CallArrived,
    CallEnded,
    CallHandedOver,
    CallOffered,
    EndReason,
    Event,
    NodeStarted,
    OfferMissed,
    Side,
)
from engine.journal import Journal
from engine.store.database import UnfitStore
from engine.store.errors import SpillInUse
from engine.store.keeper import Keeping
from engine.views import Health
from tests.engine.store_samples import NODE, T0, arrived, ended, full_disk, record, taken, talk

ROOT = Path(__file__).parents[2]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/isogloss.db"


@pytest.fixture
def journal(url: str) -> Iterator[Journal]:
    with Journal(url, NODE) as journal:
        yield journal


def test_what_is_appended_can_be_read_back(journal: Journal) -> None:
    for event in talk("c1"):
        journal.append(event)
    assert journal.flush()
    assert [entry.event() for entry in journal.events("c1")] == talk("c1")


def test_a_finished_call_has_its_record_and_is_open_no_more(journal: Journal) -> None:
    journal.append(arrived("c1"))
    journal.flush()
    assert [call.call for call in journal.open_calls()] == ["c1"]
    journal.finish(ended("c1"), record("c1"))
    journal.flush()
    assert journal.open_calls() == []
    assert journal.record("c1") == record("c1")
    assert journal.events("c1")[-1].event() == ended("c1")


def test_events_are_committed_without_being_asked_to(journal: Journal) -> None:
    journal.append(arrived("c1"))
    marker = threading.Event()
    for _ in range(500):
        if journal.open_calls():
            break
        marker.wait(0.01)
    assert [call.call for call in journal.open_calls()] == ["c1"]


def test_nothing_is_lost_at_closing(url: str) -> None:
    with Journal(url, NODE) as journal:
        for number in range(500):
            journal.append(arrived(f"c{number:03}"))
    with Journal(url, NODE) as journal:
        assert len(journal.open_calls()) == 500


def test_threads_may_append_side_by_side(journal: Journal) -> None:
    def work(name: str) -> None:
        for number in range(200):
            journal.append(arrived(f"{name}-{number}"))

    threads = [threading.Thread(target=work, args=(str(name),)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert journal.flush()
    assert len(journal.open_calls()) == 800


def test_a_closed_journal_takes_nothing_raises_nothing_and_counts_the_loss(url: str) -> None:
    journal = Journal(url, NODE)
    journal.close()
    journal.close()
    journal.append(arrived())
    journal.finish(ended(), record())
    assert journal.state().lost == 2
    assert not journal.flush()
    assert journal.check().status is Health.FAILING


def test_two_nodes_keep_their_calls_apart(tmp_path: Path, url: str, journal: Journal) -> None:
    with Journal(url, "n2", spill=tmp_path / "n2.spill") as other:
        journal.append(arrived("c1"))
        other.append(arrived("c2", node="n2"))
        journal.flush()
        other.flush()
        assert [call.call for call in journal.open_calls()] == ["c1"]
        assert [call.call for call in other.open_calls()] == ["c2"]


def test_a_second_process_of_the_same_node_is_turned_away(url: str, journal: Journal) -> None:
    with pytest.raises(SpillInUse) as caught:
        Journal(url, NODE)
    assert "stop the other process" in caught.value.remedy


def test_a_server_without_a_spill_file_is_refused() -> None:
    with pytest.raises(UnfitStore, match="spill"):
        Journal("postgresql://127.0.0.1:1/isogloss", NODE)


# ------------------------------------------------------------------------------------------ a failing store


def test_a_locked_store_costs_no_event_and_is_told_in_health(tmp_path: Path, journal: Journal) -> None:
    assert journal.check().status is Health.OK
    other = sqlite3.connect(tmp_path / "isogloss.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    journal.append(arrived("c1"))
    journal.finish(ended("c1"), record("c1"))
    assert journal.flush(), "spilled is durable"
    assert journal.state().keeping is Keeping.SPILLED and "locked" in journal.state().fault
    assert journal.check().status is Health.DEGRADED
    other.execute("ROLLBACK")
    other.close()
    wait_until_stored(journal)
    assert journal.record("c1") == record("c1")
    assert journal.check().status is Health.OK


def test_a_fault_nobody_foresaw_costs_no_event(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a fault of ours")

    with monkeypatch.context() as broken_for_now:
        broken_for_now.setattr(journal._keeper._sink, "write", broken)
        for event in talk("c1"):
            journal.append(event)
        assert journal.flush()
        assert journal.state().keeping is Keeping.SPILLED
        assert "a fault of ours" in journal.state().fault
    wait_until_stored(journal)
    assert [entry.event() for entry in journal.events("c1")] == talk("c1")


def test_with_neither_store_nor_disk_health_fails(tmp_path: Path, journal: Journal) -> None:
    other = sqlite3.connect(tmp_path / "isogloss.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with full_disk(journal._keeper._spill):
        journal.append(arrived("c1"))
        assert not journal.flush()
        assert journal.waiting == 1
        assert journal.check().status is Health.FAILING
        other.execute("ROLLBACK")
        other.close()
        wait_until_stored(journal)
    assert [call.call for call in journal.open_calls()] == ["c1"]


def test_a_full_queue_loses_events_before_records_and_says_so(url: str, tmp_path: Path) -> None:
    with Journal(url, NODE, interval_s=0.5, limit=5) as journal:
        for number in range(9):
            journal.append(arrived(f"c{number}"))
        journal.finish(ended("c1"), record("c1"))
        assert journal.flush()
        assert journal.state().lost == 4
        assert journal.record("c1") == record("c1")
        assert journal.check().status is Health.DEGRADED


def wait_until_stored(journal: Journal) -> None:
    for _ in range(1000):
        journal.flush()
        if journal.state().keeping is Keeping.STORED:
            return
        threading.Event().wait(0.01)
    pytest.fail("the store never took the events")


# -------------------------------------------------------------------------------------------- after a crash


def crash(url: str, *calls: list[Event]) -> None:
    """A life of the node that ends with these events and no closing."""
    with Journal(url, NODE) as journal:
        for events in calls:
            for event in events:
                journal.append(event)


def test_a_call_that_talked_when_the_node_died_is_closed_with_what_is_known(url: str) -> None:
    crash(url, talk("c1"), [arrived("c2", T0 + 30.0)])
    with Journal(url, NODE) as journal:
        journal.append(NodeStarted(at=T0 + 500.0, node=NODE, version="1"))
        closed = {item.call: item for item in journal.recover(T0 + 500.0)}
        assert journal.open_calls() == []
        assert journal.record("c1") == closed["c1"]
        last = journal.events("c1")[-1].event()
    talked = closed["c1"]
    assert last == CallEnded(at=T0 + 30.0, call="c1", by=Side.ENGINE, reason=EndReason.NODE_LOST)
    assert (talked.reason, talked.ended_by) == (EndReason.NODE_LOST, Side.ENGINE)
    assert (talked.customer, talked.queue, talked.agent) == ("+4930123456", "support", "alice")
    assert (talked.customer_codec, talked.agent_codec) == ("PCMA", "PCMU")
    assert talked.ended_at == T0 + 30.0, "the node's last sign of life, not its restart"
    assert (talked.wait_s, talked.hold_s, talked.talk_s) == (10.0, 5.0, 13.0)


def test_a_call_that_waited_when_the_node_died_counts_its_wait_and_misses(url: str) -> None:
    events = [
        *talk("c1")[:4],
        OfferMissed(at=T0 + 9.0, call="c1", agent="alice", outcome="no_answer"),
        CallOffered(at=T0 + 10.0, call="c1", queue="support", agent="bob", why="idle longest"),
    ]
    crash(url, events)
    with Journal(url, NODE) as journal:
        (closed,) = journal.recover(T0 + 60.0)
    assert (closed.wait_s, closed.talk_s, closed.misses) == (8.0, 0.0, 1)
    assert closed.connected_at is None and closed.agent == ""


def test_a_call_on_hold_when_the_node_died_was_on_hold_until_then(url: str) -> None:
    crash(url, talk("c1")[:-1], [arrived("c2", T0 + 40.0)])
    with Journal(url, NODE) as journal:
        closed = {item.call: item for item in journal.recover(T0 + 60.0)}
    assert (closed["c1"].hold_s, closed["c1"].talk_s) == (20.0, 8.0)


def test_recovering_twice_closes_once(url: str) -> None:
    crash(url, talk("c1"))
    with Journal(url, NODE) as journal:
        assert len(journal.recover(T0 + 60.0)) == 1
        assert journal.recover(T0 + 60.0) == []
    with Journal(url, NODE) as journal:
        assert journal.recover(T0 + 90.0) == []


def test_calls_that_another_node_took_over_get_no_record_here(url: str) -> None:
    with Journal(url, NODE) as journal:
        for call in ("theirs", "ours", "nobodys"):
            journal.append(arrived(call))
        journal.flush()
    with Journal(url, NODE) as journal:
        assert sorted(journal.orphans) == ["nobodys", "ours", "theirs"]
        closed = journal.recover(T0 + 60.0, {"theirs": "other", "ours": NODE})
        assert [item.call for item in closed] == ["nobodys"]
        assert [item.call for item in journal.open_calls()] == ["ours"]  # it goes on
        assert journal.events("theirs")[-1].event() == CallHandedOver(
            at=T0 + 60.0, call="theirs", node="other"
        )


def test_a_call_that_was_taken_over_is_open_here_and_closed_when_this_node_is_lost_too(url: str) -> None:
    with Journal(url, NODE) as journal:
        journal.append(taken("c1", began=T0))
        journal.flush()
        assert [(item.call, item.node, item.at) for item in journal.open_calls()] == [("c1", NODE, T0)]
    with Journal(url, NODE) as journal:
        (closed,) = journal.recover(T0 + 60.0)
    assert (closed.reason, closed.offered_at, closed.number) == (EndReason.NODE_LOST, T0, "+498001234")


def test_calls_of_this_life_are_not_recovered(url: str) -> None:
    crash(url, [arrived("old")])
    with Journal(url, NODE) as journal:
        journal.append(arrived("new"))
        journal.flush()
        assert [item.call for item in journal.recover(T0 + 60.0)] == ["old"]
        assert [item.call for item in journal.open_calls()] == ["new"]


def test_what_an_earlier_life_could_only_spill_is_recovered_too(url: str, tmp_path: Path) -> None:
    with Journal(url, NODE) as journal:
        other = sqlite3.connect(tmp_path / "isogloss.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        for event in talk("c1"):
            journal.append(event)
        journal.close()
        other.execute("ROLLBACK")
    with (tmp_path / "journal.spill").open("ab") as file:
        file.write(b'["n1",99,1.0,"c1","call.answ')
    with Journal(url, NODE) as journal:
        assert [item.call for item in journal.recover(T0 + 60.0)] == ["c1"]
        assert [entry.kind for entry in journal.events("c1")][-2:] == ["call.resumed", "call.ended"]
        assert journal.state().refused == 1


VICTIM = """
import sys, time
sys.path.insert(0, sys.argv[1])
from engine.journal import Journal
from tests.engine.store_samples import NODE, arrived, ended, record, talk
with Journal(sys.argv[2], NODE, interval_s=0.01) as journal:
    number = 0
    while True:
        call = f"c{number:06}"
        for event in talk(call):
            journal.append(event)
        journal.append(arrived("open-" + call))
        journal.finish(ended(call), record(call))
        print(call, time.monotonic(), journal.state().lag_s, flush=True)
        number += 1
        time.sleep(0.002)
"""


def test_killed_outright_it_keeps_every_call_finished_50_ms_before(url: str) -> None:
    victim = subprocess.Popen(
        [sys.executable, "-c", VICTIM, str(ROOT), url], stdout=subprocess.PIPE, text=True
    )
    assert victim.stdout is not None
    finished: list[tuple[str, float, float]] = []
    for line in victim.stdout:
        call, at, late = line.split()
        finished.append((call, float(at), float(late)))
        if len(finished) == 150:
            break
    os.kill(victim.pid, signal.SIGKILL)
    victim.stdout.close()
    victim.wait()
    _, last, lag = finished[-1]
    # A machine too busy to run the writer for 50 ms makes the journal say so in its lag; then the promise is
    # that.
    promised = [call for call, at, _ in finished if at <= last - max(0.05, lag)]
    assert len(promised) > 50
    with Journal(url, NODE) as journal:
        missing = [call for call in promised if journal.record(call) is None]
        assert missing == []
        whole = [len(journal.events(call)) for call in promised]
        assert set(whole) == {8}
        journal.recover(last)
        assert journal.open_calls() == []
        for call, _, _ in finished:
            entries = journal.events(call)
            assert (journal.record(call) is not None) == (bool(entries) and entries[-1].kind == "call.ended")


def test_an_answered_call_without_an_arrival_does_not_stop_recovery(url: str, tmp_path: Path) -> None:
    crash(url, [arrived("c1"), CallAnswered(at=T0 + 1.0, call="c1", codec="PCMA")])
    connection = sqlite3.connect(tmp_path / "isogloss.db")
    connection.execute("DELETE FROM journal WHERE kind = ?", (CallArrived.kind,))
    connection.commit()
    connection.close()
    with Journal(url, NODE) as journal:
        (closed,) = journal.recover(T0 + 60.0)
    assert (closed.customer, closed.offered_at, closed.customer_codec) == ("", T0, "PCMA")
