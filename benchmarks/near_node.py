"""A node as far as being near goes: its place in the cluster and the API, without telephones and sound.

python -m benchmarks.near_node '{"name": "eu1", …}'     see `Told`; says "ready", then who is gone
"""

from __future__ import annotations

import asyncio
import logging
import random
import sys
import time
from dataclasses import replace
from typing import Any, cast

import msgspec
import structlog

from config.cluster import AdvertiseSettings, BetweenSettings, ClusterSettings, RedisSettings
from config.load import SHIPPED, load
from config.secret import Secret
from config.service import ApiRole
from engine.api.app import create_app
from engine.api.server import ApiServer
from engine.api.settings import PERMISSIONS, Callers, Settings, token
from engine.cluster.cluster import Cluster, Load
from engine.cluster.membership import ClusterEvent, Gone
from engine.cluster.running import Running, store_of
from engine.cluster.sight import ClusterSight

PORT = 8080
KEY = "a key that callers' tokens are signed with"
OPERATOR = "operator of the benchmark"


class Told(msgspec.Struct):
    """address: the node's own. redis: its URL."""

    name: str
    region: str
    address: str
    redis: str


class Seen:
    """What the API needs to know of a node that takes no calls."""

    def __init__(self, cluster: ClusterSight) -> None:
        self.cluster = cluster

    def calls(self) -> tuple[()]:
        return ()


def cluster_of(told: Told, standing: dict[str, bool]) -> Cluster:
    shipped = load(SHIPPED, {})
    cluster = ClusterSettings(
        redis=RedisSettings(url=Secret("told", told.redis), plain=True),
        advertise=AdvertiseSettings(
            sip=(f"sip:{told.address}:5060;transport=udp",), origin=f"http://{told.address}:{PORT}"
        ),
        between=BetweenSettings(
            address=told.address, host=told.address, keys={"k": Secret("told", KEY)}, key="k"
        ),
    )
    config = replace(shipped, node=replace(shipped.node, name=told.name, region=told.region), cluster=cluster)
    return Cluster(
        config,
        store_of(config, time.monotonic),
        lambda: Load(0, standing["draining"], True),
        life=f"{told.name} {time.time_ns()}",
        started=time.time(),
        rng=random.Random(),
    )


def said(event: ClusterEvent, now: float) -> None:
    """Who is gone, and when, by the clock that all processes of a machine have."""
    if isinstance(event, Gone):
        print(f"gone {event.member.name} {now:.3f}", flush=True)


async def live(told: Told) -> None:
    standing = {"draining": False}
    cluster = cluster_of(told, standing)

    def drain(draining: bool) -> None:
        standing["draining"] = draining
        cluster.beat(time.monotonic())

    cluster.membership.watch(said)
    running = Running(cluster, time.monotonic)
    await running.start()
    settings = Settings(
        tokens=(token("bench", OPERATOR, *PERMISSIONS[ApiRole.OPERATOR]),),
        docs=False,
        callers=Callers(keys={"k": KEY}, key="k", per_source_min=10_000, per_token_min=10_000),
    )
    view: Any = Seen(ClusterSight(cluster, time.monotonic, drain))
    api = ApiServer(create_app(view, settings, cast(Any, view)), told.address, PORT)
    await api.start()
    print("ready", flush=True)
    await asyncio.Event().wait()


def main() -> int:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    asyncio.run(live(msgspec.json.decode(sys.argv[1], type=Told)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
