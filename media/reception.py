"""What each leg has received: sequence, duplicates, reordering, loss and jitter of the far end's stream.

RFC 3550 appendix A.1 (sequence), A.3 (loss) and A.8 (jitter), over all packets of a batch at once. A
*stream* is one SSRC without a restart of its numbering; each gets a number of its own, so that whoever
rewrites or plays it sees at once that another began.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np

from media import codecs
from media.clock import RATE, TICKS
from media.columns import F64, I8, I64, Bool, Column, Columns
from media.rtp import Packets

MAX_DROPOUT = 3000  # packets that may be missing before it counts as a restart
# A packet further ahead than what can have been sent since the one before, and so many more, is not of the
# stream by itself, but may restart it. Whatever a lone forged one leaves out still comes within WINDOW.
SUDDEN, SHORTEST = 25, 0.005  # packets; s of a packet
WINDOW = 62  # packets in which duplicates are known and reordered ones are taken
SILENCE = 0.08  # s the stream in use must have been silent before another SSRC replaces it
WILD = 10.0  # s of transit change that is a new clock, not jitter
PLAYED = ("late", "concealed", "accelerated", "expanded", "resets")  # what play-out counts of a leg
NO_TIME = -(1 << 40)  # timestamp before the first
NOBODY, SEVERAL = -1, -2
LONG, EVEN = 50, 0.0025  # packets and s of jitter of a stream that comes evenly
TURN, TURNS = 0.5, 4  # s a change of codec, in the long run, and so many at once

_SEEN = (1 << WINDOW) - 1


class Reception(Columns):
    """armed: first header word of the packet that may take the express lane (media.express), -1: none may.
    highest, first: extended sequence numbers. unique: packets of this stream. received, octets: of all.
    relay_to: the row that its packets are sent on to, or NOBODY or SEVERAL. heard: not 0 when what arrives
    must be decoded. timestamp: of the newest sound. span: of a packet of it, clock: in so many units a
    second. last: when the newest packet came, s; apart: how much before that the newest sound did. jitter: in
    timestamp units. window: bit i is set when packet `window_at` - i has come; all between it and `highest`
    have. rate: of the sound, Hz. restart: the sequence number that would confirm a restart. gone: packets
    lost of earlier streams. late, concealed, accelerated, expanded, resets: what play-out counted when the
    leg was heard before (packets; ms of sound; times). foreign: packets of payload types that were not agreed
    on; foreign_type: the newest such type. turned: s until which changes of codec are paid for, each with
    TURN.
    """

    SPEC: ClassVar[dict[str, Column]] = {
        "armed": Column(np.int64, -1),
        "highest": Column(np.int64),
        "unique": Column(np.int64),
        "received": Column(np.int64),
        "octets": Column(np.int64),
        "ssrc": Column(np.int64),
        "stream": Column(np.int64, -1),
        "relay_to": Column(np.int64, NOBODY),
        "heard": Column(np.int64),
        "timestamp": Column(np.int64, NO_TIME),
        "span": Column(np.int64),
        "clock": Column(np.float64, RATE),
        "last": Column(np.float64, -1e9),
        "jitter": Column(np.float64),
        "window": Column(np.int64),
        "window_at": Column(np.int64),
        "first": Column(np.int64),
        "restart": Column(np.int64, -1),
        "gone": Column(np.int64),
        "duplicate": Column(np.int64),
        "late": Column(np.int64),
        "concealed": Column(np.int64),
        "accelerated": Column(np.int64),
        "expanded": Column(np.int64),
        "resets": Column(np.int64),
        "reordered": Column(np.int64),
        "reported_expected": Column(np.int64),
        "reported_unique": Column(np.int64),
        "rate": Column(np.int64, RATE),
        "foreign": Column(np.int64),
        "foreign_type": Column(np.int64, -1),
        "turned": Column(np.float64, -1e9),
        "apart": Column(np.float64),
        "started": Column(np.bool_),
        "codec": Column(np.int8, -1),
    }
    armed: I64
    highest: I64
    unique: I64
    received: I64
    octets: I64
    ssrc: I64
    stream: I64
    relay_to: I64
    heard: I64
    timestamp: I64
    span: I64
    clock: F64
    last: F64
    jitter: F64
    window: I64
    window_at: I64
    first: I64
    restart: I64
    gone: I64
    duplicate: I64
    late: I64
    concealed: I64
    accelerated: I64
    expanded: I64
    resets: I64
    reordered: I64
    reported_expected: I64
    reported_unique: I64
    rate: I64
    foreign: I64
    foreign_type: I64
    turned: F64
    apart: F64
    started: Bool
    codec: I8

    def __init__(self, rows: int) -> None:
        super().__init__(rows)
        self._streams = 0

    def played(self, rows: I64) -> I64:
        """What play-out counted of legs when they were heard before: int64[n, PLAYED]."""
        counts: I64 = self.block[rows, COUNTED]
        return counts

    def keep_played(self, row: int, counts: list[int]) -> None:
        """The leg is heard no more; `counts` as in `played`."""
        self.block[row, COUNTED] += counts

    def new_streams(self, count: int) -> I64:
        """Numbers for `count` streams that begin."""
        self._streams += count
        return np.arange(self._streams - count, self._streams)

    def expected(self, rows: I64) -> I64:
        """Packets of the present stream that should have come by now."""
        return np.where(self.started[rows], self.highest[rows] - self.first[rows] + 1, 0)

    def lost(self, rows: I64) -> I64:
        """Packets that never came, over all streams."""
        total: I64 = self.gone[rows] + np.maximum(self.expected(rows) - self.unique[rows], 0)
        return total


COUNTED = slice(Reception.AT[PLAYED[0]], Reception.AT[PLAYED[-1]] + 1)
HOT = Reception.AT["jitter"] + 1  # columns that every packet needs, the first of the block


class Accepted(NamedTuple):
    """keep: packets to use. extended: sequence number without wrap. newest: ahead of all before."""

    keep: Bool
    extended: I64
    newest: Bool


def accept(rx: Reception, packets: Packets, now: float) -> Accepted:
    """Place packets (one a leg at most) in their legs' streams; duplicates, strays, foreign SSRCs are not
    kept.
    """
    rows = packets.rows
    highest = rx.highest[rows]
    step = (packets.sequence - highest + 0x8000 & 0xFFFF) - 0x8000
    extended = highest + step
    plain = rx.started[rows] & (rx.ssrc[rows] == packets.ssrc) & (step == 1)
    newest = plain.copy()
    keep = plain.copy()
    if plain.all():
        ahead = rows
    else:
        ahead = rows[plain]
        odd = np.flatnonzero(~plain)
        _accept_odd(rx, packets, odd, step, extended, keep, newest, now)
    rx.highest[ahead] += 1
    kept = rows if keep.all() else rows[keep]
    rx.received[kept] += 1
    rx.unique[kept] += 1
    rx.octets[kept] += packets.size[keep]
    rx.last[kept] = now
    return Accepted(keep, extended, newest)


def _accept_odd(
    rx: Reception, packets: Packets, odd: I64, step: I64, extended: I64, keep: Bool, newest: Bool, now: float
) -> None:
    """Everything but the packet that was expected next; few enough to be taken one by one."""
    for i in odd.tolist():
        row, ahead = int(packets.rows[i]), int(step[i])
        sequence = int(packets.sequence[i])
        if not rx.started[row]:
            begins = True
        elif rx.ssrc[row] != packets.ssrc[i]:
            begins = now - rx.last[row] >= SILENCE
            if not begins:
                continue
        elif 0 < ahead < min(MAX_DROPOUT, SUDDEN + (now - rx.last[row]) / SHORTEST):
            _open_window(rx, row, ahead)
            rx.highest[row] += ahead
            rx.restart[row] = -1
            keep[i] = newest[i] = True
            continue
        elif -WINDOW < ahead <= 0:
            keep[i] = _fill_gap(rx, row, -ahead)
            continue
        else:
            begins = sequence == rx.restart[row]  # the second in a row of another numbering: a restart
            rx.restart[row] = sequence + 1 & 0xFFFF
        if begins:
            _begin(rx, row, sequence, int(packets.ssrc[i]))
            extended[i] = sequence
            keep[i] = newest[i] = True


def _open_window(rx: Reception, row: int, ahead: int) -> None:
    """Bring the window up to the newest packet, and `ahead` further to one that has come just now."""
    run = min(int(rx.highest[row] - rx.window_at[row]), WINDOW)  # these have all come
    window = int(rx.window[row]) << run | (1 << run) - 1
    if ahead:
        window = window << min(ahead, WINDOW) | 1
    rx.window[row] = window & _SEEN
    rx.window_at[row] = rx.highest[row] + ahead


def _fill_gap(rx: Reception, row: int, back: int) -> bool:
    """A packet `back` places behind the newest: whether it is the first copy."""
    _open_window(rx, row, 0)
    window = int(rx.window[row])
    if window >> back & 1 or rx.highest[row] - back < rx.first[row]:
        rx.duplicate[row] += 1
        rx.received[row] += 1
        return False
    rx.window[row] = window | 1 << back
    rx.reordered[row] += 1
    return True


def _begin(rx: Reception, row: int, sequence: int, ssrc: int) -> None:
    """A stream's first packet."""
    if rx.started[row]:
        rx.gone[row] = rx.lost(np.array([row]))[0]
    rx.started[row] = True
    rx.ssrc[row] = ssrc
    rx.stream[row] = rx.new_streams(1)[0]
    rx.highest[row] = rx.first[row] = sequence
    rx.window[row] = 1
    rx.window_at[row] = sequence
    rx.restart[row] = -1
    rx.unique[row] = rx.reported_unique[row] = rx.reported_expected[row] = 0
    rx.timestamp[row] = NO_TIME


def may_turn(rx: Reception, rows: I64, now: float) -> Bool:
    """Sources that may change their codec now. Who hears them is then decided anew, which costs the more the
    more legs there are: no far end may have that done with every packet.
    """
    free: Bool = rx.turned[rows] <= now + TURN * (TURNS - 1)
    return free


def note_turn(rx: Reception, rows: I64, now: float) -> None:
    """Sources change their codec."""
    rx.turned[rows] = np.maximum(rx.turned[rows], now) + TURN


def measure_jitter(jitter: F64, passed: F64, stamps: I64, clock: F64) -> None:
    """RFC 3550 section A.8 for packets that came now: update `jitter` in place.

    passed: s since the packet before. stamps: how much the timestamp grew since. clock: its units a second.
    A change beyond WILD, be it a new clock or the wrap of the timestamp once in six days, is left out.
    """
    change = np.abs(passed * clock - stamps)
    change *= change < WILD * clock
    jitter += (change - jitter) / 16.0


def measure_sound(rx: Reception, packets: Packets, kinds: I8, passed: F64) -> None:
    """Packets of sound: their jitter, and how much each covers, in units of its clock.

    passed: s since the packet before, whatever that was.
    """
    rows, clock = packets.rows, rx.clock[packets.rows]
    jitter, step, usual = rx.jitter[rows], packets.timestamp - rx.timestamp[rows], rx.span[rows]
    measure_jitter(jitter, passed + rx.apart[rows], step, clock)
    rx.jitter[rows], rx.apart[rows] = jitter, 0.0
    usual = np.where(usual == 0, clock // TICKS, usual).astype(np.int64)
    covered = np.where(step > 0, np.minimum(step, usual), usual)
    rx.span[rows] = np.where(kinds <= codecs.PCMA, packets.size, covered)
    rx.timestamp[rows] = packets.timestamp


def steady(rx: Reception, rows: I64) -> Bool:
    """Legs whose streams have come evenly for LONG packets."""
    calm: Bool = (rx.unique[rows] > LONG) & (rx.jitter[rows] < EVEN * rx.clock[rows])
    return calm
