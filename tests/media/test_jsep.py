"""Browsers' session descriptions: what is read from them, what they are answered, and what is refused."""

from __future__ import annotations

from random import Random

import pytest

from media import answer, jsep
from media.gate import Candidate, DoorOpened, Fingerprint
from media.jsep import Refused, Unsuitable

DIGEST = ":".join(["AB"] * 32)
# as Chrome 140 writes it, shortened: audio and video, candidates to come
CHROME = f"""v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=extmap-allow-mixed
a=msid-semantic: WMS stream
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:1 1 udp 2113937151 6d0a1e9c-8b0b-4c07-9d66-b0dbbb0f4a7b.local 54321 typ host generation 0
a=candidate:2 1 udp 1677729535 198.51.100.7 61000 typ srflx raddr 0.0.0.0 rport 0 generation 0
a=candidate:3 1 tcp 1518280447 198.51.100.7 9 typ host tcptype active
a=ice-ufrag:Yf3+
a=ice-pwd:Qv0p3Kk9s8dF6aTz1Xc2Vb4N
a=ice-options:trickle
a=fingerprint:sha-256 {DIGEST}
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=sendrecv
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:110 telephone-event/48000
a=rtpmap:126 telephone-event/8000
m=video 9 UDP/TLS/RTP/SAVPF 96
a=mid:1
a=rtcp-mux
a=rtpmap:96 VP8/90000
""".replace("\n", "\r\n")
DOOR = DoorOpened(
    7,
    "ours",
    "p" * 22,
    [Candidate("1", 2130706431, "203.0.113.5", 20_000)],
    Fingerprint("sha-256", ":".join(["CD"] * 32)),
)
WANTED = ("opus", "PCMU", "PCMA")


def answered(offer: str = CHROME, wanted: tuple[str, ...] = WANTED) -> list[str]:
    theirs = jsep.read(offer)
    return answer.answer(theirs, answer.choose(theirs, wanted), DOOR).split("\r\n")


def test_an_offer_says_whom_to_find_and_what_they_speak():
    theirs = jsep.read(CHROME)
    assert theirs.peer.ufrag == "Yf3+" and theirs.setup == "actpass" and theirs.transport_cc == 3
    assert theirs.peer.candidates == [Candidate("2", 1677729535, "198.51.100.7", 61_000, "srflx")]
    assert [codec.name for codec in theirs.codecs] == ["opus", "red", "G722", "PCMU", "PCMA", "CN"]
    assert {event.pt: event.rate for event in theirs.events} == {110: 48_000, 126: 8000}


def test_the_answer_takes_the_audio_with_copies_and_keys_and_refuses_the_video():
    rows = answered()
    assert "m=audio 20000 UDP/TLS/RTP/SAVPF 111 0 8 63 13 110" in rows
    assert {"a=rtpmap:63 red/48000/2", "a=fmtp:63 111/111", "a=setup:active", "a=rtcp-mux"} <= set(rows)
    assert "a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1" in rows
    assert "m=video 0 UDP/TLS/RTP/SAVPF 96" in rows and "a=group:BUNDLE 0" in rows
    assert "a=candidate:1 1 udp 2130706431 203.0.113.5 20000 typ host" in rows


def test_feedback_on_the_whole_transport_is_agreed_on_where_it_is_offered():
    assert f"a=extmap:3 {jsep.TRANSPORT_CC}" in answered()
    without = "\r\n".join(row for row in CHROME.split("\r\n") if "transport-wide" not in row)
    assert not [row for row in answered(without) if "extmap" in row or "transport-cc" in row]


def test_we_prefer_our_own_order_of_codecs_and_its_key_presses():
    rows = answered(wanted=("PCMA", "opus"))
    assert "m=audio 20000 UDP/TLS/RTP/SAVPF 8 111 13 126" in rows


def test_our_answer_and_our_offer_read_back():
    back = jsep.read("\r\n".join(answered()))
    assert back.peer.password == DOOR.password and back.setup == "active"
    ours = answer.offer(back.codecs, back.events, DOOR)
    assert jsep.read(ours).setup == "actpass" and jsep.read(ours).events == back.events


def test_trickled_candidates_come_in_fragments():
    fragment = "a=ice-ufrag:Yf3+\r\na=ice-pwd:Qv0p3Kk9s8dF6aTz1Xc2Vb4N\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
    fragment += "a=candidate:2 1 udp 1677729535 198.51.100.7 61000 typ srflx\r\na=end-of-candidates\r\n"
    peer, whole = jsep.read_fragment(fragment)
    assert whole and peer.complete and [each.port for each in peer.candidates] == [61_000]


def test_a_restart_is_answered_by_a_fragment_that_reads_back():
    peer, whole = jsep.read_fragment(answer.fragment("0", DOOR))
    assert whole and (peer.ufrag, peer.password) == (DOOR.ufrag, DOOR.password)
    assert peer.candidates == DOOR.candidates


@pytest.mark.parametrize(
    ("part", "by", "why"),
    [
        ("a=fingerprint:sha-256", "a=fingerprint:sha-1", "fingerprint"),
        ("a=rtcp-mux", "a=x", "rtcp-mux"),
        ("a=ice-pwd:Q", "a=x:", "ice-pwd"),
        ("UDP/TLS/RTP/SAVPF", "RTP/AVP", "DTLS-SRTP"),
        ("m=audio 9", "m=audio 0", "no audio"),
        ("v=0", "hello", "v=0"),
        ("a=setup:actpass", "a=setup:holdconn", "setup"),
        ("s=-", "s=-\0", "line 3"),
        ("a=mid:0", "a=mid:\x7f", "line"),
        ("a=sendrecv", "a=x\r\n" * 3000, "too many lines"),
        ("a=sendrecv", "a=" + "x" * 70_000, "too long"),
        ("a=sendrecv", "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n" * 99, "too many candidates"),
    ],
)
def test_what_cannot_be_taken_is_refused_in_words(part: str, by: str, why: str):
    with pytest.raises(Refused, match=why):
        jsep.read(CHROME.replace(part, by))


def test_a_far_end_with_none_of_our_codecs_is_told_ours():
    with pytest.raises(Unsuitable, match="G729"):
        answered(wanted=("G729",))


def verdict(text: str) -> int:
    """The HTTP status that an offer comes to."""
    try:
        answered(text)
    except Refused as refused:
        return refused.status
    return 201


def test_no_mutation_of_an_offer_does_anything_but_be_refused():
    dice, verdicts = Random(4), set()
    for _ in range(1000):
        text = list(CHROME)
        for _ in range(dice.randint(1, 6)):
            at = dice.randrange(len(text))
            text[at : at + dice.randint(0, 12)] = chr(dice.choice((10, 32, 47, 48, 58, 61, 97, 0x0664, 0)))
        verdicts.add(verdict("".join(text)))
    assert verdicts == {201, 400, 406}
