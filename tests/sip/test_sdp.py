"""Session descriptions (RFC 8866) and offer/answer over them (RFC 3264)."""

from __future__ import annotations

from typing import Any

import pytest

from sip import sdes, sdp
from sip.errors import MalformedSdp, NothingInCommon
from sip.sdp import Codec, CodecOffer, SessionDescription

PCMA, PCMU, G722 = CodecOffer("PCMA"), CodecOffer("PCMU"), CodecOffer("G722")
OPUS = CodecOffer("opus", 48000, 2, fmtp="useinbandfec=1")
DTMF = CodecOffer("telephone-event", pt=101)
OURS = [PCMA, PCMU, DTMF]

OFFER = """v=0
o=alice 2890844526 2890844527 IN IP4 host.example.com
s=A call
i=about nothing
c=IN IP4 192.0.2.10
b=AS:84
t=0 0
a=tool:phone
m=audio 49170 RTP/AVP 0 8 96 101 13
a=rtpmap:0 PCMU/8000
a=rtpmap:96 opus/48000/2
a=fmtp:96 useinbandfec=1
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=ptime:30
a=maxptime:60
a=sendrecv
"""


def described(*changes: tuple[str, str], text: str = OFFER) -> SessionDescription:
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return sdp.parse(text.replace("\n", "\r\n").encode())


def audio(
    *lines: str, port: int = 40000, formats: str = "8 0 101", proto: str = "RTP/AVP"
) -> SessionDescription:
    """A short offer of one audio stream with these further lines."""
    head = (
        f"v=0\no=- 1 1 IN IP4 192.0.2.10\ns=-\nc=IN IP4 192.0.2.10\nt=0 0\nm=audio {port} {proto} {formats}\n"
    )
    return sdp.parse(
        (head + "a=rtpmap:101 telephone-event/8000\n" + "".join(f"{line}\n" for line in lines)).encode()
    )


def answer(offer: SessionDescription, chosen: sdp.Chosen | None, **settings: Any) -> SessionDescription:
    return sdp.make_answer(offer, chosen, **{"address": "203.0.113.7", "port": 30000, **settings})


def offered(**settings: Any) -> SessionDescription:
    return sdp.make_offer(
        settings.pop("codecs", OURS), **{"address": "203.0.113.7", "port": 30000, **settings}
    )


# --- reading and writing --------------------------------------------------------------------------------


def test_a_description_comes_apart_into_its_fields():
    session = described()
    assert (session.origin.user, session.origin.session_id, session.origin.version) == (
        "alice",
        2890844526,
        2890844527,
    )
    assert (session.name, session.connection, session.times) == ("A call", "192.0.2.10", ("0 0",))
    (media,) = session.media
    assert (media.kind, media.port, media.proto) == ("audio", 49170, "RTP/AVP")
    assert media.payload_types == (0, 8, 96, 101, 13)
    assert media.rtpmap[96] == Codec("opus", 48000, 2) and media.fmtp == {96: "useinbandfec=1", 101: "0-15"}
    assert media.codec(8) == Codec("PCMA", 8000) and media.codec(97) is None
    assert (media.ptime, media.maxptime, media.direction) == (30, 60, "sendrecv")
    assert media.connection == "192.0.2.10"


def test_what_was_read_is_written_whole_and_in_order():
    text = described().encode().decode()
    for line in OFFER.strip().split("\n"):
        assert line + "\r\n" in text
    letters = [line[0] for line in text.split("\r\n") if line]
    assert letters[: letters.index("m")] == ["v", "o", "s", "i", "c", "b", "t", "a"]
    assert sdp.parse(text.encode()).encode().decode() == text


@pytest.mark.parametrize(
    "change",
    [
        ("s=A call\n", ""),
        ("t=0 0\n", ""),
        ("o=alice 2890844526 2890844527 IN IP4 host.example.com\n", ""),
        ("o=alice 2890844526 2890844527 IN IP4 host.example.com", "o=alice"),
        ("\nm=", "\nx=unheard of\nm="),
        ("a=ptime:30", "a=ptime:30 "),
        ("a=ptime:30", "a=ptime:"),
        ("a=ptime:30", "a=ptime:0"),
        ("a=rtpmap:96 opus/48000/2", "a=rtpmap:ninety opus"),
        ("a=sendrecv\n", "\n\n"),
        ("s=A call", "s=J\xf6rg"),
    ],
)
def test_what_phones_leave_out_or_get_wrong_does_not_end_the_call(change):
    session = sdp.parse(OFFER.replace(*change).encode("latin-1"))
    assert sdp.choose(session, OURS).codec.same(PCMU)


def test_lines_nobody_knows_are_kept():
    text = described(("a=maxptime:60", "k=clear:x\na=maxptime:60\na=x-unheard:of")).encode()
    assert b"k=clear:x\r\n" in text and b"a=x-unheard:of\r\n" in text


def test_crypto_lines_of_secure_media_are_kept():
    session = audio("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc", proto="RTP/SAVP")
    assert session.media[0].crypto == ("1 AES_CM_128_HMAC_SHA1_80 inline:abc",)
    with pytest.raises(NothingInCommon):
        sdp.choose(session, OURS)
    chosen = sdp.choose(session, OURS, fits=sdes.is_secure)
    assert chosen.crypto == session.media[0].crypto


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"v=1\r\n",
        b"hello",
        b"v=0\r\nm=audio\r\n",
        b"v=0\r\nm=audio 70000 RTP/AVP 0\r\n",
        b"v=0\r\nm=audio -1 RTP/AVP 0\r\n",
        b"v=0\r\nm=audio 4e3 RTP/AVP 0\r\n",
        b"v=0\r\nc=IN IP4\r\n",
        b"v=0\r\nc=IN IP4 192.0.2.1 evil\r\n",
        b"v=0\r\ns=a\x00b\r\n",
        b"v=0\r\ns=a\rm=b\r\n",
        b"v=0\r\nnoise\r\n",
        b"v=0\r\n" + b"a=x\r\n" * 1001,
        b"v=0\r\n" + b"m=audio 0 RTP/AVP 0\r\n" * 33,
        b"v=0\r\nm=audio 1 RTP/AVP" + b" 0" * 65,
        b"v=0\r\ns=" + b"x" * 70_000,
    ],
)
def test_what_cannot_be_read_or_is_too_much_is_refused(data):
    with pytest.raises(MalformedSdp) as caught:
        sdp.parse(data)
    assert caught.value.sip_status == 400


def test_payload_types_beyond_the_field_are_passed_over():
    media = audio("a=rtpmap:128 X/8000", "a=rtpmap:97 Y/0", formats="0 128 999 x 97").media[0]
    assert media.payload_types == (0, 97) and media.codec(97) is None


def test_the_first_of_two_meanings_of_a_payload_type_counts():
    media = audio("a=rtpmap:97 opus/48000/2", "a=rtpmap:97 evil/8000", formats="97").media[0]
    assert media.codec(97) == Codec("opus", 48000, 2)


# --- choosing -------------------------------------------------------------------------------------------


def test_the_offers_order_decides_unless_ours_is_asked_for():
    assert sdp.choose(described(), OURS).codec == Codec("PCMU")
    assert sdp.choose(described(), OURS, prefer="ours").codec == Codec("PCMA")
    assert sdp.choose(described(), [OPUS, *OURS], prefer="ours").pt == 96


def test_a_codec_is_known_by_name_in_any_case_rate_and_channels():
    offer = audio("a=rtpmap:97 OPUS/48000/2", "a=rtpmap:98 PCMU/16000", formats="98 97")
    assert sdp.choose(offer, [OPUS, PCMU]).pt == 97


def test_static_payload_types_need_no_rtpmap():
    assert sdp.choose(audio(formats="9 18"), [G722]).codec == Codec("G722", 8000)


def test_telephone_events_are_taken_at_the_clock_rate_of_the_codec_or_else_at_the_usual_one():
    offer = audio("a=rtpmap:97 opus/48000/2", "a=rtpmap:102 telephone-event/48000", formats="97 8 101 102")
    wide = CodecOffer("telephone-event", 48000)
    assert sdp.choose(offer, [OPUS, PCMA, DTMF, wide]).dtmf_pt == 102
    assert sdp.choose(offer, [PCMA, DTMF, wide]).dtmf_pt == 101
    # Phones with Opus and events of 8 kHz alone are common, and their digits have to come through.
    mixed = sdp.choose(offer, [OPUS, DTMF])
    assert (mixed.dtmf_pt, mixed.dtmf_rate) == (101, 8000)
    assert sdp.choose(offer, [OPUS]).dtmf_pt is None
    assert sdp.choose(offer, [PCMA]).dtmf_pt is None


def test_telephone_events_or_comfort_noise_alone_are_no_sound():
    with pytest.raises(NothingInCommon):
        sdp.choose(audio(formats="101 13"), [DTMF, CodecOffer("CN")])


def test_comfort_noise_is_agreed_when_both_can():
    assert sdp.choose(described(), [*OURS, CodecOffer("CN")]).cn_pt == 13
    assert sdp.choose(described(), OURS).cn_pt is None


@pytest.mark.parametrize(
    ("lines", "ptime"),
    [
        ((), 20),
        (("a=ptime:30",), 30),
        (("a=ptime:40", "a=maxptime:20"), 20),
        (("a=ptime:5",), 10),
        (("a=ptime:200",), 60),
        (("a=ptime:25",), 20),
        (("a=maxptime:10",), 10),
        (("a=ptime:20.0",), 20),
    ],
)
def test_packets_are_as_long_as_the_far_end_wishes_within_what_we_can(lines, ptime):
    assert sdp.choose(audio(*lines), OURS).ptime == ptime


@pytest.mark.parametrize(
    ("lines", "ours", "theirs"),
    [
        ((), "sendrecv", "sendrecv"),
        (("a=sendonly",), "recvonly", "sendonly"),
        (("a=recvonly",), "sendonly", "recvonly"),
        (("a=inactive",), "inactive", "inactive"),
        (("c=IN IP4 0.0.0.0",), "recvonly", "sendonly"),
        (("c=IN IP4 0.0.0.0", "a=sendonly"), "recvonly", "sendonly"),
        (("c=IN IP4 0.0.0.0", "a=recvonly"), "inactive", "inactive"),
    ],
)
def test_directions_are_mirrored_old_style_hold_too(lines, ours, theirs):
    chosen = sdp.choose(audio(*lines), OURS)
    assert (chosen.direction, chosen.remote_direction) == (ours, theirs)
    assert answer(audio(*lines), chosen).media[0].direction == ours
    assert (chosen.remote is None) == (lines[:1] == ("c=IN IP4 0.0.0.0",))


def test_we_do_no_more_than_we_are_willing_to():
    assert sdp.choose(audio(), OURS, direction="sendonly").direction == "sendonly"
    assert sdp.choose(audio("a=sendonly"), OURS, direction="sendonly").direction == "inactive"


def test_a_direction_of_the_session_holds_for_media_that_say_nothing():
    offer = described(("t=0 0", "t=0 0\na=sendonly"), ("a=sendrecv\n", ""))
    assert offer.media[0].direction == "sendonly"
    assert described(("t=0 0", "t=0 0\na=sendonly")).media[0].direction == "sendrecv"


def test_where_media_and_control_go_is_said_by_connection_rtcp_and_mux():
    assert sdp.choose(audio(), OURS).remote == ("192.0.2.10", 40000)
    assert sdp.choose(audio(), OURS).rtcp == ("192.0.2.10", 40001)
    own = sdp.choose(audio("c=IN IP6 2001:db8::5"), OURS)
    assert own.remote == ("2001:db8::5", 40000)
    apart = sdp.choose(audio("a=rtcp:53020 IN IP4 192.0.2.99"), OURS)
    assert apart.rtcp == ("192.0.2.99", 53020) and not apart.rtcp_mux
    muxed = sdp.choose(audio("a=rtcp:53020", "a=rtcp-mux"), OURS)
    assert muxed.rtcp == ("192.0.2.10", 40000) and muxed.rtcp_mux


def test_a_connection_address_that_is_a_name_is_not_taken():
    with pytest.raises(NothingInCommon):
        sdp.choose(audio("c=IN IP4 media.example.com"), OURS)


@pytest.mark.parametrize(
    "offer",
    [
        audio(port=0),
        audio(formats="18 4"),
        audio(proto="UDP/TLS/RTP/SAVPF"),
        audio(proto="udptl", formats="t38"),
        sdp.parse(b"v=0\r\n"),
        sdp.parse(b"v=0\r\nm=video 4000 RTP/AVP 31\r\n"),
    ],
    ids=["switched off", "codecs", "profile", "fax", "no media", "video alone"],
)
def test_an_offer_without_anything_for_us_is_488(offer):
    with pytest.raises(NothingInCommon) as caught:
        sdp.choose(offer, OURS)
    assert caught.value.sip_status == 488


# --- answering ------------------------------------------------------------------------------------------

TWO_STREAMS = OFFER + "m=video 51372 RTP/AVP 31 99\na=rtpmap:99 H264/90000\nm=audio 49180 RTP/AVP 0\n"


def test_an_answer_has_the_sections_of_the_offer_and_refuses_all_but_one():
    offer = described(text=TWO_STREAMS)
    made = sdp.parse(answer(offer, sdp.choose(offer, OURS)).encode())
    assert [(media.kind, media.port, media.proto) for media in made.media] == [
        ("audio", 30000, "RTP/AVP"),
        ("video", 0, "RTP/AVP"),
        ("audio", 0, "RTP/AVP"),
    ]
    assert made.media[1].formats == ("31", "99")
    assert made.times == offer.times


def test_an_answer_names_the_chosen_codec_by_the_offers_numbers():
    offer = described()
    (media,) = answer(offer, sdp.choose(offer, [OPUS, *OURS], prefer="ours")).media
    assert media.formats == ("96", "101") and media.rtpmap[96] == Codec("opus", 48000, 2)
    assert media.fmtp == {96: "useinbandfec=1", 101: "0-16"} and media.ptime == 30
    (media,) = answer(offer, sdp.choose(offer, OURS)).media
    assert media.formats == ("0", "101") and media.fmtp == {101: "0-16"}


def test_nothing_chosen_refuses_every_stream():
    made = answer(described(text=TWO_STREAMS), None)
    assert [media.port for media in made.media] == [0, 0, 0]


def test_control_is_muxed_only_when_the_offer_was():
    for lines, muxed in (((), False), (("a=rtcp-mux",), True)):
        offer = audio(*lines)
        assert answer(offer, sdp.choose(offer, OURS)).media[0].rtcp_mux is muxed


# --- offering -------------------------------------------------------------------------------------------


def test_an_offer_lists_our_codecs_in_order_with_free_numbers_for_the_dynamic_ones():
    made = offered(codecs=[OPUS, PCMA, G722, CodecOffer("speex"), DTMF])
    assert made.media[0].formats == ("96", "8", "9", "97", "101")
    assert made.media[0].fmtp == {96: "useinbandfec=1", 101: "0-16"}
    assert made.media[0].ptime == 20 and made.connection == "203.0.113.7"
    assert sdp.parse(made.encode()).encode() == made.encode()


def test_no_number_is_given_twice():
    made = offered(
        codecs=[CodecOffer("a", pt=96), CodecOffer("b"), CodecOffer("c", pt=96), CodecOffer("d", pt=97)]
    )
    assert len(set(made.media[0].formats)) == 4


def test_the_version_counts_on_only_when_something_changed():
    first = offered(session_id=7)
    assert (first.origin.session_id, first.origin.version) == (7, 1)
    same = offered(previous=first)
    assert same.encode() == first.encode()
    held = offered(previous=same, direction="sendonly")
    assert (held.origin.session_id, held.origin.version) == (7, 2)
    resumed = offered(previous=held)
    assert resumed.origin.version == 3


def test_an_offer_after_an_answer_keeps_its_sections_and_numbers():
    theirs = described(text=TWO_STREAMS)
    ours = answer(theirs, sdp.choose(theirs, [OPUS, *OURS], prefer="ours"))
    again = offered(codecs=[PCMA, OPUS, CodecOffer("speex"), DTMF], previous=ours)
    assert [(media.kind, media.port) for media in again.media] == [
        ("audio", 30000),
        ("video", 0),
        ("audio", 0),
    ]
    assert again.media[0].codec(96) == Codec("opus", 48000, 2)
    assert again.media[0].formats == ("8", "96", "97", "101")
    assert again.origin.session_id == ours.origin.session_id and again.origin.version == 2


# --- reading an answer ----------------------------------------------------------------------------------


def answered(text: str, **settings: Any) -> sdp.Chosen:
    return sdp.read_answer(offered(**settings), sdp.parse(text.encode()), settings.get("codecs", OURS))


REPLY = "v=0\no=- 1 1 IN IP4 192.0.2.10\ns=-\nc=IN IP4 192.0.2.10\nt=0 0\nm=audio 40000 RTP/AVP {}\n"


def test_the_first_codec_of_an_answer_is_sent_and_all_it_lists_may_come():
    chosen = answered(REPLY.format("0 8 101") + "a=rtpmap:101 telephone-event/8000\na=ptime:30\n")
    assert (chosen.codec, chosen.pt, chosen.dtmf_pt, chosen.ptime) == (Codec("PCMU"), 0, 101, 30)
    assert [pt for pt, _ in chosen.formats] == [0, 8, 101]
    assert chosen.remote == ("192.0.2.10", 40000)


def test_an_answer_may_number_a_codec_its_own_way():
    chosen = answered(REPLY.format("111") + "a=rtpmap:111 opus/48000/2\n", codecs=[OPUS, PCMA])
    assert chosen.pt == 111  # what we send
    assert chosen.formats == ((96, Codec("opus", 48000, 2)),)  # what comes


def test_a_dynamic_number_without_a_meaning_means_what_we_offered():
    assert answered(REPLY.format("96"), codecs=[OPUS, PCMA]).codec.same(OPUS)


@pytest.mark.parametrize(
    ("offer", "line", "ours"),
    [
        ("sendrecv", "a=sendrecv", "sendrecv"),
        ("sendonly", "a=recvonly", "sendonly"),
        ("sendonly", "a=inactive", "inactive"),
        ("sendrecv", "a=sendonly", "recvonly"),
        ("sendonly", "a=sendrecv", "sendonly"),
        ("inactive", "a=sendrecv", "inactive"),
    ],
)
def test_after_the_answer_we_do_what_both_want(offer, line, ours):
    assert answered(REPLY.format("8") + line + "\n", direction=offer).direction == ours


@pytest.mark.parametrize(
    "text",
    [
        REPLY.format("8").replace("40000", "0"),
        REPLY.format("18"),
        REPLY.format("8").replace("audio", "video"),
        "v=0\n",
    ],
    ids=["refused", "a codec we did not offer", "another kind", "no sections"],
)
def test_an_answer_that_takes_nothing_is_nothing_in_common(text):
    with pytest.raises(NothingInCommon):
        answered(text)


def test_both_sides_understand_each_other():
    ours = offered(codecs=[OPUS, PCMA, DTMF])
    theirs = sdp.parse(ours.encode())
    chosen = sdp.choose(theirs, [PCMA, OPUS, DTMF], prefer="ours")
    reply = sdp.parse(sdp.make_answer(theirs, chosen, address="192.0.2.1", port=5000).encode())
    agreed = sdp.read_answer(ours, reply, [OPUS, PCMA, DTMF])
    assert (
        (agreed.codec, agreed.pt, agreed.dtmf_pt)
        == (chosen.codec, chosen.pt, chosen.dtmf_pt)
        == (Codec("PCMA"), 8, 101)
    )
    assert agreed.remote == ("192.0.2.1", 5000) and chosen.remote == ("203.0.113.7", 30000)
