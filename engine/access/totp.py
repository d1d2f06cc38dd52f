"""The second factor: codes by time (RFC 6238) of an app on somebody's phone, and others for when it is
lost.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

import pyotp

STEP_S = 30
AROUND = 1  # steps that a phone's clock may be off
RECOVERY_CODES = 10
_CODE = re.compile(r"[0-9]{6}")
_RECOVERY = re.compile(r"[a-z2-7]{5}-[a-z2-7]{5}")
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


def new_secret() -> str:
    """160 random bits in Base32, as RFC 4226 section 4 wants."""
    return pyotp.random_base32()


def uri(secret: str, name: str, issuer: str) -> str:
    """What an app reads as a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=issuer)


def step_of(secret: str, code: str, now: float, last: int) -> int | None:
    """Which time step the code is of, None for no right one. last: step of the last code that was taken; no
    code of it or of one before is right again (RFC 6238 section 5.2). now: epoch seconds.
    """
    if not _CODE.fullmatch(code):
        return None
    made, found = pyotp.TOTP(secret), None
    for step in range(int(now) // STEP_S - AROUND, int(now) // STEP_S + AROUND + 1):
        if hmac.compare_digest(made.generate_otp(step), code) and step > last:
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """Each of 50 random bits, good once."""
    return ["-".join(_letters(5) for _ in range(2)) for _ in range(RECOVERY_CODES)]


def recovery_digest(code: str) -> str | None:
    """What is kept of a recovery code, None for what is none by its form."""
    plain = code.strip().lower()
    return hashlib.sha256(plain.encode()).hexdigest() if _RECOVERY.fullmatch(plain) else None


def _letters(count: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(count))
