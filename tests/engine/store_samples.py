"""Calls as the engine would journal them, for the tests of journal, records and store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from engine.events import (
    CallAnswered,
    CallArrived,
    CallConnected,
    CallEnded,
    CallHeld,
    CallOffered,
    CallQueued,
    CallRecord,
    CallResumed,
    CallTaken,
    EndReason,
    Event,
    Side,
)
from engine.store.spill import Spill

NODE = "n1"
T0 = 1_760_000_000.0


def arrived(call: str = "c1", at: float = T0, **changes: Any) -> CallArrived:
    event = CallArrived(
        at=at,
        call=call,
        contact=f"contact-{call}",
        customer="+4930123456",
        market="de",
        region="eu",
        number="+498001234",
        language="de",
        source="192.0.2.7:5060",
        node=NODE,
    )
    return replace(event, **changes)


def taken(call: str = "c1", began: float = T0, node: str = NODE) -> CallTaken:
    """The call of a node that was lost, at this one."""
    first = arrived(call, began, node=node)
    shared = {name: getattr(first, name) for name in first.data()}
    return CallTaken(at=began + 30.0, call=call, **shared, taken_from="n0", state="talking", began=began)


def ended(call: str = "c1", at: float = T0 + 60.0, reason: EndReason = EndReason.COMPLETED) -> CallEnded:
    return CallEnded(at=at, call=call, by=Side.CUSTOMER, reason=reason)


def record(call: str = "c1", at: float = T0 + 60.0, **changes: Any) -> CallRecord:
    made = CallRecord(
        call=call,
        contact=f"contact-{call}",
        customer="+4930123456",
        market="de",
        region="eu",
        node=NODE,
        number="+498001234",
        source="192.0.2.7:5060",
        language="de",
        queue="support",
        agent="alice",
        offered_at=at - 60.0,
        answered_at=at - 59.5,
        connected_at=at - 40.0,
        ended_at=at,
        ended_by=Side.CUSTOMER,
        reason=EndReason.COMPLETED,
        wait_s=19.5,
        talk_s=40.0,
        hold_s=0.0,
        post_dial_delay_s=0.2,
        customer_codec="PCMA",
        agent_codec="PCMU",
        customer_loss=0.01,
        agent_loss=0.0,
        customer_jitter_ms=3.5,
        agent_jitter_ms=1.0,
        customer_mos=4.2,
        agent_mos=4.4,
        customer_concealed_ms=140,
        agent_concealed_ms=0,
        misses=0,
        transfers=0,
    )
    return replace(made, **changes)


def talk(call: str = "c1", at: float = T0) -> list[Event]:
    """A call from its arrival to talking after a hold, not ended: 10 s of waiting, 20 s of talk, 5 s of
    hold.
    """
    return [
        arrived(call, at),
        CallAnswered(at=at + 1.0, call=call, codec="PCMA"),
        CallQueued(at=at + 2.0, call=call, queue="support", position=1),
        CallOffered(at=at + 8.0, call=call, queue="support", agent="alice", why="idle longest"),
        CallConnected(at=at + 12.0, call=call, party="sip:alice@10.0.0.5", agent="alice", codec="PCMU"),
        CallHeld(at=at + 20.0, call=call, by=Side.AGENT),
        CallResumed(at=at + 25.0, call=call, by=Side.AGENT),
    ]


@contextmanager
def full_disk(spill: Spill) -> Iterator[None]:
    """The disk under the spill file has no room."""
    kept = os.dup(spill._file)
    full = os.open("/dev/full", os.O_RDWR)
    os.dup2(full, spill._file)
    os.close(full)
    try:
        yield
    finally:
        os.dup2(kept, spill._file)
        os.close(kept)
