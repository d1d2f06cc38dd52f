"""What is recorded, and put into words, of a call that somebody supervises."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine import supervision
from engine.events import RecordingBegan
from engine.supervision import Mode, Wish
from media.messages import SetGain
from routing.agent import AgentEvent
from routing.queue import SpeechTerms
from tests.engine import test_recording, test_speech
from tests.engine.test_recording import recorded, speak
from tests.engine.test_speech import Scene
from tests.media.reels import onsets
from tests.sim.stage import Stage


def ask(stage: Stage, mode: Mode) -> None:
    """agent1 supervises."""
    stage.house.switch.set_agent("agent1", AgentEvent.PAUSE, stage.world.now)
    supervision.ask(stage.house.switch, stage.call.id, Wish(mode, "agent1", "boss"), stage.world.now)
    stage.run(3.0)


def turn(stage: Stage, mode: Mode) -> None:
    supervision.change(stage.house.switch, stage.call.id, "agent1", mode, "boss", stage.world.now)
    stage.run(0.5)


def test_a_supervisor_is_recorded_only_where_the_customer_hears_her(tmp_path: Path) -> None:
    stage, tape = recorded(tmp_path, agents=2)
    customer = test_recording.to_talk(stage)
    agent, supervisor = stage.agents
    for phone in (customer, agent, supervisor):
        phone.speaks = False
    ask(stage, Mode.LISTEN)
    said = {}
    for mode in (Mode.LISTEN, Mode.WHISPER, Mode.BARGE, Mode.TAKE_OVER):
        turn(stage, mode)
        said[mode] = speak(stage, 1.2, supervisor)[supervisor][1:]  # not what a stream begins with
    test_recording.hang_up(stage)
    stage.run(3.0)
    (began,) = tape.told(RecordingBegan)
    _, heard = tape.sound()
    found = onsets(heard) + began.at - stage.house.switch.wall(0.0)
    kept = {mode: [at for at in bursts if np.abs(found - at).min() < 0.3] for mode, bursts in said.items()}
    assert all(len(bursts) == 1 for bursts in said.values())
    assert kept == {**said, Mode.LISTEN: [], Mode.WHISPER: []}


def test_what_the_two_hear_of_each_other_is_left_to_the_interpreter_in_every_mode(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SpeechTerms(True, "over"), agents=2)
    test_speech.to_talk(scene)
    pair = set(scene.legs)
    touched: list[SetGain] = []
    send = scene.house.switch.media.send

    def watched(worker: int, command: object) -> None:
        if isinstance(command, SetGain) and {command.src, command.dst} == pair:
            touched.append(command)
        send(worker, command)  # type: ignore[arg-type]

    scene.house.switch.media.send = watched  # type: ignore[method-assign]
    ask(scene, Mode.LISTEN)
    for mode in (Mode.WHISPER, Mode.BARGE, Mode.LISTEN):
        turn(scene, mode)
    supervision.send_off(scene.house.switch, scene.call.id, "agent1", scene.world.now)
    scene.run(1.0)
    assert touched == [] and scene.attended == pair


def test_who_took_over_is_put_into_words_from_then_on(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SpeechTerms(captions=True), agents=2)
    test_speech.to_talk(scene)
    before = scene.legs
    ask(scene, Mode.WHISPER)
    assert scene.attended == set(before)
    turn(scene, Mode.TAKE_OVER)
    assert scene.attended == set(scene.legs) != set(before)
