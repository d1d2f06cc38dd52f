"""Messages out of a byte stream: RFC 3261 sections 7.5 and 18.3."""

from __future__ import annotations

import pytest

from sip.errors import MalformedMessage, StreamBroken
from sip.framing import Framer
from sip.message import Request, Response

HEAD = (
    "OPTIONS sip:bob@example.com SIP/2.0\r\n"
    "Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\r\n"
    "From: <sip:alice@example.com>;tag=1\r\n"
    "To: <sip:bob@example.com>\r\n"
    "Call-ID: {call}\r\n"
    "CSeq: 1 OPTIONS\r\n"
)


def message(call: str = "c1", body: bytes = b"", length: str | None = None) -> bytes:
    length = f"Content-Length: {len(body)}\r\n" if length is None else length
    return (HEAD.format(call=call) + length + "\r\n").encode() + body


@pytest.mark.parametrize("size", [1, 2, 3, 5, 64, 10_000])
def test_however_a_stream_is_cut_the_same_messages_come_out(size):
    stream = (
        message("c1", b"hello")
        + message("c2")
        + b"\r\n\r\n"
        + message("c3", b"\r\n\r\nOPTIONS x SIP/2.0\r\n\r\n")
    )
    framer = Framer()
    found = [each for at in range(0, len(stream), size) for each in framer.feed(stream[at : at + size])]
    assert [(each.call_id, len(each.body)) for each in found if isinstance(each, Request)] == [
        ("c1", 5),
        ("c2", 0),
        ("c3", 25),
    ]
    assert framer.buffered == 0


def test_lines_may_end_with_lf_alone():
    (found,) = Framer().feed(message("c1", b"hello").replace(b"\r\n", b"\n"))
    assert isinstance(found, Request) and found.body == b"hello"


def test_a_double_crlf_between_messages_is_a_ping_and_a_single_one_a_pong():
    framer = Framer()
    assert framer.feed(b"\r\n\r\n") == [] and (framer.pings, framer.pongs) == (1, 0)
    assert framer.feed(b"\r\n") == [] and (framer.pings, framer.pongs) == (1, 1)


def test_a_malformed_message_that_is_framed_well_does_not_end_the_stream():
    framer = Framer()
    bad = message("c1").replace(b"CSeq: 1 OPTIONS", b"CSeq: 1 INVITE")
    refused, fine = framer.feed(bad + message("c2"))
    assert isinstance(refused, MalformedMessage) and refused.status == 400
    assert refused.request is not None and refused.request.call_id == "c1"
    assert isinstance(fine, Request) and fine.call_id == "c2"


@pytest.mark.parametrize(
    "length",
    [
        "",
        "Content-Length: -1\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: 0x10\r\n",
        "Content-Length: \r\n",
        "Content-Length: 99999999999\r\n",
        "Content-Length: ٣\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 0\r\nl: 5\r\n",
        "Content-Length: 0\r\n content-length : 5\r\n",
    ],
)
def test_every_doubt_about_the_length_breaks_the_stream_and_is_answered(length):
    framer = Framer()
    with pytest.raises(StreamBroken) as caught:
        framer.feed(
            message("c0") + message("c1", length=length) + b"OPTIONS sip:smuggled@example.com SIP/2.0\r\n"
        )
    fine, refused = caught.value.framed
    assert isinstance(fine, Request) and fine.call_id == "c0"
    assert isinstance(refused, MalformedMessage) and refused.status in (400, 513)
    assert refused.request is not None and refused.request.respond(refused.status)
    assert framer.buffered == 0


def test_a_head_without_end_breaks_the_stream():
    framer = Framer()
    for _ in range(30):
        framer.feed(b"X-Filler: " + b"a" * 1000 + b"\r\n")
    with pytest.raises(StreamBroken):
        framer.feed(b"X-Filler: " + b"a" * 3000)


def test_a_body_beyond_the_limit_is_refused_before_it_is_read():
    framer = Framer(max_body=1000)
    with pytest.raises(StreamBroken) as caught:
        framer.feed(message(length="Content-Length: 1001\r\n"))
    (refused,) = caught.value.framed
    assert isinstance(refused, MalformedMessage) and refused.status == 513


def test_noise_breaks_the_stream():
    with pytest.raises(StreamBroken):
        Framer().feed(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\nGET / HTTP/1.1\r\n\r\n")


def test_responses_are_framed_as_requests_are():
    stream = message().replace(b"OPTIONS sip:bob@example.com SIP/2.0", b"SIP/2.0 180 Ringing")
    (found,) = Framer().feed(stream)
    assert isinstance(found, Response) and found.status == 180


def test_an_empty_read_changes_nothing():
    framer = Framer()
    assert framer.feed(b"") == []
    assert framer.feed(message()[:50]) == [] and framer.feed(b"") == []
    assert len(framer.feed(message()[50:])) == 1
