"""One snapshot a second for all who look, and none while nobody does."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from engine.console.door import Principal
from engine.console.pulse import TURN_S, Moment, Pulse
from engine.console.snapshot import Snapshot
from tests.engine.console.looks import VIEWER, snapshot

SHOWN = snapshot()


class Watcher:
    def __init__(self, faulty: bool = False, who: Principal = VIEWER) -> None:
        self.seen: list[int] = []
        self.faulty, self.who = faulty, who

    def beat(self, moment: Moment) -> None:
        self.seen.append(moment.of(self.who).serial)
        if self.faulty:
            raise ValueError("cannot be drawn")


class Beats:
    """A pulse whose seconds pass when the test says so."""

    def __init__(self) -> None:
        self.taken = 0
        self.now = 0.0
        self.slept: list[float] = []
        self.passed = asyncio.Event()
        self.pulse = Pulse(self.take, self.sleep, lambda: self.now)

    def take(self, serial: int, who: Principal) -> Snapshot:
        self.taken += 1
        return replace(SHOWN, serial=serial)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        await self.passed.wait()
        self.passed.clear()

    async def second(self) -> None:
        self.passed.set()
        for _ in range(64):
            await asyncio.sleep(0)


def test_all_who_look_share_a_snapshot() -> None:
    async def story() -> None:
        beats, watchers = Beats(), [Watcher() for _ in range(3)]
        for each in watchers:
            beats.pulse.join(each)
        await beats.second()
        await beats.second()
        assert beats.taken == 2 and [each.seen for each in watchers] == [[1, 2]] * 3
        assert beats.slept == [1.0] * 3
        for each in watchers:
            beats.pulse.leave(each)

    asyncio.run(story())


def test_who_may_see_something_else_has_a_snapshot_of_her_own() -> None:
    async def story() -> None:
        beats = Beats()
        scopes = ("", "", "market fr", "market fr", "team two")
        watchers = [Watcher(who=replace(VIEWER, scope=scope)) for scope in scopes]
        for each in watchers:
            beats.pulse.join(each)
        await beats.second()
        assert beats.taken == 3
        for each in watchers:
            beats.pulse.leave(each)

    asyncio.run(story())


def test_nothing_is_taken_while_nobody_looks() -> None:
    async def story() -> None:
        beats, watcher = Beats(), Watcher()
        await beats.second()
        assert beats.taken == 0
        beats.pulse.join(watcher)
        await beats.second()
        beats.pulse.leave(watcher)
        await beats.second()
        assert (beats.taken, len(beats.pulse)) == (1, 0)
        beats.pulse.join(watcher)
        await beats.second()
        assert watcher.seen == [1, 2]
        beats.pulse.leave(watcher)

    asyncio.run(story())


def test_a_page_that_cannot_be_drawn_takes_no_other_along() -> None:
    async def story() -> None:
        beats, faulty, well = Beats(), Watcher(faulty=True), Watcher()
        beats.pulse.join(faulty)
        beats.pulse.join(well)
        await beats.second()
        await beats.second()
        assert (faulty.seen, well.seen) == ([1], [1, 2])
        beats.pulse.leave(well)

    asyncio.run(story())


def test_what_is_now_is_what_was_taken_last() -> None:
    async def story() -> None:
        beats, watcher = Beats(), Watcher()
        beats.pulse.join(watcher)
        await beats.second()
        assert beats.pulse.now().of(VIEWER) is beats.pulse.now().of(VIEWER) and beats.taken == 1
        beats.pulse.leave(watcher)

    asyncio.run(story())


@pytest.mark.parametrize(
    ("drawn_s", "turns", "slept_s"), [(0.00101, 10, 0.96), (0.01, 40, 0.6), (0.5, 40, 0.2)]
)
def test_signalling_waits_for_some_of_many_pages_and_never_for_all(
    drawn_s: float, turns: int, slept_s: float
) -> None:
    async def story() -> None:
        beats, between = Beats(), 0
        drawn: list[int] = []

        class Slow(Watcher):
            def beat(self, moment: Moment) -> None:
                super().beat(moment)
                beats.now += drawn_s
                drawn.append(between)

        async def others() -> None:
            nonlocal between
            while True:
                between += 1
                await asyncio.sleep(0)

        watchers = [Slow() for _ in range(40)]
        for each in watchers:
            beats.pulse.join(each)
        signalling = asyncio.create_task(others())
        await beats.second()
        signalling.cancel()
        assert [each.seen for each in watchers] == [[1]] * 40
        assert len(set(drawn)) == turns
        assert beats.slept == [1.0, slept_s]
        for each in watchers:
            beats.pulse.leave(each)

    asyncio.run(story())


def test_a_page_that_is_left_while_others_are_drawn_is_drawn_no_more() -> None:
    async def story() -> None:
        beats, late = Beats(), Watcher()

        class Slow(Watcher):
            def beat(self, moment: Moment) -> None:
                super().beat(moment)
                beats.now += TURN_S
                asyncio.get_running_loop().call_soon(beats.pulse.leave, late)

        slow = Slow()
        beats.pulse.join(slow)
        beats.pulse.join(late)
        await beats.second()
        assert (slow.seen, late.seen, len(beats.pulse)) == ([1], [], 1)
        beats.pulse.leave(slow)

    asyncio.run(story())
