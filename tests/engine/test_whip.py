"""Callers over HTTP in the switch: they call, trickle, restart, come back and hang up as the others do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from engine.events import EndReason, Side
from engine.leg import Leg
from engine.states import State
from engine.tokens import Claims
from engine.whip import Answered, Outcome, Refused, Sought, Whip
from media import jsep
from media.gate import AddCandidates, CloseDoor, DoorLost, RestartDoor
from media.messages import CloseLeg, Play
from routing.agent import AgentEvent
from routing.number import Callers, QueueTarget, Rule
from tests.engine.test_browser import OFFER, House, opened, secured
from tests.rings import no_rings

FRAGMENT = "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n" + (
    "a=candidate:1 1 udp 2130706431 192.0.2.8 50002 typ host\r\n"
)
SAME, OTHER = FRAGMENT.format("aaaa", "a" * 24), FRAGMENT.format("bbbb", "b" * 24)


class Page:
    """One visitor's, with a token. outcomes: what it was told, in order."""

    def __init__(
        self, house: House, whip: Whip, destination: str = "+4930100", token: str = "visitor-1"
    ) -> None:
        self.house = house
        self.whip = whip
        now = house.switch.wall(house.stage.world.now)
        self.claims = Claims(token, destination, now, now + 60.0, "es", "mx", "Ana", "c-4711")
        self.outcomes: list[Outcome] = []
        self.name = self.version = ""

    def posts(self, offer: str = OFFER) -> Outcome | None:
        """What it is told at once."""
        told = len(self.outcomes)
        self._ask(lambda now: self.whip.call(self.claims, offer, self.outcomes.append, now))
        return self.outcomes[-1] if len(self.outcomes) > told else None

    def calls(self, ufrag: str = "ours") -> Answered:
        """A call that gets as far as sound."""
        self.posts()
        leg = self.newest.number
        self.house.tells(opened(leg, ufrag))
        answer = self.outcomes[-1]
        assert isinstance(answer, Answered)
        self.house.tells(secured(leg))
        self.name, self.version = answer.session, answer.version
        return answer

    def talks(self) -> Answered:
        answer = self.calls()
        self.house.until(lambda: self.house.stage.call.state is State.TALKING)
        return answer

    def patches(self, fragment: str, if_match: str | None, name: str = "", token: str = "") -> Outcome | None:
        told = len(self.outcomes)
        ids = (name or self.name, token or self.claims.id)
        self._ask(lambda now: self.whip.patch(*ids, fragment, if_match, self.outcomes.append, now))
        return self.outcomes[-1] if len(self.outcomes) > told else None

    def hangs_up(self) -> Refused | None:
        refused: list[Refused | None] = []
        self._ask(lambda now: refused.append(self.whip.hang_up(self.name, self.claims.id, now)))
        self.house.stage.run(2.0)
        return refused[0]

    @property
    def newest(self) -> Leg:
        """The leg that was opened last."""
        return max(self.house.switch.legs.values(), key=lambda leg: leg.number)

    def _ask(self, what: Callable[[float], None]) -> None:
        what(self.house.stage.world.now)
        self.house.stage.house.host.pump()
        self.house.stage.run(0.1)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.fixture
def page(house: House) -> Iterator[Page]:
    with no_rings() as rings:
        made = Page(house, Whip(house.switch))
        yield made
        assert not rings()


# --- calling ----------------------------------------------------------------------------------------------


def test_an_offer_is_answered_once_the_gate_has_a_door(house: House, page: Page):
    assert page.posts() is None
    house.tells(opened(page.newest.number))
    (answer,) = page.outcomes
    assert isinstance(answer, Answered)
    said = jsep.read(answer.sdp)
    assert (said.peer.ufrag, answer.version, said.codecs[0].name) == ("ours", "ours", "opus")
    assert (answer.call, answer.resumed) == (house.stage.call.id, False)


def test_it_is_an_ordinary_call_with_its_queue_its_agent_and_its_record(house: House, page: Page):
    page.talks()
    call = house.stage.call
    assert (call.agent, call.language, call.display) == ("agent0", "es", "Ana")
    assert house.stage.agent.shown == ["support: Ana"] or house.stage.agent.shown[0].endswith("Ana")
    assert page.hangs_up() is None
    (record,) = house.stage.records
    assert (record.reason, record.ended_by) == (EndReason.COMPLETED, Side.CUSTOMER)
    assert (record.customer, record.market, record.source, record.agent) == ("c-4711", "mx", "whip", "agent0")
    assert record.customer_codec == "opus" and record.wait_s > 0
    assert not house.switch.legs and not house.switch.sessions
    assert isinstance(house.gate.asked[-1], CloseDoor)


def test_when_the_agent_hangs_up_the_session_is_gone(house: House, page: Page):
    page.talks()
    agent = house.stage.agent
    assert agent.session is not None
    agent.session.hangup(None, now=house.stage.world.now)
    agent.host.pump()
    house.stage.run(2.0)
    assert house.stage.records[0].ended_by is Side.AGENT
    refused = page.hangs_up()
    assert refused is not None and (refused.status, refused.name) == (404, "unknown-session")
    assert isinstance(page.patches(SAME, "*"), Refused)


def test_who_calls_one_person_hears_music_until_that_one_answers(house: House):
    house.switch.set_agent("agent0", AgentEvent.LOGOUT, house.stage.world.now)
    page = Page(house, Whip(house.switch), "agent0")
    page.calls()
    assert house.stage.call.state is State.DIALLING
    assert any(isinstance(each, Play) and each.loop for each in house.told)
    house.until(lambda: house.stage.call.state is State.TALKING)


@pytest.mark.parametrize("destination", ["+4930999", "colleagues"])
def test_where_strangers_may_not_call_callers_from_pages_may_not(house: House, destination: str):
    inside = Rule("colleagues", QueueTarget("sales"), Callers.USERS)
    plan = house.switch.plan
    house.switch.plan = replace(plan, exact={**plan.exact, "colleagues": inside})
    refused = Page(house, Whip(house.switch), destination).posts()
    assert isinstance(refused, Refused) and (refused.status, refused.name) == (404, "unknown-destination")
    house.stage.run(2.0)
    assert not house.switch.legs and not house.gate.asked


# --- the way ----------------------------------------------------------------------------------------------


def test_candidates_that_come_later_are_passed_on(house: House, page: Page):
    page.calls()
    assert page.patches(SAME, f'"{page.version}"') == Sought()
    (added,) = house.gate.of(AddCandidates)
    assert isinstance(added, AddCandidates) and added.candidates[0].host == "192.0.2.8"


def test_other_credentials_restart_ice_and_make_another_version(house: House, page: Page):
    page.calls()
    assert page.patches(OTHER, "*") is None
    (restart,) = house.gate.of(RestartDoor)
    assert isinstance(restart, RestartDoor) and restart.peer is not None and restart.peer.ufrag == "bbbb"
    house.tells(opened(page.newest.number, "anew"))
    answer = page.outcomes[-1]
    assert isinstance(answer, Sought) and answer.version == "anew"
    peer, _ = jsep.read_fragment(answer.fragment)
    assert peer.ufrag == "anew" and peer.candidates and peer.complete
    stale = page.patches(FRAGMENT.format("bbbb", "b" * 24), f'"{page.version}"')
    assert isinstance(stale, Refused) and stale.status == 412
    assert page.patches(FRAGMENT.format("bbbb", "b" * 24), '"anew"') == Sought()


@pytest.mark.parametrize(
    ("fragment", "if_match", "status"),
    [(SAME, None, 428), (SAME, '"other"', 412), ("a=candidate:1 1 udp nonsense", "*", 400), ("b", "*", 400)],
)
def test_fragments_that_cannot_be_taken_change_nothing(
    house: House, page: Page, fragment: str, if_match: str | None, status: int
):
    page.calls()
    asked = len(house.gate.asked)
    refused = page.patches(fragment, if_match)
    assert isinstance(refused, Refused) and refused.status == status
    assert len(house.gate.asked) == asked


def test_a_session_is_its_tokens_alone(house: House, page: Page):
    page.calls()
    for ids in ({"name": "0" * 32}, {"token": "visitor-2"}):
        refused = page.patches(SAME, "*", **ids)
        assert isinstance(refused, Refused) and refused.status == 404


# --- coming back ------------------------------------------------------------------------------------------


def test_a_page_that_was_reloaded_comes_back_to_the_same_agent(house: House, page: Page):
    first = page.talks()
    call, old = house.stage.call, house.customer
    house.tells(DoorLost(old.number, "closed"))
    house.stage.run(5.0)
    assert old.away, "it may come back"
    again = page.calls("anew")
    assert (again.resumed, again.call) == (True, first.call)
    assert again.session != first.session and house.customer is not old
    assert (call.state, call.agent, call.transfers) == (State.TALKING, "agent0", 0)
    assert any(isinstance(each, CloseLeg) and each.leg == old.number for each in house.told)
    assert isinstance(page.patches(SAME, "*", name=first.session), Refused)
    house.stage.run(40.0)
    assert call.state is State.TALKING
    assert page.hangs_up() is None
    (record,) = house.stage.records
    assert record.reason is EndReason.COMPLETED and not house.switch.legs


def test_a_page_that_comes_back_before_it_was_missed_does_so_too(house: House, page: Page):
    page.talks()
    assert page.calls("anew").resumed and house.stage.call.state is State.TALKING


def test_a_place_in_the_queue_is_kept(house: House, page: Page):
    house.switch.set_agent("agent0", AgentEvent.PAUSE, house.stage.world.now)
    page.calls()
    house.until(lambda: house.stage.call.state is State.QUEUED)
    other = house.stage.customer()
    house.stage.run(3.0)
    house.told.clear()
    again = page.calls("anew")
    assert again.resumed and house.switch.calls[again.call].state is State.QUEUED
    assert house.switch.acd.queues["support"].position(again.call) == 1
    assert any(isinstance(each, Play) and each.loop for each in house.told) and other.session is not None


def test_nobody_is_rung_for_a_caller_who_is_out_of_reach(house: House, page: Page):
    house.switch.set_agent("agent0", AgentEvent.PAUSE, house.stage.world.now)
    page.calls()
    house.until(lambda: house.stage.call.state is State.QUEUED)
    house.tells(DoorLost(page.newest.number, "closed"))
    house.stage.run(3.0)
    house.switch.set_agent("agent0", AgentEvent.RESUME, house.stage.world.now)
    house.stage.run(5.0)
    assert house.stage.call.state is State.QUEUED
    page.calls("anew")
    house.until(lambda: house.stage.call.state is State.TALKING)


def test_a_token_that_expired_begins_no_call_and_still_comes_back(house: House, page: Page):
    page.talks()
    house.stage.run(70.0)
    assert page.calls("anew").resumed
    page.hangs_up()
    refused = page.posts()
    assert isinstance(refused, Refused) and refused.status == 401


def test_one_that_does_not_come_back_is_told_of_in_the_record(house: House, page: Page):
    page.talks()
    house.tells(DoorLost(house.customer.number, "closed"))
    house.stage.run(40.0)
    (record,) = house.stage.records
    assert record.reason is EndReason.NOT_RESUMED
    assert not page.whip.lasts(page.claims.id) and not house.switch.sessions


def test_a_page_that_cannot_be_let_in_again_leaves_the_call_as_it_was(house: House, page: Page):
    page.talks()
    refused = page.posts(OFFER.replace("111 63 9 0 8 13 110 126", "96"))
    assert isinstance(refused, Refused) and refused.status == 406
    assert house.stage.call.state is State.TALKING and len(house.switch.legs) == 2
    assert page.whip.lasts(page.claims.id)


# --- what is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offer", "status"),
    [
        ("hello", 400),
        (OFFER.replace("a=ice-pwd", "a=ice-nothing"), 400),
        (OFFER.replace("a=rtcp-mux\r\n", ""), 406),
        (OFFER.replace("a=sendrecv", "a=sendonly"), 406),
        (OFFER.replace("111 63 9 0 8 13 110 126", "96"), 406),
    ],
)
def test_an_offer_that_cannot_be_taken_leaves_no_leg_and_no_door(
    house: House, page: Page, offer: str, status: int
):
    refused = page.posts(offer)
    assert isinstance(refused, Refused) and refused.status == status and refused.detail
    house.stage.run(2.0)
    assert not house.switch.legs and not house.switch.sessions and not house.gate.asked and not house.told


def test_while_the_node_stops_new_callers_go_elsewhere_and_others_come_back(house: House, page: Page):
    page.talks()
    house.switch.user_agent.settings.draining = True
    stranger = Page(house, page.whip, token="visitor-2").posts()
    assert isinstance(stranger, Refused) and (stranger.status, stranger.name) == (503, "draining")
    assert page.calls("anew").resumed


def test_while_the_gate_restarts_callers_are_asked_to_try_again(house: House, page: Page):
    house.gate.up = False
    refused = page.posts()
    assert isinstance(refused, Refused) and refused.name == "browsers-away" and refused.retry_s


def test_a_thousand_mutilated_offers_are_taken_or_refused_and_leave_nothing(house: House, page: Page):
    rng, page.claims = Random(9725), replace(page.claims, expires=page.claims.expires + 9000)
    outcomes = set()
    for _ in range(1000):
        text = bytearray(OFFER.encode())
        for _ in range(rng.randrange(1, 8)):
            at = rng.randrange(len(text))
            if rng.random() < 0.5:
                text[at] = rng.randrange(128)
            else:
                del text[at : at + rng.randrange(1, 60)]
        refused = page.posts(text.decode())
        if refused is None:
            house.switch.hang_up(house.stage.call.id, house.stage.world.now)
            house.stage.run(0.5)
            refused = page.outcomes[-1]
        assert isinstance(refused, Refused)
        outcomes.add(refused.status)
        assert not house.switch.legs and not house.switch.calls and not house.switch.sessions
    assert outcomes == {400, 406, 503}, "503: it was hung up before it was answered"
    (worker,) = house.stage.house.workers
    assert worker.network.free == worker.ports
