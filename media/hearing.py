"""What arrives on legs that somebody hears, into the planes' play-out.

G.711 is decoded by table, all packets of a size at once. Every other codec has frames and a state of its own:
its packets go through media.decoding one by one, in their order.

The way into a plane costs about the same for one packet as for many. Packets of streams that flow are
therefore kept for the tick, where all that came since the last one go it together; those that are decoded one
by one only until there are TOGETHER of them, for a tick that had to decode everybody's would be late.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from media import codecs, comfort
from media.clock import RATE
from media.columns import F64, I8, I64, U8, Bool
from media.decoding import Decoding, Frame
from media.legs import LegTable
from media.network import HEADER, Batch
from media.plane import RATES, Plane
from media.reception import steady
from media.rtp import Packets

LONGEST = np.full(128, 1500)  # bytes of a payload by codec
LONGEST[: codecs.PCMA + 1] = 480  # 60 ms
TOGETHER = 16

Noise = tuple[float, list[float]]  # level in dBov, reflection coefficients


class Sound:
    """Packets of sound of one round, at most one a leg; each an array with an entry a packet.

    slots: in the batch. sizes: of payloads. streams: media.reception's numbers. stamps: RTP timestamps.
    extended: sequence numbers without wrap. kinds: codecs. newest: ahead of all before it in its stream.
    times: when they came, s.
    """

    __slots__ = ("extended", "kinds", "newest", "rows", "sizes", "slots", "stamps", "streams", "times")

    def __init__(
        self,
        rows: I64,
        slots: I64,
        sizes: I64,
        streams: I64,
        stamps: I64,
        extended: I64,
        kinds: I8,
        newest: Bool,
        times: F64,
    ) -> None:
        self.rows, self.slots, self.sizes = rows, slots, sizes
        self.streams, self.stamps, self.extended = streams, stamps, extended
        self.kinds, self.newest, self.times = kinds, newest, times

    def only(self, which: Bool | I64) -> Sound:
        """Those that `which` selects."""
        return Sound(*(getattr(self, name)[which] for name in _FIELDS))


_FIELDS = ("rows", "slots", "sizes", "streams", "stamps", "extended", "kinds", "newest", "times")


def _joined(sounds: Sequence[Sound]) -> Sound:
    """All of them one after the other."""
    if len(sounds) == 1:
        return sounds[0]
    return Sound(*(np.concatenate([getattr(each, name) for each in sounds]) for name in _FIELDS))


def _payloads(batch: Batch, sound: Sound) -> list[bytes]:
    views = batch.views
    return [
        bytes(views[slot][HEADER : HEADER + size])
        for slot, size in zip(sound.slots.tolist(), sound.sizes.tolist())
    ]


class Hearing:
    """Decoders of legs, and the way into the planes."""

    def __init__(self, table: LegTable, planes: Sequence[Plane]) -> None:
        self._table = table
        self._planes = planes
        self.decoding = Decoding()
        for plane in planes:
            plane.steady = lambda rows: steady(table.rx, rows)
        self._kept: list[tuple[Sound, U8]] = []
        self._framed: list[tuple[Sound, list[bytes]]] = []
        self._waiting = 0  # packets in `_framed`
        self._keeps: Bool = np.zeros(64, np.bool_)  # by row: it has a packet in one of the two
        self._now = 0.0  # when the newest of those were taken

    def keep(self, batch: Batch, sound: Sound, now: float) -> None:
        """Packets of streams that flow, all ahead of what came before."""
        framed = sound.kinds > codecs.PCMA
        if framed.all():
            self._make_way(sound.rows)
            self._framed.append((sound, _payloads(batch, sound)))
            self._waiting += len(sound.rows)
        else:
            size = int(sound.sizes[0])
            if framed.any() or (sound.sizes != size).any():
                self.give_kept(sound.rows)
                self.take(batch, sound, now)
                return
            if self._kept and self._kept[0][1].shape[1] != size:
                self.give_all()
            self._make_way(sound.rows)
            self._kept.append((sound, batch.buffer[sound.slots, HEADER : HEADER + size]))
        self._keeps[sound.rows] = True
        self._now = now
        if self._waiting >= TOGETHER:
            self.give_all()

    def _make_way(self, rows: I64) -> None:
        """Give what is kept when that is of these legs, too."""
        if int(rows.max()) >= len(self._keeps):
            self._keeps = np.concatenate([self._keeps, np.zeros(int(rows.max()) + 1, np.bool_)])
        self.give_kept(rows)

    def give_kept(self, rows: I64) -> None:
        """Packets of these legs are about to be taken: those before them come first."""
        if (self._kept or self._framed) and self._keeps[rows[rows < len(self._keeps)]].any():
            self.give_all()

    def give_all(self) -> None:
        """Let play-out have what was kept."""
        if self._kept:
            kept, self._kept = self._kept, []
            sound = _joined([each for each, _ in kept])
            self._keeps[sound.rows] = False
            self._play_plain(sound, np.concatenate([payloads for _, payloads in kept]), self._now)
        if self._framed:
            framed, self._framed, self._waiting = self._framed, [], 0
            sound = _joined([each for each, _ in framed])
            self._keeps[sound.rows] = False
            self._play_framed(sound, [one for _, some in framed for one in some], self._now)

    def take(self, batch: Batch, sound: Sound, now: float) -> None:
        """Packets of legs that are heard."""
        framed = sound.kinds > codecs.PCMA
        if framed.any():
            some = sound if framed.all() else sound.only(framed)
            self._play_framed(some, _payloads(batch, some), now)
            if some is sound:
                return
            sound = sound.only(~framed)
        sizes = sound.sizes
        first = int(sizes[0])
        if (sizes == first).all():
            self._play_plain(sound, batch.buffer[sound.slots, HEADER : HEADER + first], now)
            return
        for size in np.unique(sizes).tolist():
            some = sound.only(sizes == size)
            self._play_plain(some, batch.buffer[some.slots, HEADER : HEADER + size], now)

    def _play_plain(self, sound: Sound, payloads: U8, now: float) -> None:
        """G.711, payloads: uint8[n, L]."""
        plane = self._planes[0]
        columns = (sound.rows, sound.streams, sound.stamps, sound.newest)
        slots, stamps = plane.place(*columns, plane.rate, sound.times)
        plane.playout.write(slots, stamps, codecs.decode(sound.kinds, payloads), sound.newest, now)

    def _play_framed(self, sound: Sound, payloads: list[bytes], now: float) -> None:
        """Codecs with frames, each alone, or one with copies (RED)."""
        kinds = sound.kinds
        if (kinds == kinds[0]).all():
            self._play_kind(sound, payloads, int(kinds[0]), now)
            return
        for kind in np.unique(kinds).tolist():
            which = (kinds == kind).nonzero()[0]
            self._play_kind(sound.only(which), [payloads[i] for i in which.tolist()], kind, now)

    def _play_kind(self, sound: Sound, payloads: list[bytes], kind: int, now: float) -> None:
        kinds, take, own = self._table.common.kinds, self.decoding.take, codecs.KINDS[codecs.inside(kind)]
        plane = self._planes[RATES.index(own.rate)]
        columns = (sound.rows, sound.streams, sound.stamps, sound.newest)
        slots, stamps = plane.place(*columns, own.clock, sound.times)
        each = (sound.rows, sound.extended, stamps, sound.streams)
        frames = [
            take(row, kind, extended, stamp, payload, kinds[row], stream)
            for row, extended, stamp, stream, payload in zip(*(one.tolist() for one in each), payloads)
        ]
        if self.decoding.copied:
            self._note_copies(plane, now)
        self._write(plane, slots, frames, sound.newest, now)

    def _note_copies(self, plane: Plane, now: float) -> None:
        """Packets that are had from others arrive with those: play-out that waits for them needs no other."""
        for row, stamp in self.decoding.copied:
            plane.playout.observe(np.array([plane.slot(row)]), np.array([stamp]), now)
        self.decoding.copied.clear()

    def pause(self, batch: Batch, packets: Packets, now: float) -> None:
        """Descriptions of the noise to be heard until sound comes again (RFC 3389), the newest."""
        rx = self._table.rx
        packets = packets.only(rx.clock[packets.rows] == RATE)
        rx.timestamp[packets.rows], rx.apart[packets.rows] = packets.timestamp, 0.0
        heard = rx.heard[packets.rows] != 0
        for plane in self._planes:
            here = packets.only(heard & (rx.rate[packets.rows] == plane.rate))
            told = [
                comfort.decode(bytes(batch.views[slot][HEADER : HEADER + size]))
                for slot, size in zip(here.slots.tolist(), here.size.tolist())
            ]
            which = np.array([each is not None for each in told], np.bool_)
            if which.any():
                self._rest(plane, here.only(which), [each for each in told if each is not None], now)

    def _rest(self, plane: Plane, packets: Packets, described: list[Noise], now: float) -> None:
        rows, stamps = packets.rows, packets.timestamp
        newest = np.ones(len(rows), np.bool_)
        streams, times = self._table.rx.stream[rows], np.full(len(rows), now)
        slots, _ = plane.place(rows, streams, stamps, newest, RATE, times)
        level = np.array([each[0] for each in described], np.float32)
        colour = np.zeros((len(rows), comfort.ORDER), np.float32)
        if plane.rate == RATE:  # coefficients are of sound at the rate of the clock
            for place, (_, reflection) in zip(colour, described):
                place[: len(reflection)] = reflection
        plane.playout.rest(slots, level, colour)

    def _write(self, plane: Plane, slots: I64, frames: list[list[Frame]], newest: Bool, now: float) -> None:
        """frames: of each slot, in order."""
        if all(len(each) == 1 for each in frames):
            first = len(frames[0][0].samples)
            if all(len(each[0].samples) == first for each in frames):
                stamps = np.array([each[0].stamp for each in frames])
                samples = np.concatenate([each[0].samples for each in frames]).reshape(-1, first)
                plane.playout.write(slots, stamps, samples, newest, now)
                return
        for turn in range(max(map(len, frames))):
            by_length: dict[int, list[int]] = {}
            for i, each in enumerate(frames):
                if turn < len(each):
                    by_length.setdefault(len(each[turn].samples), []).append(i)
            for these in by_length.values():
                stamps = np.array([frames[i][turn].stamp for i in these])
                samples = np.stack([frames[i][turn].samples for i in these])
                plane.playout.write(slots[these], stamps, samples, newest[these], now)

    def force(self, now: float) -> None:
        """Give up what is missing before packets that wait, where the coming tick needs them."""
        self.give_all()
        codec, decoding = self._table.rx.codec, self.decoding
        for plane in self._planes:
            if not len(plane.rows):
                continue
            framed = (codec[plane.rows] > codecs.PCMA).nonzero()[0]
            if not len(framed):
                continue
            playout, slots = plane.playout, plane.slots[framed]
            behind = playout.behind(slots)
            late = behind.nonzero()[0].tolist()
            if not late:
                continue
            begins = playout.end[slots] - playout.shift[slots]
            for i in late:
                row = int(plane.rows[framed[i]])
                if decoding.waits(row):
                    # Something newer has come: what play-out filled in was lost, and is not played once more.
                    begins[i] += playout.held[slots[i]]
                elif not decoding.resting(row):
                    continue
                made = decoding.force(row, int(begins[i] + behind[i]))
                kept = [frame for frame in made if frame.real or frame.stamp >= begins[i]]
                self._write(plane, slots[i : i + 1], [kept], np.ones(1, np.bool_), now)

    def played(self, rows: I64) -> I64:
        """What play-out counted of legs: int64[n, PLAYED]."""
        return self._table.rx.played(rows) + sum(plane.played(rows) for plane in self._planes)

    def late(self, rows: I64) -> I64:
        """Packets of legs that came after their turn to be played."""
        total = self._table.rx.late[rows]
        for plane in self._planes:
            total += plane.late(rows)
        for i in (self._table.rx.codec[rows] > codecs.PCMA).nonzero()[0].tolist():
            total[i] += self.decoding.late(int(rows[i]))
        return total

    def rest(self, row: int) -> None:
        """The leg is heard no more, for now: when it is again, nothing between is missed."""
        self.decoding.restart(row)

    def forget(self, row: int) -> None:
        """The leg is closed."""
        self.decoding.close(row)
