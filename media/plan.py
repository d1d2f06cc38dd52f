"""How what each leg sends is made: relayed or rendered, decided anew whenever what decides it changes.

A leg is relayed if its only source is one leg whose packets have its own codec, at unity gain, and nothing is
played to it. Every other leg that hears something is rendered.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from media.columns import I64
from media.legs import Leg, LegTable, Way
from media.mixer import Mixer
from media.player import Player
from media.reception import NOBODY, SEVERAL
from media.transmission import release


class Plan:
    """The ways of all legs, and what the tick needs to know of the rendered ones.

    rendered: their rows. matrix, sources: as Mixer.matrix gives them. playing: (place in `rendered`,
    player, row); place -1 where the leg may not be sent to now, and its music goes on unheard. relays: by
    row, those that its packets are relayed to.
    """

    def __init__(self, table: LegTable, mixer: Mixer) -> None:
        self._table = table
        self._mixer = mixer
        self._touched: set[int] = set()
        self._source: dict[int, int] = {}
        self.rendered: I64 = np.empty(0, np.int64)
        self.sources: I64 = np.empty(0, np.int64)
        self.matrix: Any = None
        self._with_player: set[int] = set()
        self.playing: list[tuple[int, Player, int]] = []
        self.relays: dict[int, list[int]] = {}

    def touch(self, row: int) -> None:
        """What decides the row's way has changed."""
        self._touched.add(row)

    def touch_listeners(self, row: int) -> None:
        """What decides the way of those who hear the row has changed."""
        self._touched.update(self._mixer.listeners(row))

    def forget(self, leg: Leg) -> None:
        """The leg is about to leave the table."""
        self._touched.update(self._mixer.drop(leg.row))
        # Also those whose edge was cut in this very turn and who are not decided anew yet.
        for row in (leg.row, *self.relays.get(leg.row, ())):
            self._relay(row, None)
        self._with_player.discard(leg.row)
        self._table.common.way[leg.row] = Way.NONE
        self._touched.add(leg.row)

    def settle(self) -> None:
        """Decide for all rows that were touched."""
        if not self._touched:
            return
        table = self._table
        for row in self._touched:
            leg = table.legs[row]
            if leg is not None:
                self._decide(leg)
        self._touched.clear()
        self._rebuild()

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
            way = Way.RENDERED
            if gain == 1.0 and self._table.rx.codec[source] == tx.codec[row]:
                way = Way.RELAYED
        elif sources:
            way = Way.RENDERED
        if way is not Way.RELAYED:
            source = None
        if way != common.way[row] or source != self._source.get(row):
            common.way[row] = way
            release(tx, row)
            self._relay(row, source)

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
        heard = table.rx.heard
        self.rendered = np.flatnonzero(table.common.way == Way.RENDERED)
        rows = self.rendered.tolist()
        self.matrix, self.sources = self._mixer.matrix(rows)
        begin = self.sources[heard[self.sources] == 0]
        table.ring.stream[begin] = -1  # what the ring still has is of another time
        heard[:] = 0
        heard[self.sources] = 1
        place_of = {row: place for place, row in enumerate(rows)}
        self.playing = []
        for row in self._with_player:
            player = table.at(row).player
            if player is not None:
                self.playing.append((place_of.get(row, -1), player, row))
