"""The columnar core: all legs of a worker, moved together.

`drain` takes what has arrived and sends relayed packets on at once; `tick` makes one block of sound for every
rendered leg. Both are array operations over all legs concerned; no object is made for a packet.
"""

from __future__ import annotations

import struct
from random import Random

import numpy as np

from media import codecs, jitter, mixer, rtp
from media.clock import BLOCK, RATE
from media.columns import I8, I64, Bool
from media.dtmf import Dialler, Heard
from media.jitter import LONGEST
from media.latch import LatchPolicy
from media.legs import Flow, Leg, LegTable, Way
from media.messages import Address, AnyEvent, Dtmf, PlayDone, RtpStarted
from media.mixer import Mixer
from media.network import Batch, Network
from media.packer import Packer
from media.plan import Plan
from media.player import Done
from media.reception import accept, measure_jitter
from media.rtp import HEADER, U32, Packets
from media.transmission import due, relay, release

ROUNDS = 8  # packets of one leg taken in one drain; the rest waits, or is lost in the kernel

_IDENTITY = struct.Struct("!HII")  # sequence, timestamp, SSRC, from the third byte of a packet


class Core:
    """Legs, who hears whom, and the two ways that packets take. `events` collects what the engine is to be
    told.
    """

    def __init__(
        self,
        network: Network,
        *,
        rng: Random,
        policy: LatchPolicy | None = None,
        buffer_ms: int = 40,
        batch: int = 1024,
    ) -> None:
        self.network = network
        self.rng = rng
        self.policy = policy or LatchPolicy()
        self.table = LegTable()
        self.mixer = Mixer()
        self.plan = Plan(self.table, self.mixer)
        self.events: list[AnyEvent] = []
        self.reports: list[tuple[int, bytes, Address | None]] = []  # RTCP that arrived: row, datagram, source
        self.uncertain: set[int] = set()  # rows whose source is taken but whose port is not connected yet
        self._target = buffer_ms * RATE // 1000
        self._batch = Batch(batch)
        self._packer = Packer()
        self._dialling: dict[int, Leg] = {}
        self._pressed: dict[int, Leg] = {}
        self._now = 0.0

    # --- receive and relay ------------------------------------------------------------------------

    def drain(self, now: float) -> None:
        """Take the packets that wait, at most ROUNDS a leg."""
        self._now = now
        self.plan.settle()
        for _ in range(ROUNDS):
            count = self.network.receive(self._batch, self._judge)
            if not count:
                break
            self._take(count, now)
        self.reports.extend(self.network.receive_reports())

    def _judge(self, row: int, source: Address, packet: memoryview, size: int) -> bool:
        """Whether to take a packet of a leg whose port is not connected."""
        if size < HEADER or packet[0] >> 6 != 2:
            return False
        leg = self.table.at(row)
        latch = leg.latch
        if 192 <= packet[1] <= 223:
            return leg.rtcp_mux and source == latch.source
        if self.table.common.kinds[row, packet[1] & 0x7F] == codecs.UNKNOWN:
            return False
        sequence, _, ssrc = _IDENTITY.unpack_from(packet, 2)
        before = latch.source
        if not latch.judge(source, ssrc, sequence, self._now):
            return False
        if source != before:
            self.network.aim(row, source)
            self.table.common.flow[row] = Flow.AWAITED
        if not latch.connected:
            self.uncertain.add(row)
        return True

    def _take(self, count: int, now: float) -> None:
        """One round of packets, at most one a leg."""
        table, batch = self.table, self._batch
        packets, reports = rtp.parse(batch, count)
        for slot in reports.tolist():
            row = int(batch.rows[slot])
            if table.at(row).rtcp_mux:
                self.reports.append((row, bytes(batch.views[slot][: int(batch.sizes[slot])]), None))
        kinds = table.common.kinds[packets.rows, packets.pt]
        wanted = (kinds != codecs.UNKNOWN) & table.common.receives[packets.rows] & (packets.size <= LONGEST)
        if not wanted.all():
            packets, kinds = packets.only(wanted), kinds[wanted]
        if not len(packets):
            return
        arrived = table.rx.last[packets.rows]
        keep, extended, newest = accept(table.rx, packets, now)
        if not keep.all():
            packets, kinds = packets.only(keep), kinds[keep]
            extended, newest, arrived = extended[keep], newest[keep], arrived[keep]
            if not len(packets):
                return
        starts = table.common.flow[packets.rows] != Flow.STARTED
        if starts.any():
            self._tell_started(packets.rows[starts].tolist())
        if (packets.start != HEADER).any():
            rtp.straighten(batch, packets)
        sound = kinds != codecs.TELEPHONE_EVENT
        if sound.all():
            measure_jitter(table.rx, packets.rows, packets.timestamp, arrived, RATE, now)
        else:
            spoken = packets.only(sound)
            measure_jitter(table.rx, spoken.rows, spoken.timestamp, arrived[sound], RATE, now)
        self._note_codecs(packets, kinds, sound)
        self._hear(packets, kinds, sound, newest)
        if not sound.all():
            self._listen(packets.only(~sound), now)
        self._relay(packets, kinds, sound, extended, now)

    def _tell_started(self, rows: list[int]) -> None:
        for row in rows:
            leg = self.table.at(row)
            self.table.common.flow[row] = Flow.STARTED
            if leg.latch.source is not None:
                self.events.append(RtpStarted(leg.number, leg.latch.source))

    def _note_codecs(self, packets: Packets, kinds: I8, sound: Bool) -> None:
        """A source that changes its codec may have to be relayed no more, or again."""
        rx = self.table.rx
        changed = sound & (rx.codec[packets.rows] != kinds)
        if changed.any():
            for i in np.flatnonzero(changed).tolist():
                rx.codec[packets.rows[i]] = kinds[i]
                self.plan.touch_listeners(int(packets.rows[i]))
            self.plan.settle()

    def _hear(self, packets: Packets, kinds: I8, sound: Bool, newest: Bool) -> None:
        """Decode what somebody hears rendered."""
        heard = self.table.common.heard[packets.rows]
        if not sound.all():
            heard &= sound
        if not heard.any():
            return
        if not heard.all():
            packets, kinds, newest = packets.only(heard), kinds[heard], newest[heard]
        sizes = packets.size
        for size in [int(sizes[0])] if (sizes == sizes[0]).all() else np.unique(sizes).tolist():
            these = np.flatnonzero(sizes == size)
            rows = packets.rows[these]
            payload = self._batch.buffer[packets.slots[these], HEADER : HEADER + size]
            jitter.write(
                self.table.ring,
                rows,
                self.table.rx.stream[rows],
                packets.timestamp[these],
                newest[these],
                codecs.decode(kinds[these], payload),
                self._target,
            )

    def _relay(self, packets: Packets, kinds: I8, sound: Bool, extended: I64, now: float) -> None:
        """Send on what is relayed, to the first listener of each leg and then to further ones."""
        targets = self.table.common.relay_to[packets.rows]
        self._relay_to(targets, packets, kinds, sound, extended, now)
        fans = self.plan.fans
        if fans:
            more = [fans.get(row, ()) for row in packets.rows.tolist()]
            for place in range(max(map(len, more))):
                targets = np.array(
                    [others[place] if place < len(others) else -1 for others in more], np.int64
                )
                self._relay_to(targets, packets, kinds, sound, extended, now)

    def _relay_to(
        self, targets: I64, packets: Packets, kinds: I8, sound: Bool, extended: I64, now: float
    ) -> None:
        tx = self.table.tx
        right = (targets >= 0) & ~tx.busy[targets]
        pts, spans = tx.pt[targets], packets.size
        if sound.all():
            right &= kinds == tx.codec[targets]
        else:
            pts = np.where(sound, pts, tx.dtmf_pt[targets])
            spans = np.where(sound, spans, tx.span[targets])
            right &= np.where(sound, kinds == tx.codec[targets], pts >= 0)
        if not right.all():
            if not right.any():
                return
            packets, targets, extended = packets.only(right), targets[right], extended[right]
            pts, spans = pts[right], spans[right]
        stream = self.table.rx.stream[packets.rows]
        relay(tx, self._batch, packets, extended, targets, pts, spans, stream, self.network, now)

    # --- telephone events -------------------------------------------------------------------------

    def _listen(self, packets: Packets, now: float) -> None:
        """Telephone events that came in."""
        for i in range(len(packets)):
            row = int(packets.rows[i])
            leg = self.table.at(row)
            payload = bytes(self._batch.views[int(packets.slots[i])][HEADER : HEADER + 4])
            heard = leg.listener.packet(int(packets.timestamp[i]), payload, now)
            if leg.listener.pressed:
                self._pressed[row] = leg
            self._tell_digits(leg, heard, now)

    def _tell_digits(self, leg: Leg, heard: list[Heard], now: float) -> None:
        """Tell the engine, and those who hear the leg rendered: relayed listeners got the packets
        themselves.
        """
        for digit, ms in heard:
            self.events.append(Dtmf(leg.number, digit, ms))
            for listener in self.mixer.listeners(leg.row):
                if self.table.common.way[listener] == Way.RENDERED:
                    self.dial(self.table.at(listener), digit, ms)

    def dial(self, leg: Leg, digits: str, ms: int) -> bool:
        """Queue digits for the far end; False when it takes none, or these are none, or too many wait."""
        if self.table.tx.dtmf_pt[leg.row] < 0:
            return False
        if leg.dialler is None:
            leg.dialler = Dialler()
        if not leg.dialler.dial(digits, ms):
            return False
        self._dialling[leg.row] = leg
        self.table.tx.busy[leg.row] = True
        return True

    def _send_digits(self, now: float) -> None:
        tx = self.table.tx
        for row, leg in list(self._dialling.items()):
            dialler = leg.dialler
            if dialler is None or not dialler.dialling:
                del self._dialling[row]
                tx.busy[row] = False
                release(tx, row)
                continue
            for event in dialler.tick():
                if event.begins:
                    leg.dialled_at = int(due(tx, np.array([row]), now)[0])
                    tx.timestamp[row], tx.time[row], tx.span[row] = leg.dialled_at, now, BLOCK
                tx.sequence[row] += 1
                first = 0x8000_0000 | int(event.begins) << 23 | int(tx.dtmf_pt[row]) << 16
                head = (first | int(tx.sequence[row]) & 0xFFFF, leg.dialled_at & U32, int(tx.ssrc[row]))
                tx.packets[row] += 1
                tx.octets[row] += len(event.payload)
                if tx.open[row]:
                    self.network.send([row], [memoryview(struct.pack("!III", *head) + event.payload)])

    # --- the tick ---------------------------------------------------------------------------------

    def tick(self, now: float, skipped: int = 0) -> None:
        """Make and send one block for every rendered leg; `skipped` ticks before this one were left out."""
        self.plan.settle()
        plan, table = self.plan, self.table
        if plan.matrix is not None:
            block, _ = jitter.read(table.ring, plan.sources, self._target, skipped)
            total = mixer.mix(plan.matrix, block)
        else:
            total = np.zeros((len(plan.rendered), BLOCK), np.int32)
        for place, player, row in plan.playing:
            done: list[Done] = []
            player.block(total[place] if place >= 0 else np.zeros(BLOCK, np.int32), done)
            if done:
                self.tell_played(table.at(row), done)
        if len(plan.rendered):
            self._packer.send(table.tx, plan.rendered, mixer.clip(total), skipped, self.network, now)
        if self._dialling:
            self._send_digits(now)
        for row, leg in list(self._pressed.items()):
            self._tell_digits(leg, leg.listener.overdue(now), now)
            if not leg.listener.pressed:
                del self._pressed[row]
        for row in list(self.uncertain):
            self._connect(row, now)

    def tell_played(self, leg: Leg, done: list[Done]) -> None:
        """Plays of the leg that ended."""
        self.events.extend(PlayDone(leg.number, play.number, play.completed) for play in done)
        if leg.player is not None and not leg.player.playing:
            leg.player = None
            self.plan.touch(leg.row)

    def _connect(self, row: int, now: float) -> None:
        """Close the leg's port to all but its source once that is certain."""
        latch = self.table.at(row).latch
        if latch.source is not None and latch.certain(now):
            latch.connected = True
            self.table.common.connected[row] = True
            self.network.connect(row, latch.source)
        if latch.connected or latch.source is None:
            self.uncertain.discard(row)

    def forget(self, leg: Leg) -> None:
        """The leg is closed: nothing of it stays."""
        self.plan.forget(leg)
        for keep in (self._dialling, self._pressed):
            keep.pop(leg.row, None)
        self.uncertain.discard(leg.row)
        self.table.remove(leg)
