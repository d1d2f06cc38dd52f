"""A call that crosses, when the node of one of its halves dies: both halves are brought together again."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import halves
from engine.call import Call
from engine.events import EndReason, LegGone, LegReturned
from engine.states import WAITING, State
from routing.agent import AgentState
from tests.sim.several import Node, Several
from tests.sim.stage import AgentVoice, Voice

SOON_S = 5.0  # the node is found lost, the far ends are asked over, and speak


class Scene:
    """A customer at node a who talks to agent1, at node b."""

    def __init__(self, folder: Path, names: str = "ab") -> None:
        self.several = Several(folder, names, agents=3, heirs=True)
        self.agent: AgentVoice = self.several.agent(1, "b")
        self.customer: Voice = self.several.customer("a")
        self.agent.sound, self.customer.sound = bytes([3]) * 160, bytes([9]) * 160
        self.agent.pace_s = self.customer.pace_s = 0.02
        self.a, self.b = self.several.nodes["a"], self.several.nodes["b"]
        self.several.until(lambda: self.a.calls and self.a.calls[0].state is State.TALKING, 6.0)
        self.several.run(3.0)
        assert self.hear_each_other()
        self.id = self.a.calls[0].id

    def hear_each_other(self) -> bool:
        several = self.several
        return several.hears(self.customer, self.agent) and several.hears(self.agent, self.customer)

    def only_call(self, node: Node) -> Call:
        (call,) = node.calls
        assert call.id == self.id
        return call

    def hang_up(self, phone: Voice) -> None:
        assert phone.session is not None
        phone.hang_up(phone.session)
        phone.host.pump()
        self.several.run(8.0)

    def records(self) -> list[tuple[str, str, str, str]]:
        found = [
            (record.call, record.agent, str(record.reason), record.node)
            for node in self.several.nodes.values()
            for record in node.records
        ]
        assert all(not node.calls for node in self.several.nodes.values() if node.up)
        return found


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_customers_node_dies_and_her_agents_node_has_both_in_one_call(scene: Scene) -> None:
    scene.a.kill()
    scene.several.until(scene.hear_each_other, 0.1)  # as before
    scene.several.run(SOON_S)
    call = scene.only_call(scene.b)
    assert (call.state, call.agent, call.origin) == (State.TALKING, "agent1", None)
    assert scene.hear_each_other()
    assert scene.b.house.switch.acd.agents["agent1"].state is AgentState.TALKING
    scene.hang_up(scene.agent)
    assert scene.records() == [(scene.id, "agent1", "completed", "b")]
    assert scene.b.house.switch.acd.agents["agent1"].state is AgentState.AVAILABLE
    assert not scene.customer.live


def test_an_agents_node_dies_and_her_customers_node_has_both_in_one_call(scene: Scene) -> None:
    scene.b.kill()
    scene.several.run(SOON_S)
    call = scene.only_call(scene.a)
    assert (call.state, call.agent) == (State.TALKING, "agent1")
    assert scene.hear_each_other()
    assert scene.a.house.switch.acd.agents["agent1"].state is AgentState.TALKING
    scene.hang_up(scene.customer)
    assert scene.records() == [(scene.id, "agent1", "completed", "a")]
    assert not scene.agent.live


@pytest.mark.parametrize("dies", ["a", "b"])
def test_a_hold_by_the_agent_outlives_either_node_and_can_be_ended(scene: Scene, dies: str) -> None:
    scene.agent.hold()
    scene.several.run(1.0)
    scene.several.nodes[dies].kill()
    scene.several.run(SOON_S)
    left = scene.only_call(scene.b if dies == "a" else scene.a)
    assert left.state is State.HELD
    scene.agent.take_back()
    scene.several.run(3.0)
    assert left.state is State.TALKING
    assert scene.hear_each_other()


def test_where_the_agents_node_takes_no_calls_a_third_has_the_customer_and_the_call_crosses_to_it(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path, "abc")
    scene.b.draining = True
    scene.several.run(1.5)
    scene.a.kill()
    scene.several.run(SOON_S)
    c = scene.several.nodes["c"]
    assert scene.only_call(c).party.node == "b"
    (half,) = scene.b.calls
    assert half.origin is not None and (half.origin.node, half.customer.node) == ("c", "c")
    assert scene.hear_each_other()
    scene.hang_up(scene.agent)
    assert scene.records() == [(scene.id, "agent1", "completed", "c")]


def test_the_customers_node_hears_from_whoever_has_her_agent_now(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "abc")
    scene.a.draining = True  # so that c is the heir of all that b has
    scene.several.run(1.5)
    scene.b.kill()
    scene.several.run(SOON_S)
    c = scene.several.nodes["c"]
    assert scene.only_call(scene.a).party.node == "c"
    assert [each.origin.call for each in c.calls if each.origin is not None] == [scene.id]
    assert scene.hear_each_other()
    scene.hang_up(scene.customer)
    assert scene.records() == [(scene.id, "agent1", "completed", "a")]


def test_both_nodes_die_and_a_third_has_the_call_whole(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "abc")
    scene.a.kill()
    scene.b.kill()
    scene.several.run(SOON_S + 2.0)
    c = scene.several.nodes["c"]
    assert scene.only_call(c).state is State.TALKING
    assert scene.hear_each_other()
    scene.hang_up(scene.customer)
    assert scene.records() == [(scene.id, "agent1", "completed", "c")]


def test_who_is_left_hears_that_the_connection_broke_off_and_is_the_next_when_nobody_mends_it(
    scene: Scene,
) -> None:
    scene.b.heritage.calls.leave(scene.several.world.now)  # as if it had never been written down
    scene.b.kill()
    call = scene.only_call(scene.a)
    scene.several.until(lambda: call.party.away, 3.0)
    assert call.customer.lulled
    scene.several.until(lambda: call.state in WAITING, 7.0)
    told = [type(each) for each in scene.a.house.ledger.told]
    assert LegGone in told and LegReturned not in told


def test_an_agent_whose_customer_nobody_brings_back_is_let_go(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.a.heritage.calls.leave(scene.several.world.now)  # as if it had never been written down
    scene.a.kill()
    b = scene.b.house.switch
    scene.several.until(lambda: not b.calls, 9.0)
    scene.several.run(1.0)
    assert b.acd.agents["agent1"].state is AgentState.AVAILABLE
    assert not scene.agent.live


def test_a_node_that_only_seemed_lost_goes_on_with_its_half(scene: Scene) -> None:
    membership = scene.b.cluster.membership
    (crossed,) = scene.b.calls
    crossed.customer.silent = True
    halves.lost(scene.b.house.switch, "a", scene.several.world.now)
    assert crossed.customer.away
    halves.back(scene.b.house.switch, "a", scene.several.world.now)
    assert not crossed.customer.away
    scene.several.run(8.0)
    assert scene.hear_each_other()
    assert membership.standing("a").value == "up"
    scene.hang_up(scene.customer)
    assert scene.records() == [(scene.id, "agent1", str(EndReason.COMPLETED), "a")]
