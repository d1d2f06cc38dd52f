"""Signatures of the Standard Webhooks specification: HMAC-SHA256 over id, time and body."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

PREFIX = "whsec_"


def key_of(secret: str) -> bytes:
    """What a secret stands for: base64 after `whsec_`, else its own text."""
    if secret.startswith(PREFIX):
        try:
            return base64.b64decode(secret[len(PREFIX) :], validate=True)
        except binascii.Error:
            pass
    return secret.encode()


def headers(secrets: Sequence[str], id: str, now: float, body: bytes) -> dict[str, str]:
    """What goes with a body: a signature by each secret, of which receivers know one. now: epoch seconds;
    receivers refuse what is some minutes old.
    """
    stamp = str(int(now))
    told = b".".join((id.encode(), stamp.encode(), body))
    return {
        "webhook-id": id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(_signature(each, told) for each in secrets),
    }


def _signature(secret: str, told: bytes) -> str:
    return f"v1,{base64.b64encode(hmac.digest(key_of(secret), told, hashlib.sha256)).decode()}"
