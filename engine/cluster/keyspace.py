"""A small Redis in memory: the data types and commands that the cluster uses, on passed-in time.

Semantics are those of Redis 7 (https://redis.io/docs/latest/commands): what is empty is not there, a value
of another type is an error, scores sort before members. Answers are as in RESP2: bytes, ints, lists, None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from engine.cluster.store import Part, Value, encoded

T = TypeVar("T")


class KeyspaceError(Exception):
    """What Redis would answer with an error: a wrong type, verb or count of arguments."""


class Keyspace:
    """Keys with values and deadlines. `now`, in epoch seconds, is set by whoever calls."""

    def __init__(self, publish: Callable[[str, bytes], int]) -> None:
        self.now = 0.0
        self._values: dict[str, Any] = {}
        self._deadlines: dict[str, float] = {}
        self._publish = publish

    def call(self, verb: str, *parts: Part) -> Value:
        """One command. Raises KeyspaceError."""
        command = _COMMANDS.get(verb.upper())
        if command is None:
            raise KeyspaceError(f"unknown command '{verb}'")
        try:
            return command(self, *map(encoded, parts))
        except (TypeError, ValueError) as error:
            raise KeyspaceError(f"{verb}: {error}") from error

    def clear(self) -> None:
        """As after a restart of a server that keeps nothing."""
        self._values.clear()
        self._deadlines.clear()

    # --- keys

    def _find(self, key: bytes, kind: type[T]) -> T | None:
        name = key.decode()
        if self._deadlines.get(name, self.now + 1) <= self.now:
            self._drop(name)
        value = self._values.get(name)
        if value is not None and not isinstance(value, kind):
            raise KeyspaceError("WRONGTYPE Operation against a key holding the wrong kind of value")
        return value

    def _make(self, key: bytes, kind: type[T]) -> T:
        found = self._find(key, kind)
        if found is None:
            found = self._values[key.decode()] = kind()
        return found

    def _drop(self, name: str) -> None:
        self._values.pop(name, None)
        self._deadlines.pop(name, None)

    def _drop_empty(self, key: bytes) -> None:
        if not self._values.get(key.decode(), True):
            self._drop(key.decode())

    def time(self) -> Value:
        whole = int(self.now)
        return [b"%d" % whole, b"%d" % int((self.now - whole) * 1e6)]

    def exists(self, *keys: bytes) -> Value:
        return sum(self._find(key, object) is not None for key in keys)

    def delete(self, *keys: bytes) -> Value:
        found = sum(self._find(key, object) is not None for key in keys)
        for key in keys:
            self._drop(key.decode())
        return found

    def pexpire(self, key: bytes, ms: bytes) -> Value:
        if self._find(key, object) is None:
            return 0
        self._deadlines[key.decode()] = self.now + int(ms) / 1000
        return 1

    def pttl(self, key: bytes) -> Value:
        if self._find(key, object) is None:
            return -2
        deadline = self._deadlines.get(key.decode())
        return -1 if deadline is None else max(0, round((deadline - self.now) * 1000))

    # --- strings

    def get(self, key: bytes) -> Value:
        return self._find(key, bytes)

    def set(self, key: bytes, value: bytes, *options: bytes) -> Value:
        words = [option.upper() for option in options]
        ms = int(options[words.index(b"PX") + 1]) if b"PX" in words else None
        there = self._find(key, object) is not None
        if (b"NX" in words and there) or (b"XX" in words and not there):
            return None
        self._drop(key.decode())
        self._values[key.decode()] = value
        if ms is not None:
            self.pexpire(key, b"%d" % ms)
        return b"OK"

    def incrby(self, key: bytes, step: bytes = b"1") -> Value:
        number = int(self._find(key, bytes) or b"0") + int(step)
        self._values[key.decode()] = b"%d" % number
        return number

    # --- hashes

    def hset(self, key: bytes, *pairs: bytes) -> Value:
        if not pairs or len(pairs) % 2:
            raise KeyspaceError("wrong number of arguments for 'hset'")
        fields: dict[bytes, bytes] = self._make(key, dict)
        before = len(fields)
        fields.update(zip(pairs[::2], pairs[1::2], strict=True))
        return len(fields) - before

    def hget(self, key: bytes, field: bytes) -> Value:
        return (self._find(key, dict) or {}).get(field)

    def hmget(self, key: bytes, *fields: bytes) -> Value:
        return [(self._find(key, dict) or {}).get(field) for field in fields]

    def hgetall(self, key: bytes) -> Value:
        return [part for pair in (self._find(key, dict) or {}).items() for part in pair]

    def hdel(self, key: bytes, *fields: bytes) -> Value:
        found: dict[bytes, bytes] = self._find(key, dict) or {}
        gone = sum(found.pop(field, None) is not None for field in fields)
        self._drop_empty(key)
        return gone

    def hlen(self, key: bytes) -> Value:
        return len(self._find(key, dict) or ())

    def hexists(self, key: bytes, field: bytes) -> Value:
        return int(field in (self._find(key, dict) or ()))

    def hincrby(self, key: bytes, field: bytes, step: bytes) -> Value:
        fields: dict[bytes, bytes] = self._make(key, dict)
        number = int(fields.get(field, b"0")) + int(step)
        fields[field] = b"%d" % number
        return number

    # --- sets

    def sadd(self, key: bytes, *members: bytes) -> Value:
        found: set[bytes] = self._make(key, set)
        before = len(found)
        found.update(members)
        return len(found) - before

    def srem(self, key: bytes, *members: bytes) -> Value:
        found: set[bytes] = self._find(key, set) or set()
        gone = len(found & set(members))
        found.difference_update(members)
        self._drop_empty(key)
        return gone

    def smembers(self, key: bytes) -> Value:
        return sorted(self._find(key, set) or ())

    def sismember(self, key: bytes, member: bytes) -> Value:
        return int(member in (self._find(key, set) or ()))

    # --- sorted sets

    def zadd(self, key: bytes, *parts: bytes) -> Value:
        missing = bool(parts) and parts[0].upper() == b"NX"
        pairs = parts[1:] if missing else parts
        found = self._make(key, _Sorted)
        before = len(found)
        for score, member in zip(pairs[::2], pairs[1::2], strict=True):
            if not (missing and member in found):
                found[member] = float(score)
        return len(found) - before

    def zrem(self, key: bytes, *members: bytes) -> Value:
        found = self._find(key, _Sorted) or _Sorted()
        gone = sum(found.pop(member, None) is not None for member in members)
        self._drop_empty(key)
        return gone

    def zscore(self, key: bytes, member: bytes) -> Value:
        score = (self._find(key, _Sorted) or _Sorted()).get(member)
        return None if score is None else _score(score)

    def zcard(self, key: bytes) -> Value:
        return len(self._find(key, _Sorted) or ())

    def zrank(self, key: bytes, member: bytes) -> Value:
        ranked = self._ranked(key)
        return next((at for at, (found, _) in enumerate(ranked) if found == member), None)

    def zrange(self, key: bytes, low: bytes, high: bytes, *options: bytes) -> Value:
        ranked = self._ranked(key)
        end = int(high) + 1
        return _shown(ranked[int(low) : end or None], options)

    def zrangebyscore(self, key: bytes, low: bytes, high: bytes, *options: bytes) -> Value:
        words = [option.upper() for option in options]
        ranked = [pair for pair in self._ranked(key) if _above(pair[1], low) and _below(pair[1], high)]
        if b"LIMIT" in words:
            at = words.index(b"LIMIT")
            start, count = int(options[at + 1]), int(options[at + 2])
            ranked = ranked[start:] if count < 0 else ranked[start : start + count]
        return _shown(ranked, options)

    def zremrangebyscore(self, key: bytes, low: bytes, high: bytes) -> Value:
        gone = [member for member, score in self._ranked(key) if _above(score, low) and _below(score, high)]
        return self.zrem(key, *gone) if gone else 0

    def _ranked(self, key: bytes) -> list[tuple[bytes, float]]:
        return sorted((self._find(key, _Sorted) or {}).items(), key=lambda pair: (pair[1], pair[0]))

    # --- channels

    def publish(self, channel: bytes, payload: bytes) -> Value:
        return self._publish(channel.decode(), payload)


class _Sorted(dict[bytes, float]):
    """A sorted set: scores by member."""


def _score(score: float) -> bytes:
    return (str(int(score)) if score == int(score) else repr(score)).encode()


def _above(score: float, low: bytes) -> bool:
    return score > float(low[1:]) if low.startswith(b"(") else score >= float(low)


def _below(score: float, high: bytes) -> bool:
    return score < float(high[1:]) if high.startswith(b"(") else score <= float(high)


def _shown(ranked: Sequence[tuple[bytes, float]], options: Sequence[bytes]) -> Value:
    if b"WITHSCORES" in [option.upper() for option in options]:
        return [part for member, score in ranked for part in (member, _score(score))]
    return [member for member, _ in ranked]


_COMMANDS: Mapping[str, Callable[..., Value]] = {
    "TIME": Keyspace.time,
    "EXISTS": Keyspace.exists,
    "DEL": Keyspace.delete,
    "PEXPIRE": Keyspace.pexpire,
    "PTTL": Keyspace.pttl,
    "GET": Keyspace.get,
    "SET": Keyspace.set,
    "INCR": Keyspace.incrby,
    "INCRBY": Keyspace.incrby,
    "HSET": Keyspace.hset,
    "HGET": Keyspace.hget,
    "HMGET": Keyspace.hmget,
    "HGETALL": Keyspace.hgetall,
    "HDEL": Keyspace.hdel,
    "HLEN": Keyspace.hlen,
    "HEXISTS": Keyspace.hexists,
    "HINCRBY": Keyspace.hincrby,
    "SADD": Keyspace.sadd,
    "SREM": Keyspace.srem,
    "SMEMBERS": Keyspace.smembers,
    "SISMEMBER": Keyspace.sismember,
    "ZADD": Keyspace.zadd,
    "ZREM": Keyspace.zrem,
    "ZSCORE": Keyspace.zscore,
    "ZCARD": Keyspace.zcard,
    "ZRANK": Keyspace.zrank,
    "ZRANGE": Keyspace.zrange,
    "ZRANGEBYSCORE": Keyspace.zrangebyscore,
    "ZREMRANGEBYSCORE": Keyspace.zremrangebyscore,
    "PUBLISH": Keyspace.publish,
}
