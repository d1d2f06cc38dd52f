"""SRTP keys in session descriptions: `a=crypto` (RFC 4568; suites of RFC 4568 section 6.2 and RFC 7714).

A line that is malformed, names another suite, or needs what is not done here is passed over, as section 7.1.2
has it. Not done: master key identifiers and with them several keys on a line, key derivation rates, streams
that are left unencrypted or unauthenticated, and the order of forward error correction.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from sip.description import Media

KEY_BYTES: Mapping[str, int] = {  # master key and salt together
    "AEAD_AES_256_GCM": 32 + 12,
    "AEAD_AES_128_GCM": 16 + 12,
    "AES_CM_128_HMAC_SHA1_80": 16 + 14,
    "AES_CM_128_HMAC_SHA1_32": 16 + 14,
}
SECURE_PROTOS = frozenset({"RTP/SAVP", "RTP/SAVPF"})
PLAIN_PROTOS = frozenset({"RTP/AVP", "RTP/AVPF"})
LONGEST_LIFE = 2**48  # packets under one master key (RFC 3711 section 9.2)
LEAST_WINDOW = 64  # packets, RFC 4568 section 6.3.6

_LINE = re.compile(
    r"([0-9]{1,9})[ \t]+([A-Za-z0-9_]{1,64})[ \t]+inline:([!-~]{1,512})((?:[ \t]+[!-~]{1,256}){0,16})"
)
_LIFE = re.compile(r"2\^([0-9]{1,2})|([0-9]{1,15})")
_WINDOW = re.compile(r"WSH=([0-9]{2,9})")


@dataclass(frozen=True, slots=True, repr=False)
class Crypto:
    """One line. key: master key and salt, never shown. life: packets that the key is for, None: the most."""

    tag: int
    suite: str
    key: bytes
    life: int | None = None

    @property
    def line(self) -> str:
        """The attribute's value; for the far end alone."""
        return f"{self.tag} {self.suite} inline:{b64encode(self.key).decode()}"

    def __repr__(self) -> str:
        return f"Crypto({self.tag} {self.suite} [hidden])"


def fresh(tag: int, suite: str, rng: Random) -> Crypto:
    """A line with a key that nobody had before; rng: of the operating system, but in tests."""
    return Crypto(tag, suite, rng.randbytes(KEY_BYTES[suite]))


def read(value: str) -> Crypto | None:
    """What an attribute's value says; None for one to pass over."""
    found = _LINE.fullmatch(value.strip())
    if found is None or found[2] not in KEY_BYTES:
        return None
    text, *more = found[3].split("|")
    key = _key(text)
    if key is None or len(key) != KEY_BYTES[found[2]] or len(more) > 1:  # the second is a key identifier
        return None
    life = _life(more[0]) if more else None
    if (more and life is None) or not all(_ignorable(word) for word in found[4].split()):
        return None
    return Crypto(int(found[1]), found[2], key, life)


def _key(text: str) -> bytes | None:
    try:
        return b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), validate=True)
    except binascii.Error:
        return None


def _life(text: str) -> int | None:
    found = _LIFE.fullmatch(text)
    if found is None:
        return None
    packets = 2 ** int(found[1]) if found[1] else int(found[2])
    return packets if 0 < packets <= LONGEST_LIFE else None


def _ignorable(word: str) -> bool:
    """Whether a session parameter may be left as it is: a hint, or an extension that says so itself."""
    window = _WINDOW.fullmatch(word)
    return word.startswith("-") or (window is not None and int(window[1]) >= LEAST_WINDOW)


def find(values: Sequence[str], suites: Collection[str]) -> Crypto | None:
    """The line to take of an offer: their first one that can be taken (RFC 4568 section 5.1.2)."""
    read_lines = (read(value) for value in values)
    return next((line for line in read_lines if line is not None and line.suite in suites), None)


def answered(offered: Sequence[Crypto], values: Sequence[str]) -> tuple[Crypto, Crypto] | None:
    """Our line and theirs that the answer chose; None when it chose none, or not one of ours, or several."""
    if len(values) != 1:
        return None
    theirs = read(values[0])
    if theirs is None:
        return None
    ours = (line for line in offered if (line.tag, line.suite) == (theirs.tag, theirs.suite))
    return next(((line, theirs) for line in ours), None)


def is_secure(media: Media) -> bool:
    """Whether the section is of a profile that is never plain."""
    return media.proto.upper() in SECURE_PROTOS


def is_plain(media: Media) -> bool:
    """Whether the section is of a profile that may be plain (RFC 8643 lets it carry keys all the same)."""
    return media.proto.upper() in PLAIN_PROTOS
