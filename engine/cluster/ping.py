"""What nodes say to each other directly, by UDP: are you there, how do you stand, and how long is the way.

A word is signed with a key that all nodes have (HMAC-SHA256, 16 bytes of it) and says whom it is for. Only an
answer to a question that this node asked moments ago proves that somebody is there and how far away; a
question tells how the asker stands, and can be said again by anybody who heard it without that proving
anything.

Pure: `due` gives what is to be sent, `receive` what is to be answered.
"""

from __future__ import annotations

import hmac
import random
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum

import msgspec

from engine.cluster.member import Name, Pulse
from engine.cluster.membership import Membership
from routing.way import Way

LONGEST = 1200  # bytes of a word; a datagram is never fragmented
MARK = b"igl1"
SEAL = 16  # bytes
PATIENCE_S = 2.0  # after which an answer is none any more
SELDOM = 4  # a node that is gone is asked every so many rounds


class Kind(IntEnum):
    ASK = 0
    ANSWER = 1
    LEAVE = 2


class Word(msgspec.Struct, frozen=True, gc=False, array_like=True):
    kind: Kind
    to: Name
    nonce: int
    pulse: Pulse


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Word)


@dataclass(frozen=True, slots=True)
class Keys:
    """Secrets by id, and the id of the one to sign with."""

    secrets: Mapping[str, bytes]
    key: str

    def seal(self, word: Word) -> bytes:
        body = _encoder.encode(word)
        id = self.key.encode()
        return MARK + bytes([len(id)]) + id + self._mark(self.secrets[self.key], body) + body

    def open(self, data: bytes) -> Word | None:
        """What was said; None for what no node of this cluster said."""
        if not len(MARK) < len(data) <= LONGEST or not data.startswith(MARK):
            return None
        start = len(MARK) + 1
        end = start + data[len(MARK)]
        secret = self.secrets.get(data[start:end].decode("ascii", "replace"))
        body = data[end + SEAL :]
        if secret is None or not hmac.compare_digest(self._mark(secret, body), data[end : end + SEAL]):
            return None
        try:
            return _decoder.decode(body)
        except (msgspec.MsgspecError, ValueError):
            return None

    def _mark(self, secret: bytes, body: bytes) -> bytes:
        return hmac.digest(secret, MARK + body, "sha256")[:SEAL]


@dataclass(frozen=True, slots=True)
class Letter:
    """Something to send to a node. host: name or address."""

    host: str
    port: int
    data: bytes


class Pings:
    """One node's questions and answers. measured: told of each round trip, with the node's name."""

    def __init__(
        self,
        keys: Keys,
        membership: Membership,
        rng: random.Random,
        measured: Callable[[str, float, float], None] = lambda node, rtt_s, now: None,
    ) -> None:
        self.ways: dict[str, Way] = {}
        self._keys = keys
        self._membership = membership
        self._rng = rng
        self._measured = measured
        self._asked: OrderedDict[int, tuple[str, float]] = OrderedDict()
        self._round = 0

    def due(self, now: float) -> list[Letter]:
        """A round of questions; those who are gone are asked now and then, for they may be back."""
        self._round += 1
        while self._asked and now - next(iter(self._asked.values()))[1] > PATIENCE_S:
            self._asked.popitem(last=False)
        letters: list[Letter] = []
        for name, peer in self._membership.peers.items():
            if not peer.member.port or (peer.gone and self._round % SELDOM):
                continue
            nonce = self._rng.getrandbits(62)
            self._asked[nonce] = name, now
            letters.append(self._letter(name, Kind.ASK, nonce))
        for name in self.ways.keys() - self._membership.peers.keys():
            del self.ways[name]
        return letters

    def farewell(self) -> list[Letter]:
        """To all, when this node stops."""
        there = [name for name, peer in self._membership.peers.items() if not peer.gone and peer.member.port]
        return [self._letter(name, Kind.LEAVE, 0) for name in there]

    def receive(self, data: bytes, now: float) -> bytes | None:
        """What to answer to what came in, if anything; whatever it is, nothing is raised."""
        word = self._keys.open(data)
        if word is None or word.to != self._membership.me().name:
            return None
        match word.kind:
            case Kind.ASK:
                self._membership.told(word.pulse, now)
                return self._keys.seal(self._word(word.pulse.name, Kind.ANSWER, word.nonce))
            case Kind.LEAVE:
                self._membership.left(word.pulse, now)
            case Kind.ANSWER:
                name, asked_at = self._asked.pop(word.nonce, ("", 0.0))
                if name == word.pulse.name and now - asked_at <= PATIENCE_S:
                    self.ways.setdefault(name, Way()).seen(now - asked_at, now)
                    self._measured(name, now - asked_at, now)
                    self._membership.answered(word.pulse, now)
        return None

    def rtts(self, now: float, fresh_s: float) -> dict[str, float]:
        """The way to each node that was measured lately, in seconds."""
        found = {name: way.rtt(now, fresh_s) for name, way in self.ways.items()}
        return {name: rtt for name, rtt in found.items() if rtt is not None}

    def _letter(self, name: str, kind: Kind, nonce: int) -> Letter:
        member = self._membership.peers[name].member
        return Letter(member.host, member.port, self._keys.seal(self._word(name, kind, nonce)))

    def _word(self, to: str, kind: Kind, nonce: int) -> Word:
        return Word(kind, to, nonce, self._membership.me().pulse)
