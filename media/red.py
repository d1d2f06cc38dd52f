"""Redundant audio data: a packet that carries copies of earlier ones before its own sound (RFC 2198)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from media import codecs
from media.columns import I8
from media.network import HEADER, Batch
from media.rtp import Packets

MOST = 8  # copies a packet
FURTHEST, LARGEST = (1 << 14) - 1, (1 << 10) - 1  # timestamp units back, bytes: what a copy's header holds


class Block(NamedTuple):
    """pt: payload type of the contents. back: how much older than the packet they are, timestamp units."""

    pt: int
    back: int
    payload: bytes


def split(payload: bytes) -> list[Block] | None:
    """The blocks of a payload, oldest first and the packet's own last; None for a payload that is none."""
    headers: list[tuple[int, int, int]] = []
    at = 0
    while at < len(payload) and payload[at] & 0x80:
        header = int.from_bytes(payload[at : at + 4], "big")
        headers.append((header >> 24 & 0x7F, header >> 10 & FURTHEST, header & LARGEST))
        at += 4
        if len(headers) > MOST:
            return None
    if at >= len(payload):
        return None
    own = payload[at] & 0x7F
    at += 1
    blocks = []
    for pt, back, size in headers:
        blocks.append(Block(pt, back, payload[at : at + size]))
        at += size
    if at > len(payload):
        return None
    blocks.append(Block(own, 0, payload[at:]))
    return blocks


def own(payload: bytes | memoryview) -> int | None:
    """The payload type of a packet's own sound, None of a payload that is none."""
    at = 0
    while at < len(payload) and payload[at] & 0x80:
        at += 4
    return payload[at] if at < len(payload) and at <= 4 * MOST else None


def reveal(batch: Batch, packets: Packets, types: I8, kinds: I8) -> None:
    """Put into `kinds` what packets with copies really hold: COPIES + the codec of their own sound.

    types: codecs by payload type, int8[rows, 128]. Where that sound is none of the leg's codecs, or has
    another clock than the packet's payload type, RED stays.
    """
    for i in np.flatnonzero(kinds >= codecs.RED).tolist():
        payload = batch.views[packets.slots[i]][HEADER : HEADER + packets.size[i]]
        pt = own(payload)
        kind = int(types[packets.rows[i], pt]) if pt is not None else codecs.UNKNOWN
        if 0 <= kind < len(codecs.KINDS) and codecs.REDS[codecs.KINDS[kind].clock] == kinds[i]:
            kinds[i] = codecs.COPIES + kind


def join(blocks: Sequence[Block]) -> bytes:
    """The payload of blocks, oldest first and the packet's own last; left out is what no header can hold."""
    *copies, own = blocks
    copies = [block for block in copies if block.back <= FURTHEST and len(block.payload) <= LARGEST]
    heads = (1 << 31 | copy.pt << 24 | copy.back << 10 | len(copy.payload) for copy in copies)
    contents = b"".join(copy.payload for copy in copies)
    return b"".join(head.to_bytes(4, "big") for head in heads) + bytes([own.pt]) + contents + own.payload
