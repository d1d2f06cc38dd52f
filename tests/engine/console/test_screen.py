"""A browser's screen: told what changed and nothing else, doing what its person may and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from markupsafe import Markup

from engine.access.errors import AuditUnavailable
from engine.access.role import Permission
from engine.console.desk import Desk
from engine.console.door import Principal
from engine.console.language import Words
from engine.console.look import Look, Page, Place, Told
from engine.console.pages import ANYWHERE, FRAME, page_of
from engine.console.pulse import Moment
from engine.console.screen import Drawings, Screen
from engine.console.snapshot import taken
from engine.store.errors import StoreUnavailable
from engine.store.records import BadCursor
from tests.engine.console.busy import BusyNode
from tests.engine.console.looks import OPERATOR, VIEWER, look


class Part:
    def __init__(self) -> None:
        self.told: list[Markup] = []

    def show(self, drawn: Markup, at: float) -> None:
        if not self.told or self.told[-1] != drawn:
            self.told.append(drawn)


class Door:
    def __init__(self, who: Principal | None) -> None:
        self.principal = who
        self.away = self.slow = self.full = False  # slow: the store says who she is to whoever waits
        self.kept: list[tuple[str, str, str, Any]] = []
        self.noted: list[tuple[str, str, str, str]] = []

    def who(self, cookie: str) -> Principal | None:
        if self.away or self.slow:
            raise StoreUnavailable("away")
        return self.principal

    async def look(self, cookie: str) -> Principal | None:
        if self.away:
            raise StoreUnavailable("away")
        return self.principal

    def note(self, who: Principal, what: str, object: str, outcome: str = "done", detail: Any = None) -> None:
        self.noted.append((who.name, what, object, outcome))

    async def keep(self, who: Principal, what: str, object: str, detail: Any = None) -> None:
        if self.full:
            raise AuditUnavailable("neither the store nor the disk takes entries")
        self.kept.append((who.name, what, object, detail))


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
            anywhere=ANYWHERE,
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
        assert set(browser.parts) == {"head", "body", "judged"} and "emre" in browser.text("head")
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
        browser.screen.act("state", {"ask": "paused", "reason": " team meeting\0 " + "x" * 200})
        await browser.rest()
        ((name, ask, reason),) = browser.node.asked
        assert (name, str(ask), reason) == ("emre", "paused", "team meeting " + "x" * 114)

    run(story())


def test_what_somebody_does_reaches_no_further_than_she_sees() -> None:
    async def story() -> None:
        browser = Browser(replace(OPERATOR, markets=frozenset({"fr"}), scope="fr"), "/console/calls/c4")
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


def test_nobody_does_anything_while_the_store_does_not_say_who_she_is() -> None:
    async def story() -> None:
        browser = Browser(address="/console/calls/c4")
        await browser.rest()
        browser.door.away = True
        told = len(browser.parts["head"].told)
        browser.node.live.clear()
        browser.beat()
        browser.screen.act("hangup", {})
        await browser.rest()
        assert browser.node.hung_up == [] and "cannot be reached" in browser.text("note")
        assert len(browser.parts["head"].told) == told and not browser.over
        browser.door.away = False
        browser.beat()
        assert len(browser.parts["head"].told) > told

    run(story())


def test_what_is_asked_right_after_ones_rights_changed_waits_for_the_store() -> None:
    """As when a second factor is begun, and confirmed at once."""

    async def story() -> None:
        browser = Browser(address="/console/calls/c4")
        await browser.rest()
        browser.door.slow = True
        browser.beat()
        browser.screen.act("hangup", {})
        await browser.rest()
        assert browser.node.hung_up == ["c4"] and "cannot be reached" not in browser.text("note")
        browser.beat()
        browser.screen.act("hangup", {})
        browser.screen.go(Place.of("/console/calls/c5"))
        await browser.rest()
        assert browser.node.hung_up == ["c4"], "and it is not done where she went on to"
        browser.door.principal = VIEWER
        browser.screen.act("hangup", {})
        await browser.rest()
        assert (
            browser.node.hung_up == ["c4"]
            and ("wallboard", "hangup", "console/calls/c5", "refused (403)") in browser.door.noted
        )
        browser.beat()
        browser.door.principal = None
        browser.screen.act("hangup", {})
        await browser.rest()
        assert browser.node.hung_up == ["c4"] and browser.over

    run(story())


def test_what_was_opened_done_and_refused_is_told_to_the_audit_log() -> None:
    async def story() -> None:
        browser = Browser(address="/console/calls/c4?customer=%2B49301234")
        browser.screen.act("hangup", {})
        await browser.rest()
        browser.screen.go(Place.of("/console/agents"))
        await browser.rest()
        browser.screen.go(Place.of("/console/wallboard"))
        assert browser.door.noted == [
            ("supervisor", "hangup", "console/calls/c4", "done"),
            ("supervisor", "look_at_console", "console/wallboard", "done"),
        ], "that she looks at the first place was told before the page was made"
        browser.screen.go(Place.of("/console/calls?when=ended&customer=%2B49301234&queue=support"))
        await browser.rest()
        asked = {"query": {"when": "ended", "customer": "+49***234", "queue": "support"}}
        assert [each[2:] for each in browser.door.kept] == [("console/agents", {}), ("console/calls", asked)]
        viewer = Browser(VIEWER, "/console/calls/c4")
        viewer.screen.act("hangup", {})
        assert viewer.door.noted == [("wallboard", "hangup", "console/calls/c4", "refused (403)")]

    run(story())


def test_what_the_audit_log_does_not_take_is_not_asked_of_the_store() -> None:
    async def story() -> None:
        browser = Browser(address="/console/agents")
        browser.door.full = True
        browser.screen.go(Place.of("/console/calls?when=ended"))
        await browser.rest()
        assert browser.screen.loaded is None and "audit log" in browser.text("note")
        browser.door.full = False
        browser.beat(60.0)
        await browser.rest()
        assert browser.screen.loaded is not None and len(browser.door.kept) == 1

    run(story())


def test_a_page_that_is_not_hers_is_the_first_one() -> None:
    async def story() -> None:
        supervisor = replace(OPERATOR, rights=OPERATOR.rights - {Permission.READ_CONFIG})
        browser = Browser(supervisor, "/console/config")
        assert "tiles" in browser.parts and "Configuration" not in browser.text("shell")
        assert "Configuration" in Browser(OPERATOR).text("shell")
        operator = Browser(OPERATOR, "/console/config")
        assert "tiles" not in operator.parts
        operator.door.principal = supervisor
        operator.beat()
        assert "tiles" in operator.parts and operator.text("tiles"), "from the moment on that it is taken"

    run(story())


def test_who_may_not_read_what_was_said_does_not() -> None:
    async def story() -> None:
        browser = Browser(VIEWER, "/console/calls/c4")
        await browser.rest()
        assert "paquete" not in browser.text("captions") and "Offered to" in browser.text("decisions")

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
        browser.node.hangup = lambda id: 1 / 0  # type: ignore[method-assign, assignment]
        browser.screen.act("hangup", {})
        await browser.rest()
        await asyncio.sleep(0)
        assert "log says why" in browser.text("note")

    run(story())


def test_what_was_asked_before_something_was_done_does_not_undo_what_came_of_it() -> None:
    async def story() -> None:
        asked, answer = asyncio.Event(), asyncio.Event()

        async def load(desk: Desk, place: Place, before: Any) -> Any:
            if before == "done":
                return before
            asked.set()
            await answer.wait()
            return "old"

        async def act(desk: Desk, who: Principal, place: Place, given: Any) -> Told:
            return Told("call.over", keep="done")

        page = Page("slow", {}, load=load, acts={"do": (Permission.CALLS, act)})
        browser = Browser(pages=lambda *_: page)
        await asked.wait()
        browser.screen.act("do", {})
        for _ in range(20):
            await asyncio.sleep(0)
        assert browser.screen.loaded == "done"
        answer.set()
        await browser.rest()
        assert browser.screen.loaded == "done"


def test_her_days_are_her_browsers_and_what_it_makes_up_is_none() -> None:
    asked: list[str] = []

    async def load(desk: Desk, place: Place, before: Any) -> str:
        asked.append(desk.zone)
        return desk.zone

    page = Page("wallboard", {"only": lambda look: Markup(str(look.loaded))}, load=load)

    async def story() -> None:
        browser = Browser(pages=lambda *_: page, frame={})
        await asyncio.sleep(0)
        browser.screen.live_in("Asia/Tokyo")  # while what was asked first is not there yet
        await browser.rest()
        assert asked == ["UTC", "Asia/Tokyo"] and browser.text("only") == "Asia/Tokyo"
        browser.screen.live_in("../../etc/passwd")
        await browser.rest()
        assert browser.screen.zone == "Asia/Tokyo"

    run(story())


@pytest.mark.parametrize(("stays", "shown"), [(True, "one"), (False, "None")])
def test_what_was_loaded_may_stay_until_the_other_is_there(stays: bool, shown: str) -> None:
    async def load(desk: Desk, place: Place, before: Any) -> str:
        return place.get("of") or "one"

    page = Page("wallboard", {"only": lambda look: Markup(str(look.loaded))}, load=load, stays=stays)

    async def story() -> None:
        browser = Browser(pages=lambda *_: page, frame={})
        await browser.rest()
        browser.screen.go(Place.of("/console/wallboard?of=two"))
        assert browser.text("only") == shown
        await browser.rest()
        assert browser.text("only") == "two"

    run(story())


def test_what_was_done_to_something_else_is_noted_with_that() -> None:
    async def act(desk: Desk, who: Principal, place: Place, given: Mapping[str, str]) -> Told:
        return Told("form.same", of="users/sue")

    page = Page("wallboard", {}, acts={"create_user": (Permission.CALLS, act)})

    async def story() -> None:
        browser = Browser(pages=lambda *_: page, frame={})
        browser.screen.act("create_user", {})
        await browser.rest()
        assert ("supervisor", "create_user", "users/sue", "done") in browser.door.noted

    run(story())


def test_a_cursor_of_nobody_takes_nobody_away_from_where_she_is_by_now() -> None:
    asked: list[str] = []
    answer = asyncio.Event()

    async def load(desk: Desk, place: Place, before: Any) -> str:
        asked.append(place.address)
        if place.get("cursor"):
            await answer.wait()
            raise BadCursor("this cursor was not given out here")
        return place.get("queue") or "all"

    page = Page("calls", {"only": lambda look: Markup(str(look.loaded))}, load=load)

    async def story() -> None:
        more: dict[str, Any] = {"pages": lambda *_: page, "frame": {}}
        stays = Browser(address="/console/calls?queue=support&cursor=made-up", **more)
        leaves = Browser(address="/console/calls?queue=sales&cursor=made-up", **more)
        await asyncio.sleep(0)
        leaves.screen.go(Place.of("/console/calls?queue=ventas"))
        answer.set()
        await stays.rest()
        await leaves.rest()
        assert stays.screen.place.asked == {"queue": "support"} and stays.text("only") == "support"
        assert leaves.screen.place.asked == {"queue": "ventas"} and leaves.text("only") == "ventas"

    run(story())


def test_a_page_is_loaded_though_the_one_before_it_could_not_be() -> None:
    answer = asyncio.Event()

    async def load(desk: Desk, place: Place, before: Any) -> str:
        if place.id == "one":
            await answer.wait()
            raise StoreUnavailable("away")
        return place.id

    page = Page("calls", {"only": lambda look: Markup(str(look.loaded))}, load=load)

    async def story() -> None:
        browser = Browser(address="/console/calls/one", pages=lambda *_: page, frame={})
        await asyncio.sleep(0)
        browser.screen.go(Place.of("/console/calls/two"))
        answer.set()
        await browser.rest()
        assert browser.text("only") == "two"

    run(story())


def test_what_was_drawn_of_something_is_not_shown_for_what_took_its_place_in_memory() -> None:
    drawings, at = Drawings(), look("/console/calls")
    for number in range(50):
        loaded = [number]
        key = ("only", id(loaded))
        made = drawings.get(key, replace(at, loaded=loaded), lambda found: Markup(found.loaded[0]))
        assert made == str(number)
        del loaded


def test_what_failed_half_way_is_told_to_the_audit_log_too() -> None:
    async def story() -> None:
        browser = Browser(address="/console/calls/c4")
        browser.node.hangup = lambda id: 1 / 0  # type: ignore[method-assign, assignment]
        browser.screen.act("hangup", {})
        await browser.rest()
        assert ("supervisor", "hangup", "console/calls/c4", "failed") in browser.door.noted

    run(story())
