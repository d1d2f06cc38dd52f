"""SIP messages of calls are shown within reach, and masked for who may not read numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from engine.access.principal import How, Principal, Reach
from engine.access.role import Permission
from engine.access.seen_insight import Masked, SeenInsight, masked
from engine.insight.insight import Refused
from engine.insight.sources import SourceView
from engine.insight.trace import Trace
from sip.message import Request, parse
from tests.engine.insight.samples import message, sip

INVITE = sip("INVITE sip:+34910601235@pbx SIP/2.0").replace(
    b"From: <sip:100@pbx>", b'From: "Maria L\xc3\xb3pez" <sip:+34612345678@pbx>'
)
TRACE = Trace("c1", 0.0, [message(INVITE)], [])
TURNED_AWAY = SourceView("203.0.113.66", "ignored", 1.0, 2.0, 60, "+34612345678", "questions_without_proof")


class Insights:
    """Of one call."""

    def look(self, call: str) -> Any:
        return "look"

    def trace(self, call: str, look: object) -> Trace | None:
        return TRACE

    def refused(self, **wanted: object) -> Sequence[Any]:
        return [self]

    def turned_away(self) -> Sequence[SourceView]:
        return [TURNED_AWAY]

    def let_off(self, address: str, by: str) -> bool:
        return True

    def read(self) -> Refused:
        caller = "sip:+34612345678@pbx"
        return Refused(
            1.0, "192.0.2.1", 5060, "udp", "INVITE", 404, "Not Found", caller, "+34910601235", "", "id", "",
            (message(INVITE),),
        )  # fmt: skip


class Seen:
    """What somebody sees of calls. hers: those within reach, that go on or are over."""

    def __init__(self, hers: set[str], unmasked: bool, markets: frozenset[str] = frozenset()) -> None:
        permissions = frozenset({Permission.CALLS})
        self.principal = Principal(who="ana", permissions=permissions, how=How.PASSWORD, markets=markets)
        self.unmasked = unmasked
        self.reach = Reach()
        self._hers = hers

    def call(self, id: str) -> object:
        return id if id in self._hers else None

    record = call

    def events(self, id: str) -> Sequence[object]:
        return [id] if id in self._hers else []


def insight(hers: set[str], unmasked: bool, markets: frozenset[str] = frozenset()) -> SeenInsight:
    return SeenInsight(Insights(), Seen(hers, unmasked, markets))  # type: ignore[arg-type]


REFUSED: dict[str, Any] = {"challenges": False, "source": None, "since": None, "until": None, "limit": 9}


def test_who_may_read_numbers_reads_them() -> None:
    whole = insight(set(), True)
    assert whole.trace("c1", None) is TRACE
    assert isinstance(whole.refused(**REFUSED)[0], Insights)


def test_who_may_not_sees_messages_without_numbers_and_names_that_are_messages_still() -> None:
    found = insight(set(), False).trace("c1", None)
    assert found is not None
    text = found.messages[0].text
    assert "12345678" not in text and "López" not in text and "0601235" not in text
    assert isinstance(parse(found.messages[0].data), Request)


def test_refused_requests_are_masked_as_they_are_read() -> None:
    (refused,) = insight(set(), False).refused(**REFUSED)
    assert isinstance(refused, Masked)
    found = refused.read()
    assert "12345678" not in repr(replace(found, messages=())) + found.messages[0].text


@pytest.mark.parametrize("hers", [{"c1"}, set()])
def test_who_is_limited_sees_calls_within_reach_alone(hers: set[str]) -> None:
    limited = insight(hers, True, frozenset({"es"}))
    assert (limited.look("c1") is not None) is bool(hers)
    assert (limited.trace("c1", None) is not None) is bool(hers)


def test_what_was_refused_belongs_to_no_market() -> None:
    assert not insight({"c1"}, True, frozenset({"es"})).refused(**REFUSED)


def test_so_do_sources_that_were_turned_away_and_the_names_they_tried_are_masked() -> None:
    assert insight(set(), True).turned_away() == [TURNED_AWAY]
    (masked_one,) = insight(set(), False).turned_away()
    assert (masked_one.source, "12345678" in masked_one.user) == ("203.0.113.x", False)
    limited = insight(set(), True, frozenset({"es"}))
    assert not limited.turned_away() and not limited.let_off("203.0.113.66", "ana")


def test_an_address_without_a_name_keeps_its_form() -> None:
    plain = message(sip("SIP/2.0 200 OK"))
    assert masked(plain).data == plain.data.replace(b"203.0.113.9", b"203.0.113.0")


@pytest.mark.parametrize("wrong", [0, 7])
def test_a_body_whose_addresses_were_cut_is_as_long_as_its_header_says_or_as_wrong(wrong: int) -> None:
    """A length that is wrong is a sign of an ALG on the way."""
    body = "v=0\r\no=- 1 1 IN IP4 203.0.113.129\r\ns=-\r\nc=IN IP4 203.0.113.129\r\nt=0 0\r\n"
    offer = sip("INVITE sip:200@pbx SIP/2.0", body=body)
    length = f"Content-Length: {len(body)}".encode()
    assert length in offer
    offer = offer.replace(length, f"Content-Length: {len(body) + wrong}".encode())
    hidden = masked(message(offer)).data
    head, _, told = hidden.partition(b"\r\n\r\n")
    assert b"203.0.113.129" not in hidden
    assert f"Content-Length: {len(told) + wrong}".encode() in head
