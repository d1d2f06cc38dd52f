"""What went wrong in a call, from what is known of it: pure, and the same for a call that goes on.

Each sign (signs_*.py) looks at the facts by itself and says what it finds; `faults.settled` keeps the surest
and leaves out what others explain. Where nothing is left the call was fine, and its figures say so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.insight import signs_service, signs_signalling, signs_sound
from engine.insight.facts import Case, Facts
from engine.insight.faults import Found, settled

SIGNS = (*signs_sound.SIGNS, *signs_signalling.SIGNS, *signs_service.SIGNS)


@dataclass(frozen=True, slots=True)
class LegFigures:
    """How a leg did as a whole; None where nothing came."""

    leg: int
    side: str
    codec: str
    received: int
    loss: float | None
    jitter_ms: float
    mos: float | None
    rtt_ms: float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """found: the surest first; empty: nothing went wrong. figures: of each leg. connected: two people
    talked.
    """

    call: str
    found: tuple[Found, ...]
    figures: tuple[LegFigures, ...]
    connected: bool

    @property
    def fine(self) -> bool:
        return not self.found


def diagnose(case: Case) -> Verdict:
    """Look into a call."""
    facts = Facts(case)
    found = settled(each for sign in SIGNS for each in sign(facts))
    return Verdict(case.call, tuple(found), tuple(_figures(facts)), facts.connected)


def _figures(facts: Facts) -> Sequence[LegFigures]:
    return [
        LegFigures(
            leg.leg, leg.side, whole.codec, whole.received, _round(whole.loss, 4), whole.jitter_ms,
            whole.mos, whole.rtt_ms,
        )
        for leg, whole in facts.legs()
    ]  # fmt: skip


def _round(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def filled(found: Found) -> Mapping[str, str]:
    """What a finding's sentence is filled in with."""
    return {**(found.values or {}), "side": found.side}
