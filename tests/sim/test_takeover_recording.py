"""A recorded call whose node dies: both parts are found from its one record, and what was promised holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine import recording
from engine.events import CallTaken, RecordingFault
from engine.states import State
from media.recording import Record
from routing.queue import RecordingTerms
from tests.engine.tape import Tape
from tests.sim.test_takeover import GREETED_S, TOLD_S, Scene


class Taped:
    """Two houses with recorders of their own, but for those in `without`."""

    def __init__(self, folder: Path, mode: str = "on", without: str = "") -> None:
        self.scene = Scene(folder)
        self.tapes: dict[str, Tape] = {}
        for name, each in self.scene.street.houses.items():
            queues = each.house.switch.acd.queues
            spec = replace(queues["support"].spec, recording=RecordingTerms(mode))
            queues["support"] = replace(queues["support"], spec=spec)
            if name not in without:
                stage = SimpleNamespace(world=self.scene.world, house=each.house)
                self.tapes[name] = Tape(stage)

    def kill(self, name: str) -> None:
        self.scene.street.kill(name)
        self.tapes[name].alive = False
        self.scene.run(TOLD_S)

    def only(self, name: str) -> object:
        (call,) = self.scene.house_of(name).calls.values()
        return call

    def hang_up(self) -> str:
        (customer,) = self.scene.customers
        customer.hang_up(customer.session)
        customer.host.pump()
        self.scene.run(5.0)
        return str(self.scene.one_record().recording)


@pytest.fixture
def taped(tmp_path: Path) -> Taped:
    there = Taped(tmp_path)
    there.scene.customer()
    there.scene.run(GREETED_S + 2.0)
    return there


def test_the_record_names_both_parts_and_on_whose_disk_the_first_is(taped: Taped) -> None:
    taped.kill("a")
    taped.scene.run(3.0)
    id = taped.only("b").id
    written = taped.hang_up()
    first, second = written.split()
    assert first.startswith("a:") and first.endswith(f"{id}-1.opus")
    assert ":" not in second and second.endswith(f"{id}-2.opus")
    for name, file in (("a", first.removeprefix("a:")), ("b", second)):
        (found,) = taped.tapes[name].disk.files.items()
        assert found[0].endswith(file) and found[1]


def test_the_gap_stands_in_the_calls_events_and_so_does_what_was_recorded_before(taped: Taped) -> None:
    taped.kill("a")
    told = taped.scene.house_of("b").house.ledger.told
    (taken,) = [each for each in told if isinstance(each, CallTaken)]
    (fault,) = [each for each in told if isinstance(each, RecordingFault)]
    assert taken.recording == fault.file != ""
    assert "node a was lost" in fault.what


def test_a_pause_outlives_the_node(taped: Taped) -> None:
    call = taped.only("a")
    recording.pause(call, True, taped.scene.world.now, "agent0")
    taped.scene.run(0.1)
    taped.kill("a")
    (asked,) = [each for each in taped.tapes["b"].asked if isinstance(each, Record)]
    assert asked.paused


def test_a_node_that_comes_back_in_time_names_its_own_file_as_ever(taped: Taped) -> None:
    taped.scene.street.kill("a")
    taped.tapes["a"].alive = False
    taped.scene.run(0.5)
    taped.scene.street.restart("a")
    taped.scene.run(TOLD_S)
    (first,) = taped.hang_up().split()
    assert first.endswith("-1.opus") and ":" not in first


def test_where_nobody_can_go_on_with_it_the_first_part_is_named_and_the_call_says_so(tmp_path: Path) -> None:
    taped = Taped(tmp_path, without="b")
    taped.scene.customer()
    taped.scene.run(GREETED_S + 2.0)
    taped.kill("a")
    (fault,) = [e for e in taped.scene.house_of("b").house.ledger.told if isinstance(e, RecordingFault)]
    assert "cannot go on with it" in fault.what
    (first,) = taped.hang_up().split()
    assert first.startswith("a:")


@pytest.mark.parametrize("heard", [False, True])
def test_a_notice_that_was_not_heard_out_is_heard_again_and_one_that_was_is_not(
    tmp_path: Path, heard: bool
) -> None:
    taped = Taped(tmp_path, "announce")
    taped.scene.agents[0].answers = False
    taped.scene.customer()
    taped.scene.run(14.0 if heard else 0.8)
    before = taped.only("a")
    assert before.recording.noticed and before.recording.heard is heard
    assert (before.state is State.GREETING) is not heard
    taped.kill("a")
    taped.scene.run(14.0)
    assert taped.only("b").recording.heard
    plays = [play for play in taped.scene.house_of("b").house.told_to_play if play == recording.NOTICE]
    assert len(plays) == (0 if heard else 1)
