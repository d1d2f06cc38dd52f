"""What a user agent tells its owner. Frozen values; `session` is the live object the event is about.

Every session ends with exactly one of `Rejected` (our call was not answered), `Cancelled` (their call was
taken back) or `Ended` (everything else, our own hang-up included); nothing about that session follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sip.admission import Identity as Identity
from sip.description import Direction
from sip.hop import Hop as Hop
from sip.reason import Reason as Reason

if TYPE_CHECKING:
    from sip.message import Request
    from sip.session import Session
    from sip.uri import Uri


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events."""


@dataclass(frozen=True, slots=True)
class IncomingCall(Event):
    """A new INVITE, admitted. source: where it was first sent from, as far as our own proxies tell.

    offer: its session description, None when the answer must carry the offer. replaces: the session of ours
    that this call is to take the place of (RFC 3891); answering hangs that one up.
    """

    session: Session
    request: Request
    identity: Identity
    source: Hop
    offer: bytes | None
    replaces: Session | None = None


@dataclass(frozen=True, slots=True)
class Provisional(Event):
    """A 1xx to our INVITE; sdp: the answer (or a preview of it), or the offer when we made none."""

    session: Session
    status: int
    sdp: bytes | None = None


@dataclass(frozen=True, slots=True)
class Authorised:
    """direction: as its sender sees it: "sendonly" lets us hear and not be heard. gated: somebody on the way
    holds back the sound that is not authorised.
    """

    direction: Direction
    gated: bool = False

    @property
    def heard(self) -> bool:
        """Whether what the far end plays is meant for us; else we ring ourselves."""
        return self.direction in ("sendrecv", "sendonly")

    @property
    def spoken(self) -> bool:
        """Whether whoever calls may be heard there."""
        return self.direction in ("sendrecv", "recvonly")


@dataclass(frozen=True, slots=True)
class EarlyMedia(Event):
    """What may be heard before the answer has changed (RFC 5009); told before the event of its message."""

    session: Session
    authorised: Authorised


@dataclass(frozen=True, slots=True)
class Answered(Event):
    """Our INVITE got its first 2xx.

    sdp: the answer; the *offer* when we made none: then call `acknowledge`.
    """

    session: Session
    sdp: bytes | None


@dataclass(frozen=True, slots=True)
class Rejected(Event):
    """Our INVITE failed on every hop.

    cause: "response" (the far end said `status`), "timeout" (408, nobody answered), "transport" (503),
    "ringing" (408, ring_timeout passed). retry_after: seconds, from a Retry-After header. contacts: where a
    3xx points. why: their Reason header, such as a cause of Q.850. restores: the network has forgotten us,
    and wants to be registered with anew (sip.restoration).
    """

    session: Session
    status: int
    reason: str
    retry_after: float | None = None
    contacts: tuple[Uri, ...] = ()
    cause: str = "response"
    why: str | None = None
    restores: bool = False


@dataclass(frozen=True, slots=True)
class Acknowledged(Event):
    """The ACK to our 2xx has come; sdp: the answer, when our 2xx carried the offer."""

    session: Session
    sdp: bytes | None


@dataclass(frozen=True, slots=True)
class Cancelled(Event):
    """The caller took the call back before we answered it; reason: their Reason header."""

    session: Session
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Ended(Event):
    """The session is over.

    cause: "bye" (theirs), "hangup" (ours), "rejected" (ours, before answering), "no_answer" (neither
    answered nor rejected within `max_ringing`), "timer" (RFC 4028), "no_ack", "no_prack", "transport" or
    "gone" (they forgot the call: 481 or 408 inside it). reason: their Reason header.
    """

    session: Session
    cause: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Reoffered(Event):
    """The far end wants the session changed; reply with `accept(sdp)` or `refuse(status)`.

    sdp: its offer; None: it asks for ours, which `accept` carries, and the answer follows as `Reanswered`.
    """

    session: Session
    sdp: bytes | None


@dataclass(frozen=True, slots=True)
class Reanswered(Event):
    """The answer to an offer we made inside the call."""

    session: Session
    sdp: bytes | None


@dataclass(frozen=True, slots=True)
class ReofferFailed(Event):
    """Our offer inside the call was refused; the session goes on as it was."""

    session: Session
    status: int


@dataclass(frozen=True, slots=True)
class Referred(Event):
    """The far end asks us to call `refer_to`; reply with `accept_refer()` or `refuse_refer(status)`.

    replaces: the session of ours named by the Replaces parameter of the URI (attended transfer), else None.
    """

    session: Session
    refer_to: Uri
    replaces: Session | None = None
    referred_by: str | None = None


@dataclass(frozen=True, slots=True)
class ReferProgress(Event):
    """How our REFER fares: the status its new call has now; final from 200 on.

    final: nothing more follows.
    """

    session: Session
    status: int
    final: bool = False


@dataclass(frozen=True, slots=True)
class DtmfInfo(Event):
    """One digit (0-9 A-D * # or ! for a hook flash) sent by INFO; ms: its length."""

    session: Session
    digit: str
    ms: int


@dataclass(frozen=True, slots=True)
class StillThere(Event):
    """The far end has answered `Session.ask`."""

    session: Session


@dataclass(frozen=True, slots=True)
class Reserved(Event):
    """Both ends have their resources (RFC 3312), of a call whose session said that it `reserves`: whoever is
    called may be rung.
    """

    session: Session


@dataclass(frozen=True, slots=True)
class OptionsAnswered(Event):
    """The answer to `UserAgent.options`; status None: no answer on any hop.

    seconds: from asking to answer. cause: "response", or why there was none: "timeout" (nothing came in
    time), "transport" (refused, unreachable).
    """

    id: int
    status: int | None
    seconds: float = 0.0
    cause: str = "response"
