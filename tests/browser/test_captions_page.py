"""Captions on both pages: what stands, what is guessed, what is weak, and what is read aloud."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.browser.pages import AgentPage, CallerPage, Tabs
from tests.interop.node import Node

if TYPE_CHECKING:
    from playwright.sync_api import Page

SPANISH = {"side": "customer", "line": 1, "language": "es", "to": "en", "final": False}
EARS = {"by": "ears", "low_accuracy": True, "translated_by": "book", "gist": True}


class Captioned:
    """A call of two pages, the caller's in Arabic, and captions in it."""

    def __init__(self, node: Node, tab: Tabs, speech: Callable[[str], Path]) -> None:
        self.node = node
        self.anna = AgentPage(tab, node, "anna", speech("hello"))
        customer = CallerPage(tab, node, speech("hello"))
        customer.call(language="ar")
        self.anna.start()
        self.anna.answer()
        customer.is_told("talking")
        (call,) = node.get("/v1/calls")["items"]
        self._path = f"/v1/calls/{call['id']}/captions"
        self.agent, self.caller = self.anna.page, customer.page

    def say(self, text: str, **facts: Any) -> None:
        assert self.node.post(self._path, SPANISH | {"text": text} | facts)["pages"] == 2

    def shown(self, page: Page, words: str) -> None:
        page.wait_for_selector(f".caption:has-text('{words}')")


def test_a_guess_is_told_from_what_stands_marks_say_what_is_weak_and_a_sentence_is_read_aloud_once(
    node: Node, tab: Tabs, speech: Callable[[str], Path]
) -> None:
    call = Captioned(node, tab, speech)
    heard = EARS | {"translation": "My order arrived"}
    call.say("mi pedido llegó", guess=6, guess_translated=8, **heard)
    call.shown(call.agent, "mi pedido llegó")
    assert call.agent.locator("#captions .guess").all_inner_texts() == [" arrived", " llegó"]
    chips = call.agent.locator(".caption .mark")
    assert chips.all_inner_texts() == ["recognised with low accuracy", "translated for the gist"]
    assert "Recognised by \u2068ears\u2069." in str(chips.first.get_attribute("title"))
    assert "Translated by \u2068book\u2069." in str(chips.last.get_attribute("title"))
    assert call.agent.inner_text("#aloud") == ""  # it may still be another

    for _ in range(2):
        call.say("mi pedido llegó roto", final=True, **EARS | {"translation": "My order arrived broken"})
        call.shown(call.agent, "broken")
    call.say("الو", line=2, language="ar", marks=["no_pair"], to="", final=True)
    call.shown(call.agent, "not translated")
    aloud = call.agent.locator("#aloud p").all_inner_texts()
    assert [each.partition(" (")[0] for each in aloud] == [
        "Customer: My order arrived broken",
        "Customer: الو",
    ]
    assert "low accuracy" in aloud[0] and "not translated" in aloud[1]
    assert call.agent.locator("#captions .guess").count() == 0

    call.agent.focus(".meanings summary")
    call.agent.keyboard.press("Enter")
    assert "Nothing here translates" in call.agent.inner_text(".meanings dl")
    call.caller.wait_for_selector(".mark:has-text('غير مترجم')")
    turned = call.caller.locator(".caption >> nth=-1 >> span >> nth=0")
    assert turned.evaluate("(each) => getComputedStyle(each).direction") == "rtl"
    for line, text in enumerate(("uno", "dos", "tres"), 3):  # which nobody ends
        call.say(text, line=line)
        call.shown(call.agent, text)
    aloud = call.agent.locator("#aloud p").all_inner_texts()
    assert aloud[2:] == ["Customer: uno"]
    call.agent.evaluate(
        "() => { const each = document.querySelector('#language'); each.value = 'es';"
        " each.dispatchEvent(new Event('change')); }"
    )
    call.shown(call.agent, "sin traducir")
    call.agent.click("#hangup")
