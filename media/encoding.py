"""Encoders of legs whose codecs have frames: blocks of sound into payloads of each leg's packet time.

Silence that a codec does not send and copies of earlier packets (RFC 2198) are decided here; sequence
numbers, timestamps and headers are the packer's.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np

from media import codecs, red
from media.codecs import Encoder, Params, Tuning
from media.columns import I16, I64

# A block is in a pause when it and HANGOVER blocks before it are under FAINT of the loudest of late, by their
# largest samples.
FAINT, HANGOVER = 0.012, 5
FORGETS = 0.998  # of the loudest, what is left of it a block later
SILENT = 16  # largest sample of what is silence for itself

MOST_COPIES = 3
OLDEST = 3  # packets back that a copy may be of


class Packet(NamedTuple):
    """What is to be sent, b"" for nothing while the clock goes on.

    duration: RTP timestamp units that it covers. marker: the first of a talkspurt. copies: the payload is RFC
    2198's and goes out under that payload type.
    """

    row: int
    payload: bytes
    duration: int
    marker: bool
    copies: bool = False


class _Leg:
    """size: samples of a packet, duration: the same in timestamp units. waiting: `filled` samples that fill
    none yet. clock: timestamp units sent. past: clock and payload of the newest packets. loudest: block of
    late; faint: blocks in a row that are nothing beside it.
    """

    __slots__ = (
        *("agreed", "clock", "depth", "duration", "encoder", "faint", "filled", "kind", "loudest"),
        *("past", "pt", "quiet", "red_pt", "size", "tuning", "waiting"),
    )

    def __init__(self, kind: codecs.Kind, encoder: Encoder, agreed: tuple[int, Params]) -> None:
        self.kind, self.encoder, self.agreed = kind, encoder, agreed
        self.tuning = Tuning()
        self.size = self.duration = self.filled = self.clock = self.depth = 0
        self.quiet = True
        self.waiting: I16 = np.empty(0, np.int16)
        self.past: deque[tuple[int, bytes]] = deque(maxlen=MOST_COPIES)
        self.pt, self.red_pt = 0, -1
        self.loudest, self.faint = 0.0, 0

    def hear(self, peak: int) -> None:
        """Let the encoder know where pauses begin and end; peak: of the next block."""
        loudest = self.loudest * FORGETS
        self.loudest = loudest = peak if peak > loudest else loudest
        if peak >= loudest * FAINT and peak >= SILENT:
            if self.faint > HANGOVER:
                self.encoder.rest(False)
            self.faint = 0
            return
        self.faint += 1
        if self.faint == HANGOVER + 1:
            self.encoder.rest(True)

    def cut(self, ptime: int) -> None:
        """Packets of `ptime` ms from now on, or the nearest below that the codec has."""
        size = codecs.packet_ms(self.kind.number, ptime) * self.kind.rate // 1000
        if size != self.size:
            held = self.waiting[: self.filled]
            self.waiting = np.zeros(size + self.kind.rate * 60 // 1000 + self.filled, np.int16)
            self.waiting[: self.filled] = held
            self.size, self.duration = size, size * self.kind.clock // self.kind.rate


class Encoding:
    """Encoders by row."""

    def __init__(self) -> None:
        self._legs: dict[int, _Leg] = {}

    def __len__(self) -> int:
        """Rows that have one."""
        return len(self._legs)

    def open(
        self, row: int, kind: int, params: Params, *, ptime: int = 20, pt: int = 0, red_pt: int = -1
    ) -> None:
        """What the row sends from now on: a codec, as the far end's fmtp wants it, in packets of `ptime` ms.

        pt, red_pt: payload types of the codec and of RFC 2198's packets, -1 when those are not agreed. An
        encoder whose codec and parameters stay goes on as it is, tuning and all.
        """
        leg = self._legs.get(row)
        if leg is None or leg.agreed != (kind, params):
            if leg is not None:
                leg.encoder.close()
            fresh = _Leg(codecs.KINDS[kind], codecs.encoder(kind, params), (kind, params))
            if leg is not None:
                fresh.tuning, fresh.depth = leg.tuning, leg.depth
                fresh.encoder.tune(fresh.tuning)
            leg = self._legs[row] = fresh
        leg.cut(ptime)
        leg.pt, leg.red_pt = pt, red_pt

    def close(self, row: int) -> None:
        """Free the row's encoder."""
        leg = self._legs.pop(row, None)
        if leg is not None:
            leg.encoder.close()

    def rest(self, row: int) -> None:
        """The row sends something else for a while: what fills no packet yet is dropped."""
        leg = self._legs.get(row)
        if leg is not None:
            leg.filled, leg.quiet = 0, True
            leg.past.clear()

    def tune(self, row: int, tuning: Tuning, *, ptime: int | None = None, copies: int | None = None) -> None:
        """Adapt the row's encoder. ptime: ms a packet. copies: of how many earlier packets to send copies."""
        leg = self._legs.get(row)
        if leg is None:
            return
        leg.tuning = tuning.over(leg.tuning)
        leg.encoder.tune(tuning)
        if ptime is not None:
            leg.cut(ptime)
        if copies is not None:
            leg.depth = min(max(copies, 0), MOST_COPIES)

    def packet_ms(self, row: int) -> int:
        """Sound in one packet of the row."""
        leg = self._legs[row]
        return leg.size * 1000 // leg.kind.rate

    def add(self, rows: I64, samples: I16) -> list[Packet]:
        """The packets that one tick's sound fills, samples: int16[n, block] at the codecs' rate."""
        block = samples.shape[1]
        packets: list[Packet] = []
        peaks = np.maximum(samples.max(axis=1), -samples.min(axis=1).astype(np.int32)).tolist()
        for row, peak, sound in zip(rows.tolist(), peaks, samples):
            leg = self._legs[row]
            leg.hear(peak)
            if leg.size == block and not leg.filled:
                self._encode(row, leg, sound, packets)
                continue
            end = leg.filled + block
            leg.waiting[leg.filled : end] = sound
            at = 0
            while end - at >= leg.size:
                self._encode(row, leg, leg.waiting[at : at + leg.size], packets)
                at += leg.size
            leg.waiting[: end - at] = leg.waiting[at:end].copy()
            leg.filled = end - at
        return packets

    def _encode(self, row: int, leg: _Leg, sound: I16, packets: list[Packet]) -> None:
        payload = leg.encoder.encode(sound)
        quiet, duration = leg.encoder.silent, leg.duration
        marker, leg.quiet = leg.quiet and not quiet, quiet
        if leg.red_pt < 0:
            packets.append(Packet(row, payload, duration, marker))
            return
        copies = leg.depth > 0 and bool(payload)
        sent = self._with_copies(leg, payload, duration) if copies else payload
        packets.append(Packet(row, sent, duration, marker, copies))
        if payload:
            leg.past.append((leg.clock, payload))
        leg.clock += duration

    @staticmethod
    def _with_copies(leg: _Leg, payload: bytes, duration: int) -> bytes:
        """The payload behind copies of those before it."""
        past = [(leg.clock - then, old) for then, old in leg.past][-leg.depth :]
        blocks = [red.Block(leg.pt, back, old) for back, old in past if back <= OLDEST * duration]
        return red.join([*blocks, red.Block(leg.pt, 0, payload)])
