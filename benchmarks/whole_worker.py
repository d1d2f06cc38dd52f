"""A worker without sockets and without a clock: packets are there when their time has come and go nowhere."""

from __future__ import annotations

import struct
from random import Random
from statistics import median
from time import process_time

from media.codecs import Kind
from media.columns import I64, U8
from media.control import Control
from media.io.wav import Files
from media.messages import Address, Codec, OpenLeg, SetGain
from media.network import Batch, Judge

DRAINS = 4  # a tick
WARM = 25  # ticks until ports are connected and buffers have found their depth
CODED_PT = 96


class Feed:
    """A network with one packet a leg and tick. packets: those of this tick, by row."""

    address, free = "127.0.0.1", 1 << 20

    def __init__(self) -> None:
        self.packets: list[bytes] = []
        self.turn = 0
        self.sent = 0
        self._connected: set[int] = set()

    def receive(self, batch: Batch, judge: Judge) -> int:
        rows, sizes = [], []
        for row in range(self.turn, len(self.packets), DRAINS):
            packet = self.packets[row]
            slot = len(rows)
            batch.views[slot][: len(packet)] = packet
            source = ("192.0.2.1", 10_000 + 2 * row)
            if row in self._connected or judge(row, source, batch.views[slot], len(packet)):
                rows.append(row)
                sizes.append(len(packet))
        self.turn = len(self.packets)
        return batch.fill(rows, sizes)

    def forward(self, targets: I64, batch: Batch, slots: I64, sizes: I64) -> None:
        self.sent += len(targets)

    def send(self, rows: list[int], packets: list[memoryview]) -> None:
        self.sent += len(rows)

    def open(self, row: int) -> int:
        return 20_000 + 2 * row

    def connect(self, row: int, address: Address) -> None:
        self._connected.add(row)

    def close(self, row: int) -> None: ...

    def aim(self, row: int, address: Address | None) -> None: ...

    def disconnect(self, row: int) -> None: ...

    def receive_reports(self) -> list[tuple[int, bytes, Address]]:
        return []

    def send_report(self, row: int, data: bytes, address: Address) -> None: ...


class Worker:
    """Calls between a leg of a codec, even rows, and one of G.711, odd rows."""

    def __init__(self, kind: Kind, calls: int) -> None:
        self.kind, self.calls, self.feed = kind, calls, Feed()
        self.control = Control(self.feed, Files(), rng=Random(1))
        coded = Codec(CODED_PT, kind.name, kind.clock, channels=kind.channels)
        for leg, codec in enumerate((coded, Codec(0, "PCMU")) * calls):
            address = ("192.0.2.1", 10_000 + 2 * leg)
            self.control.handle(OpenLeg(leg, [codec], remote=address), 0.0)
        for leg in range(0, 2 * calls, 2):
            for source, listener in ((leg, leg + 1), (leg + 1, leg)):
                self.control.handle(SetGain(source, listener), 0.0)

    def run(self, plain: U8, coded: list[list[bytes]]) -> float:
        """ms of CPU a second of one call, median over ticks; plain, coded: as bench_transcode has them."""
        spent = []
        for at, (block, packets) in enumerate(zip(plain, coded)):
            both = zip(packets, (row.tobytes() for row in block))
            self.feed.packets = [
                self._packet(2 * call + side, at, payload)
                for call, pair in enumerate(both)
                for side, payload in enumerate(pair)
            ]
            began, now = process_time(), 0.02 * at
            for turn in range(DRAINS):
                self.feed.turn = turn
                self.control.drain(now + 0.005 * turn)
            self.control.tick(now + 0.02)
            spent.append(process_time() - began)
        kept = spent[WARM:]
        assert self.feed.sent > 1.9 * self.calls * len(kept), "both sides of each call are sent to"
        return median(kept) * 50 * 1000 / self.calls

    def _packet(self, row: int, at: int, payload: bytes) -> bytes:
        plain = row % 2
        pt, step = (0, 160) if plain else (CODED_PT, self.kind.clock // 50)
        return struct.pack("!BBHII", 0x80, pt, at + 1, step * at, row + 1) + payload
