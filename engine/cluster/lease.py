"""Leases with fencing tokens: who owns something, for how long, and writes that a former owner cannot do.

A token grows with every change of owner, over all leases of the cluster, also past a store that lost
everything (it then starts at the store's clock). What is written under a lease names its
token, and is not done when the lease has another: M. Kleppmann, "How to do distributed locking", 2016.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.cluster.store import Answer, Call, Script, Value


@dataclass(frozen=True, slots=True)
class Held:
    """What asking for a lease came to. mine: whether it is the asker's now; owner: whose it is."""

    mine: bool
    token: int
    owner: str


_CLAIM = """
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner and owner ~= ARGV[1] then
  return {0, redis.call('HGET', KEYS[1], 'token'), owner}
end
local token = redis.call('HGET', KEYS[1], 'token')
if not owner then
  if redis.call('EXISTS', KEYS[2]) == 0 then
    redis.call('SET', KEYS[2], redis.call('TIME')[1] .. '000000')
  end
  redis.call('INCR', KEYS[2])
  token = redis.call('GET', KEYS[2])  -- as text: Lua's numbers lose digits
  redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'token', token)
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {1, token, ARGV[1]}
"""


def _claim(call: Call, keys: Sequence[str], args: Sequence[bytes]) -> Value:
    owner = call("HGET", keys[0], "owner")
    if owner is not None and owner != args[0]:
        return [0, call("HGET", keys[0], "token"), owner]
    token = call("HGET", keys[0], "token")
    if owner is None:
        if call("EXISTS", keys[1]) == 0:
            seconds = call("TIME")
            assert isinstance(seconds, list) and isinstance(seconds[0], bytes)
            call("SET", keys[1], seconds[0] + b"000000")
        token = b"%d" % whole(call("INCR", keys[1]))
        call("HSET", keys[0], "owner", args[0], "token", token)
    call("PEXPIRE", keys[0], args[1])
    return [1, token, args[0]]


_RELEASE = """
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""


def _release(call: Call, keys: Sequence[str], args: Sequence[bytes]) -> Value:
    return 0 if call("HGET", keys[0], "token") != args[0] else call("DEL", keys[0])


_HSET_FENCED = """
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[2], unpack(ARGV, 3))
if tonumber(ARGV[2]) > 0 then redis.call('PEXPIRE', KEYS[2], ARGV[2]) end
return 1
"""


def _hset_fenced(call: Call, keys: Sequence[str], args: Sequence[bytes]) -> Value:
    if call("HGET", keys[0], "token") != args[0]:
        return 0
    call("HSET", keys[1], *args[2:])
    if int(args[1]) > 0:
        call("PEXPIRE", keys[1], args[1])
    return 1


# keys: lease, store.key("fence"); parts: owner, ttl_ms. Takes or renews: `held` reads the answer.
CLAIM = Script("claim", _CLAIM, _claim)
# keys: lease; parts: token. 1 when it was held with that token.
RELEASE = Script("release", _RELEASE, _release)
# keys: lease, hash; parts: token, ttl_ms (0: none), field, value, … 1 when done, else 0.
HSET_FENCED = Script("hset-fenced", _HSET_FENCED, _hset_fenced)


def held(answer: Answer) -> Held | None:
    """What CLAIM answered; None where there was no answer."""
    match answer:
        case [int(mine), bytes(token), bytes(owner)]:
            return Held(bool(mine), int(token), owner.decode())
        case _:
            return None


def whole(value: Value) -> int:
    """An integer of an answer. Raises ValueError for anything else."""
    if isinstance(value, int | bytes):
        return int(value)
    raise ValueError(f"{value!r} is no integer")
