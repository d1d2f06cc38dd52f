"""The nearest node: three regions of two nodes each, far apart; and how fast it is chosen.

    python -m benchmarks.bench_nearest [--quick] [--seed N]

Every node is a process of its own in a namespace of its own, behind a relay that delays, with the real
registry over redis-server, pings between nodes, and the API; callers measure over HTTP as their pages do, and
are told where to call. The relay knows how far everybody is from everybody, so that each call's node can be
compared with the truly nearest one that is healthy. A third of the calls find all nodes up, a third one
draining, a third one killed. Needs root, iproute2 and redis-server.

Deciding is measured in this process: 1,000 nodes in 30 regions and 100 lines, each decision both, one core.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from random import Random
from time import process_time_ns
from typing import Any

from benchmarks.bench_calls import commit, machine
from benchmarks.far_apart import Impossible, Noise, Place, Relay, able
from benchmarks.near_node import OPERATOR, PORT
from routing.board import Board, LineSpec
from routing.line import Demand as LineDemand
from routing.line import Weights, choose
from routing.node import Demand, Node, NodeBoard, nearest
from routing.rate import Rate, Tariff

REGIONS = ("eu", "us", "asia")
# Round trips in milliseconds between regions, and within them.
MATRIX = {("eu", "us"): 90.0, ("eu", "asia"): 170.0, ("us", "asia"): 140.0}
HOME_MS = 18.0
FURTHER_MS = 12.0  # that a caller has to the other node of her region
NODES = tuple(f"{region}{number}" for region in REGIONS for number in (1, 2))
HUB = "10.77.0.1"  # of Redis, in the first region
REDIS = (
    *("redis-server", "--port", "6379", "--bind", HUB),
    *("--save", "", "--protected-mode", "no"),
)
DRAINED, KILLED = "eu1", "us2"
FOUND_S = 6.0  # for a dead node to be found dead
DECISIONS, QUICK_DECISIONS = 5_000, 2_000
MONDAY_NOON = 1_780_315_200.0


@dataclass
class Map:
    """Who is where, and how far from whom. Addresses of nodes by name, and of callers by number."""

    seed: int
    callers: int
    nodes: dict[str, str] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)  # region by address

    def __post_init__(self) -> None:
        rng = Random(self.seed)
        self.nodes = {name: f"10.77.{at + 1}.1" for at, name in enumerate(NODES)}
        self._region = {HUB: REGIONS[0]} | {address: name[:-1] for name, address in self.nodes.items()}
        for number in range(self.callers):
            address = f"10.{100 + number // 250}.{number % 250}.1"  # a network each
            self.people[address] = self._region[address] = rng.choice(REGIONS)
        # Which of its region's nodes a caller is nearer to is by lot.
        self._favourite = {address: rng.choice("12") for address in self.people}

    def rtt_ms(self, one: str, other: str) -> float:
        a, b = self._region[one], self._region[other]
        between = HOME_MS if a == b else MATRIX.get((a, b)) or MATRIX[b, a]
        return between + self._offset(one, other) + self._offset(other, one)

    def _offset(self, caller: str, node: str) -> float:
        name = next((each for each, address in self.nodes.items() if address == node), "")
        if caller not in self._favourite or name[-1:] in ("", self._favourite[caller]):
            return 0.0
        return FURTHER_MS

    def nearest(self, caller: str, healthy: Sequence[str]) -> str:
        return min(healthy, key=lambda name: self.rtt_ms(caller, self.nodes[name]))

    def lost_ms(self, caller: str, node: str, healthy: Sequence[str]) -> float:
        """How much further she was sent than need be."""
        best = self.nodes[self.nearest(caller, healthy)]
        return self.rtt_ms(caller, self.nodes[node]) - self.rtt_ms(caller, best)


class World:
    """Nodes, callers and Redis, each in its place."""

    def __init__(self, map: Map, held: ExitStack) -> None:
        self.map = map
        places = {name: Place([address]) for name, address in map.nodes.items()}
        self.hub = Place([HUB])
        people = map.people.items()
        regions = {region: Place([each for each, where in people if where == region]) for region in REGIONS}
        everyone = [*places.values(), self.hub, *regions.values()]
        for place in everyone:
            held.callback(place.close)
        self.relay = Relay(everyone, map.rtt_ms, Noise(), map.seed)
        held.callback(self.relay.close)
        self._held = held
        self._start(self.hub, *REDIS)
        self.nodes = {name: self._node(places[name], name) for name in NODES}
        self.callers = {
            region: self._start(place, *_module("near_callers")) for region, place in regions.items()
        }
        for process in self.nodes.values():
            assert process.stdout is not None
            if process.stdout.readline() != b"ready\n":
                raise Impossible("a node did not start; see what it said above")

    def _node(self, place: Place, name: str) -> subprocess.Popen[bytes]:
        told = {
            "name": name,
            "region": name[:-1],
            "address": self.map.nodes[name],
            "redis": f"redis://{HUB}:6379/0",
        }
        return self._start(place, *_module("near_node"), json.dumps(told))

    def _start(self, place: Place, *command: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [*place.enter(), *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        self._held.callback(_end, process)
        return process

    def ask(self, node: str, method: str, path: str) -> Any:
        """An operator's word with a node, from where Redis is."""
        command = [
            "curl", "-sS", "-m", "5", "-X", method, "-H", f"Authorization: Bearer {OPERATOR}",
            f"http://{self.map.nodes[node]}:{PORT}{path}",
        ]  # fmt: skip
        said = subprocess.run([*self.hub.enter(), *command], capture_output=True, check=True).stdout
        return json.loads(said)

    def states(self, node: str) -> dict[str, str]:
        return {each["name"]: each["state"] for each in self.ask(node, "GET", "/v1/nodes")["nodes"]}

    def until(self, node: str, states: dict[str, str]) -> float:
        """Seconds until a node has the others so."""
        began = time.monotonic()
        while time.monotonic() - began < FOUND_S:
            found = self.states(node)
            if all(found.get(name) == state for name, state in states.items()):
                return time.monotonic() - began
        raise Impossible(f"after {FOUND_S:g} s {node} has the nodes as {found}, not {states}")

    def hears_gone(self, node: str, other: str, died: float) -> float:
        """How long after its death a node took another for gone. died: of the monotonic clock."""
        said = self.nodes[node].stdout
        assert said is not None
        while line := said.readline().split():
            if line[:2] == [b"gone", other.encode()] and float(line[2]) > died:
                return float(line[2]) - died
        raise Impossible(f"{node} never took {other} for gone")

    def call(self, calls: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """The node that each of (caller, node that she asks) was told."""
        wanted = {
            region: [each for each in calls if self.map.people[each[0]] == region] for region in REGIONS
        }
        for region, some in wanted.items():
            pipe = self.callers[region].stdin
            assert pipe is not None
            told = [
                {"caller": caller, "asks": self.map.nodes[asked], "token": hash((caller, asked)) % 10**8}
                for caller, asked in some
            ]
            pipe.write(json.dumps({"calls": told, "nodes": self.map.nodes}).encode() + b"\n")
            pipe.flush()
        found: dict[tuple[str, str], str] = {}
        for region, some in wanted.items():
            answers = self.callers[region].stdout
            assert answers is not None
            found |= dict(zip(some, json.loads(answers.readline()), strict=True))
        return found


def _module(name: str) -> list[str]:
    return [sys.executable, "-m", f"benchmarks.{name}"]


def _end(process: subprocess.Popen[bytes]) -> None:
    """nsenter and what it runs are one group."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


@dataclass
class Tally:
    right: int = 0
    calls: int = 0
    lost_ms: list[float] = field(default_factory=list)

    def add(self, world: World, told: dict[tuple[str, str], str], healthy: Sequence[str]) -> None:
        for (caller, _), node in told.items():
            self.calls += 1
            nearest = world.map.nearest(caller, healthy)
            self.right += node == nearest
            if node != nearest:
                print(f"a caller in {world.map.people[caller]} was told {node or 'nothing'}, not {nearest}")
            self.lost_ms.append(world.map.lost_ms(caller, node, healthy) if node in healthy else 500.0)


def stories(world: World, tally: Tally, rng: Random) -> Iterator[tuple[str, float]]:
    """Calls while all are up, while one drains, and after one died. What happened, and how long it took."""
    everyone = list(world.map.people)

    def calls(asked: Sequence[str]) -> list[tuple[str, str]]:
        return [(caller, rng.choice(asked)) for caller in everyone]

    yield "met_s", max(world.until(name, dict.fromkeys(NODES, "up")) for name in NODES)
    tally.add(world, world.call(calls(NODES)), NODES)

    world.ask(DRAINED, "POST", "/v1/node/drain")
    yield "drained_s", max(world.until(name, {DRAINED: "draining"}) for name in NODES)
    left = [name for name in NODES if name != DRAINED]
    tally.add(world, world.call(calls(NODES)), left)
    world.ask(DRAINED, "DELETE", "/v1/node/drain")

    os.killpg(world.nodes[KILLED].pid, signal.SIGKILL)
    died = time.monotonic()
    living = [name for name in NODES if name != KILLED]
    yield "gone_s", max(world.hears_gone(name, KILLED, died) for name in living)
    for name in living:
        world.until(name, {DRAINED: "up"})
    tally.add(world, world.call(calls(living)), living)


def found_nearest(quick: bool, seed: int) -> dict[str, float]:
    able()
    lacking = [tool for tool in ("redis-server", "curl") if shutil.which(tool) is None]
    if lacking:
        raise Impossible(f"{', '.join(lacking)} is not there: apt-get install redis-server curl")
    with ExitStack() as held:
        world = World(Map(seed, callers=36 if quick else 180), held)
        tally, took = Tally(), {}
        for what, seconds in stories(world, tally, Random(seed)):
            took[what] = seconds
            print(f"{what} {seconds:.2f}; {tally.calls} calls, {tally.right} on the nearest", flush=True)
        return {
            "on_nearest_share": tally.right / tally.calls,
            "lost_ms_mean": statistics.fmean(tally.lost_ms),
            "calls": tally.calls,
            "packets": world.relay.passed,
            **took,
        }


# --- how fast it is decided -------------------------------------------------------------------------


def board_of(count: int, rng: Random) -> NodeBoard:
    board = NodeBoard()
    kinds = frozenset({"sip", "web"})
    board.put(
        *(
            Node(
                f"n{number}",
                f"r{number % 30}",
                500,
                rng.randrange(500),
                draining=rng.random() < 0.05,
                kinds=kinds,
            )
            for number in range(count)
        )
    )
    for number in range(20_000):
        node, rtt = f"n{rng.randrange(count)}", rng.uniform(0.005, 0.3)
        board.seen(f"net {number % 4000}", node, rtt, 0.0, region=f"r{rng.randrange(30)}")
    board.refresh(1.0)
    return board


def lines_of(count: int, rng: Random) -> Board:
    def line(number: int) -> LineSpec:
        area = f"+4{rng.randrange(10)}"
        tariff = Tariff(rates=tuple(Rate(each, rng.uniform(0.01, 0.1)) for each in ("+4", area)))
        return LineSpec(
            f"line{number}", region=f"r{number % 30}", tariff=tariff, priority=rng.choice([10, 20])
        )

    return Board([line(number) for number in range(count)])


def decided(decisions: int, seed: int) -> dict[str, float]:
    rng = Random(seed)
    nodes, lines = board_of(1000, rng), lines_of(100, rng)
    residency = frozenset(f"r{number}" for number in range(0, 30, 2))
    both: list[float] = []
    alone: list[float] = []
    for turn in range(decisions):
        region = f"r{rng.randrange(30)}"
        source, kept = f"net {rng.randrange(5000)}", residency if turn % 2 else frozenset()
        demand = Demand(source, region, "sip", kept, toward=f"n{turn % 1000}")
        number = LineDemand(f"+4{rng.randrange(10**9, 10**10)}", "44", region=region)
        began = process_time_ns()
        nearest(nodes, demand, 2.0)
        between = process_time_ns()
        choose(lines, number, 2.0, MONDAY_NOON, rng, Weights())
        both.append((process_time_ns() - began) / 1e6)
        alone.append((between - began) / 1e6)
    return {
        "decide_p99_ms": statistics.quantiles(both, n=100)[98],
        "decide_p50_ms": statistics.median(both),
        "decide_node_p99_ms": statistics.quantiles(alone, n=100)[98],
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="under 50 s; fewer callers and decisions")
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args()
    decisions = QUICK_DECISIONS if options.quick else DECISIONS
    figures: dict[str, float | None] = dict(decided(decisions, options.seed))
    try:
        figures |= found_nearest(options.quick, options.seed)
    except Impossible as fault:
        print(f"bench_nearest: only deciding was measured: {fault}", file=sys.stderr)
        figures["on_nearest_share"] = None
    rounded = {name: None if value is None else float(f"{value:.4g}") for name, value in figures.items()}
    print(json.dumps({"bench": "nearest", "commit": commit(), "machine": machine(), "figures": rounded}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
