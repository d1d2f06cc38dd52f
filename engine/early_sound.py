"""What a caller hears before the answer: the far end, or that a phone rings.

A network that tells what it authorises (P-Early-Media, RFC 5009) is taken at its word, either way: its sound
is heard while it says so and no longer, and only its 180 rings. Of any other a description means that it is
heard (RFC 3960 section 3). A caller who acts upon the header is told by it; one who does not, and who has
our description already, listens to us instead of ringing by itself, so that we ring for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.bridge import hear, mute
from routing.failover import Heard
from sip import early_media
from sip.description import Direction

if TYPE_CHECKING:
    from engine.attempt import Progress
    from engine.call import Call
    from engine.leg import Leg
    from sip.events import Authorised

RING_BACK = "ring-back"
TRYING, RINGING, PROGRESS = 100, 180, 183


def sign(status: int, described: bool, authorised: Authorised | None) -> Heard:
    """How far a provisional response shows a call to be. Sound that a network says is to be heard may be that
    of a phone that rings.
    """
    if status == RINGING or (described and authorised is not None and authorised.heard):
        return Heard.RINGING
    if described:
        return Heard.EARLY_MEDIA
    return Heard.TRYING if status == TRYING else Heard.PROGRESS


@dataclass(slots=True)
class Preview:
    """How far an unanswered caller's leg is. heeds: its far end acts upon P-Early-Media. owed: it waits for
    an offer of ours before all else (RFC 3262 section 5). described: it has our description. rung: it was
    told that a phone rings. rings: we ring for it. sound: as its far end was told last, seen from us; None
    before.
    """

    heeds: bool = False
    owed: bool = False
    described: bool = False
    rung: bool = False
    rings: bool = False
    sound: Direction | None = None


def pass_on(call: Call, caller: Leg, progress: Progress, now: float) -> None:
    """Tell an unanswered caller how far whoever it calls is, and let it hear what it may."""
    if progress.authorised is not None:
        _as_authorised(call, caller, progress, progress.authorised, now)
    elif progress.early_media and caller.has_offer:
        hear(call, progress.leg, caller)
        tell(caller, PROGRESS, "sendonly", now, describes=True)
    else:
        # What was told of a line before this one counts no more.
        said = caller.preview.sound if progress.leg.description.agreed else None
        tell(caller, RINGING, said or "inactive", now)


def _as_authorised(call: Call, caller: Leg, progress: Progress, authorised: Authorised, now: float) -> None:
    preview, before = caller.preview, caller.preview.sound
    agreed = progress.leg.description.agreed and caller.has_offer
    sound = authorised.direction if agreed else "inactive"
    heard = agreed and authorised.heard
    rings = progress.status == RINGING
    if sound != before:
        (hear if heard else mute)(call, progress.leg, caller)
        (hear if agreed and authorised.spoken else mute)(call, caller, progress.leg)
    describes = heard and not preview.described
    if rings or describes or sound != before:
        tell(caller, RINGING if rings else PROGRESS, sound, now, describes=describes)
    _ring_back(call, caller, preview.rung and preview.described and not heard and not preview.heeds)


def tell(caller: Leg, status: int, sound: Direction, now: float, *, describes: bool = False) -> None:
    """Send a caller a provisional response. describes: with our description."""
    preview, session = caller.preview, caller.session
    assert session is not None, "a caller who is told something is there"
    preview.sound = sound
    preview.described |= describes
    preview.rung |= status == RINGING
    headers = [early_media.said(sound)] if preview.heeds else []
    session.progress(_description(caller, describes), status, headers=headers, now=now)


def _description(caller: Leg, describes: bool) -> bytes | None:
    preview = caller.preview
    if preview.owed:
        preview.owed, preview.described = False, True
        return caller.offer()
    return caller.answer() if describes else None


def _ring_back(call: Call, caller: Leg, wanted: bool) -> None:
    preview = caller.preview
    if wanted and not preview.rings:
        call.play(caller, (RING_BACK,), loop=True)
    elif preview.rings and not wanted:
        call.hush(caller)
    preview.rings = wanted
