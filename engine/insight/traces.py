"""Calls as they go on, and for a moment after: whose dialogs are whose, and how their legs sound.

The switch tells what a leg is spoken to by (`bound`), workers' figures (`figures`) and events (`notice`).
When a call is over its last messages are waited for, and then it is handed on as a `Look`, and let go of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from engine.events import CallEnded, CallHandedOver, CallRecord, EndReason, Event, LegTroubled, Side
from engine.insight.pcap import Address
from engine.insight.series import Series
from engine.insight.trace import LegQuality, Look, Rungs
from sip.hop import Hop
from sip.ladder import Dialog, Ladders

if TYPE_CHECKING:
    from engine.leg import Leg
    from engine.signalling import Signalling
    from engine.switch import Switch
    from media.messages import LegStats

SETTLE_S = 5.0  # that a BYE's answer and what is repeated may come after the end
MOST_DIALOGS = 64  # of a call: whoever rings more phones is not drawn any more
FINE = frozenset({EndReason.COMPLETED, EndReason.ABANDONED, EndReason.TRANSFERRED, EndReason.LEFT_QUEUE})
GOOD_MOS = 3.6  # below, some users are dissatisfied (G.107 annex B)


class Bound(NamedTuple):
    """who: as of Message."""

    dialog: Dialog
    side: str
    leg: int
    who: str


@dataclass(slots=True)
class Story:
    """One call. began, ended: s of the switch's clock."""

    began: float
    dialogs: dict[bytes, Bound] = field(default_factory=dict)
    series: dict[int, Series] = field(default_factory=dict)
    ended: float | None = None
    troubled: bool = False


class Traces:
    """done: handed the look at each call that is over. own: our address towards a hop."""

    def __init__(
        self,
        switch: Switch,
        ladders: Ladders,
        done: Callable[[Look], None],
        own: Callable[[Hop], Address],
        settle_s: float = SETTLE_S,
    ) -> None:
        self.ladders = ladders
        self._switch, self._done, self._own, self._settle_s = switch, done, own, settle_s
        self._stories: dict[str, Story] = {}
        self._calls: dict[bytes, str] = {}  # the newest call of a Call-ID
        switch.binders.append(self.bound)
        switch.figure_observers.append(self.figures)
        switch.observers.append(self.notice)

    def __len__(self) -> int:
        return len(self._stories)

    # --- what the switch tells ------------------------------------------------------------------------

    def bound(self, session: Signalling, leg: Leg) -> None:
        """A leg is spoken to by a session from now on."""
        call_id = session.call_id
        if not call_id:
            return
        story = self._story(leg.call.id, leg.call.clocks.arrived)
        key = call_id.encode("utf-8", "surrogateescape")
        if key not in story.dialogs and len(story.dialogs) < MOST_DIALOGS:
            story.dialogs[key] = Bound(self.ladders.bind(call_id), str(leg.side), leg.number, _who(leg))
            self._calls[key] = leg.call.id

    def figures(self, leg: Leg, stats: LegStats, now: float) -> None:
        """A worker told a leg's figures."""
        if not (stats.received or stats.sent or leg.connected):
            return
        story = self._story(leg.call.id, leg.call.clocks.arrived)
        series = story.series.get(leg.number)
        if series is None:
            if len(story.series) >= MOST_DIALOGS:
                return
            series = story.series[leg.number] = Series(leg.number, str(leg.side))
        series.add(stats, now - story.began)

    def notice(self, event: Event | CallRecord) -> None:
        """For the switch's observers."""
        if isinstance(event, CallRecord):
            story = self._stories.get(event.call)
            if story is not None:
                poor = [each for each in (event.customer_mos, event.agent_mos) if each is not None]
                story.troubled |= event.reason not in FINE or min(poor, default=5.0) < GOOD_MOS
        elif isinstance(event, LegTroubled):
            story = self._stories.get(event.call)
            if story is not None:
                story.troubled = True
        elif isinstance(event, CallEnded | CallHandedOver):
            self._over(event.call, self._switch.instant(event.at))

    # --- looking ----------------------------------------------------------------------------------------

    def look(self, call: str) -> Look | None:
        """A call that goes on, or has just ended; None for any other."""
        story = self._stories.get(call)
        return None if story is None else self._look(call, story)

    def call_of(self, dialog: Dialog) -> str:
        """The call that a dialog is of, "" for none that is known here."""
        return self._calls.get(dialog.call_id, "")

    def first_of(self, call_id: bytes) -> bytes:
        """The Call-ID of the first leg of the call that this one is of; itself where it is of none."""
        story = self._stories.get(self._calls.get(call_id, ""))
        return next(iter(story.dialogs), call_id) if story is not None else call_id

    def close(self) -> None:
        """The node stops: everything is handed on as it stands."""
        for call in list(self._stories):
            self._settle(call)

    # --- within -----------------------------------------------------------------------------------------

    def _story(self, call: str, began: float) -> Story:
        story = self._stories.get(call)
        if story is None:
            story = self._stories[call] = Story(began)
        return story

    def _over(self, call: str, now: float) -> None:
        story = self._stories.get(call)
        if story is not None and story.ended is None:
            story.ended = now
            self._switch.timers.at(now + self._settle_s, lambda at: self._settle(call))

    def _settle(self, call: str) -> None:
        story = self._stories.pop(call, None)
        if story is None:
            return
        look = self._look(call, story)
        for key, bound in story.dialogs.items():
            self.ladders.release(bound.dialog)
            if self._calls.get(key) == call:
                del self._calls[key]
        self._done(look)

    def _look(self, call: str, story: Story) -> Look:
        wall = self._switch.wall
        return Look(
            call,
            wall(story.began),
            None if story.ended is None else wall(story.ended),
            wall(0.0),
            [
                Rungs(each.side, each.leg, tuple(each.dialog.rungs()), each.dialog.omitted, each.who)
                for each in story.dialogs.values()
            ],
            [LegQuality(each.leg, each.side, each.whole()) for each in story.series.values()],
            self._own,
            story.troubled,
        )


def _who(leg: Leg) -> str:
    """What the far end is called in the configuration. Never a number: those are people's."""
    if leg.side is Side.CUSTOMER:
        return leg.line or leg.account or (leg.call.line.name if leg.call.line is not None else "")
    return leg.agent or leg.line or leg.node or leg.call.switch.page_phones.owner(leg.account) or leg.account
