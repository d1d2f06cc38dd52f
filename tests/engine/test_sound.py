"""What workers are told to do with sound, by node, line and queue; welcomes that callers may interrupt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from config.sound import LineSound, SoundSettings
from engine import sound
from engine.description import PhoneDescription
from engine.states import State
from media.messages import AnyCommand, Play, PlayDone
from media.wish import Treat
from routing.queue import SoundTerms
from tests.sim.stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@pytest.fixture
def sent(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> list[AnyCommand]:
    """What workers are told from now on."""
    told: list[AnyCommand] = []
    send = stage.house.send
    monkeypatch.setattr(
        stage.house, "send", lambda worker, command: (told.append(command), send(worker, command))
    )
    return told


def say(
    stage: Stage,
    *,
    node: SoundSettings | None = None,
    line: LineSound | None = None,
    queue: SoundTerms | None = None,
) -> None:
    """What the configuration says from the next call on."""
    switch = stage.house.switch
    config = switch.config
    carrier = config.lines["carrier"]
    switch.config = replace(
        config,
        media=replace(config.media, sound=node or SoundSettings()),
        lines={"carrier": replace(carrier, sound=line or LineSound())},
    )
    support = switch.acd.queues["support"]
    switch.acd.queues["support"] = replace(support, spec=replace(support.spec, sound=queue or SoundTerms()))


def treated(stage: Stage) -> Treat:
    assert stage.call.customer is not None
    return sound.wanted(stage.call.customer)


def test_a_worker_is_told_nothing_where_nothing_is_wanted(stage, sent):
    stage.customer()
    stage.run(5.0)
    assert not [each for each in sent if isinstance(each, Treat)]


@pytest.mark.parametrize(
    ("node", "line", "queue", "noise"),
    [
        (True, None, None, True),
        (True, False, None, False),
        (False, True, None, True),
        (False, True, False, False),
        (False, None, True, True),
        (False, None, None, False),
    ],
)
def test_the_queues_word_comes_before_the_lines_and_the_lines_before_the_nodes(
    stage, node, line, queue, noise
):
    say(
        stage,
        node=SoundSettings(noise_suppression=node),
        line=LineSound(noise_suppression=line),
        queue=SoundTerms(noise_suppression=queue),
    )
    stage.customer()
    stage.run(3.0)
    assert treated(stage).noise is noise and treated(stage).level is False


def test_the_worker_is_told_once_for_each_leg(stage, sent):
    say(stage, queue=SoundTerms(level_normalisation=True))
    stage.customer()
    stage.run(15.0)
    assert stage.call.state is State.TALKING
    told = [each for each in sent if isinstance(each, Treat)]
    assert sorted(each.leg for each in told if each.level) == sorted(leg.number for leg in stage.call.legs)


@pytest.mark.parametrize(("word", "listens"), [("auto", True), ("on", True), ("off", False)])
def test_digits_are_sought_in_the_sound_of_a_phone_without_telephone_events(stage, word, listens):
    say(stage, node=SoundSettings(inband_dtmf=word))
    stage.customer()
    stage.run(3.0)
    customer = stage.call.customer
    assert customer is not None and customer.takes_events
    agreed = customer.description
    assert isinstance(agreed, PhoneDescription) and agreed.chosen is not None
    assert treated(stage).inband_dtmf is (word == "on")
    agreed.chosen = replace(agreed.chosen, dtmf_pt=None)
    assert treated(stage).inband_dtmf is listens


def welcome(sent: list[AnyCommand]) -> Play:
    return next(each for each in sent if isinstance(each, Play))


def test_a_welcome_may_be_interrupted_where_the_queue_says_so(stage, sent):
    say(stage, queue=SoundTerms(barge_in=True))
    stage.customer()
    stage.run(0.5)
    assert welcome(sent).barge


def test_a_welcome_is_heard_out_where_it_does_not(stage, sent):
    stage.customer()
    stage.run(0.5)
    assert not welcome(sent).barge


def test_a_caller_who_interrupts_the_welcome_waits_in_the_queue(stage, sent):
    say(stage, queue=SoundTerms(barge_in=True))
    stage.agent.answers = False
    stage.customer()
    stage.run(0.5)
    play = welcome(sent)
    assert stage.call.state is State.GREETING
    stage.house.switch.heard(PlayDone(play.leg, play.play, False, True), stage.world.now)
    assert stage.call.state in (State.QUEUED, State.OFFERED)
