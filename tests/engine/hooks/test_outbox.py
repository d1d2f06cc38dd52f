"""The outbox keeps a hook's letters within bounds and within their time, whatever becomes of other hooks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from engine.hooks.courier import DEAD_DAYS
from engine.store.outbox import DAY_S, TOO_LATE, TOO_MANY, Failed
from engine.views import Health
from tests.engine.hooks.test_courier import OK, Bench, hook, status, story
from tests.engine.store_samples import T0

NOBODY = "http://127.0.0.1:9/"  # where nobody listens


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.store.dispose()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five letters of a hook may wait, and five be put aside."""
    monkeypatch.setattr("engine.store.outbox.MOST_WAITING", 5)
    monkeypatch.setattr("engine.store.outbox.MOST_ASIDE", 5)
    monkeypatch.setattr("engine.store.outbox.READ", 5)


def test_a_hook_whose_target_is_dead_stops_no_other(bench: Bench, few: None) -> None:
    bench.hooks["erp"] = hook("erp", NOBODY)
    for n in range(4):
        bench.happens(*story(f"c{n}"))
        receiver = bench.one_round(lambda _: OK)
        assert [event["subject"] for event in receiver.events] == [f"c{n}"] * 5
    assert bench.outbox.waiting()["erp"].waiting == 5 and "crm" not in bench.outbox.waiting()


def test_of_too_many_the_oldest_are_put_aside_and_may_be_replayed(bench: Bench, few: None) -> None:
    bench.happens(*story("c1"), *story("c2"))
    bench.one_round(lambda _: status(503))
    assert [(letter.call, letter.error) for letter in bench.outbox.dead("crm")] == [("c1", TOO_MANY)] * 5
    assert bench.courier.check().detail == "5 events for crm were put aside"
    bench.now += DAY_S / 24
    receiver = bench.one_round(lambda _: OK)
    assert [event["subject"] for event in receiver.events] == ["c2"] * 5
    assert bench.outbox.replay("crm", None, bench.now, bench.now + DAY_S) == 5
    receiver = bench.one_round(lambda _: OK)
    assert [event["subject"] for event in receiver.events] == ["c1"] * 5
    assert bench.outbox.waiting() == {} and bench.courier.check().status is Health.OK


def test_what_is_put_aside_is_bounded_too_and_what_is_dropped_is_told(bench: Bench, few: None) -> None:
    bench.happens(*story("c1"), *story("c2"), *story("c3"))
    with capture_logs() as logs:
        bench.one_round(lambda _: status(503))
    assert {letter.call for letter in bench.outbox.dead("crm")} == {"c2"}
    assert bench.courier.check().detail == "5 events for crm were put aside, 5 older ones dropped"
    told = [(line["hook"], line["events"], line["why"]) for line in logs if "events" in line]
    assert told == [("crm", 5, TOO_MANY)] * 3  # c1 aside, c2 aside, c1 dropped


def test_room_is_made_for_a_hundredth_at_a_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.store.outbox.MOST_WAITING", 200)
    bench.hooks["crm"] = hook(url=NOBODY)
    for n in range(41):
        bench.happens(*story(f"c{n}"))
    bench.round()
    assert (bench.outbox.waiting()["crm"].waiting, bench.outbox.waiting()["crm"].dead) == (198, 7)


def test_what_was_never_tried_is_put_aside_when_its_time_is_over(bench: Bench) -> None:
    bench.happens(*story("c1"), *story("c2"))
    bench.one_round(lambda _: status(503))  # one of each call
    bench.now = T0 + 3 * DAY_S - 60.0
    assert bench.outbox.clean(bench.now, 0.0) == []
    bench.now = T0 + 3 * DAY_S + 60.0
    (given_up,) = bench.outbox.clean(bench.now, 0.0)
    assert (given_up.hook, given_up.events, given_up.dropped) == ("crm", 10, False)
    errors = [letter.error for letter in bench.outbox.dead("crm")]
    assert (errors.count("answered 503"), errors.count(TOO_LATE)) == (2, 8)


@pytest.mark.parametrize("removed", [True, False])
def test_what_waits_for_a_hook_that_is_gone_or_disabled_does_not_wait_for_ever(
    bench: Bench, removed: bool
) -> None:
    bench.hooks["erp"] = hook("erp", NOBODY)
    bench.happens(*story("c1"))
    bench.one_round(lambda _: OK)
    if removed:
        del bench.hooks["erp"]
    else:
        bench.hooks["erp"] = hook("erp", NOBODY, enabled=False)
    bench.now += 3 * DAY_S
    with capture_logs() as logs:
        bench.one_round(lambda _: OK)
    assert (bench.outbox.waiting()["erp"].waiting, bench.outbox.waiting()["erp"].dead) == (0, 5)
    (line,) = [line for line in logs if "events" in line]
    assert (line["hook"], line["events"], line["why"]) == ("erp", 5, TOO_LATE)
    bench.now += DEAD_DAYS * DAY_S
    bench.one_round(lambda _: OK)
    assert bench.outbox.waiting() == {}


def test_what_is_put_aside_late_is_kept_as_long_as_what_is_put_aside_soon(bench: Bench) -> None:
    bench.happens(story("c1")[0])
    bench.one_round(lambda _: status(410), keep_days=30)
    bench.now = T0 + 30 * DAY_S + 60.0
    bench.one_round(lambda _: status(410), keep_days=30)
    bench.now += DAY_S
    bench.one_round(lambda _: status(410), keep_days=30)
    assert len(bench.outbox.dead("crm")) == 1


def test_what_comes_out_of_the_journal_after_its_time_is_put_aside_and_not_lost(bench: Bench) -> None:
    bench.happens(*story("c1"))
    bench.now = T0 + 4 * DAY_S
    assert bench.one_round(lambda _: OK).got == []
    assert [letter.error for letter in bench.outbox.dead("crm")] == [TOO_LATE] * 5


def test_a_letter_that_is_put_aside_while_it_is_sent_is_told_or_stays_aside(bench: Bench) -> None:
    bench.happens(*story("c1"), *story("c2"))
    bench.hooks["crm"] = hook(url=NOBODY)
    bench.outbox.fill(bench.hooks, bench.now)
    taken, refused = bench.outbox.due("crm", bench.now, 8)
    bench.outbox.clean(T0 + 4 * DAY_S, 0.0)
    bench.outbox.settle([taken], [Failed(refused, "answered 503", bench.now)])
    assert (bench.outbox.waiting()["crm"].waiting, bench.outbox.waiting()["crm"].dead) == (0, 9)
