"""Agents whose page was loaded again: another session takes the place of the one that was lost (RFC 3891)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine import admit, attempt
from engine.events import EndReason, LegReturned, Side
from engine.leg import Leg
from engine.states import State
from engine.whip import Answered, Refused, Whip
from media.gate import DoorLost, OpenDoor, RestartDoor
from media.messages import Play, RtpStarted, RtpStopped
from routing.agent import AgentEvent, AgentState
from sip.digest import Credentials
from sip.message import NameAddr
from sip.refer import replaces_value
from sip.session import Session
from sip.uri import Uri
from tests.engine.test_browser import ANSWER, FAR, OFFER, House, opened, secured
from tests.engine.test_whip import OTHER, Page
from tests.sim.house import DOMAIN
from tests.sim.phones import HOUSE
from tests.sim.stage import AgentVoice, Stage, Voice


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A customer talks to agent0; agent1 is there too."""
    stage = Stage(tmp_path, agents=2)
    stage.customer()
    stage.run(6.0)
    assert stage.call.agent == "agent0"
    return stage


def comes_back(
    phone: Voice, lost: Session, credentials: Credentials | None = None, direction: str = "sendrecv"
) -> Session:
    """INVITE with Replaces, by whom the credentials are of."""
    value = replaces_value(lost)
    assert value is not None
    user = credentials.user if credentials else "agent0"
    us, to = Uri.parse(f"sip:{user}@{DOMAIN}"), Uri.parse(f"sip:anybody@{DOMAIN}")
    session = phone.agent.invite(
        to,
        [HOUSE],
        from_=NameAddr("", us),
        to=NameAddr("", to),
        offer=phone.sdp(direction),
        headers=[("Replaces", value), ("Require", "replaces")],
        credentials=credentials,
        now=phone.world.now,
    )
    phone.live[session.id] = session
    phone.host.pump()
    phone.stage.run(0.5)
    return session


def returns(noted: list[Any]) -> int:
    return sum(isinstance(each, LegReturned) for each in noted)


def test_she_is_in_the_same_call_with_its_record_her_state_and_the_terms_of_its_queue(stage: Stage) -> None:
    agent, call, switch = stage.agent, stage.call, stage.house.switch
    noted: list[Any] = []
    switch.observers.append(noted.append)
    lost = agent.session
    assert lost is not None
    again = comes_back(agent, lost, agent.credentials)
    assert again.state == "connected" and lost.over
    assert stage.call is call and (call.state, call.agent, call.transfers) == (State.TALKING, "agent0", 0)
    assert returns(noted) == 1 and len(switch.legs) == 2
    assert switch.acd.agents["agent0"].state is AgentState.TALKING
    stage.run(40.0)
    again.hangup(None, now=stage.world.now)
    agent.host.pump()
    stage.run(2.0)
    assert switch.acd.agents["agent0"].state is AgentState.WRAP_UP
    (record,) = stage.records
    assert (record.agent, record.reason, record.ended_by) == ("agent0", EndReason.COMPLETED, Side.AGENT)
    assert record.wait_s > 0 and record.talk_s > 40.0 and switch.acd.tallies["support"].answered == 1


def test_whom_she_held_is_held_and_taken_back_by_the_new_session(stage: Stage) -> None:
    agent, call = stage.agent, stage.call
    agent.hold()
    stage.run(2.0)
    assert call.state is State.HELD and agent.session is not None
    again = comes_back(agent, agent.session, agent.credentials, "sendonly")
    assert call.state is State.HELD and call.held_by == {Side.AGENT}
    stage.run(2.0)
    again.reoffer(agent.sdp(), now=stage.world.now)
    agent.host.pump()
    stage.run(1.0)
    assert call.state is State.TALKING and call.clocks.hold_s > 3.5


@pytest.mark.parametrize("who", ["agent1", "a line"])
def test_nobody_else_takes_her_place_although_they_know_her_dialog(stage: Stage, who: str) -> None:
    agent, colleague = stage.agents
    phone = Voice(stage, "10.1.0.99") if who == "a line" else colleague
    assert agent.session is not None
    refused = comes_back(phone, agent.session, None if who == "a line" else colleague.credentials)
    assert refused.over and not agent.session.over
    assert stage.call.state is State.TALKING and len(stage.house.switch.legs) == 2


def test_a_dialog_that_is_over_is_nobodys_place(stage: Stage) -> None:
    agent = stage.agent
    lost = agent.session
    assert lost is not None
    comes_back(agent, lost, agent.credentials)
    assert comes_back(agent, lost, agent.credentials).over
    assert stage.call.state is State.TALKING and len(stage.house.switch.legs) == 2


def test_a_transfer_that_fails_finds_her_although_she_came_back_meanwhile(stage: Stage) -> None:
    (agent, colleague), call = stage.agents, stage.call
    colleague.answers = False
    lost = agent.session
    assert lost is not None
    lost.refer(Uri.parse(f"sip:agent1@{DOMAIN}"), now=stage.world.now)
    agent.host.pump()
    stage.run(2.0)
    assert call.state is State.TRANSFERRING
    again = comes_back(agent, lost, agent.credentials)
    assert again.state == "connected" and call.state is State.TRANSFERRING
    stage.run(120.0)
    assert (call.state, call.agent, call.transfers) == (State.TALKING, "agent0", 0)
    assert call.party is not None and call.party.session is not None and not again.over


# --- a browser's page -------------------------------------------------------------------------------------


class Desk:
    """A customer's phone and an agent's page, who talk."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in (admit, attempt):  # the simulation has UDP alone
            monkeypatch.setattr(module, "WEBSOCKETS", frozenset({"udp"}))
        self.house = house = House(folder)
        self.agent: AgentVoice = house.stage.agent
        self.agent.sdp = lambda direction="sendrecv": self._say(ANSWER, direction)  # type: ignore[method-assign]
        house.stage.customer()
        house.until(lambda: house.gate.asked)
        house.tells(opened(house.gate.asked[0].leg))
        house.until(lambda: house.stage.call.state is State.TALKING)
        self.reached()

    @staticmethod
    def _say(text: str, direction: str) -> bytes:
        return text.replace("a=sendrecv", f"a={direction}").encode()

    @property
    def leg(self) -> Leg:
        assert self.house.stage.call.party is not None
        return self.house.stage.call.party

    def reached(self) -> None:
        self.house.tells(secured(self.leg.number))
        self.house.tells(RtpStarted(self.leg.number, FAR))

    def loads_again(self) -> Session:
        agent, lost = self.agent, self.agent.session
        assert lost is not None
        agent.sdp = lambda direction="sendrecv": self._say(OFFER, direction)  # type: ignore[method-assign]
        again = comes_back(agent, lost, agent.credentials)
        asked = self.house.gate.of(OpenDoor)[-1]
        self.house.tells(opened(asked.leg, "anew"))
        return again


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


def test_a_page_that_says_good_bye_to_the_sound_alone_is_waited_for(desk: Desk) -> None:
    old = desk.leg
    desk.house.tells(DoorLost(old.number, "closed"))
    desk.house.stage.run(5.0)
    assert old.away
    again = desk.loads_again()
    assert again.state == "connected" and desk.leg is not old and desk.leg.away
    desk.reached()
    assert not desk.leg.away
    desk.house.stage.run(40.0)
    assert desk.house.stage.call.state is State.TALKING
    assert desk.leg.suite == "AEAD_AES_128_GCM" and desk.leg.manner.returns


def test_a_page_that_stays_away_costs_the_call_after_half_a_minute(desk: Desk) -> None:
    desk.house.tells(DoorLost(desk.leg.number, "closed"))
    desk.house.stage.run(31.0)
    assert desk.house.stage.call.state is State.TALKING
    desk.house.stage.run(3.0)
    (record,) = desk.house.stage.records
    assert (record.reason, record.ended_by, record.agent) == (EndReason.NOT_RESUMED, Side.ENGINE, "agent0")
    assert not desk.house.switch.legs and not desk.agent.live


def test_who_talks_when_the_gate_dies_talks_on_and_comes_back_by_the_next_one(desk: Desk) -> None:
    house, old = desk.house, desk.leg
    house.switch.gate_lost(house.stage.world.now)
    house.stage.run(3.0)
    assert house.stage.call.state is State.TALKING and not old.away
    house.tells(RtpStopped(old.number))
    assert old.away, "nobody asks it any more whether it is there"
    assert desk.loads_again().state == "connected"
    desk.reached()
    house.stage.run(40.0)
    assert house.stage.call.state is State.TALKING and not desk.leg.away


def test_no_other_way_is_sought_to_a_leg_whose_gate_died(desk: Desk) -> None:
    house, agent = desk.house, desk.agent
    house.switch.gate_lost(house.stage.world.now)
    other = OFFER.replace("a=ice-ufrag:aaaa", "a=ice-ufrag:bbbb")
    assert agent.session is not None
    agent.session.reoffer(other.encode(), now=house.stage.world.now)
    agent.host.pump()
    house.stage.run(1.0)
    assert not house.gate.of(RestartDoor)
    assert house.stage.call.state is State.TALKING, "the re-INVITE is refused, and nothing more"


def test_a_caller_whose_gate_died_is_told_to_post_again_and_is_back(tmp_path: Path) -> None:
    house = House(tmp_path)
    page = Page(house, Whip(house.switch))
    page.talks()
    house.tells(RtpStarted(house.customer.number, FAR))
    house.switch.gate_lost(house.stage.world.now)
    refused = page.patches(OTHER, "*")
    assert isinstance(refused, Refused) and (refused.status, refused.name) == (410, "way-gone")
    again = page.calls("anew")
    assert isinstance(again, Answered) and again.resumed
    assert house.stage.call.state is State.TALKING


def test_a_page_that_posts_in_vain_has_no_longer_than_if_it_had_not(tmp_path: Path) -> None:
    house = House(tmp_path)
    page = Page(house, Whip(house.switch))
    page.talks()
    house.tells(DoorLost(house.customer.number, "closed"))
    house.stage.run(10.0)
    for ufrag in ("second", "third"):
        house.told.clear()
        page.posts()
        house.tells(opened(page.newest.number, ufrag))
        assert house.customer is page.newest and house.customer.away, "it has not been reached"
        assert not house.of(Play), "the agent goes on hearing soft noise"
        house.stage.run(5.0)
    house.stage.run(12.0)
    (record,) = house.stage.records
    assert (record.reason, record.ended_by) == (EndReason.NOT_RESUMED, Side.ENGINE)


def test_who_has_not_been_reached_when_the_gate_dies_is_waited_for(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.switch.set_agent("agent0", AgentEvent.PAUSE, house.stage.world.now)
    page = Page(house, Whip(house.switch))
    page.posts()
    house.tells(opened(page.newest.number))
    house.switch.gate_lost(house.stage.world.now)
    assert house.customer.away and page.calls("anew").resumed
