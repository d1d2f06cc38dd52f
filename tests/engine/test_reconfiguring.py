"""Queues and agents change under calls: nobody loses her place, her call or her terms in the middle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config.people import AgentSettings
from config.schema import Config
from config.secret import Secret
from engine import reconfiguring
from engine.events import EndReason
from engine.states import State
from routing.agent import AgentEvent, AgentState
from routing.number import NumberPlan, QueueTarget
from tests.sim.stage import Stage

Reconfigure = Callable[..., None]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path, agents=2)


@pytest.fixture
def told(stage: Stage) -> Reconfigure:
    """Tell the switch another configuration: told(queues=…, agents=…, numbers=…)."""

    def tell(**parts: Any) -> None:
        switch = stage.house.switch
        switch.config = replace(switch.config, **parts)
        switch.plan = switch.config.numbers
        reconfiguring.people(switch, switch.config, stage.world.now)
        stage.house.host.pump()

    return tell


def without(entries: Any, *names: str) -> dict[str, Any]:
    return {name: each for name, each in entries.items() if name not in names}


def only_support(config: Config) -> dict[str, Any]:
    """What is left of the configuration when the queue `sales` is gone."""
    agents = {name: replace(each, queues=("support",)) for name, each in config.agents.items()}
    support = replace(config.queues["support"], overflow=None)
    numbers = NumberPlan(config.numbers.region, without(config.numbers.exact, "+4930200"))
    return {"queues": {"support": support}, "agents": agents, "numbers": numbers}


def pause(stage: Stage, *names: str) -> None:
    for name in names:
        stage.house.switch.set_agent(name, AgentEvent.PAUSE, stage.world.now)


def resume(stage: Stage, name: str) -> None:
    stage.house.switch.set_agent(name, AgentEvent.RESUME, stage.world.now)
    stage.house.host.pump()


def test_who_waits_keeps_her_place_under_the_new_terms(stage: Stage, told: Reconfigure) -> None:
    pause(stage, "agent0", "agent1")
    first, second = stage.customer(), stage.customer()
    stage.run(20.0)
    queues = stage.house.config.queues
    told(queues={**queues, "support": replace(queues["support"], title="Help", wrap_up_s=0.0)})
    places = [place.call for place in stage.house.switch.acd.queues["support"].places]
    assert len(places) == 2
    resume(stage, "agent1")
    stage.run(5.0)
    assert stage.calls[places[0]].agent == "agent1"
    assert stage.calls[places[0]].queue is not None
    assert {call.queue.title for call in stage.calls.values() if call.queue} == {"Help"}
    assert first.session is not None and second.session is not None


def test_a_shorter_wait_counts_from_when_she_came(stage: Stage, told: Reconfigure) -> None:
    pause(stage, "agent0", "agent1")
    stage.customer()
    stage.run(30.0)
    queues = stage.house.config.queues
    told(queues={**queues, "support": replace(queues["support"], max_wait_s=32.0, overflow=None)})
    stage.run(20.0)
    assert [record.reason for record in stage.records] == [EndReason.OVERFLOW_FAILED]
    assert 31.0 < stage.records[0].wait_s < 40.0


def test_a_longer_wait_is_granted_to_who_waits_already(stage: Stage, told: Reconfigure) -> None:
    pause(stage, "agent0", "agent1")
    stage.customer()
    stage.run(80.0)
    queues = stage.house.config.queues
    told(queues={**queues, "support": replace(queues["support"], max_wait_s=0.0)})
    stage.run(30.0)
    assert (stage.call.state, stage.call.queue and stage.call.queue.name) == (State.QUEUED, "support")


def test_callers_of_a_queue_that_is_gone_are_served_by_its_agents_before_it_goes(
    stage: Stage, told: Reconfigure
) -> None:
    pause(stage, "agent0", "agent1")
    stage.customer("+4930200")
    stage.run(5.0)
    config = stage.house.config
    (warning,) = reconfiguring.warnings(stage.house.switch, replace(config, **only_support(config)))
    assert warning == "queue sales: 1 caller waits in it; its agents serve them before it goes"
    told(**only_support(config))
    acd = stage.house.switch.acd
    assert "sales" in acd.queues and acd.agents["agent1"].queues == ("support", "sales")
    refused = stage.customer("+4930200")
    stage.run(2.0)
    assert refused.session is None, "nobody new comes in"
    resume(stage, "agent1")
    stage.run(10.0)
    assert (stage.call.state, stage.call.agent) == (State.TALKING, "agent1")
    assert "sales" not in acd.queues and acd.agents["agent1"].queues == ("support",)
    stage.house.switch.hang_up(stage.call.id, stage.world.now)
    stage.run(10.0)
    assert {record.reason for record in stage.records} == {EndReason.COMPLETED, EndReason.UNKNOWN_NUMBER}


def test_a_call_that_was_on_its_way_to_a_queue_that_is_gone_comes_there(
    stage: Stage, told: Reconfigure
) -> None:
    customer = stage.customer("+4930200")
    while not stage.calls:
        stage.run(0.001)
    assert stage.call.state is State.ARRIVED
    told(**only_support(stage.house.config))
    stage.run(10.0)
    assert (stage.call.state, stage.call.agent) == (State.TALKING, "agent1")
    assert customer.session is not None


def test_a_queue_that_comes_back_has_its_callers_still(stage: Stage, told: Reconfigure) -> None:
    pause(stage, "agent0", "agent1")
    stage.customer("+4930200")
    stage.run(5.0)
    config = stage.house.config
    told(**only_support(config))
    told(queues=config.queues, agents=config.agents, numbers=config.numbers)
    acd = stage.house.switch.acd
    assert acd.parting.closing == {} and len(acd.queues["sales"]) == 1
    stage.house.switch.hang_up(stage.call.id, stage.world.now)
    stage.run(5.0)
    assert "sales" in acd.queues


def test_a_queue_where_nobody_waits_goes_at_once(stage: Stage, told: Reconfigure) -> None:
    told(**only_support(stage.house.config))
    assert set(stage.house.switch.acd.queues) == {"support"}


def test_an_agent_who_is_gone_finishes_her_call_and_is_offered_no_other(
    stage: Stage, told: Reconfigure
) -> None:
    stage.customer()
    stage.run(10.0)
    assert (stage.call.state, stage.call.agent) == (State.TALKING, "agent0")
    config = stage.house.config
    fewer = replace(config, agents=without(config.agents, "agent0"))
    assert list(reconfiguring.warnings(stage.house.switch, fewer)) == [
        "agent agent0: is in a call, which goes on; she is gone after it"
    ]
    told(agents=fewer.agents)
    talked = stage.call
    stage.run(20.0)
    assert talked.state is State.TALKING
    stage.house.switch.hang_up(talked.id, stage.world.now)
    stage.run(3.0)
    acd = stage.house.switch.acd
    assert set(acd.agents) == {"agent1"}
    assert stage.records[0].agent == "agent0" and stage.records[0].reason is EndReason.COMPLETED
    pause(stage, "agent1")
    stage.customer()
    stage.run(10.0)
    assert stage.call.state is State.QUEUED


def test_an_agent_who_is_gone_while_her_phone_rings_may_answer(stage: Stage, told: Reconfigure) -> None:
    stage.customer()
    while not stage.calls or stage.call.state is not State.OFFERED:
        stage.run(0.05)
    assert stage.call.offered_agent == "agent0"
    told(agents=without(stage.house.config.agents, "agent0"))
    stage.run(10.0)
    assert (stage.call.state, stage.call.agent) == (State.TALKING, "agent0")


def test_an_agent_who_is_gone_and_free_is_gone_at_once(stage: Stage, told: Reconfigure) -> None:
    told(agents=without(stage.house.config.agents, "agent0"))
    assert set(stage.house.switch.acd.agents) == {"agent1"}
    stage.customer()
    stage.run(10.0)
    assert stage.call.agent == "agent1"


def test_an_agent_who_comes_back_before_her_call_is_over_stays(stage: Stage, told: Reconfigure) -> None:
    agents = stage.house.config.agents
    stage.customer()
    stage.run(10.0)
    told(agents=without(agents, "agent0"))
    told(agents=agents)
    stage.house.switch.hang_up(stage.call.id, stage.world.now)
    stage.run(10.0)
    assert stage.house.switch.acd.agents["agent0"].state is AgentState.AVAILABLE


def test_a_new_agent_is_offered_calls_once_her_phone_registers(stage: Stage, told: Reconfigure) -> None:
    agents = stage.house.config.agents
    told(agents=without(agents, "agent1"))
    told(agents=agents)  # her phone has been registered all the time
    acd = stage.house.switch.acd
    assert acd.agents["agent1"].registered and acd.agents["agent1"].state is AgentState.AVAILABLE
    nobody = AgentSettings(name="dora", password=Secret("test", "secret"), queues=("support",))
    told(agents={**agents, "dora": nobody})
    assert not acd.agents["dora"].registered


def test_an_agent_who_joins_a_queue_is_offered_who_waits_there(stage: Stage, told: Reconfigure) -> None:
    agents = dict(stage.house.config.agents)
    told(agents={**agents, "agent1": replace(agents["agent1"], queues=("support",))})
    stage.customer("+4930200")
    stage.run(5.0)
    assert stage.call.state is State.QUEUED
    told(agents={**agents, "agent0": replace(agents["agent0"], queues=("sales",))})
    stage.run(5.0)
    assert (stage.call.state, stage.call.agent) in ((State.TALKING, "agent0"), (State.TALKING, "agent1"))


def test_calls_in_progress_are_not_touched_by_where_numbers_lead(stage: Stage, told: Reconfigure) -> None:
    stage.customer()
    stage.run(10.0)
    numbers = stage.house.config.numbers
    rule = replace(numbers.exact["+4930100"], destination=QueueTarget("sales"))
    told(numbers=replace(numbers, exact={**numbers.exact, "+4930100": rule}))
    first = stage.call
    stage.customer()
    stage.run(10.0)
    assert first.state is State.TALKING
    assert [call.queue.name for call in stage.calls.values() if call.queue] == ["support", "sales"]
