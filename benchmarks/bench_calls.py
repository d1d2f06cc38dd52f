"""Bridged G.711 calls through a real media worker: CPU against the system calls' own, delay, loss, memory.

    python -m benchmarks.bench_calls [--quick] [--calls N ...] [--seconds S]

For each number of calls the floor, the relayed and the rendered way are measured one after the other, so that
a busy machine falls on all of them. Prints what it does, then one JSON object on the last line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

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
)

HERE = Path(__file__).resolve().parent
HOST = "127.0.0.1"
# First port of the legs, of the far ends and of the floor: below a node's own and the ephemeral ones.
PORTS, FAR_PORTS, FLOOR_PORTS = 6100, 10200, 12300
RENDERED_GAIN = 0.999  # anything but unity must be decoded


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

    def __init__(self) -> None:
        self.empty = 0  # bytes resident before the first leg
        self._events: list[AnyEvent] = []
        self._legs = 0
        self._changed = asyncio.Event()
        self._client = WorkerClient(
            bind=HOST, ports=(PORTS, FAR_PORTS), on_events=self._told, on_lost=self._lost, reserve=False
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
        """Seconds of CPU used so far."""
        times = psutil.Process(self._client.pid).cpu_times()
        return float(times.user + times.system)

    def memory(self) -> int:
        """Bytes resident."""
        return int(psutil.Process(self._client.pid).memory_info().rss)

    async def open(self, legs: int, gain: float) -> list[int]:
        """Open legs joined in pairs, leg i's far end at FAR_PORTS + 2i; their ports."""
        first, self._legs = self._legs, self._legs + legs
        for i in range(legs):
            self._client.send(OpenLeg(first + i, [Codec(0, "PCMU")], None, (HOST, FAR_PORTS + 2 * i)))
        for i in range(legs):
            self._client.send(SetGain(first + (i ^ 1), first + i, gain))
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
    get out.
    """

    cost_ms: float
    delay_p95_ms: float | None
    lost: int
    leg_kb: float


async def measure(tools: dict[str, str], worker: Worker, calls: int, seconds: float, gain: float) -> Way:
    """One run of `calls` bridged calls."""
    legs = 2 * calls
    ports = await worker.open(legs, gain)
    load = asyncio.create_task(run_json(tools["load"], legs, FAR_PORTS, seconds, lines=ports))
    lead_in = min(0.5, seconds / 8)
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
    )


async def measure_floor(tools: dict[str, str], calls: int, seconds: float) -> float:
    """CPU in ms a second a call that the system calls alone take."""
    legs = 2 * calls
    ports = range(FLOOR_PORTS, FLOOR_PORTS + 2 * legs, 2)
    load = asyncio.create_task(run_json(tools["load"], legs, FAR_PORTS, seconds, lines=ports))
    floor = await run_json(tools["floor"], legs, FLOOR_PORTS, FAR_PORTS, seconds)
    await load
    return float(floor["cost_ms"])


async def run(calls: list[int], seconds: float) -> dict[str, float]:
    figures: dict[str, float] = {}
    lost = 0
    with tempfile.TemporaryDirectory() as directory:
        tools = build(Path(directory))
        worker = Worker()
        await worker.start()
        for count in calls:
            floor = await measure_floor(tools, count, seconds)
            relayed = await measure(tools, worker, count, seconds, 1.0)
            rendered = await measure(tools, worker, count, seconds, RENDERED_GAIN)
            lost += relayed.lost + rendered.lost
            delay = relayed.delay_p95_ms or float("nan")
            print(
                f"{count} calls: floor {floor:.3f} ms/s/call, relayed {relayed.cost_ms:.3f} "
                f"({relayed.cost_ms / floor:.2f}x, delay p95 {delay:.2f} ms, lost {relayed.lost}), rendered "
                f"{rendered.cost_ms:.3f} ({rendered.cost_ms / floor:.2f}x, lost {rendered.lost}), "
                f"{max(relayed.leg_kb, rendered.leg_kb):.1f} kB a leg",
                flush=True,
            )
            figures[f"relayed_x_floor_{count}"] = round(relayed.cost_ms / floor, 3)
            figures[f"rendered_x_floor_{count}"] = round(rendered.cost_ms / floor, 3)
            figures |= {
                "relayed_x_floor": round(relayed.cost_ms / floor, 3),
                "rendered_x_floor": round(rendered.cost_ms / floor, 3),
                "relayed_delay_p95_ms": round(delay, 3),
                "floor_ms": round(floor, 4),
                "relayed_ms": round(relayed.cost_ms, 4),
                "rendered_ms": round(rendered.cost_ms, 4),
                "leg_kb": round(max(relayed.leg_kb, rendered.leg_kb), 2),
            }
        await worker.stop()
    figures["lost_packets"] = lost
    return figures


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
    parser.add_argument("--calls", type=int, nargs="+", default=[100, 300, 500])
    parser.add_argument("--seconds", type=float, default=0.0, help="of load in each run")
    options = parser.parse_args(arguments)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    seconds = options.seconds or (3.0 if options.quick else 15.0)
    figures = asyncio.run(run(options.calls, seconds))
    print(json.dumps({"bench": "calls", "commit": commit(), "machine": machine(), "figures": figures}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
