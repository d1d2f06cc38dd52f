"""Registering with a mobile network (3GPP TS 24.229 section 5.1.1): who is told what, when it is renewed."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from sip.digest import Credentials, parse_digest
from sip.hop import Hop
from sip.line import LineDown, LineUp, RegistrationSettings
from sip.manner import Manner
from sip.message import NameAddr, Request, Response, Uri
from sip.registration import Registration
from tests.sip.subscriber import HOME, IMPI, Subscriber, credentials

PCSCF = Hop("tcp", "192.0.2.1", 5060)
ACCESS = ("P-Access-Network-Info", "3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=0010100010000001")
GRANTED = ("Contact", "<sip:line@198.51.100.1:5060>;expires=600000")
ROUTE = ("Service-Route", "<sip:orig@scscf.ims.example;lr>")
IDENTITIES = ("P-Associated-URI", '"Isogloss" <sip:+44207@ims.example>, <tel:+44207>')


class Phone:
    def __init__(self, **settings: Any) -> None:
        self.now = 0.0
        chosen = {
            "line": "mobile",
            "registrar": Uri.parse(f"sip:{HOME}"),
            "account": NameAddr.parse("<sip:+44207@ims.example>"),
            "contact": lambda hop: Uri.sip("line", "198.51.100.1", 5060),
            "credentials": credentials(),
            "expires": 600_000,
            "manner": Manner(always=(ACCESS,), features='+g.3gpp.icsi-ref="urn%3Ax"'),
            "home": HOME,
        } | settings
        self.registration = Registration(RegistrationSettings(**chosen), (PCSCF,), rng=Random(1), now=0.0)
        self.events: list[object] = []

    def due(self) -> Request:
        at = self.registration.next_timeout()
        assert at is not None
        self.now = max(self.now, at)
        request = self.registration.next_request(self.now)
        assert request is not None
        return request

    def answer(self, status: int, *headers: tuple[str, str]) -> None:
        self.events += self.registration.receive(Response(status, headers=headers), self.now)

    def up(self, *headers: tuple[str, str]) -> None:
        self.due()
        self.answer(200, *(headers or (GRANTED,)))


def test_the_first_request_says_who_asks():
    request = Phone().due()
    said = parse_digest(request.headers.get("Authorization") or "")
    assert said == {"username": IMPI, "realm": HOME, "nonce": "", "uri": f"sip:{HOME}", "response": ""}
    assert request.headers.get(ACCESS[0]) == ACCESS[1]
    assert request.headers.get("Supported") == "path"
    assert request.headers.all("Contact") == [
        '<sip:line@198.51.100.1:5060>;expires=600000;+g.3gpp.icsi-ref="urn%3Ax"'
    ]


def test_every_later_one_carries_the_access_network_and_a_challenges_answer_alone():
    network, phone = Subscriber(), Phone()
    phone.due()
    phone.answer(401, ("WWW-Authenticate", network.challenge()))
    request = phone.due()
    assert request.headers.get(ACCESS[0]) == ACCESS[1]
    (said,) = request.headers.all("Authorization")
    assert network.accepts(said)


def test_a_network_that_has_lost_count_is_told_and_then_answered():
    network, phone = Subscriber(), Phone()
    phone.due()
    phone.answer(401, ("WWW-Authenticate", network.challenge()))
    phone.due()
    phone.answer(200, GRANTED)
    network.sqn = 32
    phone.due()
    phone.answer(401, ("WWW-Authenticate", network.challenge()))
    assert network.resynchronised(phone.due().headers.all("Authorization")[0])
    phone.answer(401, ("WWW-Authenticate", network.challenge()))
    assert network.accepts(phone.due().headers.all("Authorization")[0])
    phone.answer(200, GRANTED)
    assert [type(event) for event in phone.events] == [LineUp]


def test_a_password_is_asked_for_in_the_same_way():
    phone = Phone(credentials=Credentials(IMPI, "secret", HOME))
    assert parse_digest(phone.due().headers.get("Authorization") or "")["username"] == IMPI
    phone.answer(401, ("WWW-Authenticate", f'Digest realm="{HOME}", nonce="n", qop="auth", algorithm=MD5'))
    assert parse_digest(phone.due().headers.get("Authorization") or "")["nonce"] == "n"


def test_who_we_are_to_the_network_is_told_with_the_line():
    phone = Phone()
    phone.up(GRANTED, IDENTITIES, ROUTE)
    (up,) = phone.events
    assert isinstance(up, LineUp)
    assert [str(each.uri) for each in up.identities] == ["sip:+44207@ims.example", "tel:+44207"]
    assert phone.registration.identities == up.identities


def test_requests_go_by_the_hop_that_registered_us_and_then_by_the_service_route():
    phone = Phone()
    assert phone.registration.route == ()
    phone.up(GRANTED, ROUTE)
    assert phone.registration.route == ("<sip:192.0.2.1:5060;transport=tcp;lr>", ROUTE[1])


@pytest.mark.parametrize("value", ["<sip:", "<<>>", ", ,", '"', "<sip:a@b>" * 3, "x" * 9000])
def test_identities_that_cannot_be_read_are_none(value: str):
    phone = Phone()
    phone.up(GRANTED, ("P-Associated-URI", value))
    assert phone.registration.identities == ()
    assert phone.registration.registered


@pytest.mark.parametrize(("granted", "after"), [(600_000, 599_400), (1201, 601), (1200, 600), (600, 300)])
def test_it_is_renewed_ten_minutes_before_its_end_or_at_half_of_a_short_life(granted: int, after: float):
    phone = Phone()
    phone.up(("Contact", f"<sip:line@198.51.100.1:5060>;expires={granted}"))
    assert phone.registration.next_timeout() == pytest.approx(after)


def test_a_binding_that_the_network_takes_back_is_made_anew_at_once():
    phone = Phone()
    phone.up()
    phone.now += 100
    phone.registration.taken_back("Deactivated", 0.0, phone.now)
    assert phone.registration.events() == [LineDown("mobile", 480, "Deactivated", 0.0)]
    assert not phone.registration.registered
    phone.up()
    assert isinstance(phone.events[-1], LineUp)


def test_one_that_is_taken_back_as_soon_as_it_was_made_waits_a_little():
    phone = Phone()
    phone.up()
    phone.registration.taken_back("Deactivated", 0.0, phone.now)
    assert phone.registration.events()[-1] == LineDown("mobile", 480, "Deactivated", 5.0)


def test_one_that_it_will_not_have_again_rests():
    phone = Phone()
    phone.up()
    phone.now += 100
    phone.registration.taken_back("Rejected", None, phone.now)
    assert phone.registration.next_timeout() == 700.0


def test_a_shorter_life_is_renewed_by_half_of_it():
    phone = Phone()
    phone.up()
    phone.registration.shortened(120.0, phone.now)
    assert phone.registration.next_timeout() == 60.0
    assert phone.registration.registered


def test_a_line_whose_name_is_no_longer_found_goes_down_when_it_is_due():
    phone = Phone()
    phone.up()
    phone.registration.use(())
    phone.now += 600_000
    assert phone.registration.next_request(phone.now) is None
    (down,) = phone.registration.events()
    assert isinstance(down, LineDown)
    assert (down.status, down.reason) == (503, "No Hop")


def test_what_is_taken_back_while_asking_changes_nothing():
    phone = Phone()
    phone.due()
    phone.registration.taken_back("Deactivated", 0.0, phone.now)
    phone.registration.shortened(1.0, phone.now)
    assert phone.registration.events() == []
    assert phone.registration.next_timeout() is None
