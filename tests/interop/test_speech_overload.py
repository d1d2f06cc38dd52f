"""Four times more people speak than can be heard: calls do not notice, and what is left out is told."""

from __future__ import annotations

import asyncio
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from benchmarks.bench_interpret import conversation
from benchmarks.bench_overload import LEGS, Pairs, run
from media.speech.shedding import Level
from tests.interop.booth import speech

IN_TIME_S = 3.5  # after the end of speech, for nine captions of ten
NOISE = 1.25  # of CPU a call over the floor's, between two measurements of a few seconds on a busy machine


@pytest.fixture(scope="module")
def pairs() -> Pairs:
    return asyncio.run(run(2, 3.0))


@pytest.mark.timeout(300)
def test_calls_cost_and_sound_as_they_do_without(pairs: Pairs) -> None:
    for kind in ("relayed", "rendered"):
        assert pairs.loud.times_floor(kind) < NOISE * pairs.quiet.times_floor(kind)
    assert pairs.loud.lost <= pairs.quiet.lost
    assert pairs.loud.mos > 4.0 and abs(pairs.loud.mos - pairs.quiet.mos) < 0.1


def test_partial_captions_go_first_then_voices_then_captions_of_some_and_all_of_it_comes_back(
    pairs: Pairs,
) -> None:
    down, up = [Level.PARTIALS, Level.VOICES, Level.CAPTIONS], [Level.VOICES, Level.PARTIALS, Level.NOTHING]
    assert [level for level, _ in groupby(pairs.told.levels)] == 2 * (down + up)


def test_those_who_have_captions_have_them_in_time_and_the_others_are_told(pairs: Pairs) -> None:
    assert 2 <= len(pairs.told.captioned) < len(LEGS)
    assert float(np.percentile(pairs.told.lags, 90)) < IN_TIME_S
    assert pairs.told.without | pairs.told.captioned == set(LEGS)


@pytest.mark.timeout(240)
def test_a_node_says_what_its_speech_goes_without_and_when_that_is_over(tmp_path: Path) -> None:
    """One call is four times what this node's speech may use."""
    with conversation(tmp_path, cores=0.01) as on:
        on.say(speech("mi pedido no ha llegado. dónde está mi paquete. quiero una factura", "es"), 0.5)
        assert on.until(lambda: on.node.get("/v1/speech")["level"] == "some_captions", 10)
        assert "captions" in on.node.get("/v1/speech")["says"]
        checks = {each["name"]: each for each in on.node.get("/health")["checks"]}
        assert checks["speech"]["status"] == "degraded" and "captions" in checks["speech"]["detail"]
        assert on.until(lambda: on.node.get("/v1/speech")["level"] == "all", 60)
        checks = {each["name"]: each for each in on.node.get("/health")["checks"]}
        assert checks["speech"]["status"] == "ok"
