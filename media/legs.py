"""The leg table: a row a leg, its state in columns; what is touched rarely is in one small object beside."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar

import numpy as np

from media.codecs import UNKNOWN
from media.columns import F64, I8, I64, Bool, Column, Columns
from media.dtmf import Dialler, Listener
from media.latch import Latch
from media.messages import Address, Codec, Profile, Repair
from media.player import Player
from media.reception import Reception
from media.remote import RemoteView
from media.transmission import Transmission


class Way(IntEnum):
    """How what a leg sends is made."""

    NONE = 0  # it hears nobody, or may not be sent to
    RELAYED = 1  # packets of its one source, headers rewritten
    RENDERED = 2  # coded at the tick from what it hears


class Flow(IntEnum):
    """Whether a leg's packets come, as last told to the engine."""

    AWAITED = 0  # nothing told yet, or the source changed
    STARTED = 1
    STOPPED = 2


class Common(Columns):
    """number: the engine's id, -1 in an unused row. kinds: codec by payload type, media.codecs numbers. form:
    of its payloads, where one codec has several: packets are relayed only between legs of the same.

    receives: direction allows it. connected: its port takes packets of one source alone. flow: whether
    packets come. expects: since when they should be coming, s. report_at: when its next RTCP report is due,
    s. rests: its far end may send nothing while it is silent (comfort noise was agreed on). hushes: it has
    described the noise of a pause. patience: silence, s, after which its packets are missed.
    repair: what it is relayed may be rendered on purpose, because network and far end are not up to each
    other.
    """

    SPEC: ClassVar[dict[str, Column]] = {
        "number": Column(np.int64, -1),
        "kinds": Column(np.int8, UNKNOWN, 128),
        "form": Column(np.int8),
        "receives": Column(np.bool_),
        "way": Column(np.int8, Way.NONE),
        "connected": Column(np.bool_),
        "flow": Column(np.int8, Flow.AWAITED),
        "expects": Column(np.float64, np.inf),
        "report_at": Column(np.float64, np.inf),
        "rests": Column(np.bool_),
        "hushes": Column(np.bool_),
        "patience": Column(np.float64, 5.0),
        "repair": Column(np.bool_),
    }
    number: I64
    kinds: I8
    form: I8
    receives: Bool
    way: I8
    connected: Bool
    flow: I8
    expects: F64
    report_at: F64
    rests: Bool
    hushes: Bool
    patience: F64
    repair: Bool


class Leg:
    """What a leg has that is not touched packet by packet."""

    __slots__ = (
        *("number", "row", "latch", "listener", "view", "dialler", "dialled_at", "player"),
        *("codecs", "remote", "report_to", "rtcp_mux", "profile", "repair"),
    )

    def __init__(self, number: int, row: int, latch: Latch) -> None:
        self.number = number
        self.row = row
        self.latch = latch
        self.listener = Listener()
        self.view = RemoteView()
        self.dialler: Dialler | None = None
        self.dialled_at = 0
        self.player: Player | None = None
        self.codecs: list[Codec] = []
        self.remote: Address | None = None
        self.report_to: Address | None = None
        self.rtcp_mux = False
        self.profile: Profile = "standard"
        self.repair: Repair = "auto"


class LegTable:
    """Rows given out and taken back; all columns double when they are full."""

    def __init__(self, rows: int = 64) -> None:
        self.common = Common(rows)
        self.rx = Reception(rows)
        self.tx = Transmission(rows)
        self.legs: list[Leg | None] = [None] * rows
        self._free = list(range(rows - 1, -1, -1))
        self._row_of: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._row_of)

    def add(self, number: int, latch: Latch) -> Leg:
        """A leg in a clean row. Raises KeyError when the number is taken."""
        if number in self._row_of:
            raise KeyError(number)
        if not self._free:
            self._double()
        row = self._free.pop()
        leg = Leg(number, row, latch)
        self._row_of[number] = row
        self.legs[row] = leg
        self.common.number[row] = number
        return leg

    def remove(self, leg: Leg) -> None:
        del self._row_of[leg.number]
        self.legs[leg.row] = None
        for columns in (self.common, self.rx, self.tx):
            columns.clear(leg.row)
        self._free.append(leg.row)

    def find(self, number: int) -> Leg | None:
        row = self._row_of.get(number)
        return None if row is None else self.legs[row]

    def at(self, row: int) -> Leg:
        """The leg in a row that is in use."""
        leg = self.legs[row]
        assert leg is not None, "rows come from the table"
        return leg

    def set_flow(self, row: int, flow: Flow) -> None:
        """Note whether the leg's packets come; its next packet takes the general way."""
        self.common.flow[row] = flow
        self.rx.armed[row] = -1

    def rows(self) -> I64:
        """Rows in use, ascending."""
        return np.flatnonzero(self.common.number >= 0)

    def _double(self) -> None:
        before = len(self.legs)
        for columns in (self.common, self.rx, self.tx):
            columns.grow(2 * before)
        self.legs.extend([None] * before)
        self._free.extend(range(2 * before - 1, before - 1, -1))
