"""Offer/answer over session descriptions: one audio stream agreed, all others refused (RFC 3264)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal
from zlib import crc32

from sip import formats as fmtps
from sip.description import (
    STATIC_PAYLOADS,
    Attributes,
    Codec,
    Direction,
    Media,
    Origin,
    SessionDescription,
    is_numeric,
)
from sip.errors import NothingInCommon
from sip.payloads import USUAL_PTIME, CodecOffer, numbered
from sip.sdes import is_plain

DTMF, COMFORT_NOISE = "telephone-event", "CN"
MIN_PTIME, MAX_PTIME = 10, 60

MIRRORED: Mapping[Direction, Direction] = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """What one offer and its answer agree upon, seen from here.

    index: of the m= section. codec, pt: what we send. formats: every payload type that may arrive, the
    chosen one first; types of ours when ours was the offer. wants: what the far end's fmtp says of each.
    dtmf_pt, cn_pt: telephone-event and comfort noise, as we send them, None when not agreed; dtmf_rate: clock
    of the events, the codec's where both have it. ptime: ms to send in one packet.
    direction: ours; remote_direction: theirs ("sendonly" and "inactive" hold us). remote: where to send,
    None while the far end gave no address (c=0.0.0.0). rtcp: where RTCP goes. fmtp: what the far end wants to
    receive; our_fmtp: what we say in an answer, our own parameters or else theirs.
    crypto: their a=crypto lines; proto: the profile of their section.
    """

    index: int
    codec: Codec
    pt: int
    formats: tuple[tuple[int, Codec], ...]
    dtmf_pt: int | None
    cn_pt: int | None
    ptime: int
    direction: Direction
    remote_direction: Direction
    remote: tuple[str, int] | None
    rtcp: tuple[str, int] | None
    rtcp_mux: bool
    fmtp: str | None = None
    our_fmtp: str | None = None
    crypto: tuple[str, ...] = ()
    proto: str = "RTP/AVP"
    dtmf_rate: int = 8000
    wants: Mapping[int, str] = field(default_factory=dict)


def choose(
    offer: SessionDescription,
    capabilities: Sequence[CodecOffer],
    *,
    prefer: Literal["theirs", "ours"] = "theirs",
    direction: Direction = "sendrecv",
    fits: Callable[[Media], bool] = is_plain,
) -> Chosen:
    """What to answer to an offer.

    prefer: whose order of codecs decides. direction: what we are willing to do; the answer does no more
    than the offer lets it. fits: whether a section's profile and keys will do. Raises NothingInCommon (488).
    """
    for index, media in enumerate(offer.media):
        if media.kind == "audio" and media.port and fits(media):
            pt = _first_common(media, capabilities, prefer)
            if pt is not None:
                return _chosen(index, media, pt, media, capabilities, direction)
    raise NothingInCommon("no audio stream of the offer can be taken")


def read_answer(
    local: SessionDescription, answer: SessionDescription, capabilities: Sequence[CodecOffer]
) -> Chosen:
    """What the far end's answer to our offer `local` agreed upon. Raises NothingInCommon (488)."""
    for index, (ours, theirs) in enumerate(zip(local.media, answer.media, strict=False)):
        if not ours.port or not theirs.port or ours.kind != "audio" or theirs.kind != "audio":
            continue
        offered = _codecs(ours)
        for pt in theirs.payload_types:
            # A type without rtpmap in the answer means what it meant in the offer.
            codec = theirs.codec(pt) or ours.codec(pt)
            if codec is not None and _is_sound(codec) and any(codec.same(mine) for _, mine in offered):
                return _chosen(index, theirs, pt, ours, capabilities, ours.direction)
    raise NothingInCommon("the answer takes no audio stream of the offer")


def make_offer(
    capabilities: Sequence[CodecOffer],
    *,
    address: str,
    port: int,
    direction: Direction = "sendrecv",
    previous: SessionDescription | None = None,
    session_id: int | None = None,
    ptime: int | None = None,
    rtcp_mux: bool = False,
    proto: str = "RTP/AVP",
    attributes: Attributes = (),
) -> SessionDescription:
    """An offer of one audio stream. attributes: further ones of it.

    previous: our newest description of this dialog: its sections stay in place, its payload types keep
    their meaning (RFC 3264 section 8.3.2) and its version is counted on only when something changed.
    """
    taken = _audio(previous)
    payloads = numbered(capabilities, previous.media[taken] if previous and taken is not None else None)
    audio = Media(
        "audio",
        port,
        proto,
        tuple(str(pt) for pt, _ in payloads),
        address,
        direction,
        {pt: Codec(offer.name, offer.rate, offer.channels) for pt, offer in payloads},
        {pt: fmtp for pt, offer in payloads if (fmtp := _fmtp_of(offer, payloads))},
        ptime or next((offer.ptime for offer in capabilities if _is_sound(offer)), USUAL_PTIME),
        rtcp_mux=rtcp_mux,
        attributes=attributes,
    )
    sections = [_refused(media) for media in previous.media] if previous else []
    if taken is None:
        sections.append(audio)
    else:
        sections[taken] = audio
    return _described(sections, address, port, previous, session_id, ("0 0",))


def make_answer(
    offer: SessionDescription,
    chosen: Chosen | None,
    *,
    address: str,
    port: int,
    previous: SessionDescription | None = None,
    session_id: int | None = None,
    attributes: Attributes = (),
) -> SessionDescription:
    """The answer that `chosen` stands for: the sections of the offer, all others refused with port 0.

    chosen None refuses everything. attributes: further attributes of the accepted section.
    """
    sections = [_refused(media) for media in offer.media]
    if chosen is not None:
        theirs = offer.media[chosen.index]
        accepted = [(chosen.pt, chosen.codec)]
        copies = next((pt for pt, codec in chosen.formats if _copies(codec, chosen.codec)), None)
        if copies is not None:
            accepted.append((copies, dict(chosen.formats)[copies]))
        if chosen.dtmf_pt is not None:
            accepted.append((chosen.dtmf_pt, Codec(DTMF, chosen.dtmf_rate)))
        if chosen.cn_pt is not None:
            accepted.append((chosen.cn_pt, Codec(COMFORT_NOISE, chosen.codec.rate)))
        fmtp = {} if chosen.dtmf_pt is None else {chosen.dtmf_pt: "0-16"}
        if copies is not None:
            fmtp[copies] = fmtps.copies(chosen.pt)
        if chosen.our_fmtp:
            fmtp[chosen.pt] = chosen.our_fmtp
        sections[chosen.index] = Media(
            theirs.kind,
            port,
            theirs.proto,
            tuple(str(pt) for pt, _ in accepted),
            address,
            chosen.direction,
            dict(accepted),
            fmtp,
            chosen.ptime,
            rtcp_mux=chosen.rtcp_mux,
            attributes=attributes,
        )
    return _described(sections, address, port, previous, session_id, offer.times)


def both(ours: Direction, theirs: Direction) -> Direction:
    """Our direction when we are willing to do `ours` and the far end wants `theirs`."""
    allowed = MIRRORED[theirs]
    send = "send" in ours and "send" in allowed
    receive = "recv" in ours and "recv" in allowed
    if send and receive:
        return "sendrecv"
    return "sendonly" if send else "recvonly" if receive else "inactive"


def _chosen(
    index: int,
    theirs: Media,
    pt: int,
    receiving: Media,
    capabilities: Sequence[CodecOffer],
    direction: Direction,
) -> Chosen:
    # receiving: whose payload types arrive here: the offer's when it was theirs, ours when it was ours.
    codec = theirs.codec(pt) or receiving.codec(pt) or STATIC_PAYLOADS[0]
    fmtp = fmtps.said(theirs, receiving, pt)
    form = fmtps.aligned(codec, fmtp)
    known = [(number, found) for number, found in _codecs(receiving) if _can(found, capabilities)]
    agreed, wants = [], {}
    for number, found in known:
        said = _said(theirs, receiving, number, found)
        if said is None or (found.same(codec) and fmtps.aligned(found, said) != form):
            continue  # a leg has one form of a codec
        if fmtps.readable(found, said):
            agreed.append((number, found))
            wants[number] = said
    agreed.sort(key=lambda item: (item[0] != pt, not item[1].same(codec)))
    ours = _can(codec, capabilities)
    dtmf_pt, dtmf_rate = _dtmf(theirs, receiving, codec.rate, capabilities)
    return Chosen(
        index,
        codec,
        pt,
        tuple(agreed),
        dtmf_pt,
        _pt_of(theirs, receiving, Codec(COMFORT_NOISE, codec.rate), capabilities),
        _ptime(theirs, ours.ptime if ours else USUAL_PTIME),
        both(direction, theirs.wishes),
        theirs.wishes,
        _remote(theirs),
        _rtcp(theirs),
        theirs.rtcp_mux and (receiving is theirs or receiving.rtcp_mux),
        fmtp,
        fmtps.reply(codec, ours.fmtp if ours else None, fmtp),
        theirs.crypto,
        theirs.proto,
        dtmf_rate,
        wants,
    )


def _said(theirs: Media, receiving: Media, number: int, codec: Codec) -> str | None:
    """Their format parameters of what arrives as `number`; None when they do not have that, in that form."""
    if receiving is theirs:
        return theirs.fmtp.get(number, "")
    said = {
        pt: fmtps.said(theirs, receiving, pt) or "" for pt, at in _codecs(theirs, receiving) if at.same(codec)
    }
    if number in said:
        return said[number]
    form = fmtps.aligned(codec, receiving.fmtp.get(number))
    alike = (text for text in said.values() if fmtps.aligned(codec, text) == form)
    alone = sum(found.same(codec) for _, found in _codecs(receiving)) == 1
    return next(alike, next(iter(said.values()), None) if alone else None)


def _dtmf(
    theirs: Media, receiving: Media, rate: int, capabilities: Sequence[CodecOffer]
) -> tuple[int | None, int]:
    """Payload type and clock rate of telephone events: the codec's rate, else the one that everybody has."""
    for clock in (rate, 8000):
        pt = _pt_of(theirs, receiving, Codec(DTMF, clock), capabilities)
        if pt is not None:
            return pt, clock
    return None, rate


def _first_common(
    media: Media, capabilities: Sequence[CodecOffer], prefer: Literal["theirs", "ours"]
) -> int | None:
    offered = [
        (pt, codec)
        for pt, codec in _codecs(media)
        if _is_sound(codec) and _can(codec, capabilities) and fmtps.readable(codec, media.fmtp.get(pt))
    ]
    if prefer == "ours":
        for ours in capabilities:
            for pt, codec in offered:
                if ours.same(codec):
                    return pt
    return offered[0][0] if offered else None


def _codecs(media: Media, meaning: Media | None = None) -> list[tuple[int, Codec]]:
    found = ((pt, media.codec(pt) or (meaning.codec(pt) if meaning else None)) for pt in media.payload_types)
    return [(pt, codec) for pt, codec in found if codec is not None]


def _can(codec: Codec, capabilities: Sequence[CodecOffer]) -> CodecOffer | None:
    return next((ours for ours in capabilities if ours.same(codec)), None)


def _is_sound(codec: Codec) -> bool:
    return codec.name.lower() not in (DTMF, COMFORT_NOISE.lower(), fmtps.RED)


def _copies(codec: Codec, of: Codec) -> bool:
    """Whether the codec is the one that carries copies of the other (RFC 2198)."""
    return codec.name.lower() == fmtps.RED and (codec.rate, codec.channels) == (of.rate, of.channels)


def _pt_of(theirs: Media, receiving: Media, codec: Codec, capabilities: Sequence[CodecOffer]) -> int | None:
    if _can(codec, capabilities) is None:
        return None
    return next((pt for pt, found in _codecs(theirs, receiving) if found.same(codec)), None)


def _ptime(media: Media, usual: int) -> int:
    wanted = media.ptime or usual
    if media.maxptime:
        wanted = min(wanted, media.maxptime)
    return min(max(wanted - wanted % 10, MIN_PTIME), MAX_PTIME)


def _remote(media: Media) -> tuple[str, int] | None:
    address = media.connection
    if address is None or address in ("0.0.0.0", "::"):
        return None
    if not is_numeric(address):
        # A name would make the media path wait for DNS; endpoints send addresses.
        raise NothingInCommon("the connection address is not numeric")
    return address, media.port


def _rtcp(media: Media) -> tuple[str, int] | None:
    remote = _remote(media)
    if remote is None:
        return None
    if media.rtcp_mux:
        return remote
    port, address = media.rtcp or (media.port + 1, None)
    if address is None or not is_numeric(address):
        address = remote[0]
    return (address, port) if port < 65536 else None


def _audio(previous: SessionDescription | None) -> int | None:
    """Which section carries our audio, or is free to carry it again."""
    if previous is None:
        return None
    audio = [index for index, media in enumerate(previous.media) if media.kind == "audio"]
    return next((index for index in audio if previous.media[index].port), audio[0] if audio else None)


def _fmtp_of(offer: CodecOffer, payloads: Sequence[tuple[int, CodecOffer]]) -> str | None:
    if offer.name.lower() == fmtps.RED:
        carried = (pt for pt, other in payloads if _is_sound(other) and _copies(offer, other))
        return next((fmtps.copies(pt) for pt in carried), None)
    return offer.fmtp or ("0-16" if offer.name.lower() == DTMF else None)


def _refused(media: Media) -> Media:
    return Media(media.kind, 0, media.proto, media.formats or ("0",))


def _described(
    sections: Sequence[Media],
    address: str,
    port: int,
    previous: SessionDescription | None,
    session_id: int | None,
    times: tuple[str, ...],
) -> SessionDescription:
    if previous is None:
        number = crc32(f"{address} {port}".encode()) if session_id is None else session_id
        return SessionDescription(Origin("-", number, 1, address), "-", address, times, (), tuple(sections))
    fresh = replace(previous, connection=address, times=times, media=tuple(sections))
    if fresh.encode() == previous.encode():
        return previous
    return fresh.with_version(previous.origin.version + 1)
