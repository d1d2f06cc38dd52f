"""RTP headers, read in batches, from friends and strangers."""

from __future__ import annotations

import struct
from random import Random

import numpy as np
import pytest

from media import rtp
from media.network import STRIDE, Batch
from tests.media.stage import packet


def filled(*datagrams: bytes) -> tuple[Batch, int]:
    batch = Batch(max(len(datagrams), 1))
    for slot, data in enumerate(datagrams):
        batch.views[slot][: min(len(data), STRIDE)] = data[:STRIDE]
    count = batch.fill(list(range(len(datagrams))), [min(len(data), STRIDE) for data in datagrams])
    return batch, count


def payload(batch: Batch, packets: rtp.Packets, i: int) -> bytes:
    start, size = int(packets.start[i]), int(packets.size[i])
    return bytes(batch.views[int(packets.slots[i])][start : start + size])


def test_a_plain_packet_is_read_field_by_field():
    batch, count = filled(packet(65535, 0xFFFFFFF0, 0xDEADBEEF, b"sound", pt=8, marker=True))
    packets, reports = rtp.parse(batch, count)
    assert (packets.pt[0], packets.sequence[0], packets.timestamp[0]) == (8, 65535, 0xFFFFFFF0)
    assert packets.ssrc[0] == 0xDEADBEEF and packets.marker[0] and payload(batch, packets, 0) == b"sound"
    assert len(reports) == 0


def test_csrcs_extension_and_padding_are_not_taken_for_sound():
    head = struct.pack("!BBHII", 0x80 | 0x20 | 0x10 | 2, 0, 1, 2, 3)
    csrcs, extension = bytes(8), struct.pack("!HH", 0xBEDE, 1) + b"\x10\xff\x00\x00"
    batch, count = filled(packet(1, 2, 3, b"first"), head + csrcs + extension + b"sound" + b"\0\0\x03")
    packets, _ = rtp.parse(batch, count)
    assert payload(batch, packets, 1) == b"sound"
    rtp.straighten(batch, packets)
    assert packets.start.tolist() == [12, 12] and payload(batch, packets, 1) == b"sound"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80",
        bytes(12),
        packet(1, 2, 3, b""),
        b"\x40" + packet(1, 2, 3, b"sound")[1:],
        struct.pack("!BBHII", 0x8F, 0, 1, 2, 3) + bytes(20),
        struct.pack("!BBHII", 0x90, 0, 1, 2, 3) + b"\xbe\xde",
        struct.pack("!BBHII", 0x90, 0, 1, 2, 3) + b"\xbe\xde\xff\xff" + bytes(100),
        struct.pack("!BBHII", 0xA0, 0, 1, 2, 3) + b"sound\xff",
        struct.pack("!BBHII", 0xA0, 0, 1, 2, 3) + b"sound\x00",
        packet(1, 2, 3, bytes(STRIDE)),
    ],
    ids=[
        *("empty", "one byte", "version 0", "no payload", "version 1", "more CSRCs than bytes"),
        *(
            "cut extension",
            "extension past the end",
            "padding past the start",
            "no padding in padding",
            "too long",
        ),
    ],
)
def test_what_is_no_packet_is_left_out_and_hurts_no_neighbour(data):
    batch, count = filled(packet(7, 8, 9, b"before"), data, packet(10, 11, 12, b"after"))
    packets, reports = rtp.parse(batch, count)
    assert packets.sequence.tolist() == [7, 10] and len(reports) == 0
    assert payload(batch, packets, 1) == b"after"


def test_rtcp_on_the_same_port_is_told_from_rtp():
    report = struct.pack("!BBHI", 0x80, 201, 1, 99)
    batch, count = filled(packet(1, 2, 3, b"sound", pt=96, marker=True), report)
    packets, reports = rtp.parse(batch, count)
    assert packets.slots.tolist() == [0] and reports.tolist() == [1]


def test_random_bytes_never_give_a_payload_outside_the_packet():
    rng = Random(11)
    for _ in range(300):
        datagrams = [
            rng.randbytes(rng.choice([0, 3, 11, 12, 13, 20, 60, 172, 700, 1599, 1700])) for _ in range(32)
        ]
        datagrams = [bytes([data[0] & 0x3F | 0x80]) + data[1:] if data else data for data in datagrams]
        batch, count = filled(*datagrams)
        packets, reports = rtp.parse(batch, count)
        ends = packets.start + packets.size
        assert (packets.size > 0).all() and (packets.start >= 12).all()
        assert (ends <= batch.sizes[packets.slots]).all()
        assert set(packets.slots.tolist()).isdisjoint(reports.tolist())


def test_timestamp_differences_take_the_nearer_way_around():
    differences = np.array([5 - 0xFFFFFFFB, 0xFFFFFFFB - 5, 100, -100, 0])
    assert rtp.signed(differences).tolist() == [10, -10, 100, -100, 0]
    assert [rtp.nearer(int(difference)) for difference in differences] == [10, -10, 100, -100, 0]
