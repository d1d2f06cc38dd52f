"""What a node leaves behind, in the store: its calls and phones, kept while it lives, claimed after it.

    calls:NODE/LIFE     hash  call  -> replica      written by that life alone
    phones:NODE/LIFE    hash  phone -> binding      likewise
    lives:NODE          set   LIFE                  a process may have several, each after a fence
    suspects:NODE/LIFE  set   who finds it lost     it counts as lost when all who live do
    lost:NODE/LIFE      text  who fenced it         from then on that life writes nothing
    taken:NODE          hash  call  -> who has it   asked by the node when it comes back

A value is in one hash at a time: who moves it to its own has the call, and of several who try one does. All
that is written names the life that writes, and is refused once that life was fenced, so that a node which
only seemed dead learns it from its next word. Times to live are a backstop for what nobody returns to.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.cluster.store import Answer, Call, Script, Value

KEPT_MS = 3_600_000  # of a life that writes no more; renewed long before
TAKEN_MS = 7 * 86_400_000  # how long a node that was lost may stay away

_WRITE = """
if redis.call('EXISTS', KEYS[2]) == 1 then return redis.call('GET', KEYS[2]) end
local gone = tonumber(ARGV[2])
for at = 3, 2 + gone do redis.call('HDEL', KEYS[1], ARGV[at]) end
for at = 3 + gone, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return redis.call('HLEN', KEYS[1])
"""


def _write(call: Call, keys: Sequence[str], args: Sequence[bytes]) -> Value:
    if call("EXISTS", keys[1]) == 1:
        return call("GET", keys[1])
    gone = int(args[1])
    for field in args[2 : 2 + gone]:
        call("HDEL", keys[0], field)
    for at in range(2 + gone, len(args), 2):
        call("HSET", keys[0], args[at], args[at + 1])
    call("PEXPIRE", keys[0], args[0])
    return call("HLEN", keys[0])


_CLAIM = """
local mine = {}
if redis.call('EXISTS', KEYS[3]) == 1 then return mine end
for at = 4, #ARGV do
  local value = redis.call('HGET', KEYS[1], ARGV[at])
  if value then
    redis.call('HDEL', KEYS[1], ARGV[at])
    redis.call('HSET', KEYS[2], ARGV[at], value)
    redis.call('HSET', KEYS[4], ARGV[at], ARGV[1])
    mine[#mine + 1] = ARGV[at]
  end
end
if #mine > 0 then
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
  redis.call('PEXPIRE', KEYS[4], ARGV[3])
end
return mine
"""


def _claim(call: Call, keys: Sequence[str], args: Sequence[bytes]) -> Value:
    mine: list[Value] = []
    if call("EXISTS", keys[2]) == 1:
        return mine
    for field in args[3:]:
        value = call("HGET", keys[0], field)
        if isinstance(value, bytes):
            call("HDEL", keys[0], field)
            call("HSET", keys[1], field, value)
            call("HSET", keys[3], field, args[0])
            mine.append(field)
    if mine:
        call("PEXPIRE", keys[1], args[1])
        call("PEXPIRE", keys[3], args[2])
    return mine


# keys: the life's hash, its fence; parts: ttl_ms, how many to take out, those, field, value, …
# How many fields there are when done; who found it lost, when it was.
WRITE = Script("estate-write", _WRITE, _write)
# keys: the lost life's hash, mine, my fence, taken; parts: my name, ttl_ms, ttl_ms of taken, fields.
# The fields that I have now.
CLAIM_OF_ESTATE = Script("estate-claim", _CLAIM, _claim)


def pairs(answer: Answer) -> dict[str, bytes] | None:
    """What HGETALL answered; None where there was no answer. What is no text is passed over."""
    if not isinstance(answer, list):
        return None
    found: dict[str, bytes] = {}
    for field, value in zip(answer[::2], answer[1::2], strict=False):
        if isinstance(field, bytes) and isinstance(value, bytes) and field.isascii():
            found[field.decode()] = value
    return found


def texts(answer: Answer) -> list[str] | None:
    """What CLAIM_OF_ESTATE or SMEMBERS answered; None where there was no answer."""
    if not isinstance(answer, list):
        return None
    return [each.decode(errors="replace") for each in answer if isinstance(each, bytes)]
