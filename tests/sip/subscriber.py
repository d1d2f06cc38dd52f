"""The network's half of AKA: what an HSS makes of one subscriber's keys (3GPP TS 33.102 section 6.3)."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from random import Random

from sip.aka import AkaCredentials, Card
from sip.digest import parse_digest
from sip.milenage import Milenage, bound

K, OP = bytes.fromhex("465b5ce8b199b49faa5f0a2ee238a6bc"), bytes.fromhex("cdc202d5123e20f62b6d676ac72cb318")
KEYS = Milenage(K, bound(K, OP))
IMPI, HOME = "001010123456789@ims.example", "ims.example"
AMF = bytes.fromhex("8000")


def xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def credentials(keys: Milenage = KEYS, amf: bytes | None = None) -> AkaCredentials:
    return AkaCredentials(IMPI, Card(keys, amf), HOME)


class Subscriber:
    """One row of the HSS. sqn: the sequence number of the next challenge."""

    def __init__(self, keys: Milenage = KEYS, sqn: int = 32, seed: int = 1) -> None:
        self.keys = keys
        self.sqn = sqn
        self.rng = Random(seed)
        self.rand = b""

    def challenge(self, *, amf: bytes = AMF, mac: bytes | None = None) -> str:
        """The next WWW-Authenticate value; the sequence number moves on."""
        self.rand = self.rng.randbytes(16)
        sqn = self.sqn.to_bytes(6, "big")
        self.sqn += 33  # the next SEQ, in the next place
        hidden = xor(sqn, self.keys.vector(self.rand).ak)
        autn = hidden + amf + (mac or self.keys.codes(self.rand, sqn, amf)[0])
        nonce = b64encode(self.rand + autn).decode()
        return f'Digest realm="{HOME}", nonce="{nonce}", algorithm=AKAv1-MD5, qop="auth"'

    def accepts(self, authorization: str, method: str = "REGISTER") -> bool:
        """Whether an Authorization value proves the subscriber."""
        said = parse_digest(authorization) or {}
        res = self.keys.vector(self.rand).res
        ha1 = hashlib.md5(f"{said['username']}:{said['realm']}:".encode() + res).hexdigest()
        ha2 = hashlib.md5(f"{method}:{said['uri']}".encode()).hexdigest()
        words = (ha1, said["nonce"], said["nc"], said["cnonce"], said["qop"], ha2)
        return said["response"] == hashlib.md5(":".join(words).encode()).hexdigest()

    def resynchronised(self, authorization: str) -> bool:
        """Take AUTS in: whether it is the card's, and then go on from where the card is."""
        auts = b64decode((parse_digest(authorization) or {}).get("auts", ""))
        sqn = xor(auts[:6], self.keys.vector(self.rand).resync_ak)
        if self.keys.codes(self.rand, sqn, bytes(2))[1] != auts[6:]:
            return False
        self.sqn = int.from_bytes(sqn, "big") + 33
        return True
