"""A browser's screen: told what changed and nothing else, doing what its person may and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from markupsafe import Markup

from engine.api.deps import EngineView
from engine.console.desk import Desk
from engine.console.door import Principal
from engine.console.language import Words
from engine.console.look import Look, Page, Place
from engine.console.pages import FRAME, page_of
from engine.console.pulse import Moment
from engine.console.screen import Drawings, Screen
from engine.console.snapshot import taken
from engine.views import UnknownCall
from tests.engine.console.busy import BusyNode
from tests.engine.console.looks import OPERATOR, VIEWER


class Part:
    def __init__(self) -> None:
        self.told: list[Markup] = []

    def show(self, drawn: Markup, at: float) -> None:
        if not self.told or self.told[-1] != drawn:
            self.told.append(drawn)


class Nothing:
    """A node of whose calls nothing may be seen."""

    def __init__(self, view: EngineView) -> None:
        self._view = view

    def hangup(self, id: str) -> None:
        raise UnknownCall(id)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._view, name)


class Door:
    def __init__(self, who: Principal | None) -> None:
        self.principal = who

    def who(self, cookie: str) -> Principal | None:
        return self.principal

    def sees(self, view: EngineView, who: Principal) -> EngineView:
        return view if who.scope == "" else Nothing(view)


class Browser:
    """A screen over a busy node; `at` is its clock."""

    def __init__(self, who: Principal = OPERATOR, address: str = "/console/wallboard", **more: Any) -> None:
        self.node, self.at, self.serial, self.over = BusyNode(), 0.0, 0, False
        self.door = Door(who)
        self.desk = Desk(self.node, self.door, lambda: self.at)  # type: ignore[arg-type]
        self.parts: dict[str, Part] = {}
        self.around = {"shell": Part(), "note": Part()}
        self.drawings: Drawings = more.get("drawings") or Drawings()
        self.screen = Screen(
            self.desk,
            more.get("pages", page_of),
            more.get("frame", FRAME),
            self.drawings,
            "cookie",
            who,
            Words("en"),
            lay=self.lay,
            gone=self.gone,
            now=self.now,
        )
        self.screen.begin(self.around, Place.of(address))

    def lay(self, page: Page) -> Mapping[str, Part]:
        self.parts = {name: Part() for name in page.parts}
        return self.parts

    def gone(self) -> None:
        self.over = True

    def now(self) -> Moment:
        return Moment(lambda who: taken(self.node, self.node.began + self.at, self.serial))

    def beat(self, seconds: float = 1.0) -> None:
        self.at += seconds
        self.serial += 1
        self.screen.beat(self.now())

    def text(self, part: str) -> str:
        found = {**self.parts, **self.around}[part]
        return found.told[-1].striptags() if found.told else ""

    async def rest(self) -> None:
        """Until nothing is under way any more."""
        while self.screen._tasks:
            await asyncio.gather(*list(self.screen._tasks), return_exceptions=True)


def run(doing: Any) -> None:
    asyncio.run(doing)


def test_a_part_is_told_anew_only_when_it_changed() -> None:
    async def story() -> None:
        browser = Browser()
        browser.beat()
        told = len(browser.parts["alerts"].told)
        browser.beat()
        assert len(browser.parts["alerts"].told) == told
        browser.node.checks = []
        browser.beat()
        assert len(browser.parts["alerts"].told) == told + 1

    run(story())


def test_screens_that_look_at_the_same_share_what_is_drawn() -> None:
    drawn = []

    def view(look: Look) -> Markup:
        drawn.append(look.who.name)
        return Markup(f"<p>{look.now.serial}</p>")

    page = Page("wallboard", {"only": view})
    shared = Drawings()

    async def story() -> None:
        look: dict[str, Any] = {"pages": lambda *_: page, "frame": {}, "drawings": shared}
        one, two, other = Browser(**look), Browser(**look), Browser(VIEWER, **look)
        drawn.clear()
        for browser in (one, two, other):
            browser.beat()
        assert drawn == ["supervisor", "wallboard"]

    run(story())


def test_whoever_is_signed_out_meanwhile_is_shown_nothing_more() -> None:
    async def story() -> None:
        browser = Browser()
        browser.door.principal = None
        browser.node.checks = []
        told = len(browser.parts["alerts"].told)
        browser.beat()
        assert browser.over and len(browser.parts["alerts"].told) == told

    run(story())


def test_going_elsewhere_lays_the_other_page_and_an_unknown_one_is_the_first() -> None:
    async def story() -> None:
        browser = Browser()
        browser.screen.go(Place.of("/console/agents/emre"))
        assert set(browser.parts) == {"head", "body"} and "emre" in browser.text("head")
        browser.screen.go(Place.of("/console/../etc/passwd"))
        assert "tiles" in browser.parts

    run(story())


def test_what_is_pressed_is_done_by_name_and_told() -> None:
    async def story() -> None:
        browser = Browser(address="/console/calls/c4")
        browser.screen.act("hangup", {})
        await browser.rest()
        assert browser.node.hung_up == ["c4"] and browser.text("note") == "The call is being ended."
        browser.screen.go(Place.of("/console/agents/emre"))
        browser.screen.act("state", {"ask": "paused"})
        await browser.rest()
        assert [(name, str(ask)) for name, ask, _ in browser.node.asked] == [("emre", "paused")]

    run(story())


def test_what_somebody_does_reaches_no_further_than_she_sees() -> None:
    async def story() -> None:
        browser = Browser(replace(OPERATOR, scope="market fr"), "/console/calls/c4")
        browser.screen.act("hangup", {})
        await browser.rest()
        assert browser.node.hung_up == [] and browser.text("note") == "This call is over already."

    run(story())


@pytest.mark.parametrize(
    ("address", "act", "given"),
    [
        ("/console/calls/c4", "hangup", {}),
        ("/console/agents/emre", "state", {"ask": "paused"}),
        ("/console/agents/emre", "message", {"text": "hi"}),
        ("/console/nodes", "drain", {"draining": "yes"}),
    ],
)
def test_who_may_only_look_does_nothing_whatever_the_browser_says(
    address: str, act: str, given: Mapping[str, Any]
) -> None:
    async def story() -> None:
        browser = Browser(VIEWER, address)
        browser.screen.act(act, given)
        await browser.rest()
        assert (browser.node.hung_up, browser.node.asked) == ([], [])
        assert browser.text("note") == "Your role may look here, but not do this."

    run(story())


@pytest.mark.parametrize(
    "given",
    [{}, {"ask": "no such"}, {"ask": None}, {"ask": ["x"]}, {str(n): "x" * 10_000 for n in range(100)}],
)
def test_what_a_browser_makes_up_is_refused_in_words(given: Mapping[str, Any]) -> None:
    async def story() -> None:
        browser = Browser(address="/console/agents/emre")
        browser.screen.act("state", given)
        browser.screen.act("no such act", given)
        await browser.rest()
        assert browser.node.asked == [] and browser.text("note").startswith("That cannot be now")

    run(story())


def test_a_call_is_followed_into_its_record() -> None:
    async def story() -> None:
        browser = Browser(address="/console/calls/c4")
        await browser.rest()
        assert "Buenos" in browser.text("captions") or "paquete" in browser.text("captions")
        assert "Offered to" in browser.text("decisions")
        del browser.node.live["c4"]
        browser.node.finished.append(replace(browser.node.finished[0], call="c4"))
        browser.beat()
        await browser.rest()
        assert "Completed" in browser.text("head")

    run(story())


def test_a_store_that_does_not_answer_is_told_of_and_live_views_go_on() -> None:
    async def story() -> None:
        browser = Browser(address="/console/calls?when=ended")
        browser.node.store_answers = False
        browser.screen.go(Place.of("/console/calls?when=ended&queue=support"))
        await browser.rest()
        browser.beat(20.0)
        await browser.rest()
        assert "cannot be reached" in browser.text("note") and "hunter2" not in browser.text("note")
        browser.screen.go(Place.of("/console/wallboard"))
        assert "Waiting" in browser.text("tiles")

    run(story())


def test_a_cursor_of_nobody_leads_to_the_first_page() -> None:
    async def story() -> None:
        browser = Browser(address="/console/calls?when=ended&cursor=made-up")
        await browser.rest()
        assert browser.screen.place.get("cursor") == ""

    run(story())


def test_an_act_that_fails_is_told_as_a_fault_of_the_node() -> None:
    async def story() -> None:
        browser = Browser(address="/console/calls/c4")
        browser.node.hangup = lambda id: 1 / 0  # type: ignore[method-assign, assignment, return-value]
        browser.screen.act("hangup", {})
        await browser.rest()
        await asyncio.sleep(0)
        assert "log says why" in browser.text("note")

    run(story())
