"""RTCP (RFC 3550 section 6): sender and receiver reports built and read.

A compound packet of ours is a sender report (a receiver report when nothing was sent) with at most one
report block, SDES with CNAME, and an extended report (media.xr). What comes from outside is read with every
length checked; anything odd ends the reading.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from media import twcc, xr

SR, RR, SDES, BYE = 200, 201, 202, 203
INTERVAL = 5.0  # s between two reports of a leg
MAX_PACKETS = 16  # RTCP packets looked at in one datagram

_HEADER = struct.Struct("!BBH")
_SENDER = struct.Struct("!IQIII")
_BLOCK = struct.Struct("!IIIIII")
_SSRC = struct.Struct("!I")


class Block(NamedTuple):
    """A report block. fraction: of 256, lost since the report before. lsr, dlsr: 1/65536 s (RFC 3550
    6.4.1).
    """

    ssrc: int
    fraction: int
    lost: int
    highest: int
    jitter: int
    lsr: int
    dlsr: int


class SenderInfo(NamedTuple):
    """ntp: 64-bit timestamp; timestamp: RTP time of the same instant."""

    ntp: int
    timestamp: int
    packets: int
    octets: int


class Report(NamedTuple):
    """One SR or RR. sender is None for an RR."""

    ssrc: int
    sender: SenderInfo | None
    blocks: list[Block]


class Compound(NamedTuple):
    """What a datagram says that we use."""

    reports: list[Report]
    extended: list[xr.Extended]
    feedback: list[twcc.Feedback]


def build(
    ssrc: int, sender: SenderInfo | None, block: Block | None, cname: bytes, extended: bytes = b""
) -> bytes:
    """A compound packet; extended: an XR packet to go with it."""
    body = _SSRC.pack(ssrc)
    if sender is not None:
        body = _SENDER.pack(ssrc, sender.ntp, sender.timestamp, sender.packets, sender.octets)
    if block is not None:
        lost = min(max(block.lost, -0x80_0000), 0x7F_FFFF) & 0xFF_FFFF
        body += _BLOCK.pack(
            block.ssrc, block.fraction << 24 | lost, block.highest, block.jitter, block.lsr, block.dlsr
        )
    kind = RR if sender is None else SR
    report = _HEADER.pack(0x80 | (block is not None), kind, len(body) // 4) + body
    item = b"\x01" + bytes([len(cname)]) + cname + b"\0"
    chunk = _SSRC.pack(ssrc) + item + b"\0" * (-len(item) % 4)
    return report + _HEADER.pack(0x81, SDES, len(chunk) // 4) + chunk + extended


def parse(data: bytes) -> Compound:
    """What a datagram says, as far as it is well-formed."""
    found = Compound([], [], [])
    at = 0
    for _ in range(MAX_PACKETS):
        if len(data) - at < 8:
            break
        first, kind, words = _HEADER.unpack_from(data, at)
        end = at + 4 + 4 * words
        if first >> 6 != 2 or end > len(data):
            break
        if first & 0x20:  # padding, in the last packet alone (section 6.4.1)
            end -= _padding(data, at + 4, end)
        if not _take(found, kind, first & 0x1F, data[at + 4 : end]):
            break
        at += 4 + 4 * words
    return found


def _padding(data: bytes, start: int, end: int) -> int:
    """Bytes of padding of a packet whose body is data[start:end]; none where that is not possible."""
    count = data[end - 1] if end > start else 0
    return count if end == len(data) and count % 4 == 0 and count <= end - start else 0


def _take(found: Compound, kind: int, count: int, body: bytes) -> bool:
    """Add one packet's meaning; False when it is not well-formed. Other kinds are passed over."""
    if kind in (SR, RR):
        report = _parse_report(body, kind == SR, count)
        if report is not None:
            found.reports.append(report)
        return report is not None
    if kind == xr.XR:
        extended = xr.parse(body)
        if extended is not None:
            found.extended.append(extended)
        return extended is not None
    if kind == twcc.RTPFB and count == twcc.FMT:
        feedback = twcc.parse(body)
        if feedback is not None:
            found.feedback.append(feedback)
        return feedback is not None
    return True


def _parse_report(body: bytes, is_sender: bool, count: int) -> Report | None:
    at = _SENDER.size if is_sender else _SSRC.size
    if len(body) < at + count * _BLOCK.size:
        return None
    ssrc = _SSRC.unpack_from(body)[0]
    sender = SenderInfo(*_SENDER.unpack_from(body)[1:]) if is_sender else None
    blocks = []
    for _ in range(count):
        source, loss, highest, jitter, lsr, dlsr = _BLOCK.unpack_from(body, at)
        lost = loss & 0xFF_FFFF
        blocks.append(
            Block(
                source,
                loss >> 24,
                lost - 0x100_0000 if lost & 0x80_0000 else lost,
                highest,
                jitter,
                lsr,
                dlsr,
            )
        )
        at += _BLOCK.size
    return Report(ssrc, sender, blocks)
