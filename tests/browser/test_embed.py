"""The call button on another company's page: it calls from sites that are named, and from no other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.browser.pages import Tabs
from tests.browser.site import Site
from tests.interop.node import Node

Speech = Callable[[str], Path]


def test_a_button_on_a_site_calls_with_the_sites_own_token_and_finds_the_call_again(
    node: Node, site: Site, tab: Tabs, speech: Speech
) -> None:
    page = tab(says=speech("hello")).page
    page.goto(site.origin())
    button = page.get_by_role("button")
    assert button.inner_text() == "Call us"
    button.click()
    frame = page.frame_locator("iframe")
    frame.locator("#title:has-text('Shop')").wait_for()
    frame.locator("#start").click()
    frame.locator("#page[data-state=live][data-call=waiting]").wait_for()
    (call,) = node.get("/v1/calls")["items"]
    page.reload()
    frame.locator("#page[data-state=live][data-call=waiting]").wait_for()
    assert [each["id"] for each in node.get("/v1/calls")["items"]] == [call["id"]]
    page.get_by_role("button", name="Hide the call window").click()
    page.get_by_role("button", name="Back to the call").click()
    frame.locator("#hangup").click()
    assert node.record("desk")["reason"] == "abandoned"


CALL = """async ([node, token]) => {
  const asked = (path, type) => fetch(node + path, {
    method: 'POST', body: 'v=0', headers: {Authorization: `Bearer ${token}`, 'Content-Type': type},
  }).then((answer) => answer.status, () => 'kept away');
  return [
    await asked('/whip/desk', 'application/sdp'),
    await asked('/call-token', 'application/json'),
    await new Promise((done) => {
      const socket = new WebSocket(`${node.replace('http', 'ws')}/v1/callers/line`, 'isogloss.caller.v1');
      socket.onopen = () => done('open');
      socket.onerror = () => done('kept away');
    }),
  ];
}"""


def test_a_site_that_is_not_named_shows_no_call_and_gets_none_even_with_a_token(
    node: Node, site: Site, tab: Tabs, speech: Speech
) -> None:
    stranger = tab(says=speech("hello"))
    stranger.page.goto(site.origin("stranger"))
    stranger.page.get_by_role("button").click()
    stranger.page.get_by_role("alert").filter(has_text="not possible").wait_for()
    assert stranger.page.locator("iframe").count() == 0
    assert any("callers.origins" in said for said in stranger.said)
    ticket = site.token({"destination": "desk"})
    assert isinstance(ticket, dict)
    tried = stranger.page.evaluate(CALL, [node.api, ticket["token"]])
    assert tried == ["kept away"] * 3
    assert node.get("/v1/calls")["items"] == []
