"""A leg's samples: counts of their own time, bounded however long the call is."""

from __future__ import annotations

from itertools import pairwise

from engine.insight.series import MOST, Series, totals
from media.messages import LegStats


def stats(number: int, **changes: object) -> LegStats:
    made: dict[str, object] = {
        "codec": "PCMA", "sent": 250 * number, "received": 240 * number, "lost": 10 * number, "late": number,
        "concealed_ms": 100 * number, "jitter_ms": 3.0, "mos_now": 4.0, "remote_lost": 5 * number,
    }  # fmt: skip
    return LegStats(1, **{**made, **changes})  # type: ignore[arg-type]


def test_counts_are_of_the_time_since_the_sample_before() -> None:
    series = Series(1, "customer")
    for number in (1, 2, 3):
        series.add(stats(number), 5.0 * number)
    assert [(each.at, each.seconds) for each in series.whole()] == [(5.0, 5.0), (10.0, 5.0), (15.0, 5.0)]
    for each in series.whole():
        assert (each.sent, each.received, each.lost, each.late) == (250, 240, 10, 1)
        assert (each.concealed_ms, each.lost_there, each.loss) == (100, 5, 0.04)


def test_a_leg_that_begins_anew_has_no_negative_counts() -> None:
    series = Series(1, "customer")
    series.add(stats(9), 5.0)
    series.add(stats(1, remote_lost=None), 10.0)
    assert all(value >= 0 for value in series.whole()[1] if isinstance(value, int | float))


def test_a_call_of_a_day_has_no_more_samples_than_one_of_an_hour() -> None:
    series, ticks = Series(1, "customer"), 17_280
    for number in range(1, ticks + 1):
        series.add(stats(number, mos_now=1.5 if number == 7000 else 4.0), 5.0 * number)
    samples = series.whole()
    assert MOST // 2 <= len(samples) <= MOST
    whole = totals(samples)
    assert whole is not None
    assert (whole.received, whole.lost, whole.sent) == (240 * ticks, 10 * ticks, 250 * ticks)
    assert round(sum(each.seconds for each in samples)) == round(whole.seconds) == 5 * ticks
    assert [each.mos for each in samples].count(1.5) == 1, "the worst moment is still there"
    assert all(before.at < after.at for before, after in pairwise(samples))


def test_where_nothing_came_nothing_is_made_up() -> None:
    series = Series(1, "agent")
    series.add(LegStats(1), 5.0)
    (sample,) = series.whole()
    assert (sample.loss, sample.mos, sample.rtt_ms, sample.level_db) == (None, None, None, None)
    assert totals([]) is None
