"""Every state of the pages, one after the other, at a real node, in real calls: to look at and to check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.browser.pages import ASKED, DENIED, AgentPage, CallerPage, Tabs
from tests.interop.node import Node

if TYPE_CHECKING:
    from playwright.sync_api import Page

PHONE = {"viewport": {"width": 400, "height": 780}}
DESK = {"viewport": {"width": 1280, "height": 900}}
State = tuple[str, "Page"]


def tour(
    tabs: Tabs, node: Node, speech: Callable[[str], Path], language: str, **look: Any
) -> Iterator[State]:
    """(name, page) of each state, which lasts until the next one is asked for. look: of new_context."""
    anna = AgentPage(tabs, node, "anna", speech("good morning"), **DESK, **look)
    caller = CallerPage(tabs, node, speech("hello"), **PHONE, **look)
    yield from _alone(anna, language)
    yield from _before(tabs, node, speech, caller, language, look)
    yield from _talk(anna, caller, node, language)
    ben = AgentPage(tabs, node, "ben", speech("yes"), **DESK, **look)
    yield from _beside(anna, ben, language)
    yield from _after(anna, caller, ben)
    yield from _failed(tabs, node, speech, language, look)


def _alone(anna: AgentPage, language: str) -> Iterator[State]:
    anna.open(language)
    anna.page.wait_for_selector("#signin:not([hidden])")
    yield "agent-signin", anna.page
    anna.sign_in("guessed")
    anna.page.wait_for_selector("#signin-fault:not(:empty)")
    yield "agent-signin-wrong", anna.page
    anna.sign_in()
    anna.ready()
    anna.wish("available")
    anna.in_state("available")
    yield "agent-idle", anna.page
    anna.wish("paused:lunch")
    anna.in_state("paused")
    yield "agent-paused", anna.page


def _before(
    tabs: Tabs,
    node: Node,
    speech: Callable[[str], Path],
    caller: CallerPage,
    language: str,
    look: dict[str, Any],
) -> Iterator[State]:
    for name, script, state in (("asking", ASKED, "asking"), ("denied", DENIED, "denied")):
        other = CallerPage(tabs, node, speech("hello"), script, **PHONE, **look)
        other.call(language=language)
        other.in_state(state)
        yield f"caller-{name}", other.page
        other.page.close()
    caller.open(language=language)
    caller.in_state("idle")
    yield "caller-idle", caller.page
    caller.start()
    caller.is_told("waiting")
    yield "caller-waiting", caller.page


def _talk(anna: AgentPage, caller: CallerPage, node: Node, language: str) -> Iterator[State]:
    anna.wish("available")
    anna.page.wait_for_selector("#offer:not([hidden])")
    anna.page.wait_for_selector("#offer-facts dd")
    yield "agent-offer", anna.page
    anna.answer()
    node.post("/v1/agents/anna/notes", {"text": "Offer the refund if she asks for it."})
    anna.page.wait_for_selector("#notes .note")
    anna.page.wait_for_selector("#signal[data-word=good]")
    anna.page.click("#why summary")
    yield "agent-talking", anna.page
    caller.is_told("talking")
    caller.page.wait_for_selector("#signal[data-word=good]")
    yield "caller-talking", caller.page
    caller.page.click("#keys")
    yield "caller-keypad", caller.page
    caller.page.click("#keys")
    caller.page.click("#mute")
    yield "caller-muted", caller.page
    caller.page.click("#mute")
    caller.page.click("#open-settings")
    yield "caller-settings", caller.page
    caller.page.keyboard.press("Escape")
    anna.page.click("#mute")
    anna.page.click("#keys")
    yield "agent-muted-keypad", anna.page
    anna.page.click("#keys")
    anna.page.click("#mute")
    anna.page.click("#hold")
    anna.page.wait_for_selector("#hold[aria-pressed=true]")
    yield "agent-held", anna.page
    caller.is_told("held")
    yield "caller-held", caller.page
    anna.page.click("#hold")
    anna.page.wait_for_selector("#hold[aria-pressed=false]")


def _beside(anna: AgentPage, ben: AgentPage, language: str) -> Iterator[State]:
    ben.start(language)
    anna.page.click("#transfer")
    yield "agent-transfer", anna.page
    anna.page.keyboard.press("Escape")
    anna.ask("ben")
    ben.page.wait_for_selector("#offer:not([hidden])")
    yield "agent-offer-direct", ben.page
    ben.answer()
    anna.page.wait_for_selector("#conference:enabled")
    yield "agent-second-call", anna.page
    anna.page.click("#conference")
    anna.page.wait_for_selector("#conference[aria-pressed=true]")
    yield "agent-conference", anna.page


def _after(anna: AgentPage, caller: CallerPage, ben: AgentPage) -> Iterator[State]:
    ben.page.click("#hangup")
    anna.page.wait_for_selector("#second", state="hidden")
    caller.lose_the_network()
    caller.is_told("reconnecting")
    yield "caller-reconnecting", caller.page
    anna.page.click("#hangup")
    anna.in_state("wrap_up")
    yield "agent-wrap-up", anna.page
    caller.page.context.set_offline(False)
    caller.in_state("ended")
    yield "caller-ended", caller.page
    anna.page.context.set_offline(True)
    yield "agent-settings", _settings(anna)


def _settings(anna: AgentPage) -> Page:
    anna.page.context.set_offline(False)
    anna.page.click("#open-settings")
    return anna.page


def _failed(
    tabs: Tabs, node: Node, speech: Callable[[str], Path], language: str, look: dict[str, Any]
) -> Iterator[State]:
    lost = CallerPage(tabs, node, speech("hello"), **PHONE, **look)
    lost.call("nowhere", language)
    lost.in_state("ended")
    yield "caller-failed", lost.page
