"""The registrar: who is where, for how long, and what a REGISTER may change."""

from __future__ import annotations

import pytest

from sip.admission import Identity
from sip.hop import Hop
from sip.message import NameAddr, Request, parse
from sip.registrar import Registered, Registrar, RegistrarPolicy, Unregistered

DOMAIN = "isogloss.example"
AOR = f"sip:1001@{DOMAIN}"
DESK, MOBILE = Hop("udp", "192.0.2.7", 31234), Hop("tcp", "203.0.113.9", 40001, connection=7)


class Office:
    """A registrar, a clock, and phones that register in one line."""

    def __init__(self, **policy):
        self.now = 50.0
        self.registrar = Registrar(RegistrarPolicy(**{"domain": DOMAIN, **policy}))
        self.events = []
        self._cseq = 0

    def register(
        self, *contacts, headers=(), hop=DESK, call_id="a", cseq=None, user="1001", host=DOMAIN, as_=None
    ):
        self._cseq = cseq or self._cseq + 1
        request = make(contacts, headers, call_id, self._cseq, user, host)
        response, events = self.registrar.register(request, as_ or Identity("user", user), hop, self.now)
        self.events += events
        return response

    def at(self, aor=AOR):
        return [str(binding.contact) for binding in self.registrar.lookup(aor, self.now)]


def make(contacts, headers, call_id, cseq, user, host) -> Request:
    lines = [f"Contact: {contact}" for contact in contacts] + list(headers)
    request = parse(
        "\r\n".join(
            [
                f"REGISTER sip:{host} SIP/2.0",
                "Via: SIP/2.0/UDP 10.0.0.5:5060;branch=z9hG4bK1;rport",
                f"From: <sip:{user}@{host}>;tag=1",
                f"To: <sip:{user}@{host}>",
                f"Call-ID: {call_id}",
                f"CSeq: {cseq} REGISTER",
                "User-Agent: Desk 1.0",
                *lines,
                "Content-Length: 0\r\n\r\n",
            ]
        ).encode()
    )
    assert isinstance(request, Request)
    return request


@pytest.fixture
def office():
    return Office()


def listed(response):
    return {str(contact.uri): int(contact.param("expires")) for contact in response.contacts}


def test_a_phone_that_registers_is_found_where_its_request_came_from(office):
    response = office.register("<sip:1001@10.0.0.5:5060>")
    (binding,) = office.registrar.lookup(AOR, office.now)
    assert response.status == 200
    assert (str(binding.contact), binding.hop, binding.user_agent) == (
        "sip:1001@10.0.0.5:5060",
        DESK,
        "Desk 1.0",
    )
    assert office.events == [Registered(AOR, binding, fresh=True)]


def test_the_answer_lists_every_binding_with_the_time_it_has_left(office):
    office.register("<sip:a@10.0.0.5>;expires=600")
    office.now += 100.0
    response = office.register("<sip:b@10.0.0.6>;expires=300", call_id="b")
    assert listed(response) == {"sip:a@10.0.0.5": 500, "sip:b@10.0.0.6": 300}


def test_without_a_contact_it_only_asks(office):
    office.register("<sip:a@10.0.0.5>;expires=600")
    assert listed(office.register()) == {"sip:a@10.0.0.5": 600}
    assert len(office.events) == 1


@pytest.mark.parametrize(
    ("contact", "headers", "granted"),
    [
        ("<sip:a@10.0.0.5>", [], 600),
        ("<sip:a@10.0.0.5>", ["Expires: 120"], 120),
        ("<sip:a@10.0.0.5>;expires=90", ["Expires: 120"], 90),
        ("<sip:a@10.0.0.5>;expires=999999", [], 3600),
        ("<sip:a@10.0.0.5>;expires=soon", ["Expires: 120"], 600),
    ],
)
def test_the_time_granted_follows_the_contact_then_the_header_then_the_default(
    office, contact, headers, granted
):
    assert listed(office.register(contact, headers=headers)) == {"sip:a@10.0.0.5": granted}


def test_too_short_a_time_is_refused_with_the_shortest_that_is_granted(office):
    response = office.register("<sip:a@10.0.0.5>;expires=10")
    assert (response.status, response.headers.get("Min-Expires")) == (423, "60")
    assert office.at() == []


def test_a_phone_takes_its_contact_back(office):
    office.register("<sip:a@10.0.0.5>")
    assert listed(office.register("<sip:a@10.0.0.5>;expires=0")) == {}
    assert [type(event) for event in office.events] == [Registered, Unregistered]
    assert office.events[1].why == "removed"


def test_a_star_takes_all_contacts_back(office):
    office.register("<sip:a@10.0.0.5>")
    office.register("<sip:b@10.0.0.6>", call_id="b")
    assert office.register("*", headers=["Expires: 0"], call_id="c").status == 200
    assert office.at() == []
    assert sum(isinstance(event, Unregistered) for event in office.events) == 2


@pytest.mark.parametrize("headers", [[], ["Expires: 60"]])
def test_a_star_without_expires_zero_is_a_bad_request(office, headers):
    office.register("<sip:a@10.0.0.5>")
    assert office.register("*", headers=headers).status == 400
    assert office.at() == ["sip:a@10.0.0.5"]


def test_a_refresh_moves_the_hop_and_is_not_fresh(office):
    office.register("<sip:a@10.0.0.5>")
    office.register("<sip:a@10.0.0.5>", hop=MOBILE)
    (binding,) = office.registrar.lookup(AOR, office.now)
    assert binding.hop == MOBILE
    assert [event.fresh for event in office.events] == [True, False]


def test_a_late_repetition_cannot_undo_a_newer_registration(office):
    office.register("<sip:a@10.0.0.5>", cseq=5)
    assert office.register("<sip:a@10.0.0.5>;expires=0", cseq=4).status == 500
    assert office.register("*", headers=["Expires: 0"], cseq=5).status == 500
    assert office.at() == ["sip:a@10.0.0.5"]


def test_a_phone_that_restarted_may_count_from_one_again(office):
    office.register("<sip:a@10.0.0.5>", cseq=500)
    assert office.register("<sip:a@10.0.0.5>", cseq=1, call_id="b").status == 200


def test_all_contacts_of_a_request_change_or_none(office):
    office.register("<sip:a@10.0.0.5>")
    assert office.register("<sip:b@10.0.0.6>", "<sip:c@10.0.0.7>;expires=5").status == 423
    assert office.register("<sip:b@10.0.0.6>", "<sip:a@10.0.0.5>", cseq=1).status == 500
    assert office.at() == ["sip:a@10.0.0.5"]


def test_contacts_are_tried_by_q_and_then_the_newest_first(office):
    for number, contact in enumerate(
        [
            "<sip:low@10.0.0.1>;q=0.2",
            "<sip:old@10.0.0.2>",
            "<sip:new@10.0.0.3>;q=1.0",
            "<sip:mid@10.0.0.4>;q=0.5",
        ]
    ):
        office.now += 1.0
        office.register(contact, call_id=str(number))
    assert office.at() == ["sip:new@10.0.0.3", "sip:old@10.0.0.2", "sip:mid@10.0.0.4", "sip:low@10.0.0.1"]


def test_a_device_with_an_instance_takes_its_own_place_at_a_new_address(office):
    device = ';+sip.instance="<urn:uuid:1>";reg-id=1'
    office.register(f"<sip:a@10.0.0.5:1111>{device}")
    response = office.register(f"<sip:a@10.0.0.5:2222>{device}", call_id="b", cseq=1)
    assert office.at() == ["sip:a@10.0.0.5:2222"]
    assert office.events[1] == Unregistered(AOR, NameAddr.parse("<sip:a@10.0.0.5:1111>").uri, "replaced")
    (contact,) = response.contacts
    assert (contact.param("+sip.instance"), contact.param("reg-id")) == ("<urn:uuid:1>", "1")


def test_one_contact_too_many_takes_the_place_of_the_oldest():
    office = Office(max_contacts=3)
    for number in range(5):
        office.now += 1.0
        assert office.register(f"<sip:a@10.0.0.{number}>", call_id=str(number)).status == 200
    assert office.at() == ["sip:a@10.0.0.4", "sip:a@10.0.0.3", "sip:a@10.0.0.2"]
    assert office.registrar.counts()["bindings"] == office.registrar.counts()["timers"] == 3


def test_a_single_contact_can_be_all_that_is_allowed():
    office = Office(max_contacts=1)
    for number in range(3):
        office.register(f"<sip:a@10.0.0.{number}>", call_id=str(number))
    assert office.at() == ["sip:a@10.0.0.2"]


def test_more_contacts_in_one_request_than_anybody_may_have_are_refused(office):
    contacts = [f"<sip:a@10.0.0.{number}>" for number in range(11)]
    assert office.register(*contacts).status == 403


def test_a_full_registrar_says_when_to_come_again():
    office = Office(max_bindings=2)
    for user in ("1", "2"):
        office.register("<sip:a@10.0.0.5>", user=user)
    response = office.register("<sip:a@10.0.0.5>", user="3")
    assert (response.status, response.headers.get("Retry-After")) == (503, "60")
    assert office.register("<sip:a@10.0.0.5>", user="2").status == 200  # whoever is in may stay


def test_what_is_not_refreshed_expires(office):
    office.register("<sip:a@10.0.0.5>;expires=60")
    office.register("<sip:b@10.0.0.6>;expires=120", call_id="b")
    assert office.registrar.next_timeout() == 110.0
    office.now = 110.0
    (expired,) = office.registrar.timeout(office.now)
    assert (str(expired.contact), expired.why) == ("sip:a@10.0.0.5", "expired")
    assert office.at() == ["sip:b@10.0.0.6"]
    assert office.registrar.next_timeout() == 170.0


def test_a_refresh_puts_the_expiry_off(office):
    office.register("<sip:a@10.0.0.5>;expires=60")
    office.now += 50.0
    office.register("<sip:a@10.0.0.5>;expires=60")
    office.now += 50.0
    assert office.registrar.timeout(office.now) == []
    assert office.at() == ["sip:a@10.0.0.5"]


def test_a_thousand_refreshes_leave_one_timer_behind(office):
    for _ in range(1000):
        office.register("<sip:a@10.0.0.5>")
    assert office.registrar.counts()["timers"] == 1
    office.register("*", headers=["Expires: 0"])
    assert set(office.registrar.counts().values()) == {0}


def test_the_path_is_kept_and_confirmed(office):
    path = "<sip:edge1.example;lr>"
    response = office.register("<sip:a@10.0.0.5>", headers=[f"Path: {path}", "Path: <sip:edge2.example;lr>"])
    (binding,) = office.registrar.lookup(AOR, office.now)
    assert binding.path == (path, "<sip:edge2.example;lr>")
    assert response.headers.all("Path") == list(binding.path)


@pytest.mark.parametrize("path", ["Path: <nonsense", "Path: " + ", ".join(["<sip:p;lr>"] * 9)])
def test_a_path_that_cannot_be_used_is_a_bad_request(office, path):
    assert office.register("<sip:a@10.0.0.5>", headers=[path]).status == 400


@pytest.mark.parametrize("contact", ["<tel:+123>", "<mailto:a@b.example>", "<sip:a@10.0.0.5>;q=7"])
def test_contacts_that_nobody_can_call_are_bad_requests(office, contact):
    assert office.register(contact).status == 400


def test_an_extension_that_is_required_and_unknown_is_named(office):
    response = office.register("<sip:a@10.0.0.5>", headers=["Require: path, gruu"])
    assert (response.status, response.headers.get("Unsupported")) == (420, "gruu")


@pytest.mark.parametrize("identity", [Identity("line", "berlin"), Identity("anonymous")])
def test_only_users_register(office, identity):
    assert office.register("<sip:a@10.0.0.5>", as_=identity).status == 403


def test_whatever_name_a_phone_knows_us_by_it_is_one_address_of_record(office):
    office.register("<sip:a@10.0.0.5>", host="192.0.2.1")
    assert office.at() == ["sip:a@10.0.0.5"]


def test_with_aliases_named_other_domains_are_not_found():
    office = Office(aliases=frozenset({"192.0.2.1"}))
    assert office.register("<sip:a@10.0.0.5>", host="192.0.2.1").status == 200
    assert office.register("<sip:a@10.0.0.5>", host="elsewhere.example").status == 404


def test_a_phone_behind_a_nat_is_lost_with_its_connection(office):
    office.register("<sip:a@10.0.0.5:5060;transport=tcp>", hop=MOBILE)
    (lost,) = office.registrar.flow_failed(MOBILE, office.now)
    assert lost.why == "flow lost"
    assert set(office.registrar.counts().values()) == {0}


def test_a_phone_that_can_be_connected_to_stays_when_its_connection_closes(office):
    office.register("<sip:a@203.0.113.9:5070;transport=tcp>", hop=MOBILE)
    assert office.registrar.flow_failed(MOBILE, office.now) == []
    (binding,) = office.registrar.lookup(AOR, office.now)
    assert binding.hop == Hop("tcp", "203.0.113.9", 5070)


def test_a_connection_that_carries_nobody_takes_nobody_along(office):
    office.register("<sip:a@10.0.0.5>", hop=MOBILE)
    assert office.registrar.flow_failed(Hop("tcp", "203.0.113.9", 40001, connection=8), office.now) == []
    office.register("<sip:a@10.0.0.5>", hop=DESK)
    assert office.registrar.flow_failed(MOBILE, office.now) == []
    assert office.registrar.counts()["flows"] == 0
