"""The page of lines: the worst first, what is wrong told by keys alone, readable by everybody."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uvicorn

from engine.api.app import create_app
from tests.browser.axe import COLOURS, LOOK, NARROW, RULES, WIDER, axe
from tests.browser.pages import Tabs
from tests.browser.test_accessible import SPEAK
from tests.engine.api_node import READ, SETTINGS, WRITE, Node

if TYPE_CHECKING:
    from playwright.sync_api import Page

HERE = "document.activeElement"


@pytest.fixture(scope="module")
def lines() -> Iterator[str]:
    """Where the page is; the node behind it is one in memory."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(create_app(Node(), SETTINGS), "127.0.0.1", port, log_level="error")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{port}/lines"
    server.should_exit = True
    thread.join(10.0)


@pytest.fixture
def opened(tab: Tabs, lines: str, speech: Callable[[str], Path]) -> Callable[..., Page]:
    def open_page(token: str, language: str = "en", **look: object) -> Page:
        page = tab(speech("yes"), **look).page
        page.goto(f"{lines}?lang={language}")
        page.fill("#token", token)
        page.press("#token", "Enter")
        return page

    return open_page


def test_the_worst_line_is_first_and_is_told_of(opened: Callable[..., Page]) -> None:
    page = opened(READ)
    page.wait_for_selector("#heat tbody tr")
    assert page.locator("#heat tbody th b").all_text_contents() == ["gateway", "carrier", "idle"]
    assert page.text_content("#detail-title") == "gateway"
    assert "of packets lost" in page.inner_text("#detail-body")
    assert "no sound came back" in page.inner_text("#probe-last")


def test_every_cell_is_reached_by_arrows_and_says_what_was_wrong(opened: Callable[..., Page]) -> None:
    page = opened(READ)
    page.wait_for_selector("#heat tbody tr")
    page.focus('#heat [aria-current="true"]')
    page.keyboard.press("End")
    name = page.evaluate(f"() => {HERE}.getAttribute('aria-label')")
    assert name.startswith("gateway, ") and "Bad" in name and "60 calls" in name
    assert "MOS" in page.inner_text("#detail-body")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(f"() => {HERE}.getAttribute('aria-label')").startswith("carrier, ")
    page.keyboard.press("Home")
    assert page.text_content("#detail-title") == "carrier"
    assert page.evaluate("() => document.querySelectorAll('#heat [tabindex=\"0\"]').length") == 1


def test_a_probe_is_begun_and_followed_from_the_page(opened: Callable[..., Page]) -> None:
    page = opened(WRITE)
    page.wait_for_selector("#heat tbody tr")
    page.click("#heat th.line button:has-text('carrier')")
    page.click("#probe")
    page.wait_for_function("() => document.querySelectorAll('#probe-steps li').length >= 2")
    assert "is answered after 1.20 s" in page.inner_text("#probe-steps")


def test_who_may_only_look_is_told_so(opened: Callable[..., Page]) -> None:
    page = opened(READ)
    page.wait_for_selector("#heat tbody tr")
    page.click("#probe")
    page.wait_for_function("() => document.querySelector('#probe-last').textContent.includes('not probe')")
    assert page.is_visible("#heat")


def test_a_token_of_nobody_is_refused_and_forgotten(opened: Callable[..., Page]) -> None:
    page = opened("a-token-of-nobody-at-all")
    page.wait_for_selector("#signin-fault:not(:empty)")
    assert not page.is_visible("#report")
    assert page.evaluate("() => sessionStorage.getItem('isogloss.token')") is None


def test_everybody_can_read_it(opened: Callable[..., Page]) -> None:
    script = axe()
    page = opened(READ, "ar", color_scheme="dark", bypass_csp=True)
    page.wait_for_selector("#heat tbody tr")
    page.evaluate(script)
    faults = []
    for language, scheme, rules in (("en", "light", COLOURS), ("ar", "dark", RULES)):
        page.emulate_media(color_scheme=scheme)
        page.evaluate(SPEAK, language)
        faults += [f"{language}: {fault}" for fault in page.evaluate(LOOK, rules)]
    page.set_viewport_size(NARROW)
    beyond = page.evaluate(WIDER)
    assert (faults, beyond) == ([], 0)
