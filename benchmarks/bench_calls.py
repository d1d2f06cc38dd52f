"""Bridged G.711 calls through a real media worker: CPU against the system calls' own, delay, loss, memory.

    python -m benchmarks.bench_calls [--quick] [--calls N ...] [--seconds S] [--rounds N]

Everything is on that is on in a node: RTCP both ways, figures, diagnosis. For each number of calls the floor
and every way through the worker are measured one after the other, so that a busy machine falls on all of
them, and that several times over; of the rounds the median counts. Prints what it does, then one JSON object
on the last line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import psutil

from media.io.process import WorkerClient
from media.messages import (
    AnyEvent,
    CloseLeg,
    Codec,
    LegClosed,
    LegFailed,
    LegOpened,
    LegStats,
    OpenLeg,
    SetGain,
    Tap,
)

HERE = Path(__file__).resolve().parent
# The worker, the far ends and the floor have loopback addresses of their own, so that all have ports enough
# for 1,500 calls below those of a node and the ephemeral ones.
HOST, FAR, FLOOR = "127.0.0.21", "127.0.0.22", "127.0.0.23"
PORT = 6100
PORTS = 6100 + 4 * 1500 + 400
RENDERED_GAIN = 0.999  # anything but unity must be decoded


# Of a core, what a run may take, so that it is cost and not overload that is measured: the speed of a virtual
# machine changes by a third in the minutes of a run, and the far ends need the other core.
CORE = 0.7


class Kind(NamedTuple):
    """A way through the worker: its gain, whether the helper in C is used where it can be, how many times the
    floor it takes at most, roughly, and whether one leg of each call is tapped as for a recording.
    """

    gain: float
    native: str
    most: float
    tapped: bool = False


KINDS = {
    "relayed": Kind(1.0, "auto", 1.7),
    "relayed_python": Kind(1.0, "off", 1.7),
    "rendered": Kind(RENDERED_GAIN, "auto", 2.5),
    "recorded": Kind(1.0, "auto", 2.5, tapped=True),
}


def build(directory: Path) -> dict[str, str]:
    """Compile the native helpers; their paths by name."""
    tools = {}
    for name in ("load", "floor"):
        tools[name] = str(directory / name)
        source = str(HERE / "native" / f"{name}.c")
        subprocess.run(["cc", "-O2", "-o", tools[name], source], check=True)
    return tools


async def run_json(*command: object, lines: Iterable[int] = ()) -> dict[str, Any]:
    """What a helper printed; `lines` is what it reads."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*map(str, command), stdin=pipe, stdout=pipe)
    out, _ = await process.communicate("\n".join(map(str, lines)).encode())
    if process.returncode:
        raise SystemExit(f"{command[0]} failed")
    answer: dict[str, Any] = json.loads(out)
    return answer


class Worker:
    """The worker under test, and what it has told."""

    def __init__(self, native: str) -> None:
        self.empty = 0  # bytes resident before the first leg
        self._events: list[AnyEvent] = []
        self._legs = 0
        self._changed = asyncio.Event()
        self._client = WorkerClient(
            bind=HOST,
            ports=(PORT, PORTS),
            on_events=self._told,
            on_lost=self._lost,
            native=native,
            reserve=False,
        )

    def _told(self, events: list[AnyEvent]) -> None:
        self._events.extend(event for event in events if isinstance(event, LegOpened | LegFailed | LegClosed))
        self._changed.set()

    def _lost(self, reason: str) -> None:
        raise SystemExit(f"the media worker died: {reason}")

    async def _collect(self, count: int) -> list[AnyEvent]:
        """The next `count` events."""
        while len(self._events) < count:
            self._changed.clear()
            await asyncio.wait_for(self._changed.wait(), 20)
        events, self._events = self._events, []
        return events

    async def start(self) -> None:
        await self._client.start()
        self.empty = self.memory()

    async def stop(self) -> None:
        await self._client.close()

    def cpu(self) -> float:
        """Seconds of CPU used so far, by all threads."""
        tasks = Path(f"/proc/{self._client.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text("ascii").split()[0]) for task in tasks) / 1e9

    def memory(self) -> int:
        """Bytes resident."""
        return int(psutil.Process(self._client.pid).memory_info().rss)

    async def open(self, legs: int, gain: float, tap: str = "") -> list[int]:
        """Open legs joined in pairs, leg i's far end at PORT + 2i; their ports. tap: the socket of who
        listens to the calls, both sides of each.
        """
        first, self._legs = self._legs, self._legs + legs
        for i in range(legs):
            self._client.send(OpenLeg(first + i, [Codec(0, "PCMU")], None, (FAR, PORT + 2 * i)))
        for i in range(legs):
            self._client.send(SetGain(first + (i ^ 1), first + i, gain))
        for i in range(0, legs if tap else 0, 2):
            self._client.send(Tap(first + i, tap))
        opened = await self._collect(legs)
        ports = [event.port for event in opened if isinstance(event, LegOpened)]
        if len(ports) < legs:
            raise SystemExit(f"legs without a port: {opened[-1]}")
        return ports

    async def close(self, legs: int) -> list[LegStats]:
        """Close the legs opened last; their figures."""
        self._client.send(*(CloseLeg(leg) for leg in range(self._legs - legs, self._legs)))
        return [event.stats for event in await self._collect(legs) if isinstance(event, LegClosed)]


@dataclass
class Way:
    """What a run through the worker came to.

    cost_ms: CPU a second a call. lost: packets that did not get in, came too late to be played, or did not
    get out. mos: of the worst leg.
    """

    cost_ms: float
    delay_p95_ms: float | None
    lost: int
    leg_kb: float
    mos: float


async def measure(
    tools: dict[str, str], worker: Worker, calls: int, seconds: float, gain: float, tap: str = ""
) -> Way:
    """One run of `calls` bridged calls."""
    legs = 2 * calls
    ports = await worker.open(legs, gain, tap)
    offered = tools["load"], legs, FAR, PORT, HOST, seconds, "reports"
    load = asyncio.create_task(run_json(*offered, lines=ports))
    lead_in = min(0.5, seconds / 6)
    await asyncio.sleep(lead_in)
    before, since = worker.cpu(), perf_counter()
    await asyncio.sleep(seconds - 2 * lead_in)
    used, passed = worker.cpu() - before, perf_counter() - since
    counted = await load
    leg_kb = (worker.memory() - worker.empty) / 1024 / legs
    stats = await worker.close(legs)
    taken, late = sum(leg.received for leg in stats), sum(leg.late for leg in stats)
    return Way(
        cost_ms=used / passed * 1e3 / calls,
        delay_p95_ms=counted["delay_p95_ms"],
        lost=int(counted["sent"]) - taken + late + int(counted["missing"]),
        leg_kb=leg_kb,
        mos=min((leg.mos for leg in stats if leg.mos is not None), default=float("nan")),
    )


async def measure_floor(tools: dict[str, str], calls: int, seconds: float) -> float:
    """CPU in ms a second a call that the system calls alone take."""
    legs = 2 * calls
    offered = tools["load"], legs, FAR, PORT, FLOOR, seconds
    load = asyncio.create_task(run_json(*offered, lines=range(PORT, PORT + 2 * legs, 2)))
    floor = await run_json(tools["floor"], legs, FLOOR, PORT, FAR, PORT, seconds)
    await load
    return float(floor["cost_ms"])


@dataclass
class Point:
    """All rounds at one number of calls."""

    calls: int
    floors: list[float]
    ways: dict[str, list[Way]]  # of the kinds that are measured here

    def floor(self) -> float:
        return statistics.median(self.floors)

    def cost(self, kind: str) -> float:
        return statistics.median(way.cost_ms for way in self.ways[kind])

    def times_floor(self, kind: str) -> float:
        """Of each round's cost over its own floor the median."""
        return statistics.median(
            way.cost_ms / floor for way, floor in zip(self.ways[kind], self.floors, strict=True)
        )

    def delay(self, kind: str) -> float:
        return statistics.median(way.delay_p95_ms or float("nan") for way in self.ways[kind])

    def lost(self) -> int:
        return sum(way.lost for ways in self.ways.values() for way in ways)

    def leg_kb(self) -> float:
        return max(way.leg_kb for ways in self.ways.values() for way in ways)

    def told(self) -> str:
        kinds = ", ".join(
            f"{kind} {self.cost(kind):.3f} ({self.times_floor(kind):.2f}x, lost "
            f"{sum(way.lost for way in ways)})"
            for kind, ways in self.ways.items()
        )
        delay = f", delay p95 {self.delay('relayed'):.2f} ms" if "relayed" in self.ways else ""
        return (
            f"{self.calls} calls: floor {self.floor():.3f} ms/s/call, {kinds}{delay}, "
            f"{self.leg_kb():.1f} kB a leg"
        )


def carried(calls: list[int], floor_ms: float) -> list[Point]:
    """Where each kind is measured: at the numbers of calls that one core here carries, and at the most."""
    points: dict[int, Point] = {}
    for name, kind in KINDS.items():
        most = int(CORE * 1e3 / (floor_ms * kind.most)) // 50 * 50
        for count in sorted({min(count, max(most, calls[0])) for count in calls}):
            points.setdefault(count, Point(count, [], {})).ways[name] = []
    return [points[count] for count in sorted(points)]


async def _swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A subscriber of taps that listens and does nothing with it."""
    while await reader.read(1 << 20):
        pass
    writer.close()


async def run(calls: list[int], seconds: float, rounds: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as directory:
        tools, tap = build(Path(directory)), f"{directory}/tap"
        server = await asyncio.start_unix_server(_swallow, tap, limit=1 << 22)
        points = carried(calls, await measure_floor(tools, calls[0], seconds))
        workers = {native: Worker(native) for native in sorted({kind.native for kind in KINDS.values()})}
        for worker in workers.values():
            await worker.start()
        for point in points * rounds:
            point.floors.append(await measure_floor(tools, point.calls, seconds))
            for name, ways in point.ways.items():
                kind = KINDS[name]
                told = tap if kind.tapped else ""
                ways.append(await measure(tools, workers[kind.native], point.calls, seconds, kind.gain, told))
            print(point.told(), flush=True)
        for worker in workers.values():
            await worker.stop()
        server.close()
    return figures_of(points)


def figures_of(points: list[Point]) -> dict[str, float]:
    """README says what each means; without a number it is of the kind's largest run."""
    least = points[0]
    most = {kind: [point for point in points if kind in point.ways][-1] for kind in KINDS}
    figures = {
        f"{kind}_x_floor_{point.calls}": round(point.times_floor(kind), 3)
        for point in points
        for kind in point.ways
        if kind != "relayed_python"
    }
    relayed = most["relayed"]
    return figures | {
        "calls": relayed.calls,
        "relayed_x_floor": round(relayed.times_floor("relayed"), 3),
        "relayed_x_floor_python": round(most["relayed_python"].times_floor("relayed_python"), 3),
        "rendered_x_floor": round(most["rendered"].times_floor("rendered"), 3),
        "recorded_x_floor": round(most["recorded"].times_floor("recorded"), 3),
        "relayed_delay_p95_ms": round(relayed.delay("relayed"), 3),
        "flatness": round(relayed.cost("relayed") / least.cost("relayed"), 3),
        "floor_ms": round(relayed.floor(), 4),
        "relayed_ms": round(relayed.cost("relayed"), 4),
        "rendered_ms": round(most["rendered"].cost("rendered"), 4),
        "recorded_ms": round(most["recorded"].cost("recorded"), 4),
        "leg_kb": round(relayed.leg_kb(), 2),
        "lost_packets": sum(point.lost() for point in points),
    }


def machine() -> str:
    """What it was measured on, in a few words."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{models[0] if models else platform.machine()}, {len(models)} CPUs, Linux {platform.release()}"


def commit() -> str:
    command = ["git", "-C", str(HERE), "rev-parse", "--short", "HEAD"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_calls", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a shorter run, under 50 s")
    parser.add_argument("--calls", type=int, nargs="+", default=None)
    parser.add_argument("--seconds", type=float, default=0.0, help="of load in each run")
    parser.add_argument("--rounds", type=int, default=0, help="over all of it")
    options = parser.parse_args(arguments)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    calls = options.calls or ([100, 1500] if options.quick else [100, 500, 1000, 1500])
    seconds, rounds = options.seconds or (2.2 if options.quick else 8.0), options.rounds or 1
    if not (options.quick or options.rounds):
        rounds = 3
    figures = asyncio.run(run(calls, seconds, rounds))
    print(json.dumps({"bench": "calls", "commit": commit(), "machine": machine(), "figures": figures}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
