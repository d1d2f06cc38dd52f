"""The audit log as a chain: each row has the hash of the one before, so that none is changed, lost or put in
between without a trace; and anchors kept elsewhere, so that none is cut off the end.

A row's hash is SHA-256 over canonical JSON (RFC 8785's order does not arise: it is an array) of all that it
says and the hash before it. The first stands on sixty-four zeros.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec

GENESIS = "0" * 64
ANCHOR_ITSELF = 0  # the "row" that is bad where all are right, and what they are compared with is not
_encode = msgspec.json.Encoder(order="deterministic").encode


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """What is to be kept. id: its own, at random, so that writing it twice writes it once. who: the user's or
    token's name, "" for nobody known. how: how that was shown. what: the operation. object: on or of what.
    outcome: "done", or the name of what kept it from being done. detail: canonical JSON, without personal
    data and secrets. at: epoch seconds.
    """

    id: str
    at: float
    node: str
    who: str
    how: str
    what: str
    object: str
    outcome: str
    detail: str = "{}"


TEXTS = tuple(name for name in Entry.__struct_fields__ if name != "at")


@dataclass(frozen=True, slots=True)
class Row:
    """An entry in its place."""

    seq: int
    entry: Entry
    prev: str
    hash: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """What the chain's last row was at some time, as kept outside of it."""

    seq: int
    hash: str
    at: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """bad: the first row that is not as it was written, ANCHOR_ITSELF for the anchor, None where all are.
    why: in words. rows: that were found right before it.
    """

    rows: int
    bad: int | None = None
    why: str = ""

    @property
    def whole(self) -> bool:
        return self.bad is None

    @property
    def fault(self) -> str:
        """What is wrong, in words; "" where nothing is."""
        if self.bad is None:
            return ""
        return f"{f'row {self.bad}' if self.bad != ANCHOR_ITSELF else 'the anchor'} {self.why}"


def detail_of(values: Mapping[str, Any]) -> str:
    return _encode(values).decode()


def digest(seq: int, entry: Entry, prev: str) -> str:
    """The hash of a row at this place."""
    return hashlib.sha256(_encode([seq, *msgspec.structs.astuple(entry), prev])).hexdigest()


def _well_typed(entry: Entry) -> bool:
    """SQLite keeps anything in any column, and bytes would be hashed as the text that is their Base64."""
    return isinstance(entry.at, float) and all(isinstance(getattr(entry, each), str) for each in TEXTS)


def follow(seq: int, prev: str, entries: Iterable[Entry]) -> list[Row]:
    """The entries as rows behind the one of this number and hash."""
    rows = []
    for entry in entries:
        seq += 1
        hash = digest(seq, entry, prev)
        rows.append(Row(seq, entry, prev, hash))
        prev = hash
    return rows


def verify(rows: Iterable[Row], anchors: Sequence[Anchor] = ()) -> Verdict:
    """Whether rows, in the order of their numbers, are those that were written, all of them."""
    held: dict[int, set[str]] = {}
    for each in anchors:
        held.setdefault(each.seq, set()).add(each.hash)
    seq, prev = 0, GENESIS
    for row in rows:
        expected, number = seq + 1, cast(object, row.seq)
        if not isinstance(number, int):
            return Verdict(seq, expected, "is missing: what stands there has no number")
        if row.seq != expected:
            why = "is there twice" if row.seq <= seq else "is missing"
            return Verdict(seq, min(row.seq, expected), why)
        if row.prev != prev:
            return Verdict(seq, expected, "does not follow the row before it: changed, swapped or put in")
        if not _well_typed(row.entry) or digest(row.seq, row.entry, row.prev) != row.hash:
            return Verdict(seq, expected, "was changed")
        if expected in held and held[expected] != {row.hash}:
            return Verdict(
                seq, expected, "is not the row that was anchored: written anew from here or before"
            )
        seq, prev = expected, row.hash
    last = max(held, default=0)
    if last > seq:
        return Verdict(seq, seq + 1, f"is missing: the log was cut off, row {last} was anchored")
    return Verdict(seq)
