"""Inspection of requests before they get a transaction: RFC 3261 section 8.2.1 to 8.2.3."""

from __future__ import annotations

from typing import Any

import pytest

from sip.message import Request, Response
from sip.screening import is_stray, screen
from sip.uri import Uri

METHODS = ("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "UPDATE")


def request(
    method: str = "INVITE", *, uri: str = "sip:bob@example.com", body: bytes = b"", **fields: str
) -> Request:
    headers = [
        ("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1"),
        ("From", "<sip:alice@example.com>;tag=1"),
        ("To", fields.pop("To", "<sip:bob@example.com>")),
        ("Call-ID", "c1"),
        ("CSeq", f"1 {method}"),
    ]
    headers += [(name.replace("_", "-"), value) for name, value in fields.items()]
    return Request(method, Uri.parse(uri), headers, body)


def screened(message: Request, **settings: Any) -> Response | None:
    return screen(message, **{"methods": METHODS, "extensions": ("100rel", "timer"), **settings})


def status(message: Request, **settings: Any) -> int | None:
    answer = screened(message, **settings)
    return None if answer is None else answer.status


def test_a_plain_invite_goes_on():
    assert status(request(body=b"v=0", Content_Type="application/sdp", Require="100rel, Timer")) is None


@pytest.mark.parametrize(("method", "expected"), [("PUBLISH", 405), ("invite", 501), ("BREW", 501)])
def test_a_method_we_do_not_take_is_refused_with_those_we_do(method, expected):
    answer = screened(request(method))
    assert answer is not None and answer.status == expected
    assert answer.headers.get("Allow") == "INVITE, ACK, BYE, CANCEL, OPTIONS, REGISTER, UPDATE"


def test_an_ack_is_never_answered():
    assert status(request("ACK", uri="http:x", Require="unheard-of", body=b"?")) is None
    assert status(request("ACK"), methods=()) is None


@pytest.mark.parametrize(
    ("uri", "expected"), [("tel:+123", None), ("sips:b@h", None), ("http://h", 416), ("im:b@h", 416)]
)
def test_the_scheme_of_the_request_uri_must_be_one_we_serve(uri, expected):
    assert status(request(uri=uri)) == expected


def test_a_registration_is_of_an_address_of_record():
    assert status(request("REGISTER", To="<sip:bob@example.com>")) is None
    assert status(request("REGISTER", To="<isbn:2983792873>")) == 400


def test_hops_matter_only_to_one_who_would_send_it_on():
    assert status(request(Max_Forwards="0")) is None
    assert status(request(Max_Forwards="0"), forwarding=True) == 483
    assert status(request(Max_Forwards="1"), forwarding=True) is None


def test_required_extensions_we_lack_are_named_as_they_came():
    answer = screened(request(Require="100rel, Fancy, other"))
    assert answer is not None and answer.status == 420
    assert answer.headers.get("Unsupported") == "Fancy, other"


def test_a_cancel_is_about_its_invite_whatever_it_requires():
    assert status(request("CANCEL", Require="fancy")) is None


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"Content_Type": "application/sdp"}, None),
        ({"Content_Type": "Application/SDP;charset=utf-8"}, None),
        ({"Content_Type": "application/unknownformat"}, 415),
        ({"Content_Type": "text/plain", "Content_Disposition": "render; handling = optional"}, None),
        ({"Content_Type": "text/plain", "Content_Disposition": "render;handling=required"}, 415),
        ({"Content_Type": "application/sdp", "Content_Encoding": "gzip"}, 415),
        ({"Content_Type": "application/sdp", "Content_Encoding": "identity"}, None),
        ({}, 400),
    ],
)
def test_a_body_must_be_one_we_understand_or_say_that_it_may_be_passed_over(fields, expected):
    answer = screened(request(body=b"v=0", **fields))
    assert (None if answer is None else answer.status) == expected
    if answer is not None and answer.status == 415:
        assert "Accept" in answer.headers or "Accept-Encoding" in answer.headers


def test_of_several_parts_one_must_be_understood():
    body = b"--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b\r\n\r\nx\r\n--b--"
    kind = "multipart/mixed;boundary=b"
    assert status(request(body=body, Content_Type=kind)) is None
    assert status(request(body=body, Content_Type=kind), body_types=("text/xml",)) == 415


@pytest.mark.parametrize(
    ("method", "accept", "expected"),
    [
        ("INVITE", "application/sdp", None),
        ("INVITE", "text/plain, application/*;q=0.5", None),
        ("INVITE", "*/*", None),
        ("INVITE", "text/nobodyKnowsThis", 406),
        ("UPDATE", "text/plain", 406),
        ("INVITE", "", 406),
        ("OPTIONS", "text/plain", None),
    ],
)
def test_a_caller_that_takes_no_session_description_is_told_so(method, accept, expected):
    assert status(request(method, Accept=accept)) == expected


@pytest.mark.parametrize("fields", [{"Require": '100rel, "'}, {"Accept": "<, text/plain"}])
def test_lists_that_cannot_be_read_are_refused(fields):
    assert status(request(**fields)) == 400


def test_a_response_with_more_than_our_via_is_a_stray():
    answer = request().respond(200)
    assert not is_stray(answer)
    answer.headers.add("Via", "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK2")
    assert is_stray(answer)
