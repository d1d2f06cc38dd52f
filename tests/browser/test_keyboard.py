"""Both pages worked from the keyboard alone: by Tab, Enter, Space and what is typed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sip.pjsip.process import Softphone
from tests.browser.pages import AgentPage, CallerPage, Tabs
from tests.interop.conftest import registrar
from tests.interop.node import Node

if TYPE_CHECKING:
    from playwright.sync_api import Page

Speech = Callable[[str], Path]
MOST = 30  # controls of a page


def reach(page: Page, selector: str) -> None:
    """Go on with Tab until it has the focus."""
    for _ in range(MOST):
        if page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{selector} is not reached from the keyboard")


def press(page: Page, selector: str, key: str = "Enter") -> None:
    reach(page, selector)
    page.keyboard.press(key)


def has_focus(page: Page, selector: str) -> None:
    page.wait_for_function("(wanted) => document.activeElement.matches(wanted)", arg=selector)


@pytest.fixture
def ben(node: Node, phone: Callable[..., Softphone]) -> Softphone:
    return registrar(node, phone)("ben")


def test_a_call_is_made_answered_muted_keyed_transferred_wrapped_up_and_rated_without_a_mouse(
    node: Node, tab: Tabs, speech: Speech, ben: Softphone
) -> None:
    anna, customer = AgentPage(tab, node, "anna", speech("hello")), CallerPage(tab, node, speech("hello"))
    agent, caller = anna.page, customer.page
    anna.open()
    reach(agent, "#name")
    agent.keyboard.type("anna")
    reach(agent, "#password")
    agent.keyboard.type(node.password("anna"))
    agent.keyboard.press("Enter")
    anna.ready()
    customer.open()
    press(caller, "#start")
    agent.wait_for_selector("#offer:not([hidden])")

    press(agent, "#answer")
    customer.is_told("talking")
    has_focus(agent, "#mute")
    agent.keyboard.press("Space")
    agent.wait_for_selector("#mute[aria-pressed=true]")
    agent.keyboard.press("Space")
    agent.wait_for_selector("#mute[aria-pressed=false]")
    press(caller, "#mute", "Space")
    caller.wait_for_selector("#mute[aria-pressed=true]")
    press(caller, "#keys")
    caller.keyboard.type("42#")
    caller.wait_for_selector("#pressed:has-text('42#')")

    press(agent, "#transfer")
    agent.keyboard.type("ben")
    press(agent, "#transfer-blind")
    call = ben.incoming()
    ben.answer(call)
    anna.in_state("wrap_up")
    has_focus(agent, "#wrap-notes")
    agent.keyboard.type("Ben knows.")
    press(agent, "#wrap-done")
    anna.in_state("available")

    press(caller, "#hangup")
    ben.expect("ended", call=call)
    customer.in_state("ended")
    press(caller, "input[name=stars]", "Space")
    caller.keyboard.press("ArrowRight")
    press(caller, "#rate")
    caller.wait_for_selector("#rated:not(:empty)")
    record = node.record("desk")
    assert (record["agent"], record["transfers"], record["ended_by"]) == ("ben", 1, "customer")
    (rated,) = (
        each
        for each in node.get(f"/v1/calls/{record['call']}/events")["items"]
        if each["kind"] == "call.rated"
    )
    assert rated["data"]["stars"] == 2


def test_a_call_is_declined_without_a_mouse(
    node: Node, tab: Tabs, speech: Speech, phone: Callable[..., Softphone]
) -> None:
    gus = AgentPage(tab, node, "gus", speech("hello"))
    gus.start()
    lodger = registrar(node, phone)("lodger")
    call = lodger.call(f"sip:gus@{node.domain}")
    gus.page.wait_for_selector("#offer:not([hidden])")
    press(gus.page, "#decline")
    assert lodger.expect("ended", call=call)["status"] == 603
