"""The audit log's newest row, kept in a file outside of the store: what is cut off the end is missed there.

A node that writes rows has one: it is written after each commit, before anybody is told that the entry is
kept. So one that is missing, where the store has rows of the node, is told as one that was changed is. There
is none where only other nodes of the store wrote, or the command line did (`users`), which keeps none: its
rows are anchored by the node's next. A node whose folder for data is new while its store is not, cannot be
told from one whose anchor somebody removed, and is told as well.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from math import isfinite
from pathlib import Path

from engine.access.chain import ANCHOR_ITSELF, Anchor, Row, Verdict, verify
from engine.access.principal import How
from engine.store.trail import Trail

LAST = 2**63 - 1  # that a row's number may be in any store


def write_anchor(file: Path, anchor: Anchor) -> None:
    """Raises OSError."""
    new = file.with_name(file.name + ".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as written:
        json.dump({"row": anchor.seq, "hash": anchor.hash, "at": anchor.at}, written)
    new.rename(file)


def read_anchor(file: Path) -> Anchor | None:
    """None where there is no file. Raises ValueError for one that is no anchor, OSError."""
    try:
        told = json.loads(file.read_bytes())
        row, hash, at = told["row"], told["hash"], told["at"]
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{file} is no anchor") from error
    number = type(row) is int and 1 <= row <= LAST
    if not number or not isinstance(hash, str) or type(at) not in (int, float) or not isfinite(at):
        raise ValueError(f"{file} is no anchor")
    return Anchor(row, hash, float(at))


def wrote(trail: Trail, node: str) -> bool:
    """Whether there are rows that this node wrote, which has an anchor then. Raises StoreUnavailable."""
    return trail.wrote(node, but=How.COMMAND)


def compared(
    trail: Trail, rows: Iterable[Row], file: Path, node: str, held: Anchor | None = None
) -> tuple[Verdict, int | None]:
    """What all rows come to, and up to which they are anchored, None for nowhere. node: whose anchor the
    file is; "" where it need not be there. held: what the running node has in memory, whatever became of the
    file. Blocks; raises StoreUnavailable, OSError.
    """
    kept, wrong = None, ""
    try:
        kept = read_anchor(file)
    except ValueError as error:
        wrong = f"was changed: {error}"
    anchors = [each for each in (kept, held) if each is not None]
    verdict = verify(rows, anchors)
    missing = kept is None and not wrong and not file.exists()  # it may have been written meanwhile
    if missing and verdict.whole and node and (held is not None or wrote(trail, node)):
        wrong = "is missing, though this node wrote rows: what was cut off the end is not told by it"
    if wrong and verdict.whole:
        verdict = Verdict(verdict.rows, ANCHOR_ITSELF, wrong)
    return verdict, max((each.seq for each in anchors), default=None)
