"""What a node counts of its SIP."""

from __future__ import annotations

import pytest

from sip.errors import MalformedMessage
from sip.message import parse
from sip.traffic import Traffic

HEAD = (
    "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@b.example>;tag=1\r\nTo: <sip:c@d.example>\r\n"
    "Call-ID: 1\r\nCSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
)


def request(method: str) -> bytes:
    return f"{method} sip:c@d.example SIP/2.0\r\nMax-Forwards: 70\r\n{HEAD.format(method=method)}".encode()


def response(status: int) -> bytes:
    return f"SIP/2.0 {status} So\r\n{HEAD.format(method='OPTIONS')}".encode()


@pytest.fixture
def traffic() -> Traffic:
    return Traffic()


def test_what_comes_is_counted_by_method_and_by_class_of_status(traffic: Traffic) -> None:
    for data in (
        request("INVITE"),
        request("BYE"),
        request("BYE"),
        response(183),
        response(200),
        response(202),
    ):
        traffic.received(parse(data))
    assert traffic.counts() == {
        ("in", "INVITE"): 1,
        ("in", "BYE"): 2,
        ("in", "1xx"): 1,
        ("in", "2xx"): 2,
    }


def test_what_goes_is_counted_by_its_first_line(traffic: Traffic) -> None:
    for data in (request("REGISTER"), request("SUBSCRIBE"), response(180), response(404), response(486)):
        traffic.sent(data)
    assert traffic.counts() == {
        ("out", "REGISTER"): 1,
        ("out", "SUBSCRIBE"): 1,
        ("out", "1xx"): 1,
        ("out", "4xx"): 2,
    }


def test_methods_that_strangers_invent_count_as_one(traffic: Traffic) -> None:
    for n in range(100):
        traffic.received(parse(request(f"SCAN{n}")))
    traffic.received(MalformedMessage(400, "Bad"))
    assert traffic.counts() == {("in", "other"): 100, ("in", "malformed"): 1}
