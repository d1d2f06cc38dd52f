"""What is wrong with a leg's sound, recognised within seconds and said in words that an operator can act on.

SIGNS is the specification: for each trouble how long its evidence must hold before it is told, how long it
must be gone before it is told to be over, and the words. Evidence is gathered over all legs at once, five
times a second; what needs samples (silence, clipping) only of legs that are decoded anyway.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar, NamedTuple

import numpy as np

from media.columns import F64, I16, I64, Bool, Column, Columns
from media.messages import Address, TroubleKind

QUIET = 2.0  # s without a packet that are too many
RESTING = 10.0  # s for far ends that may rest: comfort noise was agreed on (RFC 3389)
SENDING = 1.0  # s since we sent last within which we do
TALK = 1.0  # s since a leg was loud within which it talks
GAP = 0.5  # s without samples after which what was heard before counts no more
MUTE = 1.5  # s of digital silence
LOUD = 600  # peak of a block that is speech rather than room, of 32,768
FULL = 31_000  # peak that only clipped sound reaches often; G.711 ends at 32,124 and 32,256
FLAT = 12  # samples at FULL in one block of a clipped one
CLIPPED, UNCLIPPED = 0.3, 0.1  # share of loud blocks that are clipped: to tell, and to be over
DRIFT_PPM, STEADY_PPM = 400.0, 250.0  # clocks of telephones stay within 100
DRIFT_MS = 12.0  # shift that must have built up, and be more than jitter can
WINDOW = 0.5  # s over which the least delay is taken
ANCHOR = 30.0  # s between two measurements of a far end's clock
EARLY, LATE = 0.2, 0.8  # share of a shift that is there half-way where it grows; steps have none, or all
FADE = 0.1  # weight of the newest loud block
RECENT = 0.03  # weight of the newest block in the share that is loud: of 80 ms, so about 2.5 s


class Sign(IntEnum):
    """A trouble's column."""

    NO_RTP = 0
    ONE_WAY_IN = 1
    ONE_WAY_OUT = 2
    WRONG_PAYLOAD = 3
    SILENCE = 4
    CLIPPING = 5
    SSRC_CHANGE = 6
    CLOCK_DRIFT = 7
    UNDECRYPTABLE = 8


class Rule(NamedTuple):
    """kind: as told. hold: s that the evidence must last. ease: s without it until it is over. words: cause;
    {remote}, {type}, {ppm}, {way} are filled in.
    """

    kind: TroubleKind
    hold: float
    ease: float
    words: str


SIGNS: dict[Sign, Rule] = {
    Sign.NO_RTP: Rule(
        "no_rtp",
        0.0,
        0.5,
        "no sound packets come from {remote}, and none go there: the far end may not have begun to send, or "
        "a firewall keeps it off; check the address in its SDP and that its UDP ports can reach this node",
    ),
    Sign.ONE_WAY_IN: Rule(
        "one_way",
        0.0,
        0.5,
        "one-way audio: we send to {remote} and no packets come from there, so this party is not heard; most "
        "likely a NAT or firewall on its side lets nothing out or names a wrong address; check its SDP "
        "address, and on phones behind NAT switch on symmetric RTP or STUN",
    ),
    Sign.ONE_WAY_OUT: Rule(
        "one_way",
        0.0,
        1.0,
        "one-way audio: {remote} is heard but reports that none of our packets arrive, so this party hears "
        "nothing; most likely its firewall or NAT blocks what comes in, or the address in its SDP is not "
        "reachable from here; check that address and the route to it",
    ),
    Sign.WRONG_PAYLOAD: Rule(
        "wrong_payload",
        0.4,
        2.0,
        "{remote} sends payload type {type}, which was not agreed on, so its sound cannot be played; the "
        "phone or gateway ignores the answer's codecs; allow the codec it wants under media.codecs or switch "
        "it off there",
    ),
    Sign.SILENCE: Rule(
        "silence",
        0.0,
        0.3,
        "{remote} sends perfect digital silence while the other side talks: its microphone is muted, "
        "unplugged or not permitted to be used; ask the person to unmute or to choose another microphone",
    ),
    Sign.CLIPPING: Rule(
        "clipping",
        0.6,
        3.0,
        "the sound from {remote} is clipped: its microphone or a gateway's gain is set too high; turn the "
        "microphone or the line's receive gain down by about 6 dB",
    ),
    Sign.SSRC_CHANGE: Rule(
        "ssrc_change",
        0.0,
        5.0,
        "{remote} began a new stream (another SSRC or numbering) in the middle of the call: it was "
        "restarted, transferred the call or put another device in its place; nothing needs doing unless it "
        "repeats",
    ),
    Sign.CLOCK_DRIFT: Rule(
        "clock_drift",
        0.0,
        5.0,
        "the sound clock of {remote} runs {ppm:.0f} parts per million {way} ours: its sample rate is off; "
        "the jitter buffer follows, at the price of small changes of speed; a gateway wants its clock source "
        "set",
    ),
    Sign.UNDECRYPTABLE: Rule(
        "undecryptable",
        0.4,
        2.0,
        "what {remote} sends cannot be decrypted: it is plain, or under other keys than its SDP says, as "
        "when a device on the way took the call over and told nobody; call again, and if it stays so look "
        "at the encryption settings there, or set srtp to off for its line here",
    ),
}
HOLD: F64 = np.array([SIGNS[sign].hold for sign in Sign])
EASE: F64 = np.array([SIGNS[sign].ease for sign in Sign])


class Evidence(NamedTuple):
    """What Watch knows of the rows it asks about, one entry a row.

    last: when their newest packet came, since: when they should have begun (inf: they need not), sent: when
    we sent last; s. received, foreign, refused: packets taken, those of types not agreed on, and those that
    were not authentic, in all. stream: number of their stream. media: its clock at the newest sound, s.
    jitter: s. rests: silence may be sent as nothing.
    """

    last: F64
    since: F64
    sent: F64
    received: I64
    foreign: I64
    refused: I64
    stream: I64
    media: F64
    jitter: F64
    rests: Bool


class Change(NamedTuple):
    """A trouble that began or is over. since: when, s."""

    row: int
    sign: Sign
    since: float
    over: bool


class Diagnosis(Columns):
    """since, gone: when evidence began, or ended, by sign; inf where not. active: told. stirs: any
    of these is, or was at the look before.

    received, foreign, refused, stream, media: as at the look before. unheard: the far end's reports know
    nothing of what we send. listened: when samples were last seen; mute: when digital silence began; loud:
    when it was last loud; s. clipped: share of loud blocks. peak: the highest since it was asked for; spoke:
    share of recent blocks that were loud. anchor: least delay, against the far end's clock,
    of the half second that ended at `anchored`; least: of the one that began at `window`; halfway: how far it
    had shifted at `halved`, about the middle of the time since; s. ppm: drift.
    """

    SPEC: ClassVar[dict[str, Column]] = {
        "since": Column(np.float64, np.inf, len(Sign)),
        "gone": Column(np.float64, np.inf, len(Sign)),
        "active": Column(np.bool_, False, len(Sign)),
        "stirs": Column(np.bool_),
        "received": Column(np.int64),
        "foreign": Column(np.int64),
        "refused": Column(np.int64),
        "stream": Column(np.int64, -1),
        "media": Column(np.float64, np.nan),
        "unheard": Column(np.bool_),
        "listened": Column(np.float64, -np.inf),
        "mute": Column(np.float64, np.inf),
        "loud": Column(np.float64, -np.inf),
        "clipped": Column(np.float64),
        "peak": Column(np.float64),
        "spoke": Column(np.float64),
        "anchored": Column(np.float64, np.inf),
        "window": Column(np.float64, np.inf),
        "anchor": Column(np.float64, np.nan),
        "least": Column(np.float64, np.inf),
        "halfway": Column(np.float64),
        "halved": Column(np.float64),
        "ppm": Column(np.float64),
    }
    since: F64
    gone: F64
    active: Bool
    stirs: Bool
    received: I64
    foreign: I64
    refused: I64
    stream: I64
    media: F64
    unheard: Bool
    listened: F64
    mute: F64
    loud: F64
    clipped: F64
    peak: F64
    spoke: F64
    anchored: F64
    window: F64
    anchor: F64
    least: F64
    halfway: F64
    halved: F64
    ppm: F64

    def hear(self, rows: I64, block: I16, there: Bool, now: float) -> None:
        """Samples that were just played of decoded rows, int16[n, L]; every few ticks are enough.

        there: whether any of them came from the far end.
        """
        if not there.all():
            rows, block = rows[there], block[there]
        if not len(rows):
            return
        stale = rows[now - self.listened[rows] > GAP]
        self.mute[stale], self.clipped[stale] = np.inf, 0.0
        self.listened[rows] = now
        high, low = block.max(axis=1).astype(np.int32), block.min(axis=1).astype(np.int32)
        begins = (high == low) & np.isinf(self.mute[rows])
        self.mute[rows[begins]] = now
        self.mute[rows[high != low]] = np.inf
        peak = np.maximum(high, -low)
        voiced = peak >= LOUD
        loud = rows[voiced]
        self.loud[loud] = now
        self.peak[rows] = np.maximum(self.peak[rows], np.maximum(peak, 0.5))
        self.spoke[rows] += RECENT * (voiced - self.spoke[rows])
        self.clipped[loud] *= 1.0 - FADE
        full = np.flatnonzero(peak >= FULL)
        if len(full):
            flat = (np.abs(block[full].astype(np.int32)) >= FULL).sum(axis=1) >= FLAT
            self.clipped[rows[full[flat]]] += FADE

    def loudness(self, rows: I64) -> tuple[F64, F64]:
        """The highest peak since this was asked last, dB of full scale, and the share that was loud, of each
        row; NaN where nobody has listened since.
        """
        with np.errstate(divide="ignore"):
            level = 20.0 * np.log10(self.peak[rows] / 32_768.0)
        heard = self.peak[rows] > 0.0
        self.peak[rows] = 0.0
        return np.where(heard, level, np.nan), np.where(heard, self.spoke[rows], np.nan)

    def talks(self, row: int, now: float) -> bool:
        """Whether the row was loud just now."""
        return bool(now - self.loud[row] < TALK)

    def is_told_silent(self, row: int) -> bool:
        """Whether its digital silence has been told."""
        return bool(self.active[row, Sign.SILENCE])

    def muted(self, now: float) -> I64:
        """Rows in digital silence for MUTE."""
        return np.flatnonzero((now - self.mute >= MUTE) & (now - self.listened <= GAP))

    def look(self, rows: I64, known: Evidence, silent: Bool, now: float) -> list[Change]:
        """What began and what is over. rows: of all open legs; silent: muted while the other side talks."""
        found = np.zeros((len(rows), len(Sign)), np.bool_)
        quiet = np.where(known.rests, RESTING, QUIET)
        heard = known.received > self.received[rows]
        encrypted = (known.refused - self.refused[rows] >= 2) & ~heard
        missing = (now - np.maximum(known.last, known.since) >= quiet) & ~encrypted
        sending = now - known.sent < SENDING
        found[:, Sign.NO_RTP] = missing & ~sending
        found[:, Sign.ONE_WAY_IN] = missing & sending
        found[:, Sign.ONE_WAY_OUT] = self.unheard[rows] & sending & ~missing
        found[:, Sign.WRONG_PAYLOAD] = (known.foreign - self.foreign[rows] >= 2) & ~heard
        found[:, Sign.UNDECRYPTABLE] = encrypted
        found[:, Sign.SILENCE] = silent
        limit = np.where(self.active[rows, Sign.CLIPPING], UNCLIPPED, CLIPPED)
        found[:, Sign.CLIPPING] = (self.clipped[rows] > limit) & (now - self.loud[rows] < TALK)
        found[:, Sign.SSRC_CHANGE] = (known.stream != self.stream[rows]) & (self.stream[rows] >= 0)
        found[:, Sign.CLOCK_DRIFT] = self._drifts(rows, known, heard, now)
        self.received[rows], self.foreign[rows] = known.received, known.foreign
        self.refused[rows] = known.refused
        self.stream[rows], self.media[rows] = known.stream, known.media
        return self._settle(rows, found, now)

    def _drifts(self, rows: I64, known: Evidence, heard: Bool, now: float) -> Bool:
        """Whether the far end's clock runs away from ours: the least delay of half a second against that of
        one up to ANCHOR ago. What comes at once, as a call settles or its way changes, is no drift.
        """
        heard = heard & (known.media != self.media[rows])  # telephone events leave the clock of sound alone
        other = known.stream != self.stream[rows]
        transit = known.last - known.media
        jump = np.abs(transit - self.anchor[rows]) > 0.5  # its clock was set, or it paused
        anew = rows[heard & (other | jump | np.isnan(self.anchor[rows]))]
        self.window[anew], self.least[anew], self.anchor[anew] = (
            now,
            np.inf,
            transit[np.searchsorted(rows, anew)],
        )
        self.anchored[anew], self.ppm[anew] = np.inf, 0.0
        self.least[rows[heard]] = np.minimum(self.least[rows], transit)[heard]
        ended = (now - self.window[rows] >= WINDOW) & np.isfinite(self.least[rows])
        if ended.any():
            self._measure(rows[ended], known.jitter[ended], now)
        limit = np.where(self.active[rows, Sign.CLOCK_DRIFT], STEADY_PPM, DRIFT_PPM)
        return np.abs(self.ppm[rows]) > limit

    def _measure(self, rows: I64, jitter: F64, now: float) -> None:
        """A window is over: compare its least delay with the anchor's, and anchor anew when that is old."""
        fresh = np.isinf(self.anchored[rows])
        shift = self.least[rows] - self.anchor[rows]
        moved = ~fresh & (np.abs(shift) * 1000.0 >= np.maximum(DRIFT_MS, 4000.0 * jitter))
        span = np.maximum(now - self.anchored[rows], WINDOW)
        part = np.divide(self.halfway[rows], shift, out=np.zeros_like(shift), where=moved)
        sure = (part > EARLY) & (part < LATE)
        later = rows[~fresh & (now - self.anchored[rows] >= 2.0 * (self.halved[rows] - self.anchored[rows]))]
        self.halfway[later], self.halved[later] = self.least[later] - self.anchor[later], now
        old = ~fresh & (now - self.anchored[rows] >= ANCHOR)
        with np.errstate(invalid="ignore"):
            still = np.where(old & ~moved, 0.0, self.ppm[rows])
            self.ppm[rows] = np.where(sure, -1e6 * shift / span, still)
        renew = rows[fresh | old]
        self.anchor[renew], self.anchored[renew] = self.least[renew], now
        self.halfway[renew], self.halved[renew] = 0.0, now
        self.window[rows], self.least[rows] = now, np.inf

    def _settle(self, rows: I64, found: Bool, now: float) -> list[Change]:
        """Hysteresis: tell what held long enough, once, and what has been gone long enough, once."""
        stirs = found.any(axis=1) | self.stirs[rows]
        rows, found = rows[stirs], found[stirs]
        since, gone, active = self.since[rows], self.gone[rows], self.active[rows]
        since = np.where(found, np.minimum(since, now), np.inf)
        gone = np.where(found, np.inf, np.minimum(gone, now))
        begins = found & ~active & (now - since >= HOLD)
        ends = active & ~found & (now - gone >= EASE)
        self.since[rows], self.gone[rows] = since, gone
        changed = begins | ends
        self.active[rows] = active = active ^ changed
        self.stirs[rows] = (found | active).any(axis=1)
        if not changed.any():
            return []
        when = np.where(ends, gone, since)
        return [
            Change(int(rows[i]), Sign(sign), float(when[i, sign]), bool(ends[i, sign]))
            for i, sign in np.argwhere(changed).tolist()
        ]

    def cause(self, row: int, sign: Sign, remote: Address | None, payload_type: int) -> str:
        """What the trouble means, in words."""
        where = f"{remote[0]}:{remote[1]}" if remote else "the far end"
        ppm = float(self.ppm[row])
        way = "faster than" if ppm > 0 else "slower than"
        return SIGNS[sign].words.format(remote=where, type=payload_type, ppm=abs(ppm), way=way)
