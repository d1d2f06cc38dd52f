"""Three phones in a call: a customer, an agent, and the interpreter whom she asks in."""

from __future__ import annotations

from collections.abc import Callable
from math import log10
from pathlib import Path

import pytest

from engine.guest import LOWERED
from sip.pjsip.process import Softphone
from tests.interop.node import Node
from tests.interop.room import Room

LOWERED_DB = 20 * log10(LOWERED)
Phones = Callable[..., Softphone]
Speech = Callable[[str], Path]


def test_an_interpreter_is_heard_in_full_over_the_two_lowered_and_they_go_on_alone(
    node: Node, agent: Phones, speech: Speech, tmp_path: Path
) -> None:
    customer, cleo, dora, room = agent("customer"), agent("cleo"), agent("dora"), Room(tmp_path)
    room.calls[customer] = customer.call("counter")
    customer.expect("answered", call=room.calls[customer])
    room.calls[cleo] = cleo.incoming()
    cleo.answer(room.calls[cleo])
    cleo.expect("media", call=room.calls[cleo], state="active")
    (call,) = [each["id"] for each in node.get("/v1/calls?queue=counter")["items"]]

    node.ask("PUT", f"/v1/calls/{call}/guest", {"to": "dora"})
    room.calls[dora] = dora.incoming()
    dora.answer(room.calls[dora])
    dora.expect("media", call=room.calls[dora], state="active")
    node.until("the interpreter is in", lambda: node.get(f"/v1/calls/{call}/guest")["standing"] == "in", 5.0)

    whole, lowered = pytest.approx(0.0, abs=2.0), pytest.approx(LOWERED_DB, abs=2.0)
    room.hears(
        dora, speech("she asks when her parcel will arrive at last"), {"customer": whole, "cleo": whole}
    )
    room.hears(
        customer, speech("could you tell me where my order is today"), {"dora": whole, "cleo": lowered}
    )

    dora.hangup(room.calls.pop(dora))
    node.until("the interpreter is gone", lambda: not _guest(node, call), 5.0)
    room.hears(customer, speech("thank you very much that was all I wanted"), {"cleo": whole})
    customer.hangup(room.calls[customer])
    cleo.expect("ended", call=room.calls[cleo])
    record = node.record("counter")
    assert (record["agent"], record["reason"], record["ended_by"]) == ("cleo", "completed", "customer")
    kinds = [each["kind"] for each in node.get(f"/v1/calls/{call}/events")["items"]]
    assert [kind for kind in kinds if "guest" in kind] == [
        "call.guest_asked",
        "call.guest_joined",
        "call.guest_left",
    ]


def _guest(node: Node, call: str) -> bool:
    """Whether there is one, as the journal has it."""
    items = node.get(f"/v1/calls/{call}/events")["items"]
    return not any(each["kind"] == "call.guest_left" for each in items)
