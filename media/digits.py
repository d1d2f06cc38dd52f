"""Telephone events in the core: told to the engine as they end, and sent one packet a tick."""

from __future__ import annotations

import struct

import numpy as np

from media.clock import TICKS
from media.dtmf import Dialler, Heard
from media.legs import Leg, LegTable, Way
from media.messages import AnyEvent, Dtmf
from media.mixer import Mixer
from media.network import HEADER, Batch, Network
from media.rtp import U32, Packets
from media.transmission import due, release


class Digits:
    """dialling, pressed: legs by row that are sent digits, and those with a key held down."""

    def __init__(self, table: LegTable, mixer: Mixer) -> None:
        self.dialling: dict[int, Leg] = {}
        self.pressed: dict[int, Leg] = {}
        self._kept: set[tuple[int, int]] = set()  # source and listener between whom no keys pass
        self._table = table
        self._mixer = mixer

    def pass_on(self, source: int, listener: int, keys: bool) -> None:
        """Whether a rendered listener is dialled what the source presses; it is, unless told otherwise."""
        (self._kept.discard if keys else self._kept.add)((source, listener))

    def hear(self, batch: Batch, packets: Packets, now: float) -> list[AnyEvent]:
        """Packets of events that came in; what is to be told."""
        told: list[AnyEvent] = []
        for i in range(len(packets)):
            row = int(packets.rows[i])
            leg = self._table.at(row)
            payload = bytes(batch.views[int(packets.slots[i])][HEADER : HEADER + 4])
            heard = leg.listener.packet(int(packets.timestamp[i]), payload, now)
            if leg.listener.pressed:
                self.pressed[row] = leg
            told += self._tell(leg, heard)
        return told

    def _tell(self, leg: Leg, heard: list[Heard]) -> list[AnyEvent]:
        """Tell the engine, and those who hear the leg rendered: relayed listeners got the packets
        themselves.
        """
        for digit, ms in heard:
            for listener in self._mixer.listeners(leg.row):
                rendered = self._table.common.way[listener] == Way.RENDERED
                if rendered and (leg.row, listener) not in self._kept:
                    self.dial(self._table.at(listener), digit, ms)
        return [Dtmf(leg.number, digit, ms) for digit, ms in heard]

    def dial(self, leg: Leg, digits: str, ms: int) -> bool:
        """Queue digits for the far end; False when it takes none, or these are none, or too many wait."""
        tx = self._table.tx
        if tx.dtmf_pt[leg.row] < 0:
            return False
        if leg.dialler is None:
            leg.dialler = Dialler(int(tx.dtmf_clock[leg.row]))
        if not leg.dialler.dial(digits, ms):
            return False
        self.dialling[leg.row] = leg
        tx.busy[leg.row] = True
        release(tx, leg.row)
        return True

    def tick(self, network: Network, now: float) -> list[AnyEvent]:
        """Send what is due, and tell of keys whose end got lost."""
        if self.dialling:
            self._send(network, now)
        told: list[AnyEvent] = []
        for row, leg in list(self.pressed.items()):
            told += self._tell(leg, leg.listener.overdue(now))
            if not leg.listener.pressed:
                del self.pressed[row]
        return told

    def _send(self, network: Network, now: float) -> None:
        tx = self._table.tx
        for row, leg in list(self.dialling.items()):
            dialler = leg.dialler
            if dialler is None or not dialler.dialling:
                del self.dialling[row]
                tx.busy[row] = False
                release(tx, row)
                continue
            for event in dialler.tick():
                if event.begins:
                    leg.dialled_at = int(due(tx, np.array([row]), now)[0])
                    tx.timestamp[row], tx.time[row] = leg.dialled_at, now
                    tx.span[row] = tx.clock[row] // TICKS
                tx.sequence[row] += 1
                first = 0x8000_0000 | int(event.begins) << 23 | int(tx.dtmf_pt[row]) << 16
                head = (first | int(tx.sequence[row]) & 0xFFFF, leg.dialled_at & U32, int(tx.ssrc[row]))
                tx.packets[row] += 1
                tx.octets[row] += len(event.payload)
                if tx.open[row]:
                    network.send([row], [memoryview(struct.pack("!III", *head) + event.payload)])

    def forget(self, row: int) -> None:
        """The leg is closed."""
        self.dialling.pop(row, None)
        self.pressed.pop(row, None)
        self._kept = {pair for pair in self._kept if row not in pair}
