"""What a caller hears before the answer: the network's own sound while it authorises that, else ringing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from config.mobile import ImsSettings
from engine.leg import Leg
from sip import sdp
from sip.early_media import ASKED
from sip.events import Authorised, EarlyMedia, Provisional
from sip.session import Session
from tests.sim.gateway import Gateway, Lines
from tests.sim.phones import Phone
from tests.sim.stage import Stage, Voice

FIRST = "10.3.0.1"
NAME = "P-Early-Media"
NOTHING, HEARD, SPOKEN = (False, False), (True, False), (False, True)
MOBILE = ImsSettings(domain="ims.example", public_identity="sip:+4930100@ims.example", preconditions=False)


class Caller:
    """What a phone that calls is told before it is answered, and who hears whom meanwhile."""

    def __init__(self, stage: Stage, phone: Phone, session: Session) -> None:
        self.stage, self.session = stage, session
        self.told: list[tuple[int, bool]] = []  # status, and whether a description came with it
        self.authorised: list[Authorised] = []
        happened = phone.host.on_event

        def noted(event: object) -> None:
            if isinstance(event, Provisional) and event.status > 100:
                self.told.append((event.status, event.sdp is not None))
            elif isinstance(event, EarlyMedia):
                self.authorised.append(event.authorised)
            happened(event)

        phone.host.on_event = noted

    @property
    def way(self) -> tuple[bool, bool]:
        """Whether the caller hears whom it calls, and is heard there."""
        call = self.stage.call
        assert call.customer is not None and call.attempt is not None
        return self._hears(call.customer, call.attempt.leg), self._hears(call.attempt.leg, call.customer)

    def _hears(self, listener: Leg, source: Leg) -> bool:
        core = self.stage.house.workers[listener.worker].control.core
        row, other = (core.table.find(leg.number).row for leg in (listener, source))
        return other in core.mixer.sources(row)

    @property
    def rings(self) -> bool:
        """Whether we ring for it."""
        core = self.stage.house.workers[0].control.core
        customer = self.stage.call.customer
        assert customer is not None
        player = core.table.find(customer.number).player
        return player is not None and player.playing


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@pytest.fixture
def network(stage: Stage) -> Gateway:
    """A mobile network that does nothing by itself."""
    gateway = Lines(stage).add("one", FIRST, kind="ims", ims=MOBILE, codecs=("PCMA",))
    gateway.manner = "trying"
    return gateway


@pytest.fixture
def caller(stage: Stage, network: Gateway) -> Caller:
    agent = stage.agent
    session = agent.call("+34910601234", agent.name, agent.credentials)
    caller = Caller(stage, agent, session)
    stage.run(0.5)
    return caller


def says(network: Gateway, status: int, *authorised: str, sound: bool = False) -> None:
    """A provisional response of the network. sound: with a description."""
    (session,) = network.live.values()
    headers = [(NAME, each) for each in authorised]
    session.progress(network.sdp() if sound else None, status, headers=headers, now=network.world.now)
    network.host.pump()
    network.stage.run(0.2)


def test_a_mobile_network_is_told_that_we_heed_what_it_authorises(network: Gateway, caller: Caller) -> None:
    (invite,) = network.called
    assert invite.headers.all(NAME) == ["supported"]


@pytest.mark.parametrize(
    ("authorised", "way"),
    [
        ("sendrecv", (True, True)),
        ("sendonly", HEARD),
        ("sendonly, gated", HEARD),
        ("recvonly", SPOKEN),
        ("inactive", NOTHING),
        ("inactive, gated", NOTHING),
    ],
)
def test_sound_passes_the_way_that_the_network_authorises(
    network: Gateway, caller: Caller, authorised: str, way: tuple[bool, bool]
) -> None:
    says(network, 183, authorised, sound=True)
    assert caller.way == way
    assert caller.told == [(183, way[0])]


def test_a_network_that_says_nothing_of_it_is_heard_where_it_describes_itself(
    network: Gateway, caller: Caller
) -> None:
    says(network, 183, sound=True)
    assert (caller.way, caller.told) == (HEARD, [(183, True)])


def test_only_its_180_rings_at_the_callers(network: Gateway, caller: Caller) -> None:
    says(network, 183, "inactive", sound=True)
    says(network, 180)
    assert (caller.way, caller.told, caller.rings) == (NOTHING, [(183, False), (180, False)], False)


def test_a_ringing_tone_of_the_network_is_heard_from_its_180_on(network: Gateway, caller: Caller) -> None:
    says(network, 183, "inactive", sound=True)
    says(network, 180, "sendonly")
    assert caller.way == HEARD
    assert caller.told == [(183, False), (183, True), (180, False)]


def test_sound_that_is_withdrawn_is_heard_no_more_and_we_ring_in_its_place(
    network: Gateway, caller: Caller, stage: Stage
) -> None:
    says(network, 183, "sendonly", sound=True)
    says(network, 180, "inactive")
    assert (caller.way, caller.rings) == (NOTHING, True)
    says(network, 180, "sendonly")
    assert (caller.way, caller.rings) == (HEARD, False)


def test_what_was_authorised_before_the_answer_has_no_say_after_it(
    network: Gateway, caller: Caller, stage: Stage
) -> None:
    says(network, 183, "sendonly", sound=True)
    says(network, 180, "inactive")
    (session,) = network.live.values()
    session.answer(network.sdp(), now=stage.world.now)
    network.host.pump()
    stage.run(0.5)
    call = stage.call
    assert call.customer is not None and call.party is not None and caller.session.state == "connected"
    assert caller._hears(call.customer, call.party) and caller._hears(call.party, call.customer)
    assert not caller.rings


@pytest.mark.parametrize(("authorised", "others"), [("sendonly", 0), ("inactive", 1)])
def test_a_network_whose_sound_was_to_be_heard_may_have_rung_and_no_other_line_does(
    network: Gateway, caller: Caller, stage: Stage, authorised: str, others: int
) -> None:
    second = Lines(stage).add("two", "10.3.0.2", priority=20)
    says(network, 183, authorised, sound=True)
    (session,) = network.live.values()
    session.reject(503, now=stage.world.now)
    network.host.pump()
    stage.run(1.0)
    assert len(second.called) == others


# --- a mobile network calls ------------------------------------------------------------------------


def test_a_network_that_heeds_it_is_told_what_it_may_hear(stage: Stage, network: Gateway) -> None:
    switch = stage.house.switch
    carrier = replace(switch.config.lines["carrier"], kind="ims", ims=MOBILE, codecs=("PCMA",))
    switch.config = replace(switch.config, lines={**switch.config.lines, "carrier": carrier})
    phone = Phone(stage.world, "10.1.0.77", stage.world.rng)
    caller = Caller(stage, phone, phone.call("+34910601234", "+491701234", headers=[ASKED]))
    stage.run(0.5)
    says(network, 180, "inactive")
    says(network, 183, "sendrecv", sound=True)
    says(network, 180, "inactive")
    assert [each.direction for each in caller.authorised] == ["inactive", "sendrecv", "inactive"]
    assert not caller.rings


# --- a caller who waits for our offer --------------------------------------------------------------


def test_a_caller_who_wants_our_offer_reliably_gets_it_with_the_first_ringing(
    stage: Stage, network: Gateway
) -> None:
    phone = Voice(stage, "10.1.0.78")
    session = phone.call("+34910601234", "+491701234", offer=False, headers=[("Require", "100rel")])
    caller = Caller(stage, phone, session)
    stage.run(0.5)
    says(network, 180)
    assert caller.told == [(180, True)]
    session.acknowledge(phone.sdp(), now=stage.world.now)
    phone.host.pump()
    stage.run(0.2)
    (callee,) = network.live.values()
    callee.answer(network.sdp(), now=stage.world.now)
    network.host.pump()
    stage.run(0.5)
    call = stage.call
    assert call.customer is not None and call.party is not None and session.state == "connected"
    assert call.customer.remote_address == "10.1.0.78:4000"
    assert sdp.parse(call.customer.standing()).origin.version == 1, "it was offered once"
    assert caller._hears(call.customer, call.party) and caller._hears(call.party, call.customer)
