"""What people do with their phones besides talking: feature codes, keys while waiting, registering."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import guest, recording, seat, supervisor_phone
from engine.events import DigitPressed
from engine.probe.ticket import pressed
from engine.states import WAITING, State, Trigger
from engine.views import IllegalState
from media.messages import SendDtmf
from routing.agent import AgentEvent, AgentState, IllegalTransition
from routing.number import Feature, FeatureCode
from sip.registrar import Registered, Unregistered

if TYPE_CHECKING:
    from engine.call import Call
    from engine.leg import Leg
    from engine.switch import Switch

EVENTS = {
    Feature.LOGIN: AgentEvent.LOGIN,
    Feature.LOGOUT: AgentEvent.LOGOUT,
    Feature.PAUSE: AgentEvent.PAUSE,
    Feature.RESUME: AgentEvent.RESUME,
    Feature.WRAP_UP_OVER: AgentEvent.WRAP_UP_OVER,
}
PROMPTS = {
    Feature.LOGIN: "agent-logged-in",
    Feature.LOGOUT: "agent-logged-out",
    Feature.PAUSE: "agent-paused",
    Feature.RESUME: "agent-resumed",
    Feature.WRAP_UP_OVER: "agent-wrap-up-over",
}

RECORDING = {Feature.PAUSE_RECORDING: "recording-paused", Feature.RESUME_RECORDING: "recording-resumed"}


def feature(switch: Switch, call: Call, code: FeatureCode, now: float) -> str:
    """Do what a phone's code asks; the prompt that confirms or refuses it, "" where the phone is in another
    call from now on.
    """
    wanted = code.feature
    if wanted is Feature.SUPERVISE:
        return "" if supervisor_phone.dial_in(switch, call, code.of, now) else "agent-not-possible"
    if wanted in RECORDING:
        return _record(switch, call, wanted, now)
    if wanted is Feature.INTERPRETER:
        return _interpret(switch, call, now)
    try:
        switch.acd.agent_event(call.caller, EVENTS[wanted], now, reason="phone")
    except (KeyError, IllegalTransition):
        return "agent-not-possible"
    return PROMPTS[wanted]


def _record(switch: Switch, call: Call, wanted: Feature, now: float) -> str:
    """Pause or resume the recordings of the agent's other calls."""
    paused = wanted is Feature.PAUSE_RECORDING
    others = [switch.calls[id] for id in switch.acd.calls_of(call.caller) if id in switch.calls]
    recorded = [other for other in others if other is not call and other.recording is not None]
    for other in recorded:
        recording.pause(other, paused, now, call.caller)
    return RECORDING[wanted] if recorded else "agent-not-possible"


def _interpret(switch: Switch, call: Call, now: float) -> str:
    """Ring the interpreter of the agent's other call."""
    others = [switch.calls[id] for id in switch.acd.calls_of(call.caller) if id in switch.calls]
    for other in others:
        if other is not call and other.queue is not None and other.queue.speech.interpreter:
            try:
                guest.ask(switch, other.id, other.queue.speech.interpreter, call.caller, now)
            except IllegalState:
                return "agent-not-possible"
            return "connecting"
    return "agent-not-possible"


def digit(leg: Leg, key: str, now: float) -> None:
    """A key was pressed at a leg."""
    call = leg.call
    if seat.of(leg) is not None:
        supervisor_phone.key(leg, key, now)
        return
    call.note(DigitPressed, now, side=leg.side)
    pressed(call.probed, key)
    if leg is call.customer and call.state in WAITING and call.queue and key == call.queue.leave_key:
        call.fire(Trigger.LEAVE_KEY, now)


def info(leg: Leg, key: str, now: float) -> None:
    """A key was told in SIP INFO; the phone at the other end is told in RTP, which all understand."""
    digit(leg, key, now)
    if seat.of(leg) is not None:
        return
    call, other = leg.call, leg.call.other(leg)
    if call.state is State.TALKING and other is not None:
        ms = call.switch.config.media.dtmf.digit_ms
        call.switch.media.send(other.worker, SendDtmf(other.number, key, ms))


def registration_changed(switch: Switch, event: object, now: float) -> None:
    """A phone came or went; an agent without one is offered nothing."""
    if not isinstance(event, Registered | Unregistered):
        return
    name = event.aor.removeprefix("sip:").partition("@")[0]
    agent = switch.acd.agents.get(name)
    if agent is None:
        return
    there = bool(switch.registrations.lookup(event.aor, now))
    if there != agent.registered:
        switch.acd.agent_event(name, AgentEvent.REGISTERED if there else AgentEvent.UNREGISTERED, now)


__all__ = ["AgentEvent", "AgentState", "digit", "feature", "info", "registration_changed"]
