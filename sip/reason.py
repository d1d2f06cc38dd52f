"""The Reason header field: why a call was given up, in the words of SIP or Q.850 (RFC 3326)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FIELD = re.compile(r'\s*([\w.+-]{1,32})\s*((?:;[^;"]*(?:"[^"]*"[^;"]*)?)*)')
_PARAMETER = re.compile(r';\s*([\w-]+)\s*=\s*(?:"([^"]*)"|([^;"\s]+))')


@dataclass(frozen=True, slots=True)
class Reason:
    """protocol: "SIP" (cause is a status code) or "Q.850" (cause is an ISDN cause value)."""

    protocol: str
    cause: int
    text: str = ""

    def __str__(self) -> str:
        text = self.text.replace('"', "'").replace("\r", " ").replace("\n", " ")
        return f"{self.protocol};cause={self.cause}" + (f';text="{text}"' if text else "")

    @classmethod
    def parse(cls, value: str) -> Reason | None:
        """The first reason value of a header line; None when it is not one (a hint nobody depends on)."""
        match = _FIELD.match(value[:512])
        if match is None:
            return None
        found = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(match.group(2))}
        cause = found.get("cause", "0")
        return cls(
            match.group(1), int(cause) if cause.isdecimal() and len(cause) < 4 else 0, found.get("text", "")
        )


NORMAL_CLEARING = Reason("Q.850", 16, "Normal call clearing")
ANSWERED_ELSEWHERE = Reason("SIP", 200, "Call completed elsewhere")
