"""A supervisor's hand on the calls of the small node in memory (tests/engine/api_node.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random

from engine.page_phones import PagePhone, PagePhones
from engine.steering import Order
from engine.supervision_views import SupervisorView
from engine.views import CallView, IllegalState, PlaceView, UnknownAgent, UnknownCall
from tests.engine.store_samples import T0


class Hands:
    """calls: of the node, of which `c2` waits. sent: what was asked of phones."""

    def __init__(self, calls: Mapping[str, CallView]) -> None:
        self.calls = calls
        self.phones = PagePhones(Random(1))
        self.sitting: dict[str, list[SupervisorView]] = {}
        self.sent: list[tuple[str, str, str, str, bool]] = []
        self.waits = PlaceView(
            queue="support", position=1, waited_s=12.5, priority=0, agent="", offered_to=""
        )

    def phone(self, by: str) -> PagePhone:
        made = self.phones.open(by, 0.0)
        assert made is not None
        return made

    def supervisors(self, call: str) -> Sequence[SupervisorView]:
        if call not in self.calls:
            raise UnknownCall(call)
        return self.sitting.get(call, [])

    def supervise(self, call: str, at: str, mode: str, by: str, *, auto_answer: bool) -> SupervisorView:
        account = by if at == "page" else at
        if any(each.at == account for each in self.supervisors(call)):
            raise IllegalState(f"{account} is in this call already")
        self.sent.append((call, account, mode, by, auto_answer))
        made = SupervisorView(at=account, by=by, mode=mode, standing="ringing", since=T0, announced=True)
        self.sitting.setdefault(call, []).append(made)
        return made

    def change_mode(self, call: str, at: str, mode: str, by: str) -> SupervisorView:
        found = self._of(call, by if at == "page" else at)
        self.sitting[call] = [
            replace(each, mode=mode) if each is found else each for each in self.sitting[call]
        ]
        return replace(found, mode=mode)

    def send_off(self, call: str, at: str, by: str) -> None:
        found = self._of(call, by if at == "page" else at)
        self.sitting[call].remove(found)

    def _of(self, call: str, at: str) -> SupervisorView:
        found = next((each for each in self.supervisors(call) if each.at == at), None)
        if found is None:
            raise IllegalState(f"{at} is not in this call")
        return found

    def place(self, call: str) -> PlaceView | None:
        if call not in self.calls:
            raise UnknownCall(call)
        return self.waits if self.calls[call].state == "queued" else None

    def steer(self, call: str, order: Order) -> None:
        if self.place(call) is None:
            raise IllegalState("she does not wait")
        if order.agent not in (None, "", "alice", "bob", "bruno"):
            raise UnknownAgent(str(order.agent))
        changes = {name: getattr(order, name) for name in ("queue", "priority", "agent")}
        self.waits = replace(self.waits, **{name: to for name, to in changes.items() if to is not None})
