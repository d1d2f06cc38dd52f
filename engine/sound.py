"""What is to be done with the sound of a leg: its queue's word, else its line's, else the node's.

A line speaks for the customers that come over it; a queue for its customers and for the agents they talk to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.sound import LineSound
from media.wish import Treat
from routing.queue import SoundTerms

if TYPE_CHECKING:
    from engine.leg import Leg


def wanted(leg: Leg) -> Treat:
    """What the worker is to be told of the leg now."""
    if leg.node:  # its own node does it
        return Treat(leg.number)
    call = leg.call
    node, line = call.switch.config.media.sound, call.switch.config.lines.get(call.source)
    own = line.sound if line is not None and leg is call.customer else LineSound()
    queue = call.queue.sound if call.queue is not None else SoundTerms()
    inband = own.inband_dtmf or node.inband_dtmf
    return Treat(
        leg.number,
        noise=_first(queue.noise_suppression, own.noise_suppression, node.noise_suppression),
        level=_first(queue.level_normalisation, own.level_normalisation, node.level_normalisation),
        inband_dtmf=inband == "on" or (inband == "auto" and leg.negotiated and not leg.takes_events),
    )


def _first(*words: bool | None) -> bool:
    """The first word that was said."""
    return next((word for word in words if word is not None), False)


def treat(leg: Leg) -> None:
    """Tell the worker, where that is something new."""
    wish = wanted(leg)
    if wish != (leg.treated or Treat(leg.number)):
        leg.treated = wish
        leg.send(wish)
