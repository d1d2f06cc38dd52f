"""A SIM card's answers to the challenges of a mobile network: AKAv1-MD5 (RFC 3310) over MILENAGE.

The nonce carries RAND and AUTN. The card checks that the network knows its key (MAC-A) and that the
challenge is not an old one (SQN, 3GPP TS 33.102 section 6.3.3 and annex C.2); when it is, it says by AUTS
which was the newest it has seen (section 6.3.5).
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sip.digest import Challenge, Proof
from sip.milenage import Milenage

MAX_NONCE = 1024  # characters; RAND and AUTN take 44, what a server adds is its own
_NO_AMF = bytes(2)  # of AUTS, TS 33.102 section 6.3.3
_IND_BITS = 5  # TS 33.102 annex C.3.2
_INDICES = 1 << _IND_BITS


Keep = Callable[[Sequence[int]], None]


class Card:
    """Keys, and the sequence numbers seen so far, which live as long as this value does unless they are kept.

    amf: the only one that is taken, None for any. A card that has seen nothing takes any sequence number.
    """

    def __init__(self, keys: Milenage, amf: bytes | None = None) -> None:
        self._keys = keys
        self.amf = amf
        self._seen = [-1] * _INDICES  # SEQ by IND
        self._keep: Keep = lambda seen: None

    def __repr__(self) -> str:
        return "Card()"

    def resume(self, seen: Sequence[int], keep: Keep) -> None:
        """Go on from what was kept of this card; what is no memory of one is passed over.

        keep: called with the newest SEQ of each index when a challenge is taken, before its answer is known.
        """
        fits = len(seen) == _INDICES and all(-1 <= each < 1 << 48 - _IND_BITS for each in seen)
        if fits:
            self._seen = [max(pair) for pair in zip(self._seen, seen, strict=True)]
        self._keep = keep

    @property
    def highest(self) -> int:
        """SQN_MS: the highest sequence number that was taken, 0 for none."""
        seq, ind = max((seq, ind) for ind, seq in enumerate(self._seen))
        return 0 if seq < 0 else seq << _IND_BITS | ind

    def answer(self, rand: bytes, autn: bytes) -> Proof:
        """What proves us, or what tells the network why its challenge will not do."""
        vector = self._keys.vector(rand)
        hidden, amf, mac = autn[:6], autn[6:8], autn[8:]
        sqn = bytes(a ^ b for a, b in zip(hidden, vector.ak, strict=True))
        known = hmac.compare_digest(self._keys.codes(rand, sqn, amf)[0], mac)
        if not known or (self.amf is not None and amf != self.amf):
            return Proof(b"", refused=True)
        number = int.from_bytes(sqn, "big")
        seq, ind = number >> _IND_BITS, number & (_INDICES - 1)
        if seq <= self._seen[ind]:
            return Proof(b"", auts=b64encode(self._auts(rand, vector.resync_ak)).decode())
        self._seen[ind] = seq
        self._keep(tuple(self._seen))
        return Proof(vector.res)

    def _auts(self, rand: bytes, key: bytes) -> bytes:
        sqn = self.highest.to_bytes(6, "big")
        hidden = bytes(a ^ b for a, b in zip(sqn, key, strict=True))
        return hidden + self._keys.codes(rand, sqn, _NO_AMF)[1]


@dataclass(frozen=True, slots=True)
class AkaCredentials:
    """What a client with a SIM card answers challenges with; nothing but AKAv1-MD5 is answered.

    user: the private identity (IMPI). realm set: no other realm's challenges are answered.
    """

    user: str
    card: Card = field(repr=False, compare=False)
    realm: str | None = None

    @property
    def aka(self) -> bool:
        return True

    def prove(self, challenge: Challenge) -> Proof | None:
        """None for a nonce that does not hold RAND and AUTN."""
        if len(challenge.nonce) > MAX_NONCE:
            return None
        try:
            nonce = b64decode(challenge.nonce, validate=True)
        except (NotBase64, ValueError):
            return None
        return self.card.answer(nonce[:16], nonce[16:32]) if len(nonce) >= 32 else None
