"""Digits by INFO: application/dtmf-relay and application/dtmf.

As phones and gateways have always sent them.
"""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

from sip.message import Request, Response
from sip.outgoing import Outgoing

if TYPE_CHECKING:
    from sip.session import Session

MAX_QUEUED = 64
DIGITS = "0123456789*#ABCD!"
_SIGNAL = re.compile(rb"^\s*Signal\s*=\s*([0-9A-Da-d*#!]{1,2})\s*$", re.MULTILINE | re.IGNORECASE)
_DURATION = re.compile(rb"^\s*Duration\s*=\s*(\d{1,5})\s*$", re.MULTILINE | re.IGNORECASE)
_BARE = re.compile(rb"\s*([0-9A-Da-d*#!]{1,2})\s*")
DEFAULT_MS, LONGEST_MS = 160, 6000


def read_digit(request: Request) -> tuple[str, int] | None:
    """(digit, milliseconds) of an INFO, or None when it carries no digit.

    Events 10-16 of RFC 4733 are understood.
    """
    kind, body = request.content_type, request.body[:256]
    if kind == "application/dtmf-relay":
        signal, duration = _SIGNAL.search(body), _DURATION.search(body)
    elif kind == "application/dtmf":
        signal, duration = _BARE.fullmatch(body), None
    else:
        return None
    if signal is None:
        return None
    text = signal[1].decode("ascii").upper()
    if len(text) == 2:
        if not text.isdigit() or int(text) >= len(DIGITS):
            return None
        text = DIGITS[int(text)]
    return text, min(int(duration[1]), LONGEST_MS) if duration else DEFAULT_MS


class Digits:
    """The digits one session sends: one INFO at a time, so that none overtakes another."""

    __slots__ = ("_busy", "_queue", "_session")

    def __init__(self, session: Session) -> None:
        self._session = session
        self._queue: deque[tuple[str, int]] = deque(maxlen=MAX_QUEUED)
        self._busy = False

    def send(self, digit: str, ms: int, now: float) -> None:
        """Queue one digit; the oldest is lost when MAX_QUEUED wait."""
        if len(digit) == 1 and digit.upper() in DIGITS:
            self._queue.append((digit.upper(), min(max(ms, 40), LONGEST_MS)))
            self._next(now)

    def stop(self) -> None:
        """Forget what waits."""
        self._queue.clear()

    def _next(self, now: float) -> None:
        if self._busy or not self._queue or self._session.dialog is None:
            return
        self._busy = True
        digit, ms = self._queue.popleft()
        body = f"Signal={digit}\r\nDuration={ms}\r\n".encode()
        headers = [("Content-Type", "application/dtmf-relay")]
        self._session.send("INFO", self._on_answer, now, headers=headers, body=body)

    def _on_answer(self, outgoing: Outgoing, response: Response, now: float) -> None:
        if response.status < 200:
            return
        self._busy = False
        if response.status == 481 and not self._session.over:
            self._session.gone(now)
        else:
            self._next(now)
