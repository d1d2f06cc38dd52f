"""RTCP extended reports: built, read, and random ones survived."""

from __future__ import annotations

import struct
from random import Random

import pytest

from media import xr
from media.losses import Clusters
from media.xr import LastReceived, VoipMetrics

METRICS = VoipMetrics(
    0xABCD, 12, 3, 90, 4, 340, 12_000, 150, 60, -20, -60, 55, 16, 88, 127, 41, 39, 0xF0, 40, 120, 200
)


def body(data: bytes) -> bytes:
    assert data[1] == xr.XR and len(data) == 4 + 4 * int.from_bytes(data[2:4], "big")
    return data[4:]


def test_voip_metrics_are_read_as_they_were_built():
    found = xr.parse(body(xr.build(7, METRICS)))
    assert found == xr.Extended(7, 0, [], [METRICS])


def test_the_voip_block_lies_as_section_4_7_draws_it():
    data = xr.build(7, METRICS)
    assert len(data) == 8 + 36 and data[8] == 7 and data[10:12] == b"\0\x08"
    assert data[12:16] == struct.pack("!I", 0xABCD) and data[16:20] == bytes([12, 3, 90, 4])
    assert struct.unpack("!HHHH", data[20:28]) == (340, 12_000, 150, 60)
    assert data[28:37] == bytes([236, 196, 55, 16, 88, 127, 41, 39, 0xF0])
    assert struct.unpack("!HHH", data[38:44]) == (40, 120, 200)


def test_receiver_times_are_asked_and_answered():
    found = xr.parse(body(xr.build(7, reference=0x0123456789ABCDEF, received=LastReceived(8, 9, 10))))
    assert found == xr.Extended(7, 0x0123456789ABCDEF, [LastReceived(8, 9, 10)], [])


def test_with_nothing_to_say_there_is_no_packet():
    assert xr.build(7) == b""


def test_blocks_of_other_kinds_are_passed_over():
    strange = struct.pack("!BBH", 42, 0, 1) + bytes(4)
    whole = body(xr.build(7, METRICS))
    assert xr.parse(whole[:4] + strange + whole[4:]) == xr.Extended(7, 0, [], [METRICS])


@pytest.mark.parametrize("cut", [4, 7, 8, 20, 39])
def test_a_block_that_is_cut_off_ends_the_reading(cut):
    found = xr.parse(body(xr.build(7, METRICS))[:cut])
    assert found is not None and found.metrics == []


def test_random_bytes_never_do_harm():
    rng, whole = Random(3), body(xr.build(7, METRICS, 5, LastReceived(1, 2, 3)))
    for _ in range(3000):
        data = bytearray(whole * rng.randint(1, 3))
        for _ in range(rng.randint(0, 8)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        found = xr.parse(bytes(data[: rng.randint(0, len(data))]))
        assert found is None or len(found.metrics) <= xr.MAX_BLOCKS
        xr.parse(rng.randbytes(rng.randint(0, 100)))


def test_figures_are_put_into_their_fields_and_never_overflow():
    made = xr.metrics(
        1,
        Clusters(0.5, 0.01, 10.0, 1e9),
        loss=1.0,
        discards=0.25,
        packet_ms=20.0,
        round_trip_ms=1e6,
        buffer_ms=60.0,
        max_buffer_ms=200.0,
        r=116.0,
        mos_lq=4.5,
        mos_cq=4.12,
    )
    found = xr.parse(body(xr.build(7, made)))
    assert found is not None
    metrics = found.metrics[0]
    assert (metrics.loss_rate, metrics.discard_rate, metrics.burst_density) == (255, 64, 128)
    assert (metrics.burst_ms, metrics.gap_ms, metrics.round_trip_ms) == (200, 65_535, 65_535)
    assert (metrics.r, metrics.mos_lq, metrics.mos_cq, metrics.end_system_ms) == (100, 45, 41, 80)
