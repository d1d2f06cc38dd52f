"""What is shown beside the nodes, of this one."""

from __future__ import annotations

from dataclasses import dataclass

from engine.hook_views import HookView
from engine.insight.sources import SourceView


@dataclass(frozen=True, slots=True)
class NodesFile:
    """sources: that are answered no more, the latest first."""

    sources: tuple[SourceView, ...] = ()
    hooks: tuple[HookView, ...] = ()
