"""The record of a call that nobody saw end: drawn up from its journal when the node that carried it comes
back.

The same sums as engine/ledger.py makes of a call it saw end; what only memory knew (media figures, the delay
to the first ring) stays unknown.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.events import (
    CallAnswered,
    CallArrived,
    CallConnected,
    CallHeld,
    CallQueued,
    CallRecord,
    CallResumed,
    CallTaken,
    CallTransferred,
    EndReason,
    OfferMissed,
    RecordingBegan,
    Side,
)
from engine.store.rows import Entry


def closing_record(call: str, node: str, began: float, entries: Sequence[Entry], ended: float) -> CallRecord:
    """The record of a call lost with its node; `ended` is the last sign of life, never before the call's own
    last.
    """
    ended = max([ended, began, *(entry.at for entry in entries)])
    first = _first(entries, CallArrived.kind) or _first(entries, CallTaken.kind)
    base = {**first.data, **first.person} if first else {}
    queued, connected = _first(entries, CallQueued.kind), _first(entries, CallConnected.kind)
    connected_at = connected.at if connected else None
    answered = _first(entries, CallAnswered.kind)
    held = _held(entries, ended)
    return CallRecord(
        call=call,
        contact=base.get("contact", ""),
        customer=base.get("customer", ""),
        market=base.get("market", ""),
        region=base.get("region", ""),
        node=base.get("node", node),
        number=base.get("number", ""),
        source=base.get("source", ""),
        language=base.get("language", ""),
        queue=_last(entries, CallQueued.kind, "queue"),
        agent=_last(entries, CallConnected.kind, "agent"),
        offered_at=began,
        answered_at=answered.at if answered else None,
        connected_at=connected_at,
        ended_at=ended,
        ended_by=Side.ENGINE,
        reason=EndReason.NODE_LOST,
        wait_s=round((connected_at or ended) - queued.at, 3) if queued else 0.0,
        talk_s=round(ended - connected_at - held, 3) if connected_at is not None else 0.0,
        hold_s=round(held, 3),
        post_dial_delay_s=None,
        customer_codec=answered.data.get("codec", "") if answered else "",
        agent_codec=_last(entries, CallConnected.kind, "codec"),
        customer_encryption=answered.data.get("encryption", "") if answered else "",
        agent_encryption=_last(entries, CallConnected.kind, "encryption"),
        customer_loss=None,
        agent_loss=None,
        customer_jitter_ms=None,
        agent_jitter_ms=None,
        customer_mos=None,
        agent_mos=None,
        customer_concealed_ms=None,
        agent_concealed_ms=None,
        misses=sum(entry.kind == OfferMissed.kind for entry in entries),
        recording=" ".join(_files(entries)),
        transfers=sum(entry.kind == CallTransferred.kind for entry in entries),
    )


def _files(entries: Sequence[Entry]) -> list[str]:
    before = _last(entries, CallTaken.kind, "recording").split()
    began = (entry.data.get("file", "") for entry in entries if entry.kind == RecordingBegan.kind)
    return [*before, *(file for file in began if file not in before)]


def _held(entries: Sequence[Entry], ended: float) -> float:
    """Seconds on hold: from the first side that holds until neither does."""
    holding: set[str] = set()
    began = total = 0.0
    for entry in entries:
        if entry.kind == CallHeld.kind:
            if not holding:
                began = entry.at
            holding.add(entry.data.get("by", ""))
        elif entry.kind == CallResumed.kind and holding:
            holding.discard(entry.data.get("by", ""))
            if not holding:
                total += entry.at - began
    return total + (ended - began if holding else 0.0)


def _first(entries: Sequence[Entry], kind: str) -> Entry | None:
    return next((entry for entry in entries if entry.kind == kind), None)


def _last(entries: Sequence[Entry], kind: str, name: str) -> str:
    found = [entry.data.get(name, "") for entry in entries if entry.kind == kind]
    return found[-1] if found else ""
