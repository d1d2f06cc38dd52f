"""What arrives on legs that somebody hears, into the planes' play-out.

G.711 is decoded by table, all packets of a size at once. Every other codec has frames and a state of its own:
its packets go through media.decoding one by one, in their order.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from media import codecs, comfort
from media.clock import RATE
from media.columns import I8, I64, U8, Bool
from media.decoding import Decoding, Frame
from media.legs import LegTable
from media.network import HEADER, Batch
from media.plane import RATES, Plane
from media.rtp import Packets

LONGEST = np.full(128, 1500)  # bytes of a payload by codec
LONGEST[: codecs.PCMA + 1] = 480  # 60 ms


Noise = tuple[float, list[float]]  # level in dBov, reflection coefficients


class Sound:
    """Packets of sound of one round, at most one a leg; each an array with an entry a packet.

    slots: in the batch. sizes: of payloads. streams: media.reception's numbers. stamps: RTP timestamps.
    extended: sequence numbers without wrap. kinds: codecs. newest: ahead of all before it in its stream.
    """

    __slots__ = ("extended", "kinds", "newest", "rows", "sizes", "slots", "stamps", "streams")

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
    ) -> None:
        self.rows, self.slots, self.sizes = rows, slots, sizes
        self.streams, self.stamps, self.extended = streams, stamps, extended
        self.kinds, self.newest = kinds, newest

    def only(self, which: Bool | I64) -> Sound:
        """Those that `which` selects."""
        return Sound(*(getattr(self, name)[which] for name in _FIELDS))


_FIELDS = ("rows", "slots", "sizes", "streams", "stamps", "extended", "kinds", "newest")


class Hearing:
    """Decoders of legs, and the way into the planes."""

    def __init__(self, table: LegTable, planes: Sequence[Plane]) -> None:
        self._table = table
        self._planes = planes
        self.decoding = Decoding()
        self._kept: list[tuple[Sound, U8]] = []
        self._keeps: Bool = np.zeros(64, np.bool_)  # by row: it has a packet in `_kept`
        self._now = 0.0  # when the newest of those came

    def keep(self, batch: Batch, sound: Sound, now: float) -> None:
        """Packets of streams that flow, all ahead of what came before: G.711 waits for the tick, where all
        that came since the last one costs as much as a drain's would.
        """
        sizes, size = sound.sizes, int(sound.sizes[0])
        if (sound.kinds > codecs.PCMA).any() or (sizes != size).any():
            self.give_kept(sound.rows)
            self.take(batch, sound, now)
            return
        self._make_way(sound.rows, size, now)
        self._kept.append((sound, batch.buffer[sound.slots, HEADER : HEADER + size]))
        self._keeps[sound.rows] = True
        self._now = now

    def _make_way(self, rows: I64, size: int, now: float) -> None:
        """Give what is kept when these cannot be given together with it."""
        if int(rows.max()) >= len(self._keeps):
            self._keeps = np.concatenate([self._keeps, np.zeros(int(rows.max()) + 1, np.bool_)])
        if not self._kept:
            return
        near = self._planes[0].playout.near
        if self._kept[0][1].shape[1] != size or near(now) != near(self._now):
            self.give_all()
        else:
            self.give_kept(rows)

    def give_kept(self, rows: I64) -> None:
        """Packets of these legs are about to be taken: those before them come first."""
        if self._kept and self._keeps[rows[rows < len(self._keeps)]].any():
            self.give_all()

    def give_all(self) -> None:
        """Let play-out have what was kept."""
        if not self._kept:
            return
        kept, self._kept = self._kept, []
        rows, streams, stamps, newest, kinds = (
            np.concatenate([getattr(sound, name) for sound, _ in kept])
            for name in ("rows", "streams", "stamps", "newest", "kinds")
        )
        self._keeps[rows] = False
        plane = self._planes[0]
        slots, stamps = plane.place(rows, streams, stamps, newest, plane.rate, self._now)
        samples = codecs.decode(kinds, np.concatenate([payloads for _, payloads in kept]))
        plane.playout.write(slots, stamps, samples, newest, self._now)

    def take(self, batch: Batch, sound: Sound, now: float) -> None:
        """Packets of legs that are heard."""
        framed = sound.kinds > codecs.PCMA
        if framed.any():
            for kind in np.unique(sound.kinds[framed]).tolist():
                self._take_framed(batch, sound.only(sound.kinds == kind), kind, now)
            if framed.all():
                return
            sound = sound.only(~framed)
        self._take_plain(batch, sound, now)

    def _take_plain(self, batch: Batch, sound: Sound, now: float) -> None:
        """G.711."""
        plane, sizes = self._planes[0], sound.sizes
        first = int(sizes[0])
        if (sizes == first).all():
            self._decode(plane, batch, sound, first, now)
            return
        for size in np.unique(sizes).tolist():
            self._decode(plane, batch, sound.only(sizes == size), size, now)

    def _decode(self, plane: Plane, batch: Batch, sound: Sound, size: int, now: float) -> None:
        slots, stamps = plane.place(sound.rows, sound.streams, sound.stamps, sound.newest, plane.rate, now)
        samples = codecs.decode(sound.kinds, batch.buffer[sound.slots, HEADER : HEADER + size])
        plane.playout.write(slots, stamps, samples, sound.newest, now)

    def _take_framed(self, batch: Batch, sound: Sound, kind: int, now: float) -> None:
        """Packets of one codec with frames, or of one with copies (RED)."""
        kinds, take, own = self._table.common.kinds, self.decoding.take, codecs.KINDS[codecs.inside(kind)]
        plane = self._planes[RATES.index(own.rate)]
        slots, stamps = plane.place(sound.rows, sound.streams, sound.stamps, sound.newest, own.clock, now)
        frames = []
        for i, row in enumerate(sound.rows.tolist()):
            payload = batch.views[sound.slots[i]][HEADER : HEADER + sound.sizes[i]]
            at, stream = int(stamps[i]), int(sound.streams[i])
            frames.append(take(row, kind, int(sound.extended[i]), at, payload, kinds[row], stream))
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
        slots, _ = plane.place(rows, self._table.rx.stream[rows], stamps, newest, RATE, now)
        level = np.array([each[0] for each in described], np.float32)
        colour = np.zeros((len(rows), comfort.ORDER), np.float32)
        if plane.rate == RATE:  # coefficients are of sound at the rate of the clock
            for place, (_, reflection) in zip(colour, described):
                place[: len(reflection)] = reflection
        plane.playout.rest(slots, level, colour)

    def _write(self, plane: Plane, slots: I64, frames: list[list[Frame]], newest: Bool, now: float) -> None:
        """frames: of each slot, in order."""
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
            framed = np.flatnonzero(codec[plane.rows] > codecs.PCMA)
            if not len(framed):
                continue
            playout, slots = plane.playout, plane.slots[framed]
            behind = playout.behind(slots)
            begins = playout.end[slots] - playout.shift[slots]
            for i in np.flatnonzero(behind > 0).tolist():
                row = int(plane.rows[framed[i]])
                if decoding.waits(row):
                    # Something newer has come: what play-out filled in was lost, and is not played once more.
                    begins[i] += playout.held[slots[i]]
                elif not decoding.resting(row):
                    continue
                made = decoding.force(row, int(begins[i] + behind[i]))
                kept = [frame for frame in made if frame.real or frame.stamp >= begins[i]]
                self._write(plane, slots[i : i + 1], [kept], np.ones(1, np.bool_), now)

    def rest(self, row: int) -> None:
        """The leg is heard no more, for now: when it is again, nothing between is missed."""
        self.decoding.restart(row)

    def forget(self, row: int) -> None:
        """The leg is closed."""
        self.decoding.close(row)
