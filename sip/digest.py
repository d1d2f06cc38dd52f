"""Digest authentication: RFC 7616 and RFC 8760 (with RFC 2617 peers), the arithmetic and the client's side.

The server's side (nonces, replay, challenges) is `sip/challenge.py`; the grammar and hashes here serve both.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from sip.headers import quote

MAX_HEADER = 4096  # characters of one (WWW-|Proxy-)Authenticate or Authorization value; more is not read
MAX_PARAMETERS = 32

# RFC 8760 section 2.2, strongest first. SHA-512/256 depends on the OpenSSL that Python was built with.
_HASHES: dict[str, str] = {"SHA-512-256": "sha512_256", "SHA-256": "sha256", "MD5": "md5"}
ALGORITHMS: tuple[str, ...] = tuple(
    name for name, ours in _HASHES.items() if ours in hashlib.algorithms_available
)
QUOTED_PARAMETERS = frozenset(
    {"username", "realm", "nonce", "uri", "response", "cnonce", "opaque", "domain", "auts"}
)

_PARAMETER = re.compile(
    r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64})\s*=\s*"
    r'(?:"([^"\\\r\n]*(?:\\.[^"\\\r\n]*)*)"|([^\s",;]+))\s*(?:,|$)'
)
_ESCAPED = re.compile(r"\\(.)")


class HeaderLines(Protocol):
    """What of `sip.message.Headers` is needed here."""

    def all(self, name: str) -> list[str]:
        """The values of every line of that name, in order."""
        ...


class Challenging(Protocol):
    """A 401 or 407 response."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> HeaderLines: ...


def parse_digest(value: str) -> dict[str, str] | None:
    """The parameters of a `Digest …` header value, names lower-cased, quotes and escapes removed.

    None when the scheme is another one, when the grammar does not hold, or when a parameter comes twice
    (two readers could then believe two different things).
    """
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() != "digest" or len(value) > MAX_HEADER:
        return None
    parameters: dict[str, str] = {}
    position, rest = 0, rest.strip().rstrip(",")
    while position < len(rest):
        match = _PARAMETER.match(rest, position)
        if match is None or len(parameters) == MAX_PARAMETERS:
            return None
        name, quoted, token = match.groups()
        name = name.lower()
        if name in parameters:
            return None
        if quoted is not None and "\\" in quoted:
            quoted = _ESCAPED.sub(r"\1", quoted)
        parameters[name] = token if quoted is None else quoted
        position = match.end()
    return parameters


def format_digest(parameters: Mapping[str, str]) -> str:
    """`Digest name=value, …`, quoted where RFC 7616 section 3.4 wants it and bare where it forbids it."""
    return "Digest " + ", ".join(
        f"{name}={quote(value) if name in QUOTED_PARAMETERS else value}" for name, value in parameters.items()
    )


def split_algorithm(name: str | None) -> tuple[str, bool] | None:
    """(hash name as in ALGORITHMS, whether it is the -sess variant), or None for one that is not known.

    No name means MD5 (RFC 7616 section 3.3).
    """
    canonical = (name or "MD5").upper()
    session = canonical.endswith("-SESS")
    canonical = canonical.removesuffix("-SESS")
    return (canonical, session) if canonical in ALGORITHMS else None


def digest(algorithm: str, data: bytes | str) -> str:
    """H(data) in lower-case hex; `algorithm` is one of ALGORITHMS. Text is hashed as UTF-8."""
    raw = data.encode() if isinstance(data, str) else data
    return hashlib.new(_HASHES[algorithm], raw, usedforsecurity=False).hexdigest()


def make_ha1(algorithm: str, user: str, realm: str, password: str | bytes) -> str:
    """H(user ":" realm ":" password): what may be stored instead of the password (RFC 7616 section 3.4.2)."""
    raw = password.encode() if isinstance(password, str) else password
    return digest(algorithm, f"{user}:{realm}:".encode() + raw)


@dataclass(frozen=True, slots=True)
class Exchange:
    """The values one digest response is computed over, as they stand in the header (quotes removed)."""

    algorithm: str  # as in ALGORITHMS
    session: bool  # a -sess variant
    nonce: str
    uri: str
    method: str
    qop: str | None = None  # None | "auth" | "auth-int"; None is RFC 2069
    nc: str = ""  # eight hex digits
    cnonce: str = ""
    body: bytes = b""

    def response(self, ha1: str) -> str:
        """The request-digest (RFC 7616 section 3.4.1) for a given H(A1), in lower-case hex."""
        algorithm = self.algorithm
        if self.session:
            ha1 = digest(algorithm, f"{ha1}:{self.nonce}:{self.cnonce}")
        a2 = f"{self.method}:{self.uri}"
        if self.qop == "auth-int":
            a2 = f"{a2}:{digest(algorithm, self.body)}"
        ha2 = digest(algorithm, a2)
        if self.qop is None:
            return digest(algorithm, f"{ha1}:{self.nonce}:{ha2}")
        return digest(algorithm, f"{ha1}:{self.nonce}:{self.nc}:{self.cnonce}:{self.qop}:{ha2}")


@dataclass(frozen=True, slots=True)
class Secret:
    """What proves a user: the password, or H(A1) in lower-case hex for each algorithm."""

    password: str | None = field(default=None, repr=False)
    ha1: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge a client chose to answer. aka: its password is made of its nonce (RFC 3310)."""

    answer_in: str  # the request header the answer goes into
    realm: str
    nonce: str
    algorithm: str
    algorithm_token: str | None  # as the server wrote it; None when it wrote none
    session: bool
    qop: str | None
    opaque: str | None
    stale: bool
    aka: bool = False


@dataclass(frozen=True, slots=True)
class Proof:
    """What one challenge is answered with. auts: the client's own sequence number, in base64, instead (RFC
    3310 section 3.4). refused: the server has not proved itself, and gets an empty response.
    """

    password: bytes = field(repr=False)
    auts: str = ""
    refused: bool = False


class Account(Protocol):
    """Who a client is, and how it proves that: `Credentials`, or `sip.aka.AkaCredentials`."""

    @property
    def user(self) -> str: ...
    @property
    def realm(self) -> str | None: ...
    @property
    def aka(self) -> bool: ...
    def prove(self, challenge: Challenge) -> Proof | None:
        """None when it cannot be answered after all; called once a challenge, of the kind that `aka` says."""
        ...


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client answers challenges with. `realm` set: no other realm is answered with this password."""

    user: str
    password: str = field(repr=False)
    realm: str | None = None

    @property
    def aka(self) -> bool:
        return False

    def prove(self, challenge: Challenge) -> Proof | None:
        """The password."""
        return Proof(self.password.encode())


_AKA = "AKAV1-"
_ANSWER_IN = {401: ("WWW-Authenticate", "Authorization"), 407: ("Proxy-Authenticate", "Proxy-Authorization")}


def read_challenge(value: str, answer_in: str) -> Challenge | None:
    """The challenge in one header value; None when malformed or of an unknown scheme, algorithm or qop."""
    parameters = parse_digest(value)
    if parameters is None or "realm" not in parameters or not parameters.get("nonce"):
        return None
    named = parameters.get("algorithm")
    aka = named is not None and named.upper().startswith(_AKA)
    known = split_algorithm(named[len(_AKA) :] if named is not None and aka else named)
    offered = [option.strip().lower() for option in parameters.get("qop", "").split(",") if option.strip()]
    # auth before auth-int: a body rewritten by a NAT's ALG on the way would spoil the latter.
    qop = next((option for option in ("auth", "auth-int") if option in offered), None)
    if known is None or (offered and qop is None):
        return None
    algorithm, session = known
    return Challenge(
        answer_in,
        parameters["realm"],
        parameters["nonce"],
        algorithm,
        parameters.get("algorithm"),
        session,
        qop,
        parameters.get("opaque"),
        parameters.get("stale", "").lower() == "true",
        aka,
    )


@dataclass(slots=True)
class _Answered:
    challenge: Challenge
    proof: Proof
    uses: int = 0


class Authorizer:
    """A client's memory of challenges: answers them, counts nonces up, knows when trying again is futile.

    One for each account or dialog. Use::

        authorizer = Authorizer(credentials, rng)
        request.headers gets authorizer.headers(method, uri, body)     # empty before the first challenge
        on 401/407: if authorizer.challenged(response): send again, as a new transaction with CSeq + 1
    """

    def __init__(self, credentials: Account, rng: Random) -> None:
        self._credentials = credentials
        self._rng = rng
        self._answered: dict[tuple[str, str], _Answered] = {}  # by header and realm

    def challenged(self, response: Challenging) -> bool:
        """Take in a 401 or 407. True when the request is worth sending again with `headers()`.

        False: no challenge can be answered (scheme, algorithm, realm), or the same realm has just turned the
        same password down without saying that only its nonce was stale (RFC 3261 section 22.1).
        """
        if response.status not in _ANSWER_IN:
            return False
        offered_in, answer_in = _ANSWER_IN[response.status]
        best: dict[tuple[str, str], Challenge] = {}
        for value in response.headers.all(offered_in)[:8]:
            challenge = read_challenge(value, answer_in)
            if challenge is None or challenge.aka is not self._credentials.aka:
                continue
            if self._credentials.realm not in (None, challenge.realm):
                continue
            key = (answer_in, challenge.realm)
            if key not in best or _strength(challenge) > _strength(best[key]):
                best[key] = challenge
        fresh = False
        for key, challenge in best.items():
            proof = self._credentials.prove(challenge) if self._is_worth_answering(key, challenge) else None
            if proof is not None:
                self._answered[key] = _Answered(challenge, proof)
                fresh = True
        return fresh

    def _is_worth_answering(self, key: tuple[str, str], challenge: Challenge) -> bool:
        known = self._answered.get(key)
        if known is None:
            return len(self._answered) < 8
        # A server that lets a nonce lapse between requests often forgets stale=true: only a nonce whose very
        # first use was turned down proves the password wrong. One that was told our sequence number has to
        # ask again.
        again = challenge.stale or known.uses > 1 or bool(known.proof.auts)
        return again and challenge.nonce != known.challenge.nonce

    def headers(self, method: str, uri: str, body: bytes = b"") -> tuple[tuple[str, str], ...]:
        """(name, value) for each realm known so far; `uri` is the Request-URI as it will be sent."""
        made = []
        for known in self._answered.values():
            known.uses += 1
            made.append((known.challenge.answer_in, self._answer(known, method, uri, body)))
        return tuple(made)

    def opening(self, uri: str, realm: str) -> tuple[tuple[str, str], ...]:
        """Who we are, told before any challenge, as IMS wants it (TS 24.229 section 5.1.1.2.2)."""
        if self._answered:
            return ()
        parameters = {"username": self._credentials.user, "realm": realm}
        parameters |= {"nonce": "", "uri": uri, "response": ""}
        return (("Authorization", format_digest(parameters)),)

    def _answer(self, known: _Answered, method: str, uri: str, body: bytes) -> str:
        credentials, challenge, proof = self._credentials, known.challenge, known.proof
        cnonce = f"{self._rng.getrandbits(96):024x}" if challenge.qop or challenge.session else ""
        exchange = Exchange(
            algorithm=challenge.algorithm,
            session=challenge.session,
            nonce=challenge.nonce,
            uri=uri,
            method=method,
            qop=challenge.qop,
            nc=f"{known.uses:08x}",
            cnonce=cnonce,
            body=body,
        )
        ha1 = make_ha1(challenge.algorithm, credentials.user, challenge.realm, proof.password)
        parameters = {
            "username": credentials.user,
            "realm": challenge.realm,
            "nonce": challenge.nonce,
            "uri": uri,
            "response": "" if proof.refused else exchange.response(ha1),
        }
        if challenge.algorithm_token is not None:
            parameters["algorithm"] = challenge.algorithm_token
        if challenge.qop is not None:
            parameters |= {"qop": challenge.qop, "nc": exchange.nc}
        if cnonce:
            parameters["cnonce"] = cnonce
        if challenge.opaque is not None:
            parameters["opaque"] = challenge.opaque
        if proof.auts:
            parameters["auts"] = proof.auts
        return format_digest(parameters)


def _strength(challenge: Challenge) -> int:
    return -ALGORITHMS.index(challenge.algorithm)


def authorize(
    response: Challenging, credentials: Account, *, method: str, uri: str, body: bytes = b"", rng: Random
) -> tuple[tuple[str, str], ...]:
    """The headers that answer one 401 or 407, once and without memory: () when it cannot be answered.

    method, uri, body: of the request that will be sent again; `uri` its Request-URI as text. The strongest
    known algorithm of each realm is taken (RFC 8760 section 2.4 allows it). For nonces used more
    than once (re-INVITE, refreshes), and to tell a wrong password from a stale nonce, keep an `Authorizer`.
    """
    authorizer = Authorizer(credentials, rng)
    return authorizer.headers(method, uri, body) if authorizer.challenged(response) else ()


SecretOf = Callable[[str, str], Secret | None]  # (user, realm) -> what proves that user, None for nobody
