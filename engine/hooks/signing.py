"""Signatures of the Standard Webhooks specification: HMAC-SHA256 over id, time and body."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

PREFIX = "whsec_"


def key_of(secret: str) -> bytes:
    """What a secret stands for: base64 after `whsec_`, else its own text."""
    if secret.startswith(PREFIX):
        try:
            return base64.b64decode(secret[len(PREFIX) :], validate=True)
        except binascii.Error:
            pass
    return secret.encode()


def headers(secret: str, id: str, now: float, body: bytes) -> dict[str, str]:
    """What goes with a body. now: epoch seconds; receivers refuse what is some minutes old."""
    stamp = str(int(now))
    signed = hmac.new(key_of(secret), b".".join((id.encode(), stamp.encode(), body)), hashlib.sha256)
    return {
        "webhook-id": id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(signed.digest()).decode()}",
    }
