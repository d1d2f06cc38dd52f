"""A leg as the outside may see it: engine.views made from it."""

from __future__ import annotations

from engine import seat
from engine.ledger import Figures
from engine.leg import Leg
from engine.views import LegSide, LegView, TroubleView


def leg_view(leg: Leg) -> LegView:
    figures, found = Figures(leg), seat.of(leg)
    return LegView(
        id=leg.number,
        side=LegSide(leg.side),
        role=found.role if found is not None else leg.side,
        remote=leg.remote_address,
        codec=leg.codec,
        encryption=leg.suite,
        state="held" if leg.held else "talking" if leg.connected else leg.media,
        loss=figures.loss,
        jitter_ms=figures.jitter_ms,
        mos=figures.mos,
        mos_now=leg.stats.mos_now if leg.stats else None,
        mos_there=leg.stats.mos_there if leg.stats else None,
        concealed_ms=figures.concealed_ms,
        troubles=tuple(
            TroubleView(kind=trouble.kind, cause=trouble.cause, since=trouble.since)
            for kind, trouble in leg.network.troubles.items()
            if kind in leg.network.told
        ),
    )
