"""What the engine may have done with the sound of legs; media/messages.py carries it."""

from __future__ import annotations

import msgspec


class Treat(msgspec.Struct, frozen=True, tag=True):
    """What is done with the sound that comes from the leg, from now on.

    noise: suppressed. level: speech brought to -26 dBov. inband_dtmf: digits in the sound itself are told as
    Dtmf, for a far end that sends no telephone events.
    """

    leg: int
    noise: bool = False
    level: bool = False
    inband_dtmf: bool = False


class Duck(msgspec.Struct, frozen=True, tag=True):
    """While the leg `by` speaks, `dst` hears `src` lowered by `db`; 0: no longer."""

    src: int
    dst: int
    by: int
    db: float = 12.0


SoundCommand = Treat | Duck
