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
CUSTOMER = "+44 1632 960123"
# side, what she says, in the other's language; the third is not translated, the last is not over yet
SAID = {
    "en": (
        ("customer", "¿Dónde está mi paquete?", "es", "Where is my parcel?", "en"),
        ("agent", "I am looking it up.", "en", "Lo estoy buscando.", "es"),
        ("customer", "你好？", "zh", "", ""),
        ("customer", "Lo espero desde", "es", "I have been waiting since", "en"),
    ),
    "ar": (
        ("customer", "أين طردي؟", "ar", "Where is my parcel?", "en"),
        ("agent", "I am looking it up.", "en", "أبحث عنه الآن.", "ar"),
        ("customer", "你好？", "zh", "", ""),
        ("customer", "أنتظره منذ", "ar", "I have been waiting since", "en"),
    ),
}
EARS = {"by": "CMU Sphinx", "low_accuracy": True}
BOOK = {"translated_by": "Apertium", "gist": True, "guess_translated": 5}  # "since"
# how each sentence was heard and translated
MARKED: tuple[dict[str, Any], ...] = (EARS, {}, {"marks": ["no_pair"]}, EARS | BOOK)
# a call that is put into words, as a bad moment of it is told
BAD_MOMENT = {
    "language": "en",
    "other": "es",
    "voice": "over",
    "fault": "late",
    "voice_there": "instead",
    "fault_there": "",
    "cannot": [{"what": "speak", "why": "nobody speaks nl here; name a voice in language.yaml"}],
    "mood": "upset",
    "score": -0.8,
    "reasons": ["inaceptable", "louder"],
    "urgent": ["abogado"],
}


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
    anna.page.fill("#dial", "nobody")
    anna.page.press("#dial", "Enter")
    anna.page.wait_for_selector("#last:not(:empty)")
    yield "agent-not-reached", anna.page
    anna.wish("paused:lunch")
    anna.in_state("paused")
    yield "agent-paused", anna.page
    anna.lose_the_node()
    anna.page.wait_for_selector("#away:not([hidden])")
    yield "agent-away", anna.page
    anna.page.reload()
    anna.ready()


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
    ticket = node.post(
        "/v1/callers/tokens", {"destination": "desk", "customer": CUSTOMER, "language": language}
    )
    caller.open(language=language, token=ticket["token"])
    caller.in_state("idle")
    yield "caller-idle", caller.page
    caller.start()
    caller.is_told("waiting")
    yield "caller-waiting", caller.page


def _look_up(anna: AgentPage) -> None:
    """A word that is pointed at, then one that is typed."""
    anna.page.click(".caption span >> nth=0", position={"x": 8, "y": 8})
    anna.page.wait_for_function("document.querySelector('#lookup').value")
    anna.page.fill("#lookup", "money back")
    anna.page.press("#lookup", "Enter")
    anna.page.wait_for_selector("#found .help[data-kind=term] >> text=refund")
    anna.page.evaluate("() => { document.querySelector('#captions').scrollTop = 1e6; }")


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
    (call,) = node.get("/v1/calls")["items"]
    for line, (side, text, spoken, translation, to) in enumerate(SAID.get(language, SAID["en"])):
        body = {"side": side, "line": line, "text": text, "language": spoken, "translation": translation}
        body |= {"guess": len(text.split()[-1]) if line == 3 else 0}
        node.post(f"/v1/calls/{call['id']}/captions", body | {"to": to, "final": line < 3} | MARKED[line])
    anna.page.wait_for_selector(".caption >> nth=3")
    _look_up(anna)
    yield "agent-captions", anna.page
    yield from _interpreted(anna, caller)
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
    anna.reload()
    anna.is_back()
    yield "agent-back", anna.page


def _interpreted(anna: AgentPage, caller: CallerPage) -> Iterator[State]:
    anna.is_told_of_speech(**BAD_MOMENT)
    anna.page.wait_for_selector("#interpreter-fault:not([hidden])")
    anna.page.click("#captions-card summary")
    yield "agent-bad-moment", anna.page
    anna.page.click("#captions-card summary")
    anna.is_told_of_speech(**BAD_MOMENT | {"fault": "", "cannot": [], "mood": "fine", "urgent": []})
    anna.page.wait_for_selector("#mood[data-level=fine]")
    yield "agent-interpreted", anna.page
    anna.page.evaluate("() => { isoglossEar.told = null; }")
    caller.page.wait_for_selector(".caption >> nth=3")
    caller.is_told_of_interpreter("over", "late")
    caller.page.wait_for_selector("#live-more:not(:empty)")
    yield "caller-captions", caller.page
    caller.page.evaluate("() => { isoglossEar.told = null; }")


def _beside(anna: AgentPage, ben: AgentPage, language: str) -> Iterator[State]:
    ben.start(language)
    anna.page.click("#transfer")
    yield "agent-transfer", anna.page
    anna.page.fill("#transfer-to", "nobody")
    anna.page.click("#transfer-blind")
    anna.page.wait_for_selector("#fault:not([hidden])")
    yield "agent-transfer-failed", anna.page
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
    caller.page.check("input[name=stars][value='4']", force=True)
    yield "caller-rating", caller.page
    caller.page.click("#rate")
    caller.page.wait_for_selector("#rated:not(:empty)")
    yield "caller-rated", caller.page
    anna.page.click("#open-settings")
    yield "agent-settings", anna.page
    anna.page.keyboard.press("Escape")
    anna.page.click("#wrap-done")
    yield from _judged(anna)
    anna.wish("logged_out")
    anna.in_state("logged_out")
    yield "agent-logged-out", anna.page
    anna.wish("available")
    anna.in_state("available")


def _judged(anna: AgentPage) -> Iterator[State]:
    """How her newest call was judged."""
    call = anna.node.record("desk")["call"]
    for solved, comment in ((4, "Kind, and quick."), (1, "")):
        wanted = {"form": "service", "answers": {"solved": solved}, "comment": comment}
        anna.node.post(f"/v1/calls/{call}/scorecards", wanted)
    anna.page.reload()
    anna.ready()
    anna.page.click("#judged details:nth-child(2) summary")
    yield "agent-judged", anna.page


def _failed(
    tabs: Tabs, node: Node, speech: Callable[[str], Path], language: str, look: dict[str, Any]
) -> Iterator[State]:
    lost = CallerPage(tabs, node, speech("hello"), **PHONE, **look)
    lost.call("nowhere", language)
    lost.in_state("ended")
    yield "caller-failed", lost.page
    lost.open("desk", language, token="of.long.ago")
    lost.page.reload()  # what is behind the # alone is no other page
    lost.start()
    lost.in_state("ended")
    yield "caller-expired", lost.page
    lost.open("desk", language)
    lost.page.context.set_offline(True)
    lost.start()
    lost.in_state("ended")
    yield "caller-node-gone", lost.page
    lost.page.context.set_offline(False)
    lost.page.route(
        "**/whip/*", lambda route: route.fulfill(status=503, json={"type": "urn:isogloss:problem:overloaded"})
    )
    gone = lost.page.inner_text("#ended-more")
    lost.page.click("#call-again")
    lost.page.wait_for_function(
        "(gone) => ![gone, ''].includes(document.querySelector('#ended-more').textContent)", arg=gone
    )
    lost.in_state("ended")
    yield "caller-busy", lost.page
