"""A third in a call: all hear whom they should, and whoever hangs up, nothing is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine import guest
from engine.codes import feature
from engine.events import EndReason
from engine.guest import LOWERED, TABLE, Standing, What
from engine.states import State
from engine.views import IllegalState, UnknownCall
from routing.agent import AgentEvent
from routing.number import Feature, FeatureCode
from sip.uri import Uri
from tests.engine.overheard import Overheard
from tests.rings import no_rings
from tests.sim.house import DOMAIN
from tests.sim.stage import AgentVoice, Voice


class Room(Overheard):
    """A customer talks to agent0; agent1 interprets."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, agents=2)
        self.switch.set_agent("agent1", AgentEvent.PAUSE, self.world.now)
        self.talk()

    @property
    def interpreter(self) -> AgentVoice:
        return self.agents[1]

    def ask(self, to: str = "agent1", by: str = "agent0") -> None:
        guest.ask(self.switch, self.call.id, to, by, self.world.now)
        self.run(3.0)

    def hears(self) -> dict[str, float]:
        """Who hears whom: by the first letters of listener and source, what is above nothing."""
        third = self.call.guest.leg if self.call.guest is not None else None
        return self.between({"c": self.call.customer, "a": self.call.party, "g": third})

    @property
    def told(self) -> list[str]:
        """What the journal tells of guests."""
        return [kind.removeprefix("call.guest_") for kind in self.kinds if "guest" in kind]


ALL_THREE = {"ca": LOWERED, "ac": LOWERED, "cg": 1.0, "ag": 1.0, "gc": 1.0, "ga": 1.0}
THE_TWO = {"ca": 1.0, "ac": 1.0}


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with no_rings() as rings:
        made = Room(tmp_path)
        yield made
        assert not rings()


def test_the_interpreter_is_heard_in_full_and_the_two_hear_each_other_lowered(room: Room) -> None:
    assert room.hears() == THE_TWO
    room.ask()
    assert room.call.guest is not None and room.call.guest.standing is Standing.IN
    assert room.hears() == ALL_THREE
    assert room.told == ["asked", "joined"]
    assert not room.switch.acd.agents["agent1"].free, "nobody else is put through to an interpreter"


def test_when_the_interpreter_hangs_up_the_two_hear_each_other_as_before(room: Room) -> None:
    room.ask()
    assert room.interpreter.session is not None
    room.interpreter.hang_up(room.interpreter.session)
    room.interpreter.host.pump()
    room.run(1.0)
    assert room.hears() == THE_TWO and room.call.state is State.TALKING
    assert room.told == ["asked", "joined", "left"]
    assert room.switch.acd.calls_of("agent1") == set()
    room.ask()
    assert room.hears() == ALL_THREE, "and may be asked again"


def test_one_who_is_sent_off_is_hung_up(room: Room) -> None:
    room.ask()
    guest.send_off(room.switch, room.call.id, room.world.now)
    room.run(1.0)
    assert room.hears() == THE_TWO and not room.interpreter.live
    with pytest.raises(IllegalState):
        guest.send_off(room.switch, room.call.id, room.world.now)


@pytest.mark.parametrize("who", ["customer", "agent"])
def test_when_one_of_the_two_hangs_up_the_call_is_over_for_all(room: Room, who: str) -> None:
    room.ask()
    phone: Voice = room.caller if who == "customer" else room.agent
    assert phone.session is not None
    phone.hang_up(phone.session)
    phone.host.pump()
    room.run(30.0)
    assert not room.calls and not room.interpreter.live and not room.switch.legs
    assert [record.reason for record in room.records] == [EndReason.COMPLETED]
    assert room.switch.acd.agents["agent1"].call == ""


def test_one_who_still_rings_when_the_call_ends_rings_no_more(room: Room) -> None:
    room.interpreter.answers = False
    room.ask()
    assert room.call.guest is not None and room.hears() == THE_TWO
    assert room.caller.session is not None
    room.caller.hang_up(room.caller.session)
    room.caller.host.pump()
    room.run(30.0)
    assert not room.calls and not room.interpreter.live and not room.switch.legs


def test_one_who_does_not_answer_is_told_of_and_the_two_talk_on(room: Room) -> None:
    room.interpreter.answers = False
    room.ask()
    room.run(60.0)
    assert room.call.guest is None and room.hears() == THE_TWO
    assert room.told == ["asked", "missed"]


def test_while_one_holds_the_guest_waits_with_music_and_is_back_with_them(room: Room) -> None:
    room.ask()
    room.agent.hold()
    room.run(1.0)
    assert room.call.guest is not None and room.call.guest.standing is Standing.ASIDE
    assert room.hears() == {}
    room.agent.take_back()
    room.run(1.0)
    assert room.hears() == ALL_THREE


def test_a_guest_who_comes_while_the_customer_is_held_waits_for_the_agent(room: Room) -> None:
    room.agent.hold()
    room.run(0.5)
    room.ask()
    assert room.hears() == {} and room.call.guest is not None
    room.agent.take_back()
    room.run(1.0)
    assert room.hears() == ALL_THREE


def test_the_guests_own_hold_key_holds_nobody(room: Room) -> None:
    room.ask()
    room.interpreter.hold()
    room.run(1.0)
    assert room.call.state is State.TALKING and room.hears() == ALL_THREE


def test_a_guest_may_not_give_the_customer_away(room: Room) -> None:
    room.ask()
    assert room.interpreter.session is not None
    room.interpreter.session.refer(Uri.parse(f"sip:agent1@{DOMAIN}"), now=room.world.now)
    room.interpreter.host.pump()
    room.run(1.0)
    assert room.call.state is State.TALKING and room.hears() == ALL_THREE


def test_when_the_agent_gives_the_customer_to_another_the_guest_is_let_go(room: Room) -> None:
    room.ask()
    assert room.agent.session is not None
    room.agent.session.refer(Uri.parse(f"sip:+4930200@{DOMAIN}"), now=room.world.now)
    room.agent.host.pump()
    room.run(2.0)
    assert room.call.guest is None and not room.interpreter.live
    assert room.told == ["asked", "joined", "left"]


@pytest.mark.parametrize("to", ["+4930100", "nowhere", "agent0", ""])
def test_who_cannot_join_is_refused_with_the_reason(room: Room, to: str) -> None:
    if to == "agent0":
        room.ask(to)
        assert room.call.guest is None and room.told == ["asked", "missed"], "she is in the call herself"
        assert len(room.call.legs) == len(room.switch.legs) == 2
        return
    with pytest.raises(IllegalState):
        guest.ask(room.switch, room.call.id, to, "agent0", room.world.now)


def test_there_is_one_guest_at_a_time_and_none_in_a_call_that_is_not(room: Room) -> None:
    room.ask()
    with pytest.raises(IllegalState, match="send that one off"):
        guest.ask(room.switch, room.call.id, "agent1", "agent0", room.world.now)
    with pytest.raises(UnknownCall):
        guest.ask(room.switch, "none", "agent1", "agent0", room.world.now)


def test_an_agent_asks_by_a_code_beside_the_call(room: Room) -> None:
    call, switch = room.call, room.switch
    assert call.queue is not None
    call.queue = replace(call.queue, speech=replace(call.queue.speech, interpreter="agent1"))
    room.agent.hold()
    room.run(0.5)
    beside = next(iter(switch.calls.values()))
    other = type(beside)(switch, "beside", "*53", "agent0", room.world.now)
    other.caller = "agent0"
    assert feature(switch, other, FeatureCode(Feature.INTERPRETER), room.world.now) == "connecting"
    assert feature(switch, other, FeatureCode(Feature.INTERPRETER), room.world.now) == "agent-not-possible", (
        "once"
    )
    room.agent.take_back()
    room.run(3.0)
    assert room.hears() == ALL_THREE


def test_whatever_happens_to_a_guest_there_is_an_end_to_it() -> None:
    for standing in Standing:
        for what in (What.SENT_OFF, What.MOVED_ON):
            assert TABLE[standing, what][0] is None
    assert {after for after, _ in TABLE.values()} == {*Standing} - {Standing.RINGING} | {None}
