"""A supervisor in a call: who hears whom in each mode, how she comes and goes, and that no call minds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine import guest, supervision
from engine.events import EndReason
from engine.seat import Sits
from engine.sight import leg_view
from engine.states import State
from engine.supervision import MOST, STAYS, TABLE, Mode, Standing, What, Wish
from engine.supervision_events import SupervisionBegan, SupervisionEnded, TakenOver
from engine.views import IllegalState, UnknownCall
from media.messages import Play
from media.speech.market import Market
from routing.agent import AgentEvent, AgentState
from sip.digest import Credentials
from sip.uri import Uri
from tests.engine.overheard import Overheard
from tests.rings import no_rings
from tests.sim.house import DOMAIN, SUPERVISORS
from tests.sim.stage import AgentVoice, Voice

LISTENS = {"sc": 1.0, "sa": 1.0}
THE_TWO = {"ca": 1.0, "ac": 1.0}
HEARD = {
    Mode.LISTEN: {**THE_TWO, **LISTENS},
    Mode.WHISPER: {**THE_TWO, **LISTENS, "as": 1.0},
    Mode.BARGE: {**THE_TWO, **LISTENS, "as": 1.0, "cs": 1.0},
}


class Floor(Overheard):
    """A customer talks to agent0, agent1 has a break; four supervisors have phones."""

    def __init__(self, folder: Path, *, talks: bool = True, **settings: object) -> None:
        super().__init__(folder, agents=2, **settings)
        self.phones = {
            name: AgentVoice(self, f"10.3.0.{n + 1}", name, []) for n, name in enumerate(SUPERVISORS)
        }
        for phone in self.phones.values():
            phone.register()
        self.run(0.5)
        self.switch.set_agent("agent1", AgentEvent.PAUSE, self.world.now)
        if talks:
            self.talk()

    @property
    def sue(self) -> AgentVoice:
        return self.phones["sue"]

    def ask(self, mode: Mode = Mode.LISTEN, at: str = "sue") -> None:
        supervision.ask(self.switch, self.call.id, Wish(mode, at, "boss"), self.world.now)
        self.run(2.0)

    def turn(self, mode: Mode, at: str = "sue") -> None:
        supervision.change(self.switch, self.call.id, at, mode, "boss", self.world.now)
        self.run(0.5)

    def hang_up(self, phone: Voice) -> None:
        assert phone.session is not None
        phone.hang_up(phone.session)
        phone.host.pump()
        self.run(1.0)

    def hears(self, **more: str) -> dict[str, float]:
        """Who hears whom, by the first letters of listener and source. more: letters of other supervisors."""
        call = self.call
        legs = {each.at: each.leg for each in call.supervisors}
        third = call.guest.leg if call.guest is not None else None
        others = {letter: legs.get(name) for letter, name in more.items()}
        return self.between({"c": call.customer, "a": call.party, "g": third, "s": legs.get("sue"), **others})

    @property
    def told(self) -> list[str]:
        """What the journal tells of supervisors."""
        return [kind.removeprefix("supervision.") for kind in self.kinds if kind.startswith("supervision")]


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    with no_rings() as rings:
        made = Floor(tmp_path)
        yield made
        assert not rings()


@pytest.mark.parametrize("mode", list(HEARD))
def test_who_hears_whom_is_as_her_mode_says(floor: Floor, mode: Mode) -> None:
    floor.ask(mode)
    assert floor.hears() == HEARD[mode]
    (seen,) = supervision.look(floor.switch, floor.call.id)
    assert (seen.at, seen.by, seen.mode, seen.standing) == ("sue", "boss", mode, "in")
    assert floor.told == ["asked", "began"]
    assert [leg_view(leg).role for leg in floor.call.legs] == ["customer", "agent", "supervisor"]


@pytest.mark.parametrize("before", list(HEARD))
@pytest.mark.parametrize("after", list(HEARD))
def test_modes_are_changed_while_they_talk(floor: Floor, before: Mode, after: Mode) -> None:
    floor.ask(before)
    floor.turn(after)
    assert floor.hears() == HEARD[after]
    assert floor.told == ["asked", "began"] + ["changed"] * (before is not after)


@pytest.mark.parametrize("mode", list(HEARD))
def test_her_end_is_not_the_calls(floor: Floor, mode: Mode) -> None:
    floor.ask(mode)
    floor.hang_up(floor.sue)
    assert floor.hears() == THE_TWO and floor.call.state is State.TALKING
    assert not floor.call.supervisors and len(floor.switch.legs) == 2
    assert floor.told[-1] == "ended"
    floor.ask(mode)
    assert floor.hears() == HEARD[mode], "she may come again"


def test_one_who_is_sent_off_is_hung_up(floor: Floor) -> None:
    floor.ask(Mode.BARGE)
    supervision.send_off(floor.switch, floor.call.id, "sue", floor.world.now)
    floor.run(1.0)
    assert floor.hears() == THE_TWO and not floor.sue.live
    with pytest.raises(IllegalState, match="not in this call"):
        supervision.send_off(floor.switch, floor.call.id, "sue", floor.world.now)


@pytest.mark.parametrize("mode", list(HEARD))
@pytest.mark.parametrize("who", ["customer", "agent"])
def test_the_calls_end_is_hers(floor: Floor, mode: Mode, who: str) -> None:
    floor.ask(mode)
    floor.hang_up(floor.caller if who == "customer" else floor.agent)
    floor.run(30.0)
    assert not floor.calls and not floor.sue.live and not floor.switch.legs
    assert [record.reason for record in floor.records] == [EndReason.COMPLETED]
    (ended,) = [event for event in floor.noted if isinstance(event, SupervisionEnded)]
    assert ended.why == "call over"


def test_a_phone_that_rings_when_the_call_ends_rings_no_more(floor: Floor) -> None:
    floor.sue.answers = False
    floor.ask()
    assert floor.hears() == THE_TWO
    floor.hang_up(floor.caller)
    floor.run(30.0)
    assert not floor.calls and not floor.sue.live and not floor.switch.legs


def test_one_who_does_not_answer_is_told_of(floor: Floor) -> None:
    floor.sue.answers = False
    floor.ask()
    floor.run(60.0)
    assert not floor.call.supervisors and floor.hears() == THE_TWO
    assert floor.told == ["asked", "missed"] and len(floor.switch.legs) == 2


def test_one_whose_battery_is_empty_is_noticed_and_the_two_talk_on(tmp_path: Path) -> None:
    floor = Floor(tmp_path, rtp_timeout_s=10.0, ticks_in_one=5)
    floor.ask(Mode.BARGE)
    floor.sue.vanish()
    floor.run(60.0)
    assert not floor.call.supervisors and floor.hears() == THE_TWO
    assert floor.call.state is State.TALKING


def test_one_has_a_voice_and_the_others_hear_it(floor: Floor) -> None:
    floor.ask(Mode.WHISPER)
    floor.ask(at="tom")
    floor.ask(at="ute")
    others = {"tc": 1.0, "ta": 1.0, "ts": 1.0, "uc": 1.0, "ua": 1.0, "us": 1.0}
    assert floor.hears(t="tom", u="ute") == {**HEARD[Mode.WHISPER], **others}
    with pytest.raises(IllegalState, match="sue speaks"):
        floor.turn(Mode.BARGE, "tom")
    with pytest.raises(IllegalState, match=f"{MOST} supervisors"):
        floor.ask(at="vic")
    floor.turn(Mode.LISTEN)
    floor.turn(Mode.BARGE, "tom")
    heard = floor.hears(t="tom", u="ute")
    assert heard["ct"] == heard["at"] == heard["ut"] == heard["st"] == 1.0
    assert "us" not in heard and "cs" not in heard
    floor.hang_up(floor.phones["tom"])
    assert floor.hears(u="ute") == {**HEARD[Mode.LISTEN], "uc": 1.0, "ua": 1.0}


@pytest.mark.parametrize("mode", list(HEARD))
def test_on_hold_the_customer_hears_music_alone_and_all_is_as_before_after_it(
    floor: Floor, mode: Mode
) -> None:
    floor.ask(mode)
    floor.agent.hold()
    floor.run(1.0)
    held = {**LISTENS, **({"as": 1.0} if mode.speaks else {})}
    assert floor.hears() == held
    floor.agent.take_back()
    floor.run(1.0)
    assert floor.hears() == HEARD[mode]


def test_her_own_hold_key_holds_nobody(floor: Floor) -> None:
    floor.ask(Mode.BARGE)
    floor.sue.hold()
    floor.run(1.0)
    assert floor.call.state is State.TALKING and floor.hears() == HEARD[Mode.BARGE]


def test_a_supervisor_may_not_give_the_customer_away(floor: Floor) -> None:
    floor.ask(Mode.BARGE)
    assert floor.sue.session is not None
    floor.sue.session.refer(Uri.parse(f"sip:agent1@{DOMAIN}"), now=floor.world.now)
    floor.sue.host.pump()
    floor.run(1.0)
    assert floor.call.state is State.TALKING and floor.hears() == HEARD[Mode.BARGE]


def test_a_transfer_takes_her_along(floor: Floor) -> None:
    floor.ask(Mode.WHISPER)
    assert floor.agent.session is not None
    floor.agent.session.refer(Uri.parse(f"sip:agent1@{DOMAIN}"), now=floor.world.now)
    floor.agent.host.pump()
    floor.run(0.2)
    assert floor.call.state is State.TRANSFERRING and floor.hears() == {**LISTENS, "as": 1.0}
    floor.run(3.0)
    assert floor.call.state is State.TALKING and floor.call.agent == "agent1"
    assert floor.hears() == HEARD[Mode.WHISPER], "the one who has the call now hears her"


def test_with_a_guest_between_the_two_she_hears_three(floor: Floor) -> None:
    guest.ask(floor.switch, floor.call.id, "agent1", "agent0", floor.world.now)
    floor.run(3.0)
    before = floor.hears()
    floor.ask(Mode.BARGE)
    hers = {"sc": 1.0, "sa": 1.0, "sg": 1.0, "cs": 1.0, "as": 1.0, "gs": 1.0}
    assert floor.hears() == {**before, **hers}
    floor.turn(Mode.WHISPER)
    assert floor.hears() == {**before, "sc": 1.0, "sa": 1.0, "sg": 1.0, "as": 1.0}
    floor.hang_up(floor.sue)
    assert floor.hears() == before, "lowered, as the guest wants it"


@pytest.mark.parametrize("held", [False, True])
def test_she_takes_over_and_the_agent_has_the_time_after_a_call(floor: Floor, held: bool) -> None:
    floor.ask(Mode.WHISPER)
    if held:
        floor.agent.hold()
        floor.run(0.5)
    call = floor.call
    floor.turn(Mode.TAKE_OVER)
    assert floor.hears() == THE_TWO and not call.supervisors
    assert call.party is not None and call.party.name == "sue" and call.agent == "sue"
    assert not floor.agent.live and floor.sue.live
    assert floor.switch.acd.agents["agent0"].state is AgentState.WRAP_UP
    (taken,) = [event for event in floor.noted if isinstance(event, TakenOver)]
    assert (taken.who, taken.by, taken.agent) == ("sue", "boss", "agent0")
    floor.hang_up(floor.sue)
    floor.run(30.0)
    (record,) = floor.records
    assert (record.agent, record.queue, record.reason) == ("sue", "support", EndReason.COMPLETED)
    assert floor.switch.acd.agents["agent0"].free and not floor.switch.legs


def test_an_agent_who_takes_over_is_in_a_call_and_free_after_it(floor: Floor) -> None:
    floor.ask(Mode.LISTEN, at="agent1")
    assert floor.switch.acd.agents["agent1"].state is AgentState.TALKING
    floor.turn(Mode.TAKE_OVER, at="agent1")
    assert floor.call.agent == "agent1" and floor.hears() == THE_TWO
    floor.hang_up(floor.caller)
    floor.run(30.0)
    assert floor.switch.acd.agents["agent1"].state is AgentState.PAUSED, "as before"
    assert not floor.switch.legs


def test_of_an_agent_who_called_out_the_far_end_is_taken_over(tmp_path: Path) -> None:
    floor = Floor(tmp_path, talks=False)
    floor.agent.call("agent1", "agent0", floor.agent.credentials)
    floor.run(3.0)
    supervision.ask(
        floor.switch, floor.call.id, Wish(Mode.WHISPER, "sue", "boss", agent="agent0"), floor.world.now
    )
    floor.run(2.0)
    assert floor.hears() == {**THE_TWO, **LISTENS, "cs": 1.0}, "who called is the one meant"
    floor.turn(Mode.TAKE_OVER)
    assert floor.hears() == THE_TWO and not floor.agent.live
    assert floor.call.customer is not None and floor.call.customer.agent == "agent1"


def test_who_is_asked_for_to_take_over_does_as_soon_as_she_answers(floor: Floor) -> None:
    floor.ask(Mode.TAKE_OVER)
    assert floor.hears() == THE_TWO and floor.call.agent == "sue" and not floor.agent.live
    (began,) = [event for event in floor.noted if isinstance(event, SupervisionBegan)]
    assert not began.announced, "she is the agent now"


def test_others_go_on_to_listen_to_the_one_who_took_over(floor: Floor) -> None:
    floor.ask(at="tom")
    floor.ask(Mode.TAKE_OVER)
    assert floor.hears(t="tom") == {**THE_TWO, "tc": 1.0, "ta": 1.0}


def test_what_cannot_be_is_refused_with_the_reason(floor: Floor) -> None:
    with pytest.raises(UnknownCall):
        supervision.ask(floor.switch, "none", Wish(Mode.LISTEN, "sue", "boss"), floor.world.now)
    with pytest.raises(IllegalState, match="no phone of nobody"):
        floor.ask(at="nobody")
    with pytest.raises(IllegalState, match="in this call already"):
        floor.ask(at="agent0")
    floor.ask()
    with pytest.raises(IllegalState, match="in this call already"):
        floor.ask()


def test_nobody_listens_to_a_call_that_waits(tmp_path: Path) -> None:
    floor = Floor(tmp_path, talks=False)
    floor.switch.set_agent("agent0", AgentEvent.PAUSE, floor.world.now)
    floor.customer()
    floor.run(5.0)
    with pytest.raises(IllegalState, match="do not talk"):
        floor.ask()


def test_of_a_page_only_phones_in_pages_are_rung(floor: Floor) -> None:
    wish = Wish(Mode.LISTEN, "sue", "sue", page=True)
    supervision.ask(floor.switch, floor.call.id, wish, floor.world.now)  # hers is registered over UDP
    floor.run(1.0)
    assert floor.told == ["asked", "missed"] and not floor.sue.live


def test_a_pages_account_registers_and_is_rung_and_calls_nobody(floor: Floor) -> None:
    made = floor.switch.page_phones.open("Boss", floor.world.now)
    assert made is not None
    phone = AgentVoice(floor, "10.3.0.9", made.account, [])
    phone.credentials = Credentials(made.account, made.password)
    phone.register()
    floor.run(0.5)
    floor.ask(Mode.BARGE, at=made.account)
    assert floor.hears(p=made.account)["cp"] == 1.0
    phone.call("agent1", made.account, phone.credentials)
    phone.call("*86agent0", made.account, phone.credentials)
    floor.run(2.0)
    refused = [record.reason for record in floor.records]
    assert refused == [EndReason.UNKNOWN_NUMBER] * 2 and len(floor.calls) == 1
    floor.turn(Mode.TAKE_OVER, at=made.account)
    assert floor.call.agent == "Boss", "whose page it is"


def test_a_phone_is_asked_to_answer_by_itself_where_that_is_wanted(floor: Floor) -> None:
    asked: list[str | None] = []
    rung = floor.sue.rung
    floor.sue.rung = lambda event: (  # type: ignore[method-assign]
        asked.append(event.request.headers.get("Answer-Mode")),
        rung(event),
    )
    wish = Wish(Mode.LISTEN, "sue", "boss")
    for wanted in (wish, replace(wish, auto_answer=True)):
        supervision.ask(floor.switch, floor.call.id, wanted, floor.world.now)
        floor.run(2.0)
        supervision.send_off(floor.switch, floor.call.id, "sue", floor.world.now)
        floor.run(1.0)
    assert asked == [None, "Auto"]
    assert floor.sue.shown == ["agent0"] * 2, "whose talk it is"


# --- by phone


def dials(floor: Floor, whom: str = "agent0", name: str = "sue") -> None:
    phone = floor.phones[name]
    phone.session = phone.call(f"*86{whom}", name, phone.credentials)
    floor.run(3.0)


def supervised(floor: Floor):  # type: ignore[no-untyped-def]
    return next(call for call in floor.calls.values() if call.queue is not None)


def test_by_a_code_and_keys_she_goes_through_all_modes(floor: Floor) -> None:
    dials(floor)
    assert len(floor.calls) == 1, "her own call is over"
    assert floor.hears() == HEARD[Mode.LISTEN]
    for digit, mode in (("2", Mode.WHISPER), ("3", Mode.BARGE), ("1", Mode.LISTEN), ("5", Mode.LISTEN)):
        floor.sue.press(digit)
        floor.run(0.5)
        assert floor.hears() == HEARD[mode]
    floor.sue.press("9")
    floor.run(0.5)
    assert floor.hears() == THE_TWO and floor.call.agent == "sue" and not floor.agent.live
    floor.hang_up(floor.caller)
    floor.run(30.0)
    assert not floor.switch.legs and not floor.sue.live
    assert sorted(record.reason for record in floor.records) == [EndReason.COMPLETED, EndReason.TRANSFERRED]


def test_who_supervises_no_such_queue_hears_that_it_cannot_be(floor: Floor) -> None:
    config = floor.switch.config
    sales = {name: replace(each, supervises=("sales",)) for name, each in config.users.items()}
    floor.switch.config = replace(config, users=sales)
    dials(floor)
    assert not supervised(floor).supervisors
    floor.switch.config = replace(
        config, users={n: replace(e, supervises=("support",)) for n, e in sales.items()}
    )
    floor.run(5.0)
    dials(floor)
    assert floor.hears() == HEARD[Mode.LISTEN]


def test_an_agent_without_a_call_and_an_agent_who_may_not_are_refused(floor: Floor) -> None:
    dials(floor, "agent1")
    dials(floor, "nobody", "tom")
    colleague = floor.agents[1]
    colleague.call("*86agent0", "agent1", colleague.credentials)
    floor.run(3.0)
    assert not supervised(floor).supervisors and floor.told == []
    floor.run(20.0)
    assert len(floor.calls) == 1 and len(floor.switch.legs) == 2


def test_a_callers_keys_are_no_supervisors(floor: Floor) -> None:
    floor.ask()
    floor.caller.press("3")
    floor.run(0.5)
    assert floor.hears() == HEARD[Mode.LISTEN]


# --- announced or silent


def told_to(floor: Floor) -> list[str]:
    return [name for name in floor.house.told_to_play if name == supervision.NOTICE]


def test_both_are_told_once_when_she_comes_and_in_a_silent_market_nobody(tmp_path: Path) -> None:
    floor = Floor(tmp_path)
    played: list[int] = []
    send = floor.switch.media.send

    def watched(worker: int, command: object) -> None:
        if isinstance(command, Play) and command.play == 0:
            played.append(command.leg)
        send(worker, command)  # type: ignore[arg-type]

    floor.switch.media.send = watched  # type: ignore[method-assign]
    floor.ask()
    call = floor.call
    assert call.customer is not None and call.party is not None
    assert played == [call.customer.number, call.party.number]
    floor.turn(Mode.BARGE)
    assert len(told_to(floor)) == 2, "once each"
    floor.hang_up(floor.sue)
    market = Market("de-DE", "de", supervision="silent")
    assert supervision.announced(floor.call)
    floor.switch.config = replace(floor.switch.config, markets={"de-DE": market})
    assert not supervision.announced(floor.call)
    floor.ask()
    assert len(played) == 2 and not floor.call.supervisors[0].announced


# --- where legs are


def test_who_dials_in_at_another_worker_is_brought_to_the_calls(tmp_path: Path) -> None:
    floor = Floor(tmp_path, workers=3, scattered=1.0)
    before = floor.house.moves
    assert floor.call.customer is not None
    for _ in range(9):  # until chance has put her somewhere else
        dials(floor)
        if floor.house.moves > before:
            break
        floor.hang_up(floor.sue)
    mine = floor.call.supervisors[0]
    assert floor.house.moves == before + 1 and mine.leg.worker == floor.call.customer.worker
    assert floor.hears() == HEARD[Mode.LISTEN]
    floor.turn(Mode.BARGE)
    assert floor.hears() == HEARD[Mode.BARGE]


def test_a_worker_that_dies_under_her_alone_is_not_the_calls_death(tmp_path: Path) -> None:
    floor = Floor(tmp_path, workers=2)
    floor.ask()
    call = floor.call
    mine, home = call.supervisors[0], call.customer
    assert home is not None
    other = next(each.number for each in floor.house.living if each.number != home.worker)
    floor.switch.media.send = lambda worker, command: None  # type: ignore[method-assign]
    mine.leg.worker = other  # as while she moves
    floor.switch.worker_lost(other, floor.world.now)
    assert not call.ending and not call.supervisors and mine.leg not in call.legs


# --- the table


def test_whatever_happens_to_her_there_is_an_end_to_it() -> None:
    for standing in Standing:
        for what in (What.HUNG_UP, What.SENT_OFF, What.MOVED_ON, What.OVER):
            assert TABLE[standing, what][0] is None
    assert {Sits(mode) for mode in Mode if mode is not Mode.TAKE_OVER} == set(Sits) - {Sits.GUEST}
    assert State.ENDING not in STAYS
