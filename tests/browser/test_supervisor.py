"""A supervisor at the console in Chromium, beside real calls: microphone and sound are the page's own.

Pictures of every step are kept in var/console, by light and by night.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engine.hearing import heard, read_wav
from sip.pjsip.process import Softphone
from tests.browser.chromium import TELEPHONE, Tab, missing
from tests.browser.pages import QUEUES, TERMS, Tabs, node_for_pages
from tests.interop.conftest import prompts_of, registrar, serve
from tests.interop.node import ROOT, Node
from tests.interop.room import Room
from tests.turns import hear

if TYPE_CHECKING:
    from playwright.sync_api import Page

Speech = Callable[[str], Path]
Phones = Callable[..., Softphone]
PICTURES = ROOT / "var" / "console"
RECORDED = {"counter": TERMS | {"title": "Counter", "wrap_up_s": 0, "recording": {"mode": "on"}}}
PLAYER = "document.querySelector('figure audio')"
OFF_LINE = "!document.documentElement.hasAttribute('data-line')"
HERS = "please offer her the express delivery today"
THEIRS = "where is the parcel that I ordered"


@pytest.fixture(scope="module")
def node(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node of its own: calls of the counter are recorded, and sue is somebody who signs in."""
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    prompts = prompts_of(request.config.cache)
    folder = tmp_path_factory.mktemp("supervisor")
    yield from serve(node_for_pages(folder, prompts, queues=QUEUES | RECORDED))


@pytest.fixture(scope="module")
def sue(node: Node) -> str:
    """The password of a supervisor."""
    return made(node, "sue", "supervisor")


def made(node: Node, name: str, role: str, *more: str) -> str:
    command = [sys.executable, "-m", "engine", "users", "add", name, "--role", role, "--json", *more]
    command += ["--config", str(node.folder / "config"), "--data", str(node.data)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=60)
    return str(json.loads(done.stdout)["password"])


class Supervisor:
    """Sue at the console. says: what her microphone hears, over and over."""

    def __init__(self, tabs: Tabs, node: Node, password: str, says: Path, scheme: str) -> None:
        self.tab: Tab = tabs(says=says, color_scheme=scheme, bypass_csp=False, viewport=WIDE)
        self.page: Page = self.tab.page
        self.node, self.password, self.scheme = node, password, scheme
        self.said: list[str] = []
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("console", self._told)

    def _told(self, message: Any) -> None:
        if "blocked" in message.text:
            self.said.append(message.text)

    def open(self, to: str) -> None:
        self.page.goto(f"{self.node.api}/console/{to}")
        if self.page.locator("#password").count():
            self.page.fill("#name", "sue")
            self.page.fill("#password", self.password)
            self.page.press("#password", "Enter")
        self.page.wait_for_selector(".page-head h1")

    def sits(self, mode: str) -> None:
        """Press a button, and wait until the page says that it is so."""
        self.page.click(f".modes [data-mode={mode}]")
        self.page.wait_for_selector(f".modes [data-mode={mode}][aria-pressed=true]")
        self.page.wait_for_selector(".seats .dot.good")

    def picture(self, name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"supervisor-{self.scheme}-{name}.png", full_page=True)


WIDE = {"width": 1440, "height": 900}


class Floor(Room):
    """A customer talks to cleo at the counter."""

    def __init__(self, node: Node, desk_phone: Phones, folder: Path) -> None:
        super().__init__(folder)
        self.customer, self.cleo = desk_phone("customer"), desk_phone("cleo")
        self.calls[self.customer] = self.customer.call("counter")
        self.calls[self.cleo] = self.cleo.incoming()
        self.cleo.answer(self.calls[self.cleo])
        self.cleo.expect("media", call=self.calls[self.cleo], state="active")
        self.customer.expect("media", call=self.calls[self.customer], state="active")
        (self.call,) = [each["id"] for each in node.get("/v1/calls?queue=counter")["items"]]

    def hears(self, hers: Path, tab: Tab, wanted: dict[str, bool]) -> None:
        """That those hear her who are to, and nobody else; what was torn is listened to again."""
        hear("what the supervisor says", lambda: self._hear(hers, tab), wanted, False)

    def _hear(self, hers: Path, tab: Tab) -> dict[str, bool]:
        """Who hears her while she goes on speaking; she listens meanwhile, which takes the time that it
        takes.
        """
        files = {phone: self.folder / f"{phone.name}.wav" for phone in self.calls}
        for phone, file in files.items():
            phone.ask("record", call=self.calls[phone], file=str(file))
        tab.hears(4.5)
        for phone in files:
            phone.ask("stop", call=self.calls[phone], what="record")
        said = read_wav(hers, TELEPHONE)
        return {
            phone.name: bool(heard(said, read_wav(file, TELEPHONE), TELEPHONE))
            for phone, file in files.items()
        }

    def say(self, speaker: Softphone, sentence: Path, tab: Tab) -> np.ndarray:
        """What the page hears while somebody speaks."""
        sound = tab.hears_meanwhile(4.5)
        speaker.ask("play", call=self.calls[speaker], file=str(sentence))
        return sound()


@pytest.fixture
def desk_phone(node: Node, phone: Phones) -> Phones:
    return registrar(node, phone)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_she_listens_whispers_barges_in_and_takes_over_from_the_page(
    node: Node, sue: str, tab: Tabs, speech: Speech, desk_phone: Phones, tmp_path: Path, scheme: str
) -> None:
    hers, theirs = speech(HERS), speech(THEIRS)
    floor = Floor(node, desk_phone, tmp_path)
    seat = Supervisor(tab, node, sue, hers, scheme)
    page = seat.page
    seat.open("calls")
    page.click(f"a[href='/console/calls/{floor.call}']")
    page.wait_for_selector(".part-beside [data-here=sit]")
    seat.picture("1-before")

    seat.sits("listen")
    seat.tab.reached()
    page.wait_for_selector(".on-air:has-text('You listen')")
    assert heard(read_wav(theirs, TELEPHONE), floor.say(floor.customer, theirs, seat.tab), TELEPHONE)
    floor.hears(hers, seat.tab, {"customer": False, "cleo": False})

    seat.sits("whisper")
    floor.hears(hers, seat.tab, {"customer": False, "cleo": True})
    seat.picture("2-whisper")
    seat.sits("barge")
    floor.hears(hers, seat.tab, {"customer": True, "cleo": True})
    page.click(".on-air [data-here=mute]")
    floor.hears(hers, seat.tab, {"customer": False, "cleo": False})
    page.click(".on-air [data-here=mute]")

    page.click("[data-opens=take-over]")
    seat.picture("3-take-over")
    page.click("dialog[open] [data-mode=take_over]")
    floor.cleo.expect("ended", call=floor.calls.pop(floor.cleo))
    page.wait_for_selector(".on-air:has-text('You are the agent')")
    floor.hears(hers, seat.tab, {"customer": True})
    assert heard(read_wav(theirs, TELEPHONE), floor.say(floor.customer, theirs, seat.tab), TELEPHONE)
    seat.picture("4-taken")
    page.click("nav a[href='/console/agents']")
    page.wait_for_selector(".main-agents .on-air, .on-air:has-text('You are the agent')")

    floor.customer.hangup(floor.calls[floor.customer])
    page.wait_for_function(f"() => !document.querySelector('.on-air') && {OFF_LINE}")
    record = node.record("counter")
    assert (record["agent"], record["reason"], record["ended_by"]) == ("sue", "completed", "customer")
    seat.open(f"calls/{record['call']}")
    page.wait_for_selector(".messages summary")
    ladder = page.inner_text(".part-sip")
    assert "INVITE" in ladder and "200 OK" in ladder and "BYE" in ladder
    page.click(".messages summary >> nth=0")
    assert "INVITE sip:" in page.inner_text(".messages details[open] pre")
    seat.picture("5-ladder")
    _listens_to_the_recording(seat, node, record)
    assert seat.said == []


def _listens_to_the_recording(seat: Supervisor, node: Node, record: dict[str, Any]) -> None:
    """Drawn, gone through by mouse and keys, played, saved, and shared with somebody outside."""
    page = seat.page
    page.click("nav a[href='/console/recordings']")
    page.wait_for_selector(".main-recordings tbody")  # the call's page has a link there, too
    page.click(f"a[href='/console/recordings/{record['call']}']")
    page.wait_for_selector("[data-wave] path.agent")
    page.wait_for_selector(".part-shares form")
    long = float(page.get_attribute("[data-wave]", "data-wave") or 0)
    assert long == pytest.approx(record["talk_s"], abs=3.0)
    page.click("[data-wave]")
    page.wait_for_function(f"() => Math.abs({PLAYER}.currentTime - {long / 2}) < 1")
    page.focus("[data-wave]")
    page.keyboard.press("Home")
    page.wait_for_function(f"() => {PLAYER}.currentTime === 0")
    page.keyboard.press("Space")
    page.wait_for_function(f"() => {PLAYER}.currentTime > 1.5 && !{PLAYER}.paused")
    page.keyboard.press("Space")
    page.wait_for_function(f"() => {PLAYER}.paused")
    assert float(page.get_attribute("[data-wave]", "aria-valuenow") or 0) >= 1
    with page.expect_download() as saved:
        page.click("a[download]")
    assert Path(saved.value.path()).read_bytes()[:4] == b"OggS"
    seat.picture("6-recording")

    page.fill(".part-shares [name=note]", "claim 4471")
    page.click(".part-shares button[type=submit]")
    link = page.get_attribute(".part-shares [data-copy]", "data-copy")
    page.wait_for_selector(".part-shares .pill.good")
    seat.picture("7-shared")
    outside = seat.tab.page.context.browser.new_context(color_scheme=seat.scheme)  # type: ignore[union-attr,arg-type]
    visitor = outside.new_page()
    visitor.goto(f"{node.api}{link}")
    visitor.evaluate("() => document.querySelector('audio').play()")
    visitor.wait_for_function("() => document.querySelector('audio').currentTime > 0.5")
    visitor.screenshot(path=PICTURES / f"supervisor-{seat.scheme}-8-outside.png")
    page.click(".part-shares [data-opens^=revoke]")
    page.click("dialog[open] [data-do=revoke]")
    page.wait_for_selector(".part-shares .pill:has-text('revoked')")
    visitor.reload()
    assert "leads nowhere" in visitor.inner_text("main")
    outside.close()
