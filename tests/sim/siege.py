"""A day on a street whose houses are killed, cut off from the store and started again, under their calls.

python -m tests.sim.siege --calls 400 --seeds 20
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

from engine.events import EndReason
from routing.agent import AgentState
from tests.sim.house import SELDOM
from tests.sim.phones import AgentPhone, Customer, Desk
from tests.sim.street import Neighbour, Street
from tests.sim.world import Weather, World

NAMES = ("a", "b", "c")
AGENTS = 12
CALLS_PER_S = 2.0
LIVES_S = 8.0  # of a house, on average
AWAY_S = (0.5, 30.0)  # until it is started again
FEW = 5  # ticks of the media in one
LAST_S = 300.0  # in which calls in progress come to their end
SETTLE_S = 4000.0
WRITTEN_S = 0.1  # after which what happened to a call is in the store: 20 ms, and its way
FAILED = frozenset({EndReason.NODE_LOST, EndReason.NOT_ACCEPTABLE, EndReason.FAULT})


@dataclass
class Outcome:
    """What a day came to. taken: calls that went on at another house. lost: that nobody went on with."""

    calls: int
    kills: int
    cuts: int
    taken: int
    lost: int
    reasons: Counter[str] = field(default_factory=Counter)


class Siege:
    """One seeded day; `live` raises AssertionError when an invariant does not hold."""

    def __init__(self, seed: int, calls: int, folder: Path, *, loss: float = 0.02) -> None:
        weather = Weather(delay=0.02, jitter=0.03, loss=loss, duplication=0.01, reordering=0.02)
        self.world = World(seed, weather)
        self.rng = Random(seed ^ 0x51E6E)
        self.street = Street(self.world, folder, NAMES, AGENTS, ticks_in_one=FEW)
        self.calls, self.kills, self.cuts, self.taken, self.seen = calls, 0, 0, 0, 0
        names = [f"agent{n}" for n in range(AGENTS)]
        self.phones = [
            AgentPhone(self.world, f"10.2.0.{n + 1}", Random(seed * 1000 + n), name, names)
            for n, name in enumerate(names)
        ]
        self.answered: set[str] = set()  # calls that were when their house died, and in the store
        self.known: set[str] = set()  # all that were in the store then
        self.desk = Desk(self.world, "10.9.0.1", Random(seed))
        self.world.after_step.append(self.check_step)

    def live(self) -> Outcome:
        world, rng = self.world, self.rng
        for n, phone in enumerate(self.phones):
            world.after(0.1 * n, lambda phone=phone: self.comes_to_work(phone))
        when = 5.0
        for n in range(self.calls):
            when += rng.expovariate(CALLS_PER_S)
            world.after(when, lambda n=n: self.new_customer(n))
        begins = 10.0
        while (begins := begins + rng.expovariate(1 / LIVES_S)) < when:
            world.after(begins, self.kill if rng.random() < 0.7 else self.cut)
        world.run(world.now + when)
        return self.close()

    # --- what people do -----------------------------------------------------------------------------

    def comes_to_work(self, phone: AgentPhone) -> None:
        """Registers wherever somebody answers, time and again."""
        phone.house = self.rng.choice(self.street.living).hop
        phone.register()
        self.world.after(self.rng.uniform(20, 40), lambda: self.comes_to_work(phone))

    def new_customer(self, n: int) -> None:
        customer = Customer(self.world, f"10.1.{n // 250}.{n % 250 + 1}", Random(self.rng.getrandbits(64)))
        customer.house = self.rng.choice(self.street.living).hop
        customer.begin()

    # --- what befalls houses ------------------------------------------------------------------------

    def kill(self) -> None:
        if len(self.street.living) < 2:
            return
        victim = self.rng.choice(self.street.living)
        self.kills += 1
        self.taken += victim.heritage.calls.taken
        self.witness(victim)
        self.street.kill(victim.name)
        self.world.after(self.rng.uniform(*AWAY_S), lambda: self.back(victim))

    def witness(self, victim: Neighbour) -> None:
        """What others must go on with: whatever has been so for a moment at a house that has the store."""
        since = self.world.now - WRITTEN_S
        if not victim.store.up or victim.mended_at > since:
            return
        for call in victim.calls.values():
            if call.clocks.arrived < since:
                self.known.add(call.id)
            if call.clocks.answered is not None and call.clocks.answered < since:
                self.answered.add(call.id)

    def back(self, victim: Neighbour) -> None:
        if self.street.houses[victim.name] is victim:
            self.street.restart(victim.name)

    def cut(self) -> None:
        """A house loses the store and everybody's sight, and lives: it is taken for dead."""
        if len(self.street.living) < 2:
            return
        self.cuts += 1
        victim = self.rng.choice(self.street.living)
        victim.store.cut(self.world.now)
        self.street.is_missed(victim)
        self.world.after(self.rng.uniform(0.5, 10.0), lambda: self.mend(victim))

    def mend(self, victim: Neighbour) -> None:
        if not victim.down:
            victim.mended_at = self.world.now
            victim.store.mend(self.world.now)
            victim.house.host.pump()
            for other in self.street.living:
                if other is not victim:
                    self.street.sees_again(other, victim)

    # --- what must be true --------------------------------------------------------------------------

    def check_step(self) -> None:
        if self.world.steps % 200 == 0:
            self.street.records()

    def close(self) -> Outcome:
        """No new calls: everything that is left must come to its end by itself."""
        for phone in self.phones:
            phone.break_time = lambda: None  # type: ignore[method-assign]
        self.world.run(self.world.now + 60.0)
        for each in list(self.street.houses.values()):
            if each.down:
                self.street.restart(each.name)
        self.world.run(self.world.now + LAST_S)
        for each in self.street.living:
            each.house.ticks_in_one = SELDOM
        self.world.run(self.world.now + SETTLE_S)
        self.check_end()
        records = self.street.records().values()
        taken = self.taken + sum(each.heritage.calls.taken for each in self.street.living)
        reasons = Counter(str(record.reason) for record in records)
        assert not reasons[EndReason.FAULT], "an engine fault"
        return Outcome(len(records), self.kills, self.cuts, taken, len(self.street.lost), reasons)

    def check_end(self) -> None:
        records = self.street.records()
        assert self.street.arrived() == set(records), "every call has exactly one record"
        forgotten = self.known & set(self.street.lost)
        assert not forgotten, f"nobody went on with {sorted(forgotten)}"
        failed = {call: records[call].reason for call in self.answered if records[call].reason in FAILED}
        assert not failed, f"who had been answered was lost: {failed}"
        for each in self.street.living:
            self.check_house(each)

    def check_house(self, each: Neighbour) -> None:
        switch = each.house.switch
        assert not switch.calls, f"{each.name}: {[(c.id, c.state) for c in switch.calls.values()][:5]}"
        assert not switch.sessions and not switch.legs, f"{each.name}: sessions or legs left"
        for agent in switch.acd.agents.values():
            busy = agent.state in (AgentState.TALKING, AgentState.OFFERED, AgentState.WRAP_UP)
            assert not busy and not switch.acd.calls_of(agent.name), f"{each.name}: {agent}"
        for queue in switch.acd.queues.values():
            assert not queue.places, f"{each.name}: places left in {queue.name}"
        for worker in each.house.living:
            assert worker.control.idle, f"{each.name}: media legs left"
        counts = {name: count for name, count in each.house.agent.counts().items() if count}
        assert counts.keys() <= {"timers", "dropped", "transactions"}, f"{each.name}: {counts}"


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Houses die under their calls; invariants checked throughout."
    )
    parser.add_argument("--calls", type=int, default=400)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--loss", type=float, default=0.02)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        began = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            outcome = Siege(seed, options.calls, Path(folder), loss=options.loss).live()
        print(f"seed {seed}: {outcome} in {time.process_time() - began:.0f} s of CPU", flush=True)
    print(f"{options.seeds} seeds, every invariant held")
    return 0


if __name__ == "__main__":
    sys.exit(main())
