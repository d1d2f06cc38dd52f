"""Who is registered, as scripts over the store: a beat renews one's lease and reads all, a leave ends it.

Three keys: `members` (name → packed `Member`), `lives` (name → when its life began, and its id) and `until`
(names by when their leases end, in milliseconds of the store's clock). Times that come back are relative, so
no node's clock has to agree with another's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.cluster.lease import whole
from engine.cluster.store import Answer, Call, Script, Value

MOST_SWEPT = 100

_BEAT = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local life = redis.call('HGET', KEYS[2], ARGV[1])
local ends = redis.call('ZSCORE', KEYS[3], ARGV[1])
if life and life > ARGV[2] and ends and tonumber(ends) > now then
  return {life}
end
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'LIMIT', 0, 100)) do
  redis.call('HDEL', KEYS[1], name)
  redis.call('HDEL', KEYS[2], name)
  redis.call('ZREM', KEYS[3], name)
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[3], now + ARGV[4], ARGV[1])
local found = {}
for _, name in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
  found[#found + 1] = redis.call('HGET', KEYS[1], name)
  found[#found + 1] = math.floor(redis.call('ZSCORE', KEYS[3], name) - now)
end
return found
"""


def _beat(call: Call, keys: Sequence[str], args: Sequence[bytes]) -> Value:
    members, lives, until = keys
    name, mine, value, lease_ms = args
    now = _milliseconds(call("TIME"))
    life, ends = call("HGET", lives, name), call("ZSCORE", until, name)
    if isinstance(life, bytes) and life > mine and isinstance(ends, bytes) and float(ends) > now:
        return [life]
    for gone in _list(call("ZRANGEBYSCORE", until, "-inf", now, "LIMIT", 0, MOST_SWEPT)):
        call("HDEL", members, gone)
        call("HDEL", lives, gone)
        call("ZREM", until, gone)
    call("HSET", members, name, value)
    call("HSET", lives, name, mine)
    call("ZADD", until, now + int(lease_ms), name)
    found: list[Value] = []
    for each in _list(call("ZRANGE", until, 0, -1)):
        score = call("ZSCORE", until, each)
        found += [call("HGET", members, each), whole(score) - now]
    return found


_LEAVE = """
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return redis.call('ZREM', KEYS[3], ARGV[1])
"""


def _leave(call: Call, keys: Sequence[str], args: Sequence[bytes]) -> Value:
    members, lives, until = keys
    if call("HGET", lives, args[0]) != args[1]:
        return 0
    call("HDEL", members, args[0])
    call("HDEL", lives, args[0])
    return call("ZREM", until, args[0])


# keys: members, lives, until. BEAT: name, life, member, lease_ms; LEAVE: name, life.
BEAT = Script("beat", _BEAT, _beat)
LEAVE = Script("leave", _LEAVE, _leave)
KEYS = ("members", "lives", "until")


@dataclass(frozen=True, slots=True)
class Registered:
    """One that is registered: what it told, packed, and for how long it counts as there."""

    data: bytes
    left_s: float


def life_key(started: float, life: str) -> str:
    """Lives of one name in their order, as text: the later one is the node."""
    return f"{int(started * 1000):015d} {life}"


def usurper(answer: Answer) -> str | None:
    """The life that has this node's name, begun later; None where the name is one's own."""
    match answer:
        case [bytes(life)]:
            return life.decode()
        case _:
            return None


def registered(answer: Answer) -> list[Registered] | None:
    """What BEAT answered; None where there was no answer."""
    if not isinstance(answer, list) or len(answer) % 2:
        return None
    pairs = zip(answer[::2], answer[1::2], strict=True)
    return [
        Registered(data, left / 1000)
        for data, left in pairs
        if isinstance(data, bytes) and isinstance(left, int)
    ]


def _milliseconds(time: Value) -> int:
    assert isinstance(time, list), "TIME answers two numbers"
    return whole(time[0]) * 1000 + whole(time[1]) // 1000


def _list(value: Value) -> list[bytes]:
    return [each for each in value if isinstance(each, bytes)] if isinstance(value, list) else []
