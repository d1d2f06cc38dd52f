"""Adaptation at work: reports become sights of the network, decisions become tunings of encoders and wishes.

media.codecs.adapt decides; here is what it is told of each leg, and what becomes of its word. Also who is
rendered on purpose because a rough network meets a far end that cannot smooth it (media.repair).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from media import codecs, repair
from media.codecs import Tuning, adapt, opus
from media.codecs.adapt import Link, Sight, State
from media.columns import I64
from media.core import Core
from media.legs import Leg
from media.losses import Losses
from media.messages import OpenLeg, SetRemote, Wish
from media.repair import Roughness
from media.rtcp import INTERVAL
from media.standing import CLOCKS, Standing

STALE = 3 * INTERVAL  # s without a word about what we send, after which what comes is taken for it
TAG = 10  # bytes that SRTP adds, at most 16
IPV6 = 20  # bytes that its header is longer than IPv4's
EASY = 0.01  # share of loss under which a wide relayed leg needs no thought
NOTICE = 1.0  # s between two looks at who needs repair


class Adaptation:
    """State by row, of what is sent; and of what comes where the far end can be asked for another mode."""

    def __init__(self, core: Core, losses: Losses, standing: Standing) -> None:
        self._core = core
        self._losses = losses
        self._standing = standing
        self._links: dict[int, Link] = {}
        self._sent: dict[int, State] = {}
        self._came: dict[int, State] = {}
        self._always: set[int] = set()  # rows that are rendered whatever their source is like
        self._asked: set[int] = set()  # rows that were asked to be rendered on purpose
        self._next = 0.0
        self.roughness = Roughness(core.table.rx.rows)

    def begin(self, leg: Leg, command: OpenLeg) -> None:
        """A leg was opened."""
        for states in (self._sent, self._came):
            states.pop(leg.row, None)
        leg.profile, leg.repair = command.profile, command.repair
        if command.repair == "on":
            self._always.add(leg.row)
        self.agree(leg, command)

    def agree(self, leg: Leg, command: OpenLeg | SetRemote) -> None:
        """What was agreed on with the leg's far end: codecs, addresses, encryption."""
        row = leg.row
        kind = int(self._core.table.tx.codec[row])
        if kind < 0:
            return
        headers = adapt.HEADERS + (TAG if command.keys is not None else 0)
        if command.remote is not None and ":" in command.remote[0]:
            headers += IPV6
        agreed = tuple(codec.name.upper() for codec in command.codecs)
        name = codecs.KINDS[kind].name
        ptime = next((codec.ptime for codec in command.codecs if codec.name.upper() == name), 20)
        link = Link(leg.profile, name, agreed, headers, "RED" in agreed, ptime)
        if link != self._links.get(row):
            self._links[row] = link
            state = self._sent.get(row) or adapt.begin(link)
            self._sent[row] = replace(state, choice=adapt.choose(link, state))
            self._came.pop(row, None)
        self._tune(leg)

    def forget(self, leg: Leg) -> None:
        """The leg is closed."""
        for states in (self._sent, self._came, self._links):
            states.pop(leg.row, None)
        self._always.discard(leg.row)
        self._asked.discard(leg.row)
        if leg.row < self.roughness.rows:  # else it was not looked at yet
            self.roughness.clear(leg.row)

    # --- reports ----------------------------------------------------------------------------------

    def learnt(self, leg: Leg, now: float) -> None:
        """The far end has reported."""
        if leg.view.at == now:
            self._decide(leg, self._seen_there(leg), now)

    def reported(self, leg: Leg, now: float) -> None:
        """We report to the far end: what it does not tell about our stream is taken from its own."""
        deaf = leg.view.at is None or now - leg.view.at > STALE
        if deaf and self._core.table.rx.started[leg.row] and not self._easy(leg, self._loss_here(leg), deaf):
            self._decide(leg, self._seen_here(leg), now)
        link = self._links.get(leg.row)
        if link is not None and link.codec in adapt.MODE_RATES:
            state = self._came.get(leg.row) or adapt.begin(link)
            self._came[leg.row] = adapt.decide(link, state, self._seen_here(leg))
            self._tune(leg)

    def _easy(self, leg: Leg, loss: float, deaf: bool = False) -> bool:
        """Whether there is nothing to decide: a wide link that has been clean for long, and still is; or
        ever, where no far end tells how long the way is.
        """
        link, state = self._links.get(leg.row), self._sent.get(leg.row)
        if link is None or state is None or loss >= EASY or link.profile not in ("standard", "hd"):
            return False
        ever = deaf and not (loss or state.loss or state.left)
        return state.grade is adapt.Grade.CLEAN and (ever or state.calm > adapt.CALM)

    def _loss_here(self, leg: Leg) -> float:
        losses, row = self._losses, leg.row
        return min(float(losses.recent_lost[row]) / max(float(losses.recent[row]), 1.0), 1.0)

    def _seen_there(self, leg: Leg) -> Sight:
        """By the far end's reports on our stream."""
        view = leg.view
        burst = 1.0
        if view.metrics is not None and view.metrics.burst_density:
            burst = 1.0 / (1.0 - min(view.metrics.burst_density / 256.0, 0.9))
        clock = int(CLOCKS[max(int(self._core.table.tx.codec[leg.row]), 0)])
        loss, kbps = view.path.look()
        rtt_ms = (view.rtt or 0.0) * 1000.0
        return Sight(
            view.fraction if loss is None else loss, burst, rtt_ms, 1000.0 * view.jitter / clock, kbps
        )

    def _seen_here(self, leg: Leg) -> Sight:
        """By what comes: networks are seldom bad one way only."""
        here = np.array([leg.row])
        jitter = self._core.table.rx.jitter[here] / self._standing.clocks(here)
        return Sight(
            self._loss_here(leg),
            float(self._losses.burst_ratio(here)[0]),
            (leg.view.rtt or 0.0) * 1000.0,
            1000.0 * float(jitter[0]),
        )

    def _decide(self, leg: Leg, seen: Sight, now: float) -> None:
        link, state = self._links.get(leg.row), self._sent.get(leg.row)
        if link is None or state is None:
            return
        if seen.kbps is None and self._easy(leg, seen.loss):
            return
        before, after = state.choice, adapt.decide(link, state, seen)
        self._sent[leg.row] = after
        if after.choice != before:
            self._tune(leg)
        if after.wish:
            why = (
                f"{after.loss:.0%} of packets lost, round trip {seen.rtt_ms:.0f} ms; {link.codec} costs "
                f"{adapt.cost(link, after.choice):.0f} kb/s where {after.cap:.0f} fit"
            )
            self._core.events.append(Wish(leg.number, after.wish, why))

    def _tune(self, leg: Leg) -> None:
        """Let the encoder do what was decided."""
        choice, came = self._sent[leg.row].choice, self._came.get(leg.row)
        request = came.choice.mode if came is not None else None
        narrow = choice.bitrate is not None and choice.bitrate < adapt.NARROW
        tuning = Tuning(
            bitrate=choice.bitrate,
            fec_loss=choice.fec,
            complexity=adapt.THOROUGH if narrow else opus.COMPLEXITY,
            mode=choice.mode,
            request=request,
            narrow=narrow,
        )
        self._core.packer.tune(self._core.table.tx, leg.row, tuning, choice.ptime, choice.copies)

    # --- repair -----------------------------------------------------------------------------------

    def look(self, rows: I64, now: float) -> None:
        """See once a NOTICE whose networks are rough, and have those rendered who need it."""
        if now < self._next:
            return
        self._next = now + NOTICE
        table = self._core.table
        if self.roughness.rows < table.rx.rows:
            self.roughness.grow(table.rx.rows)
        jitter = 1000.0 * table.rx.jitter[rows] / self._standing.clocks(rows)
        self.roughness.look(rows, jitter, self._losses.loss(rows), now)
        wanted = np.zeros(table.rx.rows, np.bool_)
        for row in rows[self.roughness.rough[rows]].tolist():
            for listener in self._core.mixer.listeners(row):
                leg = table.at(listener)
                wanted[listener] |= repair.wanted(leg.repair, True, leg.view.metrics)
        wanted[list(self._always)] = True
        asked = np.zeros(table.rx.rows, np.bool_)
        asked[list(self._asked)] = True
        for row in np.flatnonzero(wanted != asked).tolist():
            (self._asked.add if wanted[row] else self._asked.discard)(row)
            self._core.turning.want(row, bool(wanted[row]), now)
