"""What one attempt over a line comes to."""

from __future__ import annotations

from random import Random

from routing.dial import Address, Target, Terms, arrived, dial, in_order
from routing.identity import Caller, CallerId
from routing.number import Announce, NumberPlan, QueueTarget, Rule
from routing.rewriting import Form, NumberStyle

LONDON = "+442071838750"
GATEWAY = Terms(
    transport="udp",
    addresses=(Address("gw1.example"), Address("gw2.example", 5080)),
    outgoing=NumberStyle(Form.DIALLED, "GB"),
    incoming=NumberStyle(Form.DIALLED, "GB"),
    caller_id=CallerId(number=LONDON),
    codecs=("PCMA", "PCMU"),
    dids={LONDON: QueueTarget("support")},
)
IMS = Terms(
    transport="tcp",
    addresses=(Address("pcscf.ims.example"),),
    target=Target.TEL,
    domain="ims.example",
    caller_id=CallerId(number=LONDON),
    codecs=("AMR-WB", "AMR"),
    extensions=("100rel",),
    preconditions=True,
    access_network="3GPP-E-UTRAN-FDD",
)


def test_the_same_number_goes_to_a_gateway_and_to_ims_each_in_its_form_with_its_codecs():
    gateway, ims = (dial(each, LONDON, Caller(), each.addresses) for each in (GATEWAY, IMS))
    assert (gateway.target, gateway.number, gateway.domain) == (Target.SIP, "02071838750", "gw1.example")
    assert (ims.target, ims.number, ims.domain) == (Target.TEL, LONDON, "ims.example")
    assert (gateway.codecs, ims.codecs) == (("PCMA", "PCMU"), ("AMR-WB", "AMR"))
    assert (gateway.shown.user, ims.shown.user) == ("02071838750", LONDON)
    assert ims.extensions == ("100rel", "precondition")


def test_addresses_are_tried_by_priority_then_by_lot_of_their_weight_and_dead_ones_not_at_all():
    addresses = (Address("c", priority=2), Address("a", weight=3), Address("b", weight=1), Address("dead"))
    addresses = tuple(Address(a.host, a.port, 1 if a.host in "ab" else 2, a.weight) for a in addresses)
    rng = Random(3)
    orders = [in_order(addresses, lambda each: each.host != "dead", rng) for _ in range(2000)]
    assert {order[2].host for order in orders} == {"c"}
    assert 0.71 < sum(order[0].host == "a" for order in orders) / 2000 < 0.79


def test_a_number_dialled_over_a_line_leads_to_its_did_first_and_then_to_the_nodes_numbers():
    plan = NumberPlan("GB", {"+442071838751": Rule("+442071838751", Announce("goodbye"))})
    own, other = arrived(GATEWAY, plan, "02071838750"), arrived(GATEWAY, plan, "02071838751")
    assert own is not None and (own.number, own.destination) == (LONDON, QueueTarget("support"))
    assert other is not None and other.destination == Announce("goodbye")
    assert arrived(GATEWAY, plan, "02079460000") is None


def test_a_line_for_its_dids_alone_leads_nowhere_else():
    plan = NumberPlan("GB", {"+442071838751": Rule("+442071838751", Announce("goodbye"))})
    strict = Terms(incoming=GATEWAY.incoming, dids=GATEWAY.dids, only_dids=True)
    assert arrived(strict, plan, "02071838750") is not None
    assert arrived(strict, plan, "02071838751") is None
