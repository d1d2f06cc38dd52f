"""What the console's pages ask and do: the node's own view and configuration, and who gets in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ParamSpec, TypeVar

from engine.access.access import Access
from engine.access.proving import Proving
from engine.access.role import Permission
from engine.api.deps import EngineView
from engine.api.sounds import Heard
from engine.console.door import Door, Principal, seen_by
from engine.console.insight import Insights
from engine.operating import Operating

P = ParamSpec("P")
R = TypeVar("R")
ASKING = 4  # questions to the store at a time, of all consoles


@dataclass(frozen=True)
class Desk:
    """operating: None where the configuration stays as it is. insight: None where nobody looks into calls.
    access, proving: users and the audit log; None where nobody signs in by name. wall: epoch s.
    places: regions on the map, as latitude and longitude. heard: recordings that are being listened to.
    who asks, and her rights; listens: she may read what was said; language and time zone: hers. shown: what
    her page has loaded, when something is done on it.
    """

    view: EngineView
    door: Door
    wall: Callable[[], float]
    operating: Operating | None = None
    insight: Insights | None = None
    access: Access | None = None
    proving: Proving | None = None
    places: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    who: Principal = field(default_factory=lambda: Principal("", ""))
    listens: bool = False
    language: str = "en"
    zone: str = "UTC"
    heard: Heard = field(default_factory=Heard)
    rights: frozenset[Permission] = frozenset()
    shown: Any = None
    _asking: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(ASKING))

    def of(self, who: Principal, language: str = "en", zone: str = "UTC", shown: Any = None) -> Desk:
        """The same, with the node as this person may see it."""
        return replace(
            self,
            view=seen_by(self.view, who),
            who=who,
            listens=who.may(Permission.LISTEN),
            language=language,
            zone=zone,
            rights=who.rights,
            shown=shown,
        )

    async def ask(self, question: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Something that blocks, in a worker thread. Raises what it raises."""
        async with self._asking:
            return await asyncio.to_thread(question, *args, **kwargs)
