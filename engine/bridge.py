"""Who hears whom: joining and parting legs in the media worker's gain matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from media.messages import SetGain

if TYPE_CHECKING:
    from engine.call import Call
    from engine.leg import Leg


def hear(call: Call, source: Leg, listener: Leg) -> None:
    """`listener` hears `source`, alone at unity gain: the worker relays it where the codecs agree. While a
    guest speaks for them, lowered.
    """
    gain = call.guest.between if call.guest is not None else 1.0
    call.switch.media.send(listener.worker, SetGain(source.number, listener.number, gain))


def mute(call: Call, source: Leg, listener: Leg) -> None:
    """`listener` does not hear `source` any more."""
    call.switch.media.send(listener.worker, SetGain(source.number, listener.number, 0.0))


def join(call: Call, a: Leg, b: Leg) -> None:
    """Both hear each other, and nothing else."""
    for leg in (a, b):
        call.hush(leg)
    hear(call, a, b)
    hear(call, b, a)


def part(call: Call, a: Leg, b: Leg) -> None:
    """Neither hears the other any more."""
    mute(call, a, b)
    mute(call, b, a)
