"""Requests and responses: RFC 3261 sections 7, 8.2.6, 18.2 and 20."""

from __future__ import annotations

import pytest

from sip.errors import Malformed, MalformedHeader, MalformedMessage
from sip.headers import Headers, canonical, format_params, parse_params, split_list
from sip.message import Request, Response, Via, parse
from sip.multipart import find_body, split_multipart
from sip.uri import Uri

INVITE = """INVITE sip:+4930123456@example.com SIP/2.0
Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK776asdhds;rport
Via: SIP/2.0/TCP proxy.example.com;branch=z9hG4bK1, SIP/2.0/TLS [2001:db8::1]:5061;branch=z9hG4bK2
Max-Forwards: 70
From: "Alice" <sip:alice@example.com>;tag=1928301774
To: <sip:+4930123456@example.com>
Call-ID: a84b4c76e66710@pc33.example.com
CSeq: 314159 INVITE
Record-Route: <sip:p1.example.com;lr>
Record-Route: <sip:p2.example.com;lr>
Contact: <sip:alice@192.0.2.10:5060>
Supported: replaces, 100rel
Content-Type: Application/SDP ; charset=utf-8
Content-Length: 5

v=0
"""


def wire(text: str = INVITE, **changes: str) -> bytes:
    """The message on the wire; `changes` replace header lines by name (with _ for -), "" takes one out."""
    lines = text.split("\n")
    for name, value in changes.items():
        name = name.replace("_", "-") + ":"
        at = next(index for index, line in enumerate(lines) if line.startswith(name))
        lines[at : at + 1] = [f"{name} {value}"] if value else []
    return "\n".join(lines).replace("\n", "\r\n").encode()


def request(data: bytes | None = None) -> Request:
    message = parse(wire() if data is None else data)
    assert isinstance(message, Request)
    return message


def refusal(data: bytes) -> MalformedMessage:
    with pytest.raises(MalformedMessage) as caught:
        parse(data)
    return caught.value


# --- reading --------------------------------------------------------------------------------------------


def test_an_invite_gives_its_fields_typed():
    message = request()
    assert (message.method, str(message.uri)) == ("INVITE", "sip:+4930123456@example.com")
    assert message.call_id == "a84b4c76e66710@pc33.example.com"
    assert message.cseq == (314159, "INVITE")
    assert message.from_.display == "Alice" and message.from_.tag == "1928301774"
    assert message.to.tag is None
    assert [via.host for via in message.vias] == ["192.0.2.10", "proxy.example.com", "2001:db8::1"]
    assert message.top_via.branch == "z9hG4bK776asdhds" and message.top_via.rport == 0
    assert [str(route.uri) for route in message.record_routes] == [
        "sip:p1.example.com;lr",
        "sip:p2.example.com;lr",
    ]
    assert message.contacts[0].uri.port == 5060
    assert message.content_type == "application/sdp"
    assert message.headers.tokens("Supported") == {"replaces", "100rel"}
    assert message.max_forwards == 70 and message.expires is None
    assert message.body == b"v=0\r\n"


def test_a_response_gives_status_and_reason():
    message = parse(
        wire(INVITE.replace("INVITE sip:+4930123456@example.com SIP/2.0", "SIP/2.0 486 Busy Here", 1))
    )
    assert isinstance(message, Response)
    assert (message.status, message.reason, message.cseq) == (486, "Busy Here", (314159, "INVITE"))


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(b"\r\n", b"\n").replace(b"v=0\n", b"v=0\r\n"),
        lambda data: b"\r\n\r\n" + data,
        lambda data: data.replace(b"Max-Forwards: 70\r\n", b""),
        lambda data: data.replace(b"Content-Length: 5\r\n", b""),
        lambda data: (
            data.replace(b"Call-ID", b"call-id").replace(b"CSeq", b"CSEQ").replace(b"From:", b"from:")
        ),
        lambda data: data.replace(b"Via:", b"v:").replace(b"From:", b"f:").replace(b"Call-ID:", b"i :"),
        lambda data: data.replace(b"Call-ID: ", b"Call-ID:   ").replace(
            b"314159 INVITE", b"314159  \t INVITE "
        ),
        lambda data: data.replace(b"From: ", b"From:\r\n \t"),
        lambda data: data.replace(b"SIP/2.0\r", b"sip/2.0\r", 1),
        lambda data: data + b"bytes behind Content-Length",
    ],
    ids=[
        "LF line ends",
        "blank lines in front",
        "no Max-Forwards",
        "no Content-Length",
        "any case",
        "compact names",
        "blanks",
        "folding",
        "version in lower case",
        "more bytes than said",
    ],
)
def test_what_phones_really_send_is_taken(change):
    message = request(change(wire()))
    assert message.cseq == (314159, "INVITE") and message.from_.tag == "1928301774"
    assert message.call_id == "a84b4c76e66710@pc33.example.com"
    assert message.body.startswith(b"v=0") and b"behind" not in message.body


def test_a_phone_that_sends_latin_1_is_understood_and_answered_in_its_own_bytes():
    data = wire().replace(b'"Alice"', b'"J\xf6rg"')
    message = request(data)
    assert message.from_.display == "Jörg"
    assert b'"J\xf6rg"' in message.respond(200).encode()
    assert b'"J\xf6rg"' in message.encode()


def test_names_outside_latin_1_turn_such_an_answer_into_utf_8():
    message = request(wire().replace(b'"Alice"', b'"J\xf6rg"'))
    answer = message.respond(200, headers=[("Contact", '"客户" <sip:us@example.com>')])
    assert '"Jörg"'.encode() in answer.encode()


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"CSeq": "314159 BYE"}, 400),
        ({"CSeq": "-1 INVITE"}, 400),
        ({"CSeq": "2147483648 INVITE"}, 400),
        ({"CSeq": "99999999999999999999 INVITE"}, 400),
        ({"CSeq": "٣ INVITE"}, 400),
        ({"CSeq": "1"}, 400),
        ({"CSeq": ""}, 400),
        ({"Call_ID": ""}, 400),
        ({"Call_ID": "a b"}, 400),
        ({"From": ""}, 400),
        ({"From": "alice"}, 400),
        ({"To": ""}, 400),
        ({"Max_Forwards": "256"}, 400),
        ({"Max_Forwards": "-1"}, 400),
        ({"Max_Forwards": "seventy"}, 400),
        ({"Contact": "<sip:alice@>"}, 400),
        ({"Record_Route": "sip:"}, 400),
        ({"Content_Length": "6"}, 400),
        ({"Content_Length": "-5"}, 400),
        ({"Content_Length": "5, 5"}, 400),
        ({"Content_Length": "1e3"}, 400),
        ({"To": "<sip:b@h>\nTo: <sip:c@h>"}, 400),
        ({"From": "<sip:b@h>;tag=1\nf: <sip:c@h>;tag=2"}, 400),
        ({"CSeq": "1 INVITE\nCSeq: 1 INVITE"}, 400),
        ({"Content_Type": "text/plain\nc: application/sdp"}, 400),
        ({"Supported": "a\nno colon here"}, 400),
        ({"Supported": "a\nBad Name: x"}, 400),
        ({"Supported": "a\n: no name"}, 400),
        ({"Supported": "a\x00b"}, 400),
        ({"Supported": "a\x1b[2Jb"}, 400),
        ({"Supported": "a\rEvil: b"}, 400),
        ({"Supported": "a" * 9000}, 400),
        ({"Supported": "a" + "\nX: y" * 300}, 513),
    ],
)
def test_what_is_dangerous_is_refused_and_can_be_answered(changes, status):
    malformed = refusal(wire(**changes))
    assert malformed.status == status == malformed.sip_status
    assert malformed.request is None or b"SIP/2.0 %d " % status in malformed.request.respond(status).encode()
    assert (malformed.request is None) == (status == 513)


@pytest.mark.parametrize(
    "start",
    [
        "INVITE sip:bob@example.com",
        "INVITE  sip:bob@example.com SIP/2.0",
        "INVITE sip:bob@example.com  SIP/2.0",
        "INVITE sip:bob@example.com SIP/2.0 ",
        "INVITE sip:bob@exa mple.com SIP/2.0",
        "INVITE <sip:bob@example.com> SIP/2.0",
        "INVITE sip:bob@example.com?Route=x SIP/2.0",
        "IN VITE sip:bob@example.com SIP/2.0",
        "INV(TE sip:bob@example.com SIP/2.0",
        "INVITE sip:bob@example.com HTTP/1.1",
        "INVITE",
        "",
        "SIP/2.0",
        "SIP/2.0 99 Low",
        "SIP/2.0 700 High",
        "SIP/2.0 20 0",
        "SIP/2.0 2000 Big",
        "SIP/3.0 200 OK",
    ],
)
def test_a_bad_start_line_is_refused(start):
    assert refusal(wire(INVITE.replace("INVITE sip:+4930123456@example.com SIP/2.0", start, 1))).status == 400


def test_another_version_is_answered_with_505():
    malformed = refusal(wire(INVITE.replace("SIP/2.0\n", "SIP/3.1\n", 1)))
    assert malformed.status == 505 and malformed.request is not None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"\x00\x00\x00\x00",
        wire(INVITE.replace("INVITE sip:+4930123456@example.com SIP/2.0", "SIP/2.0 200 OK", 1), From="?"),
        wire(INVITE.replace("INVITE", "ACK"), From="?"),
        wire(INVITE, Via="SIP/2.0/UDP"),
        wire(INVITE.replace("\nVia:", "\nX-Via:")),
        b"X" * 40_000 + b"\r\n\r\n",
    ],
    ids=[
        "nothing",
        "keep-alive",
        "zeros",
        "a response",
        "an ACK",
        "an unreadable Via",
        "no Via",
        "a huge head",
    ],
)
def test_what_cannot_be_answered_is_dropped(data):
    assert refusal(data).request is None


def test_a_datagram_cut_short_is_refused():
    assert refusal(wire()[:300]).status == 400
    assert refusal(wire()[:-1]).reason == "Body Shorter Than Content-Length"


def test_the_earliest_blank_line_ends_the_head_whatever_its_line_ends():
    data = wire().replace(b"CSeq: 314159", b"\nCSeq: 314159")
    assert refusal(data).reason == "Bad CSeq, missing"


def test_a_contact_that_cannot_be_read_matters_only_where_it_has_a_meaning():
    bye = wire(INVITE.replace("INVITE", "BYE"), Contact="<sip:alice@>")
    assert request(bye).contacts == []
    busy = INVITE.replace("INVITE sip:+4930123456@example.com SIP/2.0", "SIP/2.0 {} X", 1)
    assert parse(wire(busy.format(486), Contact="<sip:alice@>")).contacts == []
    assert refusal(wire(busy.format(200), Contact="<sip:alice@>")).status == 400


def test_a_wildcard_contact_is_no_address():
    message = request(wire(INVITE.replace("INVITE", "REGISTER"), Contact="*"))
    assert message.wildcard_contact and message.contacts == []


def test_numbers_beyond_32_bits_are_taken_as_the_largest():
    message = request(
        wire(Supported="x\nExpires: 99999999999999999999999\nRetry-After: 120 (busy);duration=60")
    )
    assert message.expires == 2**32 - 1
    assert message.number("Retry-After") == 120


# --- answering ------------------------------------------------------------------------------------------


def test_a_response_repeats_what_the_request_said_and_adds_a_tag():
    message = request()
    answer = message.respond(180, tag="ours")
    assert (answer.status, answer.reason) == (180, "Ringing")
    assert answer.headers.all("Via") == message.headers.all("Via")
    for name in ("From", "Call-ID", "CSeq"):
        assert answer.headers.get(name) == message.headers.get(name)
    assert answer.headers.get("To") == "<sip:+4930123456@example.com>;tag=ours"
    assert answer.record_routes == message.record_routes
    assert "Max-Forwards" not in answer.headers and "Contact" not in answer.headers
    assert parse(answer.encode()).to.tag == "ours"


def test_a_100_has_no_tag_of_ours_and_repeats_the_timestamp():
    answer = request(wire(Supported="x\nTimestamp: 54.21")).respond(100)
    assert answer.to.tag is None and answer.headers.get("Timestamp") == "54.21"


def test_the_tag_of_a_request_within_a_dialog_stays():
    assert request(wire(To="<sip:b@h>;Tag = theirs")).respond(200, tag="ours").to.tag == "theirs"


def test_without_a_tag_of_ours_each_retransmission_gets_the_same_one():
    one, again = request().respond(400), request().respond(400)
    other = request(wire(Call_ID="other")).respond(400)
    assert one.to.tag == again.to.tag != other.to.tag


def test_a_refusal_carries_no_route():
    assert "Record-Route" not in request().respond(404).headers
    assert "Record-Route" not in request(wire(INVITE.replace("INVITE", "BYE"))).respond(200).headers


def test_headers_and_body_of_an_answer_are_added_to_it():
    answer = request().respond(200, "Fine", tag="t", headers=[("Contact", "<sip:us@h>")], body=b"v=0\r\n")
    data = answer.encode()
    assert data.startswith(b"SIP/2.0 200 Fine\r\n")
    assert b"\r\nContact: <sip:us@h>\r\n" in data
    assert data.endswith(b"\r\nContent-Length: 5\r\n\r\nv=0\r\n")


# --- writing --------------------------------------------------------------------------------------------


def test_a_request_built_by_hand_reads_back_as_it_was_meant():
    made = Request(
        "OPTIONS",
        Uri.parse("sip:bob@example.com"),
        [
            ("v", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1"),
            ("from", "<sip:a@h>;tag=1"),
            ("To", "<sip:b@h>"),
            ("i", "x"),
            ("CSEQ", "1 OPTIONS"),
        ],
    )
    again = parse(made.encode())
    assert isinstance(again, Request) and again.method == "OPTIONS" and again.uri == made.uri
    assert list(again.headers)[:-1] == list(made.headers)


@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r", "\n\r\n"])
def test_no_value_can_begin_a_field_of_its_own(line_end):
    evil = f"x{line_end}Evil: yes"
    made = request().respond(200, f"OK{line_end}Evil: yes", headers=[("Subject", evil)])
    made.headers.add("X-A", evil)
    made.headers.set("X-B", evil)
    made.headers.insert_first("X-C", evil)
    made.headers.replace("X-D", [evil])
    again = parse(made.encode())
    assert "Evil" not in again.headers and again.headers.get("X-A") == "x Evil: yes"


def test_a_name_that_is_no_name_is_refused_at_once():
    with pytest.raises(MalformedHeader):
        Headers([("Subject:\r\nEvil", "x")])


def test_the_length_is_always_that_of_the_body():
    message = request()
    message.headers.set("Content-Length", "999")
    message.body = b"hello"
    assert message.encode().endswith(b"Content-Length: 5\r\n\r\nhello")


# --- Via ------------------------------------------------------------------------------------------------


def test_a_stamp_says_where_the_request_came_from():
    message = request()
    message.stamp("203.0.113.7", 40000)
    assert (message.top_via.received, message.top_via.rport) == ("203.0.113.7", 40000)
    assert message.top_via.reply_to == ("203.0.113.7", 40000)
    assert [via.branch for via in message.vias[1:]] == ["z9hG4bK1", "z9hG4bK2"]
    assert "received=203.0.113.7;rport=40000" in (message.respond(100).headers.get("Via") or "")


def test_only_the_first_of_several_vias_in_one_line_is_stamped():
    message = request(
        wire(Via="SIP/2.0/UDP a.example.com;branch=z9hG4bKa, SIP/2.0/UDP b.example.com;branch=z9hG4bKb")
    )
    message.stamp("203.0.113.7", 40000)
    assert [(via.host, via.received) for via in message.vias[:2]] == [
        ("a.example.com", "203.0.113.7"),
        ("b.example.com", None),
    ]


def test_what_a_sender_wrote_into_received_itself_is_not_believed():
    message = request(wire(Via="SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK1;received=10.0.0.1;rport=1"))
    message.stamp("192.0.2.10", 5060)
    assert (message.top_via.received, message.top_via.rport) == ("192.0.2.10", 5060)


def test_without_rport_the_answer_goes_to_the_port_the_via_names():
    via = Via.parse("SIP/2.0/UDP 192.0.2.10:5070;branch=z9hG4bK1").stamped("203.0.113.7", 40000)
    assert via.reply_to == ("203.0.113.7", 5070)
    assert Via.parse("SIP/2.0/TLS 192.0.2.10").reply_to == ("192.0.2.10", 5061)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SIP/2.0/UDP",
        "SIP/2.0 192.0.2.1",
        "SIP/2.0/UDP 192.0.2.1:0",
        "SIP/2.0/UDP [::z]",
        "SIP/2.0/UDP a b",
    ],
)
def test_a_via_that_cannot_be_read_is_refused(text):
    with pytest.raises(MalformedHeader):
        Via.parse(text)


# --- headers --------------------------------------------------------------------------------------------


def test_compact_and_long_names_in_any_case_are_one_name():
    headers = Headers([("m", "<sip:a@h>"), ("CONTACT", "<sip:b@h>"), ("contact", "<sip:c@h>")])
    assert headers.all("Contact") == ["<sip:a@h>", "<sip:b@h>", "<sip:c@h>"] == headers.all("M")
    assert "m" in headers and len(headers) == 3
    assert canonical("x-my-header") == "X-My-Header" and canonical("www-authenticate") == "WWW-Authenticate"


def test_fields_can_be_put_first_replaced_and_taken_away():
    headers = Headers([("Via", "2"), ("To", "t")])
    headers.insert_first("Via", "1")
    headers.insert_first("Route", "r")
    assert list(headers) == [("Route", "r"), ("Via", "1"), ("Via", "2"), ("To", "t")]
    headers.remove_first("Via")
    headers.remove("Route")
    headers.set("To", "u")
    assert list(headers) == [("Via", "2"), ("To", "u")]
    headers.remove_first("Via")
    assert "Via" not in headers and headers.get("Via") is None


def test_a_changed_field_is_read_anew():
    message = request()
    assert message.from_.tag == "1928301774" and message.vias
    message.headers.set("From", "<sip:carol@example.com>;tag=2")
    message.headers.insert_first("Via", "SIP/2.0/UDP 198.51.100.1;branch=z9hG4bKtop")
    assert message.from_.tag == "2" and message.top_via.host == "198.51.100.1"


def test_a_copy_changes_nothing_in_the_original():
    headers = Headers([("Via", "1")])
    copy = headers.copy()
    copy.add("Via", "2")
    assert headers.all("Via") == ["1"] and copy.all("Via") == ["1", "2"]


def test_commas_in_quotes_and_brackets_do_not_part_a_list():
    value = '"Bell, A" <sip:a@h;x=1,2>;q=1, <sip:b@h>,, sip:c@h'
    assert split_list(value) == ['"Bell, A" <sip:a@h;x=1,2>;q=1', "<sip:b@h>", "sip:c@h"]


@pytest.mark.parametrize("value", ['"open, <sip:a@h>', "<sip:a@h, <sip:b@h>,<", "a," * 300])
def test_a_list_that_cannot_be_parted_or_is_too_long_is_refused(value):
    with pytest.raises(Malformed):
        split_list(value)


def test_parameters_come_with_names_in_lower_case_and_values_without_quotes():
    assert parse_params(';A=1; b ;c="x;\\"y\\"" ;;d=') == (("a", "1"), ("b", None), ("c", 'x;"y"'), ("d", ""))
    assert format_params((("a", "1"), ("b", None), ("c", 'x;"y"'))) == ';a=1;b;c="x;\\"y\\""'


# --- multipart ------------------------------------------------------------------------------------------


def multipart(boundary: str = "b1", quoted: str = "b1") -> Request:
    body = (
        f"preamble\r\n--{boundary}\r\nContent-Type: application/isup;version=x\r\n\r\n\x01\x02\r\n"
        f"--{boundary}\r\nContent-Type: multipart/alternative;boundary=inner\r\n\r\n"
        "--inner\r\n\r\nplain words\r\n--inner\r\nc: Application/SDP\r\n\r\nv=0\r\ns=-\r\n--inner--\r\n"
        f"--{boundary}--\r\nepilogue"
    )
    return Request(
        "INVITE", Uri.parse("sip:a@h"), [("c", f"multipart/mixed; boundary={quoted}")], body.encode()
    )


@pytest.mark.parametrize(("boundary", "quoted"), [("b1", "b1"), ("b 1", '"b 1"')])
def test_the_session_description_is_found_in_a_part_of_a_part(boundary, quoted):
    assert find_body(multipart(boundary, quoted)) == b"v=0\r\ns=-"


def test_parts_know_their_types_and_one_without_is_plain_text():
    outer = split_multipart("multipart/mixed;boundary=b1", multipart().body)
    assert [part.content_type for part in outer] == ["application/isup", "multipart/alternative"]
    inner = split_multipart(outer[1].type, outer[1].body)
    assert (inner[0].content_type, inner[0].body) == ("text/plain", b"plain words")


def test_a_body_that_is_not_multipart_is_the_body():
    assert find_body(Request("INVITE", Uri.parse("sip:a@h"), [("c", "application/sdp")], b"v=0")) == b"v=0"
    assert find_body(Request("INVITE", Uri.parse("sip:a@h"), [("c", "text/plain")], b"v=0")) is None
    assert find_body(Request("INVITE", Uri.parse("sip:a@h"), [], b"v=0")) is None


def test_parts_and_their_depth_are_bounded():
    many = b"--b\r\n\r\nx\r\n" * 1000 + b"--b--"
    assert len(split_multipart("multipart/mixed;boundary=b", many)) == 16
    assert (
        find_body(Request("MESSAGE", Uri.parse("sip:a@h"), [("c", "multipart/mixed;boundary=b")], many))
        is None
    )
    assert split_multipart("multipart/mixed", many) == []
