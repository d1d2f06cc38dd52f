"""The audit log proved while a node runs: what it comes to, how far it is, and one look at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import structs
from msgspec.structs import astuple
from sqlalchemy import delete, select, update

from engine.access import proving
from engine.access.anchor import write_anchor
from engine.access.chain import ANCHOR_ITSELF, TEXTS, Anchor, Verdict, follow, verify
from engine.access.proving import Proving
from engine.store.errors import StoreUnavailable
from engine.store.schema import audit
from engine.store.trail import TrailFilter
from engine.views import Health
from tests.engine.access.stand import Stand, standing


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    with standing(tmp_path) as made:
        for number in range(7):
            made.audit.note(made.audit.entry("ada", "password", "get_record", f"records/{number}"))
        made.settle()
        yield made


def proving_of(stand: Stand, rests: list[float] | None = None) -> Proving:
    rest = (lambda seconds: None) if rests is None else rests.append
    return Proving(stand.trail, stand.folder / "audit.anchor", wall=stand.wall, rest=rest)


async def proved(found: Proving, by: str = "ada") -> proving.Proof:
    assert found.begin(by)
    await found.rest_of_it()
    assert found.newest is not None
    return found.newest


def test_a_whole_log_is_said_to_be_whole_with_its_anchor(stand: Stand) -> None:
    told = asyncio.run(proved(proving_of(stand)))
    assert told.verdict is not None and told.verdict.whole
    assert (told.rows, told.of, told.anchored, told.by, told.ended) == (8, 8, 8, "ada", stand.wall.now)


@pytest.mark.parametrize("row", [1, 4, 8])
def test_a_byte_that_was_changed_is_found(stand: Stand, row: int) -> None:
    with stand.engine.begin() as connection:
        connection.execute(update(audit).where(audit.c.seq == row).values(who="eve"))
    told = asyncio.run(proved(proving_of(stand)))
    assert told.verdict is not None and (told.verdict.bad, told.rows) == (row, row - 1)


def verdict(stand: Stand) -> Verdict:
    return verify(stand.trail.rows())


def test_every_byte_of_a_row_counts(stand: Stand) -> None:
    """One bit of it, so that it is no text any more for some."""
    with stand.engine.begin() as connection:
        row = connection.execute(select(audit).where(audit.c.seq == 4)).mappings().one()
    for column in (*TEXTS, "prev", "hash"):
        kept = str(row[column]).encode()
        for at in range(len(kept)):
            for bit in (0x01, 0x80):
                bytes = kept[:at] + b"%c" % (kept[at] ^ bit) + kept[at + 1 :]
                with stand.engine.begin() as connection:
                    connection.exec_driver_sql(
                        f"UPDATE audit SET {column} = CAST(? AS TEXT) WHERE seq = 4", (bytes,)
                    )
                assert verdict(stand).bad == 4, (column, at)
        with stand.engine.begin() as connection:
            connection.execute(update(audit).where(audit.c.seq == 4).values({column: row[column]}))
    assert verdict(stand).whole


@pytest.mark.parametrize(
    "change",
    [
        "at = 'soon'", "at = x'ff00'", "at = 9e999", "at = -1e300", "at = at + 0.001", "at = at || 'z'",
        "who = x'616461'", "who = cast(x'ff41' as text)", "who = who || char(0)", "what = ''",
        "detail = cast(x'eda080' as text)", "hash = x'00'", "prev = x'00'", "hash = upper(hash)",
        "seq = 'x'", "seq = x'00'", "seq = 3.5", "seq = -4", "seq = 1e300",
    ],
)  # fmt: skip
def test_whatever_stands_in_a_row_is_found_and_shown_and_the_log_goes_on(stand: Stand, change: str) -> None:
    with stand.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE audit SET {change} WHERE seq = 4")
    found = verdict(stand)
    assert found.bad in (4, -4), found
    told = asyncio.run(proved(proving_of(stand)))
    assert told.verdict is not None and not told.verdict.whole and not told.fault
    page, _ = stand.trail.page(TrailFilter())
    assert len(page) >= 7
    assert all(type(row.seq) is int for row in page)
    json.dumps([[row.seq, row.prev, row.hash, *astuple(row.entry)] for row in page], allow_nan=False)
    assert all(datetime.fromtimestamp(row.entry.at, UTC) for row in page)
    asyncio.run(stand.audit.keep(stand.audit.entry("ada", "password", "get_record", "records/9")))
    assert (
        stand.audit.fault == "" and stand.trail.page(TrailFilter(), limit=1)[0][0].entry.object == "records/9"
    )


def test_bytes_are_not_taken_for_the_text_that_they_would_be_hashed_as(stand: Stand) -> None:
    asyncio.run(stand.audit.keep(stand.audit.entry("YWRh", "password", "get_record", "records/9")))
    with stand.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE audit SET who = x'616461' WHERE who = 'YWRh'")
    assert verdict(stand).bad == 9


def test_a_fault_that_nobody_thought_of_ends_it_too(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stand.trail, "last", lambda: 1 // 0)
    found = proving_of(stand)
    told = asyncio.run(proved(found))
    assert told.verdict is None and "ZeroDivisionError" in told.fault and told.ended is not None
    monkeypatch.undo()
    assert asyncio.run(proved(found)).verdict is not None


def test_a_log_that_was_cut_off_is_found_by_its_anchor(stand: Stand) -> None:
    with stand.engine.begin() as connection:
        connection.execute(delete(audit).where(audit.c.seq > 5))
    told = asyncio.run(proved(proving_of(stand)))
    assert told.verdict is not None and told.verdict.bad == 6 and "cut off" in told.verdict.why


@pytest.mark.parametrize(
    "text", ["{}", "[]", '{"row":1e999,"hash":"x","at":0}', '{"row":0,"hash":"","at":0}']
)
def test_an_anchor_that_is_none_is_a_fault_of_its_own(stand: Stand, text: str) -> None:
    (stand.folder / "audit.anchor").write_text(text)
    told = asyncio.run(proved(proving_of(stand)))
    assert told.verdict is not None and told.verdict.bad == ANCHOR_ITSELF and "anchor" in told.verdict.why


@pytest.mark.parametrize("left", [None, '{"row":4,"hash":"HASH","at":0.0}'])
def test_who_cuts_the_log_off_and_removes_or_rewrites_the_anchor_is_found_by_the_node_that_wrote_it(
    stand: Stand, left: str | None
) -> None:
    hash = [row.hash for row in stand.trail.rows()][3]
    with stand.engine.begin() as connection:
        connection.execute(delete(audit).where(audit.c.seq > 4))
    (stand.folder / "audit.anchor").unlink()
    if left is not None:
        (stand.folder / "audit.anchor").write_text(left.replace("HASH", hash))
    told = asyncio.run(proved(stand.access.proving))
    assert told.verdict is not None and told.verdict.bad == 5 and told.anchored == 8
    assert stand.access.check().status is Health.DEGRADED


def test_who_writes_the_log_anew_with_an_anchor_to_fit_is_found_by_the_node_that_wrote_it(
    stand: Stand,
) -> None:
    rows = list(stand.trail.rows())
    anew = follow(
        rows[3].seq,
        rows[3].hash,
        [structs.replace(row.entry, who="eve", id=f"x{row.seq}") for row in rows[4:]],
    )
    with stand.engine.begin() as connection:
        connection.execute(delete(audit).where(audit.c.seq > 4))
    stand.trail.append([row.entry for row in anew])
    write_anchor(stand.folder / "audit.anchor", Anchor(8, anew[-1].hash, 0.0))
    told = asyncio.run(proved(stand.access.proving))
    assert told.verdict is not None and (told.verdict.bad, told.rows) == (8, 7)


def test_an_anchor_that_is_missing_is_told_where_the_node_wrote_and_until_it_writes_again(
    stand: Stand,
) -> None:
    (stand.folder / "audit.anchor").unlink()
    told = asyncio.run(proved(stand.access.proving))
    assert told.verdict is not None and told.verdict.bad == ANCHOR_ITSELF and told.rows == 8
    assert stand.access.check().detail.startswith("it is not whole: the anchor is missing")
    another = Proving(stand.trail, stand.folder / "audit.anchor", node="n2", wall=stand.wall)
    told = asyncio.run(proved(another))
    assert told.verdict is not None and told.verdict.whole and told.anchored is None
    stand.settle()
    asyncio.run(proved(stand.access.proving))
    assert stand.access.check().status is Health.OK


def test_a_look_that_comes_to_none_is_told_until_one_comes_to_an_end(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stand.trail, "last", lambda: 1 // 0)
    asyncio.run(proved(stand.access.proving))
    check = stand.access.check()
    assert check.status is Health.DEGRADED and check.detail.startswith("it could not be looked through")
    monkeypatch.undo()
    asyncio.run(proved(stand.access.proving))
    assert stand.access.check().status is Health.OK


def test_it_tells_how_far_it_is_and_rests_between(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proving, "BATCH", 3)
    seen: list[tuple[int, int]] = []
    found = proving_of(stand)
    found._rest = lambda seconds: seen.append((found.newest.rows, found.newest.of))  # type: ignore[union-attr]
    asyncio.run(proved(found))
    assert seen == [(3, 8), (6, 8)]


def test_a_node_that_stops_does_not_wait_for_the_end_of_it(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proving, "BATCH", 2)
    found, rests = proving_of(stand), list[float]()

    def rest(seconds: float) -> None:
        rests.append(seconds)
        found.close()

    found._rest = rest
    told = asyncio.run(proved(found))
    assert len(rests) == 1 and told.verdict is None and "stopped" in told.fault


def test_one_looks_at_a_time(stand: Stand) -> None:
    async def story() -> None:
        found = proving_of(stand)
        assert found.begin("ada") and not found.begin("axel")
        await found.rest_of_it()
        assert not found.goes_on and found.begin("axel")
        await found.rest_of_it()
        assert found.newest is not None and found.newest.by == "axel"

    asyncio.run(story())


def test_a_store_that_fails_is_no_verdict(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    def last() -> int:
        raise StoreUnavailable("away")

    monkeypatch.setattr(stand.trail, "last", last)
    told = asyncio.run(proved(proving_of(stand)))
    assert told.verdict is None and told.fault == "away" and told.ended is not None


def test_the_node_looks_by_itself_and_its_health_tells_what_was_found_until_it_is_whole_again(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proving, "EVERY_S", 3600.0)
    found = stand.access.proving

    async def day() -> None:
        found.start(0.0)
        while found.newest is None:
            await asyncio.sleep(0)
        await found.rest_of_it()

    def told() -> tuple[Health, str]:
        check = stand.access.check()
        return check.status, check.detail

    asyncio.run(day())
    assert found.newest is not None and found.newest.by == proving.NODE and told() == (Health.OK, "")
    with stand.engine.begin() as connection:
        connection.execute(update(audit).where(audit.c.seq == 4).values(who="eve"))
    asyncio.run(proved(found))
    status, words = told()
    assert status is Health.DEGRADED and words.startswith("it is not whole: row 4 "), words
    with stand.engine.begin() as connection:
        connection.execute(update(audit).where(audit.c.seq == 4).values(who="ada"))
    asyncio.run(proved(found))
    assert told() == (Health.OK, "")


def test_a_node_that_stops_looks_no_more(stand: Stand) -> None:
    found = proving_of(stand)
    found.close()

    async def day() -> None:
        found.start(0.0)
        for _ in range(20):
            await asyncio.sleep(0)

    asyncio.run(day())
    assert found.newest is None
