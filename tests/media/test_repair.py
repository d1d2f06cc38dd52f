"""When a relayed leg is rendered on purpose, and when it is relayed again."""

from __future__ import annotations

import numpy as np
import pytest

from media import repair
from media.repair import EASE, Roughness
from media.xr import VoipMetrics

ROWS = np.arange(2)


def looked(roughness: Roughness, seconds: float, jitter_ms: float, loss: float, now: float) -> float:
    end = now + seconds
    while now < end:
        now += 0.2
        roughness.look(ROWS, np.array([jitter_ms, 0.0]), np.array([loss, 0.0]), now)
    return now


@pytest.mark.parametrize(("jitter_ms", "loss"), [(20.0, 0.0), (0.0, 0.05), (12.0, 0.01)])
def test_a_rough_network_is_known_within_two_seconds_and_others_are_left_alone(jitter_ms, loss):
    roughness = Roughness(2)
    looked(roughness, 2.0, jitter_ms, loss, 100.0)
    assert roughness.rough.tolist() == [True, False]


@pytest.mark.parametrize(("jitter_ms", "loss"), [(0.0, 0.0), (5.0, 0.004), (9.0, 0.012)])
def test_what_endpoints_take_in_their_stride_is_not_rough(jitter_ms, loss):
    roughness = Roughness(2)
    looked(roughness, 60.0, jitter_ms, loss, 100.0)
    assert not roughness.rough.any()


def test_a_short_spike_changes_nothing():
    roughness = Roughness(2)
    now = looked(roughness, 0.6, 40.0, 0.0, 100.0)
    looked(roughness, 5.0, 2.0, 0.0, now)
    assert not roughness.rough.any()


def test_it_stays_rough_between_the_thresholds_and_smooths_only_after_long_calm():
    roughness = Roughness(2)
    now = looked(roughness, 2.0, 20.0, 0.0, 100.0)
    now = looked(roughness, 60.0, 8.0, 0.01, now)
    assert roughness.rough[0]
    now = looked(roughness, EASE - 1.0, 2.0, 0.0, now)
    assert roughness.rough[0]
    looked(roughness, 2.0, 2.0, 0.0, now)
    assert not roughness.rough[0]


def test_jitter_to_and_fro_around_the_threshold_does_not_flap():
    roughness, changes, now = Roughness(2), 0, 100.0
    rng = np.random.default_rng(3)
    for _ in range(1500):
        now += 0.2
        jitter = np.array([10.0, 8.0]) + rng.normal(0, 2.0, 2)
        changes += len(roughness.look(ROWS, jitter, np.zeros(2), now))
    assert changes <= 3


@pytest.mark.parametrize(
    ("setting", "rough", "listener", "expected"),
    [
        ("auto", True, None, True),  # nobody says that it copes
        ("auto", False, None, False),
        ("on", False, None, True),
        ("off", True, None, False),
        ("auto", True, VoipMetrics(1, mos_lq=42, discard_rate=0), False),  # it plays it well by itself
        ("auto", True, VoipMetrics(1, mos_lq=42, discard_rate=9), True),
        ("auto", True, VoipMetrics(1, mos_lq=25, discard_rate=0), True),
        ("auto", True, VoipMetrics(1), True),
    ],
)
def test_repair_is_for_rough_networks_and_listeners_that_do_not_cope(setting, rough, listener, expected):
    assert repair.wanted(setting, rough, listener) is expected
