"""No page loses its call: reloads, dead ways and other networks at both ends, and what records say."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from engine.hearing import heard, is_music, read_wav
from engine.prompts import PromptPack
from sip.pjsip.process import Softphone
from tests.browser.chromium import TELEPHONE, Chromium, Tab
from tests.browser.pages import AgentPage, CallerPage, Tabs, music, talk
from tests.browser.road import Roads
from tests.interop.conftest import registrar
from tests.interop.node import Node
from tests.interop.test_browsers import gate_is_up, gate_of
from tests.interop.test_phones import listen

DEAD_S = 10.0
Speech = Callable[[str], Path]
Phones = Callable[..., Softphone]


class Forsaken:
    """Calls whose pages are closed and never come back, a caller's and an agent's: begun before the tests,
    looked at after them. heard: what the other side of each heard since.
    """

    def __init__(self, node: Node, chromium: Chromium, speech: Speech, folder: Path) -> None:
        self.node = node
        self.began = time.time()
        self.cleo, self.lodger = Softphone("cleo"), Softphone("lodger")
        for phone in (self.cleo, self.lodger):
            account = (phone.name, node.password(phone.name), node.domain, node.address())
            assert phone.register(*account, transport="udp", srtp="disabled")["event"] == "registered"
        self.heard = {"counter": folder / "cleo.wav", "booth": folder / "lodger.wav"}
        self._forsake_an_agent(chromium, speech("this page is closed by mistake"))
        self._forsake_a_customer(chromium, speech("and so is that one"))
        self.calls = {each["id"] for each in node._calls("")}

    def _forsake_an_agent(self, chromium: Chromium, says: Path) -> None:
        customer = CallerPage(chromium.open, self.node, says)
        customer.call("counter")
        call = self.cleo.incoming()
        self.cleo.answer(call)
        customer.is_told("talking")
        customer.tab.hears(0.2)
        self.cleo.ask("record", call=call, file=str(self.heard["counter"]))
        customer.page.context.close()

    def _forsake_a_customer(self, chromium: Chromium, says: Path) -> None:
        call = self.lodger.call("booth")
        emil = AgentPage(chromium.open, self.node, "emil", says)
        emil.start()
        emil.answer()
        emil.tab.hears(0.2)
        self.lodger.ask("record", call=call, file=str(self.heard["booth"]))
        emil.page.context.close()

    def close(self) -> None:
        for phone in (self.cleo, self.lodger):
            phone.close()


@pytest.fixture(scope="module", autouse=True)
def forsaken(
    node: Node, chromium: Chromium, speech: Speech, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Forsaken]:
    calls = Forsaken(node, chromium, speech, tmp_path_factory.mktemp("forsaken"))
    yield calls
    calls.close()


@pytest.fixture
def desk_phone(node: Node, phone: Phones) -> Phones:
    """A softphone registered with an account of the node."""
    return registrar(node, phone)


def test_an_agent_whose_page_is_reloaded_is_back_in_her_call_with_its_hold_and_by_another_gate(
    node: Node, tab: Tabs, speech: Speech, desk_phone: Phones, tmp_path: Path
) -> None:
    says, asks = speech("good morning, what can I do for you"), speech("where is the parcel I am waiting for")
    customer = desk_phone("customer", codecs=("PCMA",))
    call = customer.call("desk")
    anna = AgentPage(tab, node, "anna", says)
    anna.start()
    anna.answer()
    (before,) = node._calls("desk")
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

    gate_of(node).kill()
    node._poll(lambda: not gate_is_up(node), 10.0, "end of the gate")
    customer.ask("play", call=call, file=str(asks))
    assert heard(read_wav(asks, TELEPHONE), anna.tab.hears(3.0), TELEPHONE), "without a gate"
    node._poll(lambda: gate_is_up(node), 20.0, "other gate")
    anna.reload()
    anna.is_back()
    customer.ask("play", call=call, file=str(asks))
    assert heard(read_wav(asks, TELEPHONE), anna.tab.hears(3.0), TELEPHONE), "by the other one"
    assert [each["id"] for each in node._calls("desk")] == [before["id"]]
    customer.hangup(call)
    anna.wraps_up()
    record = node.record("desk")
    assert (record["agent"], record["reason"], record["transfers"]) == ("anna", "completed", 0)
    assert record["hold_s"] > 1.5


@pytest.fixture
def roads(node: Node) -> Iterator[Callable[[Tab], Roads]]:
    """Lays roads for a page."""
    laid: list[Roads] = []

    def lay(tab: Tab) -> Roads:
        laid.append(Roads(tab.page, node.sip["wss"]))
        return laid[-1]

    yield lay
    for each in laid:
        each.give_up()


def test_radios_that_are_dead_for_ten_seconds_at_both_ends_cost_two_more_at_most(
    node: Node, tab: Tabs, speech: Speech, roads: Callable[[Tab], Roads]
) -> None:
    asks, tells = speech("are you there, I was in a tunnel"), speech("yes I have waited for you all the time")
    customer, anna = CallerPage(tab, node, asks), AgentPage(tab, node, "anna", tells)
    hers, ours = roads(customer.tab), roads(anna.tab)
    customer.call()
    customer.is_told("waiting")
    anna.start()
    anna.answer()
    customer.is_told("talking")
    talk(customer, anna, asks, tells)
    assert (hers.laid, ours.laid) == (1, 1)
    (call,) = node._calls("desk")

    hers.close()
    ours.close(sockets=True)
    customer.page.wait_for_timeout(DEAD_S * 1000)
    assert "restored" in anna.page.inner_text("#call-notice")
    hers.open()
    ours.open()
    customer.page.wait_for_timeout(2_000)
    anna.is_back()  # which she is told for a few seconds
    talk(customer, anna, asks, tells)
    anna.ready()
    assert [each["id"] for each in node._calls("desk")] == [call["id"]]
    customer.page.click("#hangup")
    anna.wraps_up()
    record = node.record("desk")
    assert (record["reason"], record["ended_by"], record["agent"]) == ("completed", "customer", "anna")


@pytest.mark.parametrize(("number", "agent"), [("counter", "cleo"), ("booth", "emil")])
def test_a_call_whose_page_never_came_back_was_held_for_half_a_minute(
    node: Node, forsaken: Forsaken, number: str, agent: str
) -> None:
    node.since = forsaken.began
    record = node.record(number, 60.0)
    assert (record["reason"], record["ended_by"], record["agent"]) == ("not_resumed", "engine", agent)
    events = {each["kind"]: each for each in node.get(f"/v1/calls/{record['call']}/events")["items"]}
    gone, ended = (datetime.fromisoformat(events[kind]["at"]) for kind in ("leg.gone", "call.ended"))
    assert 30.0 <= (ended - gone).total_seconds() < 31.0
    told = Path(PromptPack.load(node.prompts).path("en", "connection-interrupted"))
    assert heard(read_wav(told, TELEPHONE), read_wav(forsaken.heard[number], TELEPHONE), TELEPHONE)
