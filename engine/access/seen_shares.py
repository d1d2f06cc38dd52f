"""Links to recordings as somebody has them (engine/access/seen.py): to those within reach."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.sharing import Share, Wish

if TYPE_CHECKING:
    from engine.access.seen import Seen
    from engine.api.deps import SharingView


class SeenShares:
    """See engine.api.deps.SharingView, which this is."""

    def __init__(self, shares: SharingView, seen: Seen) -> None:
        self._shares = shares
        self._seen = seen

    def make(self, recording: str, wish: Wish, by: str) -> tuple[Share, str] | None:
        return self._shares.make(recording, wish, by) if self._seen.sees_recording(recording) else None

    def of(self, recording: str) -> Sequence[Share]:
        return self._shares.of(recording) if self._seen.sees_recording(recording) else ()

    def revoke(self, recording: str, id: str, by: str) -> Share | None:
        return self._shares.revoke(recording, id, by) if self._seen.sees_recording(recording) else None

    def open(self, link: str, *, use: bool) -> Share | None:
        """A link is for whoever has it."""
        return self._shares.open(link, use=use)
