"""What workers tell of a leg's network: troubles, put into the journal, and wishes for another codec.

A wish becomes a re-INVITE that puts the codec first, at most one a minute and leg, and no more of them once
the far end has let some pass. Troubles of a phone that is not connected yet wait: while it rings, silence is
no trouble.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.events import CodecWished, LegTroubled

if TYPE_CHECKING:
    from engine.leg import Leg
    from media.messages import Profile, Trouble, Wish

AGAIN_S = 60.0  # between two wishes of a leg that are followed
IN_VAIN = 3  # re-INVITEs without effect after which a leg is left as it is
LATER_S = 3.0  # after which a phone that rang is looked at again


@dataclass(slots=True)
class Network:
    """What is known of one leg's. troubles: cause by kind, of those that go on; told: kinds that the journal
    has. asked: codec of the newest re-INVITE, at: when; vain: how many were without effect.
    """

    troubles: dict[str, Trouble]
    told: set[str]
    asked: str = ""
    at: float = float("-inf")
    vain: int = 0


def fresh() -> Network:
    """Of a leg that nothing is known of."""
    return Network({}, set())


def profile(leg: Leg) -> Profile:
    """What the leg's stream may cost: its line's word, else its region's, else the node's."""
    call = leg.call
    settings, line = call.switch.config.media.network, call.switch.config.lines.get(call.source)
    own = line.profile if line is not None and leg is call.customer else None
    return own or settings.regions.get(call.region, settings.profile)


# --- troubles ---------------------------------------------------------------------------------------


def troubled(leg: Leg, event: Trouble, now: float) -> None:
    """A worker recognised a trouble, or found it over."""
    if not event.over:
        leg.network.troubles[event.kind] = event
        _tell(leg, event.kind, now)
        return
    leg.network.troubles.pop(event.kind, None)
    if event.kind in leg.network.told:
        leg.network.told.discard(event.kind)
        _note(leg, event, now)


def _tell(leg: Leg, kind: str, now: float) -> None:
    """Put a trouble into the journal as soon as its phone is connected, if it has not passed by then."""
    event, timer = leg.network.troubles.get(kind), f"trouble {leg.number} {kind}"
    if event is None or kind in leg.network.told:
        return
    if leg.connected:
        leg.network.told.add(kind)
        _note(leg, event, now)
    else:
        leg.call.arm_action(timer, LATER_S, lambda at: _tell(leg, kind, at), now)


def _note(leg: Leg, event: Trouble, now: float) -> None:
    leg.call.note(
        LegTroubled,
        now,
        leg=leg.number,
        side=leg.side,
        trouble=event.kind,
        cause=event.cause,
        since=event.since,
        over=event.over,
    )


# --- wishes -----------------------------------------------------------------------------------------


def wished(leg: Leg, event: Wish, now: float) -> None:
    """The leg would sound better with another codec: ask its phone, within bounds."""
    known = leg.network
    if not (leg.should_speak and leg.manner.renegotiates) or leg.session is None:
        return
    if leg.asked or now - known.at < AGAIN_S:
        return
    known.vain = known.vain + 1 if known.asked and known.asked != leg.codec.upper() else 0
    if known.vain >= IN_VAIN or leg.codec.upper() == event.codec:
        return
    known.asked, known.at = event.codec, now
    leg.call.note(CodecWished, now, leg=leg.number, side=leg.side, codec=event.codec, why=event.why)
    leg.when_describable(lambda at: _reoffer(leg, event.codec, at), now)


def _reoffer(leg: Leg, codec: str, now: float) -> None:
    if leg.session is not None:
        leg.session.reoffer(leg.offer(codec), now=now)
