"""Two regions that are far apart, as operators set them up: in each a node, the shipped Kamailio, and people.

Each region has two namespaces, its house and its people, and all packets between namespaces go through a
seeded relay that delays them (tests/interop/wire.py), so that near and far are measured as anywhere else.
Between fronts and nodes SIP goes over TLS, with certificates of an authority of the cluster's own. Redis is
in the first region. Needs root.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.far_apart import Place
from tests.browser.pages import CALLERS, PAGES
from tests.interop import node as configured
from tests.interop.authority import Authority
from tests.interop.front import ClusterNode, Front
from tests.interop.node import AGENTS, DOMAIN
from tests.interop.redis_server import RedisServer
from tests.interop.talkers import Talker, Talkers
from tests.interop.wire import Wire, front_of, node_of

NAMES = ("eu", "us")
REDIS = "10.77.1.6"
LISTEN = {"udp": 5060, "tcp": 5060, "tls": 5061, "wss": 7443}
PREFIXES = {"+44": "eu", "+1": "us"}
SALES = [f"seller{n}" for n in range(20)]  # agents, all in the second region
WAIT_S = 20.0
TCP = 6


class RegionNode(ClusterNode):
    """A node in its house; asked from there."""

    def __init__(self, house: Place, *arguments: Any, **options: Any) -> None:
        self._house = house
        super().__init__(*arguments, **options)

    def _start(self) -> Any:
        with self._house.inside():
            return super()._start()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        with self._house.inside():
            return super().ask(method, path, body)

    def metrics(self) -> str:
        with self._house.inside():
            return super().metrics()


class Region:
    """number: 1 or 2. browser, carrier, travellers, sellers: addresses of people."""

    def __init__(self, number: int) -> None:
        self.number, self.name = number, NAMES[number - 1]
        self.browser, self.carrier, self.travellers, self.sellers = (
            f"10.78.{number}.{at}" for at in (30, 20, 21, 22)
        )
        own = [node_of(number), front_of(number), *([REDIS] if number == 1 else [])]
        self.house = Place(own)
        self.people = Place([self.browser, self.carrier, self.travellers, self.sellers])
        self.node: RegionNode
        self.front: Front

    @property
    def origin(self) -> str:
        return f"http://{node_of(self.number)}:8080"

    def close(self) -> None:
        self.house.close()
        self.people.close()


class TwoRegions:
    """All of it, running. Nobody calls yet."""

    def __init__(self, folder: Path, prompts: Path, seed: int = 5) -> None:
        self.folder = folder
        self.pause = threading.Event()
        self.authority = Authority()
        with ExitStack() as held:
            self.eu, self.us = self.regions = Region(1), Region(2)
            for each in self.regions:
                held.callback(each.close)
            self.wire = Wire([place for each in self.regions for place in (each.house, each.people)], seed)
            held.callback(self.wire.close)
            with self.eu.house.inside():
                self.redis = RedisServer(folder / "redis", host=REDIS, port=6379)
            held.callback(self.redis.kill)
            os.environ["ISOGLOSS_REDIS"] = self.redis.url
            self._start_nodes(prompts, held)
            for region, other in (self.regions, self.regions[::-1]):
                region.front = held.enter_context(self._front(region, other))
            self._people(held)
            self._met()
            self._held = held.pop_all()

    def _start_nodes(self, prompts: Path, held: ExitStack) -> None:
        def start(region: Region) -> None:
            with region.house.inside():
                host = node_of(region.number)
                region.node = RegionNode(
                    region.house, self.folder / region.name, region.number, prompts, host=host,
                    fronts=[front_of(1), front_of(2)], region=region.name, more=self._settings(region),
                    lines=_lines(self.regions),
                )  # fmt: skip

        if not prompts.exists():
            start(self.eu)  # who speaks the prompts, for both
        left = [each for each in self.regions if not hasattr(each, "node")]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(start, left))
        for each in self.regions:
            held.callback(_end, each.node)

    def _settings(self, region: Region) -> dict[str, Any]:
        host = node_of(region.number)
        tls = {name: str(path) for name, path in self._certified(region).items()}
        between = {"address": host, "host": host, "keys": {"k": {"file": "callers.key"}}, "key": "k"}
        near = {"redirect": True, "prefixes": PREFIXES}
        advertise = {"sip": [f"sip:{host}:5061;transport=tls"], "origin": region.origin}
        sellers = {name: configured.agent(name, ["sales"]) for name in SALES}
        sellers = {name: each | {"password": {"file": "anna.password"}} for name, each in sellers.items()}
        agents = {name: configured.agent(name, queues) for name, queues in AGENTS.items()}
        return {
            "sip": {
                "listen": [
                    {"transport": name, "address": host, "port": port} for name, port in LISTEN.items()
                ],
                "tls": tls,
            },
            "api": {"port": 8080, "callers": CALLERS, "pages": PAGES},
            "cluster": {
                "redis": {"url": {"env": "ISOGLOSS_REDIS"}, "plain": True},
                "between": between,
                "advertise": advertise,
                "near": near,
            },
            "queues": {
                name: configured.queue(name) for name in ("sales", "desk", "counter", "booth", "kiosk")
            },
            "agents": {"agents": agents | sellers},
            "numbers": {"numbers": {"sales": {"queue": "sales"}, "desk": {"queue": "desk"}}},
        }

    def _certified(self, region: Region) -> dict[str, Path]:
        """Files of a node's certificate, of its key, and of the authority."""
        folder = self.folder / f"tls-{region.name}"
        folder.mkdir()
        certificate, key = self.authority.issue(node_of(region.number))
        files = {"certificate": certificate, "key": key, "ca": self.authority.pem}
        for name, content in files.items():
            (folder / f"{name}.pem").write_bytes(content)
        return {name: folder / f"{name}.pem" for name in files}

    def _front(self, region: Region, other: Region) -> Front:
        """Its certificate names the domain and no address, as one that phones believe does."""
        lines = [line for each in self.regions for line in (each.carrier, each.travellers)]
        with region.house.inside():
            return Front(
                self.folder / f"front-{region.name}", [region.node], away=[other.node],
                host=front_of(region.number), lines=lines, defines={"SOURCE_DENSITY": "4000"},
                transport="tls", certificate=self.authority.issue(DOMAIN), authority=self.authority.pem,
            )  # fmt: skip

    def _people(self, held: ExitStack) -> None:
        """Carriers answer nodes' questions at port 5060; travellers' line is one that nobody can measure."""

        def talkers(region: Region, host: str, first: int, port: int = 0) -> Talkers:
            made = Talkers(host, region.front.address(), first, port, region.people.inside)
            held.callback(made.close)
            return made

        at = enumerate(self.regions)
        self.carriers = {each.name: talkers(each, each.carrier, 1 + 50 * n, 5060) for n, each in at}
        at = enumerate(self.regions)
        self.travellers = {each.name: talkers(each, each.travellers, 201 + 10 * n) for n, each in at}
        self.sellers = talkers(self.us, self.us.sellers, 121)

    def _met(self) -> None:
        """Nodes know each other, fronts know nodes, and the ways to both carriers have been measured."""
        both = [each.node for each in self.regions]
        for each in self.regions:
            each.front.until_active(*both)
            node = each.node
            self.until("nodes that know each other", lambda node=node: len(_up(node)) == len(both))
            self.until("ways to carriers", lambda node=node: all(_measured(node, line) for line in NAMES))

    # --- looked at ----------------------------------------------------------------------------------

    def until(self, what: str, holds: Callable[[], object], patience: float = WAIT_S) -> None:
        deadline = time.monotonic() + patience
        while not holds():
            if time.monotonic() > deadline:
                said = [f"{each.node.said()}\n{each.front.said()}" for each in self.regions]
                raise AssertionError("\n".join([f"not in {patience} s: {what}", *said]))
            self.pause.wait(0.02)

    def calls(self) -> dict[str, str]:
        """The region that each call is at, by its id."""
        living = [each for each in self.regions if each.node.process.poll() is None]
        return {call["id"]: each.name for each in living for call in each.node.get("/v1/calls")["items"]}

    def places(self, queue: str, *regions: Region) -> list[str]:
        """Calls that wait at the nodes of regions, in the order of all."""
        calls = [each for some in regions for each in some.node.get("/v1/calls")["items"]]
        waiting = [each for each in calls if each["queue"] == queue and each["waiting_position"]]
        return [each["id"] for each in sorted(waiting, key=lambda each: each["waiting_position"])]

    def pairs(self, of: Region, since: float = 0.0) -> list[tuple[Talker, Talker]]:
        """Those who hear each other by way of a region's node. since: who still did then."""
        host = node_of(of.number)
        return [
            (a, b)
            for a in self.carriers["us"].phones
            for b in self.sellers.phones
            if a.hears(b, host, since) is not None and b.hears(a, host, since) is not None
        ]

    def records(self) -> Counter[str]:
        found = (each.node.get("/v1/records?limit=200")["items"] for each in self.regions)
        return Counter(each["call"] for items in found for each in items)

    def close(self) -> None:
        self._held.close()


def _lines(regions: Sequence[Region]) -> dict[str, dict[str, Any]]:
    carriers = {
        f"carrier-{each.name}": {
            "country": "GB",
            "sources": [f"{each.carrier}/32"],
            "addresses": [{"host": each.carrier, "port": 5060}],
            "transport": "udp",
            "options_every_s": 1,
            "caller_id": {"show": "caller"},
        }
        for each in regions
    }
    return carriers | {
        "travellers": {"country": "GB", "sources": [f"{each.travellers}/32" for each in regions]}
    }


def _up(node: ClusterNode) -> list[str]:
    return [each["name"] for each in node.get("/v1/nodes")["nodes"] if each["state"] == "up"]


def _measured(node: ClusterNode, line: str) -> bool:
    """Whether the ways of both nodes to a carrier are known to this one."""
    order = node.get(f"/v1/near?line=carrier-{line}&kind=sip")["order"]
    return len(order) == 2 and all("measured" in each["why"] for each in order)


def _end(node: RegionNode) -> None:
    if node.process.poll() is None:
        node.close()
