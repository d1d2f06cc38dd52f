"""Faults that were planted in calls, as "what went wrong here" names them on the console's page."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from engine.console.inside import Inside
from engine.insight.words import tell
from tests.browser.chromium import Chromium
from tests.browser.console_stand import Stand
from tests.browser.pages import Tabs
from tests.engine.api_node import WRITE
from tests.engine.api_node import Node as Small
from tests.engine.insight.planted import PLANTED
from tests.interop import talkers as talkers_module
from tests.interop.conftest import caller, far_end
from tests.interop.node import LINE, TOKEN, Node
from tests.interop.talkers import Talkers
from tests.interop.test_insight import SOUNDS, Caller, Far, calls_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["caller", "far_end"]
Said = dict[str, tuple[str, int]]  # by fault: its sentence, and how much it is seen by
FIRST = ".part-findings .findings > li:first-child"


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stand, Said]]:
    """A console over calls of the simulation, each named after its fault; what is to be said of each."""
    node, said = Small(), Said()
    for name, plant in PLANTED.items():
        watched = plant(tmp_path_factory.mktemp(name))
        node.insight.traces[name] = structs.replace(watched.trace(), call=name)
        node.journal[name] = watched.entries[watched.call]
        record = watched.records.get(watched.call)
        if record is not None:
            node.finished.append(dataclasses.replace(record, call=name))
        first = watched.verdict().found[0]
        said[name] = tell(first, "en").sentence, len(first.evidence)
    stand = Stand(node, insight=Inside)
    yield stand, said
    stand.close()


def test_each_of_the_faults_is_named_first_with_what_it_is_seen_by(
    chromium: Chromium, planted: tuple[Stand, Said], tmp_path: Path
) -> None:
    stand, said = planted
    page = chromium.open(tmp_path / "nothing.wav").page
    enter(page, stand.address, WRITE)
    wrong = {}
    for name, (sentence, proofs) in said.items():
        page.goto(f"{stand.address}/console/calls/{name}")
        page.wait_for_selector(f".main-call {FIRST}")
        kind = (page.get_attribute(FIRST, "data-key") or "").partition("-")[0]
        shown = page.inner_text(f"{FIRST} .strong")
        evidence = page.locator(f"{FIRST} .evidence li").count()
        if (kind, shown.split(), evidence) != (name, sentence.split(), proofs):
            wrong[name] = (kind, shown, evidence)
    chromium.close_pages()
    assert wrong == {} and len(said) >= 12


def enter(page: Page, address: str, token: str) -> None:
    page.goto(f"{address}/console/calls")
    page.fill("#password", token)
    page.press("#password", "Enter")
    page.wait_for_selector(".page-head h1")


def test_faults_of_phones_gateways_and_networks_at_a_real_node_are_named(
    node: Node,
    tab: Tabs,
    speech: Callable[[str], Path],
    caller: Caller,
    far_end: Far,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = tab(says=speech("hello")).page
    enter(page, node.api, TOKEN["Authorization"].removeprefix("Bearer "))

    def named(call: str, fault: str) -> None:
        page.goto(f"{node.api}/console/calls/{call}")
        page.wait_for_selector(f'{FIRST}[data-key^="{fault}-"]')

    callee, busy = far_end("callee_refuses", status="486 Busy Here")
    with callee, caller("caller_refused", busy.number, status="486"):
        pass
    named(node.record(busy.number)["call"], "carrier_cause")
    odd, closed = node.far_end(), node.far_end()
    with caller("caller_with_strange_codec", odd.number):
        pass
    named(node.record(odd.number)["call"], "no_common_codec")
    with caller("caller_refused", closed.number, status="503"):
        pass
    named(node.record(closed.number)["call"], "unreachable")

    talkers, numbers = Talkers(LINE, node.address(), 60), {}
    try:
        for at, (name, kind) in enumerate(each for each in SOUNDS.items() if each[0]):
            monkeypatch.setattr(talkers_module, "Talker", kind)
            numbers[name] = f"+44163297{at:04}"
            talkers.call("desk", caller=numbers[name])
        node.until("calls", lambda: len(calls_of(node, numbers)) == len(numbers), 10.0)
        calls = calls_of(node, numbers)
        for name, number in numbers.items():
            named(calls[number], name)
    finally:
        for call in calls_of(node, numbers).values():
            node.ask("DELETE", f"/v1/calls/{call}")
        node.idle("desk")
        talkers.close()
