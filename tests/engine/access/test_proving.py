"""The audit log proved while a node runs: what it comes to, how far it is, and one look at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from engine.access import proving
from engine.access.proving import Proving
from engine.store.errors import StoreUnavailable
from engine.store.schema import audit
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


def test_a_log_that_was_cut_off_is_found_by_its_anchor(stand: Stand) -> None:
    with stand.engine.begin() as connection:
        connection.execute(delete(audit).where(audit.c.seq > 5))
    told = asyncio.run(proved(proving_of(stand)))
    assert told.verdict is not None and told.verdict.bad == 6 and "cut off" in told.verdict.why


def test_an_anchor_that_is_none_is_a_fault_of_its_own(stand: Stand) -> None:
    (stand.folder / "audit.anchor").write_text("{}")
    told = asyncio.run(proved(proving_of(stand)))
    assert told.verdict is not None and not told.verdict.whole and "anchor" in told.verdict.why


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
