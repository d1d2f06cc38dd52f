"""Traces of calls that are over: without secrets, packed, found again, and let go of in time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from engine.insight import archive as archives
from engine.insight.archive import Archive, Terms
from engine.insight.trace import Look, Rungs, Trace, pack, unpack
from engine.journal import Journal
from engine.store.errors import StoreUnavailable
from engine.store.traces import Row, TraceStore
from sip.hop import Hop
from sip.ladder import Rung
from tests.engine.insight.samples import DIGEST, OWN, call_messages, quality, sip
from tests.engine.store_samples import T0

FAR = Hop("udp", "203.0.113.9", 5060)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TraceStore]:
    with Journal(f"sqlite:///{tmp_path / 'a.db'}", "n1", spill=tmp_path / "spill") as journal:
        yield journal.traces


def look(call: str, *, troubled: bool = False, ended: float = T0) -> Look:
    invite = sip("INVITE sip:200@pbx SIP/2.0", f"Authorization: {DIGEST}")
    rungs = Rungs("customer", 1, [Rung(2.0, True, FAR, invite), Rung(1.0, False, FAR, b"x")], 3)
    return Look(call, ended - 9, ended, T0, [rungs], [quality()], lambda hop: OWN, troubled)


def test_what_is_kept_is_in_order_and_without_secrets(store: TraceStore) -> None:
    archive = Archive(store, wall=lambda: T0)
    archive.start()
    archive.offer(look("c1"))
    archive.close()
    trace = archive.get("c1")
    assert trace is not None
    assert [(each.at, each.inward) for each in trace.messages] == [(T0 + 1.0, False), (T0 + 2.0, True)]
    first = trace.messages[1]
    assert (first.host, first.own_host, first.own_port) == (FAR.host, *OWN)
    assert b'username="alice"' in first.data and b"6629fae" not in first.data
    assert (trace.omitted, trace.quality) == (3, [quality()])
    (raw,) = store.get("c1")
    assert b"6629fae" not in raw and archive.get("nobody") is None


def test_a_call_can_be_looked_at_while_it_waits_to_be_written(store: TraceStore) -> None:
    archive = Archive(store, wall=lambda: T0)
    archive.offer(look("c1"))
    waiting = archive.look("c1")
    assert waiting is not None and waiting.trace().messages
    archive.start()
    archive.close()
    assert archive.look("c1") is None and archive.get("c1") is not None


def test_of_many_calls_that_went_well_some_are_kept_and_of_troubled_ones_all(store: TraceStore) -> None:
    clock = [100.0]
    archive = Archive(store, lambda: Terms(per_s=5.0), lambda: clock[0], lambda: T0)
    for number in range(40):
        archive.offer(look(f"fine{number}"))
        archive.offer(look(f"bad{number}", troubled=True))
    archive.start()
    archive.close()
    assert all(archive.get(f"bad{number}") for number in range(40))
    assert sum(archive.get(f"fine{number}") is not None for number in range(40)) == 5
    assert (archive.kept, archive.thinned, archive.lost) == (45, 35, 0)


def test_nothing_is_kept_where_that_is_not_wanted(store: TraceStore) -> None:
    archive = Archive(store, lambda: Terms(days=0.0))
    archive.start()
    archive.offer(look("c1", troubled=True))
    archive.close()
    assert archive.get("c1") is None


class Away(TraceStore):
    """A store that does not answer."""

    def __init__(self) -> None:
        super().__init__(create_engine("sqlite://"), "n1")

    def keep(self, rows: Sequence[Row]) -> None:
        raise StoreUnavailable("away")


def test_a_store_that_is_away_holds_nobody_up_and_loses_no_more_than_it_must(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(archives, "MOST", 10)
    archive = Archive(Away(), wall=lambda: T0)
    for number in range(15):
        archive.offer(look(f"c{number}", troubled=number < 5))
    assert archive.lost == 5 and all(archive.look(f"c{number}") for number in range(5))
    archive.start()
    archive.close()
    assert archive.lost == 15


def test_old_traces_are_let_go_of(store: TraceStore) -> None:
    rows = [Row(f"c{number}", T0 + number, pack(Trace(f"c{number}", T0, [], []))) for number in range(450)]
    store.keep(rows)
    store.keep(rows[:1])
    assert store.erase_before(T0 + 420) == 420
    assert store.get("c419") == [] and len(store.get("c420")) == 1


def test_what_was_kept_goes_where_nothing_is_to_be_kept_any_more(store: TraceStore) -> None:
    terms = [Terms()]
    archive = Archive(store, lambda: terms[0], lambda: 9999.0, lambda: T0 + 60)
    archive.offer(look("c1", troubled=True))
    archive.start()
    archive.close()
    assert archive.get("c1") is not None
    terms[0], archive._cleaned = Terms(days=0.0), 0.0
    archive._clean(T0 + 60)
    assert archive.get("c1") is None


def test_what_two_nodes_saw_of_a_call_is_one_trace(store: TraceStore) -> None:
    other = TraceStore(store._engine, "n2")
    early, late = call_messages()[:3], call_messages()[3:]
    other.keep([Row("c1", T0 + 60, pack(Trace("c1", T0 + 20, late, [quality()], 1)))])
    store.keep([Row("c1", T0 + 20, pack(Trace("c1", T0, early, [quality()], 2)))])
    trace = Archive(store).get("c1")
    assert trace is not None
    assert (trace.began, trace.omitted, len(trace.messages), len(trace.quality)) == (T0, 3, 6, 2)
    assert [each.data for each in trace.messages] == [each.data for each in call_messages()]
    assert len({each.leg for each in trace.quality}) == 2
    assert trace.quality[1].samples[0].at == trace.quality[0].samples[0].at + 20


def test_what_is_packed_is_unpacked_again_and_nothing_else_is() -> None:
    trace = Trace("c1", T0, call_messages(), [quality()], 2)
    assert unpack(pack(trace)) == trace
    for broken in (b"", b"rubbish", pack(trace)[:-4]):
        with pytest.raises(ValueError):
            unpack(broken)
