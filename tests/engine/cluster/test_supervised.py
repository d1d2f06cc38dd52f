"""A supervisor at one node, in calls whose agent is at another."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from engine import supervision
from engine.states import State
from engine.supervision import Mode, Wish
from engine.views import IllegalState
from media.messages import Address
from routing.agent import AgentState
from sip.hop import Hop
from tests.sim.several import At, Node, Several
from tests.sim.stage import AgentVoice, Voice


class Plainly(Several):
    """What is heard fills much of a packet: what is made up for lost sound runs through all values."""

    def hear(self, datagram: bytes, target: Address) -> None:
        (sample, count), *_ = Counter(datagram[12:]).most_common(1)
        if count >= 40:
            self.sound[target[0], sample] = self.world.now


class Two:
    """A customer at node a talks to agent1 at node b; sue has a phone at both. All say what is theirs."""

    def __init__(self, folder: Path) -> None:
        self.several = Plainly(folder, agents=3)
        self.a, self.b = self.several.nodes["a"], self.several.nodes["b"]
        self.agent = self.several.agent(1, "b")
        self.phones = {"a": self._phone(self.a, "10.3.0.1"), "b": self._phone(self.b, "10.3.0.2")}
        self.customer = self.several.customer("a")
        for n, voice in enumerate((self.agent, *self.phones.values(), self.customer)):
            voice.sound, voice.pace_s = bytes([16 * (n + 1)]) * 160, 0.02
        self.several.run(6.0)
        assert [call.state for call in (*self.a.calls, *self.b.calls)] == [State.TALKING] * 2

    def _phone(self, node: Node, address: str) -> AgentVoice:
        stage = At(self.several, node)
        phone = AgentVoice(stage, address, "sue", [])  # type: ignore[arg-type]
        stage.phone, phone.house = phone, Hop("udp", stage.address, 5060)
        phone.register()
        return phone

    def ask(self, node: Node, mode: Mode) -> None:
        switch = node.house.switch
        supervision.ask(switch, node.calls[0].id, Wish(mode, "sue", "boss"), self.several.world.now)
        node.house.host.pump()
        self.several.run(4.0)

    def turn(self, node: Node, mode: Mode) -> None:
        switch = node.house.switch
        supervision.change(switch, node.calls[0].id, "sue", mode, "boss", self.several.world.now)
        node.house.host.pump()
        self.several.run(3.0)

    def hear(self, speaker: Voice) -> set[str]:
        """Who hears it while it alone speaks."""
        everybody = {"agent": self.agent, "customer": self.customer, **self.phones}
        for voice in everybody.values():
            voice.speaks = voice is speaker
        self.several.run(2.5)
        return {name for name, voice in everybody.items() if self.several.hears(voice, speaker)}


@pytest.fixture
def two(tmp_path: Path) -> Two:
    return Two(tmp_path)


@pytest.mark.parametrize("name", ["a", "b"])
def test_at_either_node_she_hears_both_and_is_heard_as_she_wants(two: Two, name: str) -> None:
    node, sue = two.several.nodes[name], two.phones[name]
    two.ask(node, Mode.LISTEN)
    assert two.hear(two.customer) == {"agent", name}
    assert two.hear(two.agent) == {"customer", name}
    assert two.hear(sue) == set()
    two.turn(node, Mode.WHISPER)
    assert two.hear(sue) == {"agent"}
    two.turn(node, Mode.BARGE)
    assert two.hear(sue) == {"agent", "customer"}


def test_she_takes_over_at_the_customers_node_and_the_agent_is_free_at_hers(two: Two) -> None:
    two.ask(two.a, Mode.LISTEN)
    two.turn(two.a, Mode.TAKE_OVER)
    assert two.hear(two.phones["a"]) == {"customer"} and two.hear(two.customer) == {"a"}
    assert not two.b.calls
    assert two.b.house.switch.acd.agents["agent1"].state is AgentState.AVAILABLE
    assert two.a.house.switch.acd.calls_of("agent1") == set()
    two.several.customer("a", caller="+491705555")
    two.several.run(5.0)
    assert {call.agent for call in two.a.calls} == {"sue", "agent1"}, "and gets the next call"


def test_a_call_of_another_node_is_taken_over_there(two: Two) -> None:
    two.ask(two.b, Mode.LISTEN)
    with pytest.raises(IllegalState, match="of node a"):
        two.turn(two.b, Mode.TAKE_OVER)
