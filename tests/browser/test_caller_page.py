"""A caller's page: a call by WHIP to an agent at hers, kept through a reload, and rated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine.hearing import heard, read_wav
from tests.browser.chromium import TELEPHONE
from tests.browser.pages import ASKED, DENIED, SITE, AgentPage, CallerPage, Tabs
from tests.interop.node import Node

Speech = Callable[[str], Path]


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


def test_a_button_on_another_page_opens_the_call_and_has_its_token_from_there(
    node: Node, tab: Tabs, speech: Speech
) -> None:
    """The page around is served here by the test's browser; its site has the token made."""
    customer = tab(says=speech("hello"))
    ticket = node.post("/v1/callers/tokens", {"destination": "desk"})
    button = f"<body><script src='{node.api}/web/embed.js' data-destination=desk data-token=/token></script>"
    customer.page.route(f"{SITE}/", lambda route: route.fulfill(content_type="text/html", body=button))
    customer.page.route(f"{SITE}/token", lambda route: route.fulfill(json=ticket))
    customer.page.goto(f"{SITE}/")
    customer.page.locator("button").click()
    frame = customer.page.frame_locator("iframe")
    frame.locator("#start").click()
    frame.locator("#page[data-state=live][data-call=waiting]").wait_for()
    frame.locator("#hangup").click()
    assert node.record("desk")["reason"] == "abandoned"
