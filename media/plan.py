"""How what each leg sends is made: relayed or rendered, decided anew whenever what decides it changes.

A leg is relayed if its only source is one leg whose packets have its own codec, at unity gain, and nothing is
played to it. Every other leg that hears something is rendered, at the rate of its own codec. Legs that a
rendered leg hears, and those that are tapped, are *heard*: decoded, at the rate of theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from media import mixer
from media.columns import I32, I64
from media.delay import MENDED_MS, PRICE_MS
from media.legs import Leg, LegTable, Way
from media.mixer import Mixer
from media.plane import RATES, Plane
from media.player import Player
from media.ramp import Ramps
from media.reception import NOBODY, SEVERAL
from media.transmission import release


class View(NamedTuple):
    """What is rendered at one plane's rate.

    rows: the legs that it is sent to. matrix: their gains, None when they hear nobody; its columns are the
    first `native` of the legs that are heard on the plane and then, from the other plane, those at the
    places `crossing`. ramps: gains on the move, None when all stand. one: as media.mixer.single.
    """

    rows: I64
    matrix: Any
    native: int
    crossing: I64
    ramps: Ramps | None = None
    one: tuple[I64, I32] | None = None


NO_VIEW = View(np.empty(0, np.int64), None, 0, np.empty(0, np.int64))


class Playing(NamedTuple):
    """view, place: which row of which view it is added to; place -1 where the leg may not be sent to now, and
    its music goes on unheard.
    """

    view: int
    place: int
    player: Player
    row: int


class Plan:
    """The ways of all legs, and what the tick needs to know of the rendered ones.

    views: one a plane. relays: by row, those that its packets are relayed to. tapped: rows of which somebody
    wants to have what comes from them and what is sent to them. attended: rows that are decoded because
    their speech or tones decide something. altered: rows whose sound is changed before anybody hears it.
    beside: rows whose relayed source is heard, too. awaited: rows whose way in is being found: what they will
    hear is decoded already, so that it is there when they are. hears: whether any leg is heard.
    """

    def __init__(self, table: LegTable, mixer: Mixer, planes: Sequence[Plane]) -> None:
        self._table = table
        self._mixer = mixer
        self._planes = planes
        self._touched: set[int] = set()
        self._source: dict[int, int] = {}
        self._with_player: set[int] = set()
        self.views = [NO_VIEW for _ in RATES]
        self.playing: list[Playing] = []
        self.relays: dict[int, list[int]] = {}
        self.tapped: set[int] = set()
        self.attended: set[int] = set()
        self.altered: set[int] = set()
        self.beside: set[int] = set()
        self.awaited: set[int] = set()
        self.hears = False
        self._unheard: set[int] = set()

    @property
    def unsettled(self) -> bool:
        """Whether what decides some row's way has changed since it was settled."""
        return bool(self._touched)

    def touch(self, row: int) -> None:
        """What decides the row's way has changed."""
        self._touched.add(row)

    def touch_listeners(self, row: int) -> None:
        """What decides the way of those who hear the row has changed."""
        self._touched.update(self._mixer.listeners(row))
        if row in self.tapped or row in self.attended:
            self._touched.add(row)

    def note_pauses(self, rows: I64) -> None:
        """Legs that described the noise of a pause: who cannot be told so is to hear it."""
        hushes = self._table.common.hushes
        for row in rows[~hushes[rows]].tolist():
            hushes[row] = True
            self.touch_listeners(row)

    def source(self, row: int) -> int | None:
        """The row whose packets are relayed to this one."""
        return self._source.get(row)

    def sources(self, row: int) -> Iterable[int]:
        """Rows that this one hears, whichever way."""
        return self._mixer.sources(row)

    def forget(self, leg: Leg) -> None:
        """The leg is about to leave the table."""
        self._touched.update(self._mixer.drop(leg.row))
        # Also those whose edge was cut in this very turn and who are not decided anew yet.
        for row in (leg.row, *self.relays.get(leg.row, ())):
            self._relay(row, None)
        self._with_player.discard(leg.row)
        for plane in self._planes:
            plane.vacate(leg.row)
        for rows in (self.tapped, self.attended, self.altered, self.beside, self.awaited):
            rows.discard(leg.row)
        self._table.common.way[leg.row] = Way.NONE
        self._touched.add(leg.row)

    def settle(self) -> set[int]:
        """Decide for all rows that were touched; returns those that are heard no more, or at another rate."""
        if not self._touched:
            return set()
        table = self._table
        for row in self._touched:
            leg = table.legs[row]
            if leg is not None:
                self._decide(leg)
        self._touched.clear()
        self._rebuild()
        unheard, self._unheard = self._unheard, set()
        return unheard

    def _decide(self, leg: Leg) -> None:
        common, tx, row = self._table.common, self._table.tx, leg.row
        sources = self._mixer.sources(row)
        way, source = Way.NONE, None
        plays = leg.player is not None and leg.player.playing
        (self._with_player.add if plays else self._with_player.discard)(row)
        if not tx.open[row]:
            pass
        elif plays:
            way = Way.RENDERED
        elif len(sources) == 1:
            source, gain = next(iter(sources.items()))
            as_it_is = gain == 1.0 and source not in self.altered and not self._mixer.ducked(row)
            way = Way.RELAYED if as_it_is and self._alike(source, leg) else Way.RENDERED
        elif sources:
            way = Way.RENDERED
        if way is not Way.RELAYED:
            source = None
        if way != common.way[row] or source != self._source.get(row):
            common.way[row] = way
            release(tx, row)
            self._relay(row, source)

    def _alike(self, source: int, leg: Leg) -> bool:
        """Whether the leg's far end understands the source's packets as they are."""
        common = self._table.common
        if self._table.rx.codec[source] != self._table.tx.codec[leg.row]:
            return False
        if common.hushes[source] and self._table.tx.noise_pt[leg.row] < 0:
            return False
        return not (common.repair[leg.row] or common.form[source] != common.form[leg.row])

    def _relay(self, row: int, source: int | None) -> None:
        """Let the row get the packets of `source`, and of none before."""
        before = self._source.pop(row, None)
        if before is not None:
            targets = self.relays[before]
            targets.remove(row)
            self._direct(before, targets)
        if source is not None:
            self._source[row] = source
            targets = self.relays.setdefault(source, [])
            targets.append(row)
            self._direct(source, targets)

    def _direct(self, source: int, targets: list[int]) -> None:
        """Where the source's packets go from now on."""
        rx = self._table.rx
        rx.relay_to[source] = targets[0] if len(targets) == 1 else SEVERAL if targets else NOBODY
        rx.armed[source] = -1
        if not targets:
            del self.relays[source]

    def _rebuild(self) -> None:
        """What the tick works on."""
        table = self._table
        rendered = np.flatnonzero(table.common.way == Way.RENDERED)
        rates = table.tx.rate[rendered]
        at_home = [rendered[rates == rate] for rate in RATES]
        mixes = [self._mixer.matrix(rows.tolist()) for rows in at_home]
        heard = self._seat([sources for _, sources in mixes])
        for number, (rows, (matrix, sources)) in enumerate(zip(at_home, mixes)):
            crosses = self._rate(sources) != RATES[number]
            places = {row: place for place, row in enumerate(heard[1 - number])}
            crossing = np.array([places[row] for row in sources[crosses].tolist()], np.int64)
            order = np.argsort(crosses, kind="stable")
            if crosses.any():
                matrix = matrix[:, order]
            ramps = self._mixer.ramps(rows.tolist(), sources[order])
            self.views[number] = View(
                *(rows, matrix, len(sources) - len(crossing), crossing, ramps), mixer.single(matrix)
            )
        table.rx.heard[:] = 0
        for rows_heard in heard:
            table.rx.heard[rows_heard] = 1
        self.hears = any(heard)
        self._find_playing()

    def _rate(self, rows: I64) -> I64:
        """Of the sound of legs, Hz."""
        return self._table.rx.rate[rows]

    def _seat(self, sources: list[I64]) -> list[list[int]]:
        """Give every plane the legs that are heard at its rate, those that its own view hears first."""
        beside = self.tapped | self.beside
        taps = {*self.tapped, *(self._source[row] for row in beside if row in self._source)}
        coming = {source for row in self.awaited for source in self._mixer.sources(row)}
        tapped = np.array(sorted(taps | self.attended | coming), np.int64)
        listened = np.concatenate([*sources, np.array(sorted(self.attended), np.int64)])
        mended = self._mended()
        heard = []
        for number, (plane, rate) in enumerate(zip(self._planes, RATES)):
            wanted = np.concatenate([sources[number], sources[1 - number], tapped])
            rows = list(dict.fromkeys(wanted[self._rate(wanted) == rate].tolist()))
            for row, counts in plane.seat(rows).items():
                self._table.rx.keep_played(row, counts)
                self._unheard.add(row)
            if rows:
                plane.playout.taped[plane.slots] = ~np.isin(plane.rows, listened)
                mend = np.isin(plane.rows, mended)
                plane.playout.delays.price[plane.slots] = np.where(mend, MENDED_MS, PRICE_MS)
            heard.append(rows)
        return heard

    def _mended(self) -> I64:
        """Rows that are rendered on purpose, for one who hears nothing else."""
        common = self._table.common
        listeners = np.flatnonzero(common.repair & (common.way == Way.RENDERED)).tolist()
        alone = [sources for row in listeners if len(sources := self._mixer.sources(row)) == 1]
        return np.array([source for sources in alone for source in sources], np.int64)

    def ramped(self) -> None:
        """A tick's gains have moved to where they were to go."""
        for row in self._mixer.ramped():
            self.touch(row)

    def _find_playing(self) -> None:
        place_of = {
            int(row): (number, place)
            for number, view in enumerate(self.views)
            for place, row in enumerate(view.rows)
        }
        self.playing = []
        for row in self._with_player:
            player = self._table.at(row).player
            if player is not None:
                number, place = place_of.get(row, (0, -1))
                self.playing.append(Playing(number, place, player, row))
