"""From relayed to rendered and back while somebody speaks: the listener hears one unbroken voice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from media.codecs import g711
from media.delay import MENDED_MS, PRICE_MS
from media.legs import Way
from media.messages import SetGain
from tests.media.stage import Phone, Stage

HERTZ = 213.0  # its period fits into no block and no depth of a buffer


@pytest.fixture
def stage() -> Stage:
    """Leg 1 speaks to leg 2, relayed."""
    stage = Stage()
    speaker = stage.leg(1)
    stage.leg(2)
    stage.do(SetGain(1, 2), SetGain(2, 1))
    speaker.hertz = HERTZ
    return stage


def row(stage: Stage, number: int) -> int:
    leg = stage.control.core.table.find(number)
    assert leg is not None
    return leg.row


def way(stage: Stage) -> Way:
    return Way(int(stage.control.core.table.common.way[row(stage, 2)]))


def want(stage: Stage, repair: bool) -> None:
    stage.control.core.turning.want(row(stage, 2), repair, stage.now)


def pure(sound: np.ndarray[Any, Any]) -> float:
    """How much of the sound is the one tone that was sent, whatever its phase did slowly: 1 for all of it.

    A repeated or missing piece breaks the phase, which smears the tone.
    """
    n = np.arange(len(sound))
    base = sound * np.exp(-2j * np.pi * HERTZ * n / 8000)
    kernel = np.hanning(160) / np.hanning(160).sum()
    slow = np.convolve(base, kernel, "same")
    return float(np.min(np.abs(slow[200:-200])) / np.median(np.abs(slow)))


def received(listener: Phone, since: float) -> np.ndarray[Any, Any]:
    packets = [heard for heard in listener.got if heard.at >= since and heard.pt == 0]
    steps = np.diff([heard.timestamp for heard in packets])
    assert (steps == 160).all(), "time goes on as if nothing had happened"
    assert (np.diff([heard.sequence for heard in packets]) == 1).all()
    payload = b"".join(heard.payload for heard in packets)
    return g711.decode(g711.MU, np.frombuffer(payload, np.uint8)).astype(float)


def test_a_voice_is_unbroken_when_its_leg_becomes_rendered(stage: Stage) -> None:
    stage.run(1.0)
    begin = stage.now
    want(stage, True)
    stage.run(0.5)
    assert way(stage) == Way.RELAYED, "its source is listened to first"
    stage.run(2.5)
    assert way(stage) == Way.RENDERED
    sound = received(stage.legs[2], begin)
    assert pure(sound) > 0.97
    plane = stage.control.core.planes[0]
    assert plane.playout.depth_ms(plane.slots)[0] >= 20, "the buffer fills by stretching"


def test_what_is_rendered_on_purpose_has_its_price_until_something_else_is_heard_with_it(
    stage: Stage,
) -> None:
    stage.run(0.5)
    want(stage, True)
    stage.run(1.5)
    playout = stage.control.core.planes[0].playout
    slot = stage.control.core.planes[0].slot(row(stage, 1))
    assert playout.delays.price[slot] == MENDED_MS
    stage.leg(3)
    stage.do(SetGain(3, 2))
    stage.run(0.1)
    assert playout.delays.price[slot] == PRICE_MS, "who is in a conference would not be relayed anyway"


def test_the_way_back_is_taken_in_silence(stage: Stage) -> None:
    stage.run(0.5)
    want(stage, True)
    stage.run(2.5)
    want(stage, False)
    stage.run(2.0)
    assert way(stage) == Way.RENDERED, "nobody is cut off in the middle of a word"
    stage.legs[1].level = 0.0
    stage.run(1.0)
    assert way(stage) == Way.RELAYED
    stage.legs[1].level = 8000.0
    begin = stage.now
    stage.run(1.0)
    assert pure(received(stage.legs[2], begin + 0.05)) > 0.97


def test_who_never_falls_silent_is_relayed_again_in_the_end(stage: Stage) -> None:
    stage.run(0.5)
    want(stage, True)
    stage.run(1.5)
    want(stage, False)
    stage.run(16.0)
    assert way(stage) == Way.RELAYED


def test_a_change_of_mind_before_the_turn_leaves_everything_as_it_was(stage: Stage) -> None:
    stage.run(0.5)
    want(stage, True)
    stage.run(0.5)
    want(stage, False)
    stage.run(2.0)
    assert way(stage) == Way.RELAYED
    assert not stage.control.core.plan.hears, "nothing is decoded for nobody"


def test_speech_on_a_rough_network_is_rendered_by_itself_and_relayed_when_that_is_over(stage: Stage) -> None:
    stage.run(2.0)
    count = 0

    def lossy(data: bytes) -> list[bytes]:
        nonlocal count
        count += 1
        return [] if count % 12 == 0 else [data]

    stage.legs[1].tamper = lossy
    stage.run(8.0)
    assert way(stage) == Way.RENDERED
    stage.legs[1].tamper = None
    stage.legs[1].level = 0.0
    stage.run(45.0)
    assert way(stage) == Way.RELAYED
