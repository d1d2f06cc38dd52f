"""Reading the store: records by filter and page, and a call's journal."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from engine.events import EndReason
from engine.store import database, migrate
from engine.store.errors import StoreUnavailable
from engine.store.records import BadCursor, Outcome, RecordFilter, Records
from engine.store.rows import Line, encode, record_values
from engine.store.sink import Sink
from tests.engine.store_samples import NODE, T0, arrived, ended, record, talk


@pytest.fixture
def records(tmp_path: Path) -> Records:
    """Twenty calls that ended a second apart, two at a time."""
    engine = database.connect(f"sqlite:///{tmp_path}/isogloss.db")
    migrate.upgrade(engine)
    lines = []
    for number in range(20):
        made = record(
            f"c{number:02}",
            T0 + number // 2,
            queue="sales" if number % 4 == 0 else "support",
            agent=f"agent-{number % 5}",
            customer=f"+49{number}",
            recording="2026-03-14/c07-1.opus" if number == 7 else "",
            source="carrier" if number in (3, 9) else "192.0.2.7:5060",
            number=f"+4930{number % 3}",
            connected_at=None if number >= 14 else T0,
            reason=EndReason.ABANDONED if number >= 15 else EndReason.COMPLETED,
        )
        lines.append(Line(NODE, number + 1, T0, made.call, "call.ended", "{}", None, record_values(made)))
    sink = Sink(engine)
    sink.write(lines)
    sink.close()
    return Records(engine)


def names(records: Records, **wanted: object) -> list[str]:
    return [item.call for item in records.page(RecordFilter(**wanted)).items]  # type: ignore[arg-type]


def test_the_newest_come_first(records: Records) -> None:
    assert names(records)[:3] == ["c19", "c18", "c17"]


@pytest.mark.parametrize("limit", [1, 3, 7, 20, 50])
def test_pages_hold_every_record_once(records: Records, limit: int) -> None:
    seen: list[str] = []
    cursor = None
    while True:
        page = records.page(cursor=cursor, limit=limit)
        seen += [item.call for item in page.items]
        assert len(page.items) <= limit
        cursor = page.next
        if cursor is None:
            break
    assert seen == [f"c{number:02}" for number in reversed(range(20))]


def test_a_filter_holds_on_every_page(records: Records) -> None:
    wanted = RecordFilter(queue="sales")
    first = records.page(wanted, limit=3)
    second = records.page(wanted, limit=3, cursor=first.next)
    assert [item.call for item in first.items + second.items] == ["c16", "c12", "c08", "c04", "c00"]
    assert second.next is None


@pytest.mark.parametrize(
    ("wanted", "calls"),
    [
        ({"agent": "agent-3"}, ["c18", "c13", "c08", "c03"]),
        ({"customer": "+497"}, ["c07"]),
        ({"contact": "contact-c11"}, ["c11"]),
        ({"reason": "abandoned", "queue": "sales"}, ["c16"]),
        ({"since": T0 + 8}, ["c19", "c18", "c17", "c16"]),
        ({"until": T0 + 1}, ["c01", "c00"]),
        ({"since": T0 + 3, "until": T0 + 4}, ["c07", "c06"]),
        ({"arrived_since": T0 + 6 - 60, "arrived_until": T0 + 7 - 60}, ["c13", "c12"]),
        ({"line": "192.0.2.7:5060", "queue": "sales", "until": T0 + 1}, ["c00"]),
        ({"line": "carrier"}, ["c09", "c03"]),
        ({"number": "+49301", "line": "192.0.2.7:5060", "until": T0 + 3}, ["c04", "c01"]),
        ({"outcome": Outcome.ANSWERED, "since": T0 + 6}, ["c13", "c12"]),
        ({"outcome": Outcome.ABANDONED, "queue": "sales"}, ["c16"]),
        ({"outcome": Outcome.FAILED}, ["c14"]),
        ({"market": "us"}, []),
        ({"number": "' OR 1=1 --"}, []),
    ],
)
def test_records_are_found_by(records: Records, wanted: dict[str, object], calls: list[str]) -> None:
    assert names(records, **wanted) == calls


@pytest.mark.parametrize("cursor", ["x", "!!!!", "W10", "WzEsMl0", "bnVsbA", "é", "A" * 5000])
def test_a_cursor_from_elsewhere_is_refused(records: Records, cursor: str) -> None:
    with pytest.raises(BadCursor):
        records.page(cursor=cursor)


@pytest.mark.parametrize(("asked", "given"), [(0, 1), (-5, 1), (10**9, 20)])
def test_a_limit_is_kept_within_bounds(records: Records, asked: int, given: int) -> None:
    assert len(records.page(limit=asked).items) == given


def test_a_call_nobody_recorded_is_none(records: Records) -> None:
    assert records.get("c99") is None


def test_a_record_reads_back_as_written(records: Records) -> None:
    kept = records.get("c03")
    changed = {"source": "carrier", "number": "+49300", "connected_at": T0}
    assert kept == record("c03", T0 + 1, agent="agent-3", customer="+493", **changed)


def test_the_journal_of_a_call_is_in_the_order_it_happened_though_the_clock_was_set_back(
    tmp_path: Path,
) -> None:
    engine = database.connect(f"sqlite:///{tmp_path}/isogloss.db")
    migrate.upgrade(engine)
    sink = Sink(engine)
    events = [arrived("c1", T0), *talk("c1", T0 - 100)[1:], ended("c1", T0 - 50)]
    sink.write([
        Line(NODE, seq, event.at, event.call, event.kind, *encode(event))
        for seq, event in enumerate(events, start=1)
    ])  # fmt: skip
    sink.close()
    assert [entry.event() for entry in Records(engine).entries("c1")] == events


def test_a_store_that_is_gone_is_unavailable(records: Records) -> None:
    with records._engine.begin() as connection:
        connection.execute(text("DROP TABLE call_records"))
    with pytest.raises(StoreUnavailable):
        records.page()


def test_pages_are_found_by_index_not_by_walking_the_table(records: Records) -> None:
    with records._engine.connect() as connection:
        plan = connection.execute(
            text("EXPLAIN QUERY PLAN SELECT * FROM call_records ORDER BY ended_at DESC, call DESC LIMIT 5")
        ).all()
    assert "ix_call_records_ended_at_call" in str(plan) and "TEMP B-TREE" not in str(plan)
