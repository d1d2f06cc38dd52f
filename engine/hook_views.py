"""What the outside may see of webhooks: frozen values, as in engine.views."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class HookView:
    """oldest: when the event happened that waits longest; last_at: when one was taken last; epoch seconds."""

    name: str
    url: str
    enabled: bool
    kinds: tuple[str, ...]
    waiting: int = 0
    oldest: float | None = None
    dead: int = 0
    told: int = 0
    failed: int = 0
    failures: int = 0
    last_at: float | None = None
    error: str = ""
