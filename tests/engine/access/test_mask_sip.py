"""A SIP message tells nobody's number or name, and all that a ladder is read for."""

from __future__ import annotations

import pytest

from engine.access.mask_sip import LONGEST, hidden
from sip.message import Request, parse
from tests.engine.insight.samples import SDP, sip

START = "INVITE sip:100@pbx SIP/2.0\r\n"


def field(line: str) -> str:
    """A line of a head, as it is shown."""
    return hidden(START + line).removeprefix(START)


def of_body(line: str) -> str:
    return hidden(f"{START}\r\n{line}").removeprefix(f"{START}\r\n")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("From: <tel:+34-600-123-456>;tag=1234567", "From: <tel:+34******456>;tag=1234567"),
        ("From: <SIP:0034600123456@h>", "From: <SIP:**********456@h>"),
        ("From: <sip:%2B34600123456@h>", "From: <sip:+34******456@h>"),
        ("From: <sip:600-123-456@h>", "From: <sip:******456@h>"),
        ("From: <sip:+34600123456;isub=9@h;user=phone>", "From: <sip:+34******456;***@h;user=phone>"),
        ("From: <sip:maria.lopez@gmail.com>", "From: <sip:m***@gmail.com>"),
        ("From: <sip:maria%40gmail.com@h>", "From: <sip:m***%40gmail.com@h>"),
        ("From: <sip:34600123456>", "From: <sip:********456>"),
        ("From: <sip:x@34600123456@h>", "From: <sip:x***%40********456@h>"),
        ("From: <sip:+34 600 123 456@h>", "From: <sip:+34******456@h>"),
        ("From: <34600123456@h>", "From: <********456@h>"),
        ("t: sip:0034.600.123.456@x;tag=b", "t: sip:**********456@x;tag=b"),
        ("X-Two: sip:600123456@a, sips:600123457@b", "X-Two: sip:******456@a, sips:******457@b"),
        ("Refer-To: <sip:a@h?Replaces=x%40y&X-A=600123456>", "Refer-To: <sip:a***@h?Replaces=x%40y&X-A=***>"),
        ("Contact: <sip:34600123456@1.2.3.4:5062;ob>", "Contact: <sip:********456@1.2.3.4:5062;ob>"),
    ],
)  # fmt: skip
def test_whoever_an_address_is_of_cannot_be_read_however_it_is_written(line: str, shown: str) -> None:
    assert field(line) == shown


@pytest.mark.parametrize(
    "before",
    ['"Maria Lopez" ', "Maria Lopez ", "Lopez, Maria ", '"Maria" Lopez ', 'Maria "Lopez" ',
     '"Maria \\" Lopez"', "Maria; Lopez ", "Maria\r\n Lopez "],
)  # fmt: skip
@pytest.mark.parametrize(
    "name", ["From", "History-Info", "P-Called-Party-ID", "Referred-By", "X-Anybody", "f"]
)
def test_nobodys_name_can_be_read_before_an_address(name: str, before: str) -> None:
    shown = field(f"{name}: {before}<sip:100@pbx>;tag=1234567")
    assert "Maria" not in shown and "Lopez" not in shown
    assert shown.startswith(f"{name}: ") and shown.endswith("<sip:100@pbx>;tag=1234567")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("Contact: <sip:1@h>;q=1, Maria <sip:2@h>", 'Contact: <sip:1@h>;q=1, "***" <sip:2@h>'),
        ("From: Maria Lopez sip:100@pbx;tag=a", 'From: "***" sip:100@pbx;tag=a'),
        ("From: Maria Lopez;tag=a", 'From: "***" ;tag=a'),
        ("Subject: Maria 600123456", "Subject: ***"),
        ("X-CLI: 0034600123456", "X-CLI: **********456"),
        ("X-Customer: call 600 123 456 now", "X-Customer: call ******456 now"),
        ("X-From: 600123456 192.0.2.1 600123457", "X-From: ******456 192.0.2.1 ******457"),
        ("User-to-User: 333436303031;encoding=hex", "User-to-User: ***;encoding=hex"),
        ("Warning: 399 192.0.2.1 \"no 600123456\"", "Warning: 399 192.0.2.1 \"no ******456\""),
        (
            'Authorization: Digest username="34600123456", realm="pbx", uri="sip:600123456@h", nc=00000001',
            'Authorization: Digest username="********456", realm="pbx", uri="sip:******456@h", nc=00000001',
        ),
        ("Proxy-Authorization: Digest username=maria@h", "Proxy-Authorization: Digest username=m***%40h"),
    ],
)  # fmt: skip
def test_nor_can_who_calls_elsewhere_in_a_head(line: str, shown: str) -> None:
    assert field(line) == shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("o=34600123456 1700000000 1 IN IP4 192.0.2.1", "o=********456 1700000000 1 IN IP4 192.0.2.1"),
        ("s=Maria Lopez", "s=***"),
        ("i=card 4111 1111 1111 1111", "i=***"),
        ("p=+34 600 123 456", "p=+34******456"),
        ("p=+34 600 123 456 (Maria)", "p=***"),
        ("e=maria@gmail.com", "e=m***@gmail.com"),
        ("e=maria@gmail.com (Maria)", "e=***"),
        ("a=ssrc:314159265 cname:maria@gmail.com", "a=ssrc:314159265 cname:***"),
        ("ring 600 123 456", "ring ******456"),
        ('<id display="Maria">sip:600123456@h</id>', '<id display="***">sip:******456@h</id>'),
        ("<name xml:lang='es'>Maria</name>", "<name xml:lang='es'>***</name>"),
        ('From: "Maria" <sip:600123456@h>', 'From: "***" <sip:******456@h>'),
    ],
)  # fmt: skip
def test_nor_in_a_body(line: str, shown: str) -> None:
    assert of_body(line) == shown


def test_all_that_a_ladder_is_read_for_stays() -> None:
    message = sip(
        "INVITE sip:200@pbx SIP/2.0",
        "Route: <sip:192.0.2.1:5060;lr>,<sip:proxy.example.com;transport=tls;lr>",
        "Contact: <sip:200@192.0.2.9:5062;transport=tcp>;q=1;+sip.instance=\"<urn:uuid:f81d4fae>\"",
        "Max-Forwards: 70", "Session-Expires: 1800;refresher=uac",
        "User-Agent: Phone 2.10.20 (build 4)", "Expires: 12345678",
        "Reason: Q.850;cause=16;text=\"Normal call clearing\"", "Allow: INVITE, ACK, BYE",
        "Date: Thu, 21 Feb 2026 13:02:03 GMT", "Event: dialog;id=12345678", "Contact: *",
        "Replaces: 98732@h;from-tag=3213213;to-tag=1231231", "Retry-After: 120",
        body=SDP.format(host="192.0.2.1") + "a=candidate:842163049 1 udp 1677729535 10.0.0.1 400 typ\r\n",
        call_id="1234567890@far.example.com",
    ).decode()  # fmt: skip
    assert hidden(message) == message
    for status in ("SIP/2.0 200 OK\r\n\r\n", "SIP/2.0 180 Ringing\r\nTo: <sip:1@h>;tag=12345678\r\n\r\n"):
        assert hidden(status) == status
    assert hidden("SIP/2.0 486 600123456 is busy") == "SIP/2.0 486 ******456 is busy"
    named = sip(
        "INVITE sip:+34600123456@pbx SIP/2.0", "P-Asserted-Identity: Maria <tel:+34-600-123-456>"
    ).decode()
    assert isinstance(parse(hidden(named).encode()), Request)


@pytest.mark.parametrize(
    "evil",
    ["a ", " ", '"', '\\"', "<", "sip:", "sip:a@", "@", ",", "1", "1 ", "<name ", "display ", "tag=", ";",
     "&", "%", "a=", "1.1.1.1", "\r\n ", " SIP/2", "username=", '"a" '],
)  # fmt: skip
def test_a_mebibyte_of_anything_is_masked_in_one_go(evil: str) -> None:
    """Linear in its length: a pattern that tries all ways would not end within the test's time."""
    for size in (LONGEST - 100, 1 << 20):
        long = evil * (size // len(evil))
        assert hidden(f"{START}Diversion: a{long}x\r\nAuthorization: {long}\r\n\r\n{long}")
        assert hidden(f"INVITE {long}x")


def test_a_line_that_no_phone_writes_is_not_shown() -> None:
    assert field(f"X-Long: a{' ' * (1 << 20)}x") == "X-Long: ***"
    assert of_body("Maria " * LONGEST) == "***"


@pytest.mark.parametrize(
    "odd", ["", "\r\n", "\r\n\r\n", ":", "<", "\\", "\0", "INVITE", "a: ", "From:", "s="]
)
def test_what_is_no_message_is_none_still(odd: str) -> None:
    assert hidden(odd) == odd
