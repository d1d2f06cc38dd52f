"""cluster.yaml as values: who the other nodes are, how they find one another, and what makes one the nearest.

Without `redis.url` a node is alone: the same code runs with a store in its own memory.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Gt, Le
from pydantic import AfterValidator

from config.setting import (
    Address,
    Host,
    MarketName,
    Name,
    Origin,
    Port,
    SecretField,
    Words,
    setting,
    settings,
    wrong,
)
from routing.residency import Residency, allowed

_SIP = re.compile(
    r"sips?:([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(;transport=(udp|tcp|tls|ws|wss))?"
)


def _contact(text: str) -> str:
    if not _SIP.fullmatch(text):
        raise wrong(
            f"{text[:80]!r} is no SIP address of a node",
            "write host, port and transport, such as sip:203.0.113.10:5060;transport=udp",
        )
    return text


def _prefix(text: str) -> str:
    if not re.fullmatch(r"\+[1-9][0-9]{0,14}", text):
        raise wrong(f"{text[:20]!r} is not the beginning of a number", 'write it in quotes, such as "+44"')
    return text


Prefix = Annotated[str, AfterValidator(_prefix), Words("beginning of a number")]
Contact = Annotated[str, AfterValidator(_contact), Words("SIP address")]
Milliseconds = Annotated[float, Ge(0), Le(10_000), Words("milliseconds")]
Beat = Annotated[float, Ge(0.1), Le(0.6), Words("seconds")]
Lease = Annotated[float, Ge(0.5), Le(1.8), Words("seconds")]
Short = Annotated[float, Gt(0), Le(60), Words("seconds")]
Fresh = Annotated[float, Gt(0), Le(86_400), Words("seconds")]


@settings
class RedisSettings:
    url: SecretField | None = setting(
        "The Redis that nodes share (rediss://user:password@host:6379/0). Left out: this node is alone.",
        default=None,
    )
    ca: Path | None = setting(
        "Certificate in PEM that signed the server's; left out: those of the system.", default=None
    )
    plain: bool = setting(
        "Speak to it without TLS beyond this machine: only where the network itself is closed.", default=False
    )
    prefix: Name = setting(
        "What its keys begin with, the same on every node of a cluster.", default="isogloss"
    )
    timeout_s: Short = setting(
        "Silence after which the connection is given up and made anew, in seconds.", default=1.0
    )


@settings
class AdvertiseSettings:
    sip: tuple[Contact, ...] = setting(
        "Where lines and phones reach this node (sip:203.0.113.10:5060;transport=udp), best first.",
        default=(),
    )
    origin: Origin | None = setting(
        "Where browsers reach this node's API (https://a.example.com).", default=None
    )


@settings
class BetweenSettings:
    address: Address = setting("Local address that other nodes are listened to on.", default="0.0.0.0")
    port: Port = setting(
        "Its port: UDP for what nodes tell and ask each other directly, TLS over TCP for calls that cross.",
        default=7900,
    )
    host: Host | None = setting("Where other nodes reach it.", default=None)
    keys: Mapping[Name, SecretField] = setting(
        "Secrets that nodes know each other by, by key id, of 32 characters or more; the same on every node.",
        default={},
    )
    key: Name | None = setting(
        "The one that this node signs with. To change it, give all nodes the new one, then have all use it.",
        default=None,
    )


@settings
class NearSettings:
    ping_s: Annotated[float, Ge(0.1), Le(10), Words("seconds")] = setting(
        "Seconds between measurements of the way to another node.", default=0.5
    )
    fresh_s: Fresh = setting(
        "How long a measurement of a caller's way counts as it is; after that, what is known of her region.",
        default=600.0,
    )
    same_ms: Milliseconds = setting(
        "Nodes whose predicted delay differs by no more are equals: the one that had the caller last stays, "
        "else the one with least load takes her.",
        default=5.0,
    )
    load_ms: Milliseconds = setting(
        "What a full node has against it, in milliseconds; grows by the square of its load.", default=40.0
    )
    unknown_ms: Milliseconds = setting(
        "Round trip that is assumed between regions of which nothing is known.", default=200.0
    )
    candidates: Annotated[int, Ge(1), Le(16), Words("number")] = setting(
        "Nodes that a browser is told of, to measure the way to each: one of each region first.", default=8
    )
    prefixes: Mapping[Prefix, Name] = setting(
        'Regions of callers by the beginnings of their numbers ("+44": eu-west); the longest counts.',
        default={},
    )
    redirect: bool = setting(
        "Send a call that comes in by SIP to the nearest node (302), where this one is not it.", default=False
    )


@settings
class SharingSettings:
    idle_s_per_ms: Annotated[float, Ge(0), Le(600), Words("seconds")] = setting(
        "Callers get near agents first: a millisecond of round trip between nodes weighs as much as so many "
        "seconds that an agent has been idle for less.",
        default=3.0,
    )


@settings
class ResidencySettings:
    markets: tuple[MarketName, ...] = setting("Markets whose calls it holds for.", default=())
    regions: tuple[Name, ...] = setting("Regions whose nodes those calls may be at.", default=())

    def value(self) -> Residency:
        return Residency(markets=frozenset(self.markets), regions=frozenset(self.regions))


@settings
class ClusterSettings:
    redis: RedisSettings = setting("What the nodes share.", default=RedisSettings())
    advertise: AdvertiseSettings = setting(
        "Where this node is reached from outside.", default=AdvertiseSettings()
    )
    between: BetweenSettings = setting("How nodes reach each other directly.", default=BetweenSettings())
    beat_s: Beat = setting("Seconds between signs of life of a node.", default=0.5)
    lease_s: Lease = setting(
        "How long a node counts as there after its last sign of life, in seconds.", default=1.5
    )
    near: NearSettings = setting("What makes a node the nearest.", default=NearSettings())
    sharing: SharingSettings = setting("How the nodes share queues and agents.", default=SharingSettings())
    residency: Mapping[Name, ResidencySettings] = setting(
        "Rules for where calls may be, by name. Calls of markets without one may be anywhere.", default={}
    )

    @property
    def alone(self) -> bool:
        """Whether this is a cluster of one, in memory."""
        return self.redis.url is None

    def regions_for(self, market: str) -> frozenset[str]:
        """The regions whose nodes a market's calls may be at; empty: any."""
        return allowed((each.value() for each in self.residency.values()), market)
