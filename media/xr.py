"""RTCP extended reports (RFC 3611): VoIP metrics, and the times by which receivers know their round trip.

What comes from outside is read with every length checked; a block that does not fit ends the reading.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from media.losses import GMIN, Clusters

XR = 207
RRTR, DLRR, VOIP = 4, 5, 7
MAX_BLOCKS = 16  # looked at in one packet
UNKNOWN = 127  # of levels, echo loss, R and MOS (sections 4.7.4 and 4.7.5)
STANDARD_PLC, ADAPTIVE = 0xC0, 0x30  # of the receiver's configuration (section 4.7.6)

_HEADER = struct.Struct("!BBHI")
_BLOCK = struct.Struct("!BBH")
_RRTR = struct.Struct("!Q")
_DLRR = struct.Struct("!III")
_VOIP = struct.Struct("!IBBBBHHHHbbBBBBBBBxHHH")


class VoipMetrics(NamedTuple):
    """The block of section 4.7. Rates and densities: of 256. Durations and delays: ms. signal and noise:
    dBm0. r: 0..100 or UNKNOWN; external_r the same. mos_lq, mos_cq: ten times the MOS, or UNKNOWN.
    """

    ssrc: int
    loss_rate: int = 0
    discard_rate: int = 0
    burst_density: int = 0
    gap_density: int = 0
    burst_ms: int = 0
    gap_ms: int = 0
    round_trip_ms: int = 0
    end_system_ms: int = 0
    signal: int = UNKNOWN
    noise: int = UNKNOWN
    rerl: int = UNKNOWN
    gmin: int = GMIN
    r: int = UNKNOWN
    external_r: int = UNKNOWN
    mos_lq: int = UNKNOWN
    mos_cq: int = UNKNOWN
    config: int = STANDARD_PLC | ADAPTIVE
    buffer_ms: int = 0
    buffer_max_ms: int = 0
    buffer_limit_ms: int = 0


class LastReceived(NamedTuple):
    """A sub-block of DLRR (section 4.5): whose times; middle 32 bits of the NTP time it named, and since."""

    ssrc: int
    lrr: int
    dlrr: int


class Extended(NamedTuple):
    """What an XR packet says that we use. reference: NTP time of its sender (RRTR), 0 without one."""

    ssrc: int
    reference: int
    received: list[LastReceived]
    metrics: list[VoipMetrics]


def build(
    ssrc: int,
    metrics: VoipMetrics | None = None,
    reference: int = 0,
    received: LastReceived | None = None,
) -> bytes:
    """An XR packet; "" when there is nothing to say."""
    blocks = b""
    if reference:
        blocks += _BLOCK.pack(RRTR, 0, 2) + _RRTR.pack(reference)
    if received is not None:
        blocks += _BLOCK.pack(DLRR, 0, 3) + _DLRR.pack(*received)
    if metrics is not None:
        blocks += _BLOCK.pack(VOIP, 0, 8) + _packed(metrics)
    if not blocks:
        return b""
    return _HEADER.pack(0x80, XR, 1 + len(blocks) // 4, ssrc) + blocks


def _packed(metrics: VoipMetrics) -> bytes:
    try:
        return _VOIP.pack(*metrics)
    except struct.error:  # some value is beyond its field
        return _VOIP.pack(*_fit(metrics))


def _fit(metrics: VoipMetrics) -> list[int]:
    """Values within their fields."""
    ssrc, *rest = metrics
    widths = "BBBBHHHHbbBBBBBBBHHH"
    limits = {"B": (0, 255), "H": (0, 65_535), "b": (-128, 127)}
    pairs = (limits[width] for width in widths)
    return [ssrc & 0xFFFF_FFFF, *(min(max(value, low), high) for value, (low, high) in zip(rest, pairs))]


def parse(body: bytes) -> Extended | None:
    """body: an XR packet behind its common header; None when it is too short for a sender."""
    if len(body) < 4:
        return None
    found = Extended(int.from_bytes(body[:4], "big"), 0, [], [])
    at = 4
    for _ in range(MAX_BLOCKS):
        if len(body) - at < _BLOCK.size:
            break
        kind, _, words = _BLOCK.unpack_from(body, at)
        at += _BLOCK.size
        end = at + 4 * words
        if end > len(body):
            break
        if kind == RRTR and words == 2:
            found = found._replace(reference=_RRTR.unpack_from(body, at)[0])
        elif kind == DLRR and words % 3 == 0:
            found.received.extend(map(LastReceived._make, _DLRR.iter_unpack(body[at:end])))
        elif kind == VOIP and words == 8:
            found.metrics.append(VoipMetrics._make(_VOIP.unpack_from(body, at)))
        at = end
    return found


def metrics(
    ssrc: int,
    clusters: Clusters,
    *,
    loss: float,
    discards: float,
    packet_ms: float,
    round_trip_ms: float,
    buffer_ms: float,
    max_buffer_ms: float,
    r: float,
    mos_lq: float,
    mos_cq: float,
) -> VoipMetrics:
    """The block about a stream that comes here. loss, discards: shares, 0..1. r: up to 129; above 100 as 100,
    the block has no room for more.
    """
    return VoipMetrics(
        ssrc,
        loss_rate=int(256 * loss),
        discard_rate=int(256 * discards),
        burst_density=int(256 * clusters.burst_density),
        gap_density=int(256 * clusters.gap_density),
        burst_ms=round(clusters.burst_packets * packet_ms),
        gap_ms=round(clusters.gap_packets * packet_ms),
        round_trip_ms=round(round_trip_ms),
        end_system_ms=round(buffer_ms + packet_ms),
        r=round(min(max(r, 0.0), 100.0)),
        mos_lq=round(10 * mos_lq),
        mos_cq=round(10 * mos_cq),
        buffer_ms=round(buffer_ms),
        buffer_max_ms=round(max_buffer_ms),
        buffer_limit_ms=round(max_buffer_ms),
    )
