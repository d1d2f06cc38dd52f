"""A supervisor's hand in the console: beside a call from any page, and on the place of who waits."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from markupsafe import Markup

from engine.console import hand
from engine.console.desk import Desk
from engine.console.files import call_file
from engine.console.look import Act, Place, Told
from engine.console.markup import text_of
from engine.console.phone import phone
from engine.console.views import place as place_view
from engine.console.views.beside import beside, on_air
from engine.supervision import Mode
from engine.views import CallView
from tests.engine.console.busy import BusyNode
from tests.engine.console.looks import OPERATOR, VIEWER, look, snapshot
from tests.engine.console.test_screen import Browser, Door

ME = OPERATOR.name


class Hand:
    """A supervisor at the page of a call that goes on (c4) or waits (w0)."""

    def __init__(self) -> None:
        self.node = BusyNode()
        self.door = Door(OPERATOR)
        self.desk = Desk(self.node, self.door, lambda: 0.0)  # type: ignore[arg-type]

    def does(self, act: Act, at: str = "c4", /, **given: str) -> Told:
        return asyncio.run(act(self.desk.of(OPERATOR), OPERATOR, Place("calls", at), given))  # type: ignore[arg-type]

    def drawn(self, call: str = "c4", who: Any = OPERATOR) -> Markup:
        return beside(look(f"/console/calls/{call}", now=snapshot(self.node), who=who))

    def bar(self) -> str:
        found = on_air(look("/console/agents", now=snapshot(self.node)))
        return text_of(str(found)) if found else ""

    def answered(self) -> None:
        sitting = self.node.hand.sitting
        sitting["c4"] = [replace(each, standing="in") for each in sitting["c4"]]


def test_who_is_not_there_is_rung_in_her_page_or_wherever_she_says() -> None:
    hers = Hand()
    assert hers.does(hand.sit(Mode.WHISPER), at="").key == ""
    assert hers.does(hand.sit(Mode.LISTEN), "c0", at=" SUE ").key == ""
    assert hers.node.hand.sent == [
        ("c4", ME, "whisper", ME, True),
        ("c0", "sue", "listen", ME, True),
    ]


def test_who_is_there_changes_her_mode_at_the_phone_that_she_has_there_and_leaves() -> None:
    hers = Hand()
    hers.does(hand.sit(Mode.LISTEN), at="sue")
    hers.does(hand.sit(Mode.BARGE))
    (there,) = hers.node.hand.sitting["c4"]
    assert (there.at, there.mode) == ("sue", "barge") and len(hers.node.hand.sent) == 1
    assert hers.does(hand.leave, "w0", call="c4").key == ""
    assert hers.node.hand.sitting["c4"] == []
    assert hers.does(hand.leave).bad


def test_what_cannot_be_is_told_why() -> None:
    hers = Hand()
    assert hers.does(hand.sit(Mode.LISTEN), "gone").key == "call.over"
    hers.node.hand.supervise("c4", "sue", "listen", "another", auto_answer=False)
    refused = hers.does(hand.sit(Mode.LISTEN), at="sue")
    assert refused.bad and "already" in str(refused.values["why"])
    assert hers.does(hand.unheard, why="denied").key == "unheard.denied"
    assert hers.does(hand.unheard, why="<script>").key == "unheard.failed"


def test_the_card_says_how_she_is_there_and_who_else_is() -> None:
    hers = Hand()
    before = hers.drawn()
    assert 'data-here="sit"' in before and 'data-do="leave"' not in before and hers.bar() == ""
    hers.node.hand.supervise("c4", "sue", "listen", "another", auto_answer=False)
    hers.does(hand.sit(Mode.WHISPER))
    assert "Your phone rings" in text_of(hers.drawn()) and "Your phone rings for" in hers.bar()
    hers.answered()
    there = hers.drawn()
    assert "The agent alone hears you" in text_of(there) and 'data-do="barge"' in there
    assert 'aria-pressed="true"' in there and "announced to both" in text_of(there)
    assert "another" in text_of(there) and "You whisper to the agent" in hers.bar()
    assert there.count('data-do="take_over"') == 1, "only the dialog takes over"
    assert hers.drawn(who=VIEWER) == ""


def test_before_she_comes_in_the_card_says_whether_the_two_will_be_told() -> None:
    hers = Hand()
    assert "both will be told" in text_of(hers.drawn())
    hers.node.live["c4"] = replace(hers.node.live["c4"], announced=False)
    told = text_of(hers.drawn())
    assert "nobody will be told" in told and "Neither customer nor agent is told" in told


def test_who_took_over_is_told_so_on_every_page() -> None:
    hers = Hand()
    hers.node.live["c4"] = replace(hers.node.live["c4"], agent=ME)
    assert "You are this call’s agent" in text_of(hers.drawn()) and "You are the agent of" in hers.bar()
    assert hers.node.call("c4") is not None and 'data-here="sit"' not in hers.drawn()


@pytest.mark.parametrize(
    ("given", "key", "after"),
    [
        ({"queue": "sales", "priority": "10", "agent": "bob"}, "place.done", ("sales", 10, "bob")),
        ({"queue": "support", "priority": "0", "agent": ""}, "place.done", ("support", 0, "")),
        ({"priority": "101"}, "place.bad_priority", ("support", 0, "")),
        ({"priority": "²"}, "place.bad_priority", ("support", 0, "")),
        ({"priority": "00000101"}, "place.bad_priority", ("support", 0, "")),
        ({"priority": "9" * 4000}, "place.bad_priority", ("support", 0, "")),
        ({"agent": "nobody"}, "beside.refused", ("support", 0, "")),
    ],
)
def test_the_place_of_a_caller_is_changed(
    given: dict[str, str], key: str, after: tuple[str, int, str]
) -> None:
    hers = Hand()
    assert hers.does(hand.steer, "w0", **given).key == key
    waits = hers.node.hand.waits
    assert (waits.queue, waits.priority, waits.agent) == after


def test_who_waits_has_a_form_and_who_talks_has_none() -> None:
    hers = Hand()

    def card(call: str, who: Any = OPERATOR) -> Markup:
        loaded = asyncio.run(call_file(hers.desk.of(who), Place("calls", call), None))
        return place_view.place(
            look(f"/console/calls/{call}", now=snapshot(hers.node), loaded=loaded, who=who)
        )

    assert 'name="priority"' in card("w0") and "number 1" in text_of(card("w0"))
    assert 'name="priority"' not in card("w0", VIEWER) and "support" in card("w0", VIEWER)
    assert card("c4") == ""
    assert hers.does(hand.steer, "c4").key == "place.gone"


def test_the_agent_of_a_call_is_steered_and_written_to_from_its_page() -> None:
    async def story() -> None:
        browser = Browser(address="/console/calls/c4")
        browser.screen.act("state", {"ask": "paused"})
        browser.screen.act("message", {"text": "offer the express delivery"})
        await browser.rest()
        assert [name for name, _, _ in browser.node.asked] == ["emre"]
        assert ("supervisor", "state", "console/calls/c4", "done") in browser.door.noted

    asyncio.run(story())


def test_she_leaves_from_any_page_and_others_may_not() -> None:
    async def story() -> None:
        for who, left in ((OPERATOR, 0), (VIEWER, 1)):
            browser = Browser(who, address="/console/agents")
            browser.node.hand.supervise("c4", "sue", "listen", who.name, auto_answer=False)
            browser.screen.act("leave", {"call": "c4"})
            await browser.rest()
            assert len(browser.node.hand.sitting["c4"]) == left

    asyncio.run(story())


def test_a_page_is_given_an_account_of_its_own_and_the_way_to_the_node() -> None:
    hers = Hand()
    given = phone(hers.desk, OPERATOR, "wss://sip.example.com/")
    told = json.loads(given.body)
    assert hers.node.hand.phones.owner(told["account"]) == ME and told["password"]
    assert (told["sip"], told["port"], told["ice"]["policy"]) == ("wss://sip.example.com/", 7443, "relay")
    assert given.headers["cache-control"] == "no-store"
    assert phone(hers.desk, VIEWER, "").status_code == 403
    assert [what for _, what, _, _ in hers.door.noted] == ["make_page_phone"] * 2


def test_a_call_that_ended_meanwhile_is_nobodys() -> None:
    hers = Hand()
    talking: CallView = hers.node.live.pop("c4")
    assert hers.drawn() == "" and hers.does(hand.leave).key == "call.over"
    assert talking.agent == "emre"
