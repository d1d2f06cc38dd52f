"""Dialogs: where requests inside a call go and what they carry (RFC 3261 section 12)."""

from __future__ import annotations

import pytest

from sip.dialog import Dialog
from sip.hop import Hop
from sip.message import Request, Uri

HOP = Hop("udp", "10.0.0.1", 5060)
NOBODY = None


def invite(*routes: str, vias: int = 1) -> Request:
    headers = [("Via", f"SIP/2.0/UDP 10.0.0.{n + 1};branch=z9hG4bK{n}") for n in range(vias)]
    headers += [
        ("From", '"Alice" <sip:alice@example.com>;tag=theirs'),
        ("To", "<sip:bob@example.com>"),
        ("Call-ID", "1@example.com"),
        ("CSeq", "7 INVITE"),
        ("Contact", "<sip:alice@10.0.0.1:5070>"),
        ("Allow", "INVITE, UPDATE"),
    ]
    headers += [("Record-Route", route) for route in routes]
    return Request("INVITE", Uri.sip("bob", "example.com"), headers)


def as_uas(*routes: str, vias: int = 1) -> Dialog:
    return Dialog.as_uas(invite(*routes, vias=vias), "ours", HOP, NOBODY)  # type: ignore[arg-type]


def as_uac(*routes: str) -> Dialog:
    request = invite()
    headers = [("Contact", "<sip:bob@10.0.0.2:5080>")] + [("Record-Route", route) for route in routes]
    response = request.respond(200, tag="ours", headers=headers)
    return Dialog.as_uac(request, response, HOP, NOBODY)  # type: ignore[arg-type]


def test_the_callee_keeps_the_route_as_it_came_and_the_caller_turns_it_round():
    routes = ("<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>, <sip:p3.example.com;lr>")
    flat = ["<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>", "<sip:p3.example.com;lr>"]
    assert list(as_uas(*routes).route_set) == flat
    assert list(as_uac(*routes).route_set) == flat[::-1]


def test_a_loose_route_leaves_the_target_in_the_request_line():
    dialog = as_uas("<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>")
    bye = dialog.request("BYE", dialog.next_seq())
    assert str(bye.uri) == "sip:alice@10.0.0.1:5070"
    assert bye.headers.all("Route") == ["<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>"]
    assert dialog.next_uri().host == "p1.example.com"


def test_a_strict_router_gets_itself_in_the_request_line_and_the_target_last():
    dialog = as_uas("<sip:old.example.com>", "<sip:p2.example.com;lr>")
    bye = dialog.request("BYE", dialog.next_seq())
    assert str(bye.uri) == "sip:old.example.com"
    assert bye.headers.all("Route") == ["<sip:p2.example.com;lr>", "<sip:alice@10.0.0.1:5070>"]
    assert dialog.next_uri().host == "old.example.com"


def test_a_request_carries_both_tags_and_the_next_number():
    dialog = as_uas()
    first, second = (dialog.request("INFO", dialog.next_seq()) for _ in range(2))
    assert first.from_.tag == "ours"
    assert first.to.tag == "theirs"
    assert (first.cseq, second.cseq) == ((1, "INFO"), (2, "INFO"))
    assert as_uac().next_seq() == 8


@pytest.mark.parametrize(("number", "fits"), [(6, False), (7, False), (8, True), (500, True)])
def test_numbers_only_go_up(number: int, fits: bool):
    dialog = as_uas()
    request = invite()
    request.headers.set("CSeq", f"{number} INFO")
    assert dialog.in_order(request) is fits


def test_what_the_peer_can_do_is_learned_from_what_it_says():
    dialog = as_uas()
    assert dialog.abilities.does("UPDATE")
    assert not dialog.abilities.does("REFER")
    silent = invite()
    silent.headers.remove("Allow")
    dialog.refresh_target(silent)
    assert dialog.abilities.does("UPDATE")


def test_a_contact_that_is_no_sip_address_does_not_move_the_target():
    dialog = as_uas()
    request = invite()
    request.headers.set("Contact", "<mailto:alice@example.com>")
    dialog.refresh_target(request)
    assert dialog.target.host == "10.0.0.1"


def test_only_a_peer_without_proxies_between_is_answered_to_where_it_sends_from():
    assert as_uas().symmetric
    assert not as_uas(vias=2).symmetric
    assert not as_uac("<sip:p1.example.com;lr>").symmetric


def test_a_flood_of_routes_is_cut():
    assert len(as_uas(*[f"<sip:p{n}.example.com;lr>" for n in range(200)]).route_set) == 20
