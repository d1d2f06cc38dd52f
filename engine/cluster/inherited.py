"""What a node that is lost leaves to others, as whoever shares it out sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from engine.cluster.kept import Kept


class Claimable(NamedTuple):
    """One thing. key: what decides who has it (routing.inheritance). order: the smallest goes first. data: as
    it was read, value: what that says. near: a node that lives, perhaps, and has another part of it.
    """

    id: str
    key: str
    market: str
    order: float
    data: bytes
    value: object
    near: str = ""


class Inherited(Protocol):
    """A kind of thing: calls (calls.py), phones (phones.py)."""

    word: str
    kept: Kept

    def room(self) -> int:
        """How many more this node can have."""

    def read(self, found: Mapping[str, bytes]) -> list[Claimable]:
        """Those that can be read here."""

    def have(self, claimed: Sequence[Claimable], former: str, now: float) -> None:
        """They are this node's now; former: the node that had them."""

    def present(self) -> list[str]:
        """What this node has."""

    def surrender(self, id: str, node: str, now: float) -> None:
        """`node` has it, and this one no more."""
