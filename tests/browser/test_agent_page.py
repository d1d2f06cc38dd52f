"""An agent's page is the only phone she needs: real calls in Chromium, by SIP over a secure WebSocket."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.hearing import heard, is_music, read_wav
from engine.prompts import PromptPack
from sip.pjsip.process import Softphone
from tests.browser.chromium import TELEPHONE
from tests.browser.pages import AgentPage, Tabs, music
from tests.interop.conftest import registrar
from tests.interop.node import Node
from tests.interop.test_phones import listen
from tests.interop.test_transfer import hears_each_other

Speech = Callable[[str], Path]


@pytest.fixture
def desk_phone(node: Node, phone: Callable[..., Softphone]) -> Callable[..., Softphone]:
    """A softphone registered with an account of the node."""
    return registrar(node, phone)


def test_a_wrong_password_is_said_to_be_wrong(node: Node, tab: Tabs, speech: Speech) -> None:
    anna = AgentPage(tab, node, "anna", speech("hello"))
    anna.open()
    anna.sign_in("guessed")
    anna.page.wait_for_selector("#signin-fault:has-text('not right')")


def test_a_call_of_a_queue_is_offered_answered_held_and_wrapped_up(
    node: Node, tab: Tabs, speech: Speech, desk_phone: Callable[..., Softphone], tmp_path: Path
) -> None:
    says, asks = (
        speech("good morning, what can I do for you"),
        speech("where is the parcel that I am waiting for"),
    )
    customer = desk_phone("customer", codecs=("PCMA",))
    call = customer.call("desk")
    customer.expect("answered", call=call)
    anna = AgentPage(tab, node, "anna", says)
    anna.start()
    anna.page.wait_for_selector("#offer:not([hidden])")
    facts = anna.page.inner_text("#offer-facts")
    assert "Customer support" in facts and "English" in facts and "the only one free" in facts
    anna.answer()
    customer.ask("play", call=call, file=str(asks))
    customer.ask("record", call=call, file=str(tmp_path / "customer.wav"))
    assert heard(read_wav(asks, TELEPHONE), anna.tab.hears(4.0), TELEPHONE)
    customer.ask("stop", call=call, what="record")
    assert heard(read_wav(says, TELEPHONE), read_wav(tmp_path / "customer.wav", TELEPHONE), TELEPHONE)

    anna.page.click("#hold")
    anna.page.wait_for_selector("#hold[aria-pressed=true]")
    waits = listen(customer, call, tmp_path / "held.wav", 1.5)
    assert is_music(read_wav(waits, TELEPHONE), read_wav(music(node), TELEPHONE), TELEPHONE)
    anna.page.click("#hold")
    anna.page.wait_for_selector("#hold[aria-pressed=false]")
    anna.page.click("#keys")
    anna.page.click("#pad >> text=7")
    assert customer.expect("dtmf")["digit"] == "7"

    customer.hangup(call)
    anna.in_state("wrap_up")
    anna.page.check("input[value=resolved]", force=True)
    anna.page.fill("#wrap-notes", "It comes tomorrow.")
    anna.page.click("#wrap-done")
    anna.in_state("available")
    record = node.record("desk")
    assert (record["agent"], record["agent_codec"], record["reason"]) == ("anna", "PCMA", "completed")
    events = node.get(f"/v1/calls/{record['call']}/events")["items"]
    (written,) = (each for each in events if each["kind"] == "call.wrapped_up")
    assert (written["data"]["outcome"], written["person"]["notes"]) == ("resolved", "It comes tomorrow.")
    _reads_how_it_was_judged(anna, node, record["call"])


def _reads_how_it_was_judged(anna: AgentPage, node: Node, call: str) -> None:
    """The newest, whenever the page is opened; without one it says where they will be."""
    page = anna.page
    before = page.locator("#judged .score").count()  # by other tests of this node
    assert ("No call of yours was judged yet" in page.inner_text("#judged")) is (before == 0)
    wanted = {"form": "service", "answers": {"solved": 4}, "comment": "Kind,\nand quick."}
    node.post(f"/v1/calls/{call}/scorecards", wanted)
    page.reload()
    page.wait_for_function(f"() => document.querySelectorAll('#judged .score').length === {before + 1}")
    page.focus("#judged summary")
    page.keyboard.press("Enter")
    page.wait_for_selector("#judged details[open] .said:has-text('and quick.')")
    assert "Was the matter settled?\n\u20664 / 5" in page.inner_text("#judged .answers")
    assert page.get_attribute("#judged .score", "data-level") == "good"
    assert page.locator("#judged button").count() == 0, "a call without a recording is not heard"


def test_a_colleague_is_asked_joins_and_takes_the_call(
    node: Node, tab: Tabs, speech: Speech, desk_phone: Callable[..., Softphone], tmp_path: Path
) -> None:
    ask, tell = speech("is there anybody who knows about parcels"), speech("yes I know all about them")
    customer, ben = desk_phone("visitor"), desk_phone("ben")
    call = customer.call("desk")
    anna = AgentPage(tab, node, "anna", speech("one moment please"))
    anna.start()
    anna.answer()
    anna.ask("ben")
    asked = ben.incoming()
    ben.answer(asked)
    anna.page.wait_for_selector("#conference:enabled")
    anna.page.click("#conference")
    anna.page.wait_for_selector("#conference[aria-pressed=true]")
    customer.ask("play", call=call, file=str(ask))
    ben.ask("play", call=asked, file=str(tell))
    customer.expect("played", 10)
    anna.page.click("#finish")
    anna.in_state("wrap_up")
    ben.expect("media", call=asked, state="active")
    hears_each_other(customer, call, ben, asked, speech, tmp_path)
    customer.hangup(call)
    ben.expect("ended")
    record = node.record("desk")
    assert (record["agent"], record["transfers"]) == ("ben", 1)


def test_a_softphone_is_called_hears_keys_holds_and_is_given_away_without_asking(
    node: Node, tab: Tabs, speech: Speech, desk_phone: Callable[..., Softphone], tmp_path: Path
) -> None:
    says, replies = speech("I have somebody for you"), speech("let me look that up for a moment")
    dora, ben = desk_phone("dora"), desk_phone("ben")
    gus = AgentPage(tab, node, "gus", says)
    gus.start()
    gus.dial("dora")
    call = dora.incoming()
    dora.answer(call)
    gus.page.wait_for_selector("#call-time:not(:empty)")
    assert gus.page.locator("#captions").count() == 1
    dora.ask("record", call=call, file=str(tmp_path / "dora.wav"))
    dora.ask("play", call=call, file=str(replies))
    assert heard(read_wav(replies, TELEPHONE), gus.tab.hears(3.0), TELEPHONE)
    dora.ask("stop", call=call, what="record")
    assert heard(read_wav(says, TELEPHONE), read_wav(tmp_path / "dora.wav", TELEPHONE), TELEPHONE)
    gus.page.click("#keys")
    gus.page.click("#pad >> text=4")
    assert dora.expect("dtmf")["digit"] == "4"
    dora.hold(call)
    assert is_music(gus.tab.hears(1.5), read_wav(music(node), TELEPHONE), TELEPHONE)
    dora.resume(call)

    gus.give("ben")
    taken = ben.incoming()
    ben.answer(taken)
    gus.page.wait_for_selector("#idle:not([hidden])")
    hears_each_other(dora, call, ben, taken, speech, tmp_path)
    dora.hangup(call)
    ben.expect("ended")
    record = node.record("dora")
    assert (record["transfers"], record["reason"]) == (1, "completed")


HIDDEN = """window.shown = [];
window.tones = 0;
const begin = AudioScheduledSourceNode.prototype.start;
AudioScheduledSourceNode.prototype.start = function (...when) {
  if (this.context.state === 'running') window.tones += 1;
  return begin.apply(this, when);
};
window.Notification = class {
  static permission = 'granted';
  constructor(title, {body}) { shown.push(`${title} ${body}`); }
  close() {}
};
Object.defineProperty(document, 'hidden', {get: () => true});"""


def test_a_page_that_nobody_looks_at_rings_aloud_in_its_title_and_by_a_notification(
    node: Node, tab: Tabs, speech: Speech, desk_phone: Callable[..., Softphone]
) -> None:
    customer = desk_phone("tenant")
    gus = AgentPage(tab, node, "gus", speech("hello"))
    gus.page.add_init_script(HIDDEN)
    gus.start()
    call = customer.call(f"sip:gus@{node.domain}")
    node._poll(lambda: gus.page.title().startswith("●"), 10.0, "ringing title")
    assert "tenant" in gus.page.evaluate("shown[0]") and gus.page.evaluate("tones") > 0
    gus.page.click("#decline")
    assert customer.expect("ended", call=call)["status"] == 603
    assert not gus.page.title().startswith("●")


def test_the_agent_calls_a_colleague_who_declines(
    node: Node, tab: Tabs, speech: Speech, desk_phone: Callable[..., Softphone]
) -> None:
    dora = desk_phone("dora")
    gus = AgentPage(tab, node, "gus", speech("hello"))
    gus.start()
    gus.dial("dora")
    dora.ask("hangup", call=dora.incoming(), code=603)
    gus.page.wait_for_selector("#last:has-text('declined')")
    assert node.record("dora")["reason"] == "refused"


def test_a_person_is_brought_in_to_interpret_and_sent_off_by_the_same_button(
    node: Node, tab: Tabs, speech: Speech, desk_phone: Callable[..., Softphone]
) -> None:
    customer, gus = desk_phone("customer"), desk_phone("gus")
    call = customer.call("desk")
    customer.expect("answered", call=call)
    anna = AgentPage(tab, node, "anna", speech("one moment, I bring somebody in who speaks your language"))
    anna.start()
    anna.page.wait_for_selector("#offer:not([hidden])")
    anna.answer()
    anna.page.click("#guest:has-text('Bring in an interpreter')")
    rung = gus.incoming()
    gus.answer(rung)
    anna.page.wait_for_selector("#guest-state:has-text('An interpreter is in the call.')")
    anna.page.click("#guest[aria-pressed=true]")
    gus.expect("ended", call=rung)
    anna.page.wait_for_selector("#guest[aria-pressed=false]")
    customer.hangup(call)


def test_she_is_told_of_a_supervisor_and_hears_what_is_whispered(
    node: Node, tab: Tabs, speech: Speech, desk_phone: Callable[..., Softphone]
) -> None:
    whispered = speech("offer express delivery for free")
    customer, sue = desk_phone("customer"), desk_phone("sue")
    call = customer.call("desk")
    customer.expect("answered", call=call)
    anna = AgentPage(tab, node, "anna", speech("good morning"))
    anna.start()
    anna.page.wait_for_selector("#offer:not([hidden])")
    anna.answer()
    assert not anna.page.is_visible("#supervised")
    (id,) = [each["id"] for each in node.get("/v1/calls?queue=desk")["items"]]
    node.post(f"/v1/calls/{id}/supervision", {"mode": "whisper", "at": "sue"})
    beside = sue.incoming()
    sue.answer(beside)
    anna.page.wait_for_selector("#supervised:not([hidden]):has-text('supervisor')")
    notice = PromptPack.load(node.prompts).path("en", "supervision-notice")
    assert heard(read_wav(Path(notice), TELEPHONE), anna.tab.hears(4.0), TELEPHONE)
    sue.ask("play", call=beside, file=str(whispered))
    assert heard(read_wav(whispered, TELEPHONE), anna.tab.hears(5.0), TELEPHONE)
    sue.hangup(beside)
    anna.page.wait_for_selector("#supervised", state="hidden")
    customer.hangup(call)
    anna.in_state("wrap_up")
