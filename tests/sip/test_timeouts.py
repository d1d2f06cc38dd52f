"""The heap that every timer of the stack lives in."""

from __future__ import annotations

from random import Random

from sip.timeouts import Timeout, Timeouts


class Clock:
    def __init__(self) -> None:
        self.timeouts = Timeouts()
        self.fired: list[tuple[str, float]] = []
        self.to_cancel: Timeout | None = None

    def fire(self, name: str, now: float) -> None:
        self.fired.append((name, now))
        self.timeouts.cancel(self.to_cancel)


def test_timers_fire_in_the_order_of_their_times_and_then_of_their_start():
    clock = Clock()
    for at, name in ((2.0, "late"), (1.0, "first"), (1.0, "second"), (9.0, "never")):
        clock.timeouts.start(at, clock, name)
    clock.timeouts.run(2.0)
    assert clock.fired == [("first", 2.0), ("second", 2.0), ("late", 2.0)]
    assert clock.timeouts.next() == 9.0
    assert len(clock.timeouts) == 1


def test_a_cancelled_timer_never_fires_and_may_be_cancelled_again():
    clock = Clock()
    timeout = clock.timeouts.start(1.0, clock, "gone")
    for _ in range(3):
        clock.timeouts.cancel(timeout)
    clock.timeouts.cancel(None)
    assert clock.timeouts.next() is None
    clock.timeouts.run(5.0)
    assert clock.fired == []
    assert len(clock.timeouts) == 0


def test_a_timer_cancelled_by_another_of_the_same_instant_does_not_fire():
    clock = Clock()
    clock.timeouts.start(1.0, clock, "one")
    clock.to_cancel = clock.timeouts.start(1.0, clock, "other")
    clock.timeouts.run(1.0)
    assert [name for name, _ in clock.fired] == ["one"]


def test_cancelled_timers_are_swept_when_they_outnumber_the_living():
    clock, rng = Clock(), Random(1)
    running = [clock.timeouts.start(rng.random() * 100, clock, str(n)) for n in range(10_000)]
    for timeout in running[:9_900]:
        clock.timeouts.cancel(timeout)
    assert len(clock.timeouts) == 100
    assert len(clock.timeouts._heap) < 300
    clock.timeouts.run(100.0)
    assert len(clock.fired) == 100
