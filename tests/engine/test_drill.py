"""Reports of calls: what the database adds up is what adding one call after the other gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, insert

from engine.access.principal import Reach
from engine.api.tables import table_of
from engine.console.reports import FORMS, GROUPS
from engine.drill import OF_AGENTS, Ask, Dimension, Figures, Formula, Report, reported
from engine.events import AgentChanged, CallRecord, EndReason, Event, Side
from engine.latency import Latencies, Latency
from engine.speech_events import InterpreterSpoke
from engine.store import database, drill, migrate
from engine.store.drill import Drill, TooManyRows
from engine.store.rows import Line, encode, record_values
from engine.store.schema import call_records
from engine.store.sink import Sink
from engine.store.transcripts import Felt, Review, Transcripts
from tests.engine.store_samples import NODE, T0, record

HOUR = 3600.0
BASE = T0 // HOUR * HOUR  # a full hour
DAY = Ask(since=BASE, until=BASE + 24 * HOUR, by=(Dimension.QUEUE,))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Engine]:
    made = database.connect(f"sqlite:///{tmp_path}/isogloss.db")
    migrate.upgrade(made)
    yield made
    made.dispose()


def keep(store: Engine, *records: CallRecord) -> None:
    with store.begin() as connection:
        connection.execute(insert(call_records), [record_values(each) for each in records])


def note(store: Engine, *events: Event, seq: int = 0) -> None:
    """seq: of the event before."""
    sink = Sink(store)
    sink.write(
        [
            Line(NODE, number, each.at, each.call, each.kind, encode(each)[0])
            for number, each in enumerate(events, seq + 1)
        ]
    )
    sink.close()


def asked(store: Engine, ask: Ask = DAY, now: float = BASE + 24 * HOUR) -> Report:
    return reported(ask, Drill(store).cells(ask, now))


def call(id: str, at: float = BASE, **changes: object) -> CallRecord:
    """Answered after 10 s, talked for 100 s; it arrived `at`."""
    values: dict[str, Any] = {
        "offered_at": at,
        "answered_at": at + 0.5,
        "connected_at": at + 10.0,
        "ended_at": at + 110.0,
    }
    return record(id, **values | {"wait_s": 9.5, "talk_s": 100.0} | changes)


def lost(id: str, at: float = BASE, wait_s: float = 30.0, **changes: object) -> CallRecord:
    gone = {"connected_at": None, "ended_at": at + wait_s, "wait_s": wait_s, "talk_s": 0.0, "agent": ""}
    return call(id, at, **gone | {"reason": EndReason.ABANDONED} | changes)


def state(at: float, name: str, call: str = "", agent: str = "alice") -> AgentChanged:
    return AgentChanged(at=at, call=call, agent=agent, state=name, reason="")


def test_calls_are_counted_by_what_became_of_them(store: Engine) -> None:
    keep(store, call("a"), call("b", wait_s=25.0), lost("c"), lost("d", reason=EndReason.OVERFLOW_FAILED))
    (row,) = asked(store).rows
    figures = row.figures
    assert row.key == ("support",)
    assert (figures.offered, figures.answered, figures.abandoned) == (4, 2, 1)
    assert (figures.connect, figures.drop, figures.wait_s) == (0.5, 0.0, 17.25)


@pytest.mark.parametrize(
    ("formula", "level"),
    [(Formula.OF_HANDLED, 1 / 4), (Formula.OF_OFFERED, 1 / 5), (Formula.LESS_SHORT, 1 / 4)],
)
def test_a_service_level_is_reckoned_by_the_formula_asked_for(
    store: Engine, formula: Formula, level: float
) -> None:
    keep(store, call("a"), call("b", wait_s=25.0), lost("c", wait_s=5.0), lost("d"))
    keep(store, lost("e", reason=EndReason.OVERFLOW_FAILED), call("f", queue="", wait_s=0.0))
    assert asked(store, replace(DAY, formula=formula)).total.service_level == level
    longer = replace(DAY, formula=formula, threshold_s=25.0)
    assert asked(store, longer).total.service_level == pytest.approx(2 * level, rel=0.5)


def test_broken_off_and_sound_and_delay_are_told(store: Engine) -> None:
    heard: dict[str, Any] = {
        "customer_mos": 4.0,
        "customer_loss": 0.02,
        "customer_jitter_ms": 8.0,
        "post_dial_delay_s": 1.5,
    }
    broken = {"reason": EndReason.MEDIA_LOST, "ended_by": Side.ENGINE}
    keep(store, call("a", **heard), call("b", **heard | broken | {"customer_mos": 3.0}))
    figures = asked(store).total
    assert (figures.drop, figures.customer_mos, figures.customer_loss) == (0.5, 3.5, 0.02)
    assert (figures.customer_jitter_ms, figures.pdd_s) == (8.0, 1.5)


def test_what_was_made_up_is_a_share_of_what_was_heard(store: Engine) -> None:
    keep(store, call("a", customer_concealed_ms=2_000, agent_concealed_ms=None), call("b"))
    keep(store, call("c", customer_concealed_ms=None, agent_concealed_ms=None))
    both = [each for each in (call("b").customer_concealed_ms, call("b").agent_concealed_ms) if each]
    assert asked(store).total.concealed == pytest.approx(
        (2.0 + sum(both) / 1000) / (100.0 + 100.0 * _known(call("b"))), abs=1e-4
    )


def _known(record: CallRecord) -> int:
    return sum(each is not None for each in (record.customer_concealed_ms, record.agent_concealed_ms))


def test_any_two_dimensions_are_taken_together(store: Engine) -> None:
    keep(
        store,
        call("a", market="de", region="eu"),
        call("b", market="de", region="us"),
        call("c", market="es", region="eu"),
        call("d", market="es", region="eu"),
    )
    report = asked(store, replace(DAY, by=(Dimension.MARKET, Dimension.REGION)))
    assert [(row.key, row.figures.offered) for row in report.rows] == [
        (("de", "eu"), 1),
        (("de", "us"), 1),
        (("es", "eu"), 2),
    ]
    assert report.total.offered == 4


def test_a_line_is_one_that_is_known_and_not_a_strangers_address(store: Engine) -> None:
    keep(store, call("a", source="carrier"), call("b", source="192.0.2.7:5060"))
    ask = replace(DAY, by=(Dimension.LINE,), lines=("carrier", "other"))
    assert [row.key for row in asked(store, ask).rows] == [("",), ("carrier",)]
    only = replace(ask, only={Dimension.LINE: "carrier"})
    assert asked(store, only).total.offered == 1
    assert asked(store, replace(ask, lines=())).rows[0].key == ("",)


def test_days_are_those_of_the_zone(store: Engine) -> None:
    # T0 is 2025-10-09T08:53:20Z: its hour is 08 in UTC, 14:30 in part of an hour of Kolkata.
    keep(store, call("a", BASE), call("b", BASE + 0.75 * HOUR))
    hours = replace(DAY, by=(Dimension.HOUR,))
    assert [row.key for row in asked(store, hours).rows] == [("2025-10-09T08:00:00+00:00",)]
    kolkata = replace(hours, zone="Asia/Kolkata")
    assert [row.key[0] for row in asked(store, kolkata).rows] == [
        "2025-10-09T13:00:00+05:30",
        "2025-10-09T14:00:00+05:30",
    ]
    tokyo = replace(DAY, by=(Dimension.DAY, Dimension.HOUR_OF_DAY), zone="Pacific/Auckland")
    assert [row.key for row in asked(store, tokyo).rows] == [("2025-10-09", "21")]


def test_wrap_up_is_the_calls_that_was_talked_in_before(store: Engine) -> None:
    keep(store, call("a"), call("b", BASE + 300, queue="sales"))
    note(
        store,
        state(BASE, "available"),
        state(BASE + 5, "offered", "a"),
        state(BASE + 10, "talking", "a"),
        state(BASE + 110, "wrap_up"),
        state(BASE + 130, "available"),
    )
    rows = {row.key[0]: row.figures for row in asked(store).rows}
    assert (rows["support"].wrap_up_s, rows["sales"].wrap_up_s) == (20.0, 0.0)
    assert (rows["support"].handle_s, rows["sales"].handle_s) == (120.0, 100.0)


def test_an_agents_occupancy_is_cut_at_the_hours_and_at_the_end(store: Engine) -> None:
    note(
        store,
        state(BASE - HOUR, "available"),  # before anybody asked, and until half past
        state(BASE + 1800, "talking", "x"),
        state(BASE + HOUR + 1800, "paused"),
        state(BASE + 2 * HOUR, "available"),
        state(BASE, "talking", "y", agent="bob"),  # and still is
    )
    ask = replace(DAY, until=BASE + 3 * HOUR, by=(Dimension.AGENT, Dimension.HOUR))
    report = asked(store, ask, now=BASE + 2.5 * HOUR)
    got = {(row.key[0], row.key[1][11:13]): row.figures.occupancy for row in report.rows}
    assert got == {
        ("alice", "08"): 0.5,
        ("alice", "09"): 1.0,
        ("alice", "10"): 0.0,
        ("bob", "08"): 1.0,
        ("bob", "09"): 1.0,
        ("bob", "10"): 1.0,
    }
    one = replace(ask, by=(Dimension.AGENT,), only={Dimension.AGENT: "alice"})
    assert asked(store, one, now=BASE + 2.5 * HOUR).total.occupancy == pytest.approx(3600 / 7200, abs=0.1)
    assert asked(store, replace(ask, by=(Dimension.QUEUE,))).total.occupancy is None


def test_a_state_that_nothing_ended_is_believed_for_a_shift_only(store: Engine) -> None:
    note(store, state(BASE, "talking", "x"))
    ask = replace(DAY, by=(Dimension.AGENT,))
    cells = Drill(store).cells(ask, BASE + 24 * HOUR)
    assert sum(sums.get("busy_s", 0.0) for _, sums in cells) == drill.LONGEST_STATE_S


def test_moods_and_interpreters_delays_are_means_over_calls_that_have_them(store: Engine) -> None:
    keep(store, call("a"), call("b"), call("c"))
    note(
        store,
        InterpreterSpoke(at=BASE + 20, call="a", side="agent", seconds=2.0, lag_s=1.0),
        InterpreterSpoke(at=BASE + 30, call="a", side="customer", seconds=2.0, lag_s=2.0),
    )
    texts = Transcripts(store)
    for id, last in (("a", 0.5), ("b", -0.25)):
        texts.keep(Review(call=id, ended_at=BASE, moods={"customer": Felt(last=last, worst=-1.0)}), ())
    total = asked(store).total
    assert (total.lag_s, total.mood, total.offered) == (1.5, 0.125, 3)


def test_only_what_is_somebodys_to_see_is_added_up(store: Engine) -> None:
    keep(store, call("a", market="de"), call("b", market="es"), call("c", market="es", queue="sales"))
    people, served = frozenset({"alice"}), frozenset({"sales"})
    market = Reach(markets=frozenset({"es"}))
    team = Reach(agents=people, agents_of_calls=people, queues=served, queues_of_calls=served)
    assert asked(store, replace(DAY, within=market)).total.offered == 2
    assert asked(store, replace(DAY, within=team)).total.offered == 3
    keep(store, call("d", agent="carol"), call("e", agent="", queue="sales"), call("f", agent=""))
    assert asked(store, replace(DAY, within=team)).total.offered == 4
    assert asked(store, replace(DAY, only={Dimension.MARKET: "es"})).total.offered == 2


def test_calls_count_by_when_they_arrived(store: Engine) -> None:
    keep(store, call("a", BASE - 1), call("b", BASE), call("c", DAY.until - 1), call("d", DAY.until))
    assert asked(store).total.offered == 2


def test_a_report_has_a_bound(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drill, "MOST_ROWS", 2)
    keep(store, *(call(f"c{n}", queue=f"q{n}") for n in range(3)))
    with pytest.raises(TooManyRows):
        asked(store)


def by_hand(records: Sequence[CallRecord]) -> dict[tuple[str, str], tuple[int, int, int, float | None]]:
    found: dict[tuple[str, str], list[CallRecord]] = {}
    for each in records:
        found.setdefault((each.queue, each.agent), []).append(each)
    counted = {}
    for key, calls in found.items():
        answered = [each for each in calls if each.connected_at is not None]
        gone = [each for each in calls if each.reason is EndReason.ABANDONED]
        timely = [each for each in answered if each.wait_s <= 20.0]
        level = round(len(timely) / (len(answered) + len(gone)), 4) if answered or gone else None
        counted[key] = (len(calls), len(answered), len(gone), level)
    return counted


@pytest.mark.parametrize("seed", range(5))
def test_the_database_adds_up_what_one_call_after_the_other_does(store: Engine, seed: int) -> None:
    rng = Random(seed)
    records = []
    for n in range(300):
        at = BASE + rng.random() * 24 * HOUR
        queue, agent = rng.choice(("support", "sales")), rng.choice(("alice", "bob"))
        made = call(f"c{n}", at, queue=queue, agent=agent, wait_s=rng.choice((5.0, 20.0, 20.5, 90.0)))
        records.append(made if rng.random() < 0.7 else lost(f"c{n}", at, queue=queue))
    keep(store, *records)
    report = asked(store, replace(DAY, by=(Dimension.QUEUE, Dimension.AGENT)))
    told = {
        row.key: (
            row.figures.offered,
            row.figures.answered,
            row.figures.abandoned,
            row.figures.service_level,
        )
        for row in report.rows
    }
    assert told == by_hand(records)


def late(*seconds: float) -> Latencies | None:
    made = Latency()
    for each in seconds:
        made.add(each)
    return made.kept


def test_a_report_has_the_mean_of_every_text_and_the_share_of_all_calls_counts(store: Engine) -> None:
    keep(store, call("a", asr_latency=late(0.4), mt_latency=late(0.15, 0.25)))
    keep(store, call("b", asr_latency=late(*[1.0] * 19, 4.0)), call("c"))
    total = asked(store).total
    assert total.asr_latency_ms == pytest.approx((0.4 + 19.0 + 4.0) / 21 * 1000)
    assert total.asr_latency_p95_ms == pytest.approx(750 + 250 * (0.95 * 21 - 1) / 19, abs=0.1)
    assert (total.mt_latency_ms, total.mt_latency_p95_ms) == (200.0, 290.0)
    assert asked(store, replace(DAY, only={Dimension.QUEUE: "sales"})).total.asr_latency_ms is None


POSTS = {
    "alice": ({Dimension.QUEUE: "support", Dimension.MARKET: "de", Dimension.LANGUAGE: "de"},),
    "bob": (
        {Dimension.QUEUE: "support", Dimension.MARKET: "de", Dimension.LANGUAGE: "de"},
        {Dimension.QUEUE: "sales", Dimension.MARKET: "de", Dimension.LANGUAGE: "en"},
    ),
}


def test_a_queues_occupancy_is_that_of_all_who_serve_it_and_nobody_counts_twice_in_the_total(
    store: Engine,
) -> None:
    whole = state(BASE, "available", agent="bob")
    note(store, state(BASE, "talking", "x"), state(BASE + 900, "available"), whole)
    ask = replace(DAY, until=BASE + HOUR, by=(Dimension.QUEUE,), posts=POSTS)
    report = asked(store, ask)
    assert {row.key[0]: row.figures.occupancy for row in report.rows} == {"support": 0.125, "sales": 0.0}
    assert report.total.occupancy == 0.125
    by_market = asked(store, replace(ask, by=(Dimension.MARKET, Dimension.HOUR)))
    assert [(row.key[0], row.figures.occupancy) for row in by_market.rows] == [("de", 0.125)]
    english = asked(store, replace(ask, by=(Dimension.AGENT,), only={Dimension.LANGUAGE: "en"}))
    assert [(row.key, row.figures.occupancy) for row in english.rows] == [(("bob",), 0.0)]


# --- every figure by every dimension ------------------------------------------------------------------

FIGURES = tuple(each.name for each in fields(Figures))
PLACES = ({}, {"market": "es", "region": "us", "queue": "sales", "source": "other", "language": "es"})


def full(id: str, at: float, **changes: object) -> CallRecord:
    """A call of which everything is known."""
    sound: dict[str, Any] = {"customer_mos": 4.0, "agent_mos": 4.2, "customer_jitter_ms": 8.0}
    words = {"asr_latency": late(0.8), "mt_latency": late(0.2)}
    return call(id, at, **{"source": "carrier", **sound, **words, **changes})


def test_every_figure_is_told_by_every_dimension_where_it_has_a_meaning(store: Engine) -> None:
    texts = Transcripts(store)
    for number, place in enumerate(PLACES):
        agent, at, id = ("alice", "bob")[number], BASE + number * 26 * HOUR, f"c{number}"
        keep(store, full(id, at, agent=agent, node=f"n{number}", **place))
        keep(store, lost(f"gone{number}", at, **{"source": "carrier", "node": f"n{number}", **place}))
        talked = [state(at, "talking", id, agent), state(at + 90, "wrap_up", "", agent)]
        spoke = InterpreterSpoke(at=at + 20, call=id, side="agent", seconds=2.0, lag_s=1.5)
        note(store, *talked, state(at + 120, "available", "", agent), spoke, seq=number * 10)
        texts.keep(Review(call=id, ended_at=at, moods={"customer": Felt(last=0.5, worst=0.0)}), ())
    posts = {
        "alice": ({Dimension.QUEUE: "support", Dimension.MARKET: "de", Dimension.LANGUAGE: "de"},),
        "bob": ({Dimension.QUEUE: "sales", Dimension.MARKET: "es", Dimension.LANGUAGE: "es"},),
    }
    until, lines = BASE + 30 * HOUR, ("carrier", "other")
    for dimension in Dimension:
        ask = Ask(since=BASE, until=until, by=(dimension,), lines=lines, posts=posts)
        report = asked(store, ask, now=until)
        answered = [row for row in report.rows if row.figures.answered]
        assert len(answered) == (1 if dimension is Dimension.REASON else 2), dimension
        for row in answered:
            untold = {name for name in FIGURES if getattr(row.figures, name) is None}
            assert untold == (set() if dimension in OF_AGENTS else {"occupancy"}), row.key
        table = table_of(report).splitlines()
        assert table[0] == ",".join([dimension, *FIGURES]) and len(table) == 1 + len(report.rows)
        assert report.total.abandoned == 2


def test_every_figure_is_on_the_consoles_page_and_can_be_drawn() -> None:
    assert set(FORMS) == set(FIGURES) == {each for group in GROUPS.values() for each in group}
