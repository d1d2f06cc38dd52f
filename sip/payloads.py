"""Payload types of an offer: each codec of ours has its own, and keeps it for the life of the dialog."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sip import formats
from sip.description import STATIC_PAYLOADS, Codec, Media

USUAL_PTIME = 20
FIRST_DYNAMIC = 96


@dataclass(frozen=True, slots=True)
class CodecOffer(Codec):
    """A codec of ours. pt: payload type to offer, None for the static one or a free dynamic one.

    fmtp: format parameters to send with it; AMR may be there twice, bandwidth-efficient and octet-aligned.
    ptime: ms of sound in a packet, when the far end does not say.
    """

    pt: int | None = None
    fmtp: str | None = None
    ptime: int = USUAL_PTIME


def numbered(capabilities: Sequence[CodecOffer], before: Media | None) -> list[tuple[int, CodecOffer]]:
    """Each with its payload type. before: our newest section of this dialog, whose types keep their meaning
    (RFC 3264 section 8.3.2).
    """
    used = _used(before) if before is not None else {}
    wanted = {offer.pt for offer in capabilities if offer.pt is not None}
    free = iter(pt for pt in range(FIRST_DYNAMIC, 128) if pt not in used and pt not in wanted)
    found: list[tuple[int, CodecOffer]] = []
    for offer in capabilities:
        form = formats.aligned(offer, offer.fmtp)
        kept = next((at for at, (codec, as_) in used.items() if codec.same(offer) and as_ == form), None)
        pt: int | None = kept if kept is not None else offer.pt
        if pt is None:
            pt = next((number for number, codec in STATIC_PAYLOADS.items() if codec.same(offer)), None)
        if pt is None or (kept is None and pt in used):
            pt = next(free)
        used[pt] = offer, form
        found.append((pt, offer))
    return found


def _used(before: Media) -> dict[int, tuple[Codec, bool]]:
    """What its payload types stand for, and whether octet-aligned."""
    known = ((pt, before.codec(pt)) for pt in before.payload_types)
    return {
        pt: (codec, formats.aligned(codec, before.fmtp.get(pt))) for pt, codec in known if codec is not None
    }
