"""The 49 messages of RFC 4475 get the answer the RFC asks for, section by section."""

from __future__ import annotations

from pathlib import Path

import pytest

from sip.errors import MalformedMessage
from sip.framing import Framer
from sip.message import Request, Response, parse
from sip.multipart import split_multipart
from sip.screening import is_stray, screen

FILES = Path(__file__).parent / "rfc4475"
METHODS = ("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER")
FINE, DROPPED = "fine", "dropped"

# What becomes of each message before anything above parser and screening sees it: it is fine, it is
# answered with a status, or it is dropped because it is a response that must not be believed.
VERDICTS = {
    # 3.1.1 valid messages
    "wsinv": FINE,
    "intmeth": 501,  # "endpoints will generate a 501 listing the methods they understand in Allow"
    "esc01": FINE,
    "escnull": FINE,
    "esc02": 501,  # RE%47IST%45R is not REGISTER
    "lwsdisp": FINE,
    "longreq": FINE,
    "dblreq": FINE,  # the REGISTER; what is behind its end is not looked at
    "semiuri": FINE,
    "transports": FINE,
    "mpart01": 405,  # well-formed; MESSAGE is known and not offered here
    "unreason": FINE,
    "noreason": FINE,
    # 3.1.2 invalid messages
    "badinv01": 400,
    "clerr": 400,
    "ncl": 400,
    "scalar02": 400,
    "scalarlg": DROPPED,
    "quotbal": 400,
    "ltgtruri": 400,
    "lwsruri": 400,
    "lwsstart": 400,
    "trws": 400,
    "escruri": 400,
    "baddate": FINE,  # "elements wishing to be liberal could ignore the value": nothing here reads Date
    "regbadct": 400,
    "badaspec": 400,
    "baddn": 400,
    "badvers": 505,
    "mismatch01": 400,
    "mismatch02": 400,
    "bigcode": DROPPED,
    # 3.2 transaction layer semantics
    "badbranch": FINE,
    # 3.3 application layer semantics
    "insuf": 400,
    "unkscm": 416,
    "novelsc": 416,
    "unksm2": 400,  # a registrar's: To must be an address of record
    "bext01": 420,
    "invut": 415,
    "regaut01": FINE,  # the registrar challenges it: credentials of an unknown scheme are no credentials
    "multi01": 400,
    "mcl01": 400,
    "bcast": DROPPED,
    "zeromf": FINE,  # "an endpoint should process the request as if Max-Forwards were still positive"
    "cparam01": FINE,
    "cparam02": FINE,
    "regescrt": FINE,
    "sdp01": 406,
    # 3.4 backward compatibility
    "inv2543": FINE,
}


def read(name: str) -> bytes:
    return (FILES / f"{name}.dat").read_bytes()


def request(name: str) -> Request:
    message = parse(read(name))
    assert isinstance(message, Request)
    return message


def answer(name: str) -> Response | str:
    """What goes back for a message: a response, or the words for no response."""
    try:
        message = parse(read(name))
    except MalformedMessage as malformed:
        if malformed.request is None:
            return DROPPED
        return malformed.request.respond(malformed.status, malformed.reason)
    if isinstance(message, Response):
        return DROPPED if is_stray(message) else FINE
    return screen(message, methods=METHODS) or FINE


def test_all_49_messages_are_here_and_each_has_a_verdict():
    assert {path.stem for path in FILES.glob("*.dat")} == VERDICTS.keys()
    assert len(VERDICTS) == 49


@pytest.mark.parametrize("name", VERDICTS)
def test_each_message_gets_the_answer_the_rfc_asks_for(name):
    reply = answer(name)
    assert (reply if isinstance(reply, str) else reply.status) == VERDICTS[name]


@pytest.mark.parametrize("name", [name for name, verdict in VERDICTS.items() if isinstance(verdict, int)])
def test_each_refusal_is_a_response_that_its_sender_can_match(name):
    reply = answer(name)
    assert isinstance(reply, Response)
    wire = reply.encode()
    head, _, body = wire.partition(b"\r\n\r\n")
    assert head.startswith(b"SIP/2.0 %d " % reply.status) and not body
    for each in ("Via", "CSeq"):
        assert reply.headers.get(each)
    if name not in ("insuf", "badinv01", "badaspec", "baddn", "quotbal", "scalar02", "badvers"):
        assert isinstance(parse(wire), Response)  # where what it must repeat can be read at all


@pytest.mark.parametrize("name", [name for name, verdict in VERDICTS.items() if verdict == FINE])
def test_each_valid_message_reads_the_same_after_being_written(name):
    message = parse(read(name))
    again = parse(message.encode())
    assert type(again) is type(message)
    assert list(again.headers) == [
        *((key, value) for key, value in message.headers if key != "Content-Length"),
        ("Content-Length", str(len(message.body))),
    ]
    assert again.body == message.body


# --- 3.1.1 ----------------------------------------------------------------------------------------------


def test_wsinv_folding_escapes_and_blanks_everywhere_are_read_through():
    message = request("wsinv")
    assert message.uri.has("unknownparam") and message.uri.user == "vivekg"
    assert message.to.tag == "1918181833n" and message.to.uri.params == ()
    assert message.from_.display == 'J Rosenberg \\"' and message.from_.tag == "98asjd8"
    assert message.max_forwards == 68
    assert message.cseq == (9, "INVITE")
    assert [(via.transport, via.host, via.branch) for via in message.vias] == [
        ("UDP", "192.0.2.2", "390skdjuw"),
        ("TCP", "spindle.example.com", "z9hG4bK9ikj8"),
        ("UDP", "192.168.255.111", "z9hG4bK30239"),
    ]
    assert message.headers.get("Subject") == ""
    assert message.headers.get("NewFangledHeader") == "newfangled value continued newfangled value"
    assert message.headers.get("UnknownHeaderWithUnusualValue") == ";;,,;;,;"
    assert message.routes[0].uri.has("lr") and message.routes[0].uri.param("unknownwith") == "value"
    (contact,) = message.contacts
    assert contact.display == 'Quoted string ""'
    assert contact.params == (("newparam", "newvalue"), ("secondparam", None), ("q", "0.33"))
    assert len(message.body) == 150


def test_intmeth_a_wide_range_of_characters_is_kept_and_controls_do_not_reach_a_display_name():
    message = request("intmeth")
    assert message.method == "!interesting-Method0123456789_*+`.%indeed'~" == message.cseq[1]
    assert message.uri.user == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
    assert message.uri.password == "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"
    assert message.to.display == "BEL: NUL: DEL:"
    assert message.from_.display == "token1~` token2'+_ token3*%!.-"
    assert message.from_.param("fromparam''~+*_!.-%") == "работающий"
    assert message.from_.tag == "_token~1'+`*%!-."
    assert message.call_id == "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"
    assert message.top_via.branch == "z9hG4bK-.!%66*_+`'~"
    assert message.headers.get("extensionHeader-!.%*+_`'~") == "\ufeff大停電"
    assert message.max_forwards == 255


def test_intmeth_is_refused_with_the_methods_we_know():
    reply = answer("intmeth")
    assert isinstance(reply, Response)
    assert reply.headers.get("Allow") == ", ".join(METHODS)


def test_esc01_escapes_compare_as_what_they_stand_for_and_delimiters_stay_escaped():
    message = request("esc01")
    assert message.uri.user == "sips%3Auser%40example.com" and message.uri.host == "example.net"
    assert message.uri.user_text == "sips:user@example.com"
    assert message.to.uri.user == "user"
    assert message.from_.uri.user_text == "I have spaces"
    assert message.contacts[0].uri.user == "caller"
    assert message.contacts[0].uri.has("lr") and message.contacts[0].uri.param("name") == "value%2541"


def test_escnull_escaped_nulls_make_different_users_and_never_come_out_bare():
    message = request("escnull")
    one, two = (contact.uri for contact in message.contacts)
    assert (one.user, two.user) == ("%00", "%00%00") and not one.matches(two)
    assert message.to.uri.user == "null-%00-null" and message.to.uri.user_text == "null--null"
    assert b"\x00" not in message.encode()


def test_esc02_a_percent_is_no_escape_in_a_method_a_name_or_a_quoted_string():
    message = request("esc02")
    assert message.method == "RE%47IST%45R"
    assert message.to.display == "%Z%45"
    assert [contact.uri.user for contact in message.contacts] == ["alias1", "alias3"]
    assert message.top_via.branch == "z9hG4bK209%fzsnel234"


def test_lwsdisp_no_blank_is_needed_between_name_and_bracket():
    assert request("lwsdisp").from_.display == "caller"


def test_longreq_long_values_are_read_whole():
    message = request("longreq")
    assert len(message.vias) == 34 and message.vias[-1].received == "192.0.2.5"
    assert message.top_via.host == "sip33.example.com" and message.top_via.branch is None
    assert message.to.uri.port == 6000
    assert message.from_.tag == "12" + "982" * 50 + "424"
    assert message.from_.uri.user == "amazinglylongcallername" * 5
    assert len(message.call_id) == len("longreq.onelongcallid") + 20 * len("really")


def test_dblreq_only_the_first_request_of_a_datagram_is_there():
    message = request("dblreq")
    assert message.method == "REGISTER" and message.body == b""


def test_dblreq_over_a_stream_both_requests_are_there():
    first, second = Framer().feed(read("dblreq"))
    assert isinstance(first, Request) and first.method == "REGISTER"
    assert isinstance(second, Request) and second.method == "INVITE" and len(second.body) == 150


def test_semiuri_a_semicolon_before_the_at_sign_belongs_to_the_user():
    message = request("semiuri")
    assert message.uri.user == "user;par=u%40example.net" and message.uri.params == ()
    assert message.uri.host == "example.com"
    assert len(message.headers.values("Accept")) == 6


def test_transports_an_unknown_transport_in_a_via_is_only_a_word():
    assert [via.transport for via in request("transports").vias] == ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]


def test_mpart01_the_parts_of_a_binary_body_come_apart_byte_for_byte():
    message = request("mpart01")
    text, signature = split_multipart(message.headers.get("Content-Type") or "", message.body)
    assert (text.content_type, text.body) == ("text/plain", b"Hello")
    assert signature.content_type == "application/octet-stream"
    assert len(signature.body) == 342 and signature.body.startswith(b"\x30\x82\x01\x52")


def test_unreason_and_noreason_a_reason_phrase_is_any_text_or_none():
    unreason, noreason = parse(read("unreason")), parse(read("noreason"))
    assert isinstance(unreason, Response) and isinstance(noreason, Response)
    assert unreason.reason == "= 2**3 * 5**2 но сто девяносто девять - простое"
    assert (noreason.status, noreason.reason) == (100, "")


# --- 3.2 to 3.4 -----------------------------------------------------------------------------------------


def test_badbranch_a_bare_cookie_names_no_transaction():
    assert request("badbranch").top_via.branch is None


def test_unksm2_unknown_schemes_in_header_fields_are_read_as_they_are():
    message = request("unksm2")
    assert (message.to.uri.scheme, message.to.uri.user) == ("isbn", "2983792873")
    assert (message.from_.uri.scheme, message.from_.uri.user) == ("http", "//www.example.com")
    assert str(message.contacts[0].uri) == "name:John_Smith"


def test_bext01_both_unsupported_extensions_are_named_and_proxy_require_is_not_ours():
    reply = answer("bext01")
    assert isinstance(reply, Response)
    assert reply.headers.get("Unsupported") == "nothingSupportsThis, nothingSupportsThisEither"


def test_invut_the_refusal_says_what_would_be_accepted():
    reply = answer("invut")
    assert isinstance(reply, Response) and reply.headers.get("Accept") == "application/sdp"


def test_cparam_without_brackets_a_parameter_is_the_headers_and_with_them_the_uris():
    outside, inside = request("cparam01").contacts[0], request("cparam02").contacts[0]
    assert outside.has("unknownparam") and not outside.uri.has("unknownparam")
    assert inside.uri.has("unknownparam") and not inside.has("unknownparam")


def test_regescrt_escaped_headers_of_a_contact_are_kept_apart_from_the_message():
    message = request("regescrt")
    assert message.contacts[0].uri.headers == (("Route", "<sip:sip.example.com>"),)
    assert "Route" not in message.headers


def test_zeromf_is_refused_only_by_an_element_that_would_send_it_on():
    message = request("zeromf")
    assert screen(message, methods=METHODS) is None
    refusal = screen(message, methods=METHODS, forwarding=True)
    assert refusal is not None and refusal.status == 483


def test_inv2543_a_request_of_the_old_protocol_is_taken():
    message = request("inv2543")
    assert message.from_.tag is None and message.top_via.branch is None and message.max_forwards is None
    assert message.to.param("user") == "phone" and message.to.uri.params == ()
    assert message.body.startswith(b"v=0") and len(message.body) == 105
