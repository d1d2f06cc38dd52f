"""When the worker drains and ticks, also when it is late; NTP timestamps."""

from __future__ import annotations

from media.clock import Schedule, ntp, ntp_middle


def turns(schedule: Schedule, start: float, end: float, step: float = 0.001) -> list[tuple[float, int]]:
    ticks = []
    now = start
    while now < end:
        schedule.drain_due(now)
        skipped = schedule.tick_due(now)
        if skipped is not None:
            ticks.append((now, skipped))
        now += step
    return ticks


def test_a_second_on_time_is_fifty_ticks():
    assert len(turns(Schedule(5.0), 5.0, 6.0 - 0.0005)) == 50


def test_ticks_a_little_late_are_made_up_for():
    schedule = Schedule(5.0)
    assert schedule.tick_due(5.0) == 0
    late = 5.0 + 0.059
    assert [schedule.tick_due(late), schedule.tick_due(late), schedule.tick_due(late)] == [0, 0, None]


def test_ticks_far_too_late_are_skipped_and_counted():
    schedule = Schedule(5.0)
    schedule.tick_due(5.0)
    assert schedule.tick_due(5.5) == 24
    assert schedule.tick_due(5.5) is None and schedule.skipped == 24
    assert schedule.tick_due(5.521) == 0


def test_missed_drains_are_not_made_up_for():
    schedule = Schedule(5.0)
    assert schedule.drain_due(5.1)
    assert not schedule.drain_due(5.1)


def test_drains_come_closer_where_packets_are_dense_and_part_again():
    schedule = Schedule(5.0)
    gaps = []
    for packets in (50, 125, 250, 75, 75, 74, 10, 10):
        before = schedule.next_drain
        schedule.drain_due(before)
        schedule.drained(packets)
        gaps.append(round((schedule.next_drain - before) * 1000))
    assert gaps == [5, 5, 3, 3, 3, 3, 5, 5]


def test_waiting_ends_with_whatever_is_due_first():
    schedule = Schedule(5.0)
    schedule.drain_due(5.0)
    schedule.tick_due(5.0)
    assert abs(schedule.wait(5.001) - 0.004) < 1e-9
    assert schedule.wait(6.0) == 0.0


def test_ntp_counts_from_1900_in_fractions_of_2_to_the_32():
    assert ntp(0.0) >> 32 == 2_208_988_800
    assert ntp(0.5) & 0xFFFFFFFF == 1 << 31
    assert ntp_middle(0.25) & 0xFFFF == 1 << 14


def notes(schedule: Schedule, packets: int) -> list[bool]:
    """Of a tick's four drains, which were left out; `packets` come in that time."""
    left_out = []
    for _ in range(4):
        schedule.drain_due(schedule.next_drain)
        left_out.append(schedule.rests())
        if not left_out[-1]:
            schedule.drained(packets // left_out.count(False))
    schedule.tick_due(schedule.next_tick)
    return left_out


def test_drains_are_left_out_up_to_the_tick_s_while_few_packets_come():
    schedule = Schedule(5.0)
    schedule.drain_due(5.0)
    schedule.tick_due(5.0)
    assert not schedule.rests()
    schedule.drained(2)
    assert [notes(schedule, packets) for packets in (10, 159)] == [[True, True, True, False]] * 2
    assert notes(schedule, 160) == [True, True, True, False]
    assert notes(schedule, 160)[:2] == [False, False]


def test_a_drain_that_is_due_shortly_before_the_tick_is_the_tick_s():
    schedule = Schedule(5.0)
    schedule.tick_due(5.0)
    schedule.drain_due(5.013)
    schedule.drained(1)
    schedule.drain_due(5.018)
    assert not schedule.rests()
