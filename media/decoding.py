"""Decoders of legs whose codecs have frames: each leg's packets in order, and what is done about gaps.

A packet that comes in its turn is decoded at once. One that comes behind a gap waits, because a decoder's
state runs from packet to packet and what is missing may still come. When play-out can wait no longer it asks
for sound up to a stamp, `force`: what is missing is then declared lost and made from the copy inside the next
packet, or is the decoder's own comfort noise while the far end rests; else the gap is left to the plane's
concealer. Redundant copies (RFC 2198) are taken as if they had come themselves. A packet that comes after its
time but before any newer one still feeds the decoder, whose next frames are the better for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from media import codecs, red
from media.codecs import Decoder, Params
from media.columns import I8, I16

MOST_WAITING = 32  # packets of a leg behind a gap; with more the gap is given up
RESTART = 1000  # packets between one and the next that are a new numbering, not a loss
LOST_MS, SILENT_MS = 200, 1200  # made up in a row at most: for losses, for a far end that says nothing
MOST_MS = 60  # of one frame handed on; longer packets are cut
SAID = 3  # packets in a row that ask for a mode until that is done: one can be anybody's
LONGEST_GAP_MS = 1000  # a longer one is a pause, which nothing is invented for


class Frame(NamedTuple):
    """stamp: of its first sample. real: it was sent, and not made up."""

    stamp: int
    samples: I16
    real: bool = True


class _Leg:
    """next: sequence number whose turn it is. due: stamp behind the newest sample. waiting: packets behind a
    gap by sequence number. most: samples of one frame. made: samples made up since the last real one. wish:
    the mode that the far end is sent as it asked; heard: what its newest packets ask for, `said` in a row.
    """

    __slots__ = (
        *("decoder", "due", "failed", "heard", "kind", "late", "made", "most"),
        *("next", "params", "rate", "said", "stream", "waiting", "wish"),
    )

    def __init__(self, params: Mapping[int, Params]) -> None:
        self.params = params
        self.kind = codecs.UNKNOWN
        self.decoder: Decoder | None = None
        self.rate = self.most = 0
        self.wish: int | None = None
        self.heard, self.said = -1, 0
        self.next = self.due = self.made = self.late = self.failed = self.stream = 0
        self.waiting: dict[int, tuple[int, bytes]] = {}


def _cut(leg: _Leg, stamp: int, samples: I16, real: bool) -> list[Frame]:
    most = leg.most
    return [Frame(stamp + at, samples[at : at + most], real) for at in range(0, len(samples), most)]


class Decoding:
    """Decoders by row. wishes: modes that far ends asked to be sent, by row, for whoever encodes to take.

    copied: missing packets of which a copy has come now, as (row, stamp), for whoever takes note of arrivals.
    """

    def __init__(self) -> None:
        self._legs: dict[int, _Leg] = {}
        self.wishes: dict[int, int] = {}
        self.copied: list[tuple[int, int]] = []

    def __len__(self) -> int:
        """Rows that have one."""
        return len(self._legs)

    def open(self, row: int, params: Mapping[int, Params]) -> None:
        """What has been agreed for the row: format parameters by codec number."""
        leg = self._legs.get(row)
        if leg is None:
            self._legs[row] = _Leg(params)
        elif leg.params != params:
            self._stop(leg)
            leg.params = params

    def restart(self, row: int) -> None:
        """Another stream begins: nothing of the one before is waited for, and no state carried over."""
        leg = self._legs.get(row)
        if leg is not None:
            self._stop(leg)

    def close(self, row: int) -> None:
        """Free the row's decoder."""
        leg = self._legs.pop(row, None)
        self.wishes.pop(row, None)
        if leg is not None:
            self._stop(leg)

    def late(self, row: int) -> int:
        """Packets that came after what follows them was decoded, since the row was opened."""
        leg = self._legs.get(row)
        return leg.late if leg is not None else 0

    def failed(self, row: int) -> int:
        """Packets that no decoder took, since the row was opened."""
        leg = self._legs.get(row)
        return leg.failed if leg is not None else 0

    def waits(self, row: int) -> bool:
        """Whether packets wait behind a gap."""
        leg = self._legs.get(row)
        return leg is not None and bool(leg.waiting)

    def resting(self, row: int) -> bool:
        """Whether the far end's last word was that it says nothing."""
        leg = self._legs.get(row)
        return leg is not None and leg.decoder is not None and leg.decoder.silent

    # --- packets ----------------------------------------------------------------------------------

    def take(
        self,
        row: int,
        kind: int,
        sequence: int,
        stamp: int,
        payload: memoryview | bytes,
        types: I8 | None = None,
        stream: int = 0,
    ) -> list[Frame]:
        """A packet; the frames that can be played with it, in order.

        kind: its codec, RED and above where copies come with it. sequence, stamp: extended and unwrapped,
        stamp in samples of the plane; no sequence number comes twice. types: the leg's codecs by payload
        type, which RED needs. stream: another than before begins anew.
        """
        leg = self._legs.get(row)
        if leg is None or leg.kind != kind or leg.next != sequence or leg.stream != stream:
            if kind >= codecs.RED:
                return self._take_copies(row, sequence, stamp, bytes(payload), types, stream)
            return self._take_odd(row, kind, sequence, stamp, bytes(payload), stream)
        frames: list[Frame] = []
        self._decode(row, leg, sequence, stamp, bytes(payload), frames)
        if leg.waiting:
            self._follow(row, leg, frames)
        return frames

    def _take_odd(
        self, row: int, kind: int, sequence: int, stamp: int, payload: bytes, stream: int
    ) -> list[Frame]:
        """A packet that is not simply the next."""
        leg = self._legs.get(row)
        frames: list[Frame] = []
        known = leg is not None and leg.kind == kind and leg.stream == stream
        if leg is None or not known or not -RESTART < sequence - leg.next < RESTART:
            leg = self._start(row, kind, sequence, stamp, frames)
            leg.stream = stream
            self._decode(row, leg, sequence, stamp, payload, frames)
        elif sequence > leg.next:
            leg.waiting[sequence] = stamp, payload
            if leg.decoder is not None and sequence - 1 not in leg.waiting and leg.decoder.copies(payload):
                self.copied.append((row, stamp - leg.decoder.span))
            if len(leg.waiting) > MOST_WAITING:
                self._skip(row, leg, frames)
        else:
            leg.late += 1
            if leg.decoder is not None and not leg.decoder.ordered:
                samples = leg.decoder.decode(payload)
                if samples is not None:
                    frames += _cut(leg, stamp, samples, True)
        return frames

    def _take_copies(
        self, row: int, sequence: int, stamp: int, payload: bytes, types: I8 | None, stream: int
    ) -> list[Frame]:
        """A packet with copies of earlier ones; those that never came are taken first."""
        blocks = red.split(payload)
        own = int(types[blocks[-1].pt]) if blocks and types is not None else codecs.UNKNOWN
        if blocks is None or own < 0 or own >= len(codecs.KINDS) or not blocks[-1].payload:
            return []
        kind, leg = codecs.KINDS[own], self._legs.get(row)
        frames: list[Frame] = []
        if leg is not None and (leg.kind, leg.stream) == (own, stream) and 0 < sequence - leg.next < RESTART:
            assert types is not None
            for place, block in enumerate(blocks[:-1]):
                back = block.back * kind.rate // kind.clock
                # Copies have no sequence number. They are of the packets right before; where times say
                # otherwise (a sender that spreads them), times are right.
                behind = len(blocks) - 1 - place
                span = leg.decoder.span if leg.decoder is not None else 0
                if span and back % span == 0:
                    behind = back // span
                missing = leg.next <= sequence - behind < sequence
                if missing and sequence - behind not in leg.waiting and int(types[block.pt]) == own:
                    self.copied.append((row, stamp - back))
                    frames += self.take(
                        row, own, sequence - behind, stamp - back, block.payload, stream=stream
                    )
        return frames + self.take(row, own, sequence, stamp, blocks[-1].payload, stream=stream)

    def force(self, row: int, until: int) -> list[Frame]:
        """Sound up to the stamp `until`, as far as it can be had: what is missing before it is lost."""
        leg = self._legs.get(row)
        frames: list[Frame] = []
        if leg is None or leg.decoder is None:
            return frames
        while leg.due < until:
            if leg.waiting:
                self._bridge(row, leg, leg.decoder, frames)
            elif not self._prolong(leg, leg.decoder, frames):
                break
        return frames

    # --- gaps -------------------------------------------------------------------------------------

    def _bridge(self, row: int, leg: _Leg, decoder: Decoder, frames: list[Frame]) -> None:
        """One step over the gap before the packets that wait."""
        first = min(leg.waiting)
        stamp, payload = leg.waiting[first]
        gap = stamp - leg.due
        most = leg.rate * LOST_MS // 1000
        if 0 < gap <= leg.rate * LONGEST_GAP_MS // 1000 and leg.made < most:
            span = self._span(leg, decoder)
            step = gap if gap < 2 * span else span
            self._make_up(leg, step, frames, payload, gap - step)
            leg.next = min(leg.next + 1, first)
            if step < gap:
                return
        leg.next = first
        self._follow(row, leg, frames)

    def _prolong(self, leg: _Leg, decoder: Decoder, frames: list[Frame]) -> bool:
        """One step of comfort noise where nothing has come; whether there was one to make."""
        if not decoder.silent or leg.made >= leg.rate * SILENT_MS // 1000:
            return False
        return self._make_up(leg, min(self._span(leg, decoder), leg.rate // 50), frames)

    @staticmethod
    def _span(leg: _Leg, decoder: Decoder) -> int:
        """Samples that a missing packet presumably had, 10..60 ms whatever the last one was."""
        return min(max(decoder.span, leg.rate // 100), leg.rate * MOST_MS // 1000)

    @staticmethod
    def _make_up(
        leg: _Leg, samples: int, frames: list[Frame], following: bytes | None = None, ahead: int = 0
    ) -> bool:
        """Let the codec make up what it can; False when there was nothing to be made."""
        assert leg.decoder is not None, "only what was decoded is concealed"
        made = leg.decoder.conceal(samples, following, ahead)
        if made is not None:
            frames += _cut(leg, leg.due, made, False)
        elif following is None:
            return False
        leg.due += samples
        leg.made += samples
        return True

    def _skip(self, row: int, leg: _Leg, frames: list[Frame]) -> None:
        """Give up the first gap."""
        assert leg.decoder is not None, "packets wait for a decoder"
        while len(leg.waiting) > MOST_WAITING:
            self._bridge(row, leg, leg.decoder, frames)

    # --- decoding ---------------------------------------------------------------------------------

    def _follow(self, row: int, leg: _Leg, frames: list[Frame]) -> None:
        """Decode those that wait no longer."""
        while (packet := leg.waiting.pop(leg.next, None)) is not None:
            self._decode(row, leg, leg.next, *packet, frames)

    def _decode(
        self, row: int, leg: _Leg, sequence: int, stamp: int, payload: bytes, frames: list[Frame]
    ) -> None:
        decoder = leg.decoder
        assert decoder is not None, "the leg has been started"
        leg.next = sequence + 1
        samples = decoder.decode(payload)
        if samples is None:
            leg.failed += 1
            if stamp >= leg.due:
                leg.due = stamp
                self._make_up(leg, self._span(leg, decoder), frames, b"")
            return
        if decoder.wish is not None and decoder.wish != leg.wish:
            self._hear_wish(row, leg, decoder.wish)
        else:
            leg.said = 0
        leg.made = 0
        end = stamp + len(samples)
        if end > leg.due:
            leg.due = end
        if end - stamp <= leg.most:
            frames.append(Frame(stamp, samples))
        else:
            frames += _cut(leg, stamp, samples, True)

    def _hear_wish(self, row: int, leg: _Leg, wish: int) -> None:
        """A packet that asks for another mode than is sent. Who means it asks in every packet: each overrides
        the one before (RFC 4867 section 4.3.1).
        """
        leg.said = leg.said + 1 if wish == leg.heard else 1
        leg.heard = wish
        if leg.said >= SAID:
            self.wishes[row] = leg.wish = wish

    def _start(self, row: int, kind: int, sequence: int, stamp: int, frames: list[Frame]) -> _Leg:
        """A decoder for the stream that begins with this packet, after what waits of the one before."""
        leg = self._legs.get(row)
        if leg is None:
            leg = self._legs[row] = _Leg({})
        while leg.waiting and leg.decoder is not None:
            self._bridge(row, leg, leg.decoder, frames)
        self._stop(leg)
        leg.kind, leg.rate = kind, codecs.KINDS[kind].rate
        leg.most = leg.rate * MOST_MS // 1000
        leg.decoder = codecs.decoder(kind, leg.params.get(kind, {}))
        leg.next, leg.due, leg.made, leg.wish, leg.said = sequence, stamp, 0, None, 0
        return leg

    def _stop(self, leg: _Leg) -> None:
        if leg.decoder is not None:
            leg.decoder.close()
        leg.decoder = None
        leg.kind = codecs.UNKNOWN
        leg.waiting.clear()
