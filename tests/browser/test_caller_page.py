"""A caller's page: a call by WHIP to an agent at hers, kept through a reload, and rated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine.hearing import heard, read_wav
from tests.browser.chromium import TELEPHONE
from tests.browser.pages import ASKED, DENIED, AgentPage, CallerPage, Tabs
from tests.interop.node import Node

Speech = Callable[[str], Path]
LOUD = """() => {
  const bar = document.querySelector('#level i');
  return new DOMMatrix(getComputedStyle(bar).transform).a > 0.2;
}"""


def test_two_pages_talk_and_the_caller_comes_back_after_a_reload_and_rates_the_call(
    node: Node, tab: Tabs, speech: Speech
) -> None:
    asks, tells = (
        speech("is there anybody who can help me with this"),
        speech("there is and it will not take long"),
    )
    customer, anna = CallerPage(tab, node, asks), AgentPage(tab, node, "anna", tells)
    customer.call()
    customer.is_told("waiting")
    assert "next" in customer.page.inner_text("#live-more")
    anna.start()
    anna.answer()
    customer.is_told("talking")
    assert heard(read_wav(asks, TELEPHONE), anna.tab.hears(4.0), TELEPHONE)
    assert heard(read_wav(tells, TELEPHONE), customer.tab.hears(4.0), TELEPHONE)
    (call,) = node.get("/v1/calls")["items"]
    for page in (customer.page, anna.page):
        page.wait_for_selector("#signal[data-word=good] :text('Good')")
        page.wait_for_function(LOUD)
        page.click("#open-settings")
        page.select_option("#microphones", index=1)
        page.select_option("#speakers", index=1)
        page.keyboard.press("Escape")
    anna.page.click("#why summary")
    sides = anna.page.inner_text("#why-more")
    assert "Customer" in sides and "You" in sides and "Opus" in sides

    customer.page.reload()
    customer.is_told("talking")
    assert heard(read_wav(tells, TELEPHONE), customer.tab.hears(4.0), TELEPHONE)
    assert [each["id"] for each in node.get("/v1/calls")["items"]] == [call["id"]]
    customer.page.click("#keys")
    customer.page.click("#pad >> text=5")
    customer.page.wait_for_selector("#pressed:has-text('5')")

    anna.page.click("#hangup")
    customer.in_state("ended")
    customer.page.check("input[name=stars][value='4']", force=True)
    customer.page.fill("#comment", "Quick and kind.")
    customer.page.click("#rate")
    customer.page.wait_for_selector("#rated:not(:empty)")
    record = node.record("desk")
    assert (record["reason"], record["ended_by"]) == ("completed", "agent")
    events = node.get(f"/v1/calls/{record['call']}/events")["items"]
    (rated,) = (each for each in events if each["kind"] == "call.rated")
    assert (rated["data"]["stars"], rated["person"]["comment"]) == (4, "Quick and kind.")


def test_a_caller_who_said_no_to_the_microphone_is_told_how_to_allow_it(
    node: Node, tab: Tabs, speech: Speech
) -> None:
    customer = CallerPage(tab, node, speech("hello"), DENIED)
    customer.call()
    customer.in_state("denied")
    assert customer.page.locator("#denied-steps li").count() == 3
    assert node.get("/v1/calls")["items"] == []


def test_a_caller_who_has_not_decided_is_asked_in_her_language(node: Node, tab: Tabs, speech: Speech) -> None:
    customer = CallerPage(tab, node, speech("hello"), ASKED, locale="ar")
    customer.call(language="ar")
    customer.in_state("asking")
    assert customer.page.get_attribute("html", "dir") == "rtl"
