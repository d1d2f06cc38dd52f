"""What the outside may see of webhooks: frozen values, as in engine.views."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class HookView:
    """oldest: when the event happened that waits longest; last_at: when one was taken last; epoch seconds.
    trying: it is tried at this moment.
    """

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
    trying: bool = False

    @property
    def place(self) -> str:
        """The URL without its query, which may hold a key."""
        parts = urlsplit(self.url)
        return urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))


@dataclass(frozen=True, slots=True)
class HookTrial:
    """One event that was posted to see how a hook does. status: of HTTP, None where none came; why: what kept
    it from being taken, "" for nothing; took_s: until the answer.
    """

    id: str
    taken: bool
    status: int | None
    why: str
    took_s: float
