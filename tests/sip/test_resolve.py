"""RFC 3263: which hops a URI means, in which order, given what DNS says."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from sip.hop import Hop
from sip.resolve import MAX_HOPS, Address, Naptr, Question, Srv, order_srv, plan
from sip.uri import Uri

ADDRESSES = {("A", "isogloss.example"): ["192.0.2.1"], ("A", "one.example"): ["192.0.2.11", "192.0.2.12"],
             ("A", "two.example"): ["192.0.2.21"], ("AAAA", "two.example"): ["2001:db8::21"]}  # fmt: skip


def resolve(uri, zone=None, *, seed=1, **options):
    """Walk a plan through a zone; gives the hops and the questions asked."""
    known = {key: [Address(host) for host in hosts] for key, hosts in ADDRESSES.items()} | (zone or {})
    asked = []
    steps = plan(Uri.parse(uri), Random(seed), **options)
    try:
        question = next(steps)
        while True:
            assert isinstance(question, Question)
            asked.append((question.kind, question.name))
            question = steps.send(known.get((question.kind, question.name), []))
    except StopIteration as found:
        return found.value, asked


def hops(uri, zone=None, **options):
    return [str(hop) for hop in resolve(uri, zone, **options)[0]]


@pytest.mark.parametrize(
    ("uri", "hop"),
    [
        ("sip:a@192.0.2.5", "udp:192.0.2.5:5060"),
        ("sip:a@192.0.2.5:5080", "udp:192.0.2.5:5080"),
        ("sip:a@192.0.2.5;transport=tcp", "tcp:192.0.2.5:5060"),
        ("sip:a@192.0.2.5;transport=TLS", "tls:192.0.2.5:5061"),
        ("sips:a@192.0.2.5", "tls:192.0.2.5:5061"),
        ("sips:a@192.0.2.5;transport=tcp", "tls:192.0.2.5:5061"),
        ("sip:a@[2001:db8::5]:5070", "udp:[2001:db8::5]:5070"),
        ("sip:a@isogloss.example;maddr=192.0.2.9", "udp:192.0.2.9:5060"),
    ],
)
def test_a_numeric_host_asks_nothing(uri, hop):
    found, asked = resolve(uri)
    assert ([str(each) for each in found], asked) == ([hop], [])


def test_a_port_means_that_host_and_no_service():
    assert resolve("sip:a@isogloss.example:5070") == (
        [Hop("udp", "192.0.2.1", 5070)],
        [("A", "isogloss.example"), ("AAAA", "isogloss.example")],
    )
    assert hops("sips:a@isogloss.example:5071") == ["tls:192.0.2.1:5071"]


def test_the_services_of_a_zone_are_tried_in_the_order_of_its_naptr_records():
    zone = {
        ("NAPTR", "isogloss.example"): [
            Naptr(50, 90, "s", "SIP+D2U", "_sip._udp.isogloss.example"),
            Naptr(50, 50, "S", "SIPS+D2T", "_sips._tcp.isogloss.example"),
            Naptr(90, 10, "s", "SIP+D2T", "_sip._tcp.isogloss.example"),
            Naptr(10, 10, "s", "SIP+D2S", "_sip._sctp.isogloss.example"),
            Naptr(10, 10, "u", "E2U+sip", ""),
        ],
        ("SRV", "_sips._tcp.isogloss.example"): [Srv(0, 0, 5061, "one.example")],
        ("SRV", "_sip._udp.isogloss.example"): [Srv(0, 0, 5080, "two.example")],
    }
    assert hops("sip:a@isogloss.example", zone) == [
        "tls:192.0.2.11:5061",
        "tls:192.0.2.12:5061",
        "udp:192.0.2.21:5080",
        "udp:[2001:db8::21]:5080",
    ]
    assert hops("sips:a@isogloss.example", zone) == ["tls:192.0.2.11:5061", "tls:192.0.2.12:5061"]
    assert hops("sip:a@isogloss.example", zone, transports=("udp",)) == [
        "udp:192.0.2.21:5080",
        "udp:[2001:db8::21]:5080",
    ]


def test_without_naptr_records_every_service_we_speak_is_asked_for():
    zone = {("SRV", "_sip._tcp.isogloss.example"): [Srv(0, 0, 5062, "one.example")]}
    found, asked = resolve("sip:a@isogloss.example", zone)
    assert [str(hop) for hop in found] == ["tcp:192.0.2.11:5062", "tcp:192.0.2.12:5062"]
    assert [name for kind, name in asked if kind == "SRV"] == [
        "_sip._udp.isogloss.example",
        "_sip._tcp.isogloss.example",
        "_sips._tcp.isogloss.example",
    ]


def test_a_transport_that_is_asked_for_is_the_only_one():
    zone = {
        ("SRV", "_sip._tcp.isogloss.example"): [Srv(0, 0, 5062, "two.example")],
        ("SRV", "_sip._udp.isogloss.example"): [Srv(0, 0, 5063, "two.example")],
    }
    assert hops("sip:a@isogloss.example;transport=tcp", zone, families=("A",)) == ["tcp:192.0.2.21:5062"]


def test_a_name_without_any_service_is_a_host():
    assert hops("sip:a@isogloss.example") == ["udp:192.0.2.1:5060"]
    assert hops("sip:a@isogloss.example", transports=("tcp", "udp")) == ["udp:192.0.2.1:5060"]
    assert hops("sip:a@isogloss.example;transport=tcp") == ["tcp:192.0.2.1:5060"]
    assert hops("sips:a@isogloss.example") == ["tls:192.0.2.1:5061"]


def test_a_service_that_is_decidedly_not_offered_leads_nowhere():
    zone = {("SRV", "_sip._udp.isogloss.example"): [Srv(0, 0, 5060, "")]}
    assert hops("sip:a@isogloss.example", zone, transports=("udp",)) == []


@pytest.mark.parametrize("uri", ["tel:+4930123456", "sip:a@nowhere.example", "sips:a@192.0.2.5;transport=udp",
                                 "sip:a@192.0.2.5;transport=sctp"])  # fmt: skip
def test_where_there_is_no_way_there_are_no_hops(uri):
    assert hops(uri) == []


def test_the_other_address_family_can_come_first_or_not_at_all():
    assert hops("sip:a@two.example:5060", families=("AAAA", "A")) == [
        "udp:[2001:db8::21]:5060",
        "udp:192.0.2.21:5060",
    ]
    assert hops("sip:a@two.example:5060", families=("A",)) == ["udp:192.0.2.21:5060"]


def test_every_hop_names_the_domain_its_certificate_has_to_be_for():
    zone = {("SRV", "_sips._tcp.isogloss.example"): [Srv(0, 0, 5061, "two.example")]}
    found, _ = resolve("sips:a@isogloss.example", zone)
    assert {hop.name for hop in found} == {"isogloss.example"}


def test_lower_priorities_are_tried_first_and_the_others_are_kept_for_failover():
    zone = {
        ("SRV", "_sip._udp.isogloss.example"): [
            Srv(20, 0, 5060, "two.example"),
            Srv(10, 0, 5060, "one.example"),
        ]
    }
    assert hops("sip:a@isogloss.example", zone, families=("A",)) == [
        "udp:192.0.2.11:5060",
        "udp:192.0.2.12:5060",
        "udp:192.0.2.21:5060",
    ]


def test_weights_share_the_first_place_out_in_proportion():
    records = [Srv(1, 60, 5060, "heavy"), Srv(1, 30, 5060, "light"), Srv(1, 10, 5060, "spare")]
    rng = Random(7)
    first = Counter(order_srv(records, rng)[0].target for _ in range(5000))
    for target, share in (("heavy", 0.6), ("light", 0.3), ("spare", 0.1)):
        assert first[target] / 5000 == pytest.approx(share, abs=0.03)


def test_the_same_seed_gives_the_same_order():
    records = [Srv(1, weight, 5060, f"t{weight}") for weight in range(0, 50, 5)]
    orders = [[record.target for record in order_srv(records, Random(3))] for _ in range(2)]
    assert orders[0] == orders[1]
    assert sorted(orders[0]) == sorted(record.target for record in records)


def test_a_zone_without_end_makes_a_list_with_one():
    records = [Srv(n, 0, 5060, f"h{n}.example") for n in range(500)]
    zone = {("SRV", "_sip._udp.isogloss.example"): records} | {
        ("A", f"h{n}.example"): [Address(f"10.0.{n % 250}.{m}") for m in range(100)] for n in range(500)
    }
    found, asked = resolve("sip:a@isogloss.example", zone, transports=("udp",))
    assert len(found) == MAX_HOPS
    assert len(asked) < 30
