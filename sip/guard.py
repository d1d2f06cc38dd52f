"""A guard against guessing: sources that fail are slowed, then blocked, and forgiven with time.

Only failures over a nonce that was given to that very source count (see `sip/challenge.py`), so nobody can
have somebody else's address blocked by forging it. What forged addresses can do, draw challenges, is kept to
a rate; and a source that only ever asks, as scanners do, is *ignored*: from there nothing is answered but
what proves itself. Who has proved themselves from an address lately keeps it from being ignored, so a forger
silences nobody but strangers, and one of those is heard again with the first request that proves itself. Who
does both, guesses and asks on instead of waiting for the answer that is held back, is blocked at once.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

Network = IPv4Network | IPv6Network


class Why(StrEnum):
    """What a source is turned away for."""

    GUESSED = "wrong_passwords"  # as many as are too many
    HURRIED = "wrong_passwords_and_no_patience"  # some, and it asked on while it was made to wait
    ASKED = "questions_without_proof"


@dataclass(frozen=True, slots=True)
class GuardPolicy:
    """Times are seconds, counts are failures. A source is an IPv4 address or an IPv6 /64."""

    free_failures: int = 2  # mistyped passwords that cost nothing
    first_delay: float = 0.5  # before the answer to the next failure; doubles with each
    longest_delay: float = 8.0
    block_after: int = 10
    first_block: float = 300.0  # doubles each time the source earns another
    longest_block: float = 86_400.0
    half_life: float = 300.0  # a failure counts half after this
    proven_factor: float = 5.0  # what a source of recent successes may fail more: an office has one address
    proven_for: float = 3_600.0
    challenge_rate: float = 50.0  # answers to requests without valid credentials, a second and source
    challenge_burst: float = 500.0
    ignore_after: int = 60  # questions of a source that never proved anything
    ignore_for: float = 300.0
    max_sources: int = 20_000  # rows of each table
    exempt: tuple[Network, ...] = ()  # never slowed or blocked


@dataclass(frozen=True, slots=True)
class Slowed:
    """A source's failures are answered late from now on."""

    source: str
    failures: float
    user: str  # the name it tried last; not necessarily one that exists


@dataclass(frozen=True, slots=True)
class Blocked:
    """A source gets no answer for `seconds`. why: GUESSED or HURRIED."""

    source: str
    seconds: float
    failures: float
    user: str
    why: Why = Why.GUESSED


@dataclass(frozen=True, slots=True)
class Ignored:
    """A source asked without end and proved nothing; for `seconds` only what proves itself is answered."""

    source: str
    seconds: float
    asked: float
    user: str


@dataclass(frozen=True, slots=True)
class Unblocked:
    """A source's time is up, or it was let off: it is neither blocked nor ignored."""

    source: str


GuardEvent = Slowed | Blocked | Ignored | Unblocked


@dataclass(frozen=True, slots=True)
class Sentence:
    """What a source has to bear. since, until: seconds. count: of failures, or of questions."""

    source: str
    since: float
    until: float
    count: float
    user: str
    why: Why

    @property
    def ignored(self) -> bool:
        """What proves itself is answered; else nothing is."""
        return self.why is Why.ASKED


@dataclass(slots=True)
class _Record:
    score: float = 0.0  # failures, decaying
    scored_at: float = 0.0
    proven_until: float = 0.0
    blocks: int = 0  # how many were earned


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


@lru_cache(maxsize=8192)
def source_of(host: str) -> str:
    """What one attacker is held to own: an IPv4 address, or the /64 of an IPv6 address (`prefix::/64`)."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(IPv6Network((int(address) >> 64 << 64, 64)))
    return str(address)


@dataclass(slots=True)
class Guard:
    """Bounded tables of what sources did. `host` arguments are numeric addresses, `now` seconds."""

    policy: GuardPolicy = field(default_factory=GuardPolicy)
    _records: OrderedDict[str, _Record] = field(default_factory=OrderedDict)  # least recent first
    _blocked: OrderedDict[str, Sentence] = field(default_factory=OrderedDict)
    _ignored: OrderedDict[str, Sentence] = field(default_factory=OrderedDict)
    _strangers: OrderedDict[str, _Record] = field(default_factory=OrderedDict)  # their questions
    _buckets: OrderedDict[str, _Bucket] = field(default_factory=OrderedDict)
    _events: deque[GuardEvent] = field(default_factory=lambda: deque(maxlen=1000))

    def blocks(self, host: str, now: float) -> bool:
        """Whether nothing from there is to be answered now. Cheap enough to ask before parsing."""
        return self._bears(self._blocked, host, now)

    def ignores(self, host: str, now: float) -> bool:
        """Whether nothing from there is to be answered now but what proves itself."""
        return self._bears(self._ignored, host, now)

    def _bears(self, table: OrderedDict[str, Sentence], host: str, now: float) -> bool:
        if not table:
            return False
        source = source_of(host)
        sentence = table.get(source)
        if sentence is None:
            return False
        if now < sentence.until:
            return True
        del table[source]
        self._events.append(Unblocked(source))
        return False

    def may_answer(self, host: str, now: float) -> bool:
        """Take one answer to a request without valid credentials from the source's allowance."""
        if self._is_exempt(host):
            return True
        source, policy = source_of(host), self.policy
        bucket = self._buckets.get(source)
        if bucket is None:
            bucket = self._buckets[source] = _Bucket(policy.challenge_burst, now)
            _bound(self._buckets, policy.max_sources)
        filled = bucket.tokens + (now - bucket.filled_at) * policy.challenge_rate
        bucket.tokens, bucket.filled_at = min(policy.challenge_burst, filled), now
        self._buckets.move_to_end(source)
        if bucket.tokens < 1.0:
            return False
        bucket.tokens -= 1.0
        return True

    def delay(self, host: str, now: float) -> float:
        """Seconds an answer other than success has to wait."""
        record = self._records.get(source_of(host))
        if record is None or self._is_exempt(host):
            return 0.0
        over = self._score(record, now) / self._factor(record, now) - self.policy.free_failures
        if over <= 0.0:
            return 0.0
        return float(min(self.policy.longest_delay, self.policy.first_delay * 2.0 ** min(over - 1.0, 30.0)))

    def failed(self, host: str, user: str, now: float) -> None:
        """Count a wrong password or an unknown user; the two count alike."""
        if self._is_exempt(host):
            return
        source = source_of(host)
        record = self._touch(source)
        was_slowed = self.delay(host, now) > 0.0
        record.score, record.scored_at = self._score(record, now) + 1.0, now
        slowed = self.delay(host, now) > 0.0
        # Half a failure less: the score decays between tries, and ten tries within minutes are ten.
        if record.score / self._factor(record, now) > self.policy.block_after - 0.5:
            self._block(source, record, user, Why.GUESSED, now)
        elif slowed and self.ignores(host, now):
            self._block(source, record, user, Why.HURRIED, now)
        elif slowed and not was_slowed:
            self._events.append(Slowed(source, record.score, user))

    def succeeded(self, host: str, now: float) -> None:
        """Remember that a user proved themselves from there.

        It raises the limits and does not wipe the slate: an attacker with one good account would otherwise
        guess at the others without end.
        """
        source = source_of(host)
        self._touch(source).proven_until = now + self.policy.proven_for
        self._strangers.pop(source, None)
        if self._ignored.pop(source, None) is not None:
            self._events.append(Unblocked(source))

    def asked(self, host: str, user: str, now: float) -> None:
        """Count a request that proves nothing. Its address may be forged, so it counts against nobody who has
        proved themselves from there; and only those are blocked by it who are really there, for they have
        guessed over nonces of their own until they were slowed.
        """
        source, policy = source_of(host), self.policy
        known = self._records.get(source)
        if (known is not None and now < known.proven_until) or self._is_exempt(host):
            return
        record = self._strangers.get(source)
        if record is None:
            record = self._strangers[source] = _Record()
            _bound(self._strangers, policy.max_sources)
        self._strangers.move_to_end(source)
        record.score, record.scored_at = self._score(record, now) + 1.0, now
        if record.score <= policy.ignore_after - 0.5 or self.ignores(host, now):
            return
        if known is not None and self.delay(host, now) > 0.0:
            self._block(source, known, user, Why.HURRIED, now)
            return
        until = now + policy.ignore_for
        self._sentence(self._ignored, Sentence(source, now, until, record.score, user, Why.ASKED))
        self._events.append(Ignored(source, policy.ignore_for, record.score, user))
        del self._strangers[source]

    def unblock(self, host: str) -> bool:
        """An operator's pardon; False when the source was neither blocked nor ignored."""
        source = source_of(host)
        self._records.pop(source, None)
        self._strangers.pop(source, None)
        borne = [table.pop(source, None) for table in (self._blocked, self._ignored)]
        if borne == [None, None]:
            return False
        self._events.append(Unblocked(source))
        return True

    def sentences(self, now: float) -> list[Sentence]:
        """Sources that are blocked or ignored now, the latest last."""
        found = [*self._blocked.values(), *self._ignored.values()]
        return sorted((each for each in found if each.until > now), key=lambda each: each.since)

    def expire(self, now: float) -> None:
        """Let go of those whose time is up, though nothing more comes from there."""
        for table in (self._blocked, self._ignored):
            for source in [each.source for each in table.values() if each.until <= now]:
                del table[source]
                self._events.append(Unblocked(source))

    def events(self) -> list[GuardEvent]:
        """What happened since the last call, drained; the oldest are lost beyond a thousand."""
        drained = list(self._events)
        self._events.clear()
        return drained

    def counts(self) -> dict[str, int]:
        """Rows of each table."""
        tables: dict[str, OrderedDict[str, Any]] = {
            "records": self._records,
            "blocked": self._blocked,
            "ignored": self._ignored,
            "strangers": self._strangers,
            "buckets": self._buckets,
        }
        return {name: len(table) for name, table in tables.items()}

    def _block(self, source: str, record: _Record, user: str, why: Why, now: float) -> None:
        policy, count = self.policy, self._score(record, now)
        seconds = min(policy.longest_block, policy.first_block * 2.0 ** min(record.blocks, 30))
        record.blocks += 1
        record.score = 0.0
        self._ignored.pop(source, None)  # the lesser measure
        self._strangers.pop(source, None)
        self._sentence(self._blocked, Sentence(source, now, now + seconds, count, user, why))
        self._events.append(Blocked(source, seconds, count, user, why))

    def _sentence(self, table: OrderedDict[str, Sentence], sentence: Sentence) -> None:
        table[sentence.source] = sentence
        table.move_to_end(sentence.source)
        _bound(table, self.policy.max_sources)

    def _touch(self, source: str) -> _Record:
        record = self._records.get(source)
        if record is None:
            record = self._records[source] = _Record()
            _bound(self._records, self.policy.max_sources)
        self._records.move_to_end(source)
        return record

    def _score(self, record: _Record, now: float) -> float:
        return record.score * float(0.5 ** ((now - record.scored_at) / self.policy.half_life))

    def _factor(self, record: _Record, now: float) -> float:
        return self.policy.proven_factor if now < record.proven_until else 1.0

    def _is_exempt(self, host: str) -> bool:
        return bool(self.policy.exempt) and within(host, self.policy.exempt)


def within(host: str, networks: Sequence[Network]) -> bool:
    """Whether a numeric address lies in one of the networks; an IPv4-mapped IPv6 address counts as IPv4."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in networks)


def _bound(table: OrderedDict[str, Any], limit: int) -> None:
    while len(table) > limit:
        table.popitem(last=False)
