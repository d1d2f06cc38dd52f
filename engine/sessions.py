"""What phones' signalling tells, and which leg of which call it concerns; if it is gone, nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog

from engine import admit, codes, crossed, halves, housing, seat, silence, transfer
from engine.events import EndReason, Side
from engine.leg import Leg
from engine.talking import held_changed, left
from engine.trunk import rescue
from sip import events
from sip.errors import SipError
from sip.registration import LineDown, LineLeft, LineUp

if TYPE_CHECKING:
    from engine.switch import Switch

log = structlog.get_logger("switch")


def _incoming(switch: Switch, event: events.IncomingCall, now: float) -> None:
    came = crossed.arrive if event.identity.kind == "node" else admit.incoming
    came(switch, event, now)


def _provisional(switch: Switch, event: events.Provisional, now: float) -> None:
    leg = switch.sessions.get(event.session.id)
    if leg is not None and leg.attempt is not None:
        leg.attempt.progress(event.session, event.status, event.sdp, now)
        switch.touched(leg.call, now)


def _authorised(switch: Switch, event: events.EarlyMedia, now: float) -> None:
    """What may be heard of a line before its answer is another: what came with it is told by itself."""
    leg = switch.sessions.get(event.session.id)
    if leg is not None and leg.line and leg.attempt is not None and leg.description.agreed:
        leg.attempt.progress(event.session, 183, None, now)


def _answered(switch: Switch, event: events.Answered, now: float) -> None:
    leg = switch.sessions.get(event.session.id)
    if leg is None or leg.attempt is None:
        event.session.hangup(None, now=now)
    else:
        leg.attempt.answered(event.session, event.sdp, now)


def _rejected(switch: Switch, event: events.Rejected, now: float) -> None:
    leg = switch.sessions.pop(event.session.id, None)
    if leg is not None and leg.line and event.restores:
        switch.trunks.enrolment.restore(leg.line, now)
    if leg is not None and leg.attempt is not None:
        leg.attempt.refused(event, now)


def _acknowledged(switch: Switch, event: events.Acknowledged, now: float) -> None:
    leg = switch.sessions.get(event.session.id)
    if leg is not None and event.sdp:
        _take_answer(switch, leg, event.sdp, now)


def _reanswered(switch: Switch, event: events.Reanswered | events.ReofferFailed, now: float) -> None:
    leg = switch.sessions.get(event.session.id)
    if leg is not None:
        silence.answered(leg, now)
        if isinstance(event, events.Reanswered) and event.sdp:
            housing.answered(leg, now)
            _take_answer(switch, leg, event.sdp, now)
            halves.asked_over(leg, now)
        elif leg.moving:
            housing.refused(leg, event, now)


def _take_answer(switch: Switch, leg: Leg, body: bytes, now: float) -> None:
    try:
        leg.take_answer(body)
    except SipError as error:
        log.warning("answer not usable", call=leg.call.id, leg=leg.number, why=str(error))
        if not seat.gone(leg, now):
            leg.call.end(Side.ENGINE, EndReason.NOT_ACCEPTABLE, now)
        return
    leg.update()
    held_changed(leg.call, leg, now)
    switch.touched(leg.call, now)


def _cancelled(switch: Switch, event: events.Cancelled, now: float) -> None:
    leg = switch.sessions.pop(event.session.id, None)
    if leg is not None and leg.session is event.session:
        leg.session = None
        leg.call.end(Side.CUSTOMER, EndReason.ABANDONED, now)


def _ended(switch: Switch, event: events.Ended, now: float) -> None:
    leg = switch.sessions.pop(event.session.id, None)
    if leg is None or leg.session is not event.session:
        return  # we had let it go before it said goodbye
    leg.session = None
    left(leg.call, leg, event.cause, now)


def _reoffered(switch: Switch, event: events.Reoffered, now: float) -> None:
    leg = switch.sessions.get(event.session.id)
    if leg is None:
        event.session.refuse(481, now=now)
        return
    try:
        if event.sdp is not None:
            leg.take_offer(event.sdp)
    except SipError as error:
        event.session.refuse(error.sip_status, now=now)
        return
    leg.when_describable(lambda at: _reply(switch, leg, event, at), now)


def _reply(switch: Switch, leg: Leg, event: events.Reoffered, now: float) -> None:
    """Our answer to an offer, or the offer that was asked for."""
    body = leg.answer() if event.sdp is not None else leg.offer()
    silence.restate(leg, now)
    event.session.accept(body, now=now)
    leg.update()
    held_changed(leg.call, leg, now)
    halves.asked_over(leg, now)
    switch.touched(leg.call, now)


def _referred(switch: Switch, event: events.Referred, now: float) -> None:
    leg = switch.sessions.get(event.session.id)
    if leg is None:
        event.session.refuse_refer(481, now=now)
    else:
        transfer.referred(leg.call, leg, event, now)


def _still_there(switch: Switch, event: events.StillThere, now: float) -> None:
    leg = switch.sessions.get(event.session.id)
    if leg is not None:
        rescue.answered(leg, now)


def _dtmf_info(switch: Switch, event: events.DtmfInfo, now: float) -> None:
    leg = switch.sessions.get(event.session.id)
    if leg is not None and switch.config.media.dtmf.info:
        codes.info(leg, event.digit, now)


def _asked(switch: Switch, event: events.OptionsAnswered, now: float) -> None:
    switch.trunks.answered(event, now)


def _registered(switch: Switch, event: LineUp | LineDown | LineLeft, now: float) -> None:
    switch.trunks.registration(event, now)


TOLD: dict[type, Callable[[Switch, Any, float], None]] = {
    events.IncomingCall: _incoming,
    events.Provisional: _provisional,
    events.EarlyMedia: _authorised,
    events.Answered: _answered,
    events.Rejected: _rejected,
    events.Reserved: admit.reserved,
    events.Acknowledged: _acknowledged,
    events.Cancelled: _cancelled,
    events.Ended: _ended,
    events.Reoffered: _reoffered,
    events.Reanswered: _reanswered,
    events.ReofferFailed: _reanswered,
    events.Referred: _referred,
    events.DtmfInfo: _dtmf_info,
    events.StillThere: _still_there,
    events.OptionsAnswered: _asked,
    **dict.fromkeys((LineUp, LineDown, LineLeft), _registered),
}
