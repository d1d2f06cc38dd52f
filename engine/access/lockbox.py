"""Secrets of people that have to be read again, as the store holds them: sealed with a key that it has not.

    igl1.KEY.SEALED    KEY: which key; SEALED: nonce, ciphertext and tag in Base64 (RFC 4648, URL-safe)

AES-256-GCM; the key is HKDF-SHA256 (RFC 5869) of the secret of that name, and whose secret it is is
authenticated, so that nobody's is put in another's place.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MARK = "igl1."
NONCE = 12  # bytes
PURPOSE = b"isogloss second factor"


class Locked(Exception):
    """It does not open with the keys that are at hand."""


class Lockbox:
    """keys: secrets by name. key: the one to seal with; None: what is put in stays as it is."""

    def __init__(self, keys: Mapping[str, str] | None = None, key: str | None = None) -> None:
        self._key = key
        self._ciphers = {name: _cipher(secret) for name, secret in (keys or {}).items()}

    def seal(self, whose: str, secret: str) -> str:
        """As it is kept; "" stays so."""
        if self._key is None or not secret:
            return secret
        nonce = secrets.token_bytes(NONCE)
        sealed = nonce + self._ciphers[self._key].encrypt(nonce, secret.encode(), whose.encode())
        return f"{MARK}{self._key}.{base64.urlsafe_b64encode(sealed).decode()}"

    def open(self, whose: str, kept: str) -> str:
        """Raises Locked."""
        if not kept.startswith(MARK):
            return kept
        key, _, written = kept.removeprefix(MARK).rpartition(".")
        if key not in self._ciphers:
            raise Locked(f"there is no key {key!r}: add it to access.keys in api.yaml")
        try:
            sealed = base64.urlsafe_b64decode(written)
            return self._ciphers[key].decrypt(sealed[:NONCE], sealed[NONCE:], whose.encode()).decode()
        except (binascii.Error, InvalidTag, ValueError) as fault:
            raise Locked(f"it was not sealed with the key {key!r}, or not for {whose!r}") from fault

    def stale(self, kept: str) -> bool:
        """Whether it is to be sealed anew: it is plain, or under a former key."""
        sealed_with = kept.rpartition(".")[0]
        return bool(kept) and self._key is not None and sealed_with != f"{MARK}{self._key}"


def _cipher(secret: str) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=PURPOSE).derive(secret.encode()))
