"""Sound and words in a store that others share: closed with a secret, for it is somebody's voice.

AES-256-GCM (NIST SP 800-38D) with a key that is derived from the secret for this alone; what it is and whose
is authenticated with it, so that nothing can be put in another's place.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MARK = b"igv1"
NONCE = 12  # bytes


class Box(Protocol):
    def close(self, word: str, id: str, data: bytes) -> bytes:
        """data: of the thing of that kind and name. As the store has it."""

    def open(self, word: str, id: str, closed: bytes) -> bytes | None:
        """What was closed so; None for anything else."""


class Clear:
    """Where the store is this node's alone: nothing is closed."""

    def close(self, word: str, id: str, data: bytes) -> bytes:
        return data

    def open(self, word: str, id: str, closed: bytes) -> bytes | None:
        return closed


class Boxes:
    """secrets: by id, of 32 characters or more; key: the one to close with. Opens with any of them."""

    def __init__(self, secrets: Mapping[str, bytes], key: str) -> None:
        self._ciphers = {id: AESGCM(_derived(secret)) for id, secret in secrets.items()}
        self._key = key.encode("ascii")
        self._cipher = self._ciphers[key]

    def close(self, word: str, id: str, data: bytes) -> bytes:
        nonce = os.urandom(NONCE)
        head = MARK + bytes([len(self._key)]) + self._key + nonce
        return head + self._cipher.encrypt(nonce, data, _named(word, id))

    def open(self, word: str, id: str, closed: bytes) -> bytes | None:
        if not closed.startswith(MARK) or len(closed) <= len(MARK):
            return None
        start = len(MARK) + 1
        end = start + closed[len(MARK)]
        cipher = self._ciphers.get(closed[start:end].decode("ascii", "replace"))
        nonce, sealed = closed[end : end + NONCE], closed[end + NONCE :]
        if cipher is None or len(nonce) < NONCE:
            return None
        try:
            return cipher.decrypt(nonce, sealed, _named(word, id))
        except InvalidTag:
            return None


def _derived(secret: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"isogloss speech 1").derive(secret)


def _named(word: str, id: str) -> bytes:
    return f"{word}\n{id}".encode()
