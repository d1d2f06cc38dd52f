"""Whatever is done to a valid message, the wire layer raises nothing and lets nothing through."""

from __future__ import annotations

from random import Random

import pytest

from sip.framing import Framer
from tests.sip.exercise import exercise
from tests.sip.mutate import mutate, seeds


@pytest.mark.parametrize("data", seeds())
def test_each_seed_is_valid_and_reads_the_same_once_written(data):
    assert exercise(data, Random(0)) == "read"


@pytest.mark.parametrize("batch", range(10))
def test_a_damaged_message_is_read_or_refused_and_never_raises(batch):
    outcomes = {"read": 0, "refused": 0}
    for number in range(batch * 1000, (batch + 1) * 1000):
        rng = Random(number)
        outcomes[exercise(mutate(rng.choice(seeds()), rng), rng)] += 1
    # Both ways are taken, or the damage is of no use as a test.
    assert outcomes["read"] > 100 and outcomes["refused"] > 100


def test_the_same_seed_does_the_same_damage():
    assert mutate(seeds()[0], Random(7)) == mutate(seeds()[0], Random(7)) != mutate(seeds()[0], Random(8))


def test_noise_is_never_a_message():
    rng = Random(1)
    for _ in range(500):
        assert exercise(rng.randbytes(rng.randrange(200)), rng) == "refused"


def test_a_stream_holds_back_no_more_than_a_head_or_a_body():
    framer = Framer()
    invite = seeds()[0]
    for _ in range(3000):
        framer.feed(invite[:-7] + invite[-7:])
        assert framer.buffered == 0
