"""Journal entries as CloudEvents 1.0 in structured JSON, and which of them a hook wants."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from config.hook import HookSettings
from engine.access import mask
from engine.store.rows import Entry

MEDIA_TYPE = "application/cloudevents+json"
PREFIX = "isogloss."  # of types: isogloss.call.ended
TRIED = "hook.tried"


def wants(hook: HookSettings, kind: str, queue: str, market: str) -> bool:
    """queue, market: of the event's call, "" where it has none."""
    family = f"{kind.partition('.')[0]}.*"
    if not hook.enabled or not {kind, family, "*"} & set(hook.kinds):
        return False
    return (not hook.queues or queue in hook.queues) and (not hook.markets or market in hook.markets)


def cloud_event(hook: HookSettings, entry: Entry, queue: str, market: str) -> bytes:
    """`id` is the same whenever the event is told again; `sequence` tells what came first on one node."""
    data: dict[str, Any] = {"queue": queue, "market": market} | entry.data
    if hook.personal:
        data |= mask.own_words(entry.person)
    event = _event(f"{entry.node}-{entry.seq}", entry.node, entry.kind, entry.at, data)
    event["sequence"] = f"{entry.seq:020d}"
    if entry.call:
        event["subject"] = entry.call
    return msgspec.json.encode(event)


def trial(id: str, node: str, hook: str, at: float) -> bytes:
    """One that says nothing but that a hook is tried. at: epoch seconds."""
    return msgspec.json.encode(_event(id, node, TRIED, at, {"hook": hook}))


def _event(id: str, node: str, kind: str, at: float, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": id,
        "source": f"/nodes/{node}",
        "type": f"{PREFIX}{kind}",
        "time": datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": data,
    }
