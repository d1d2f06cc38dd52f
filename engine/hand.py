"""A supervisor's hand on calls, as the API has it: put to the switch at the right moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from engine import steering, supervision
from engine.page_phones import PagePhone
from engine.steering import Order
from engine.supervision import Mode, Wish
from engine.supervision_views import SupervisorView
from engine.views import IllegalState, PlaceView

if TYPE_CHECKING:
    from engine.app import Engine

PAGE = "page"  # where to ring: the page of whoever asks


class Hand:
    """See engine.api.deps.HandView, which this is."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def phone(self, by: str) -> PagePhone:
        engine = self._engine
        made = engine.switch.page_phones.open(by, engine.clock())
        if made is None:
            raise IllegalState("there are as many phones in pages as this node takes; close some, or wait")
        return made

    def supervisors(self, call: str) -> Sequence[SupervisorView]:
        return supervision.look(self._engine.switch, call)

    def supervise(self, call: str, at: str, mode: str, by: str, *, auto_answer: bool) -> SupervisorView:
        account = self._account(at, by)
        wish = Wish(Mode(mode), account, by, page=at == PAGE, auto_answer=auto_answer)
        self._engine.act(lambda now: supervision.ask(self._engine.switch, call, wish, now))
        return self._look(call, account)

    def change_mode(self, call: str, at: str, mode: str, by: str) -> SupervisorView:
        account = self._present(call, at, by)
        before = next((each for each in self.supervisors(call) if each.at == account), None)
        self._engine.act(
            lambda now: supervision.change(self._engine.switch, call, account, Mode(mode), by, now)
        )
        assert before is not None, "who is not there is refused"
        took = mode == Mode.TAKE_OVER
        return replace(before, mode=mode) if took else self._look(call, account)

    def send_off(self, call: str, at: str, by: str) -> None:
        account = self._present(call, at, by)
        self._engine.act(lambda now: supervision.send_off(self._engine.switch, call, account, now))

    def place(self, call: str) -> PlaceView | None:
        return steering.look(self._engine.switch, call, self._engine.clock())

    def steer(self, call: str, order: Order) -> None:
        self._engine.act(lambda now: steering.steer(self._engine.switch, call, order, now))

    def _account(self, at: str, by: str) -> str:
        """`page` is the newest of the asker's pages, else her own account's."""
        if at != PAGE:
            return at
        switch, now = self._engine.switch, self._engine.clock()
        mine = [each for each in switch.page_phones.of(by) if switch.contacts(each, now)]
        return mine[0] if mine else by

    def _present(self, call: str, at: str, by: str) -> str:
        """`page` is whichever of the asker's accounts is in the call."""
        if at != PAGE:
            return at
        mine = {*self._engine.switch.page_phones.of(by), by}
        return next((each.at for each in self.supervisors(call) if each.at in mine), by)

    def _look(self, call: str, account: str) -> SupervisorView:
        found = next((each for each in self.supervisors(call) if each.at == account), None)
        if found is None:
            raise IllegalState(f"{account} is in another call")
        return found
