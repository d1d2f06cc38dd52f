"""A supervisor in a call: she listens, speaks to the agent alone or to all, or takes the agent's place.

Whom she hears and who hears her stands in engine/seat.py, by her mode; `TABLE` here says what follows from
what. She is rung (engine/summons.py), or comes by a code that she dials (engine/supervisor_phone.py). Up to
MOST are in a call, one of them with a voice. While one of the two waits with music the customer does not hear
her; while the call waits or is handed over she stays with it. Whatever becomes of her, the call goes on; when
it ends, so does her part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import structlog

from engine import housing, seat, silence
from engine.bridge import part
from engine.events import Side
from engine.leg import Media
from engine.seat import Seat, Sits, Who
from engine.states import State, Trigger
from engine.summons import summon
from engine.supervision_events import (
    SupervisionAsked,
    SupervisionBegan,
    SupervisionChanged,
    SupervisionEnded,
    SupervisionMissed,
    TakenOver,
)
from engine.supervision_views import SupervisorView
from engine.talking import drop
from engine.transfer import turn_round
from engine.views import IllegalState, UnknownCall
from media.messages import Play
from media.speech.market import named

if TYPE_CHECKING:
    from engine.attempt import Outcome
    from engine.call import Call
    from engine.leg import Leg
    from engine.switch import Switch

MOST = 3  # of a call
NOTICE = "supervision-notice"
TALKS = (State.TALKING, State.HELD)
STAYS = (*TALKS, State.TRANSFERRING, State.QUEUED, State.OFFERED)

log = structlog.get_logger("supervision")


class Mode(StrEnum):
    LISTEN = "listen"
    WHISPER = "whisper"
    BARGE = "barge"
    TAKE_OVER = "take_over"

    @property
    def speaks(self) -> bool:
        return self is not Mode.LISTEN


class Standing(StrEnum):
    RINGING = "ringing"
    IN = "in"


class What(StrEnum):
    CAME = "came"
    MISSED = "missed"
    HUNG_UP = "hung up"
    SENT_OFF = "sent off"
    MOVED_ON = "call moved on"
    OVER = "call over"


@dataclass(frozen=True, slots=True)
class Wish:
    """at: the account whose phone is rung. page: only one in a page. agent: whose talk, where both are
    agents.
    """

    mode: Mode
    at: str
    by: str
    page: bool = False
    auto_answer: bool = False
    agent: str = ""


@dataclass(kw_only=True)
class Supervisor(Seat):
    """since: in the switch's time. announced: whether the two are told."""

    role: ClassVar[str] = "supervisor"
    keys: ClassVar[bool] = False  # hers are commands, and what customers key in is not for her
    wish: Wish
    mode: Mode
    since: float
    announced: bool
    standing: Standing = Standing.RINGING

    @property
    def at(self) -> str:
        return self.wish.at

    @property
    def name(self) -> str:
        """Who she is, for the record: of a phone in a page, whose page it is."""
        return self.leg.call.switch.page_phones.owner(self.at) or self.at

    @property
    def speaks(self) -> bool:
        return self.mode.speaks

    def gone(self, now: float) -> None:
        step(self.leg.call, self, What.HUNG_UP, now)


# --- asked by the API


def ask(switch: Switch, call_id: str, wish: Wish, now: float) -> None:
    """Ring a supervisor for a call. Raises UnknownCall, and IllegalState with the remedy."""
    call = _call(switch, call_id)
    check(call, wish, now)
    attempt = summon(call, wish.at, _watched(call, wish.agent), page=wish.page, auto_answer=wish.auto_answer)
    mine = sit(call, wish, attempt.leg, now)
    mine.attempt = attempt
    attempt.aside = partial(_told, call, mine)
    call.note(SupervisionAsked, now, who=wish.at, by=wish.by, mode=wish.mode)
    attempt.start(now)


def change(switch: Switch, call_id: str, at: str, mode: Mode, by: str, now: float) -> None:
    """Another mode from now on. Raises UnknownCall, IllegalState."""
    call = _call(switch, call_id)
    turn(call, _supervisor(call, at), mode, by, now)


def send_off(switch: Switch, call_id: str, at: str, now: float) -> None:
    """Hang her up. Raises UnknownCall, IllegalState."""
    call = _call(switch, call_id)
    step(call, _supervisor(call, at), What.SENT_OFF, now)


def look(switch: Switch, call_id: str) -> tuple[SupervisorView, ...]:
    """Raises UnknownCall."""
    return views(_call(switch, call_id))


def views(call: Call) -> tuple[SupervisorView, ...]:
    return tuple(
        SupervisorView(
            at=each.at,
            by=each.wish.by,
            mode=each.mode,
            standing=each.standing,
            since=call.switch.wall(each.since),
            announced=each.announced,
        )
        for each in call.supervisors
    )


# --- told by the call


def reconsider(call: Call, now: float) -> None:
    """The call is in another state, or its legs are."""
    for each in tuple(call.supervisors):
        if call.ending:
            step(call, each, What.OVER, now)
        elif call.state not in STAYS:
            step(call, each, What.MOVED_ON, now)
        elif each.standing is Standing.IN:
            _mix(call, each, now)


# --- what may be


def _call(switch: Switch, call_id: str) -> Call:
    call = switch.calls.get(call_id)
    if call is None:
        raise UnknownCall(f"no call {call_id} is in progress")
    return call


def _supervisor(call: Call, at: str) -> Supervisor:
    found = next((each for each in call.supervisors if each.at == at), None)
    if found is None:
        raise IllegalState(f"{at} is not in this call; ask for her first")
    return found


def check(call: Call, wish: Wish, now: float, *, rung: bool = True) -> None:
    """Raises IllegalState where she cannot come in so."""
    if call.state not in TALKS:
        raise IllegalState("nobody can be listened to now: the two do not talk yet, or not any more")
    if wish.at in {*(leg.account for leg in call.legs), *(each.at for each in call.supervisors)}:
        raise IllegalState(f"{wish.at} is in this call already")
    if len(call.supervisors) >= MOST:
        raise IllegalState(f"{MOST} supervisors are in this call, which is the most; send one off first")
    if rung and not _reachable(call.switch, wish.at, now):
        raise IllegalState(f"no phone of {wish.at} is registered; register one, or open the page again")
    _check_voice(call, wish.mode, None)
    if wish.mode is Mode.TAKE_OVER:
        _check_take_over(call)


def _reachable(switch: Switch, account: str, now: float) -> bool:
    if switch.registrations.lookup(switch.aor(account).aor, now):
        return True
    return switch.between is not None and switch.between.sharing.find(account) is not None


def _check_voice(call: Call, mode: Mode, mine: Supervisor | None) -> None:
    other = next((each for each in call.supervisors if each is not mine and each.speaks), None)
    if mode.speaks and other is not None:
        raise IllegalState(f"{other.at} speaks in this call already; listen, or ask her to")


def _check_take_over(call: Call) -> None:
    if call.origin is not None:
        raise IllegalState(f"the call is that of node {call.origin.node}: take it over there")
    if call.state not in TALKS or call.lost is not None or call.attempt is not None:
        raise IllegalState("the call is being handed over or called again; ask again in a moment")


def _watched(call: Call, agent: str) -> str:
    """The agent's name, or what else the other side is called."""
    leg = seat.pair(call, agent)[1]
    return (leg.agent or leg.name) if leg is not None else ""


def announced(call: Call) -> bool:
    """Whether the two are told of a supervisor, as their market has it."""
    market = named(call.switch.config.markets, call.market)
    return market is None or market.supervision != "silent"


def sit(call: Call, wish: Wish, leg: Leg, now: float) -> Supervisor:
    told = announced(call)
    mine = Supervisor(leg=leg, attempt=None, wish=wish, mode=wish.mode, since=now, announced=told)
    call.supervisors.append(mine)
    return mine


def _told(call: Call, mine: Supervisor, trigger: Trigger, now: float, what: Any) -> None:
    """What the attempt to ring her tells."""
    if trigger is Trigger.ANSWERED:
        step(call, mine, What.CAME, now)
    elif trigger is Trigger.FAILED:
        outcome: Outcome = what
        call.note(SupervisionMissed, now, who=mine.at, status=outcome.status)
        step(call, mine, What.MISSED, now)


# --- modes


def turn(call: Call, mine: Supervisor, mode: Mode, by: str, now: float) -> None:
    """Raises IllegalState."""
    if mode is mine.mode:
        return
    _check_voice(call, mode, mine)
    if mode is Mode.TAKE_OVER:
        _check_take_over(call)
        if mine.standing is Standing.IN:
            _take_over(call, mine, by, now)
            return
    mine.mode = mode
    call.note(SupervisionChanged, now, who=mine.at, by=by, mode=mode)
    reconsider(call, now)


def _take_over(call: Call, mine: Supervisor, by: str, now: float) -> None:
    """She is the agent from now on; who was is let go, and has the time after a call."""
    leg = mine.leg
    mine.mix({})
    call.supervisors.remove(mine)
    if seat.pair(call, mine.wish.agent)[1] is call.customer:  # an agent who called is the one who is released
        turn_round(call, now)
    old = call.party
    assert call.customer is not None and old is not None
    part(call, call.customer, old)
    call.note(TakenOver, now, who=mine.at, by=by, agent=old.agent)
    leg.name = mine.name
    call.agent = leg.agent or mine.name
    call.held_by.discard(Side.AGENT)
    drop(call, old, now)
    call.fire(Trigger.TAKEN, now, leg)


# --- the table at work


def step(call: Call, mine: Supervisor, what: What, now: float) -> None:
    row = TABLE.get((mine.standing, what)) if mine in call.supervisors else None
    if row is None:
        return
    after, actions = row
    if after is None:
        call.supervisors.remove(mine)
    else:
        mine.standing = after
    for action in actions:
        action(call, mine, what, now)
    reconsider(call, now)  # the others may hear another voice


def _begin(call: Call, mine: Supervisor, what: What, now: float) -> None:
    mine.since = now
    takes = mine.mode is Mode.TAKE_OVER
    if takes:
        mine.mode = Mode.LISTEN
        try:
            _check_take_over(call)
        except IllegalState as why:
            takes = False
            log.info("not taken over", call=call.id, at=mine.at, why=str(why))
    announced = mine.announced and not takes
    call.note(SupervisionBegan, now, who=mine.at, by=mine.wish.by, mode=mine.mode, announced=announced)
    silence.reconsider(mine.leg, now)
    if announced:
        _announce(call, mine)
    if takes:
        _take_over(call, mine, mine.wish.by, now)


def _announce(call: Call, mine: Supervisor) -> None:
    """Both hear it over what they hear, each in her own language."""
    config, prompts = call.switch.config, call.switch.prompts
    customer, agent = seat.pair(call, mine.wish.agent)
    known = config.agents.get(agent.agent) if agent is not None else None
    hers = known.languages[0] if known is not None and known.languages else config.language.agents
    for leg, language in ((customer, call.language), (agent, hers)):
        if leg is not None:
            leg.play(Play(leg.number, 0, [prompts.path(language, NOTICE)]))  # 0: nothing waits for its end


def _mix(call: Call, mine: Supervisor, now: float) -> None:
    """Let her hear, and be heard, wherever everybody's sound is by now."""
    leg, home = mine.leg, call.customer
    if home is not None and leg.worker != home.worker and not leg.moving:
        if leg.door is not None:
            step(call, mine, What.MOVED_ON, now)
            return
        mine.edges = {}
        housing.move(leg, home.worker)
    people = {**seat.present(call, leg.worker, mine.wish.agent), Who.ME: leg.number}
    voice = next((each for each in call.supervisors if each is not mine and each.speaks), None)
    if voice is not None and voice.standing is Standing.IN and voice.leg.worker == leg.worker:
        people[Who.VOICE] = voice.leg.number
    deaf = set() if seat.together(call) else {Who.CUSTOMER, Who.GUEST}
    mine.mix(seat.edges(Sits(mine.mode), people, deaf))


def _part(call: Call, mine: Supervisor, what: What, now: float) -> None:
    mine.mix({})


def _drop(call: Call, mine: Supervisor, what: What, now: float) -> None:
    leg = mine.leg
    drop(call, leg, now)
    if leg in call.legs and leg.media in (Media.NONE, Media.CLOSED):  # no worker will say that it is closed
        call.discard(leg)


def _tell(call: Call, mine: Supervisor, what: What, now: float) -> None:
    call.note(SupervisionEnded, now, who=mine.at, why=what.value)


Action = Callable[["Call", Supervisor, What, float], None]

TABLE: Mapping[tuple[Standing, What], tuple[Standing | None, tuple[Action, ...]]] = {
    (Standing.RINGING, What.CAME): (Standing.IN, (_begin,)),
    (Standing.RINGING, What.MISSED): (None, (_drop,)),
    (Standing.RINGING, What.HUNG_UP): (None, (_drop, _tell)),
    (Standing.RINGING, What.SENT_OFF): (None, (_drop, _tell)),
    (Standing.RINGING, What.MOVED_ON): (None, (_drop, _tell)),
    (Standing.RINGING, What.OVER): (None, (_drop, _tell)),
    (Standing.IN, What.HUNG_UP): (None, (_part, _drop, _tell)),
    (Standing.IN, What.SENT_OFF): (None, (_part, _drop, _tell)),
    (Standing.IN, What.MOVED_ON): (None, (_part, _drop, _tell)),
    (Standing.IN, What.OVER): (None, (_drop, _tell)),
}
