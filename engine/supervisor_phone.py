"""What a supervisor does by her phone alone: a code with an agent's number behind it brings her into that
agent's call, and keys change how she is in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from engine import supervision
from engine.events import EndReason, Side
from engine.supervision import TALKS, Mode, What, Wish
from engine.talking import answer_customer
from engine.views import IllegalState
from routing.number import AgentTarget

if TYPE_CHECKING:
    from engine.call import Call
    from engine.leg import Leg
    from engine.switch import Switch

KEYS = {"1": Mode.LISTEN, "2": Mode.WHISPER, "3": Mode.BARGE, "9": Mode.TAKE_OVER}

log = structlog.get_logger("supervision")


def dial_in(switch: Switch, own: Call, whom: str, now: float) -> bool:
    """Bring who dialled the code and `whom`, an agent's name or number, into that agent's call; False where
    that is not allowed, or not possible.
    """
    leg, found = own.customer, switch.plan.find(whom)
    target = found.destination if found is not None else None
    name = target.name if isinstance(target, AgentTarget) else whom
    calls = [switch.calls[id] for id in switch.acd.calls_of(name) if id in switch.calls]
    call = next((each for each in calls if each is not own and each.state in TALKS), None)
    if call is None or leg is None or not _may(call, leg.account):
        return False
    wish = Wish(Mode.LISTEN, leg.account, leg.account, agent=name)
    try:
        supervision.check(call, wish, now, rung=False)
    except IllegalState as why:
        log.info("a supervisor cannot come in", call=call.id, at=leg.account, why=str(why))
        return False
    if leg.door is not None and call.customer is not None and leg.worker != call.customer.worker:
        return False  # a browser's one port is in another worker; it can be rung instead
    answer_customer(own, now, None)
    if leg.agent:
        switch.acd.move(leg.agent, own.id, call.id)
    call.adopt(leg, Side.AGENT)
    own.end(Side.CUSTOMER, EndReason.TRANSFERRED, now)
    supervision.step(call, supervision.sit(call, wish, leg, now), What.CAME, now)
    return True


def key(leg: Leg, digit: str, now: float) -> None:
    """A key was pressed by somebody beside the two."""
    mine = next((each for each in leg.call.supervisors if each.leg is leg), None)
    if mine is not None and digit in KEYS:
        try:
            supervision.turn(leg.call, mine, KEYS[digit], mine.at, now)
        except IllegalState as why:
            log.info("a key changes nothing", call=leg.call.id, at=mine.at, why=str(why))


def _may(call: Call, account: str) -> bool:
    """Whether the account may dial in: it is named for the call's queue, or for all."""
    known = call.switch.config.accounts.get(account)  # of those in pages none is
    queue = call.queue.name if call.queue is not None else ""
    return known is not None and bool({"*", queue}.intersection(known.supervises))
