"""Transport-wide feedback: hand-made messages, and anything that is none."""

from __future__ import annotations

import struct
from random import Random

import numpy as np
import pytest

from media import twcc


def message(base: int, statuses: int, reference: int, chunks: list[int], deltas: bytes) -> bytes:
    head = struct.pack("!IIHHI", 1, 2, base, statuses, (reference & 0xFF_FFFF) << 8 | 9)
    return head + b"".join(struct.pack("!H", chunk) for chunk in chunks) + deltas


def test_a_run_of_small_deltas_adds_up_in_quarters_of_a_millisecond():
    found = twcc.parse(message(10, 3, 2, [0x2000 | 3], bytes([4, 8, 80])))
    assert found is not None
    assert (found.ssrc, found.base, found.serial) == (2, 10, 9)
    assert found.arrived.tolist() == [129.0, 131.0, 151.0]


def test_a_vector_of_one_bit_symbols_tells_lost_from_come():
    found = twcc.parse(message(0, 14, 0, [0x8000 | 0b10110000000001], bytes([4] * 4)))
    assert found is not None
    assert np.flatnonzero(~np.isnan(found.arrived)).tolist() == [0, 2, 3, 13]


def test_two_bit_symbols_have_large_deltas_that_may_be_negative():
    chunk = 0xC000 | 0b01_10_00_10_00_00_00
    found = twcc.parse(message(5, 4, 1, [chunk], bytes([40]) + struct.pack("!hh", 400, -40)))
    assert found is not None
    assert found.arrived[[0, 1, 3]].tolist() == [74.0, 174.0, 164.0] and np.isnan(found.arrived[2])


def test_the_reference_time_is_signed():
    found = twcc.parse(message(5, 1, -1, [0x2001], bytes([0])))
    assert found is not None and found.arrived[0] == -64.0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(15),
        message(0, 0, 0, [0x2001], b"\1"),  # of no packet
        message(0, 3, 0, [0x2001], b"\1"),  # chunks that end early
        message(0, 3, 0, [0x2003], b"\1\1"),  # deltas that end early
        message(0, 2, 0, [0x6002], b"\1\1\1\1"),  # the reserved symbol
        message(0, 60_000, 0, [0x1FFF] * 8, b""),  # more packets than anyone sends
    ],
)
def test_what_is_not_well_formed_is_not_read(data):
    assert twcc.parse(data) is None


def test_random_bytes_never_do_harm():
    rng = Random(5)
    for _ in range(3000):
        found = twcc.parse(rng.randbytes(rng.randint(0, 120)))
        assert found is None or len(found.arrived) <= twcc.MAX_STATUSES


def test_loss_rate_and_growing_delay_follow_from_what_was_sent():
    sent = twcc.Sent()
    sent.clear(5)
    for i in range(10):
        sent.note(np.array([5]), np.array([65_530 + i]), 1.0 + 0.02 * i, np.array([100]))
    arrived = np.array([500.0 + 25.0 * i for i in range(10)])
    arrived[4] = np.nan
    found = sent.figures(5, twcc.Feedback(2, 65_530, 0, arrived))
    assert found is not None
    assert found.loss == pytest.approx(0.1) and found.queue_ms == pytest.approx(45.0)
    assert found.kbps == pytest.approx(8 * 800 / 225)


def test_feedback_on_packets_that_nobody_remembers_means_nothing():
    sent = twcc.Sent()
    sent.clear(0)
    assert sent.figures(0, twcc.Feedback(2, 0, 0, np.array([1.0, 2.0, 3.0]))) is None
