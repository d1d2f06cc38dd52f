"""The E-model against figures that ITU-T publishes."""

from __future__ import annotations

import numpy as np
import pytest

from media import codecs, quality
from media.quality import Coding


def one(name: str, loss: float = 0.0, delay_ms: float = 0.0, burst: float = 1.0, kbps: float = 64.0) -> float:
    """R of one leg."""
    found = quality.impairment(name)
    ie = np.interp([kbps], *np.array(found.rates).T)
    best = quality.R_WIDE if found.wide else quality.R_NARROW
    how = Coding(np.array([best]), ie, np.array([found.bpl]), np.array([found.wide]))
    return float(quality.rating(how, np.array([loss]), np.array([burst]), np.array([delay_ms]))[0])


def mos(r: float) -> float:
    return float(quality.mos(np.array([r]))[0])


@pytest.mark.parametrize(("r", "expected"), [(90, 4.34), (80, 4.03), (70, 3.60), (60, 3.10), (50, 2.58)])
def test_mos_of_a_rating_is_that_of_g_107_table_b_1(r, expected):
    assert mos(r) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(("r", "expected"), [(-20, 1.0), (0, 1.0), (3, 1.0), (100, 4.5), (129, 4.5)])
def test_mos_stays_within_its_scale(r, expected):
    assert mos(r) == pytest.approx(expected, abs=0.001)


@pytest.mark.parametrize(
    ("percent", "expected"),
    [(0, 11), (0.5, 13), (1, 15), (1.5, 17), (2, 19), (3, 23), (4, 26), (8, 36), (16, 49)],
)
def test_g_729a_under_random_loss_has_the_impairment_that_g_113_tabulates(percent, expected):
    ie, bpl = np.array([11.0]), np.array([19.0])
    found = quality.effective_impairment(ie, bpl, np.array([percent / 100]), np.ones(1))
    assert found[0] == pytest.approx(expected, abs=0.6)
    assert one("G729", percent / 100) == pytest.approx(93.2 - expected, abs=0.6)


@pytest.mark.parametrize(
    ("delay", "expected"),
    [(0, 0.0), (100, 0.0), (150, 0.1), (200, 3.0), (300, 14.0), (400, 24.1), (500, 31.0)],
)
def test_delay_costs_nothing_to_100_ms_and_more_than_20_points_at_400(delay, expected):
    assert quality.delay_impairment(np.array([float(delay)]))[0] == pytest.approx(expected, abs=1.5)


def test_a_clean_g_711_call_is_rated_93_and_4_41():
    assert one("PCMA") == pytest.approx(93.2) and mos(one("PCMA")) == pytest.approx(4.41, abs=0.005)


def test_losses_in_bursts_hurt_more_than_single_ones():
    ratings = [one("PCMU", 0.05, 50, burst) for burst in (1.0, 2.0, 4.0, 8.0, 60.0)]
    assert ratings == sorted(ratings, reverse=True) and ratings[0] > ratings[3] + 2
    assert ratings[4] == ratings[3]  # G.107 table 2: 8 at most


def test_an_uncompressed_leg_without_concealment_loses_25_points_at_two_percent():
    bare = Coding(*(np.array([each]) for each in (93.2, 0.0, quality.BPL_G711_BARE, False)))
    r = float(quality.rating(bare, np.array([0.02]), np.ones(1), np.zeros(1))[0])
    assert one("PCMU", 0.02) - r > 20


def test_wide_band_rates_above_narrow_band_and_never_below_it_in_mos():
    assert one("G722") == pytest.approx(129 - 13)
    assert one("OPUS", kbps=32) > one("G722") > one("PCMA")
    assert mos(one("G722")) == 4.5 > mos(one("PCMA"))


@pytest.mark.parametrize("name", ["AMR", "AMR-WB", "OPUS", "G722"])
def test_fewer_bits_never_sound_better(name):
    ratings = [one(name, kbps=rate) for rate in (4.0, 6.6, 8.85, 12.65, 18.25, 32.0, 64.0)]
    assert ratings == sorted(ratings)


def test_mos_falls_with_loss_and_total_loss_is_bad():
    values = [mos(one("PCMA", loss / 100, 60)) for loss in range(0, 101, 5)]
    assert values == sorted(values, reverse=True) and values[-1] < 1.5


def test_many_legs_are_rated_at_once_each_by_its_codec():
    kinds = np.array([codecs.PCMU, codecs.PCMA, codecs.UNKNOWN], np.int8)
    how = quality.coding(kinds, np.array([64.0, 64.0, 0.0]))
    rated = quality.rating(how, np.array([0.0, 0.1, 0.0]), np.ones(3), np.array([50.0, 50.0, 300.0]))
    assert rated[0] > rated[2] > rated[1]


def test_every_codec_that_is_spoken_has_an_impairment_of_its_own():
    assert all(kind.name.upper() in quality.CODECS for kind in codecs.KINDS)
