"""A description says how much it needs, where its network wants to know."""

from __future__ import annotations

import pytest

from sip import bandwidth, sdp
from sip.events import IncomingCall, Provisional
from sip.manner import Manner
from sip.sdp import CodecOffer
from tests.sip.network import pair

WIDE = CodecOffer("AMR-WB", 16000)
NARROW = CodecOffer("AMR")
EVENTS = CodecOffer("telephone-event", 16000)


def offer(*codecs: CodecOffer, address: str = "10.0.0.1", ptime: int = 20) -> bytes:
    return sdp.make_offer(codecs, address=address, port=4000, ptime=ptime).encode()


@pytest.mark.parametrize(
    ("description", "kilobits"),
    [
        (offer(WIDE, EVENTS), 41),  # TS 26.114 annex K
        (offer(WIDE, address="2001:db8::1"), 49),
        (offer(NARROW), 29),
        (offer(CodecOffer("AMR", fmtp="octet-align=1")), 30),
        (offer(CodecOffer("PCMA"), NARROW), 80),
        (offer(NARROW, CodecOffer("PCMA"), ptime=40), 72),
        (offer(CodecOffer("L16", 16000)), 272),
    ],
)
def test_it_is_that_of_the_codec_that_needs_most(description: bytes, kilobits: int):
    (media,) = sdp.parse(bandwidth.stated(description)).media
    assert media.bandwidth == (f"AS:{kilobits}", "RS:600", "RR:2000")


@pytest.mark.parametrize(("codecs", "longest"), [((WIDE, EVENTS), 240), ((CodecOffer("PCMA"),), None)])
def test_of_amr_packets_of_twelve_frames_are_taken(codecs: tuple[CodecOffer, ...], longest: int | None):
    (media,) = sdp.parse(bandwidth.stated(offer(*codecs))).media
    assert (media.ptime, media.maxptime) == (20, longest)


def test_it_stands_before_the_attributes_and_once():
    made = bandwidth.stated(offer(WIDE))
    lines = made.decode().splitlines()
    assert lines[lines.index("b=AS:41") - 1].startswith("m=audio")
    assert bandwidth.stated(made) == made
    assert bandwidth.stated(made.replace(b"AS:41", b"AS:80")) == made


@pytest.mark.parametrize("description", [b"", b"offer", b"v=0\r\nm=audio 0 RTP/AVP 8\r\n", b"v=0\r\nm=x\r\n"])
def test_what_has_nothing_to_say_stays_as_it_is(description: bytes):
    assert bandwidth.stated(description) == description


def test_offers_and_answers_of_a_line_say_it_and_others_do_not():
    network, caller, callee = pair()
    caller.call(callee, offer(WIDE), manner=Manner(bandwidth=True))
    network.run(0.05)
    call = callee.last(IncomingCall)
    assert b"b=AS:41" in call.offer
    call.session.ring(offer(WIDE, address="10.0.0.2"), now=network.now)
    network.run(0.1)
    assert b"b=AS" not in caller.last(Provisional).sdp
    call.session.manner = Manner(bandwidth=True)
    call.session.reoffer(offer(NARROW, address="10.0.0.2"), now=network.now)
    network.run(0.1)
    assert b"b=AS:29" in network.trace[-1].message.body
