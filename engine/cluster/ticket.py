"""What lets a call cross to another node: sealed claims in a header field of its INVITE.

A ticket is good for one INVITE, with this very offer, to this node, for this agent by the claim that she is
had by, within seconds. The seal is HMAC-SHA256 by a key that all nodes have. Who has none, changes anything,
or says it once more, is refused.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated

import msgspec
from msgspec import Meta

HEADER = "X-Isogloss-Crossing"
LIFE_S = 10.0
SKEW_S = 5.0  # that nodes' clocks may differ by
LONGEST = 4096  # characters of a ticket
MOST = 20_000  # tickets that were used and have not run out
MARK = b"isogloss crossing 1\n"

Word = Annotated[str, Meta(max_length=256)]


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A call and what its agent is to know of it. source, target: nodes. call: its id there, contact: its
    contact. claim: of the target to the agent. queue: "" for a call to her number. wait_s: so far.
    """

    source: Word
    target: Word
    call: Word
    contact: Word
    agent: Word
    claim: int
    queue: Word = ""
    number: Word = ""
    caller: Word = ""
    display: Word = ""
    private: bool = False
    market: Word = ""
    region: Word = ""
    language: Word = ""
    position: int = 0
    wait_s: float = 0.0


class _Sealed(msgspec.Struct, frozen=True, array_like=True):
    """expires: epoch seconds. offer: SHA-256 of the session description."""

    ticket: Ticket
    nonce: Word
    expires: float
    offer: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Sealed).decode


class Tickets:
    """Of one node. secrets: by id; key: the one to seal with. Times are epoch seconds."""

    def __init__(self, node: str, secrets: Mapping[str, bytes], key: str) -> None:
        self._node = node
        self._secrets = secrets
        self._key = key
        self._used: OrderedDict[str, float] = OrderedDict()

    def seal(self, ticket: Ticket, offer: bytes, nonce: str, now: float) -> str:
        """The header field's value. nonce: nobody can guess it."""
        body = _encode(_Sealed(ticket, nonce, now + LIFE_S, sha256(offer).digest()))
        mark = self._mark(self._secrets[self._key], body)
        return ".".join((_text(self._key.encode()), _text(body), _text(mark)))

    def open(self, value: str, offer: bytes, now: float) -> Ticket | None:
        """What was sealed, once; None for what is not to be believed."""
        sealed = self._read(value)
        if sealed is None or sealed.ticket.target != self._node:
            return None
        if not now - SKEW_S < sealed.expires <= now + LIFE_S + SKEW_S:
            return None
        if not hmac.compare_digest(sealed.offer, sha256(offer).digest()):
            return None
        return sealed.ticket if self._first(sealed, now) else None

    def _read(self, value: str) -> _Sealed | None:
        parts = value.strip().split(".")
        if len(value) > LONGEST or len(parts) != 3:
            return None
        try:
            key, body, mark = (_bytes(part) for part in parts)
            secret = self._secrets.get(key.decode())
            if secret is None or not hmac.compare_digest(self._mark(secret, body), mark):
                return None
            return _decode(body)
        except (ValueError, msgspec.MsgspecError):
            return None

    def _first(self, sealed: _Sealed, now: float) -> bool:
        """Whether it was not seen before. Nonces are kept until their tickets have run out."""
        while self._used and next(iter(self._used.values())) < now - SKEW_S:
            self._used.popitem(last=False)
        if sealed.nonce in self._used or len(self._used) >= MOST:
            return False
        self._used[sealed.nonce] = sealed.expires
        return True

    def _mark(self, secret: bytes, body: bytes) -> bytes:
        return hmac.digest(secret, MARK + body, "sha256")


def peek(value: str) -> Ticket | None:
    """What a ticket says that was found good already."""
    try:
        return _decode(_bytes(value.strip().split(".")[1])).ticket
    except (ValueError, IndexError, msgspec.MsgspecError):
        return None


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
