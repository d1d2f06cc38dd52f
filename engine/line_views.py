"""What the outside may see of lines: how each stands, how each did, and probes. Frozen values, as in
engine.views.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from engine.line_events import LineProbed
from engine.probe.result import ProbeResult
from routing.cost import Cost
from routing.report import Figures, Level, Reason


class Standing(StrEnum):
    """How a line stands. INCOMING: no calls go out over it. DEAD: it answers nothing. RESTING: its calls
    failed. RETURNING: it was dead and gets few calls yet. DOUBTED: it kept silent once.
    """

    FIT = "fit"
    DOUBTED = "doubted"
    RETURNING = "returning"
    RESTING = "resting"
    DEAD = "dead"
    UNREGISTERED = "unregistered"
    INCOMING = "incoming"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineStandView:
    """A line now. share: of its calls that it is given, 0 to 1. channels: 0 for no cap. probe_every_s: 0
    where it is probed when somebody asks.
    """

    name: str
    kind: str
    country: str
    region: str
    state: Standing
    share: float
    active: int
    channels: int
    probe_number: str = ""
    probe_every_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PartView:
    """How a line did in a region or in an hour. key: the region, or epoch seconds where the hour began."""

    key: str | int
    figures: Figures
    level: Level
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReportView:
    """cost: of its calls out; None for a line without rates, and for who may not read the configuration."""

    line: str
    figures: Figures
    level: Level
    reasons: tuple[Reason, ...]
    regions: tuple[PartView, ...]
    hours: tuple[PartView, ...]
    newest: LineProbed | None
    cost: Cost | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportView:
    """Epoch seconds; lines: the worst first, those of which nothing is known last."""

    since: float
    until: float
    lines: tuple[LineReportView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeView:
    """A probe as it goes on; result: None until it is over."""

    id: str
    line: str
    number: str
    by: str
    began: float
    steps: tuple[tuple[float, str], ...]
    result: ProbeResult | None
