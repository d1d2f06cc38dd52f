"""A call's life from its journal: who was in which state from when to when, and why what was decided was.

Pure. Times are epoch seconds; what goes on still ends at `until`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.store.rows import Entry

MOST_LANES = 12


@dataclass(frozen=True, slots=True)
class Span:
    """kind: a state, or what holds meanwhile."""

    kind: str
    begin: float
    end: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """Somebody, or something, over the call's time. kind: caller, agent, sound or recording."""

    kind: str
    name: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, with the reasons as they were told. kind: of the event."""

    at: float
    kind: str
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Story:
    begin: float
    end: float
    lanes: tuple[Lane, ...] = ()
    decisions: tuple[Decision, ...] = ()

    @property
    def seconds(self) -> float:
        return max(self.end - self.begin, 1.0)


PHASES: Mapping[str, str] = {
    "call.answered": "greeting",
    "call.queued": "queued",
    "call.connected": "talking",
    "call.resumed": "talking",
    "call.held": "held",
    "call.transferred": "transferring",
}
# what was decided -> the field that says for whom
DECISIONS: Mapping[str, str] = {
    "call.offered": "agent",
    "call.line_chosen": "line",
    "call.queue_left": "queue",
    "leg.codec_wished": "codec",
}


@dataclass(slots=True)
class _Track:
    kind: str
    name: str
    spans: list[Span] = field(default_factory=list)
    open: tuple[str, float, str] | None = None

    def turn(self, kind: str, at: float, note: str = "") -> None:
        """It is otherwise from now on; "" for nothing."""
        if self.open is not None:
            was, since, told = self.open
            if at > since or not kind:
                self.spans.append(Span(was, since, max(at, since), told))
        self.open = (kind, at, note) if kind else None


class _Teller:
    def __init__(self) -> None:
        self.tracks: dict[tuple[str, str], _Track] = {}
        self.decisions: list[Decision] = []
        self.talking = ""  # whose agent's lane

    def track(self, kind: str, name: str) -> _Track:
        return self.tracks.setdefault((kind, name), _Track(kind, name))

    def take(self, entry: Entry) -> None:
        data = entry.data | entry.person
        if entry.kind in ("call.arrived", "call.taken", "call.crossed"):
            state = data.get("state", "arrived") if entry.kind == "call.taken" else "arrived"
            self.track("caller", "").turn(str(state), entry.at)
        elif entry.kind in PHASES:
            self.track("caller", "").turn(PHASES[entry.kind], entry.at)
        if entry.kind in DECISIONS and data.get("why"):
            what = str(data.get(DECISIONS[entry.kind], ""))
            self.decisions.append(Decision(entry.at, entry.kind, what, str(data["why"])))
        self._agents(entry.kind, entry.at, data)
        self._beside(entry.kind, entry.at, data)

    def _agents(self, kind: str, at: float, data: Mapping[str, Any]) -> None:
        agent = str(data.get("agent") or data.get("party") or "")
        if kind == "call.offered" and agent:
            self.track("agent", agent).turn("offered", at)
        elif kind == "call.offer_missed" and agent:
            track = self.track("agent", agent)
            track.turn("", at)
            track.spans.append(Span("missed", at, at, str(data.get("outcome", ""))))
        elif kind == "call.connected" and agent:
            if self.talking and self.talking != agent:
                self.track("agent", self.talking).turn("", at)
            self.talking = agent
            self.track("agent", agent).turn("talking", at)
        elif kind == "call.queued" and self.talking:  # she was handed on, and waits for another one
            self.track("agent", self.talking).turn("", at)
            self.talking = ""
        elif kind in ("call.held", "call.resumed") and self.talking:
            self.track("agent", self.talking).turn("held" if kind == "call.held" else "talking", at)

    def _beside(self, kind: str, at: float, data: Mapping[str, Any]) -> None:
        if kind == "leg.troubled":
            side, trouble = str(data.get("side", "")), str(data.get("trouble", ""))
            since = float(data.get("since") or at)
            self.track("sound", side).turn(
                "" if data.get("over") else trouble, since, str(data.get("cause", ""))
            )
        elif kind in ("leg.gone", "leg.returned"):
            self.track("sound", str(data.get("side", ""))).turn("gone" if kind == "leg.gone" else "", at)
        elif kind in ("recording.began", "recording.resumed"):
            self.track("recording", "").turn("on", at)
        elif kind == "recording.paused":
            self.track("recording", "").turn("paused", at)
        elif kind == "recording.ended":
            self.track("recording", "").turn("", at)


ORDER = ("caller", "agent", "sound", "recording")


def told(entries: Sequence[Entry], until: float) -> Story:
    """until: now, for a call that goes on."""
    if not entries:
        return Story(until, until)
    teller = _Teller()
    end = until
    for entry in entries:
        if entry.kind in ("call.ended", "call.handed_over"):
            end = entry.at
            break
        teller.take(entry)
    lanes = []
    for track in sorted(teller.tracks.values(), key=lambda track: ORDER.index(track.kind)):
        track.turn("", end)
        if track.spans:
            lanes.append(Lane(track.kind, track.name, tuple(track.spans)))
    begin = min(entry.at for entry in entries)
    return Story(begin, max(end, begin), tuple(lanes[:MOST_LANES]), tuple(teller.decisions))
