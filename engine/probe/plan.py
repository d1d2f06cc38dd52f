"""What one probe does: whom it calls, as whom, what it says, and what is expected."""

from __future__ import annotations

from dataclasses import dataclass, field

from media.columns import I16

RATE = 8000
DIGITS = "159#"
SPEECH_S = 9.0


@dataclass(frozen=True, slots=True)
class Door:
    """Where the call is sent: a node or gateway ("host:port"), and the account that it is sent as."""

    address: str
    domain: str
    user: str
    password: str = ""
    transport: str = "udp"


@dataclass(frozen=True, slots=True)
class Plan:
    """number: as it is dialled at the door. speech: int16[n] at RATE, said over and over for `speech_s`.
    digits: pressed when all was said, "" for none. ring_s: until it counts as not answered. listen_s: the
    longest delay that is looked for.
    """

    line: str
    number: str
    door: Door
    speech: I16 = field(repr=False)
    region: str = ""
    speech_s: float = SPEECH_S
    digits: str = DIGITS
    ring_s: float = 20.0
    listen_s: float = 1.5
    seed: int = 1
