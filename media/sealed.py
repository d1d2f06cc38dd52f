"""Sealed files: AES-256-GCM in chunks, so that a file that was cut off opens up to where it was cut.

    file     header, chunks
    header   "ISOSEAL1", key id (1 byte of length, UTF-8), salt (16 bytes), check (8 bytes)
    chunk    4 bytes little-endian: length of the sealed data; that data: ciphertext and 16 bytes of tag

The file's own key is HKDF-SHA256 (RFC 5869) of the secret with the salt, so that nonces need only be unique
in a file. A nonce is the chunk's number (11 bytes) and 1 for the last chunk, 0 for others: chunks that were
left out, swapped, or cut off at the end are told from a whole file (the STREAM construction: Hoang,
Reyhanitabar, Rogaway, Vizar, "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", 2015).
Every chunk authenticates the header as well. `check` tells a wrong key from a damaged file.

Errors, each with its remedy: SealBroken <- WrongKey, UnknownKey, Tampered, Truncated, NotSealed.
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Iterable, Iterator, Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC = b"ISOSEAL1"
SUFFIX = ".sealed"
SALT, CHECK, TAG = 16, 8, 16  # bytes
LONGEST = 4 * 1024 * 1024  # bytes of a chunk's sealed data
MIN_SECRET = 32  # characters
_LENGTH = struct.Struct("<I")


class SealBroken(Exception):
    """A sealed file does not open as it should; `remedy` says what to do."""

    remedy = "restore the file from a copy"


class NotSealed(SealBroken):
    """The file does not begin as a sealed one does."""

    remedy = "a file whose name does not end in .sealed is not encrypted: play it as it is"


class UnknownKey(SealBroken):
    """No secret of the file's key id is at hand."""

    remedy = "give the secret under that id, as it stood in the configuration when the file was made"


class WrongKey(SealBroken):
    """The secret is not the one that the file was sealed with."""

    remedy = "give the secret that had this id when the file was made"


class Tampered(SealBroken):
    """A chunk is not as it was written."""


class Truncated(SealBroken):
    """The file has no end: what made it was stopped, or the end was cut off. All before it is sound."""

    remedy = "what there is can be used; nothing brings back the rest"


def _derive(secret: str, salt: bytes) -> tuple[AESGCM, bytes]:
    """A file's cipher and its check."""
    made = HKDF(SHA256(), 32 + CHECK, salt, b"isogloss recording 1").derive(secret.encode())
    return AESGCM(made[:32]), made[32:]


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


class Seal:
    """Seals one file. salt: 16 random bytes, never used before with this secret. Raises ValueError for a
    secret that is too short.
    """

    def __init__(self, key_id: str, secret: str, salt: bytes) -> None:
        if len(secret) < MIN_SECRET or len(salt) != SALT:
            raise ValueError(f"a secret has {MIN_SECRET} characters or more")
        self._cipher, check = _derive(secret, salt)
        name = key_id.encode()
        self.header = MAGIC + bytes([len(name)]) + name + salt + check
        self._number = 0

    def chunk(self, data: bytes, *, last: bool = False) -> bytes:
        """The next chunk."""
        sealed = self._cipher.encrypt(_nonce(self._number, last), data, self.header)
        self._number += 1
        return _LENGTH.pack(len(sealed)) + sealed


class Opener:
    """Opens one file, fed in pieces. keys: secret by key id."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._keys = keys
        self._buffer = bytearray()
        self._cipher: AESGCM | None = None
        self._header = b""
        self._number = 0
        self.key_id = ""
        self.ended = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What the pieces so far say, chunk by chunk. Raises SealBroken."""
        self._buffer += data
        if self._cipher is None and not self._begin():
            return
        while len(self._buffer) >= _LENGTH.size:
            (size,) = _LENGTH.unpack_from(self._buffer)
            if self.ended or not TAG <= size <= LONGEST:
                raise Tampered(f"chunk {self._number} has no sound length, or comes after the last")
            if len(self._buffer) < _LENGTH.size + size:
                return
            sealed = bytes(self._buffer[_LENGTH.size : _LENGTH.size + size])
            del self._buffer[: _LENGTH.size + size]
            yield self._open(sealed)

    def end(self) -> None:
        """There is no more. Raises Truncated, or NotSealed when there was not even a header."""
        if self._cipher is None:
            raise NotSealed("the file has no whole header")
        if not self.ended:
            raise Truncated(f"the file has no end: {self._number} whole chunks")

    def _begin(self) -> bool:
        """Read the header once it is there."""
        buffer = self._buffer
        if bytes(buffer[: len(MAGIC)]) != MAGIC[: len(buffer)]:
            raise NotSealed("the file does not begin as a sealed one")
        at = len(MAGIC) + 1
        if len(buffer) < at or len(buffer) < at + buffer[at - 1] + SALT + CHECK:
            return False
        name = bytes(buffer[at : at + buffer[at - 1]])
        at += len(name)
        salt, check = bytes(buffer[at : at + SALT]), bytes(buffer[at + SALT : at + SALT + CHECK])
        self._header = bytes(buffer[: at + SALT + CHECK])
        self.key_id = name.decode(errors="replace")
        if self.key_id not in self._keys:
            raise UnknownKey(f"the file was sealed with the key {self.key_id!r}, which is not at hand")
        cipher, expected = _derive(self._keys[self.key_id], salt)
        if not hmac.compare_digest(check, expected):
            raise WrongKey(f"the secret at hand for {self.key_id!r} is not the one of this file")
        self._cipher = cipher
        del buffer[: len(self._header)]
        return True

    def _open(self, sealed: bytes) -> bytes:
        assert self._cipher is not None, "chunks come after the header"
        for last in (False, True):
            try:
                data = self._cipher.decrypt(_nonce(self._number, last), sealed, self._header)
            except InvalidTag:
                continue
            self._number += 1
            self.ended = last
            return data
        raise Tampered(f"chunk {self._number} was changed, left out or put elsewhere")


def opened(pieces: Iterable[bytes], keys: Mapping[str, str]) -> Iterator[bytes]:
    """The content of a sealed file given in pieces. Raises SealBroken; all that is sound comes before."""
    opener = Opener(keys)
    for piece in pieces:
        yield from opener.feed(piece)
    opener.end()
