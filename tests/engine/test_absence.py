"""Browsers that are out of reach for a while: what the other side hears, and how they come back or do not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.call import Call
from engine.events import EndReason, LegGone, LegReturned, Side
from engine.states import State
from media.gate import DoorLost, DoorMoved, DoorQuiet
from media.messages import Play, RtpStarted, RtpStopped, SetGain
from tests.engine.test_browser import FAR, House


class Talk:
    """A browser and an agent's phone, who talk."""

    def __init__(self, folder: Path) -> None:
        self.house = House(folder)
        self.noted: list[Any] = []
        self.house.switch.observers.append(self.noted.append)
        self.phone = self.house.talking()
        self.call: Call = self.house.stage.call
        self.leg = self.house.customer
        self.is_heard()

    def is_heard(self) -> None:
        self.house.tells(RtpStarted(self.leg.number, FAR))

    def falls_silent(self) -> None:
        self.house.tells(RtpStopped(self.leg.number))

    def stops_answering(self) -> None:
        self.house.tells(DoorQuiet(self.leg.number))

    def vanishes(self) -> None:
        self.falls_silent()
        self.stops_answering()

    def plays(self) -> list[tuple[int, bool]]:
        """To which leg something is played since, and whether over and over."""
        played = [(each.leg, each.loop) for each in self.house.of(Play) if isinstance(each, Play)]
        self.house.told.clear()
        return played

    def notes(self) -> list[type]:
        return [type(each) for each in self.noted if isinstance(each, LegGone | LegReturned)]


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    talk = Talk(tmp_path)
    talk.plays()
    return talk


def gains(talk: Talk) -> set[float]:
    """That were set since."""
    return {each.gain for each in talk.house.of(SetGain) if isinstance(each, SetGain)}


def test_while_a_browser_is_out_of_reach_the_other_side_hears_noise_and_is_told(talk: Talk):
    assert talk.call.party is not None
    talk.vanishes()
    assert talk.leg.away and gains(talk) == {0.0}
    assert talk.plays() == [(talk.call.party.number, True), (talk.call.party.number, False)]
    talk.is_heard()
    assert not talk.leg.away and gains(talk) == {1.0}
    assert talk.notes() == [LegGone, LegReturned]
    talk.house.stage.run(60.0)
    assert talk.call.state is State.TALKING


def test_who_is_only_silent_or_only_slow_to_answer_is_there(talk: Talk):
    talk.falls_silent()
    talk.is_heard()
    talk.stops_answering()
    assert not talk.leg.away and not talk.plays()


def test_an_answer_brings_it_back_as_sound_does(talk: Talk):
    talk.vanishes()
    talk.house.tells(DoorMoved(talk.leg.number, ("192.0.2.9", 4000)))
    assert not talk.leg.away and talk.leg.remote_address


def test_one_that_gave_no_consent_keeps_its_door_and_may_be_found_by_a_restart(talk: Talk):
    talk.house.tells(DoorLost(talk.leg.number, "consent"))
    assert talk.leg.away and talk.leg.door is not None
    talk.house.stage.run(20.0)
    talk.house.tells(DoorMoved(talk.leg.number, FAR))
    talk.house.stage.run(20.0)
    assert not talk.leg.away and talk.call.state is State.TALKING


def test_one_that_does_not_come_back_in_time_has_lost_its_call(talk: Talk):
    talk.vanishes()
    talk.house.stage.run(28.0)
    assert talk.call.state is State.TALKING
    talk.house.stage.run(4.0)
    (record,) = talk.house.stage.records
    assert (record.reason, record.ended_by) == (EndReason.NOT_RESUMED, Side.ENGINE)
    assert record.talk_s > 28.0
    assert not talk.house.switch.legs and not talk.house.stage.agent.live


def test_a_hold_that_ends_meanwhile_lets_the_agent_know(talk: Talk):
    agent = talk.house.stage.agent
    agent.hold()
    talk.house.stage.run(1.0)
    talk.vanishes()
    talk.plays()
    agent.take_back()
    talk.house.stage.run(1.0)
    assert talk.call.party is not None and talk.call.state is State.TALKING
    assert talk.plays() == [(talk.call.party.number, True), (talk.call.party.number, False)]


def test_where_no_place_is_kept_the_call_ends_when_consent_does(talk: Talk):
    switch = talk.house.switch
    webrtc = replace(switch.config.media.webrtc, resume_s=0.0)
    switch.config = replace(switch.config, media=replace(switch.config.media, webrtc=webrtc))
    talk.vanishes()
    assert not talk.leg.away
    talk.house.tells(DoorLost(talk.leg.number, "consent"))
    talk.house.stage.run(2.0)
    assert talk.house.stage.records[0].reason is EndReason.MEDIA_LOST
