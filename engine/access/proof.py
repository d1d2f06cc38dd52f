"""Whether a node's audit log is whole: all its rows, against what was anchored outside of the store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.access.access import ANCHOR, SPILL
from engine.access.anchor import compared
from engine.access.chain import ANCHOR_ITSELF, Verdict
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


def proof(trail: Trail, data: Path, node: str) -> Proof:
    """data: the node's folder. node: its name, whose anchor has to be there once it wrote rows; "" for a
    backup, which is made of the anchor first, and may be older than that. Blocks; raises StoreUnavailable,
    OSError.
    """
    verdict, anchored = compared(trail, trail.rows(), data / ANCHOR, node)
    spill = data / SPILL
    return Proof(
        whole=verdict.whole,
        rows=verdict.rows,
        first_bad=verdict.bad,
        why=verdict.why,
        anchored=anchored,
        spilled_bytes=spill.stat().st_size if spill.exists() else 0,
    )


def fault_of(found: Proof) -> str:
    """What is wrong with it, "" where nothing is."""
    return Verdict(found.rows, found.first_bad, found.why).fault


def told(found: Proof) -> str:
    """In a sentence."""
    if not found.whole:
        before = "follow one another" if found.first_bad == ANCHOR_ITSELF else "before it are right"
        return f"The audit log is not whole: {fault_of(found)}. {found.rows} rows {before}."
    anchored = f"anchored at row {found.anchored}" if found.anchored else "anchored nowhere on this machine"
    return f"The audit log is whole: {found.rows} rows, {anchored}."
