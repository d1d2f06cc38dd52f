"""Redundant audio data (RFC 2198) against a packet made by hand, and against rubbish."""

from __future__ import annotations

import random

import pytest

from media import red
from media.red import Block

# A copy of type 97, 160 units old, of 3 bytes: 1 1100001 00000010100000 0000000011; then type 97 itself.
PACKET = bytes([0b1110_0001, 0b0000_0010, 0b1000_0000, 0b0000_0011, 97]) + b"oldnow it is"
BLOCKS = [Block(97, 160, b"old"), Block(97, 0, b"now it is")]


def test_a_packet_is_its_copies_and_its_own_sound():
    assert red.split(PACKET) == BLOCKS
    assert red.join(BLOCKS) == PACKET


def test_a_packet_without_copies_has_a_head_of_one_byte():
    assert red.join([Block(97, 0, b"now")]) == b"\x61now"
    assert red.split(b"\x61now") == [Block(97, 0, b"now")]


def test_a_copy_that_no_header_can_hold_is_left_out():
    own = Block(97, 0, b"now")
    assert red.split(red.join([Block(97, 16384, b"too old"), Block(97, 960, bytes(1024)), own])) == [own]


@pytest.mark.parametrize(
    "payload",
    [b"", b"\xe1", PACKET[:4], PACKET[:6], b"\xe1\x02\x80\x03" * 20 + PACKET],
    ids=["nothing", "half a header", "no last header", "a copy cut off", "copies without end"],
)
def test_a_packet_that_does_not_fit_together_is_none(payload):
    assert red.split(payload) is None


def test_rubbish_never_raises():
    rng = random.Random(2198)
    for _ in range(50_000):
        blocks = red.split(rng.randbytes(rng.randint(0, 60)))
        assert blocks is None or blocks[-1].back == 0
