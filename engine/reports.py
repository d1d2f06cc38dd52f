"""What media workers and the gate report, and which leg of which call it concerns; if it is gone, nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog

from engine import (
    absence,
    admit,
    codes,
    crossed,
    halves,
    housing,
    network,
    recording,
    seat,
    silence,
    transfer,
)
from engine.events import EndReason, Side
from engine.leg import Leg, Media
from engine.states import Trigger
from engine.talking import drop, left
from engine.trunk import muteness, rescue
from media import gate
from media import messages as words

if TYPE_CHECKING:
    from engine.switch import Switch

GOODBYE_S = 2.0  # that a BYE may come after the good-bye of DTLS

log = structlog.get_logger("switch")


def _opened(switch: Switch, event: words.LegOpened, now: float) -> None:
    leg = switch.legs.get(event.leg)
    if leg is None or leg.media is not Media.OPENING:
        return
    leg.media, leg.port = Media.OPEN, event.port
    if leg.door is not None:
        leg.door.open((leg.door.gate.address, event.port))
    leg.when_describable(lambda at: _go_on(leg, at), now)


def _go_on(leg: Leg, now: float) -> None:
    """All is there that can be said of the leg: on with its call."""
    if leg.attempt is not None:
        leg.attempt.leg_opened(now)
    elif leg.moving:
        housing.opened(leg, now)
        recording.opened(leg, now)
        switch = leg.call.switch
        switch.speech.reconsider(leg.call, now)
        silence.reconsider(leg, now)
    elif leg.replaces is not None:
        transfer.replace_leg(leg.call, leg, leg.replaces, now)
    elif leg is leg.call.customer:
        ready = admit.ready if leg.call.origin is None else crossed.ready
        ready(leg.call, now)


def _failed(switch: Switch, event: words.LegFailed, now: float) -> None:
    leg = switch.legs.get(event.leg)
    if leg is None:
        return
    log.warning("media leg failed", call=leg.call.id, leg=leg.number, why=event.reason)
    if leg.media is not Media.OPENING:
        return
    switch.legs.pop(leg.number)
    leg.media = Media.CLOSED
    if leg.attempt is not None:
        leg.attempt.leg_failed(now)
    elif leg.replaces is not None:
        transfer.refuse_leg(leg.call, leg, 503, now)
    elif not seat.gone(leg, now):
        leg.call.end(Side.ENGINE, EndReason.OVERLOAD, now, refusal=503)


def _closed(switch: Switch, event: words.LegClosed, now: float) -> None:
    leg = switch.legs.pop(event.leg, None)
    if leg is not None:
        leg.stats = event.stats
        for watcher in switch.figure_observers:
            watcher(leg, event.stats, now)
        for observer in switch.leg_observers:
            observer(leg.side, event.stats)
        leg.call.leg_closed(leg, now)


def _played(leg: Leg, event: words.PlayDone, now: float) -> None:
    if event.play < 0:
        leg.call.switch.speech.played(leg, event.play, now)
        return
    leg.call.played(leg, event.play, event.completed or event.interrupted, now)


def _rtp(leg: Leg, event: words.RtpStarted | words.RtpStopped, now: float) -> None:
    if isinstance(event, words.RtpStarted):
        muteness.started(leg, now)
    silence.told(leg, event, now)
    rescue.told(leg, event, now)
    absence.reconsider(leg, now)
    halves.heard(leg, now)


def _digit(leg: Leg, event: words.Dtmf, now: float) -> None:
    codes.digit(leg, event.digit, now)


# --- browsers' doors ----------------------------------------------------------------------------------


def _door_opened(leg: Leg, event: gate.DoorOpened, now: float) -> None:
    if leg.door is not None and leg.media is Media.OPEN:
        leg.door.was_opened(event, now)


def _door_secured(leg: Leg, event: gate.DoorSecured, now: float) -> None:
    if leg.door is not None:
        leg.door.was_reached(event)
        leg.reached()
        absence.found(leg, now)


def _door_moved(leg: Leg, event: gate.DoorMoved, now: float) -> None:
    if leg.door is not None:
        leg.door.was_reached(event)
        leg.update()
        absence.reconsider(leg, now)


def _door_quiet(leg: Leg, event: gate.DoorQuiet, now: float) -> None:
    if leg.door is not None:
        leg.door.quiet = True
        absence.reconsider(leg, now)


def _door_lost(leg: Leg, event: gate.DoorLost, now: float) -> None:
    """One that gave no consent for long may be found yet: its door stays as long as its place is kept."""
    if leg.door is None:
        return
    leg.door.quiet = True
    if event.reason == "closed":
        leg.call.arm_action(f"gone {leg.number}", GOODBYE_S, lambda at: _said_goodbye(leg, at), now)
    elif event.reason != "consent" or not absence.gone(leg, now):
        door_lost(leg, event.reason, now)


def _said_goodbye(leg: Leg, now: float) -> None:
    """Whoever cannot come back has hung up, even where the signalling does not come to say so."""
    if not (leg.manner.returns and absence.gone(leg, now)):
        left(leg.call, leg, "", now)


def gate_died(leg: Leg, now: float) -> None:
    """Who talks goes on without it, and comes back by the next one once that way breaks."""
    assert leg.door is not None
    if not leg.connected or not leg.call.switch.config.media.webrtc.resume_s:
        door_lost(leg, "the gate died", now)
        return
    leg.door.lose()
    if leg.door.keys is None:
        absence.gone(leg, now)
    else:
        absence.reconsider(leg, now)


def door_lost(leg: Leg, why: str, now: float) -> None:
    """There is no way to the leg's browser any more, or there never was."""
    log.warning("browser not reached", call=leg.call.id, leg=leg.number, why=why)
    leg.shut_door()
    if leg.attempt is not None:
        leg.attempt.leg_failed(now)
    elif leg is leg.call.customer:
        leg.call.end(Side.ENGINE, EndReason.MEDIA_LOST, now, refusal=503)
    elif leg is leg.call.party or leg is leg.call.transferor:
        leg.call.fire(Trigger.PARTY_LEFT, now, EndReason.MEDIA_LOST)
    elif not seat.gone(leg, now):
        drop(leg.call, leg, now)


def _figures(switch: Switch, event: words.Stats, now: float) -> None:
    for stats in event.legs:
        leg = switch.legs.get(stats.leg)
        if leg is not None:
            leg.stats = stats
            for observer in switch.figure_observers:
                observer(leg, stats, now)


def _of_leg(act: Callable[[Leg, Any, float], None]) -> Callable[[Switch, Any, float], None]:
    """Let `act` have what is told of a leg that is still there."""

    def handle(switch: Switch, event: Any, now: float) -> None:
        leg = switch.legs.get(event.leg)
        if leg is not None:
            act(leg, event, now)

    return handle


REPORTS: dict[type, Callable[[Switch, Any, float], None]] = {
    words.LegOpened: _opened,
    words.LegFailed: _failed,
    words.LegClosed: _closed,
    words.PlayDone: _of_leg(_played),
    words.Dtmf: _of_leg(_digit),
    words.RtpStarted: _of_leg(_rtp),
    words.RtpStopped: _of_leg(_rtp),
    words.Trouble: _of_leg(network.troubled),
    words.Wish: _of_leg(network.wished),
    words.Stats: _figures,
    gate.DoorOpened: _of_leg(_door_opened),
    gate.DoorSecured: _of_leg(_door_secured),
    gate.DoorMoved: _of_leg(_door_moved),
    gate.DoorQuiet: _of_leg(_door_quiet),
    gate.DoorLost: _of_leg(_door_lost),
}
