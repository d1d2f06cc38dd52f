"""Links to recordings kept in memory, behind the API of the small node (tests/engine/api_node.py)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from engine.sharing import Share


class Links:
    """See engine.sharing.ShareStore. asked: raises where the store is away."""

    def __init__(self, asked: Callable[[], None] = lambda: None) -> None:
        self._asked = asked
        self.all: dict[str, Share] = {}

    def add(self, share: Share) -> None:
        self._asked()
        self.all[share.id] = share

    def of(self, recording: str) -> Sequence[Share]:
        self._asked()
        return [each for each in reversed(self.all.values()) if each.recording == recording]

    def get(self, id: str) -> Share | None:
        self._asked()
        return self.all.get(id)

    def use(self, id: str, now: float) -> bool:
        self._asked()
        found = self.all.get(id)
        if found is None or not found.leads(now):
            return False
        self.all[id] = replace(found, uses=found.uses + 1, used_at=now)
        return True

    def revoke(self, recording: str, id: str, by: str, now: float) -> Share | None:
        self._asked()
        found = self.all.get(id)
        if found is None or found.recording != recording:
            return None
        if found.revoked_at is None:
            found = self.all[id] = replace(found, revoked_at=now, revoked_by=by)
        return found
