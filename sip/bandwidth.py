"""How much a description needs of a network that reserves it: b=AS (RFC 8866 5.8, TS 26.114 6.2.5)."""

from __future__ import annotations

from dataclasses import replace
from math import ceil

from sip.description import Media, parse
from sip.errors import MalformedSdp

# Octets of payload in 20 ms at the highest rate (AMR and AMR-WB bandwidth-efficient: TS 26.114 annex K).
_OCTETS = {"pcmu": 160, "pcma": 160, "g722": 160, "g729": 20, "amr": 32, "amr-wb": 61, "opus": 100}
_OCTETS |= {"telephone-event": 4, "cn": 1}
_USUAL = 160
_HEADERS = {False: 40, True: 60}  # IP, UDP and RTP, by whether it is IPv6
_FRAME_MS = 20


def stated(sdp: bytes) -> bytes:
    """Our description with b=AS, kbit/s, in each stream that is on, whatever it said before; as it was where
    it cannot be read.
    """
    try:
        description = parse(sdp)
    except MalformedSdp:
        return sdp
    media = tuple(_stated(each) for each in description.media)
    return replace(description, media=media).encode() if media != description.media else sdp


def _stated(media: Media) -> Media:
    octets = max((_octets(media, pt) for pt in media.payload_types), default=0)
    if not media.port or media.kind != "audio" or not octets:
        return media
    ms = media.ptime or _FRAME_MS
    packet = octets * ms / _FRAME_MS + _HEADERS[":" in (media.connection or "")]
    others = (each for each in media.others if not (each[0] == "b" and each[1].startswith("AS:")))
    return replace(media, others=(*others, ("b", f"AS:{ceil(packet * 8 / ms)}")))


def _octets(media: Media, pt: int) -> int:
    codec = media.codec(pt)
    if codec is None:
        return 0
    name = codec.name.lower()
    aligned = 1 if "octet-align=1" in media.fmtp.get(pt, "").replace(" ", "") else 0
    return 2 * codec.rate * _FRAME_MS // 1000 if name == "l16" else _OCTETS.get(name, _USUAL) + aligned
