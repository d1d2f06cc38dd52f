"""What must hold of a cluster's settings together."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from config.cluster import ClusterSettings
from config.fault import Fault
from config.fault import Path as SettingPath
from config.parts import Parts
from config.secret import Secret

SHORTEST_KEY = 32
BEATS = 3  # two may be lost before a node is taken for gone


def cluster_faults(parts: Parts) -> Iterator[Fault]:
    cluster = parts.cluster
    if cluster is None:
        return
    if cluster.lease_s < BEATS * cluster.beat_s:
        problem = f"{cluster.lease_s:g} is under {BEATS} × beat_s: one beat that is late would lose the node"
        remedy = f"write {BEATS * cluster.beat_s:g} or more, or lower beat_s"
        yield parts.fault("cluster", ("lease_s",), problem, remedy)
    yield from _keys(parts, cluster)
    yield from _residency(parts, cluster)
    if cluster.advertise.origin == "*":
        remedy = "write scheme and host, such as https://a.example.com"
        yield parts.fault("cluster", ("advertise", "origin"), "is no place to call", remedy)
    if cluster.redis.url is not None:
        yield from _redis(parts, cluster, cluster.redis.url)
        yield from _together(parts, cluster)


def _redis(parts: Parts, cluster: ClusterSettings, url: Secret) -> Iterator[Fault]:
    path: SettingPath = ("redis", "url")
    if url.generated:
        remedy = "write {env: NAME} or {file: PATH}"
        yield parts.fault("cluster", path, "a server's address cannot be made up", remedy)
        return
    try:
        split = urlsplit(url.reveal())
        host, sound = split.hostname or "", split.scheme in ("redis", "rediss") and split.port != 0
    except ValueError:
        host, sound = "", False
    if not sound or not host:
        remedy = "let it hold rediss://user:password@host:6379/0"
        yield parts.fault("cluster", path, f"what {url.source} holds is no address of a Redis", remedy)
    elif split.scheme == "redis" and not cluster.redis.plain and not _here(host):
        problem = "would send passwords and calls' state over a network in the clear"
        yield parts.fault("cluster", path, problem, "write rediss://, or plain: true for a closed network")
    ca = cluster.redis.ca
    if ca is not None and not (parts.folder / ca).is_file():
        yield parts.fault(
            "cluster", ("redis", "ca"), f"{parts.folder / ca} is no file", "put it there in PEM"
        )


def _here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _together(parts: Parts, cluster: ClusterSettings) -> Iterator[Fault]:
    """What a node of several needs, and one that is alone does not."""
    between = cluster.between
    if between.key is None:
        remedy = "add between.keys and name the one that is used: between.key"
        yield parts.fault("cluster", ("between",), "nodes have nothing to know each other by", remedy)
    if between.host is None or between.host in ("0.0.0.0", "::"):
        remedy = "write the host name or address that the other nodes reach"
        yield parts.fault("cluster", ("between", "host"), "leads no other node here", remedy)
    if not cluster.advertise.sip and cluster.advertise.origin is None:
        remedy = "add sip, origin or both"
        yield parts.fault("cluster", ("advertise",), "calls cannot be sent to this node", remedy)


def _keys(parts: Parts, cluster: ClusterSettings) -> Iterator[Fault]:
    between = cluster.between
    if between.key is not None and between.key not in between.keys:
        problem, remedy = f"there is no key '{between.key}'", "add it to between.keys"
        yield parts.fault("cluster", ("between", "key"), problem, remedy)
    for name, key in between.keys.items():
        path = ("between", "keys", name)
        if key.generated:
            remedy = "write {env: NAME} or {file: PATH}, the same on every node"
            yield parts.fault("cluster", path, "other nodes would not know it", remedy)
        elif len(key.reveal()) < SHORTEST_KEY:
            remedy = "for instance: openssl rand -base64 48"
            yield parts.fault("cluster", path, f"is under {SHORTEST_KEY} characters", remedy)


def _residency(parts: Parts, cluster: ClusterSettings) -> Iterator[Fault]:
    for name, rule in cluster.residency.items():
        for setting, values in (("markets", rule.markets), ("regions", rule.regions)):
            if not values:
                remedy = f"name {setting}, or remove the rule"
                yield parts.fault("cluster", ("residency", name), f"names no {setting}", remedy)
    for market in sorted({market for rule in cluster.residency.values() for market in rule.markets}):
        rules = [rule for rule in cluster.residency.values() if market in rule.markets]
        if all(rule.regions for rule in rules) and not cluster.regions_for(market):
            problem = f"its rules leave calls of '{market}' nowhere to be"
            yield parts.fault("cluster", ("residency",), problem, "let the rules share a region")
