"""Digest authentication, the server's side: challenges, and the check of answers (RFC 7616, RFC 8760).

Nonces carry their own proof (time, salt, HMAC over both and the source they were given to), so a flood of
unauthenticated requests leaves nothing behind. Only an answer that verified enters the replay table, which
is bounded.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum
from random import Random

from sip.digest import (
    Exchange,
    HeaderLines,
    Secret,
    SecretOf,
    format_digest,
    make_ha1,
    parse_digest,
    split_algorithm,
)
from sip.errors import MalformedUri
from sip.headers import quote
from sip.uri import Uri

_WINDOW = 64  # how far nonce counts may overtake one another on UDP
_MAX_NC = 0xFFFF_FFFF


class Outcome(Enum):
    """What a request's credentials came to."""

    VALID = "valid"
    MISSING = "missing"  # none for this realm
    STALE = "stale"  # the nonce is old, used up, or another source's: says nothing about the password
    WRONG = "wrong"  # no such user, or not that user's password
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Checked:
    """`user` is set for VALID only; `tried` is the name that was claimed, for logs."""

    outcome: Outcome
    user: str = ""
    tried: str = ""


@dataclass(frozen=True, slots=True)
class DigestPolicy:
    """What is asked of clients. `status` is 401 for a user agent server and registrar, 407 for a proxy."""

    realm: str
    algorithms: tuple[str, ...] = ("SHA-256", "MD5")  # in the order they are offered, best first (RFC 8760)
    qop: str = "auth"  # or "auth,auth-int"; a client may use either whatever is offered
    nonce_life: float = 300.0  # seconds
    max_nonces: int = 20_000
    status: int = 401


class DigestServer:
    """Issues challenges and checks answers for one realm.

    key: secret bytes that sign nonces, at least 16; a node that restarts with another key merely sends
    `stale=true` once to each client. rng: salts nonces, its quality does not matter to their strength.
    """

    def __init__(self, policy: DigestPolicy, secret_of: SecretOf, *, key: bytes, rng: Random) -> None:
        self.policy = policy
        self.secret_of = secret_of
        self._key = key
        self._rng = rng
        self._nobody = f"{rng.getrandbits(128):032x}"  # the password unknown users are checked against
        self._used: OrderedDict[tuple[str, str], _Counts] = OrderedDict()  # (nonce, user), oldest first
        self._floor = -1  # ms: nonces issued up to here were forgotten, so they are not accepted anew

    def challenges(
        self, source: str, now: float, *, stale: bool = False, plain_first: bool = False
    ) -> tuple[tuple[str, str], ...]:
        """One header for each algorithm, best first, all with one nonce that is good for `source` alone.

        plain_first: MD5 first where it is offered, for clients that look at one header alone.
        """
        name = "WWW-Authenticate" if self.policy.status == 401 else "Proxy-Authenticate"
        nonce = self._make_nonce(source, now)
        made = []
        algorithms = self.policy.algorithms
        if plain_first:
            algorithms = tuple(sorted(algorithms, key=lambda algorithm: algorithm != "MD5"))
        for algorithm in algorithms:
            parameters = {"realm": self.policy.realm, "nonce": nonce}
            if stale:
                parameters["stale"] = "true"
            parameters |= {"algorithm": algorithm, "qop": quote(self.policy.qop)}
            made.append((name, format_digest(parameters)))
        return tuple(made)

    def check(
        self, method: str, uri: Uri, headers: HeaderLines, body: bytes, source: str, now: float
    ) -> Checked:
        """Check the credentials for our realm in Authorization or Proxy-Authorization.

        A nonce that is not good is answered STALE before the password is looked at, so none can be guessed
        at with it; otherwise the same hashes are computed whether or not the user exists.
        """
        answer = self._find_answer(headers)
        if answer is None:
            return Checked(Outcome.MISSING)
        user = answer.get("username", "")
        exchange = self._read_exchange(answer, method, uri, body)
        if exchange is None or not user:
            return Checked(Outcome.MALFORMED, tried=user)
        issued = self._read_nonce(exchange.nonce, source)
        if issued is None or not 0 <= now * 1000 - issued <= self.policy.nonce_life * 1000:
            return Checked(Outcome.STALE, tried=user)
        expected = exchange.response(self._ha1(exchange.algorithm, user))
        if not _same(answer["response"].lower(), expected):
            return Checked(Outcome.WRONG, tried=user)
        if not self._spend((exchange.nonce, user), exchange.nc, issued, now):
            return Checked(Outcome.STALE, tried=user)
        return Checked(Outcome.VALID, user=user, tried=user)

    @property
    def remembered(self) -> int:
        """Rows in the replay table."""
        return len(self._used)

    def _find_answer(self, headers: HeaderLines) -> dict[str, str] | None:
        for value in (headers.all("Authorization") + headers.all("Proxy-Authorization"))[:8]:
            answer = parse_digest(value)
            if answer is not None and answer.get("realm") == self.policy.realm:
                return answer
        return None

    def _read_exchange(self, answer: dict[str, str], method: str, uri: Uri, body: bytes) -> Exchange | None:
        known = split_algorithm(answer.get("algorithm"))
        if known is None or known[0] not in self.policy.algorithms:
            return None
        if not all(answer.get(name) for name in ("nonce", "uri", "response")):
            return None
        qop = answer["qop"].lower() if "qop" in answer else None
        nc, cnonce = answer.get("nc", ""), answer.get("cnonce", "")
        if qop not in (None, "auth", "auth-int") or (qop and (len(nc) != 8 or not _is_hex(nc))):
            return None
        if (qop or known[1]) and not cnonce:
            return None
        if not _same_target(answer["uri"], uri):
            return None
        return Exchange(known[0], known[1], answer["nonce"], answer["uri"], method, qop, nc, cnonce, body)

    def _ha1(self, algorithm: str, user: str) -> str:
        secret = self.secret_of(user, self.policy.realm) or Secret()
        password = self._nobody if secret.password is None else secret.password
        computed = make_ha1(algorithm, user, self.policy.realm, password)  # needed or not: see `check`
        return secret.ha1.get(algorithm, computed)

    def _make_nonce(self, source: str, now: float) -> str:
        stamp = f"{int(now * 1000):012x}{self._rng.getrandbits(32):08x}"
        return stamp + self._sign(stamp, source)

    def _sign(self, stamp: str, source: str) -> str:
        return hmac.digest(self._key, f"{stamp}:{source}".encode(), "sha256").hex()[:32]

    def _read_nonce(self, nonce: str, source: str) -> int | None:
        """When it was issued, in ms of our clock; None when it is not ours or was given to another source."""
        stamp, signature = nonce[:20], nonce[20:]
        if len(nonce) != 52 or not _same(signature, self._sign(stamp, source)):
            return None
        return int(stamp[:12], 16)

    def _spend(self, key: tuple[str, str], nc: str, issued: int, now: float) -> bool:
        """Mark one nonce count as used; False when it was before. Without qop a nonce is good once."""
        count = int(nc, 16) if nc else 1
        counts = self._used.get(key)
        if counts is None:
            if issued <= self._floor:
                return False
            self._make_room(now)
            counts = self._used[key] = _Counts(issued)
        return counts.take(count)

    def _make_room(self, now: float) -> None:
        oldest = (now - self.policy.nonce_life) * 1000
        while self._used:
            key, counts = next(iter(self._used.items()))
            if counts.issued >= oldest and len(self._used) < self.policy.max_nonces:
                return
            if counts.issued >= oldest:
                self._floor = max(self._floor, counts.issued)
            del self._used[key]


class _Counts:
    """Which nonce counts were seen: the highest, and a window of bits below it."""

    __slots__ = ("_highest", "_seen", "issued")

    def __init__(self, issued: int) -> None:
        self.issued = issued  # ms
        self._highest = 0
        self._seen = 1  # bit n: the count `_highest - n` was seen; count 0 is never good

    def take(self, count: int) -> bool:
        """Whether this count is new; it is taken as seen from now on."""
        ahead = count - self._highest
        if ahead > 0:
            self._seen = (self._seen << min(ahead, _WINDOW) | 1) & ((1 << _WINDOW) - 1)
            self._highest = count
            return True
        if -ahead >= _WINDOW or self._seen >> -ahead & 1:
            return False
        self._seen |= 1 << -ahead
        return True


def _same(claimed: str, expected: str) -> bool:
    return hmac.compare_digest(claimed.encode(), expected.encode())


def _is_hex(text: str) -> bool:
    return all(character in "0123456789abcdefABCDEF" for character in text)


def _same_target(claimed: str, uri: Uri) -> bool:
    """Whether the digest's uri means the Request-URI; phones and proxies drop parameters and ports."""
    if claimed == str(uri):
        return True
    try:
        other = Uri.parse(claimed)
    except MalformedUri:
        return False
    return (other.user, other.host) == (uri.user, uri.host)
