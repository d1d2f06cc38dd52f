"""The preconditions of one session: what goes out says how our resources are, and what comes is held to it.

The owner offers and answers as ever. Lines are added on the way out; a far end that only says that its
resources are there now is answered with what was agreed; a phone does not ring before all of it is there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sip import formats, precondition
from sip.bandwidth import stated
from sip.description import Media, SessionDescription, parse
from sip.errors import MalformedSdp
from sip.offer import ASKED

if TYPE_CHECKING:
    from sip.dialog import Dialog
    from sip.message import Request
    from sip.session import Session


class Reservation:
    """active: preconditions are in force."""

    __slots__ = ("_reserved", "_sent", "_session", "active")

    def __init__(self, session: Session) -> None:
        self._session = session
        self._sent: bytes | None = None  # our newest description, where it is not as the owner wrote it
        self._reserved = False
        self.active = False

    @property
    def ready(self) -> bool:
        """Whether our resources are there."""
        return self._reserved or self._session.manner.reserved

    # -------------------------------------------------------------------------------------------- beginning

    def call(self) -> None:
        """Our INVITE begins."""
        self.active = self._session.manner.preconditions

    def called(self, invite: Request, offer: bytes | None) -> None:
        """Theirs begins: its offer decides, since an unreliable 1xx could not carry our part of it."""
        tags = invite.headers.tokens("Supported") | invite.headers.tokens("Require")
        self.active = precondition.named(offer) and {"precondition", "100rel"} <= tags

    # ----------------------------------------------------------------------------------------- descriptions

    def offering(self, sdp: bytes, dialog: Dialog | None = None) -> bytes:
        """An offer as it is to be sent. dialog: None for that of the INVITE."""
        sdp = self._stated(sdp)
        if not self.active:
            return sdp
        theirs = dialog.offer.newest_remote if dialog is not None else None
        if dialog is not None and dialog.offer.agreed and not precondition.named(theirs):
            return self._numbered(sdp)  # the far end knows nothing of it
        return self._numbered(precondition.dressed(sdp, theirs, ready=self.ready, answers=False))

    def described(self, sdp: bytes, dialog: Dialog) -> bytes:
        """Whatever the dialog has a turn for: the answer to their offer, or an offer of ours."""
        asked = dialog.offer.state == ASKED
        return self._answering(self._stated(sdp), dialog) if asked else self.offering(sdp, dialog)

    def _answering(self, sdp: bytes, dialog: Dialog) -> bytes:
        """Its offer decides whether there is anything to say."""
        offer = dialog.offer.newest_remote
        if offer is None or not precondition.named(offer):
            return sdp if self._sent is None else self._numbered(sdp)
        return self._numbered(precondition.dressed(sdp, offer, ready=self.ready, answers=True))

    def _stated(self, sdp: bytes) -> bytes:
        return stated(sdp) if self._session.manner.bandwidth else sdp

    def _numbered(self, sdp: bytes) -> bytes:
        """Its version is counted on from our last one, which the owner may not know (RFC 3264 section 8)."""
        if self._sent is not None and sdp != self._sent:
            (ours, last), (theirs, number) = precondition.version(self._sent), precondition.version(sdp)
            if ours == theirs and number <= last:
                sdp = precondition.with_version(sdp, last)
                sdp = sdp if sdp == self._sent else precondition.with_version(sdp, last + 1)
        self._sent = sdp
        return sdp

    # -------------------------------------------------------------------------------------------- judgement

    def met(self, dialog: Dialog) -> bool:
        """Whether a phone may ring."""
        theirs = dialog.offer.newest_remote
        return not self.active or theirs is None or precondition.met(theirs, self.ready)

    def news(self, dialog: Dialog) -> bytes | None:
        """The offer that tells the far end that our resources are there now; None when it knows, or need not.

        The calling end tells always, the called one when it was asked to (RFC 3312 section 7).
        """
        exchange, caller = dialog.offer, self._session.caller
        ours, theirs = exchange.local, exchange.remote
        if caller is not None and caller.pracking:
            return None
        if not (self.active and self.ready and exchange.stable) or ours is None or theirs is None:
            return None
        if not precondition.named(theirs) or precondition.told(ours):
            return None
        if self._session.direction == "in" and not precondition.confirmation(theirs):
            return None
        return narrowed(ours, theirs) or ours

    def standing(self, offer: bytes, dialog: Dialog) -> bytes | None:
        """Our answer to an offer that is new in its resources alone; None when it is the owner's matter."""
        exchange = dialog.offer
        if exchange.local is None or exchange.remote is None or not precondition.named(offer):
            return None
        before, answer = narrowed(exchange.remote, offer), narrowed(exchange.local, offer)
        if before is None or answer is None or not _alike(before, offer):
            return None
        agreed = exchange.local if exchange.remote_offered else exchange.remote
        return answer if _in_use(answer) == _in_use(agreed) else None

    def reserved(self) -> bool:
        """Our resources are there; False when that was known."""
        known, self._reserved = self.ready, True
        return not known


def narrowed(ours: bytes, theirs: bytes) -> bytes | None:
    """Our description with the formats alone that theirs has too; None when that makes no sense."""
    try:
        mine, other = parse(ours), parse(theirs)
    except MalformedSdp:
        return None
    if len(mine.media) != len(other.media):
        return None
    media = tuple(_common(*pair) for pair in zip(mine.media, other.media, strict=True))
    if None in media:
        return None
    made: SessionDescription = replace(mine, media=tuple(each for each in media if each is not None))
    return made.encode()


def _alike(known: bytes, offer: bytes) -> bool:
    """Whether an offer says what is known, but for preconditions and its version."""
    return precondition.bare(known) == precondition.bare(parse(offer).encode())


def _in_use(sdp: bytes) -> list[str]:
    """The codec of each section, as text."""
    on = (media for media in parse(sdp).media if media.port and media.payload_types)
    return [str(media.codec(media.payload_types[0])) for media in on]


def _common(ours: Media, theirs: Media) -> Media | None:
    if not ours.port or not theirs.port:
        return ours if ours.port == theirs.port else None
    # By what they mean: each side numbers what it receives (RFC 3264 section 5.1).
    meant = [
        (codec, formats.said(theirs, ours, pt)) for pt in theirs.payload_types if (codec := theirs.codec(pt))
    ]
    kept = [
        pt
        for pt in ours.payload_types
        if (mine := ours.codec(pt)) and any(formats.alike(mine, ours.fmtp.get(pt), *each) for each in meant)
    ]
    if not kept or ours.kind != theirs.kind:
        return None
    return replace(
        ours,
        formats=tuple(map(str, kept)),
        rtpmap={pt: codec for pt, codec in ours.rtpmap.items() if pt in kept},
        fmtp={pt: text for pt, text in ours.fmtp.items() if pt in kept},
    )
