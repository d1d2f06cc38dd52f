"""Calls beside many who watch them: what sound and signalling notice, and how soon a change is seen.

    python -m benchmarks.bench_monitor [--quick]

A node has 500 calls at a time, which come and go all the while. Beside it a media worker bridges calls with
sound: first while nobody watches, then while 50 consoles and 20 programs do, in pairs; the floor, which does
nothing but the system calls, is measured in each. Consoles are sessions of the real console without the
browser: they sign in, load the page and follow it over its socket as its own script does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks.bench_calls import Way, Worker, build, commit, machine, measure, measure_floor
from benchmarks.percentile import percentile_ms
from benchmarks.sipp_calls import ROOT, LoadedNode, held, running_node
from benchmarks.watchers import Watched, Watcher, watching

BRIDGED = 100  # calls with sound
TALK_S = 15.0
OPENED_S = 90.0  # that consoles have to open
MB = 1 << 20


@dataclass(frozen=True, slots=True)
class Plan:
    """seconds: of each measurement."""

    calls: int
    consoles: int
    clients: int
    pairs: int
    seconds: float
    talk_s: float = TALK_S


FULL = Plan(calls=500, consoles=50, clients=20, pairs=6, seconds=5.0)
QUICK = Plan(calls=250, consoles=25, clients=10, pairs=1, seconds=2.2, talk_s=8.0)


@dataclass
class Side:
    """What was measured of either side. core: share of a core that the node's main process takes."""

    floors: list[float] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)
    core: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)  # bytes of that process, at the end

    async def measure(self, tools: dict[str, str], worker: Worker, node: LoadedNode, seconds: float) -> None:
        process, loop = psutil.Process(node.pid), asyncio.get_running_loop()
        self.floors.append(await measure_floor(tools, BRIDGED, seconds))
        before, since = sum(process.cpu_times()[:2]), loop.time()
        self.ways.append(await measure(tools, worker, BRIDGED, seconds, 1.0))
        self.core.append((sum(process.cpu_times()[:2]) - before) / (loop.time() - since))
        self.memory.append(float(process.memory_info().rss))

    @property
    def cost(self) -> float:
        return statistics.median(each.cost_ms for each in self.ways)

    @property
    def times_floor(self) -> float:
        return self.cost / statistics.median(self.floors)


@dataclass
class Found:
    quiet: Side = field(default_factory=Side)
    watched: Side = field(default_factory=Side)
    told: list[Watched] = field(default_factory=list)
    consoles: list[dict[str, Any]] = field(default_factory=list)
    cut_s: float = 0.0
    resynced: bool = False


@asynccontextmanager
async def consoles(node: LoadedNode, token: str, count: int) -> AsyncIterator[dict[str, Any]]:
    """They follow the wallboard, in a process of their own; what they were told is there afterwards."""
    told: dict[str, Any] = {}
    pipe = asyncio.subprocess.PIPE
    command = [sys.executable, "-m", "benchmarks.consoles", node.api, token, str(count), "-"]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=pipe, stdout=pipe)
    assert process.stdin is not None and process.stdout is not None
    try:
        if await asyncio.wait_for(process.stdout.readline(), OPENED_S) != b"told\n":
            raise SystemExit("the consoles did not open")
        yield told
        process.stdin.close()
        told |= json.loads(await asyncio.wait_for(process.stdout.readline(), 30.0))
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def run(node: LoadedNode, token: str, plan: Plan) -> Found:
    found = Found()
    with tempfile.TemporaryDirectory() as directory:
        tools, worker = build(Path(directory)), Worker("auto")
        await worker.start()
        async with consoles(node, token, 1):
            pass  # the first visit reads the console's libraries
        for _ in range(plan.pairs):
            await found.quiet.measure(tools, worker, node, plan.seconds)
            async with consoles(node, token, plan.consoles) as told:
                over = asyncio.Event()
                clients = asyncio.create_task(watching(node.api, token, plan.clients, over.is_set))
                await asyncio.sleep(1.0)
                await found.watched.measure(tools, worker, node, plan.seconds)
                over.set()
                found.told.append(await clients)
            found.consoles.append(told)
            print(_told(found), flush=True)
        found.cut_s, found.resynced = await Watcher(node.api, token).stall()
        await worker.stop()
    return found


def _told(found: Found) -> str:
    quiet, watched = found.quiet, found.watched
    return (
        f"sound {quiet.ways[-1].cost_ms:.3f} ms/s/call, watched {watched.ways[-1].cost_ms:.3f}; core "
        f"{quiet.core[-1]:.0%}, watched {watched.core[-1]:.0%}; memory {quiet.memory[-1] / MB:.0f} MB, "
        f"watched {watched.memory[-1] / MB:.0f}; consoles {found.consoles[-1]}"
    )


def figures_of(found: Found, plan: Plan) -> dict[str, float | None]:
    """README says what each means."""
    lags = [each for told in found.told for each in told.lags]
    answers = [each for told in found.told for each in told.answers]
    quiet, watched = found.quiet, found.watched
    gaps, lags_of_consoles = (
        [each[name] for each in found.consoles if each[name] is not None]
        for name in ("gap_p95_ms", "lag_p95_ms")
    )
    return {
        "media_cost_x_quiet": round(watched.times_floor / quiet.times_floor, 3),
        "event_lag_p95_ms": percentile_ms(lags, 95),
        "event_lag_p50_ms": percentile_ms(lags, 50),
        "api_p95_ms": percentile_ms(answers, 95),
        "api_p50_ms": percentile_ms(answers, 50),
        "memory_mb_per_console": round((watched.memory[0] - quiet.memory[0]) / MB / plan.consoles, 3),
        # The first pairs fill what is filled once: caches, the allocator's pools, the live state's history.
        "memory_growth_mb": _grew(watched.memory[-2:]),
        "memory_growth_all_mb": _grew(watched.memory),
        "console_lag_p95_ms": max(lags_of_consoles, default=None),
        "console_gap_p95_ms": max(gaps, default=None),
        "media_ms": round(watched.cost, 4),
        "media_quiet_ms": round(quiet.cost, 4),
        "lost_packets": sum(each.lost for each in watched.ways),
        "core_share": round(statistics.median(watched.core), 3),
        "core_share_quiet": round(statistics.median(quiet.core), 3),
        "stalled_cut_s": round(found.cut_s, 1),
        "stalled_resynced": int(found.resynced),
        "failed_answers": sum(each.failed for each in found.told),
        "cut_consoles": sum(each["cut"] for each in found.consoles),
        "calls": plan.calls,
        "consoles": plan.consoles,
        "clients": plan.clients,
    }


def _grew(memory: Sequence[float]) -> float | None:
    return round((memory[-1] - memory[0]) / MB, 1) if len(memory) > 1 else None


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_monitor", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one pair of half as much, under a minute")
    plan = QUICK if parser.parse_args(arguments).quick else FULL
    token = secrets.token_urlsafe(24)
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "token"
        file.write_text(token)
        api = {"tokens": {"bench": {"token": {"file": str(file)}, "role": "operator"}}}
        with running_node(more={"api": api}) as node, held(node, plan.calls, plan.talk_s):
            found = asyncio.run(run(node, token, plan))
    figures = figures_of(found, plan)
    print(json.dumps({"bench": "monitor", "commit": commit(), "machine": machine(), "figures": figures}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
