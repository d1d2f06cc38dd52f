"""A guest in a call, as others look at it (engine/views.py)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestView:
    """to: as asked for. standing: ringing, in or aside. agent: of ours, "" where the guest is none."""

    to: str
    standing: str
    agent: str
