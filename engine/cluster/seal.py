"""What nodes leave to each other in the store is sealed with the key that all of them have.

A call that is taken over is gone on with as it is written: phones are invited, numbers dialled. So whoever
can write to the store must not be able to write one. HMAC-SHA256 over what it is, which one, and all of it.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

MARK = b"igs1"
SIZE = 16  # bytes of the seal


class Seals:
    """Of one node. secrets: by id; key: the one to seal with. Others' seals may be by any of them."""

    def __init__(self, secrets: Mapping[str, bytes], key: str) -> None:
        self._secrets = secrets
        self._key = key

    def seal(self, word: str, id: str, data: bytes) -> bytes:
        """data: of the thing of that kind and name. As the store has it."""
        key = self._key.encode()
        return MARK + bytes([len(key)]) + key + self._mark(self._key, word, id, data) + data

    def open(self, word: str, id: str, sealed: bytes) -> bytes | None:
        """What was sealed; None for what no node has sealed so."""
        if not sealed.startswith(MARK) or len(sealed) <= len(MARK):
            return None
        start = len(MARK) + 1
        end = start + sealed[len(MARK)]
        key = sealed[start:end].decode("ascii", "replace")
        mark, data = sealed[end : end + SIZE], sealed[end + SIZE :]
        if key not in self._secrets or not hmac.compare_digest(self._mark(key, word, id, data), mark):
            return None
        return data

    def _mark(self, key: str, word: str, id: str, data: bytes) -> bytes:
        what = f"{word}\n{id}\n".encode()
        return hmac.digest(self._secrets[key], MARK + len(what).to_bytes(4) + what + data, "sha256")[:SIZE]
