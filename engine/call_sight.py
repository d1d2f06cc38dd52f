"""Calls as the outside may see them: engine.views made from them, of as many as are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from engine import supervision
from engine.call import Call
from engine.call_filter import CallFilter
from engine.sight import leg_view
from engine.views import CallView


def found(calls: Mapping[str, Call], wanted: CallFilter, after: str, limit: int | None) -> Iterator[Call]:
    """By id, those behind `after`, `limit` of them. A look at a call costs a hundred times what it takes to
    see whether it is asked for, all on the event loop.
    """
    behind = (calls[id] for id in sorted(calls) if id > after)
    return islice((call for call in behind if wanted.wants(call.market, *_place(call), call.state)), limit)


def call_view(call: Call) -> CallView:
    switch, (queue, agent) = call.switch, _place(call)
    waiting = switch.acd.queues.get(queue)
    return CallView(
        id=call.id,
        contact=call.contact,
        customer=call.caller,
        number=call.number,
        market=call.market,
        region=call.region,
        language=call.language,
        state=call.state,
        queue=queue,
        agent=agent,
        since=switch.wall(call.clocks.arrived),
        waiting_position=(waiting.position(call.id) or None) if waiting else None,
        legs=tuple(leg_view(leg) for leg in call.legs),
        supervisors=supervision.views(call),
        announced=supervision.announced(call),
    )


def _place(call: Call) -> tuple[str, str]:
    """Its queue, and its agent or whom it is offered to; "" for none."""
    return call.queue.name if call.queue else "", call.agent or call.offered_agent
