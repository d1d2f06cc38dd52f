"""RFC 5626 at the registrar: phones that register the connection they keep."""

from __future__ import annotations

import pytest

from sip.hop import Hop
from sip.registrar import Unregistered
from sip.uri import Uri
from tests.sip.test_registrar import AOR, DESK, DOMAIN, Office

FIRST, SECOND = Hop("wss", "203.0.113.9", 40001, 7), Hop("wss", "203.0.113.9", 40002, 8)
BROWSER = "<sip:h7df@k2j4.invalid;transport=ws>"
OUTBOUND = "Supported: path, gruu, outbound"
EDGE = "Via: SIP/2.0/UDP 192.0.2.50;branch=z9hG4bKedge"


def flow(number: int = 1, instance: str = "1", contact: str = BROWSER) -> str:
    return f'{contact};reg-id={number};+sip.instance="<urn:uuid:{instance}>"'


@pytest.fixture
def office():
    return Office(flow_timer=120)


def test_a_kept_connection_is_confirmed_with_the_time_in_which_to_show_life(office):
    response = office.register(flow(), headers=[OUTBOUND], hop=FIRST)
    assert response.status == 200
    assert response.headers.get("Require") == "outbound"
    assert response.headers.get("Flow-Timer") == "120"
    assert response.contacts[0].param("reg-id") == "1"


def test_a_node_without_a_timer_names_none():
    assert Office().register(flow(), headers=[OUTBOUND], hop=FIRST).headers.get("Flow-Timer") is None


@pytest.mark.parametrize(
    ("contact", "headers"),
    [
        (flow(), []),  # it does not speak RFC 5626
        (BROWSER, [OUTBOUND]),
        (BROWSER + ";reg-id=1", [OUTBOUND]),  # of which device?
        (flow(0), [OUTBOUND]),
        (flow(2**31), [OUTBOUND]),
    ],
)
def test_what_does_not_ask_for_it_is_registered_as_ever(office, contact, headers):
    response = office.register(contact, headers=headers, hop=FIRST)
    assert response.status == 200
    assert "Require" not in response.headers


def test_a_phone_that_requires_it_is_served(office):
    assert office.register(flow(), headers=["Require: outbound"], hop=FIRST).status == 200


def test_a_reg_id_that_is_no_number_means_nothing(office):
    office.register(BROWSER + ';reg-id=x;+sip.instance="<urn:uuid:1>"', headers=[OUTBOUND], hop=FIRST)
    (binding,) = office.registrar.lookup(AOR, office.now)
    assert (binding.instance, binding.reg_id) == ("<urn:uuid:1>", None)


def test_the_same_device_and_reg_id_over_another_connection_is_the_same_binding(office):
    office.register(flow(), headers=[OUTBOUND], hop=FIRST)
    office.register(flow(contact="<sip:other@new.invalid>"), headers=[OUTBOUND], hop=SECOND, call_id="b")
    (binding,) = office.registrar.lookup(AOR, office.now)
    assert binding.hop == SECOND
    assert office.registrar.flow_failed(FIRST, office.now) == []  # it was left behind already


def test_two_connections_of_one_device_are_one_phone_with_two_ways(office):
    office.register(flow(1), headers=[OUTBOUND], hop=FIRST)
    office.now += 1.0
    office.register(flow(2), headers=[OUTBOUND], hop=SECOND, call_id="b")
    assert len(office.registrar.lookup(AOR, office.now)) == 2
    (target,) = office.registrar.targets(AOR, office.now)
    assert target.hops == (SECOND, FIRST)  # the newest first


def test_two_devices_are_two_phones(office):
    office.register(flow(instance="1"), headers=[OUTBOUND], hop=FIRST)
    office.register(
        flow(instance="2", contact="<sip:b@c.invalid>"), headers=[OUTBOUND], hop=SECOND, call_id="b"
    )
    office.register("<sip:desk@10.0.0.5>", call_id="c")
    assert len(office.registrar.targets(AOR, office.now)) == 3


def test_a_device_behind_proxies_is_reached_by_its_newest_path(office):
    path = "Path: <sip:edge;lr;ob>"
    office.register(flow(), headers=[OUTBOUND, path, EDGE])
    (target,) = office.registrar.targets(AOR, office.now)
    assert (target.hops, target.path) == ((), ("<sip:edge;lr;ob>",))


def test_one_connection_lost_leaves_the_other(office):
    office.register(flow(1), headers=[OUTBOUND], hop=FIRST)
    office.register(flow(2), headers=[OUTBOUND], hop=SECOND, call_id="b")
    (lost,) = office.registrar.flow_failed(SECOND, office.now)
    assert isinstance(lost, Unregistered) and lost.why == "flow lost"
    assert office.registrar.targets(AOR, office.now)[0].hops == (FIRST,)


def test_what_was_registered_is_the_connection_even_where_its_address_can_be_reached(office):
    stream = Hop("tcp", "203.0.113.9", 40001, 7)
    contact = flow(contact="<sip:a@203.0.113.9:5070;transport=tcp>")
    office.register(contact, headers=[OUTBOUND], hop=stream)
    assert [event.why for event in office.registrar.flow_failed(stream, office.now)] == ["flow lost"]


def test_nothing_leads_to_a_browser_but_its_connection(office):
    office.register("<sip:a@203.0.113.9>", hop=FIRST)
    assert [event.why for event in office.registrar.flow_failed(FIRST, office.now)] == ["flow lost"]


def test_the_connection_of_a_phone_is_found_by_its_contact_within_its_own_account(office):
    office.register(flow(), headers=[OUTBOUND], hop=FIRST)
    contact = Uri.parse("sip:h7df@k2j4.invalid;transport=ws")
    assert office.registrar.flow_to(Uri.parse(AOR), contact) == FIRST
    assert office.registrar.flow_to(Uri.parse(f"sip:1002@{DOMAIN}"), contact) is None
    assert office.registrar.flow_to(Uri.parse(AOR), Uri.parse("sip:h7df@other.invalid")) is None
    assert office.registrar.flow_to(Uri.parse("tel:+123"), contact) is None


def test_a_datagram_is_no_connection(office):
    office.register("<sip:a@10.0.0.5>", hop=DESK)
    assert office.registrar.flow_to(Uri.parse(AOR), Uri.parse("sip:a@10.0.0.5")) is None


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ([], 439),
        (["Path: <sip:edge;lr>"], 439),
        (["Path: <sip:core;lr;ob>", "Path: <sip:edge;lr>"], 439),  # the last is the first hop's
        (["Path: <sip:core;lr>", "Path: <sip:edge;lr;ob>"], 200),
        (["Path: <sip:edge;lr;ob>"], 200),
    ],
)
def test_a_first_hop_that_does_not_keep_connections_is_told_of(office, path, status):
    response = office.register(flow(), headers=[OUTBOUND, EDGE, *path])
    assert response.status == status
    assert len(office.registrar.lookup(AOR, office.now)) == (status == 200)


def test_a_first_hop_that_does_not_matter_is_not_told_of(office):
    assert office.register(BROWSER, headers=[OUTBOUND, EDGE]).status == 200


def test_one_register_is_for_one_connection(office):
    assert office.register(flow(1), flow(2), headers=[OUTBOUND], hop=FIRST).status == 400
