"""What calls came to lately: counted by the minute, let go of after a quarter of an hour."""

from __future__ import annotations

import pytest

from engine import recent
from engine.events import EndReason
from engine.recent import MINUTES, Recent
from engine.recent_views import RecentView
from routing.response import Blame
from tests.engine.store_samples import ended, record
from tests.engine.test_line_sums import used


class Hands:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Hands:
    return Hands()


def of_queue(name: str = "support", **counts: int) -> RecentView:
    return RecentView(kind="queue", name=name, **counts)


def test_a_queues_calls_are_told_by_what_became_of_them(clock: Hands) -> None:
    made = Recent(clock)
    good = {"customer_mos": 4.2, "agent_mos": 4.3, "customer_loss": 0.0, "agent_loss": 0.0}
    unheard = dict.fromkeys(good)
    for item in (
        record(**good),
        record(**good | {"agent_mos": 2.0}, reason=EndReason.MEDIA_LOST),
        record(**good | {"customer_loss": 0.2}),
        record(**unheard, connected_at=None, reason=EndReason.ABANDONED),
        record(**unheard, connected_at=None, reason=EndReason.FAULT),  # nothing broke off that was not
        record(queue=""),
        ended(),
    ):
        made.notice(item)
    assert made.told() == (of_queue(calls=5, answered=3, dropped=1, heard=3, poor=2),)


def test_a_lines_calls_count_where_they_say_something_of_the_line(clock: Hands) -> None:
    made = Recent(clock)
    blamed, innocent = next(each for each in Blame if each is not Blame.NOTHING), Blame.NOTHING
    made.notice(used(line="l", answered=True, dropped=False, blame=str(innocent), mos=4.0, loss=0.0))
    made.notice(used(line="l", answered=True, dropped=True, blame=str(innocent), mos=2.0, loss=0.0))
    made.notice(used(line="l", answered=False, dropped=False, blame=str(blamed), mos=None, loss=None))
    made.notice(used(line="l", answered=False, dropped=False, blame=str(innocent)))  # a wrong number
    (found,) = made.told()
    assert found == RecentView(kind="line", name="l", calls=3, answered=2, dropped=1, heard=2, poor=1)


def test_what_is_older_than_a_quarter_of_an_hour_is_told_no_more(clock: Hands) -> None:
    made = Recent(clock)
    for minute in range(40):
        clock.now = minute * 60.0 + 7.0
        made.notice(record())
        assert made.told()[0].calls == min(minute + 1, MINUTES)
    clock.now += (MINUTES - 1) * 60.0
    assert made.told()[0].calls == 1
    clock.now += 60.0
    assert made.told() == ()


def test_names_have_an_end(clock: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "MOST_NAMES", 2)
    made = Recent(clock)
    for name in ("a", "b", "c"):
        made.notice(record(queue=name))
    assert [each.name for each in made.told()] == ["a", "b"]
