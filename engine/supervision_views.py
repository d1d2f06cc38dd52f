"""A supervisor in a call, as others look at her (engine/views.py)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisorView:
    """at: the account of her phone. by: who asked for it. mode: listen, whisper or barge. standing: ringing
    or in. since: epoch seconds, of that. announced: whether the two are told.
    """

    at: str
    by: str
    mode: str
    standing: str
    since: float
    announced: bool
