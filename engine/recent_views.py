"""What calls came to lately, as the outside may see it (engine/recent.py)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["queue", "line"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentView:
    """calls: those that are over. dropped: of the answered, broke off. heard: of which it is known how they
    sounded; poor: those of them that many complain of, or that lost many packets.
    """

    kind: Kind
    name: str
    calls: int = 0
    answered: int = 0
    dropped: int = 0
    heard: int = 0
    poor: int = 0
