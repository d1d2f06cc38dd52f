"""How much a description needs of a network that reserves it, as mobile networks want to read it.

b=AS of the sound (RFC 8866 section 5.8), b=RS and b=RR of the reports (RFC 3556), and the longest packet that
is taken (TS 26.114 sections 6.2.2, 6.2.5 and 7.3).
"""

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
REPORTS = (("b", "RS:600"), ("b", "RR:2000"))  # bit/s: a report every five seconds, with room to spare
LONGEST_MS = 240  # of AMR: twelve frames in a packet are read
_OURS = ("AS:", "RS:", "RR:")
_MANY_FRAMES = frozenset({"amr", "amr-wb"})


def stated(sdp: bytes) -> bytes:
    """Our description with b= lines (kbit/s, bit/s) and a=maxptime in each stream that is on, whatever it
    said before; as it was where it cannot be read.
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
    kept = (each for each in media.others if not (each[0] == "b" and each[1].startswith(_OURS)))
    named = {codec.name.lower() for codec in map(media.codec, media.payload_types) if codec is not None}
    return replace(
        media,
        maxptime=LONGEST_MS if named & _MANY_FRAMES else media.maxptime,
        others=(*kept, ("b", f"AS:{ceil(packet * 8 / ms)}"), *REPORTS),
    )


def _octets(media: Media, pt: int) -> int:
    codec = media.codec(pt)
    if codec is None:
        return 0
    name = codec.name.lower()
    aligned = 1 if "octet-align=1" in media.fmtp.get(pt, "").replace(" ", "") else 0
    return 2 * codec.rate * _FRAME_MS // 1000 if name == "l16" else _OCTETS.get(name, _USUAL) + aligned
