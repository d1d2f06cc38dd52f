"""A node that others found lost while it was only stopped: what it may still do when it goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.states import State
from routing.agent import AgentEvent, AgentState
from tests.sim.several import Several

STOPPED_S = 5.0


@pytest.fixture
def several(tmp_path: Path) -> Several:
    return Several(tmp_path, agents=3, heirs=True)


def test_a_node_that_was_stopped_offers_nobody_before_it_knows_what_is_its_own(several: Several) -> None:
    agent = several.agent(1, "a")
    a, b = several.nodes["a"], several.nodes["b"]
    a.house.switch.set_agent("agent1", AgentEvent.PAUSE, several.world.now)
    several.customer("a")
    several.run(2.0)
    assert [call.state for call in a.calls] == [State.QUEUED]
    a.stop()
    several.run(STOPPED_S)
    assert [call.state for call in b.calls] == [State.QUEUED]

    def freed() -> None:
        a.house.switch.set_agent("agent1", AgentEvent.RESUME, several.world.now)

    a.go_on(freed)
    assert not a.calls
    several.run(3.0)
    assert not agent.live
    assert [call.state for call in b.calls] == [State.QUEUED]
    assert not a.house.switch.legs and all(worker.control.idle for worker in a.house.workers)


def test_calls_that_were_taken_meanwhile_get_no_sound_and_no_word_from_it(several: Several) -> None:
    agent = several.agent(1, "a")
    a, b = several.nodes["a"], several.nodes["b"]
    customer = several.customer("a")
    several.until(lambda: a.calls and a.calls[0].state is State.TALKING, 6.0)
    a.stop()
    several.run(STOPPED_S)
    assert [call.state for call in b.calls] == [State.TALKING]
    a.go_on()
    several.run(3.0)
    assert not a.calls and not a.house.switch.sessions
    assert all(worker.control.idle for worker in a.house.workers)
    assert len(agent.live) == len(customer.live) == 1
    customer.hang_up(customer.session)  # type: ignore[arg-type]
    customer.host.pump()
    several.run(3.0)
    assert (len(a.records), len(b.records)) == (0, 1)
    assert b.house.switch.acd.agents["agent1"].state is AgentState.AVAILABLE


def test_a_node_that_was_stopped_too_shortly_to_be_missed_goes_on_as_it_was(several: Several) -> None:
    several.agent(1, "a")
    a = several.nodes["a"]
    a.stop()
    several.run(1.3)
    a.go_on()
    several.customer("a")
    several.until(lambda: a.calls and a.calls[0].state is State.TALKING, 6.0)


def test_a_store_that_forgot_everything_without_a_word_is_told_again(several: Several) -> None:
    several.agent(1, "a")
    a, b = several.nodes["a"], several.nodes["b"]
    several.customer("a")
    several.until(lambda: a.calls and a.calls[0].state is State.TALKING, 6.0)
    several.server.lose()
    several.run(1.5)
    a.kill()
    several.until(lambda: [call.state for call in b.calls] == [State.TALKING], 5.0)
