"""An agent's day as a table: who may be offered a call now, and what each event makes of that.

`Agent` is a frozen value; `apply` returns the next one or raises `IllegalTransition` with the remedy in
words. All times are seconds on the caller's monotonic clock.

What the table decides, in the field's terms:

- An agent who misses or refuses a call goes to the back of the idle order, and is paused after `max_misses`
  in a row (redirection on no answer, RONA). Refusing counts: a phone on do-not-disturb would otherwise be
  rung for ever.
- A caller who hangs up while the phone rings costs the agent nothing: she keeps her place in the idle order.
- Logging out or pausing during an offer or a call takes effect after it (`pending`); logging in or resuming
  before then takes it back.
- Wrap-up belongs to the agent: during it no queue offers her a call.
- Registration is a fact beside the state: without a phone she stays logged in but is not `free`.
- `CALL_BEGAN` is a call that no queue offered (dialled by her, or to her own number). An agent has one state
  for all her legs: the engine says `CALL_ENDED` when the last of them is gone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, StrEnum

MISSED_TOO_OFTEN = "missed calls"
NO_PHONE = "no phone registered"


class AgentState(StrEnum):
    LOGGED_OUT = "logged_out"
    AVAILABLE = "available"
    OFFERED = "offered"
    TALKING = "talking"
    WRAP_UP = "wrap_up"
    PAUSED = "paused"


class AgentEvent(StrEnum):
    LOGIN = "login"
    LOGOUT = "logout"
    PAUSE = "pause"
    RESUME = "resume"
    OFFER = "offer"
    ACCEPT = "accept"
    MISS = "miss"
    REFUSE = "refuse"
    CALL_BEGAN = "call_began"
    CALL_ENDED = "call_ended"
    WRAP_UP_OVER = "wrap_up_over"
    REGISTERED = "registered"
    UNREGISTERED = "unregistered"


@dataclass(frozen=True, slots=True)
class Offer:
    """A call offered to an agent, on its queue's terms. Durations in seconds; `max_misses` 0 never pauses."""

    call: str
    queue: str = ""
    ring_timeout_s: float = 20.0
    wrap_up_s: float = 0.0
    max_misses: int = 0


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent now. `since` is when the state began, `idle_since` her place in the longest-idle order.

    node: the other node where she is, "" for this one.
    """

    name: str
    queues: tuple[str, ...] = ()
    state: AgentState = AgentState.LOGGED_OUT
    since: float = 0.0
    idle_since: float = 0.0
    misses: int = 0
    reason: str = ""
    pending: AgentState | None = None
    pending_reason: str = ""
    offer: Offer | None = None
    registered: bool = False
    auto_login: bool = False
    node: str = ""

    @property
    def free(self) -> bool:
        """Whether a queue may offer her a call this instant."""
        return self.state is AgentState.AVAILABLE and self.registered

    @property
    def working(self) -> bool:
        """Whether she takes calls at present: free, being offered one, in one, or wrapping one up."""
        return self.registered and self.state not in (AgentState.LOGGED_OUT, AgentState.PAUSED)

    @property
    def call(self) -> str:
        """The call she is offered or in; empty when there is none."""
        busy = self.state in (AgentState.OFFERED, AgentState.TALKING)
        return self.offer.call if busy and self.offer else ""

    def idle_s(self, now: float) -> float:
        return max(0.0, now - self.idle_since)


class IllegalTransition(Exception):
    """The event means nothing in this state; `remedy` says, to the person, what to do instead."""

    def __init__(self, agent: str, state: AgentState, event: AgentEvent, remedy: str) -> None:
        super().__init__(f"agent {agent}: {event.value} while {state.value.replace('_', ' ')}: {remedy}")
        self.agent = agent
        self.state = state
        self.event = event
        self.remedy = remedy


class Next(Enum):
    """A next state that depends on the agent, decided in `_destination`."""

    SAME = "same"
    AFTER_MISS = "pending, or paused after too many misses, or available"
    AFTER_OFFER = "pending, or available"
    AFTER_CALL = "pending, or wrap-up, or available"
    FIRST_PHONE = "available when she logs in by registering, else the same"


class Do(Enum):
    """What else changes with the state."""

    GO_IDLE = "to the back of the idle order"
    FORGIVE = "forget earlier misses"
    COUNT_MISS = "one more miss in a row"
    NOTE = "keep the reason given"
    TAKE = "keep the offer's terms"
    PEND_LOGOUT = "log out after the call"
    PEND_PAUSE = "pause after the call"
    UNPEND = "take back what was pending"
    RETURN_HERE = "come back to this state after the call"
    PHONE = "a phone is registered"
    NO_PHONE = "no phone is registered"


_OUT, _FREE, _OFFERED, _TALKING, _WRAP, _PAUSED = AgentState
_E = AgentEvent

TABLE: dict[tuple[AgentState, AgentEvent], tuple[AgentState | Next, tuple[Do, ...]]] = {
    # state     event                next state        what else
    (_OUT, _E.LOGIN): (_FREE, (Do.FORGIVE, Do.GO_IDLE)),
    (_OUT, _E.LOGOUT): (Next.SAME, ()),
    (_OUT, _E.CALL_BEGAN): (_TALKING, (Do.TAKE, Do.RETURN_HERE)),
    (_OUT, _E.REGISTERED): (Next.FIRST_PHONE, (Do.PHONE,)),
    (_OUT, _E.UNREGISTERED): (Next.SAME, (Do.NO_PHONE,)),
    (_FREE, _E.LOGIN): (Next.SAME, ()),
    (_FREE, _E.LOGOUT): (_OUT, (Do.NOTE,)),
    (_FREE, _E.PAUSE): (_PAUSED, (Do.NOTE,)),
    (_FREE, _E.RESUME): (Next.SAME, ()),
    (_FREE, _E.OFFER): (_OFFERED, (Do.TAKE,)),
    (_FREE, _E.CALL_BEGAN): (_TALKING, (Do.TAKE,)),
    (_FREE, _E.REGISTERED): (Next.SAME, (Do.PHONE,)),
    (_FREE, _E.UNREGISTERED): (Next.SAME, (Do.NO_PHONE,)),
    (_OFFERED, _E.ACCEPT): (_TALKING, (Do.FORGIVE,)),
    (_OFFERED, _E.MISS): (Next.AFTER_MISS, (Do.COUNT_MISS, Do.GO_IDLE)),
    (_OFFERED, _E.REFUSE): (Next.AFTER_MISS, (Do.COUNT_MISS, Do.GO_IDLE)),
    (_OFFERED, _E.CALL_ENDED): (Next.AFTER_OFFER, ()),
    (_OFFERED, _E.LOGIN): (Next.SAME, (Do.UNPEND,)),
    (_OFFERED, _E.RESUME): (Next.SAME, (Do.UNPEND,)),
    (_OFFERED, _E.LOGOUT): (Next.SAME, (Do.PEND_LOGOUT,)),
    (_OFFERED, _E.PAUSE): (Next.SAME, (Do.PEND_PAUSE,)),
    (_OFFERED, _E.REGISTERED): (Next.SAME, (Do.PHONE,)),
    (_OFFERED, _E.UNREGISTERED): (Next.SAME, (Do.NO_PHONE,)),
    (_TALKING, _E.CALL_ENDED): (Next.AFTER_CALL, (Do.GO_IDLE,)),
    (_TALKING, _E.CALL_BEGAN): (Next.SAME, ()),
    (_TALKING, _E.LOGIN): (Next.SAME, (Do.UNPEND,)),
    (_TALKING, _E.RESUME): (Next.SAME, (Do.UNPEND,)),
    (_TALKING, _E.LOGOUT): (Next.SAME, (Do.PEND_LOGOUT,)),
    (_TALKING, _E.PAUSE): (Next.SAME, (Do.PEND_PAUSE,)),
    (_TALKING, _E.REGISTERED): (Next.SAME, (Do.PHONE,)),
    (_TALKING, _E.UNREGISTERED): (Next.SAME, (Do.NO_PHONE,)),
    (_WRAP, _E.WRAP_UP_OVER): (_FREE, (Do.GO_IDLE,)),
    (_WRAP, _E.RESUME): (_FREE, (Do.GO_IDLE,)),
    (_WRAP, _E.LOGIN): (Next.SAME, ()),
    (_WRAP, _E.LOGOUT): (_OUT, (Do.NOTE,)),
    (_WRAP, _E.PAUSE): (_PAUSED, (Do.NOTE,)),
    (_WRAP, _E.CALL_BEGAN): (_TALKING, (Do.TAKE,)),
    (_WRAP, _E.REGISTERED): (Next.SAME, (Do.PHONE,)),
    (_WRAP, _E.UNREGISTERED): (Next.SAME, (Do.NO_PHONE,)),
    (_PAUSED, _E.RESUME): (_FREE, (Do.FORGIVE, Do.GO_IDLE)),
    (_PAUSED, _E.PAUSE): (Next.SAME, (Do.NOTE,)),
    (_PAUSED, _E.LOGOUT): (_OUT, (Do.NOTE,)),
    (_PAUSED, _E.CALL_BEGAN): (_TALKING, (Do.TAKE, Do.RETURN_HERE)),
    (_PAUSED, _E.REGISTERED): (Next.SAME, (Do.PHONE,)),
    (_PAUSED, _E.UNREGISTERED): (Next.SAME, (Do.NO_PHONE,)),
}

REMEDIES: dict[tuple[AgentState, AgentEvent], str] = {
    (_OUT, _E.PAUSE): "log in first",
    (_OUT, _E.RESUME): "log in first",
    (_OUT, _E.WRAP_UP_OVER): "log in first",
    (_PAUSED, _E.LOGIN): "already logged in and paused; resume instead",
    (_PAUSED, _E.WRAP_UP_OVER): "there is no wrap-up to end; resume instead",
    (_FREE, _E.WRAP_UP_OVER): "there is no wrap-up to end; calls are already being offered",
    (_TALKING, _E.WRAP_UP_OVER): "the call is still on; hang up first",
    (_OFFERED, _E.WRAP_UP_OVER): "a call is ringing; answer it or let it pass",
    (_OFFERED, _E.CALL_BEGAN): "a call is ringing; answer it or refuse it first",
}


def apply(
    agent: Agent, event: AgentEvent, now: float, *, reason: str = "", offer: Offer | None = None
) -> Agent:
    """The agent after `event`. `reason` goes with PAUSE and LOGOUT, `offer` with OFFER and CALL_BEGAN.

    Raises IllegalTransition when the table has no such row, or an agent without a phone is offered a call.
    """
    row = TABLE.get((agent.state, event))
    if row is None:
        remedy = REMEDIES.get((agent.state, event), "this can only happen to a call she is offered or in")
        if event is AgentEvent.OFFER:
            remedy = "choose an agent who is free"
        raise IllegalTransition(agent.name, agent.state, event, remedy)
    if event is AgentEvent.OFFER and not agent.registered:
        raise IllegalTransition(agent.name, agent.state, event, "register a phone first")
    target, actions = row
    changed = agent
    for action in actions:
        changed = _act(changed, action, now, reason, offer)
    return _enter(changed, _destination(agent, changed, target), now)


def next_timeout(agent: Agent) -> float | None:
    """When this state ends by itself, as an offer and wrap-up do; None when it does not."""
    if agent.offer is None:
        return None
    if agent.state is AgentState.OFFERED:
        return agent.since + agent.offer.ring_timeout_s
    if agent.state is AgentState.WRAP_UP:
        return agent.since + agent.offer.wrap_up_s
    return None


def due(agent: Agent, now: float) -> AgentEvent | None:
    """The event that time has brought: MISS or WRAP_UP_OVER; None when nothing is due yet."""
    deadline = next_timeout(agent)
    if deadline is None or now < deadline:
        return None
    return AgentEvent.MISS if agent.state is AgentState.OFFERED else AgentEvent.WRAP_UP_OVER


def _act(agent: Agent, action: Do, now: float, reason: str, offer: Offer | None) -> Agent:
    match action:
        case Do.GO_IDLE:
            return replace(agent, idle_since=now)
        case Do.FORGIVE:
            return replace(agent, misses=0)
        case Do.COUNT_MISS:
            return replace(agent, misses=agent.misses + 1)
        case Do.NOTE:
            return replace(agent, reason=reason)
        case Do.TAKE:
            return replace(agent, offer=offer or Offer(call=""))
        case Do.PEND_LOGOUT:
            return replace(agent, pending=AgentState.LOGGED_OUT, pending_reason=reason)
        case Do.PEND_PAUSE:
            return replace(agent, pending=AgentState.PAUSED, pending_reason=reason)
        case Do.UNPEND:
            return replace(agent, pending=None, pending_reason="")
        case Do.RETURN_HERE:
            return replace(agent, pending=agent.state, pending_reason=agent.reason)
        case Do.PHONE:
            return agent if agent.registered else replace(agent, registered=True, idle_since=now)
        case Do.NO_PHONE:
            return replace(agent, registered=False)


def _destination(before: Agent, agent: Agent, target: AgentState | Next) -> AgentState:
    """The state that `target` comes to for this agent; `agent` has the actions done already."""
    if isinstance(target, AgentState):
        return target
    if target is Next.SAME:
        return agent.state
    if target is Next.FIRST_PHONE:
        logs_in = agent.auto_login and not before.registered
        return AgentState.AVAILABLE if logs_in else agent.state
    if agent.pending is not None:
        return agent.pending
    terms = agent.offer or Offer(call="")
    if target is Next.AFTER_MISS and 0 < terms.max_misses <= agent.misses:
        return AgentState.PAUSED
    if target is Next.AFTER_CALL and terms.wrap_up_s > 0:
        return AgentState.WRAP_UP
    return AgentState.AVAILABLE


def _enter(agent: Agent, state: AgentState, now: float) -> Agent:
    """Move to `state`: the time it began, and nothing kept that belonged to the state left behind."""
    if state is agent.state:
        return agent
    leaving_call = agent.state in (AgentState.OFFERED, AgentState.TALKING)
    reason = agent.reason if state in (AgentState.PAUSED, AgentState.LOGGED_OUT) else ""
    if leaving_call and state is agent.pending:
        reason = agent.pending_reason
    elif leaving_call and state is AgentState.PAUSED:
        reason = MISSED_TOO_OFTEN
    still_in_call = state in (AgentState.OFFERED, AgentState.TALKING)
    return replace(
        agent,
        state=state,
        since=now,
        reason=reason,
        pending=agent.pending if still_in_call else None,
        pending_reason=agent.pending_reason if still_in_call else "",
        offer=agent.offer if still_in_call or state is AgentState.WRAP_UP else None,
    )
