"""How late speech is, found in what came of it: to the sample, where it changes, never where it is not."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.lateness import best, lateness
from media.columns import I16

RATE, SIZE = 16_000, 320
SECONDS = 4.0


def noise(seed: int) -> I16:
    """As loud as speech is, and like itself in one place only."""
    sound = np.random.default_rng(seed).normal(0.0, 2000.0, int(SECONDS * RATE))
    return np.rint(sound).clip(-32768, 32767).astype(np.int16)


def late(said: I16, samples: int) -> I16:
    """The same behind so many samples of silence, in whole packets."""
    whole = len(said) + -(-samples // SIZE) * SIZE
    heard = np.zeros(whole, np.int16)
    heard[samples : samples + len(said)] = said
    return heard


def times(sound: I16, begin: float = 100.0) -> list[float]:
    return [begin + 0.02 * place for place in range(len(sound) // SIZE)]


@pytest.mark.parametrize("samples", [0, 37, 320, 5000])
def test_it_is_told_to_the_sample_wherever_packets_are_cut(samples: int):
    said = noise(1)
    heard = late(said, samples)
    found = lateness(said, times(said), heard, times(heard))
    assert len(found) > 10
    assert [each.ms for each in found] == pytest.approx([1000 * samples / RATE] * len(found), abs=1e-6)


def test_it_counts_from_when_a_packet_was_sent_to_when_its_sound_came():
    said = noise(2)
    found = lateness(said, times(said), said, times(said, 100.25))
    assert {round(each.ms, 3) for each in found} == {250.0}
    assert found[0].at == 0.0 and found[1].at == pytest.approx(0.2)


def test_delay_that_a_loss_leaves_behind_is_seen_from_there_on():
    said, half = noise(3), int(SECONDS * RATE) // SIZE // 2 * SIZE
    heard = np.concatenate([said[:half], np.zeros(3200, np.int16), said[half:]])
    found = lateness(said, times(said), heard, times(heard))
    before = {round(each.ms) for each in found if each.at < SECONDS / 2 - 0.6}
    after = {round(each.ms) for each in found if each.at > SECONDS / 2}
    assert before == {0} and after == {200}


def test_what_is_too_faint_proves_nothing():
    said = (noise(4) // 20).astype(np.int16)
    assert lateness(said, times(said), said, times(said)) == []


def test_other_sound_is_not_taken_for_what_was_said():
    said, other = noise(5), noise(6)
    assert lateness(said, times(said), other, times(other)) == []


def test_what_comes_later_than_is_looked_for_is_left_out():
    said = noise(7)
    assert lateness(said, times(said), said, times(said, 103.0)) == []


def test_nothing_was_heard():
    said = noise(8)
    assert lateness(said, times(said), np.empty(0, np.int16), []) == []


def test_a_piece_is_found_where_it_is_even_when_it_is_quieter_there():
    piece = noise(9)[:4000].astype(np.float64)
    window = np.concatenate([noise(10)[:1234], 0.1 * piece, noise(11)[:3000]])
    place, likeness = best(piece, window)
    assert place == 1234 and likeness == pytest.approx(1.0)
