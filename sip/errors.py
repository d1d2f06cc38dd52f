"""Errors of the SIP stack. Each one knows what it means for the call.

SipError                      .sip_status     the answer the far end gets, or would get
│                             .retry_elsewhere  another line or contact may do better
├── LocalFault                we asked for, or were told to do, something impossible
│   ├── WrongState            the dialog or session is not in a state that allows it
│   ├── NothingInCommon       an offer that no capability of ours fits (488)
│   └── BadSnapshot           what was written down of a session cannot be gone on with (sip.snapshot)
└── RemoteFault               what came from the network is at fault
    └── Malformed             it cannot be read
        ├── MalformedUri
        ├── MalformedHeader
        ├── MalformedMessage  .status .reason .request: enough to answer, when it can be answered
        ├── MalformedSdp
        └── StreamBroken      a byte stream that lost its framing; .framed is what came before

A refusal, a silence or a lost transport is no exception: it is an event of its session (sip.events).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sip.message import Request, Response


class SipError(Exception):
    """Base of all errors of the stack."""

    sip_status: int = 500
    retry_elsewhere: bool = False


class LocalFault(SipError):
    """We are at fault: a caller of this stack asked for something impossible."""


class WrongState(LocalFault):
    """What was asked for does not fit the state of the dialog or session."""

    sip_status = 491


class NothingInCommon(LocalFault):
    """No codec or transport profile is common to offer and capabilities."""

    sip_status = 488
    retry_elsewhere = True  # the far end of another line may speak what this one does not


class BadSnapshot(LocalFault):
    """What was read is no session that could be gone on with; the text says which part."""


class RemoteFault(SipError):
    """The far end, or the way there, is at fault."""

    sip_status = 400


class Malformed(RemoteFault):
    """What came cannot be read."""


class MalformedUri(Malformed):
    """Not a URI of RFC 3261 section 19.1, RFC 3966 or RFC 3986."""


class MalformedHeader(Malformed):
    """A header field value that does not follow its grammar or exceeds a limit."""


class MalformedSdp(Malformed):
    """A session description that cannot be read, or exceeds a limit."""


class MalformedMessage(Malformed):
    """A message that must not be processed.

    status, reason: the response to give. request: what is needed to give it through `respond`; None
    when nothing may be sent (a response, an ACK, or no usable Via), that is: drop it.
    """

    def __init__(self, status: int, reason: str, request: Request | None = None) -> None:
        super().__init__(f"{status} {reason}")
        self.sip_status = status
        self.status = status
        self.reason = reason
        self.request = request


class StreamBroken(Malformed):
    """A byte stream whose framing is lost; close the connection.

    framed: messages (and malformed messages that may still be answered) read before the break.
    """

    def __init__(self, reason: str, framed: Sequence[Request | Response | MalformedMessage] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.framed = list(framed)
