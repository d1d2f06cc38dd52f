"""A supervisor's hand as somebody has it (engine/access/seen.py): on calls within reach, towards queues and
agents within reach.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.page_phones import PagePhone
from engine.steering import Order
from engine.supervision_views import SupervisorView
from engine.views import IllegalState, PlaceView, UnknownAgent, UnknownCall

if TYPE_CHECKING:
    from engine.access.seen import Seen
    from engine.api.deps import HandView


class SeenHand:
    """See engine.api.deps.HandView, which this is."""

    def __init__(self, hand: HandView, seen: Seen) -> None:
        self._hand = hand
        self._seen = seen

    def _hers(self, call: str) -> None:
        if self._seen.call(call) is None:
            raise UnknownCall(f"no call {call} is in progress")

    def phone(self, by: str) -> PagePhone:
        return self._hand.phone(by)

    def supervisors(self, call: str) -> Sequence[SupervisorView]:
        self._hers(call)
        return self._hand.supervisors(call)

    def supervise(self, call: str, at: str, mode: str, by: str, *, auto_answer: bool) -> SupervisorView:
        self._hers(call)
        return self._hand.supervise(call, at, mode, by, auto_answer=auto_answer)

    def change_mode(self, call: str, at: str, mode: str, by: str) -> SupervisorView:
        self._hers(call)
        return self._hand.change_mode(call, at, mode, by)

    def send_off(self, call: str, at: str, by: str) -> None:
        self._hers(call)
        self._hand.send_off(call, at, by)

    def place(self, call: str) -> PlaceView | None:
        self._hers(call)
        return self._hand.place(call)

    def steer(self, call: str, order: Order) -> None:
        self._hers(call)
        if order.queue is not None and not self._seen.reach.sees_queue(order.queue):
            raise IllegalState(f"there is no queue {order.queue}")
        if order.agent and not self._seen.reach.sees_agent(order.agent):
            raise UnknownAgent(f"no agent is called {order.agent}")
        self._hand.steer(call, order)
