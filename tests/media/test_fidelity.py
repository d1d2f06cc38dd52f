"""The score of speech that was sent and came back."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from pesq import pesq

from benchmarks import hearing
from benchmarks.fidelity_fit import clipping, losing, modulated, noisy, through, together
from media import codecs, fidelity
from media.columns import I16
from media.fidelity import Fidelity

RATE = fidelity.RATE
Damage = Callable[[I16, np.random.Generator], I16]
LAW = through(codecs.PCMA)


@pytest.fixture(scope="module")
def said() -> I16:
    try:
        return hearing.passages(RATE, seconds=8.0, seed=3)[0].samples
    except FileNotFoundError as error:
        pytest.skip(str(error))


def scored(said: I16, damage: Damage) -> Fidelity:
    came = damage(said, np.random.default_rng(7))
    count = min(len(came), len(said)) // 160 * 160
    found = fidelity.compare(*fidelity.in_step(said, came, [(0, count - 1600)], [0.0]))
    assert found is not None
    return found


def test_what_came_as_it_was_sent_is_best(said: I16) -> None:
    assert scored(said, lambda samples, _: samples).mos == fidelity.BEST


@pytest.mark.parametrize(
    "worse",
    [
        [together(LAW, losing(share, False)) for share in (0.0, 0.01, 0.05, 0.2)],
        [together(LAW, losing(share, True)) for share in (0.01, 0.1, 0.3)],
        [modulated(q) for q in (35, 25, 15, 5)],
        [noisy(snr) for snr in (40, 30, 20, 10)],
        [clipping(share) for share in (0.5, 0.3, 0.1)],
    ],
    ids=["lost packets", "repeated packets", "modulated noise", "white noise", "clipping"],
)
def test_more_damage_is_a_lower_score(said: I16, worse: list[Damage]) -> None:
    scores = [scored(said, damage).mos for damage in worse]
    assert all(better > than + 0.1 for better, than in pairwise(scores)), scores


def test_each_codec_once_more_is_a_lower_score(said: I16) -> None:
    if not codecs.available(codecs.G729):
        pytest.skip("this machine lacks the codec's library")
    low = through(codecs.G729)
    scores = [scored(said, damage).mos for damage in (LAW, low, together(low, low))]
    assert scores[0] > 4.0 > scores[1] > scores[2] > 1.5


def test_level_and_a_filter_are_no_damage(said: I16) -> None:
    quieter = scored(said, lambda samples, _: (samples // 4).astype(np.int16))
    assert quieter.mos > 4.2
    assert quieter.gain_db == pytest.approx(-12.0, abs=0.1)


def test_what_did_not_come_is_told(said: I16) -> None:
    half = scored(
        said,
        lambda samples, _: np.concatenate((samples[: len(samples) // 2], 0 * samples[len(samples) // 2 :])),
    )
    assert half.missing == pytest.approx(0.5, abs=0.15)
    assert half.mos < 2.0
    assert fidelity.compare(said, np.zeros_like(said)) is None


def test_a_jitter_buffer_that_grows_in_a_pause_is_no_damage(said: I16) -> None:
    turn = len(said) // 2
    came = np.concatenate((said[:turn], np.zeros(400, np.int16), said[turn:]))
    spans = [(0, turn), (turn, len(said) - 1600)]
    found = fidelity.compare(*fidelity.in_step(said, came, spans, [0.0, 0.03]))
    assert found is not None and found.mos > 4.3


def test_the_score_is_near_that_of_pesq(said: I16) -> None:
    damages = [
        LAW,
        modulated(15),
        modulated(25),
        noisy(20),
        together(LAW, losing(0.05, True)),
        losing(0.1, False),
    ]
    apart = [
        scored(said, damage).mos - pesq(RATE, said, damage(said, np.random.default_rng(7))[: len(said)], "nb")
        for damage in damages
    ]
    assert float(np.sqrt(np.mean(np.square(apart)))) < 0.5
