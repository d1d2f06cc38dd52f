"""Cursors of pages that are found by when a call ended, and by its name where two ended at once."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec
from sqlalchemy import tuple_


class BadCursor(ValueError):
    """The cursor was not made here."""


def cursor_of(ended_at: float, call: str) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode([ended_at, call])).decode().rstrip("=")


def at_key(cursor: str) -> Any:
    """The place that a cursor names, to be compared with those of rows. Raises BadCursor."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        at, call = msgspec.json.decode(text, type=tuple[float, str])
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise BadCursor("this cursor was not given out here") from error
    return tuple_(at, call)
