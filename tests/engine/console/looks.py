"""Looks at a busy node, for tests of views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from config.service import ApiRole
from engine.api.settings import PERMISSIONS
from engine.console.door import Principal
from engine.console.language import Words
from engine.console.look import Look, Place
from engine.console.snapshot import Snapshot, taken
from engine.store.rows import Entry
from tests.engine.console.busy import BusyNode

VIEWER = Principal("wallboard", "viewer", rights=PERMISSIONS[ApiRole.VIEWER])
OPERATOR = Principal("supervisor", "operator", rights=PERMISSIONS[ApiRole.OPERATOR])


def snapshot(node: BusyNode | None = None, serial: int = 1) -> Snapshot:
    node = node or BusyNode()
    return taken(node, node.began + 5.0, serial)


def look(
    address: str = "/console/wallboard", *, who: Principal = OPERATOR, say: str = "en", **more: Any
) -> Look:
    now = more.pop("now", None) or snapshot()
    return Look(now, Words(say), who, Place.of(address), more.pop("loaded", None), **more)


def entry(kind: str, at: float, data: Mapping[str, Any] | None = None, seq: int = 0) -> Entry:
    return Entry(node="n1", seq=seq, at=at, call="c1", kind=kind, data=dict(data or {}))
