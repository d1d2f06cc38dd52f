"""Calls that come in by SIP at a node that is not the nearest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from config.cluster import ClusterSettings, NearSettings
from engine.cluster.redirect import _contact
from sip import events
from sip.uri import NameAddr, Uri
from tests.engine.cluster.clusters import Clusters
from tests.sim.phones import DOMAIN, HOUSE
from tests.sim.stage import Stage, Voice

NEAR = NearSettings(redirect=True)
NOON = 1000.0  # when the simulation begins


@pytest.fixture
def clusters() -> Clusters:
    found = Clusters("eu1", "us1", "us2", near=NEAR)
    for name, rtt in (("eu1", 0.1), ("us1", 0.01), ("us2", 0.03)):
        found[name].cluster.line_answered("carrier", rtt, NOON)
    found.beat(NOON)
    return found


@pytest.fixture
def stage(tmp_path: Path, clusters: Clusters) -> Stage:
    """The node eu1, with one agent."""
    made = Stage(tmp_path)
    switch = made.house.switch
    switch.config = replace(switch.config, cluster=ClusterSettings(near=NEAR))
    switch.cluster = clusters["eu1"].cluster
    return made


class Customer(Voice):
    """Keeps what its call was refused with."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage, "10.1.0.77")
        self.refused: list[events.Rejected] = []

    def happened(self, event: object) -> None:
        if isinstance(event, events.Rejected):
            self.refused.append(event)
        super().happened(event)

    def dial(self, uri: str) -> None:
        """Any address of the house."""
        to = NameAddr.parse(f"<{uri}>")
        caller = NameAddr.parse("<sip:+491701234@carrier.example.com>")
        session = self.agent.invite(
            to.uri, [HOUSE], from_=caller, to=to, offer=self.sdp(), now=self.world.now
        )
        self.live[session.id] = session
        self.host.pump()


def called(stage: Stage, more: str = "") -> Customer:
    """Somebody called the queue over the carrier's line."""
    phone = Customer(stage)
    phone.dial(f"sip:+4930100@{DOMAIN}{more}")
    stage.run(1.0)
    return phone


def test_a_call_goes_on_to_the_nearest_node_and_no_record_of_it_stays_here(stage):
    (told,) = called(stage).refused
    assert told.status == 302
    assert [contact.host for contact in told.contacts] == ["us1.example.com", "us2.example.com"]
    first = told.contacts[0]
    assert (first.user, first.port) == ("+4930100", 5060)
    assert ("isogloss-near", "eu1") in first.params
    assert stage.records == []
    assert stage.house.switch.cluster.sent_on == 1
    assert not stage.calls


def test_a_call_that_was_sent_on_is_taken_whoever_is_nearer_by_now(stage):
    assert called(stage, ";isogloss-near=us1").refused == []
    assert stage.call.number == "+4930100"


def test_a_call_is_taken_where_this_node_is_as_near_as_any(stage, clusters):
    for _ in range(9):
        clusters["eu1"].cluster.line_answered("carrier", 0.012, NOON)
        clusters.beat(NOON)
    called(stage)
    assert stage.call.number == "+4930100"


def test_nothing_is_sent_on_where_that_is_not_wanted(stage):
    switch = stage.house.switch
    switch.config = replace(switch.config, cluster=ClusterSettings())
    called(stage)
    assert stage.call.number == "+4930100"


def test_a_call_is_taken_where_the_nearest_is_gone_and_the_others_are_further(stage, clusters):
    for name in ("us1", "us2"):
        clusters[name].draining = True
    clusters.beat(NOON)
    called(stage)
    assert stage.call.number == "+4930100"


def test_our_own_agents_call_where_they_are_registered(stage):
    stage.agent.call("+4930200", "agent0", stage.agent.credentials)
    stage.run(1.0)
    assert stage.call.number == "+4930200"


def test_what_is_no_address_of_a_node_is_told_to_nobody():
    assert _contact(("nonsense",), Uri.parse("sip:1@a"), "eu1") is None
    assert _contact((), Uri.parse("sip:1@a"), "eu1") is None
