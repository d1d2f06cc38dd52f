"""Clusters in memory: nodes that share a store and a clock, without sockets between them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from config.cluster import AdvertiseSettings, ClusterSettings, NearSettings, ResidencySettings
from config.load import SHIPPED, load
from config.schema import Config
from engine.cluster.cluster import Cluster, Load
from engine.cluster.memory import MemoryServer, MemoryStore


@cache
def shipped() -> Config:
    return load(SHIPPED, {})


def settings_of(
    name: str, region: str, near: NearSettings, residency: Mapping[str, ResidencySettings]
) -> Config:
    advertise = AdvertiseSettings(
        sip=(f"sip:{name}.example.com:5060;transport=udp",), origin=f"https://{name}.example.com"
    )
    cluster = ClusterSettings(advertise=advertise, near=near, residency=residency)
    return replace(shipped(), node=replace(shipped().node, name=name, region=region), cluster=cluster)


class Clustered:
    """One node's part. calls, draining, well: how it stands."""

    def __init__(self, config: Config, server: MemoryServer) -> None:
        self.calls, self.draining, self.well = 0, False, True
        self.cluster = Cluster(
            config,
            MemoryStore(server),
            lambda: Load(self.calls, self.draining, self.well),
            life=f"life of {config.node.name}",
            started=1.0,
            rng=random.Random(config.node.name),
        )


class Clusters:
    """Nodes by name, such as eu1 in the region eu; all know each other after `beat`."""

    def __init__(
        self,
        *names: str,
        near: NearSettings | None = None,
        residency: Mapping[str, ResidencySettings] | None = None,
    ) -> None:
        self.server = MemoryServer(epoch=1_000_000.0)
        self.now = 0.0
        self.nodes = {
            name: Clustered(
                settings_of(name, name[:-1], near or NearSettings(), residency or {}), self.server
            )
            for name in names
        }
        self.beat(0.0)

    def __getitem__(self, name: str) -> Clustered:
        return self.nodes[name]

    def beat(self, now: float) -> None:
        """All beat twice: the first that beats learns of the others from the second round."""
        self.now = now
        for _ in range(2):
            for node in self.nodes.values():
                node.cluster.beat(now)

    def clock(self) -> float:
        return self.now


def alone(name: str = "isogloss-1") -> Cluster:
    """A node that is the only one."""
    return Clustered(replace(shipped(), node=replace(shipped().node, name=name)), MemoryServer()).cluster
