"""SDP in one place: sip.description has the values (RFC 8866), sip.negotiation offer/answer (RFC 3264)."""

from __future__ import annotations

from sip.description import (
    STATIC_PAYLOADS,
    Codec,
    Direction,
    Media,
    Origin,
    SessionDescription,
    parse,
)
from sip.negotiation import (
    MIRRORED,
    Chosen,
    both,
    choose,
    make_answer,
    make_offer,
    read_answer,
)
from sip.payloads import CodecOffer

__all__ = [
    "MIRRORED",
    "STATIC_PAYLOADS",
    "Chosen",
    "Codec",
    "CodecOffer",
    "Direction",
    "Media",
    "Origin",
    "SessionDescription",
    "both",
    "choose",
    "make_answer",
    "make_offer",
    "parse",
    "read_answer",
]
