"""What came and went, counted: messages by direction, and by method or status class."""

from __future__ import annotations

from collections import defaultdict

from sip.errors import MalformedMessage
from sip.message import Request, Response

METHODS = frozenset(
    "INVITE ACK BYE CANCEL REGISTER OPTIONS PRACK UPDATE INFO REFER NOTIFY SUBSCRIBE MESSAGE PUBLISH".split()
)
OTHER = "other"  # what strangers invent as a method must not make the table grow


class Traffic:
    """Counts since the start; counting a message costs a fraction of a microsecond."""

    __slots__ = ("_received", "_sent")

    def __init__(self) -> None:
        self._received: defaultdict[str | int, int] = defaultdict(
            int
        )  # by method, or by the first digit of a status
        self._sent: defaultdict[bytes, int] = defaultdict(int)  # the same, as it stands in the first line

    def received(self, message: Request | Response | MalformedMessage) -> None:
        """One message came."""
        if isinstance(message, Request):
            self._received[message.method if message.method in METHODS else OTHER] += 1
        elif isinstance(message, Response):
            self._received[message.status // 100] += 1
        else:
            self._received["malformed"] += 1

    def sent(self, data: bytes) -> None:
        """One message of ours is on its way."""
        self._sent[data[8:9] if data.startswith(b"SIP/2.0 ") else data[:10].partition(b" ")[0]] += 1

    def counts(self) -> dict[tuple[str, str], int]:
        """By direction, "in" or "out", and method or status class such as "2xx"."""
        came = {("in", _kind(str(what))): count for what, count in self._received.items()}
        went = {("out", _kind(what.decode("ascii", "replace"))): count for what, count in self._sent.items()}
        return came | went


def _kind(what: str) -> str:
    return f"{what}xx" if what.isdecimal() else what
