"""Offer and answer: who owes whom (RFC 3264, RFC 6337)."""

from __future__ import annotations

import pytest

from sip.message import Response
from sip.offer import (
    ASKED,
    FAIL,
    OFFER_ANSWER,
    OFFERED,
    RECEIVE_ANSWER,
    RECEIVE_OFFER,
    SEND_ANSWER,
    SEND_OFFER,
    STABLE,
    OfferAnswer,
    sdp_of,
)


def test_our_offer_and_their_answer_are_what_is_agreed():
    exchange = OfferAnswer()
    assert exchange.step(SEND_OFFER, b"ours")
    assert not exchange.agreed
    assert exchange.step(RECEIVE_ANSWER, b"theirs")
    assert (exchange.local, exchange.remote, exchange.state) == (b"ours", b"theirs", STABLE)


def test_a_failed_offer_leaves_what_was_agreed_before():
    exchange = OfferAnswer()
    exchange.step(RECEIVE_OFFER, b"theirs")
    exchange.step(SEND_ANSWER, b"ours")
    exchange.step(SEND_OFFER, b"other")
    exchange.step(FAIL)
    assert (exchange.local, exchange.remote, exchange.state) == (b"ours", b"theirs", STABLE)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (SEND_OFFER, SEND_OFFER),
        (SEND_OFFER, RECEIVE_OFFER),
        (SEND_OFFER, SEND_ANSWER),
        (RECEIVE_OFFER, SEND_OFFER),
        (RECEIVE_OFFER, RECEIVE_OFFER),
        (RECEIVE_OFFER, RECEIVE_ANSWER),
    ],
)
def test_while_an_offer_is_out_nothing_but_its_answer_follows(first: str, second: str):
    exchange = OfferAnswer()
    exchange.step(first, b"first")
    before = exchange.state
    assert not exchange.step(second, b"second")
    assert exchange.state == before


def test_an_answer_without_an_offer_is_nothing():
    exchange = OfferAnswer()
    assert not exchange.step(RECEIVE_ANSWER, b"?")
    assert not exchange.step(SEND_ANSWER, b"?")


def test_only_their_own_standing_offer_is_repeated():
    exchange = OfferAnswer()
    exchange.step(RECEIVE_OFFER, b"theirs")
    exchange.step(SEND_ANSWER, b"ours")
    assert exchange.repeats(b"theirs") == b"ours"
    assert exchange.repeats(b"other") is None
    exchange.step(SEND_OFFER, b"new")
    exchange.step(RECEIVE_ANSWER, b"theirs")
    assert exchange.repeats(b"theirs") is None


def test_a_description_is_found_alone_or_among_parts():
    alone = Response(200, headers=[("Content-Type", "application/sdp; charset=utf-8")], body=b"v=0\r\n")
    text = b"--x\r\nContent-Type: text/plain\r\n\r\nhi\r\n"
    described = b"--x\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--x--\r\n"
    headers = [("Content-Type", "multipart/mixed;boundary=x")]
    parts = Response(200, headers=headers, body=text + described)
    assert sdp_of(alone) == b"v=0\r\n"
    assert sdp_of(parts) == b"v=0"
    assert sdp_of(Response(200, body=b"v=0\r\n")) is None


def test_every_state_has_a_way_back_to_stable():
    back = {state for (state, _), (following, _) in OFFER_ANSWER.items() if following == STABLE}
    assert back == {OFFERED, ASKED}
