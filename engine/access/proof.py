"""Whether a node's audit log is whole: all its rows, against what was anchored outside of the store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.access.access import ANCHOR, SPILL
from engine.access.audit import read_anchor
from engine.access.chain import Verdict, verify
from engine.store.trail import Trail


@dataclass(frozen=True, slots=True)
class Proof:
    """first_bad: the first row that is not as it was written, 0 for the anchor; None where all are. anchored:
    up to which row there is an anchor, None for none. spilled_bytes: of entries that wait for the store.
    """

    whole: bool
    rows: int
    first_bad: int | None
    why: str
    anchored: int | None
    spilled_bytes: int


def proof(trail: Trail, data: Path) -> Proof:
    """data: the node's folder. Blocks; raises StoreUnavailable."""
    anchor, changed = None, ""
    try:
        anchor = read_anchor(data / ANCHOR)
    except ValueError as error:
        changed = str(error)
    verdict = verify(trail.rows(), [anchor] if anchor else [])
    if changed and verdict.whole:
        verdict = Verdict(verdict.rows, 0, f"was changed: {changed}")
    spill = data / SPILL
    return Proof(
        whole=verdict.whole,
        rows=verdict.rows,
        first_bad=verdict.bad,
        why=verdict.why,
        anchored=anchor.seq if anchor else None,
        spilled_bytes=spill.stat().st_size if spill.exists() else 0,
    )


def told(found: Proof) -> str:
    """In a sentence."""
    if not found.whole:
        row = f"row {found.first_bad}" if found.first_bad else "the anchor"
        return f"The audit log is not whole: {row} {found.why}. {found.rows} rows before it are right."
    anchored = f"anchored at row {found.anchored}" if found.anchored else "anchored nowhere on this machine"
    return f"The audit log is whole: {found.rows} rows, {anchored}."
