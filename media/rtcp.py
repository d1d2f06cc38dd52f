"""RTCP (RFC 3550 section 6): sender and receiver reports built and read.

A compound packet of ours is a sender report (a receiver report when nothing was sent) with at most one
report block, and SDES with CNAME. What comes from outside is read with every length checked; anything odd
ends the reading.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

from media.clock import ntp_middle

SR, RR, SDES, BYE = 200, 201, 202, 203
INTERVAL = 5.0  # s between two reports of a leg
MAX_PACKETS = 16  # RTCP packets looked at in one datagram
MAX_RTT = 30.0  # s; a longer round trip is a lie

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


def build(ssrc: int, sender: SenderInfo | None, block: Block | None, cname: bytes) -> bytes:
    """A compound packet."""
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
    return report + _HEADER.pack(0x81, SDES, len(chunk) // 4) + chunk


def parse(data: bytes) -> list[Report]:
    """The sender and receiver reports of a datagram, as far as it is well-formed."""
    reports: list[Report] = []
    at = 0
    for _ in range(MAX_PACKETS):
        if len(data) - at < 8:
            break
        first, kind, words = _HEADER.unpack_from(data, at)
        end = at + 4 + 4 * words
        if first >> 6 != 2 or end > len(data):
            break
        if kind in (SR, RR):
            report = _parse_report(data[at + 4 : end], kind == SR, first & 0x1F)
            if report is None:
                break
            reports.append(report)
        at = end
    return reports


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


@dataclass(slots=True)
class RemoteView:
    """What the far end's reports say: how our stream fares there (lost, rtt), and its own clock (lsr)."""

    rtt: float | None = None  # s
    lost: int | None = None
    lsr: int = 0
    lsr_at: float = 0.0

    def take(self, report: Report, ours: int, theirs: int, now: float, epoch: float) -> None:
        """A report that came now. ours, theirs: SSRCs of the two streams. epoch: seconds since 1970 at now
        = 0.
        """
        if report.sender is not None and report.ssrc == theirs:
            self.lsr = report.sender.ntp >> 16 & 0xFFFF_FFFF
            self.lsr_at = now
        for block in report.blocks:
            if block.ssrc != ours:
                continue
            self.lost = max(block.lost, 0)
            if block.lsr:
                passed = (ntp_middle(epoch + now) - block.lsr - block.dlsr & 0xFFFF_FFFF) / 65536.0
                if passed <= MAX_RTT:
                    self.rtt = passed

    def dlsr(self, now: float) -> int:
        """Delay since the last sender report, 1/65536 s; 0 before the first."""
        return min(int((now - self.lsr_at) * 65536), 0xFFFF_FFFF) if self.lsr else 0
