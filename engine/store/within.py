"""What of a table of calls is within somebody's reach, as conditions of a query."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from engine.access.principal import Reach


def within(columns: Any, reach: Reach) -> list[ColumnElement[bool]]:
    """columns: of a table with market, queue and agent. The same as `Reach.sees_call` says of a row."""
    found: list[ColumnElement[bool]] = []
    if reach.markets is not None:
        found.append(columns.market.in_(sorted(reach.markets)))
    if reach.agents_of_calls is not None and reach.queues_of_calls is not None:
        hers = columns.agent.in_(sorted(reach.agents_of_calls - {""}))
        waiting = and_(columns.agent == "", columns.queue.in_(sorted(reach.queues_of_calls)))
        found.append(or_(hers, waiting))
    return found
