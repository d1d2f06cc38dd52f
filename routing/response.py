"""What an answer to a call over a line means for the call, and for the line, as a table.

RFC 3261 sections 8.1.3.2, 16.7 and 21; RFC 3398 for what gateways make of the telephone network; Q.850 causes
in Reason (RFC 3326). A cause that speaks of the callee ends the call whatever status it came with: gateways
are found that say 503 of a busy number. No cause turns an end into another attempt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Then(StrEnum):
    """What becomes of the call. NEXT: another line. STOP: no line will do better. FOLLOW: somewhere else, by
    policy.
    """

    NEXT = "next"
    STOP = "stop"
    FOLLOW = "follow"


class Blame(StrEnum):
    """What it says of the line. WORKED: it carried the call to where that was decided. FAILED: it did not.
    NOTHING: neither can be said.
    """

    WORKED = "worked"
    FAILED = "failed"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Meaning:
    then: Then
    blame: Blame
    words: str


_NEXT, _STOP, _FOLLOW = Then
_WORKED, _FAILED, _NOTHING = Blame

RESPONSES: Mapping[int, Meaning] = {
    300: Meaning(_FOLLOW, _WORKED, "several places"),
    301: Meaning(_FOLLOW, _WORKED, "moved for good"),
    302: Meaning(_FOLLOW, _WORKED, "moved for now"),
    305: Meaning(_NEXT, _FAILED, "wants another proxy"),
    380: Meaning(_NEXT, _WORKED, "another service wanted"),  # an emergency elsewhere (3GPP TS 24.229 5.1.6.8)
    400: Meaning(_NEXT, _FAILED, "did not understand us"),
    401: Meaning(_NEXT, _FAILED, "did not take our password"),
    402: Meaning(_NEXT, _FAILED, "wants to be paid"),
    403: Meaning(_NEXT, _NOTHING, "refused by the line"),  # often for this number or caller ID alone
    404: Meaning(_STOP, _WORKED, "no such number"),
    405: Meaning(_NEXT, _FAILED, "takes no calls"),
    406: Meaning(_NEXT, _NOTHING, "no common form"),
    407: Meaning(_NEXT, _FAILED, "did not take our password"),
    408: Meaning(_NEXT, _FAILED, "timed out"),
    410: Meaning(_STOP, _WORKED, "number gone"),
    413: Meaning(_NEXT, _NOTHING, "our message was too large"),
    414: Meaning(_NEXT, _NOTHING, "our address was too long"),
    415: Meaning(_NEXT, _NOTHING, "no common form"),
    416: Meaning(_NEXT, _NOTHING, "does not know this kind of address"),
    420: Meaning(_NEXT, _NOTHING, "lacks an extension"),
    421: Meaning(_NEXT, _NOTHING, "wants an extension"),
    422: Meaning(_NEXT, _NOTHING, "wants longer session timers"),
    480: Meaning(_NEXT, _NOTHING, "not there now"),
    481: Meaning(_NEXT, _FAILED, "lost the call"),
    482: Meaning(_NEXT, _FAILED, "went in a circle"),
    483: Meaning(_NEXT, _FAILED, "too many hops"),
    484: Meaning(_STOP, _WORKED, "number incomplete"),
    485: Meaning(_STOP, _WORKED, "number ambiguous"),
    486: Meaning(_STOP, _WORKED, "busy"),
    487: Meaning(_STOP, _NOTHING, "called off"),
    488: Meaning(_NEXT, _NOTHING, "no common codec"),
    493: Meaning(_NEXT, _NOTHING, "could not decipher us"),
    500: Meaning(_NEXT, _FAILED, "failed"),
    501: Meaning(_NEXT, _FAILED, "takes no calls"),
    502: Meaning(_NEXT, _FAILED, "its own gateway failed"),
    503: Meaning(_NEXT, _FAILED, "overloaded or out of service"),
    504: Meaning(_NEXT, _FAILED, "its own gateway was silent"),
    505: Meaning(_NEXT, _FAILED, "another version of SIP"),
    513: Meaning(_NEXT, _NOTHING, "our message was too large"),
    580: Meaning(_NEXT, _NOTHING, "preconditions failed"),
    600: Meaning(_STOP, _WORKED, "busy everywhere"),
    603: Meaning(_STOP, _WORKED, "declined"),
    604: Meaning(_STOP, _WORKED, "exists nowhere"),
    606: Meaning(_STOP, _WORKED, "not acceptable anywhere"),
    607: Meaning(_STOP, _WORKED, "unwanted"),
    608: Meaning(_STOP, _WORKED, "rejected for the callee"),
}  # fmt: skip
# A status that is not in the table means what its class does (RFC 3261 section 8.1.3.2); of 3xx, nothing
# known.
CLASSES: Mapping[int, Meaning] = {
    3: Meaning(_STOP, _WORKED, "redirected"),
    4: Meaning(_NEXT, _NOTHING, "refused"),
    5: RESPONSES[500],
    6: RESPONSES[600],
}

# Causes of Q.850 that are the callee's, or the number's: no line does better.
CALLEE: Mapping[int, str] = {
    1: "no such number",
    16: "hung up",
    17: "busy",
    18: "no answer",
    19: "no answer",
    20: "subscriber absent",
    21: "declined",
    22: "number changed",
    28: "number incomplete",
}


def meaning(status: int, cause: int = 0) -> Meaning:
    """Of a final response of 300 or more, with the Q.850 cause that came along or 0."""
    found = RESPONSES.get(status) or CLASSES.get(status // 100) or RESPONSES[500]
    if found.then is Then.NEXT and cause in CALLEE:
        return Meaning(Then.STOP, Blame.WORKED, CALLEE[cause])
    return found
