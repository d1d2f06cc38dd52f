"""What lines did, as the database adds it up: the same as adding one call after the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import pytest
from sqlalchemy import Engine

from engine.line_events import LineProbed, LineUsed
from engine.store import database, migrate
from engine.store.line_sums import LineSums
from engine.store.rows import Line, encode
from engine.store.sink import Sink
from routing.cost import Use
from routing.report import AT, COLUMNS, HOUR_S, PDD_S, Cell, added, figures
from tests.engine.store_samples import NODE, T0

HOUR = T0 // HOUR_S


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    made = database.connect(f"sqlite:///{tmp_path}/isogloss.db")
    migrate.upgrade(made)
    return made


def used(at: float = T0, **changes: object) -> LineUsed:
    values = {
        "at": at,
        "call": "c1",
        "line": "carrier",
        "direction": "out",
        "region": "eu",
        "destination": "44",
    }
    values |= {"began": at, "status": 200, "blame": "worked", "words": "answered", "answered": True}
    return LineUsed(**values | changes)  # type: ignore[arg-type]


def probed(at: float = T0, **changes: object) -> LineProbed:
    values = {"at": at, "line": "carrier", "region": "eu", "number": "+441", "by": "schedule", "passed": True}
    return LineProbed(**values | {"fault": "", "words": ""} | changes)  # type: ignore[arg-type]


def written(engine: Engine, events: Sequence[LineUsed | LineProbed]) -> LineSums:
    sink = Sink(engine)
    lines = [
        Line(NODE, number, event.at, event.call, event.kind, encode(event)[0])
        for number, event in enumerate(events, 1)
    ]
    sink.write(lines)
    sink.write(lines, again=True)  # a batch that may have been written before changes nothing
    sink.close()
    return LineSums(engine)


def some(rng: Random) -> LineUsed:
    answered = rng.random() < 0.6
    return used(
        T0 + rng.uniform(0, 3 * HOUR_S),
        line=rng.choice(("carrier", "gateway")),
        region=rng.choice(("eu", "us")),
        direction=rng.choice(("out", "out", "in")),
        blame=rng.choice(("worked", "failed", "nothing")),
        answered=answered,
        dropped=answered and rng.random() < 0.1,
        pdd_s=rng.choice((None, rng.expovariate(0.5))),
        setup_s=rng.uniform(1, 9) if answered else None,
        talk_s=rng.uniform(1, 99) if answered else 0.0,
        mos=rng.uniform(1, 4.5) if answered else None,
        loss=rng.uniform(0, 0.1) if answered else None,
        jitter_ms=rng.uniform(0, 30) if answered else None,
    )


def cell(event: LineUsed) -> Cell:
    row = np.zeros(len(COLUMNS))
    decided = event.direction == "out" and event.blame != "nothing"
    row[AT["calls"]], row[AT["decided"]], row[AT["answered"]] = 1, decided, decided and event.answered
    row[AT["carried"]], row[AT["dropped"]] = event.answered, event.dropped
    row[AT["talk_s_n"]], row[AT["talk_s_sum"]] = event.answered, event.talk_s
    for name in ("pdd_s", "setup_s", "mos", "loss", "jitter_ms", "rtt_ms"):
        value = getattr(event, name)
        row[AT[f"{name}_n"]], row[AT[f"{name}_sum"]] = value is not None, value or 0.0
    for bound in PDD_S:
        row[AT[f"pdd_under_{bound:g}"]] = event.pdd_s is not None and event.pdd_s <= bound
    return Cell(event.line, event.region, int(event.began // HOUR_S), row)


def test_the_database_adds_up_as_one_would_by_hand(engine: Engine) -> None:
    rng = Random(4)
    events = [some(rng) for _ in range(300)]
    by = ("line", "region", "hour")
    expected = added(map(cell, events), by)
    found = added(written(engine, events).cells(T0, T0 + 4 * HOUR_S), by)
    assert found.keys() == expected.keys()
    for key, row in found.items():
        assert row == pytest.approx(expected[key]), key


def test_only_what_began_within_is_told(engine: Engine) -> None:
    sums = written(engine, [used(T0 - 1), used(T0), used(T0 + 9), used(T0 + 10)])
    (whole,) = added(sums.cells(T0, T0 + 10), ()).values()
    assert figures(whole).calls == 2


def test_what_is_paid_for_is_told_by_country_and_hour(engine: Engine) -> None:
    out = {"direction": "out", "destination": "34", "answered": True}
    events = [
        used(T0, **out, talk_s=60.0),
        used(T0 + 1, **out, talk_s=30.0),
        used(T0 + HOUR_S, **out, talk_s=10.0),
        used(T0 + 2, **out | {"destination": "44"}, talk_s=5.0),
        used(T0 + 3, **out | {"answered": False}),
        used(T0 + 4, **out | {"direction": "in"}, talk_s=9.0),
    ]
    found = written(engine, events).uses(T0, T0 + 2 * HOUR_S)
    assert sorted(found["carrier"], key=lambda use: (use.destination, use.at)) == [
        Use("34", HOUR * HOUR_S, 2, 90.0),
        Use("34", (HOUR + 1) * HOUR_S, 1, 10.0),
        Use("44", HOUR * HOUR_S, 1, 5.0),
    ]


def test_probes_and_calls_of_an_hour_come_to_one_report(engine: Engine) -> None:
    events = [
        used(mos=4.0),
        probed(delay_ms=120.0, mos=3.5),
        probed(T0 + 1, passed=False, fault="one-way audio"),
    ]
    cells = written(engine, events).cells(T0, T0 + HOUR_S)
    found = figures(added(cells, ("line", "hour"))["carrier", HOUR])
    assert (found.calls, found.probes, found.probes_passed) == (1, 2, 1)
    assert (found.mos, found.probe_mos, found.delay_ms) == (4.0, 3.5, 120.0)


def test_probes_come_newest_first_and_as_they_went(engine: Engine) -> None:
    events = [probed(T0 + n, line="gateway" if n % 2 else "carrier", mos=float(n)) for n in range(6)]
    sums = written(engine, events)
    assert sums.probes("carrier") == [events[4], events[2], events[0]]
    assert sums.newest(T0 + 1) == {"carrier": events[4], "gateway": events[5]}
