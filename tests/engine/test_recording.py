"""Recorded calls: begun by the queue, paused by hand, named in the record, and never in a call's way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import recording
from engine.codes import feature
from engine.events import (
    RecordingBegan,
    RecordingEnded,
    RecordingFault,
    RecordingPaused,
    RecordingResumed,
)
from engine.states import State
from media.codecs import g711
from media.recording import Record, RecordingFailed
from routing.number import Feature, FeatureCode
from routing.queue import RecordingTerms
from sip.uri import Uri
from tests.engine.tape import Tape
from tests.media.reels import onsets, pulse
from tests.sim.stage import Stage, Voice


def recorded(folder: Path, mode: str = "on", agents: int = 1, **house: Any) -> tuple[Stage, Tape]:
    stage = Stage(folder, agents, **house)
    acd = stage.house.switch.acd
    queue = acd.queues["support"]
    acd.queues["support"] = replace(queue, spec=replace(queue.spec, recording=RecordingTerms(mode)))
    return stage, Tape(stage)


def to_talk(stage: Stage) -> Voice:
    customer = stage.customer()
    stage.run(8.0)
    assert stage.call.state is State.TALKING
    return customer


def hang_up(stage: Stage) -> None:
    stage.house.switch.hang_up(stage.call.id, stage.world.now)
    stage.house.host.pump()


def test_a_call_of_a_recorded_queue_is_recorded_from_its_answer_to_its_end(tmp_path: Path) -> None:
    stage, tape = recorded(tmp_path)
    to_talk(stage)
    answered = stage.call.clocks.answered
    assert answered is not None
    stage.run(12.0)
    hang_up(stage)
    length = stage.world.now - answered
    stage.run(3.0)
    (record,), (began,), (ended,) = stage.records, tape.told(RecordingBegan), tape.told(RecordingEnded)
    assert record.recording == began.file == ended.file
    assert began.file.endswith(f"{record.call}-1.opus") and began.call == ended.call == record.call
    assert ended.seconds == pytest.approx(length, abs=0.4) and ended.complete
    assert tape.sound().shape[1] / 8000 == pytest.approx(ended.seconds, abs=0.01)


def speak(stage: Stage, seconds: float, *speakers: Voice) -> dict[Voice, list[float]]:
    """Phones speak for a while, a burst every half second, in turn; when each burst was."""
    said: dict[Voice, list[float]] = {speaker: [] for speaker in speakers}
    for n in range(round(seconds / 0.02)):
        for i, speaker in enumerate(speakers):
            burst = n % 50 == 25 * i
            if burst:
                said[speaker].append(stage.world.now)
            speaker.say(160, g711.encode(g711.A, pulse() if burst else np.zeros(160, np.int16)).tobytes())
        stage.run(0.02)
    return said


def test_a_recording_goes_on_in_its_file_when_the_agents_leg_moves_to_another_worker(tmp_path: Path) -> None:
    stage, tape = recorded(tmp_path, agents=2, workers=2, scattered=1.0)
    customer = to_talk(stage)
    agent, colleague = stage.agents
    for phone in (customer, agent, colleague):
        phone.speaks = False
    before = speak(stage, 2.0, customer, agent)
    with_customer = agent.session
    assert with_customer is not None
    agent.hold()
    stage.run(0.5)
    consultation = agent.call("agent1", agent.name, agent.credentials)
    stage.run(3.0)
    with_customer.refer(Uri.parse("sip:anybody@isogloss.test"), replaces=consultation, now=stage.world.now)
    agent.host.pump()
    stage.run(0.2)
    after = speak(stage, 3.0, customer, colleague)
    assert stage.house.moves == 1
    hang_up(stage)
    stage.run(3.0)
    began, ended = tape.told(RecordingBegan), tape.told(RecordingEnded)
    assert len(began) == len(ended) == 1 and ended[0].complete
    begun, sound = began[0].at - stage.house.switch.wall(0.0), tape.sound()
    for said, speakers in ((before, (customer, agent)), (after, (customer, colleague))):
        delays = []
        for channel, speaker in zip(sound, speakers):
            found = onsets(channel) + begun
            delays.append([found[np.abs(found - at).argmin()] - at for at in said[speaker][1:]])
        assert all(0.0 <= delay <= 0.080 for delay in (*delays[0], *delays[1])), delays
        assert np.abs(np.subtract(*delays)).max() <= 0.020, delays


def test_a_call_of_another_queue_is_not(tmp_path: Path) -> None:
    stage, tape = recorded(tmp_path, "off")
    to_talk(stage)
    hang_up(stage)
    stage.run(3.0)
    assert not tape.asked and stage.records[0].recording == ""


def test_a_caller_who_is_to_be_told_hears_the_notice_first(tmp_path: Path) -> None:
    stage, tape = recorded(tmp_path, "announce")
    played: list[str] = []
    path = stage.house.path
    stage.house.path = lambda language, name: played.append(name) or path(language, name)  # type: ignore[method-assign,func-returns-value]
    to_talk(stage)
    assert played[:2] == ["recording-notice", "welcome"] and played.count("recording-notice") == 1
    assert tape.told(RecordingBegan)


def test_a_pause_is_noted_and_nothing_of_it_leaves_the_worker(tmp_path: Path) -> None:
    stage, tape = recorded(tmp_path)
    to_talk(stage)
    recording.pause(stage.call, True, stage.world.now, "supervisor")
    stage.run(1.0)
    worker = stage.house.workers[-1]
    assert not worker.control.core.plan.tapped
    recording.pause(stage.call, False, stage.world.now, "supervisor")
    stage.run(1.0)
    assert worker.control.core.plan.tapped
    assert [event.by for event in tape.told(RecordingPaused)] == ["supervisor"]
    assert [event.by for event in tape.told(RecordingResumed)] == ["supervisor"]


def test_an_agent_pauses_with_a_code_that_she_dials_beside_the_call(tmp_path: Path) -> None:
    stage, tape = recorded(tmp_path)
    to_talk(stage)
    call, switch = stage.call, stage.house.switch
    beside = replace_caller(call, call.agent)
    assert (
        feature(switch, beside, FeatureCode(Feature.PAUSE_RECORDING), stage.world.now) == "recording-paused"
    )
    assert tape.told(RecordingPaused)[0].by == call.agent
    assert (
        feature(switch, beside, FeatureCode(Feature.RESUME_RECORDING), stage.world.now) == "recording-resumed"
    )
    stranger = replace_caller(call, "nobody")
    assert (
        feature(switch, stranger, FeatureCode(Feature.PAUSE_RECORDING), stage.world.now)
        == "agent-not-possible"
    )


def replace_caller(call: Any, caller: str) -> Any:
    """Another call, of `caller`."""
    other = type(call)(call.switch, "other", "*51", "", call.clocks.arrived)
    other.caller = caller
    return other


def test_a_recorder_that_dies_is_replaced_and_the_record_names_both_files(tmp_path: Path) -> None:
    stage, tape = recorded(tmp_path)
    to_talk(stage)
    recording.pause(stage.call, True, stage.world.now, "supervisor")
    tape.alive = False
    stage.run(1.0)
    tape.start()
    tape.alive = True
    recording.recorder_ready(stage.house.switch, stage.world.now)
    again = [command for command in tape.asked if isinstance(command, Record)][-1]
    assert again.paused and again.name.endswith("-2")
    recording.pause(stage.call, False, stage.world.now, "supervisor")
    stage.run(3.0)
    hang_up(stage)
    stage.run(3.0)
    assert [Path(file).stem[-2:] for file in stage.records[0].recording.split()] == ["-1", "-2"]
    assert "died" in tape.told(RecordingFault)[0].what


@pytest.mark.parametrize("when", ["from the start", "in the middle"])
def test_a_recorder_that_answers_nothing_costs_no_call_and_no_record(tmp_path: Path, when: str) -> None:
    stage, tape = recorded(tmp_path)
    tape.alive = when == "in the middle"
    to_talk(stage)
    tape.alive = False
    hang_up(stage)
    stage.run(4.0)
    (record,) = stage.records
    assert bool(record.recording) is (when == "in the middle")
    assert record.talk_s > 0


def test_a_disk_fault_is_in_the_journal_and_the_call_goes_on(tmp_path: Path) -> None:
    stage, tape = recorded(tmp_path)
    to_talk(stage)
    name = next(iter(stage.house.switch.recordings.open))
    fault = RecordingFailed(name, "/rec/x", "cannot write /rec/x: no space", "free space there")
    recording.told(stage.house.switch, fault, stage.world.now)
    assert tape.told(RecordingFault)[0].remedy == "free space there"
    assert stage.call.state is State.TALKING
    assert list(stage.house.switch.recordings.faults.values()) == [fault.what]
    well = RecordingFailed(name, "/rec/x", "", "", over=True)
    recording.told(stage.house.switch, well, stage.world.now)
    assert not stage.house.switch.recordings.faults
