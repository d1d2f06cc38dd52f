"""The columnar core: all legs of a worker, moved together.

`drain` takes what has arrived and sends relayed packets on at once; `tick` makes one block of sound for every
rendered leg. Both are array operations over all legs concerned; no object is made for a packet, but for those
whose codec has frames and a state of its own.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from random import Random

import numpy as np

from media import codecs, express, red, rtp
from media.arrivals import Arrivals
from media.clock import DRAIN
from media.columns import F64, I8, I16, I64, Bool
from media.delay import BufferSettings
from media.digits import Digits
from media.hearing import LONGEST, Hearing, Sound
from media.latch import LatchPolicy
from media.legs import Flow, Leg, LegTable
from media.messages import Address, AnyEvent, PlayDone, RtpStarted
from media.mixer import Mixer
from media.network import HEADER, Batch, Network
from media.packer import Packer
from media.plan import Plan
from media.plane import RATES, Plane
from media.player import Done
from media.reception import NO_TIME, NOBODY, SEVERAL, accept, may_turn, measure_sound, note_turn
from media.render import Renderer
from media.rtp import Packets
from media.studio import Studio
from media.tap import Taps
from media.tapping import Tapping
from media.transmission import relay
from media.turning import Turning

ROUNDS = 8  # packets of one leg taken in one drain at most; the rest waits, or is lost in the kernel

Ear = Callable[[I64, I16, Bool, float], None]  # rows, samples int16[n, L], whether any are the leg's own, now

Arrival = tuple[int, bytes, Address | None, float]  # row, datagram, source where that is not known, when

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
        buffer: BufferSettings | None = None,
        batch: int = 1024,
        move: express.Mover = express.move,
        taps: Taps | None = None,
    ) -> None:
        self.network = network
        self.rng = rng
        self.policy = policy or LatchPolicy()
        self.table = LegTable()
        self.mixer = Mixer()
        self.buffer = buffer or BufferSettings()
        self.planes = [Plane(rate, self.buffer) for rate in RATES]
        self.plan = Plan(self.table, self.mixer, self.planes)
        self.hearing = Hearing(self.table, self.planes)
        self.digits = Digits(self.table, self.mixer)
        self.renderer = Renderer(self.plan, self.planes)
        self.turning = Turning(self.table, self.plan, self.planes)
        self.events: list[AnyEvent] = []
        self.reports: list[Arrival] = []  # RTCP that arrived
        self.taps = Tapping(self.table, self.plan, self.planes, taps)
        self.studio = Studio(self.table, self.plan, self.mixer)
        self.ear: Ear | None = None  # is shown what every decoded leg says, block by block
        self.uncertain: set[int] = set()  # rows whose source is taken but whose port is not connected yet
        self._batch = Batch(batch)
        self._move = move
        self.packer = Packer()
        self._now = 0.0
        self._arrivals = Arrivals()
        self.taken = 0  # packets of the last drain

    # --- receive and relay ------------------------------------------------------------------------

    @property
    def patient(self) -> bool:
        """Whether nothing that comes is sent on before the next tick."""
        return not self.plan.relays

    def note(self, now: float) -> None:
        """Leave what has come where it is, but for when it came."""
        self._arrivals.note(self.network, self.table.rx.rows, self._now, now)
        self._take_reports(now)

    def _take_reports(self, now: float) -> None:
        self.reports.extend((*each, now) for each in self.network.receive_reports())

    def drain(self, now: float) -> None:
        """Take the packets that wait: one a leg for each DRAIN passed, at most ROUNDS.

        A round for the few that arrive while others are handled would cost as much as one for all.
        """
        before, self._now = self._now, now
        passed = (now - before) / DRAIN
        self.taken = 0
        self._settle()
        for _ in range(int(min(max(passed + 0.5, 1.0), ROUNDS))):
            count = self.network.receive(self._batch, self._judge)
            if not count:
                break
            self.taken += count
            self._arrivals.date(self._batch, count, before, now)
            self._take(count, now)
        self._arrivals.forget()
        if self.hearing.decoding.wishes:
            self.packer.grant(self.hearing.decoding.wishes)
        self._take_reports(now)

    def _settle(self) -> None:
        """Let what was asked for since take effect."""
        if self.plan.unsettled:
            self.hearing.give_all()
        for row in self.plan.settle():
            self.hearing.rest(row)

    def _judge(self, row: int, source: Address, packet: memoryview, size: int) -> bool:
        """Whether to take a packet of a leg whose port is not connected."""
        if size < HEADER or packet[0] >> 6 != 2:
            return False
        leg = self.table.at(row)
        latch = leg.latch
        if 192 <= packet[1] <= 223:
            return leg.rtcp_mux and source == latch.source
        if self.table.common.kinds[row, packet[1] & 0x7F] == codecs.UNKNOWN:
            self.table.rx.foreign[row] += 1
            self.table.rx.foreign_type[row] = packet[1] & 0x7F
            return False
        sequence, _, ssrc = _IDENTITY.unpack_from(packet, 2)
        before = latch.source
        if not latch.judge(source, ssrc, sequence, self._now):
            return False
        if source != before:
            self.network.aim(row, source)
            self.table.set_flow(row, Flow.AWAITED)
        if not latch.connected:
            self.uncertain.add(row)
        return True

    def _take(self, count: int, now: float) -> None:
        """One round of packets, at most one a leg."""
        table, batch = self.table, self._batch
        plain, heard = self._move(table.rx, table.tx, batch, count, self.network, now)
        if heard is not None:
            self._hear_lane(heard, now)
        if not plain.all():
            packets, reports = rtp.parse(batch, count)
            rest = packets.only(~plain[packets.slots])
            self._keep_reports(reports)
            if len(rest):
                self._take_other(rest, now)

    def _hear_lane(self, lane: express.Lane, now: float) -> None:
        known = lane.known
        streams, extended = known[:, express.RX_STREAM], known[:, express.HIGHEST]
        kinds, newest = self.table.rx.codec[lane.rows], np.ones(len(lane.rows), np.bool_)
        stamps = lane.words[:, 1]
        columns = (lane.rows, lane.slots, lane.sizes, streams, stamps, extended, kinds, newest)
        sound = Sound(*columns, self._batch.times[lane.slots])
        self.hearing.keep(self._batch, sound, now)

    def _keep_reports(self, slots: I64) -> None:
        """RTCP that came on an RTP port."""
        batch = self._batch
        for slot in slots.tolist():
            row = int(batch.rows[slot])
            if self.table.at(row).rtcp_mux:
                data = bytes(batch.views[slot][: int(batch.sizes[slot])])
                self.reports.append((row, data, None, float(batch.times[slot])))

    def _take_other(self, packets: Packets, now: float) -> None:
        """Packets that are not simply the next of a stream that flows."""
        table = self.table
        self.hearing.give_kept(packets.rows)
        kinds = table.common.kinds[packets.rows, packets.pt]
        wanted = (
            (kinds != codecs.UNKNOWN) & table.common.receives[packets.rows] & (packets.size <= LONGEST[kinds])
        )
        if not wanted.all():
            foreign = kinds == codecs.UNKNOWN
            table.rx.foreign[packets.rows[foreign]] += 1
            table.rx.foreign_type[packets.rows[foreign]] = packets.pt[foreign]
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
        came = self._batch.times[packets.slots]
        table.rx.last[packets.rows] = came
        rtp.straighten(self._batch, packets)
        red.reveal(self._batch, packets, table.common.kinds, kinds)
        likely = self._likely(packets.rows, kinds, newest, now)
        sound = (kinds != codecs.TELEPHONE_EVENT) & (kinds != codecs.COMFORT_NOISE)
        passed_by = ~(likely & sound)
        table.rx.apart[packets.rows[passed_by]] += came[passed_by] - arrived[passed_by]
        table.rx.armed[packets.rows[passed_by & newest]] = -1
        if not likely.all():
            packets, kinds, sound = packets.only(likely), kinds[likely], sound[likely]
            extended, newest, arrived = extended[likely], newest[likely], arrived[likely]
            if not len(packets):
                return
        starts = table.common.flow[packets.rows] != Flow.STARTED
        if starts.any():
            self._tell_started(packets.rows[starts].tolist())
        self._note_sound(
            packets.only(sound), kinds[sound], extended[sound], newest[sound], arrived[sound], now
        )
        if not sound.all():
            self._take_told(packets.only(~sound), kinds[~sound], newest[~sound], now)
        self._relay(packets, kinds, sound, extended, now)

    def _take_told(self, packets: Packets, kinds: I8, newest: Bool, now: float) -> None:
        """Keys that were pressed, and noise that is described."""
        pause = kinds == codecs.COMFORT_NOISE
        if not pause.all():
            self.events.extend(self.digits.hear(self._batch, packets.only(~pause), now))
        pause &= newest
        if pause.any():
            packets = packets.only(pause)
            self.plan.note_pauses(packets.rows)
            self._settle()
            self.hearing.pause(self._batch, packets, now)

    def _note_sound(
        self, packets: Packets, kinds: I8, extended: I64, newest: Bool, arrived: F64, now: float
    ) -> None:
        """Measure, decode for those who hear it, and expect the next."""
        rx, rows = self.table.rx, packets.rows
        if not len(rows):
            return
        self._note_codecs(rows, kinds, newest, now)
        came = self._batch.times[packets.slots]
        measure_sound(rx, packets, kinds, came - arrived)
        heard = rx.heard[rows] != 0
        if heard.any():
            columns = (rows, packets.slots, packets.size, rx.stream[rows], packets.timestamp)
            sound = Sound(*columns, extended, kinds, newest, came).only(heard)
            self.hearing.take(self._batch, sound, now)
        flows = newest & (rx.codec[rows] == kinds) & (kinds < codecs.RED)
        rx.armed[rows[newest & ~flows]] = -1
        express.arm(rx, rows[flows], packets.pt[flows])

    def _tell_started(self, rows: list[int]) -> None:
        for row in rows:
            leg = self.table.at(row)
            self.table.common.flow[row] = Flow.STARTED
            if leg.latch.source is not None:
                self.events.append(RtpStarted(leg.number, leg.latch.source))

    def _likely(self, rows: I64, kinds: I8, newest: Bool, now: float) -> Bool:
        """Packets in their sources' codecs, or in those that these may change to. Plain packets among some
        with copies (RED) are no change.
        """
        codec = self.table.rx.codec[rows]
        same: Bool = (codec == kinds) | (kinds == codecs.TELEPHONE_EVENT) | (kinds == codecs.COMFORT_NOISE)
        if same.all():
            return same
        alike = codecs.sounds(codec) == codecs.sounds(kinds)
        likely: Bool = same | alike | newest & may_turn(self.table.rx, rows, now)
        return likely & ((kinds < codecs.RED) | (kinds >= codecs.COPIES))

    def _note_codecs(self, rows: I64, kinds: I8, newest: Bool, now: float) -> None:
        """A source that changes its codec may have to be relayed no more, or again."""
        rx = self.table.rx
        changed = rx.codec[rows] != kinds
        if changed.any():
            changed &= newest & may_turn(rx, rows, now)
            note_turn(rx, rows[changed], now)
            for i in np.flatnonzero(changed).tolist():
                clock = rx.clock[rows[i]]
                self.expect_codec(int(rows[i]), int(kinds[i]))
                if rx.clock[rows[i]] != clock:
                    rx.timestamp[rows[i]] = NO_TIME  # what passed by the one clock is not told by the other
                self.plan.touch_listeners(int(rows[i]))
            self._settle()

    def expect_codec(self, row: int, number: int) -> None:
        """What arrives is coded so from now on, with copies (RED) or without."""
        rx, kind = self.table.rx, codecs.KINDS[codecs.inside(number)]
        rx.codec[row], rx.clock[row], rx.rate[row], rx.span[row] = number, kind.clock, kind.rate, 0

    def _relay(self, packets: Packets, kinds: I8, sound: Bool, extended: I64, now: float) -> None:
        """Send on what is relayed, to one listener of each leg after the other."""
        to = self.table.rx.relay_to[packets.rows]
        several = np.flatnonzero(to == SEVERAL)
        if len(several):
            rows = packets.rows[several].tolist()
            targets = [self.plan.relays[row] for row in rows]
            to[several] = [each[0] for each in targets]
        if (to >= 0).any():
            self._relay_to(to, packets, kinds, sound, extended, now)
        for turn in range(1, max(map(len, targets)) if len(several) else 0):
            to = np.full(len(packets), NOBODY)
            to[several] = [each[turn] if turn < len(each) else NOBODY for each in targets]
            self._relay_to(to, packets, kinds, sound, extended, now)

    def _relay_to(
        self, targets: I64, packets: Packets, kinds: I8, sound: Bool, extended: I64, now: float
    ) -> None:
        tx = self.table.tx
        right = (targets >= 0) & ~tx.busy[targets]
        heads, spans = tx.head[targets], self.table.rx.span[packets.rows]
        if sound.all():
            right &= kinds == tx.codec[targets]
        else:
            pts = np.where(kinds == codecs.COMFORT_NOISE, tx.noise_pt[targets], tx.dtmf_pt[targets])
            heads = np.where(sound, heads, rtp.VERSION | pts << 16)
            spans = np.where(sound, spans, tx.span[targets])
            right &= np.where(sound, kinds == tx.codec[targets], pts >= 0)
        if not right.all():
            if not right.any():
                return
            packets, targets, extended = packets.only(right), targets[right], extended[right]
            heads, spans = heads[right], spans[right]
        stream = self.table.rx.stream[packets.rows]
        relay(tx, self._batch, packets, extended, targets, heads, spans, stream, self.network, now)

    # --- the tick ---------------------------------------------------------------------------------

    def tick(self, now: float, skipped: int = 0) -> None:
        """Make and send one block for every rendered leg; `skipped` ticks before this one were left out."""
        self._settle()
        self.hearing.force(now)
        heard, told = self.studio.tick(self.renderer.hear(skipped, now), now)
        self.events.extend(told)
        if self.ear is not None:
            for rows, samples, real in heard:
                if len(rows):
                    self.ear(rows, samples, real, now)
        rendered = self.renderer.mix(heard, self.studio.treatment.speaking)
        self.events.extend(self.taps.tick(heard, rendered, skipped))
        for rows, samples in rendered:
            self.packer.send(self.table.tx, rows, samples, skipped, self.network, now)
        played = [(self.table.at(row), done) for row, done in self.renderer.played]
        for leg, done in (*played, *self.studio.played):
            self.tell_played(leg, done)
        self.events.extend(self.digits.tick(self.network, now))
        for row in list(self.uncertain):
            self._connect(row, now)
        self._turn(now)

    def _turn(self, now: float) -> None:
        """Turn those whose time it is; behind a tick, so that the next block has come when it is read."""
        live = self.turning.due(now)
        if live:
            self._settle()
            self.turning.go_live(live)

    def tell_played(self, leg: Leg, done: list[Done]) -> None:
        """Plays of the leg that ended."""
        self.events.extend(PlayDone(leg.number, *play) for play in done)
        if leg.player is not None and not leg.player.playing:
            leg.player = None
            self.plan.touch(leg.row)
        self.studio.review_plays(leg)

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
        self.hearing.give_all()
        self.plan.forget(leg)
        self.taps.forget(leg)
        self.digits.forget(leg.row)
        self.uncertain.discard(leg.row)
        self.hearing.forget(leg.row)
        self.turning.forget(leg.row)
        self.packer.forget(leg.row)
        self.studio.forget(leg)
        self.table.remove(leg)
