"""Probes without a phone: what a recording comes to, what is wrong and in which order, and when who is
probed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from config.carrier import AddressSettings
from config.hours import window
from config.line import LineSettings
from config.probe import ProbeSettings
from engine.probe.analysis import analyse
from engine.probe.result import (
    RANKS,
    REMEDIES,
    CallerId,
    Delay,
    Fault,
    Limits,
    ProbeResult,
    Streams,
    in_order,
    judged,
)
from engine.probe.schedule import DAY_S, LOOK_S, Rounds
from media import codecs, marker
from media.columns import I16
from media.fidelity import Fidelity
from media.marker import Marked

RATE = 8000
BEGAN = 400
LIMITS = Limits()
NOW = 1_760_000_000.0


@pytest.fixture(scope="module")
def said() -> Marked:
    rng = np.random.default_rng(5)
    syllables = np.abs(np.sin(np.arange(RATE * 6) * np.pi * 3.5 / RATE)) ** 2
    return marker.marked((rng.normal(0, 3000, RATE * 6) * syllables).astype(np.int16), RATE, 9.0, rng)


def recording(said: Marked, came: I16, late_s: float = 0.0) -> I16:
    """Of both directions: what was said, from BEGAN on, and what came, so much later."""
    both = np.zeros(BEGAN + len(said.sound) + 2 * RATE, np.int64)
    both[BEGAN : BEGAN + len(said.sound)] += said.sound
    at = BEGAN + round(late_s * RATE)
    both[at : at + len(came)] += came[: len(both) - at]
    return np.clip(both, -32768, 32767).astype(np.int16)


def coded(sound: I16) -> I16:
    law = np.array([codecs.PCMA], np.int8)
    return codecs.decode(law, codecs.encode(law, sound[None, :]))[0]


# --- from the recording to figures ----------------------------------------------------------------------


@pytest.mark.parametrize("late_s", [0.05, 0.24, 1.3])
def test_speech_that_comes_back_is_found_and_good(said: Marked, late_s: float) -> None:
    heard = analyse(said, recording(said, coded(said.sound), late_s), 1.5)
    assert heard.fault is None and heard.delay is not None and heard.speech is not None
    assert heard.delay.median_ms == pytest.approx(1000 * late_s, abs=0.5)
    assert (heard.delay.found, heard.delay.p95_ms) == (len(said.at), pytest.approx(1000 * late_s, abs=0.5))
    assert heard.delay.drift_ms_per_min == pytest.approx(0.0, abs=0.1)
    assert heard.speech.mos > 3.9


def test_a_clock_that_is_off_is_drift(said: Marked) -> None:
    faster = np.interp(np.arange(len(said.sound)) * 1.0005, np.arange(len(said.sound)), said.sound)
    heard = analyse(said, recording(said, faster.astype(np.int16), 0.2), 1.5)
    assert heard.delay is not None
    assert heard.delay.drift_ms_per_min == pytest.approx(-30.0, abs=3.0)  # 500 ppm of a minute


def test_lost_packets_are_heard_and_most_marks_still_found(said: Marked) -> None:
    came, rng = coded(said.sound).copy(), np.random.default_rng(2)
    for at in np.flatnonzero(rng.random(len(came) // 160) < 0.1) * 160:
        came[at : at + 160] = 0
    heard = analyse(said, recording(said, came, 0.2), 1.5)
    assert heard.delay is not None and heard.speech is not None
    assert heard.delay.found >= len(said.at) - 1 and heard.speech.mos < 3.2


@pytest.mark.parametrize(
    ("came", "fault"),
    [
        ("nothing", Fault.SILENCE),
        ("the noise of an idle line", Fault.SILENCE),
        ("somebody else", Fault.FOREIGN),
        ("music", Fault.FOREIGN),
    ],
)
def test_what_is_not_ours_is_told_as_what_it_is(said: Marked, came: str, fault: Fault) -> None:
    rng, count = np.random.default_rng(1), len(said.sound)
    sounds = {
        "nothing": np.zeros(count),
        "the noise of an idle line": rng.normal(0, 6, count),
        "somebody else": np.convolve(rng.normal(0, 3000, count), np.ones(4) / 2, "same"),
        "music": 4000 * np.sin(np.arange(count) * 2 * np.pi * 440 / RATE),
    }
    heard = analyse(said, recording(said, sounds[came].astype(np.int16)), 1.5)
    assert (heard.fault, heard.delay, heard.speech) == (fault, None, None)


def test_a_recording_without_what_was_said_blames_no_line(said: Marked) -> None:
    assert analyse(said, np.zeros(10 * RATE, np.int16), 1.5).fault is Fault.NOT_RUN


# --- the verdict ------------------------------------------------------------------------------------------

GOOD = ProbeResult(
    line="carrier", number="+441", at=NOW, status=200, pdd_s=0.5, setup_s=1.0, codec="PCMA",
    delay=Delay(180.0, 190.0, 170.0, 0.0, 8, 8), streams=Streams(400, 400),
    speech=Fidelity(4.2, 0.1, 0.1, 0.0, 0.0),
    digits_sent="159#", digits_back="159#", caller=CallerId("+44", "+44"),
)  # fmt: skip


def test_a_good_call_passes() -> None:
    assert judged(GOOD, LIMITS).passed and judged(GOOD, LIMITS).remedy == ""


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"streams": Streams(400, 380, 0.05)}, Fault.LOSS),
        ({"streams": Streams(400, 400, remote_loss=0.05)}, Fault.LOSS),
        ({"speech": Fidelity(2.5, 3.0, 3.0, 0.0, 0.0)}, Fault.QUALITY),
        ({"delay": Delay(900.0, 950.0, 880.0, 0.0, 8, 8)}, Fault.DELAY),
        ({"pdd_s": 9.0}, Fault.SLOW),
        ({"digits_back": "19#"}, Fault.DIGITS),
        ({"digits_back": ""}, Fault.DIGITS),
        ({"caller": CallerId("+44", "anonymous")}, Fault.CALLER_ID),
    ],
)
def test_each_shortcoming_is_a_fault_with_a_remedy(changes: dict[str, object], fault: Fault) -> None:
    found = judged(replace(GOOD, **changes), LIMITS)  # type: ignore[arg-type]
    assert (found.fault, found.more) == (fault, ())
    assert found.detail and found.remedy


def test_of_several_faults_the_one_that_explains_most_comes_first() -> None:
    bad = replace(GOOD, pdd_s=9.0, streams=Streams(400, 300, 0.25), speech=Fidelity(1.5, 9.0, 9.0, 0.1, 0.0))
    found = judged(bad, LIMITS, ("AMR-WB",))
    assert found.fault is Fault.WRONG_CODEC
    assert found.more == (Fault.LOSS, Fault.QUALITY, Fault.SLOW)


def test_what_kept_it_from_being_measured_stays_first() -> None:
    found = judged(replace(GOOD, fault=Fault.SILENCE, detail="nothing is heard", pdd_s=9.0), LIMITS)
    assert (found.fault, found.detail, found.more) == (Fault.SILENCE, "nothing is heard", (Fault.SLOW,))


def test_what_cannot_be_known_is_held_against_nobody() -> None:
    unknown = replace(GOOD, digits_back=None, caller=None, speech=None, delay=None, pdd_s=None)
    assert judged(unknown, LIMITS).passed
    assert unknown.digits is None


def test_every_fault_has_a_rank_and_a_remedy() -> None:
    assert set(RANKS) == set(REMEDIES) == set(Fault)


@pytest.mark.parametrize(
    ("sent", "back", "count"),
    [("159#", "159#", 4), ("159#", "15#", 3), ("159#", "1155", 2), ("159#", "#951", 1), ("159#", "", 0)],
)
def test_digits_survive_in_their_order(sent: str, back: str, count: int) -> None:
    assert in_order(sent, back) == count


# --- the schedule -----------------------------------------------------------------------------------------


def line(name: str = "carrier", **probe: object) -> LineSettings:
    settings = ProbeSettings(**{"number": "+441", "every_s": 600.0} | probe)  # type: ignore[arg-type]
    return LineSettings(
        name=name, country="GB", addresses=(AddressSettings(host="192.0.2.1"),), probe=settings
    )


def probed(
    rounds: Rounds, lines: list[LineSettings], seconds: float, step: float = 30.0
) -> list[tuple[str, float]]:
    """Who is probed when, in so many seconds."""
    times = np.arange(0.0, seconds, step)
    return [(name, at) for at in times.tolist() for name in rounds.due(lines, NOW + at)]


def test_a_line_is_probed_at_its_interval() -> None:
    times = [at for _, at in probed(Rounds(), [line()], 3600.0)]
    assert len(times) == 6 and np.allclose(np.diff(times), 600.0, atol=31.0)


def test_lines_of_one_interval_are_not_probed_at_once() -> None:
    first = probed(Rounds(), [line(name) for name in "abc"], 600.0)
    assert [name for name, _ in first] == ["a", "b", "c"]
    assert len({at for _, at in first}) == 3


def test_a_line_is_left_alone_outside_its_hours_and_beyond_its_calls_a_day() -> None:
    closed = line(hours=(window("sat 03:00-03:01"),))
    assert probed(Rounds(), [closed], 7200.0) == []
    few = probed(Rounds(), [line(calls_a_day=3)], DAY_S + 3600.0, 60.0)
    assert len([at for _, at in few if at < DAY_S]) == 3
    assert len(few) > 3  # the next day it goes on


def test_a_line_without_a_schedule_or_without_calls_out_is_never_probed() -> None:
    unscheduled, incoming = line(every_s=0.0), replace(line(), addresses=())
    bare = replace(line(), probe=None)
    assert probed(Rounds(), [unscheduled, incoming, bare], 7200.0) == []


def test_a_probe_that_could_not_be_begun_is_tried_again_soon_and_costs_nothing() -> None:
    rounds, lines = Rounds(), [line(calls_a_day=1)]
    ((name, at),) = probed(rounds, lines, 400.0)
    rounds.put_off(name, NOW + at)
    assert rounds.due(lines, NOW + at + LOOK_S - 1) == []
    assert rounds.due(lines, NOW + at + LOOK_S) == [name]
