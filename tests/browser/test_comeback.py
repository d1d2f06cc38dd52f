"""No page loses its call: reloads, dead ways and other networks, at both ends, and what the record says of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.hearing import heard, is_music, read_wav
from sip.pjsip.process import Softphone
from tests.browser.chromium import TELEPHONE
from tests.browser.pages import AgentPage, Tabs, music
from tests.interop.conftest import registrar
from tests.interop.node import Node
from tests.interop.test_phones import listen

Speech = Callable[[str], Path]
Phones = Callable[..., Softphone]


@pytest.fixture
def desk_phone(node: Node, phone: Phones) -> Phones:
    """A softphone registered with an account of the node."""
    return registrar(node, phone)


def test_an_agent_whose_page_is_reloaded_is_back_in_her_call_and_holds_whom_she_held(
    node: Node, tab: Tabs, speech: Speech, desk_phone: Phones, tmp_path: Path
) -> None:
    says, asks = speech("good morning, what can I do for you"), speech("where is the parcel I am waiting for")
    customer = desk_phone("customer", codecs=("PCMA",))
    call = customer.call("desk")
    anna = AgentPage(tab, node, "anna", says)
    anna.start()
    anna.answer()
    (before,) = node.get("/v1/calls")["items"]
    anna.reload()
    anna.is_back()
    customer.ask("record", call=call, file=str(tmp_path / "customer.wav"))
    customer.ask("play", call=call, file=str(asks))
    assert heard(read_wav(asks, TELEPHONE), anna.tab.hears(4.0), TELEPHONE)
    customer.ask("stop", call=call, what="record")
    assert heard(read_wav(says, TELEPHONE), read_wav(tmp_path / "customer.wav", TELEPHONE), TELEPHONE)

    anna.page.click("#hold")
    anna.page.wait_for_selector("#hold[aria-pressed=true]")
    anna.reload()
    anna.is_back()
    assert anna.page.get_attribute("#hold", "aria-pressed") == "true"
    waits = listen(customer, call, tmp_path / "held.wav", 1.5)
    assert is_music(read_wav(waits, TELEPHONE), read_wav(music(node), TELEPHONE), TELEPHONE)
    anna.page.click("#hold")
    anna.page.wait_for_selector("#hold[aria-pressed=false]")
    assert [each["id"] for each in node.get("/v1/calls")["items"]] == [before["id"]]
    customer.hangup(call)
    anna.in_state("wrap_up")
    record = node.record("desk")
    assert (record["agent"], record["reason"], record["transfers"]) == ("anna", "completed", 0)
    assert record["hold_s"] > 1.5
