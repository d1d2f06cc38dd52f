"""A day in the house: so many calls, what must be true at every step of them, and what must be left: nothing.

python -m tests.sim.story --calls 10000 --seeds 20 [--kill-worker] [--workers 3]
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import structlog

from engine.call import Call
from engine.events import EndReason
from engine.states import State
from routing.agent import AgentState
from tests.sim.house import SELDOM, House
from tests.sim.phones import AgentPhone, Customer, Desk
from tests.sim.world import Weather, World

AGENTS = 60
CALLS_PER_S = 4.0
WORKER_LIVES_S = 20.0
ADDRESSES_250 = 6  # customers have so many times 250 addresses
SCATTERED = 0.5  # of an agent's further calls, with several workers: they find no room near her first one
LAST_TALKS_S = 300.0  # in which calls in progress come to their end
SETTLE_S = 4000.0  # beyond the longest timer of a call whose phone vanished


@dataclass
class Outcome:
    """What a day came to."""

    calls: int
    reasons: Counter[str] = field(default_factory=Counter)
    connected: int = 0
    transfers: int = 0
    misses: int = 0
    workers_lost: int = 0
    moves: int = 0
    steps: int = 0


class Day:
    """One seeded day; `live` raises AssertionError when an invariant does not hold."""

    def __init__(
        self,
        seed: int,
        calls: int,
        folder: Path,
        *,
        loss: float = 0.05,
        kill_worker: bool = False,
        rtp_timeout_s: float = 0.0,
        workers: int = 1,
        ticks_in_one: int = 1,
    ) -> None:
        weather = Weather(delay=0.02, jitter=0.03, loss=loss, duplication=0.01, reordering=0.05)
        self.world = World(seed, weather)
        scattered = SCATTERED if workers > 1 else 0.0
        more = {"workers": workers, "scattered": scattered, "ticks_in_one": ticks_in_one}
        self.house = House(self.world, folder, AGENTS, rtp_timeout_s, **more)
        self.rng = Random(seed ^ 0x5EED)
        self.calls = calls
        self.kill_worker = kill_worker
        self.seen = 0
        self.world.after_step.append(self.check_step)
        names = [f"agent{n}" for n in range(AGENTS)]
        self.phones = [
            AgentPhone(self.world, f"10.2.0.{n + 1}", Random(seed * 1000 + n), name, names)
            for n, name in enumerate(names)
        ]
        self.desk = Desk(self.world, "10.9.0.1", Random(seed))

    def live(self) -> Outcome:
        world = self.world
        for n, phone in enumerate(self.phones):
            world.after(0.1 * n, phone.register)
            world.after(30 + 10 * n, phone.break_time)
        when = 10.0
        for n in range(self.calls):
            when += self.rng.expovariate(CALLS_PER_S)
            world.after(when, lambda n=n: self.new_customer(n))
        if self.kill_worker:
            lives = 10.0
            while (lives := lives + self.rng.expovariate(1 / WORKER_LIVES_S)) < when:
                world.after(lives, self.house.kill_worker)
        world.run(world.now + when)
        self.close()
        return self.outcome()

    def new_customer(self, n: int) -> None:
        """A phone at the next address; one that vanished there has been switched on again."""
        address = f"10.1.{n // 250 % ADDRESSES_250}.{n % 250 + 1}"
        before = self.world.hosts.get((address, 5060))
        if before is None or not before.up or not before.agent.counts()["sessions"]:
            Customer(self.world, address, Random(self.rng.getrandbits(64))).begin()

    def close(self) -> None:
        """No new calls: everything that is left must come to its end by itself."""
        for phone in self.phones:
            phone.break_time = lambda: None  # type: ignore[method-assign]
        self.world.run(self.world.now + LAST_TALKS_S)
        self.house.ticks_in_one = SELDOM  # what is left are calls of phones that vanished, and nobody listens
        self.world.run(self.world.now + SETTLE_S)
        self.check_end()

    # --- what must be true --------------------------------------------------------------------------

    def check_step(self) -> None:
        """After every step that changed something, and after every twentieth whatever it did."""
        events = self.house.ledger.events
        if events == self.seen and self.world.steps % 20:
            return
        self.seen = events
        acd = self.house.switch.acd
        for queue in acd.queues.values():
            if queue.head is not None:
                idle = [each.name for each in acd.agents.values() if each.free and queue.name in each.queues]
                assert not idle, f"{idle} idle while {queue.head.call} waits in {queue.name}"
        if self.world.steps % 50 == 0:
            self.check_calls(self.house.switch.calls)

    def check_calls(self, calls: dict) -> None:  # type: ignore[type-arg]
        acd = self.house.switch.acd
        serving = Counter(
            leg.agent
            for call in calls.values()
            if call.state is not State.ENDING and call.queue is not None
            for leg in call.legs
            if leg.agent and leg is call.party
        )
        twice = [name for name, count in serving.items() if count > 1]
        assert not twice, f"{twice} serve two queue calls"
        for name in acd.agents:
            for call in acd.calls_of(name):
                assert call in calls, f"{name} is kept busy by {call}, which is over"
        for call in calls.values():
            self.check_workers(call)
            assert call.state is not State.ENDED, f"{call.id} is over and still there"
            if call.state in (State.QUEUED, State.OFFERED):
                assert acd.queues[call.queue.name].position(call.id), f"{call.id} waits without a place"

    @staticmethod
    def check_workers(call: Call) -> None:
        """Those who talk are in one worker."""
        if call.state in (State.TALKING, State.HELD):
            assert call.customer.worker == call.party.worker, f"{call.id} talks between two workers"

    def check_end(self) -> None:
        house, switch = self.house, self.house.switch
        ledger = house.ledger
        assert not switch.calls, f"calls left: {[(c.id, c.state) for c in switch.calls.values()][:5]}"
        assert ledger.arrived == set(ledger.records), "every call has exactly one record"
        assert not switch.sessions, f"sessions left: {len(switch.sessions)}"
        assert not switch.legs, f"legs left: {len(switch.legs)}"
        assert switch.timers.live == 0, f"timers left: {switch.timers.live}"
        for queue in switch.acd.queues.values():
            assert not queue.places, f"places left in {queue.name}"
        for agent in switch.acd.agents.values():
            assert agent.state not in (AgentState.TALKING, AgentState.OFFERED, AgentState.WRAP_UP), agent
            assert not switch.acd.calls_of(agent.name), agent
        for worker in house.living:
            assert worker.control.idle, "media legs left"
            assert worker.network.free == worker.ports, "ports left"
        counts = {name: count for name, count in house.agent.counts().items() if count and name != "dropped"}
        assert not counts, f"left in the SIP stack: {counts}"

    def outcome(self) -> Outcome:
        records = self.house.ledger.records.values()
        assert all(record.reason is not EndReason.FAULT for record in records), "an engine fault"
        return Outcome(
            calls=len(records),
            reasons=Counter(str(record.reason) for record in records),
            connected=sum(record.connected_at is not None for record in records),
            transfers=sum(record.transfers for record in records),
            misses=sum(record.misses for record in records),
            workers_lost=self.house.lost_workers,
            moves=self.house.moves,
            steps=self.world.steps,
        )


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Many calls on a virtual clock; invariants checked at every step."
    )
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--loss", type=float, default=0.05)
    parser.add_argument("--kill-worker", action="store_true")
    parser.add_argument("--workers", type=int, default=1, help="media workers of the node")
    parser.add_argument("--ticks-in-one", type=int, default=1, help="media ticks that are one: sooner done")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        began = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            day = Day(
                seed, options.calls, Path(folder), loss=options.loss, kill_worker=options.kill_worker,
                workers=options.workers, ticks_in_one=options.ticks_in_one,
            )  # fmt: skip
            outcome = day.live()
        print(f"seed {seed}: {outcome} in {time.process_time() - began:.0f} s of CPU", flush=True)
    print(f"{options.seeds} seeds, every invariant held")
    return 0


if __name__ == "__main__":
    sys.exit(main())
