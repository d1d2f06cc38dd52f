"""Names to hops: `sip.resolve.plan` answered by DNS through dnspython, with a bounded cache by TTL."""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import dns.asyncresolver
import dns.exception
import dns.inet
import dns.rdatatype
import dns.resolver
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA
from dns.rdtypes.IN.NAPTR import NAPTR
from dns.rdtypes.IN.SRV import SRV

from sip.hop import Hop
from sip.resolve import FAMILIES, TRANSPORTS, Address, Naptr, Plan, Question, Record, Srv, plan
from sip.uri import Uri

MAX_QUESTIONS = 40  # for one URI
MAX_RECORDS = 64  # of one answer that are looked at
MAX_HOSTS = 10_000

_SERVICE = re.compile(r"^_[a-z]+\._[a-z]+\.")


@dataclass(frozen=True, slots=True)
class DnsSettings:
    """Times are seconds. nameservers: numeric addresses; none means what /etc/resolv.conf names.

    stale: how long an answer is used beyond its TTL while the servers do not answer (RFC 8767).
    """

    nameservers: tuple[str, ...] = ()
    port: int = 53
    timeout: float = 1.0  # for one server
    lifetime: float = 3.0  # for one question
    max_entries: int = 10_000
    min_ttl: float = 5.0
    max_ttl: float = 86_400.0
    after_failure: float = 5.0  # before a question that failed is asked again
    stale: float = 3600.0


@dataclass(frozen=True, slots=True)
class _Entry:
    records: tuple[Record, ...]
    fresh_until: float
    stale_until: float


class Resolver:
    """Finds hops. `hosts` come first, as in /etc/hosts: lower-case name -> numeric addresses."""

    def __init__(
        self,
        settings: DnsSettings,
        *,
        rng: Random,
        transports: Sequence[str] = TRANSPORTS,
        families: Sequence[str] = FAMILIES,
        hosts: Mapping[str, Sequence[str]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._rng = rng
        self._transports = tuple(transports)
        self._families = tuple(families)
        self._hosts = {"localhost": ("127.0.0.1", "::1"), **(hosts or {})}
        self._clock = clock
        self._cache: OrderedDict[Question, _Entry] = OrderedDict()  # least used first
        self._asking: dict[Question, asyncio.Task[tuple[Record, ...]]] = {}
        self._resolver = self._make_resolver()

    async def resolve(self, uri: Uri) -> list[Hop]:
        """Hops for a request to `uri`, best first; [] when there is no way. Never raises for DNS."""
        return await self._run(self._plan(uri))

    def known(self, uri: Uri) -> list[Hop]:
        """The same from cache, hosts and numeric addresses alone, at once; [] while an answer is missing."""
        steps = self._plan(uri)
        try:
            question = next(steps)
            for _ in range(MAX_QUESTIONS):
                records = self._cached(question)
                if records is None:
                    return []
                question = steps.send(records)
        except StopIteration as found:
            hops: list[Hop] = found.value
            return hops
        return []

    def __len__(self) -> int:
        return len(self._cache)

    async def close(self) -> None:
        """Give up what is being asked."""
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _plan(self, uri: Uri) -> Plan:
        return plan(uri, self._rng, transports=self._transports, families=self._families)

    async def _run(self, steps: Plan) -> list[Hop]:
        try:
            question = next(steps)
            for _ in range(MAX_QUESTIONS):
                question = steps.send(await self._answer(question))
        except StopIteration as found:
            hops: list[Hop] = found.value
            return hops
        return []

    async def _answer(self, question: Question) -> tuple[Record, ...]:
        records = self._cached(question)
        if records is not None:
            return records
        task = self._asking.get(question)
        if task is None:
            task = self._asking[question] = asyncio.create_task(self._ask(question))
            task.add_done_callback(lambda _: self._asking.pop(question, None))
        return await asyncio.shield(task)  # others may wait for the same answer

    def _cached(self, question: Question) -> tuple[Record, ...] | None:
        host = _SERVICE.sub("", question.name)
        if host in self._hosts:
            return _from_hosts(question, self._hosts[host])
        entry = self._cache.get(question)
        if entry is None or entry.fresh_until <= self._clock():
            return None
        self._cache.move_to_end(question)
        return entry.records

    async def _ask(self, question: Question) -> tuple[Record, ...]:
        settings = self._settings
        try:
            answer = await self._resolver.resolve(
                question.name, question.kind, raise_on_no_answer=False, lifetime=settings.lifetime
            )
        except dns.resolver.NXDOMAIN as missing:
            return self._store(question, (), _negative_ttl(missing))
        except (dns.exception.DNSException, OSError, UnicodeError):
            return self._failed(question)
        records = tuple(_read(record) for record in list(answer.rrset or ())[:MAX_RECORDS])
        found = tuple(record for record in records if record is not None)
        return self._store(question, found, answer.chaining_result.minimum_ttl)

    def _store(self, question: Question, records: tuple[Record, ...], ttl: float) -> tuple[Record, ...]:
        settings, now = self._settings, self._clock()
        fresh = now + min(max(ttl, settings.min_ttl), settings.max_ttl)
        self._keep(question, _Entry(records, fresh, fresh + settings.stale))
        return records

    def _failed(self, question: Question) -> tuple[Record, ...]:
        """No server answered: what was known lately is better than nothing."""
        now = self._clock()
        known = self._cache.get(question)
        again = now + self._settings.after_failure
        if known is None or known.stale_until <= now:
            self._keep(question, _Entry((), again, again))
            return ()
        self._keep(question, _Entry(known.records, again, known.stale_until))
        return known.records

    def _keep(self, question: Question, entry: _Entry) -> None:
        self._cache[question] = entry
        self._cache.move_to_end(question)
        while len(self._cache) > self._settings.max_entries:
            self._cache.popitem(last=False)

    def _make_resolver(self) -> dns.asyncresolver.Resolver:
        settings = self._settings
        try:
            resolver = dns.asyncresolver.Resolver(configure=not settings.nameservers)
        except dns.resolver.NoResolverConfiguration:
            resolver = dns.asyncresolver.Resolver(configure=False)
        if settings.nameservers:
            resolver.nameservers = list(settings.nameservers)
            resolver.port = settings.port
        resolver.timeout = settings.timeout
        resolver.lifetime = settings.lifetime
        return resolver


def read_hosts(path: Path = Path("/etc/hosts")) -> dict[str, tuple[str, ...]]:
    """Lower-case name -> numeric addresses of a hosts file; empty when it cannot be read."""
    hosts: dict[str, tuple[str, ...]] = {}
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return hosts
    for line in lines[:MAX_HOSTS]:
        words = line.partition("#")[0].lower().split()
        if len(words) > 1 and dns.inet.is_address(words[0]):
            for name in words[1:]:
                hosts[name] = (*hosts.get(name, ()), words[0])
    return hosts


def _from_hosts(question: Question, addresses: Sequence[str]) -> tuple[Record, ...]:
    if question.kind not in FAMILIES:
        return ()
    wants_ipv6 = question.kind == "AAAA"
    return tuple(Address(address) for address in addresses if (":" in address) == wants_ipv6)


def _read(record: object) -> Record | None:
    if isinstance(record, A | AAAA):
        return Address(record.address)
    if isinstance(record, SRV):
        return Srv(record.priority, record.weight, record.port, _name(record.target.to_text()))
    if isinstance(record, NAPTR):
        flags, service = record.flags.decode("ascii", "replace"), record.service.decode("ascii", "replace")
        return Naptr(record.order, record.preference, flags, service, _name(record.replacement.to_text()))
    return None


def _name(text: str) -> str:
    return text.rstrip(".").lower()


def _negative_ttl(missing: dns.resolver.NXDOMAIN) -> float:
    """RFC 2308: by the SOA record of the zone that says so."""
    responses = missing.kwargs.get("responses", {})
    return min(
        (response.resolve_chaining().minimum_ttl for response in responses.values()),
        default=0.0,
    )
