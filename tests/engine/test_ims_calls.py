"""Calls of mobile networks that agree on resources first (RFC 3312): what the engine has to do with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.events import EndReason
from engine.states import State
from sip.manner import Manner
from sip.session import Session
from tests.sim.stage import Stage, Voice

LATER = Manner(supported=("100rel", "precondition"), reserved=False)
AT_ONCE = Manner(supported=("100rel", "precondition"))


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def network(stage: Stage, number: str, manner: Manner) -> tuple[Voice, Session]:
    """A call of a mobile network over the carrier's line."""
    phone = Voice(stage, "10.1.0.77")
    return phone, phone.call(number, "+491701234", manner=manner)


@pytest.mark.parametrize("number", ["+4930100", "agent0"])
def test_nobody_is_rung_for_a_call_before_it_has_its_resources(stage: Stage, number: str) -> None:
    phone, session = network(stage, number, LATER)
    stage.run(3.0)
    assert (session.state, stage.call.state, stage.agent.shown) == ("proceeding", State.ARRIVED, [])
    session.reserved(now=stage.world.now)
    phone.host.pump()
    stage.run(8.0)
    assert (session.state, stage.call.state, len(stage.agent.shown)) == ("connected", State.TALKING, 1)


def test_a_call_that_has_them_from_the_beginning_waits_for_nothing(stage: Stage) -> None:
    _, session = network(stage, "agent0", AT_ONCE)
    stage.run(0.5)
    assert (stage.call.state, len(stage.agent.shown)) == (State.DIALLING, 1)
    stage.run(3.0)
    assert session.state == "connected"


def test_a_caller_who_gives_up_meanwhile_was_never_anybodys(stage: Stage) -> None:
    phone, session = network(stage, "agent0", LATER)
    stage.run(1.0)
    phone.hang_up(session)
    phone.host.pump()
    stage.run(3.0)
    assert not stage.calls and not stage.agent.shown
    assert stage.records[-1].reason is EndReason.ABANDONED
