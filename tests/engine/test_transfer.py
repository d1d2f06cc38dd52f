"""Attended transfers whose consultation has not got as far as somebody who talks."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.events import EndReason
from engine.states import State
from routing.agent import AgentEvent
from sip.session import Session
from sip.uri import Uri
from tests.sim.house import DOMAIN
from tests.sim.stage import AgentVoice, Stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A customer talks to agent0; agent1 is there too."""
    stage = Stage(tmp_path, agents=2)
    customer = stage.customer()
    stage.run(6.0)
    assert customer.session is not None
    assert stage.call.agent == "agent0"
    return stage


def consult(agent: AgentVoice, target: str) -> Session:
    """Hold the customer and call somebody."""
    agent.hold()
    agent.stage.run(0.5)
    return agent.call(target, agent.name, agent.credentials)


def join(agent: AgentVoice, customer: Session, consultation: Session) -> None:
    customer.refer(Uri.parse(f"sip:anybody@{DOMAIN}"), replaces=consultation, now=agent.world.now)
    agent.host.pump()


def test_a_consultation_that_waits_in_a_queue_leaves_its_waiting_to_the_customer(stage: Stage) -> None:
    agent, call, switch = stage.agent, stage.call, stage.house.switch
    with_customer = agent.session
    assert with_customer is not None
    switch.set_agent("agent1", AgentEvent.PAUSE, stage.world.now)
    consultation = consult(agent, "+4930200")
    stage.run(2.0)
    assert consultation.state == "connected"
    join(agent, with_customer, consultation)
    stage.run(2.0)
    assert (call.state, call.queue and call.queue.name) == (State.QUEUED, "sales")
    assert list(stage.calls.values()) == [call]
    assert [record.reason for record in stage.records] == [EndReason.TRANSFERRED]
    assert not agent.live
    switch.set_agent("agent1", AgentEvent.RESUME, stage.world.now)
    stage.run(30.0)
    assert (call.state, call.agent) == (State.TALKING, "agent1")


def test_a_colleague_who_still_rings_goes_on_ringing_for_the_customer(stage: Stage) -> None:
    (agent, colleague), call, acd = stage.agents, stage.call, stage.house.switch.acd
    with_customer = agent.session
    assert with_customer is not None
    colleague.answers = False
    consultation = consult(agent, "agent1")
    stage.run(2.0)
    join(agent, with_customer, consultation)
    stage.run(2.0)
    assert list(stage.calls.values()) == [call]
    assert colleague.session is not None
    assert not acd.agents["agent1"].free
    colleague.pick_up(colleague.session)
    colleague.host.pump()
    stage.run(2.0)
    assert (call.state, call.agent) == (State.TALKING, "agent1")
    colleague.hang_up(colleague.session)
    colleague.host.pump()
    stage.run(30.0)
    assert not stage.calls
    assert acd.agents["agent1"].free


def test_who_was_held_for_a_transfer_that_failed_is_held_still_and_can_be_taken_back(stage: Stage) -> None:
    (agent, colleague), call = stage.agents, stage.call
    colleague.answers = False
    agent.hold()
    stage.run(0.5)
    assert agent.session is not None
    agent.session.refer(Uri.parse(f"sip:{colleague.name}@{DOMAIN}"), now=stage.world.now)
    agent.host.pump()
    stage.run(1.0)
    assert call.state is State.TRANSFERRING
    colleague.hang_up(colleague.session)
    colleague.host.pump()
    stage.run(2.0)
    assert call.state is State.HELD
    agent.take_back()
    stage.run(1.0)
    assert call.state is State.TALKING
