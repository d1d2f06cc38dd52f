"""The console in Chromium: followed live, worked by keys, readable by everybody, fooled by nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from engine.supervision_views import SupervisorView
from tests.browser.axe import unreadable
from tests.browser.chromium import Chromium
from tests.browser.console_stand import Stand
from tests.browser.keys import walked
from tests.engine.api_node import READ, WRITE
from tests.engine.store_samples import T0

if TYPE_CHECKING:
    from playwright.sync_api import Page

Opened = Callable[..., "Page"]
HOSTILE = '"><script>window.hit = 1</script><img src=x onerror="window.hit = 1"><svg onload="window.hit = 1">'
PAGES = (
    "wallboard", "calls", "calls?when=ended", "calls/c4", "calls/c0", "calls/w0", "calls/r1", "recordings",
    "recordings?said=paquete", "recordings/r1", "queues", "queues/support", "agents", "agents/emre",
    "lines", "lines/singtel", "nodes", "config",
)  # fmt: skip
WALKED = (
    "wallboard", "calls", "calls?when=ended", "calls/c4", "recordings/r1", "queues/support", "agents/emre",
    "lines", "lines/singtel", "nodes", "reports",
)  # fmt: skip
HERE = "document.activeElement"


@pytest.fixture(scope="module")
def stand() -> Iterator[Stand]:
    stand = Stand()
    yield stand
    stand.close()


@pytest.fixture
def opened(chromium: Chromium, stand: Stand, tmp_path: Any) -> Iterator[Opened]:
    """Opens a place of the console, signed in to already unless it is the door."""
    says = tmp_path / "nothing.wav"
    said: list[str] = []

    def open_page(to: str, token: str = WRITE, language: str = "en", **look: Any) -> Page:
        page = chromium.open(says, **look).page
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda message: said.append(message.text) if "blocked" in message.text else None)
        page.goto(f"{stand.address}/console/{to}{'&' if '?' in to else '?'}lang={language}")
        if token:
            page.fill("#password", token)
            page.press("#password", "Enter")
            page.wait_for_selector(".page-head h1")
        return page

    yield open_page
    chromium.close_pages()
    assert said == [], "no script failed, and the policy had nothing to block"


def test_one_is_let_in_by_a_token_and_led_to_where_one_was_going(opened: Opened) -> None:
    page = opened("queues/support", token="")
    page.fill("#password", "a-token-of-nobody-at-all")
    page.press("#password", "Enter")
    assert "not right" in page.inner_text("[role=alert]")
    page.fill("#password", READ)
    page.press("#password", "Enter")
    page.wait_for_selector(".page-head h1")
    assert page.inner_text("h1") == "support"


def test_the_wallboard_follows_what_happens(opened: Opened, stand: Stand) -> None:
    page = opened("wallboard")
    assert "+1 415 555 0134" in page.inner_text(".part-waits")
    kept = dict(stand.node.live)
    del stand.node.live["w0"]
    page.wait_for_function("() => !document.querySelector('.part-waits [data-key=w0]')")
    stand.node.live.clear()
    page.wait_for_function("() => document.querySelector('.part-waits').textContent.includes('Nobody waits')")
    stand.node.live.update(kept)
    page.wait_for_selector(".part-waits [data-key=w0]")


def test_durations_run_on_between_two_looks(opened: Opened) -> None:
    page = opened("wallboard")
    first = page.inner_text(".part-waits [data-key=w1] time")
    page.wait_for_function(
        "(first) => document.querySelector('.part-waits [data-key=w1] time').textContent !== first", arg=first
    )


def test_going_elsewhere_needs_no_new_document_and_back_leads_back(opened: Opened) -> None:
    page = opened("wallboard")
    page.evaluate("() => { window.kept = 1; }")
    page.click("nav a[href='/console/agents']")
    page.wait_for_selector(".main-agents h1")
    page.wait_for_function(f"() => {HERE}.tagName === 'H1'")
    assert page.url.endswith("/console/agents") and page.title() == "Agents · Isogloss"
    page.click("tr[data-key=emre] a")
    page.wait_for_function("() => document.querySelector('h1').textContent === 'emre'")
    page.go_back()
    page.wait_for_selector(".main-agents table")
    assert page.evaluate("() => window.kept") == 1
    page.reload()
    page.wait_for_selector(".main-agents table")


def test_a_call_is_hung_up_after_asking_once_more(opened: Opened, stand: Stand) -> None:
    page = opened("calls/c4")
    page.click("[data-opens=hangup]")
    page.click("dialog[open] [data-closes]:not([data-do])")
    assert stand.node.hung_up == []
    page.click("[data-opens=hangup]")
    page.click("dialog[open] [data-do=hangup]")
    page.wait_for_selector(".note")
    assert stand.node.hung_up == ["c4"]
    stand.node.hung_up.clear()


def test_filters_narrow_the_list_and_are_in_the_address(opened: Opened) -> None:
    page = opened("calls")
    page.select_option("select[name=queue]", "billing")
    page.wait_for_function("() => document.querySelectorAll('tbody tr').length === 1")
    assert page.url.endswith("/console/calls?queue=billing")
    page.click("text=Ended")
    page.wait_for_selector("text=No call is like that")
    page.click("text=Clear filters")
    page.wait_for_selector("td .pill:has-text('Completed')")


def test_a_message_of_the_ladder_is_unfolded_and_stays_so(opened: Opened, stand: Stand) -> None:
    page = opened("calls/c4")
    page.wait_for_selector(".messages summary")
    page.focus(".messages summary")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Call-ID: 3848276298220188511")
    kept = stand.node.live["c4"]
    stand.node.live["c4"] = replace(kept, state="held")
    page.wait_for_selector(".page-head .pill:has-text('On hold')")
    stand.node.live["c4"] = kept
    assert page.is_visible("text=Call-ID: 3848276298220188511")


WHISPERS = SupervisorView(at="sue", by="supervisor", mode="whisper", standing="in", since=T0, announced=True)
PLAYER = "document.querySelector('figure audio')"


def test_what_was_said_leads_to_the_recording_which_it_follows(opened: Opened) -> None:
    page = opened("recordings/r1")
    page.wait_for_selector("[data-wave] path.agent")
    page.click(".caption[data-begin='79']")
    page.wait_for_function(f"() => Math.abs({PLAYER}.currentTime - 12) < 0.5")
    page.wait_for_selector(".caption[data-begin='79'][data-heard]")
    page.focus("[data-wave]")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"() => Math.abs({PLAYER}.currentTime - 17) < 0.5")
    assert page.get_attribute("[data-wave]", "aria-valuetext") == "0:17"
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".caption[data-begin='84.2'][data-heard]")


def test_a_call_is_judged_and_shared_at_its_recording(opened: Opened, stand: Stand) -> None:
    page = opened("recordings/r1")
    page.click(".judge summary")
    for name, value in (("greeting", 1), ("identity", 1), ("solved", 4), ("offer", "")):
        page.check(f".judge [name=answer-{name}][value='{value}']")
    page.fill(".judge textarea", "Kind and quick.")
    page.click(".judge button[type=submit]")
    page.wait_for_selector(".part-judged .rows .pill.good:has-text('90')")
    assert [each.by for each in stand.node.judged.all] == ["supervisor"]
    page.click(".part-shares button[type=submit]")
    link = page.get_attribute(".part-shares [data-copy]", "data-copy") or ""
    assert stand.node.shares.open(link.removeprefix("/shared/"), use=False) is not None
    stand.node.judged.all.clear()


def test_a_caller_who_waits_is_moved_by_hand(opened: Opened, stand: Stand) -> None:
    page = opened("calls/w0")
    page.fill(".place [name=priority]", "10")
    page.select_option(".place [name=agent]", "bruno")
    page.click(".place button[type=submit]")
    page.wait_for_selector(".note:has-text('was changed')")
    assert (stand.node.hand.waits.priority, stand.node.hand.waits.agent) == (10, "bruno")


def test_a_link_that_cannot_be_copied_is_marked_to_be_copied_by_hand(opened: Opened, stand: Stand) -> None:
    page = opened("recordings/r1")
    page.click(".part-shares button[type=submit]")
    page.wait_for_selector(".part-shares [data-copy]")
    page.evaluate("() => Object.defineProperty(navigator, 'clipboard', {value: undefined})")  # as without TLS
    page.click(".part-shares [data-copy]")
    page.wait_for_function("() => getSelection().toString().includes('/shared/')")
    assert page.locator("[data-copied]").count() == 0


PHONE = """export class Phone extends EventTarget {
  start() { this.state = 'registered'; }
  async ready() {}
  stop() {}
}"""
HELD = """() => {
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wishes) => (window.held = await open(wishes));
}"""


def test_who_is_not_rung_after_all_has_her_microphone_closed(opened: Opened, stand: Stand) -> None:
    page = opened("calls/c4")
    page.route("**/web/sip/phone.js", lambda route: route.fulfill(body=PHONE, content_type="text/javascript"))
    page.clock.install()
    page.evaluate(HELD)
    stand.node.hand.sitting["c4"] = [replace(WHISPERS, at="supervisor", by="another")]
    try:
        page.click("[data-here=sit][data-mode=listen]")
        page.wait_for_selector(".note.bad:has-text('already')")
    finally:
        del stand.node.hand.sitting["c4"]
    assert page.evaluate("() => window.held.active")
    page.clock.fast_forward(20_500)
    page.wait_for_function("() => !window.held.active")


def test_who_may_only_look_is_offered_nothing_else(opened: Opened) -> None:
    page = opened("calls/c4", READ)
    page.wait_for_selector(".lanes")
    assert page.locator("[data-do=hangup]").count() == 0


def test_names_and_captions_of_callers_are_text(opened: Opened, stand: Stand) -> None:
    kept = dict(stand.node.live), dict(stand.node.said)
    stand.node.live["c4"] = replace(stand.node.live["c4"], customer=HOSTILE, queue=HOSTILE, agent=HOSTILE)
    stand.node.live["w0"] = replace(stand.node.live["w0"], customer=HOSTILE, language=HOSTILE)
    lines = stand.node.said["c4"]
    stand.node.said["c4"] = [line._replace(text=HOSTILE, translation=HOSTILE) for line in lines]
    try:
        for to in ("wallboard", "calls", "calls/c4"):
            page = opened(to)
            page.wait_for_function("() => document.body.textContent.includes('window.hit')")
            assert page.evaluate("() => window.hit") is None
            assert page.locator("#main img, #main script").count() == 0
    finally:
        stand.node.live, stand.node.said = kept


def test_it_is_worked_by_keys_alone(opened: Opened) -> None:
    page = opened("wallboard")
    page.keyboard.press("Tab")
    assert page.evaluate(f"() => {HERE}.className") == "skip"
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(f"() => {HERE}.getAttribute('href') || {HERE}.tagName"))
    assert {"/console/calls", "/console/config", "SELECT", "BUTTON"} <= set(reached)
    page.focus("nav a[href='/console/queues']")
    page.keyboard.press("Enter")
    page.wait_for_selector(".main-queues table")


def test_every_page_is_walked_by_tab_and_every_stop_is_seen(opened: Opened) -> None:
    page = opened("wallboard")
    assert [fault for to in WALKED for fault in walked(page, to)] == []


def test_a_dialog_holds_the_keys_and_gives_them_back(opened: Opened, stand: Stand) -> None:
    page = opened("calls/c4")
    page.focus("[data-opens=take-over]")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open]")
    for _ in range(5):
        assert page.evaluate(f"() => {HERE} === document.body || Boolean({HERE}.closest('dialog[open]'))")
        page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    assert page.evaluate(f"() => {HERE}.dataset.opens") == "take-over"
    page.goto(page.url.replace("calls/c4", "nodes"))
    kept = dict(stand.node.insight.sources)
    page.focus(".part-sources [data-opens]")
    page.keyboard.press("Enter")
    page.focus("dialog[open] [data-do=unblock_source]")
    page.keyboard.press("Enter")
    page.wait_for_selector(".part-sources .empty")
    page.wait_for_function(f"() => {HERE}.id === 'sources-title'")
    stand.node.insight.sources.update(kept)


def test_a_call_is_found_by_what_was_said_in_it(opened: Opened) -> None:
    page = opened("recordings")
    page.fill("[name=said]", "paquete")
    page.press("[name=said]", "Enter")
    page.click("tr:has(.heard:has-text('El paquete no ha llegado')) a")
    page.wait_for_selector(".caption:has-text('El paquete no ha llegado')")
    page.go_back()
    page.fill("[name=said]", "zeppelin")
    page.press("[name=said]", "Enter")
    page.wait_for_selector(".empty:has-text('Nobody said that')")


def test_a_webhook_is_tried_and_told_again(opened: Opened) -> None:
    page = opened("nodes")
    page.click(".part-hooks [data-do=try_hook]")
    page.wait_for_selector(".note.bad:has-text('answered 503')")
    page.click(".part-hooks [data-do=replay_hook]")
    page.wait_for_selector(".note:has-text('One event is told again.')")


def test_a_row_and_the_menu_of_a_narrow_screen_are_opened_by_enter(opened: Opened) -> None:
    page = opened("calls")
    page.focus("tbody tr:first-child a")
    page.keyboard.press("Enter")
    page.wait_for_selector(".lanes, .part-findings .card")
    page.wait_for_function(f"() => {HERE}.tagName === 'H1'")
    page.set_viewport_size({"width": 390, "height": 800})
    page.focus("[data-here=menu]")
    page.keyboard.press("Enter")
    page.wait_for_selector("#nav", state="visible")
    assert page.get_attribute("[data-here=menu]", "aria-expanded") == "true"
    page.keyboard.press("Tab")
    assert page.evaluate(f"() => Boolean({HERE}.closest('#nav'))")
    page.keyboard.press("Escape")
    page.wait_for_selector("#nav", state="hidden")
    assert page.evaluate(f"() => {HERE}.dataset.here") == "menu"
    assert page.get_attribute("[data-here=menu]", "aria-expanded") == "false"


def test_language_and_theme_are_chosen_and_kept(opened: Opened) -> None:
    page = opened("wallboard")
    page.select_option("select[name=language]", "ar")
    page.wait_for_function("() => document.documentElement.dir === 'rtl'")
    assert "لوحة العرض" in page.inner_text("h1")
    page.click("[data-here=theme]")
    page.click("[data-here=theme]")
    assert page.evaluate("() => getComputedStyle(document.documentElement).colorScheme") == "dark"
    page.reload()
    page.wait_for_function("() => document.documentElement.dir === 'rtl'")
    assert page.evaluate("() => document.documentElement.dataset.theme") == "dark"


def test_whoever_is_signed_out_is_at_the_door_within_a_second(opened: Opened, stand: Stand) -> None:
    page = opened("wallboard")
    cookie = next(each for each in page.context.cookies() if each["name"] == "isogloss_session")
    assert cookie["httpOnly"] and cookie["sameSite"] == "Lax"
    with ThreadPoolExecutor(1) as apart:  # in this thread runs Playwright's loop
        apart.submit(asyncio.run, stand.desk.door.logout(cookie["value"])).result()
    page.wait_for_selector("#password")


CUT = "() => window.socket.io.engine.close()"  # the network was away for a moment


def test_a_page_that_the_node_forgot_meanwhile_comes_back_by_itself(opened: Opened, stand: Stand) -> None:
    """A laptop that slept, a node that began anew: a wallboard has nobody who would load it again."""
    page = opened("wallboard")
    page.wait_for_function("() => window.socket?.connected")
    page.evaluate("() => { window.kept = 1; }")
    stand.console.made_for.clear()
    page.evaluate(CUT)
    page.wait_for_function("() => !window.kept && window.socket?.connected")
    page.wait_for_selector(".part-waits [data-key=w0]")


def test_whoever_was_signed_out_while_away_is_at_the_door(opened: Opened, stand: Stand) -> None:
    page = opened("queues/support")
    page.wait_for_function("() => window.socket?.connected")
    stand.desk.door._sessions.clear()
    page.evaluate(CUT)
    page.wait_for_selector("#password")
    page.fill("#password", WRITE)
    page.press("#password", "Enter")
    page.wait_for_selector("h1 >> text=support")


def test_a_socket_that_is_refused_for_good_loads_the_page_once_and_says_so(
    opened: Opened, stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened("wallboard")
    page.wait_for_function("() => window.socket?.connected")
    page.evaluate("() => { window.kept = 1; }")
    loads: list[str] = []
    page.on("load", lambda of: loads.append(of.url))
    monkeypatch.setattr(stand.console, "_shown", lambda page, cookie: False)
    page.evaluate(CUT)
    page.wait_for_function("() => !window.kept && window.socket")
    page.evaluate(
        """() => new Promise((done) => {
          let refusals = 0;
          window.socket.on('connect_error', () => { if (++refusals === 2) done(); });
        })"""
    )
    assert len(loads) == 1
    page.wait_for_selector("#popup[aria-hidden=false]")


def test_another_sites_page_opens_no_socket(opened: Opened, stand: Stand) -> None:
    page = opened("wallboard")
    url = f"{stand.address.replace('http', 'ws')}/console/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    other = page.context.new_page()  # about:blank has an origin of its own
    opening = """(url) => new Promise((done) => {
      const socket = new WebSocket(url);
      socket.onopen = () => done('open');
      socket.onerror = () => done('refused');
    })"""
    assert other.evaluate(opening, url) == "refused"


def test_no_request_leaves_the_node(opened: Opened, stand: Stand) -> None:
    page = opened("wallboard", token="")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.fill("#password", WRITE)
    page.press("#password", "Enter")
    page.wait_for_selector(".part-world svg")
    assert len(asked) > 5
    assert [url for url in asked if not url.startswith((stand.address, "data:", "blob:"))] == []


@pytest.mark.parametrize("to", PAGES)
def test_everybody_can_read_it(opened: Opened, stand: Stand, to: str) -> None:
    sitting = stand.node.hand.sitting  # with somebody beside that call, and the bar that says so everywhere
    sitting["c0"] = [
        SupervisorView(at="sue", by="supervisor", mode="whisper", standing="in", since=T0, announced=True)
    ]
    try:
        page = opened(to, color_scheme="dark", bypass_csp=True)
        page.wait_for_selector("main .card, main .tiles")
        assert unreadable(page) == []
    finally:
        del sitting["c0"]
