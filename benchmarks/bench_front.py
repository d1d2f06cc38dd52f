"""What a front and a Redis cost: SIPp -> Kamailio as shipped -> two nodes with a Redis -> SIPp; also sockets.

    python -m benchmarks.bench_front [--quick]

CPU is that of Kamailio's and Redis's own processes, over the load alone and less what they use when nothing
happens. The nodes are real, and so are what they tell Redis of their calls and what they write down.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import redis

from benchmarks.bench_calls import commit, machine
from benchmarks.sipp_calls import cpu_seconds
from tests.interop import front as kamailio
from tests.interop.front import ClusterNode, Front
from tests.interop.node import FAR, LINE
from tests.interop.redis_server import RedisServer
from tests.interop.sipp import Sipp
from tests.interop.standin import Caller
from tests.interop.websocket import WebSocket

RATE = 25  # calls a second, well under what two nodes on the same two cores take
SOCKETS = 200
REGISTERS = 400
PROMPTS = Path(os.environ.get("ISOGLOSS_PROMPTS", "var/prompts"))


class Town(NamedTuple):
    """What runs."""

    folder: Path
    nodes: list[ClusterNode]
    front: Front
    redis: RedisServer


class Spent(NamedTuple):
    """CPU seconds of the front and of Redis, the commands that Redis took, bytes that nodes wrote down."""

    front: float
    redis: float
    commands: int
    written: int


def settings(number: int) -> Mapping[str, Mapping[str, Any]]:
    host = f"127.0.1.{number}"
    return {
        "routing": {"rescue": {"enabled": False}},  # sipp sends no sound
        "cluster": {
            "redis": {"url": {"env": "ISOGLOSS_REDIS"}},
            "between": {"address": host, "host": host, "keys": {"k": {"file": "callers.key"}}, "key": "k"},
            "advertise": {"sip": [f"sip:{host}:5060;transport=udp"]},
        },
    }


@contextmanager
def town() -> Iterator[Town]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="isogloss-front-")))
        shared = stack.enter_context(RedisServer(folder / "redis"))
        os.environ["ISOGLOSS_REDIS"] = shared.url
        first = ClusterNode(folder / "1", 1, PROMPTS, more=settings(1))
        stack.callback(first.close)
        with ThreadPoolExecutor(1) as pool:
            more = {"more": settings(2), "far_ends": first.far_ends}
            second = pool.submit(ClusterNode, folder / "2", 2, PROMPTS, **more).result()
        stack.callback(second.close)
        defines = {"SOURCE_DENSITY": "100000"}
        front = stack.enter_context(Front(folder / "front", [first, second], defines=defines))
        front.until_active(first, second)
        yield Town(folder, [first, second], front, shared)


def spent(at: Town) -> Spent:
    assert at.redis.process is not None
    with redis.Redis.from_url(at.redis.url) as client:
        commands = client.info("stats")["total_commands_processed"]
    files = (each for node in at.nodes for each in node.data.glob("isogloss.db*"))
    written = sum(each.stat().st_size for each in files)
    return Spent(cpu_seconds(at.front.process.pid), cpu_seconds(at.redis.process.pid), commands, written)


def over(at: Town, seconds: float) -> Spent:
    """What is spent in so long, while nothing happens."""
    before = spent(at)
    time.sleep(seconds)
    return Spent(*(b - a for a, b in zip(before, spent(at), strict=True)))


def calls(at: Town, count: int) -> tuple[Spent, float]:
    """What so many calls take, and how many seconds they took."""
    far, before, began = at.nodes[0].far_end(), spent(at), time.monotonic()
    with (
        Sipp("callee", at.folder, address=FAR, port=far.port, calls=count, timeout=120),
        Sipp(
            "caller",
            at.folder,
            remote=at.front.address(),
            address=LINE,
            number=far.number,
            calls=count,
            rate=RATE,
            timeout=120,
        ),
    ):
        pass
    took = time.monotonic() - began
    return Spent(*(b - a for a, b in zip(before, spent(at), strict=True))), took


def registrations(at: Town, count: int) -> float:
    """CPU of the front for so many REGISTERs, each challenged by a node."""
    before = spent(at).front
    with Caller("127.0.5.1") as phone:
        for number in range(count):
            uri = f"sip:{at.front.domain}"
            us = f"sip:phone{number % 50}@{at.front.domain}"
            text = phone.request("REGISTER", uri, to=f"<{us}>", from_=us)
            assert phone.ask(text, at.front.address()).status == 401
    return spent(at).front - before


def socket_kb(at: Town, count: int) -> float:
    """Memory that Kamailio gives to a browser's connection, TLS and WebSocket together."""
    used = lambda: int(at.front.ask("core.shmmem")["used"])  # noqa: E731
    before = used()
    opened = [WebSocket(at.front.host, at.front.sip["wss"]) for _ in range(count)]
    after = used()
    for each in opened:
        each.close()
    return (after - before) / count / 1000


def figures(at: Town, quick: bool) -> dict[str, float]:
    idle_s, count = (4.0, 200) if quick else (10.0, 1000)
    idle = over(at, idle_s)
    load, took = calls(at, count)
    registered = registrations(at, REGISTERS)
    own = {name: getattr(load, name) - getattr(idle, name) * took / idle_s for name in Spent._fields}
    return {
        "front_ms_per_call": 1000 * own["front"] / count,
        "front_ms_per_register": 1000 * registered / REGISTERS,
        "front_idle_ms": 1000 * idle.front / idle_s,
        "front_kb_per_socket": socket_kb(at, SOCKETS),
        "journal_kb_per_call": load.written / count / 1000,
        "redis_commands_per_call": own["commands"] / count,
        "redis_commands_idle": idle.commands / idle_s / len(at.nodes),
        "redis_us_per_command": 1e6 * load.redis / load.commands,
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="under 50 s; fewer calls")
    options = parser.parse_args()
    for name, there in (("kamailio", kamailio.installed()), ("redis-server", shutil.which("redis-server"))):
        if not there:
            print(f"{name} is not installed", file=sys.stderr)
            return 1
    with town() as running:
        measured = {name: float(f"{value:.4g}") for name, value in figures(running, options.quick).items()}
    print(json.dumps({"bench": "front", "commit": commit(), "machine": machine(), "figures": measured}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
