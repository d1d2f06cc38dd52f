"""Where a request for a URI can go: RFC 3263, as a plan that asks its questions and never waits itself.

`plan` is a generator: it yields a `Question`, is sent the records found (none when there are none, or when
the lookup failed), and returns hops in the order to try them.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from random import Random

from sip.hop import DEFAULT_PORTS, Hop
from sip.reach import is_numeric
from sip.uri import Uri

MAX_HOPS = 12  # a request is not tried at more places than this, whatever a zone holds
MAX_TARGETS = 8  # SRV targets looked up for one service
TRANSPORTS = ("udp", "tcp", "tls")
FAMILIES = ("A", "AAAA")

_SERVICES = {"SIP+D2U": "udp", "SIP+D2T": "tcp", "SIPS+D2T": "tls"}
_SRV_NAMES = {"udp": "_sip._udp.", "tcp": "_sip._tcp.", "tls": "_sips._tcp."}


@dataclass(frozen=True, slots=True)
class Question:
    """kind: "NAPTR", "SRV", "A" or "AAAA". name: lower case, without the final dot."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Naptr:
    """RFC 3403; only what RFC 3263 section 4.1 reads."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str


@dataclass(frozen=True, slots=True)
class Srv:
    """RFC 2782. target: "" says that the service is decidedly not offered."""

    priority: int
    weight: int
    port: int
    target: str


@dataclass(frozen=True, slots=True)
class Address:
    """One A or AAAA record, numeric."""

    host: str


Record = Naptr | Srv | Address
Plan = Generator[Question, Sequence[Record], list[Hop]]
_Addresses = Generator[Question, Sequence[Record], list[str]]


def plan(
    uri: Uri, rng: Random, *, transports: Sequence[str] = TRANSPORTS, families: Sequence[str] = FAMILIES
) -> Plan:
    """Hops for a request to `uri` (its Request-URI, or the first Route), best first; [] when there is no way.

    transports: those we speak, in our own order of preference where the zone has none. families: "A", "AAAA",
    in the order their addresses are tried. rng decides between SRV records of one priority by their weight.
    """
    if uri.scheme not in ("sip", "sips"):
        return []
    target = (uri.param("maddr") or uri.host).strip("[]").rstrip(".").lower()
    usable = _usable(uri, transports)
    if not usable or not target:
        return []
    if is_numeric(target):
        return [Hop(usable[0], target, uri.port or DEFAULT_PORTS[usable[0]], name=uri.host)]
    if uri.port is not None:
        hosts = yield from _look_up(target, families)
        return [Hop(usable[0], host, uri.port, name=target) for host in hosts][:MAX_HOPS]
    services = yield from _services(uri, target, usable)
    found, hops = False, []
    for transport, name in services:
        records = yield Question("SRV", name)
        srvs = [record for record in records if isinstance(record, Srv)]
        found = found or bool(srvs)
        for srv in order_srv(srvs, rng)[:MAX_TARGETS]:
            hosts = yield from _look_up(srv.target, families)
            hops += [Hop(transport, host, srv.port, name=target) for host in hosts]
    if not found:  # section 4.2: no SRV record at all, so the name itself is the host
        hosts = yield from _look_up(target, families)
        default = "udp" if "udp" in usable else usable[0]
        hops = [Hop(default, host, DEFAULT_PORTS[default], name=target) for host in hosts]
    return hops[:MAX_HOPS]


def order_srv(records: Iterable[Srv], rng: Random) -> list[Srv]:
    """By priority, within one by chance in proportion to weight (RFC 2782); targets of "." are left out."""
    ordered: list[Srv] = []
    wanted = sorted((record for record in records if record.target), key=lambda record: record.priority)
    for _, group in groupby(wanted, key=lambda record: record.priority):
        left = sorted(group, key=lambda record: record.weight)  # those of weight 0 first
        while left:
            drawn = rng.randint(0, sum(record.weight for record in left))
            for record in left:
                drawn -= record.weight
                if drawn <= 0:
                    break
            ordered.append(record)
            left.remove(record)
    return ordered


def _usable(uri: Uri, transports: Sequence[str]) -> list[str]:
    """Transports this URI may be reached by, the default one of section 4.1 first where it has a say."""
    asked = (uri.param("transport") or "").lower()
    if uri.scheme == "sips" or asked == "tls":  # sips:…;transport=tcp is TLS over TCP
        allowed = ["tls"] if asked in ("", "tcp", "tls") else []
    elif asked:
        allowed = [asked]
    elif is_numeric((uri.param("maddr") or uri.host).strip("[]")) or uri.port is not None:
        allowed = ["udp", *(transport for transport in transports if transport != "udp")]
    else:
        allowed = list(transports)
    return [transport for transport in allowed if transport in transports and transport in _SRV_NAMES]


def _services(
    uri: Uri, target: str, usable: Sequence[str]
) -> Generator[Question, Sequence[Record], list[tuple[str, str]]]:
    """(transport, name to ask for SRV) in the order of preference: by NAPTR, else all we speak."""
    if uri.param("transport"):
        return [(transport, _SRV_NAMES[transport] + target) for transport in usable]
    records = yield Question("NAPTR", target)
    naptrs = [
        record
        for record in records
        if isinstance(record, Naptr)
        and record.flags.lower() == "s"
        and record.replacement
        and _SERVICES.get(record.service.upper()) in usable
    ]
    if not naptrs:
        return [(transport, _SRV_NAMES[transport] + target) for transport in usable]
    # RFC 3403 section 4.1: a higher order is not looked at once a lower one has something for us.
    lowest = min(record.order for record in naptrs)
    chosen = sorted(
        (record for record in naptrs if record.order == lowest), key=lambda record: record.preference
    )
    return [(_SERVICES[record.service.upper()], record.replacement) for record in chosen[:MAX_TARGETS]]


def _look_up(name: str, families: Sequence[str]) -> _Addresses:
    if is_numeric(name):
        return [name]
    hosts: list[str] = []
    for family in families:
        records = yield Question(family, name)
        hosts += [record.host for record in records if isinstance(record, Address)]
    return hosts[:MAX_HOPS]
