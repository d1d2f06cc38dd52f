"""What the page of the audit log asks: rows by filter, who read how much, and whether the chain is whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from engine.access.chain import Row
from engine.access.proving import Proof
from engine.console.desk import Desk
from engine.console.door import Principal
from engine.console.look import Place, Told
from engine.console.reports import midnight
from engine.drill import zones
from engine.store.trail import Tally, TrailFilter

PAGE = 50
MOST_TALLIES = 200
EVERY_S = 1.0  # while the chain is looked through
FRESH_S = 15.0
DOINGS = ("reads", "changes", "sessions")
FIELDS = ("who", "what", "about", "node", "outcome")
FINE = "done"


@dataclass(frozen=True, slots=True)
class AuditFile:
    """rows: newest first. next: the row that the next page begins before. tallies: who read how often, where
    reads are looked at. last: the newest row's number. kept: where nobody signs in by name, there is no log.
    looked_at: epoch s.
    """

    kept: bool = True
    rows: tuple[Row, ...] = ()
    next: int | None = None
    tallies: tuple[Tally, ...] = ()
    last: int = 0
    proof: Proof | None = None
    zone: str = "UTC"
    faults: Mapping[str, str] | None = None
    looked_at: float = 0.0


def filter_of(place: Place, zone: str) -> tuple[TrailFilter, dict[str, str]]:
    """Days are the zone's, the last one with all of it. What is no day is told among the faults."""
    faults: dict[str, str] = {}
    bounds: dict[str, float] = {}
    for field, name, more in (("from", "since", 0), ("to", "until", 1)):
        text = place.get(field)
        if not text:
            continue
        try:
            day = date.fromisoformat(text) + timedelta(days=more)
            bounds[name] = midnight(day, zone)
        except (ValueError, OverflowError):
            faults[field] = "report.fault.day"
    doing = place.get("doing")
    wanted = TrailFilter(
        since=bounds.get("since"),
        until=bounds.get("until"),
        who=place.get("who") or None,
        what=place.get("what") or None,
        about=place.get("about") or None,
        node=place.get("node") or None,
        outcome=place.get("outcome") or None,
        doing=doing if doing in DOINGS else None,
    )
    return wanted, faults


def before_of(place: Place) -> int | None:
    text = place.get("cursor")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else None


async def load(desk: Desk, place: Place, before: Any) -> AuditFile:
    """A page of it is told of to the log itself before it is shown. Raises AuditUnavailable."""
    if desk.access is None or desk.proving is None:
        return AuditFile(kept=False)
    proof, now = desk.proving.newest, desk.wall()
    if isinstance(before, AuditFile) and now - before.looked_at < FRESH_S and before.zone == desk.zone:
        return before if before.proof == proof else replace(before, proof=proof)
    if not isinstance(before, AuditFile):
        await desk.door.keep(desk.who, "list_audit", "audit")
    wanted, faults = filter_of(place, zone_of(place, desk))
    trail = desk.access.trail
    rows, after = await desk.ask(trail.page, wanted, before=before_of(place), limit=PAGE)
    tallies: list[Tally] = []
    if wanted.doing == "reads":
        tallies = await desk.ask(trail.tallies, wanted, limit=MOST_TALLIES)
    last = await desk.ask(trail.last)
    return AuditFile(True, tuple(rows), after, tuple(tallies), last, proof, desk.zone, faults, now)


def zone_of(place: Place, desk: Desk) -> str:
    return place.get("zone") if place.get("zone") in zones() else desk.zone


async def prove(desk: Desk, who: Principal, place: Place, given: Mapping[str, str]) -> Told:
    """Look through the whole chain; everybody who looks at this page sees how far it is."""
    if desk.proving is None:
        return Told("audit.none", bad=True)
    began = desk.proving.begin(who.name)
    return Told("audit.proof.begun" if began else "audit.proof.goes_on")
