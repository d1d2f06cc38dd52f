"""Our registration with a provider: kept alive, moved when a hop fails, patient when refused, taken back."""

from __future__ import annotations

from random import Random

import pytest

from sip.admission import Admission, Admitted, Challenged
from sip.challenge import DigestPolicy, DigestServer
from sip.digest import Credentials, Secret, parse_digest
from sip.guard import Guard
from sip.hop import Hop
from sip.message import NameAddr, Request, Response, Uri, parse
from sip.registrar import Registrar, RegistrarPolicy
from sip.registration import (
    TABLE,
    LineDown,
    LineLeft,
    LineUp,
    Registration,
    RegistrationSettings,
)
from sip.table import TERMINATED

FIRST, SECOND = Hop("udp", "192.0.2.1", 5060), Hop("udp", "192.0.2.2", 5060)
CHALLENGE = ("WWW-Authenticate", 'Digest realm="carrier", nonce="{}", qop="auth", algorithm=SHA-256')


def contact(hop: Hop) -> Uri:
    return Uri.sip("line", "198.51.100.1", 5060)


class Line:
    """A registration and a provider played by hand."""

    def __init__(self, *hops: Hop, **settings):
        self.now = 0.0
        settings = {
            "line": "berlin",
            "registrar": Uri.parse("sip:carrier.example"),
            "account": NameAddr.parse("<sip:4930123@carrier.example>"),
            "contact": contact,
            "credentials": Credentials("4930123", "pw"),
        } | settings
        self.registration = Registration(
            RegistrationSettings(**settings), hops or (FIRST,), rng=Random(1), now=self.now
        )
        self.events = []

    def due(self) -> Request | None:
        """Let time pass until a request is due, and take it."""
        at = self.registration.next_timeout()
        if at is None:
            return None
        self.now = max(self.now, at)
        request = self.registration.next_request(self.now)
        self.events += self.registration.events()
        return request

    def answer(self, status, *headers):
        self.events += self.registration.receive(Response(status, headers=headers), self.now)

    def up(self, expires=600):
        assert self.due() is not None
        self.answer(200, ("Contact", f"<{contact(FIRST)}>;expires={expires}"))


@pytest.fixture
def line():
    return Line()


def test_it_registers_at_once_with_what_the_rfc_asks_for(line):
    request = line.due()
    assert (line.now, line.registration.hop) == (0.0, FIRST)
    assert (request.method, str(request.uri), request.expires) == ("REGISTER", "sip:carrier.example", 600)
    assert request.to.uri == request.from_.uri
    assert (request.from_.tag is not None, request.to.tag) == (True, None)
    assert request.contacts[0].uri == contact(FIRST)


def test_it_is_up_when_the_registrar_says_so(line):
    line.up(expires=300)
    assert line.events == [LineUp("berlin", FIRST, 300)]
    assert line.registration.registered


def test_it_answers_a_challenge_with_the_next_number(line):
    first = line.due()
    line.answer(401, (CHALLENGE[0], CHALLENGE[1].format("n1")))
    second = line.due()
    assert line.now == 0.0
    assert parse_digest(second.headers.get("Authorization"))["nonce"] == "n1"
    assert second.cseq[0] == first.cseq[0] + 1
    assert second.call_id == first.call_id


def test_it_renews_well_before_the_time_granted_is_over(line):
    line.up(expires=1000)
    line.due()
    assert 600.0 < line.now <= 750.0


def test_a_thousand_lines_do_not_renew_as_one():
    def renewed_at(seed):
        line = Line()
        line.registration._rng = Random(seed)
        line.up()
        return line.registration.next_timeout()

    assert len({renewed_at(seed) for seed in range(20)}) == 20


def test_renewals_that_go_well_are_not_news(line):
    for _ in range(5):
        line.up()
    assert len(line.events) == 1


@pytest.mark.parametrize(
    ("headers", "granted"),
    [
        ([("Contact", f"<{contact(FIRST)}>;expires=120")], 120),
        (
            [("Contact", "<sip:other@10.0.0.1>;expires=9"), ("Contact", f"<{contact(FIRST)}>;expires=120")],
            120,
        ),
        ([("Contact", "<sip:rewritten@10.0.0.1>;expires=90")], 90),
        ([("Expires", "300")], 300),
        ([], 600),
        ([("Contact", f"<{contact(FIRST)}>;expires=99999999999999")], 600),
    ],
)
def test_the_time_granted_is_what_the_registrar_says_of_our_contact(line, headers, granted):
    line.due()
    line.answer(200, *headers)
    assert line.events == [LineUp("berlin", FIRST, granted)]


def test_it_asks_for_longer_when_told_that_it_was_too_short(line):
    line.due()
    line.answer(423, ("Min-Expires", "1800"))
    assert line.due().expires == 1800
    assert line.events == []


@pytest.mark.parametrize("headers", [[], [("Min-Expires", "60")], [("Min-Expires", "999999")]])
def test_a_shortest_time_that_makes_no_sense_is_a_refusal(line, headers):
    line.due()
    line.answer(423, *headers)
    assert line.events == [LineDown("berlin", 423, "Interval Too Brief", 600.0)]


@pytest.mark.parametrize("status", [408, 500, 503])
def test_a_hop_that_fails_is_followed_by_the_next_at_once(status):
    line = Line(FIRST, SECOND)
    line.due()
    line.answer(status)
    line.up()
    assert (line.now, line.events) == (0.0, [LineUp("berlin", SECOND, 600)])


def test_the_first_hop_is_tried_again_once_it_had_time_to_recover():
    line = Line(FIRST, SECOND)
    line.due()
    line.answer(503)
    line.up()
    line.up()
    assert line.registration.hop == FIRST
    assert line.events == [LineUp("berlin", SECOND, 600), LineUp("berlin", FIRST, 600)]


def test_when_every_hop_fails_it_waits_ever_longer_and_tries_them_all_again():
    line = Line(FIRST, SECOND)
    tried, waits = [], []
    for _ in range(12):
        for _ in range(2):
            line.due()
            tried.append(line.registration.hop)
            line.answer(503)
        waits.append(line.events[-1].retry_in)
    assert tried == [FIRST, SECOND] * 12
    assert [2.5 <= wait <= 600.0 for wait in waits] == [True] * 12
    assert waits[3] > 2 * waits[0]
    assert waits[-1] >= 300.0
    assert not line.registration.registered


def test_a_retry_after_is_respected(line):
    line.due()
    line.answer(503, ("Retry-After", "90"))
    assert line.events == [LineDown("berlin", 503, "Service Unavailable", 90.0)]
    line.due()
    assert line.now == 90.0


def test_a_retry_after_of_one_hop_does_not_hold_up_the_other():
    line = Line(FIRST, SECOND)
    line.due()
    line.answer(503, ("Retry-After", "3000"))
    for _ in range(3):
        line.up()
        assert line.registration.hop == SECOND
    assert line.now < 3000.0


def test_a_wrong_password_is_not_tried_again_before_a_long_rest(line):
    line.due()
    line.answer(401, (CHALLENGE[0], CHALLENGE[1].format("n1")))
    line.due()
    line.answer(401, (CHALLENGE[0], CHALLENGE[1].format("n2")))
    assert line.events == [LineDown("berlin", 401, "Unauthorized", 600.0)]
    assert "Authorization" not in line.due().headers
    assert line.now == 600.0


def test_a_registrar_that_finds_every_nonce_stale_is_not_argued_with(line):
    for number in range(5):
        line.due()
        line.answer(401, (CHALLENGE[0], CHALLENGE[1].format(number) + ", stale=true"))
    assert [type(event) for event in line.events] == [LineDown]


@pytest.mark.parametrize("status", [302, 400, 403, 404, 603])
def test_a_refusal_is_told_and_followed_by_a_rest(line, status):
    line.due()
    line.answer(status)
    (event,) = line.events
    assert (type(event), event.status, event.retry_in) == (LineDown, status, 600.0)


def test_provisional_answers_mean_nothing(line):
    line.due()
    line.answer(100)
    assert (line.events, line.registration.next_timeout()) == ([], None)


def test_stopping_takes_the_contact_back(line):
    line.up()
    line.registration.stop(line.now)
    request = line.due()
    assert (request.expires, request.contacts[0].param("expires")) == (0, "0")
    line.answer(200)
    assert line.events[-1] == LineLeft("berlin")
    assert line.due() is None


def test_stopping_while_a_request_is_on_its_way_takes_back_what_it_made(line):
    line.due()
    line.registration.stop(line.now)
    assert line.due() is None
    line.answer(200)
    assert line.due().expires == 0
    line.answer(503)
    assert line.events == [LineLeft("berlin")]


def test_stopping_answers_the_challenge_to_its_farewell(line):
    line.up()
    line.registration.stop(line.now)
    line.due()
    line.answer(401, (CHALLENGE[0], CHALLENGE[1].format("n1")))
    assert "Authorization" in line.due().headers


def test_without_any_hop_it_says_so_and_waits_for_some():
    line = Line()
    line.registration.use(())
    assert line.due() is None
    assert [type(event) for event in line.events] == [LineDown]
    line.registration.use((SECOND,))
    line.up()
    assert line.events[-1] == LineUp("berlin", SECOND, 600)


def test_without_any_hop_stopping_is_leaving():
    line = Line()
    line.registration.use(())
    line.registration.stop(line.now)
    assert line.due() is None
    assert line.events == [LineLeft("berlin")]


def test_the_service_route_is_kept(line):
    line.due()
    line.answer(200, ("Service-Route", "<sip:edge.carrier.example;lr>"))
    assert line.registration.service_route == ("<sip:edge.carrier.example;lr>",)


def test_every_state_can_be_left_and_the_table_ends():
    states = {state for state, _ in TABLE}
    following = {row[0] for row in TABLE.values()}
    assert following - {TERMINATED} == states - {"initial"}


def test_it_registers_refreshes_and_leaves_with_our_own_registrar():
    digest = DigestServer(
        DigestPolicy("carrier.example"), lambda *_: Secret(password="pw"), key=b"k" * 16, rng=Random(3)
    )
    admission, registrar = Admission(digest, Guard()), Registrar(RegistrarPolicy("carrier.example"))
    line, asked = Line(), 0
    while (request := line.due()) is not None:
        asked += 1
        request.headers.insert_first("Via", "SIP/2.0/UDP 198.51.100.1;branch=z9hG4bK1")
        request = parse(request.encode())
        verdict = admission.admit(request, FIRST, line.now)
        if isinstance(verdict, Admitted):
            response, _ = registrar.register(request, verdict.identity, FIRST, line.now)
        else:
            assert isinstance(verdict, Challenged)
            response = request.respond(verdict.status, headers=verdict.headers)
        line.events += line.registration.receive(response, line.now)
        if asked == 10:
            assert len(registrar.lookup("sip:4930123@carrier.example", line.now)) == 1
            line.registration.stop(line.now)
    assert [type(event) for event in line.events] == [LineUp, LineLeft]
    assert registrar.counts()["bindings"] == 0
