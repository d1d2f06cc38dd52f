"""A number that lets callers hear themselves."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from engine.echo import LONGEST_S
from engine.events import EndReason, Side
from engine.states import State
from tests.sim.stage import Stage

ECHO = "+4930400"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def heard(stage: Stage) -> list[bytes]:
    """Payloads of the packets that the node sends from now on."""
    payloads: list[bytes] = []
    stage.house.carried = lambda datagram, target: payloads.append(datagram[12:])
    return payloads


def test_a_caller_hears_what_she_says_untouched(stage: Stage) -> None:
    caller = stage.customer(ECHO)
    caller.speaks = False
    stage.run(2.0)
    assert stage.call.state is State.ECHOING
    payloads = heard(stage)
    words = [struct.pack("!B", 32 + number) * 160 for number in range(20)]
    for word in words:
        caller.say(160, word)
        stage.run(0.02)
    assert payloads == words


def test_the_record_says_how_long_she_heard_herself(stage: Stage) -> None:
    caller = stage.customer(ECHO)
    stage.run(10.0)
    assert caller.session is not None
    caller.session.hangup(None, now=stage.world.now)
    caller.host.pump()
    stage.run(3.0)
    (record,) = stage.records
    assert (record.reason, record.ended_by) == (EndReason.COMPLETED, Side.CUSTOMER)
    assert 8.0 < record.talk_s < 10.0


def test_nobody_hears_herself_for_ever(stage: Stage) -> None:
    stage.customer(ECHO)
    stage.run(LONGEST_S + 5.0)
    (record,) = stage.records
    assert record.reason is EndReason.TOO_LONG
