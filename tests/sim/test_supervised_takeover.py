"""A node dies under a call that a supervisor listens to: it goes on at another node, without her."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import supervision
from engine.events import EndReason
from engine.states import State
from engine.supervision import Mode, Wish
from tests.sim.stage import AgentVoice
from tests.sim.test_takeover import GREETED_S, TOLD_S, Scene


class Watched(Scene):
    """agent0 talks to a customer at house a, and sue is in their call."""

    def __init__(self, folder: Path, mode: Mode) -> None:
        super().__init__(folder)
        self.sue = AgentVoice(self, "10.3.0.1", "sue", [])  # type: ignore[arg-type]
        self.sue.register()
        self.caller = self.customer()
        self.run(GREETED_S)
        self.switch = self.house_of("a").house.switch
        (self.before,) = self.switch.calls.values()
        supervision.ask(self.switch, self.before.id, Wish(mode, "sue", "boss"), self.world.now)
        self.house_of("a").house.host.pump()
        self.run(3.0)


@pytest.mark.parametrize("mode", [Mode.LISTEN, Mode.WHISPER, Mode.BARGE])
def test_the_two_talk_on_without_her(tmp_path: Path, mode: Mode) -> None:
    scene = Watched(tmp_path, mode)
    assert len(scene.before.supervisors) == 1 and len(scene.before.legs) == 3
    scene.street.kill("a")
    scene.run(TOLD_S)
    (call,) = scene.house_of("b").calls.values()
    assert call.state is State.TALKING and not call.supervisors
    assert len(call.legs) == 2 and scene.sue.asked == 0, "nobody asks her over"
    scene.caller.hang_up(scene.caller.session)  # type: ignore[arg-type]
    scene.caller.host.pump()
    scene.run(10.0)
    record = scene.one_record()
    assert (record.agent, record.reason) == ("agent0", EndReason.COMPLETED)  # type: ignore[attr-defined]
    assert not scene.house_of("b").house.switch.legs


def test_one_who_took_over_is_the_agent_there_too(tmp_path: Path) -> None:
    scene = Watched(tmp_path, Mode.TAKE_OVER)
    assert scene.before.agent == "sue" and not scene.agents[0].live
    scene.street.kill("a")
    scene.run(TOLD_S)
    (call,) = scene.house_of("b").calls.values()
    assert call.state is State.TALKING and call.party is not None
    assert (call.party.name, call.agent, scene.sue.asked) == ("sue", "sue", 1)
