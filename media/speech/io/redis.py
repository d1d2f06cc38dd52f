"""Jobs for workers on other machines by Redis Streams: what both sides know of it.

Workers that can do the same are a pool; a pool has a stream of jobs and is a consumer group, so that each job
is one worker's. Each ear has a stream of results. Who is there says so every `beat_s` and is gone `lease_s`
after it last did; what a worker took and did not live to answer, another of its pool claims after that.

Everything has a bound and an end: streams are cut and expire, and a job that is past its time is nobody's.
Answers are given once, whoever gives them (`ANSWER`). Redis 6.2 or later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from media.speech.io.box import Box, Boxes, Clear
from media.speech.jobs import AnyJob, AnyResult, Offer
from media.speech.settings import FarSettings

LOST = (RedisError, OSError)
GROUP = "workers"
MOST_JOBS, MOST_RESULTS = 512, 1024  # of a stream
MOST_BYTES = 4 * 1024 * 1024  # of one of them: a minute of sound and some
FORGOTTEN_MS = 60_000  # after which a stream that nobody adds to is gone


@dataclass(frozen=True, slots=True)
class Terms:
    """url: redis:// or rediss://, with the password. ca: certificate that signed the server's. beat_s:
    between signs of life and looks for them; lease_s: after the last of which one is gone. timeout_s: of
    silence of the server. most: jobs that a worker holds.
    """

    url: str
    ca: Path | None = None
    prefix: str = "isogloss"
    beat_s: float = 0.3
    lease_s: float = 1.0
    timeout_s: float = 1.0
    most: int = 8

    def key(self, *words: str) -> str:
        return ":".join((self.prefix, "speech", *words))

    def jobs(self, pool: str) -> str:
        return self.key("jobs", pool)

    def results(self, ear: str) -> str:
        return self.key("results", ear)

    def offers(self, pool: str) -> str:
        return self.key("offers", pool)

    @property
    def workers(self) -> str:
        """Those that are there, by when their lease ends: "pool name"."""
        return self.key("workers")


# A worker is there. KEYS: workers, its pool's offers. ARGV: lease in ms, "pool name", offers, ms to keep
# them.
COME = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
return now
"""

# Who is there. KEYS: workers.
LOOK = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
return redis.call('ZRANGEBYSCORE', KEYS[1], now, '+inf')
"""

# Keep jobs from being taken for a dead one's, those that are the worker's still. KEYS: jobs. ARGV: group,
# worker, ids. How many are.
HOLD = """
local held = 0
for at = 3, #ARGV do
  local own = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[at], ARGV[at], 1, ARGV[2])
  if #own > 0 then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[at], 'JUSTID')
    held = held + 1
  end
end
return held
"""

# A job is done: its answer counts unless another's did. KEYS: jobs, results. ARGV: group, id, ms to keep
# results, their most, the answer; "" where there is none.
ANSWER = """
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then
  return 0
end
redis.call('XDEL', KEYS[1], ARGV[2])
if ARGV[5] ~= '' then
  redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[4], '*', 'p', ARGV[5])
  redis.call('PEXPIRE', KEYS[2], ARGV[3])
end
return 1
"""


def connect(terms: Terms) -> Redis:
    """A client of one thread's own; it connects when it is asked for something. Raises ValueError for what is
    no URL.
    """
    more: dict[str, Any] = {}
    if terms.url.startswith("rediss:") and terms.ca is not None:
        more["ssl_ca_certs"] = str(terms.ca)
    return Redis.from_url(
        terms.url,
        protocol=2,
        driver_info=None,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=terms.timeout_s,
        socket_connect_timeout=terms.timeout_s,
        max_connections=1,
        **more,
    )


def terms_of(settings: FarSettings) -> Terms:
    return Terms(settings.url, Path(settings.ca) if settings.ca else None, settings.prefix)


def box_of(settings: FarSettings) -> Box:
    """Sound is closed with the secrets; without any it stays on this machine. Raises ValueError."""
    if settings.keys:
        if settings.key not in settings.keys:
            raise ValueError(f"there is no secret {settings.key!r} to close jobs with; name one of `keys`")
        return Boxes({id: secret.encode() for id, secret in settings.keys.items()}, settings.key)
    parts = urlsplit(settings.url)
    if parts.scheme == "unix" or parts.hostname == "localhost" or _loopback(parts.hostname or ""):
        return Clear()
    raise ValueError(f"people's voices would be read at {parts.hostname}; give `keys` that close them")


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def pool_of(offers: Sequence[Offer]) -> str:
    """The name of those who can do just this, however they came to."""
    same = [msgspec.structs.replace(each, why="") for each in offers]
    return hashlib.blake2b(msgspec.msgpack.encode(same), digest_size=8).hexdigest()


_encoder = msgspec.msgpack.Encoder()
_job = msgspec.msgpack.Decoder(AnyJob)
_result = msgspec.msgpack.Decoder(AnyResult)
_offers = msgspec.msgpack.Decoder(tuple[Offer, ...])


def packed(what: AnyJob | AnyResult | tuple[Offer, ...]) -> bytes:
    return _encoder.encode(what)


def job_of(data: bytes) -> AnyJob:
    """Raises msgspec.DecodeError."""
    found: AnyJob = _job.decode(data)
    return found


def result_of(data: bytes) -> AnyResult:
    """Raises msgspec.DecodeError."""
    found: AnyResult = _result.decode(data)
    return found


def offers_of(data: bytes) -> tuple[Offer, ...]:
    """Raises msgspec.DecodeError."""
    return _offers.decode(data)
