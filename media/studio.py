"""Treatment in the core: what commands, plays and ducks want of legs put together, and what a tick's voices
and tones lead to.
"""

from __future__ import annotations

from collections.abc import Sequence

from media.bargein import Action
from media.legs import Leg, LegTable
from media.messages import AnyEvent, Dtmf
from media.mixer import Mixer
from media.plan import Plan
from media.player import Done
from media.render import Heard
from media.treatment import ALTERS, ATTENDS, Treatment, Want


class Studio:
    """Which legs are treated, and how. played: plays that somebody spoke over, of the newest tick."""

    def __init__(self, table: LegTable, plan: Plan, mixer: Mixer) -> None:
        self.treatment = Treatment()
        self.played: list[tuple[Leg, list[Done]]] = []
        self._table = table
        self._plan = plan
        self._mixer = mixer
        self._asked: dict[int, Want] = {}
        self._ducking: set[int] = set()

    def ask(self, leg: Leg, wants: Want) -> None:
        """What a command wants of the leg, in place of what one before wanted."""
        if wants:
            self._asked[leg.row] = wants
        else:
            self._asked.pop(leg.row, None)
        self._review(leg.row)

    def duck(self, source: Leg, listener: Leg, by: Leg, db: float) -> None:
        """`listener` hears `source` lowered by `db` while `by` speaks."""
        self._mixer.duck(source.row, listener.row, by.row, db)
        self._plan.touch(listener.row)
        self._review_ducking()

    def review_plays(self, leg: Leg) -> None:
        """What is played to the leg has changed."""
        player, barge = leg.player, self.treatment.barge
        if player is not None and player.interruptible:
            self._review(leg.row)
            barge.arm(leg.row)
        elif self.treatment.wants.get(leg.row, Want.NOTHING) & Want.VOICE:
            barge.disarm(leg.row)
            self._review(leg.row)

    def forget(self, leg: Leg) -> None:
        """The leg is closed, and dropped by the mixer."""
        self._asked.pop(leg.row, None)
        self._ducking.discard(leg.row)  # else it were reviewed once more, and wanted for what plays to it
        self._review_ducking()
        self.treatment.forget(leg.row)

    def tick(self, heard: Sequence[Heard], now: float) -> tuple[Sequence[Heard], list[AnyEvent]]:
        """What legs say as it is to be heard, and what is to be told; interrupted plays are in `played`."""
        self.played = []
        treatment = self.treatment
        if not treatment.wants:
            return heard, []
        heard = treatment.treat(heard, now)
        for row, action in treatment.verdicts:
            self._answer(self._table.at(row), action)
        table = self._table
        return heard, [Dtmf(table.at(row).number, *pressed) for row, pressed in treatment.pressed]

    def _answer(self, leg: Leg, action: Action) -> None:
        """A verdict on what plays to the leg."""
        player = leg.player
        if player is None:
            return
        if action is Action.PAUSE:
            player.pause()
        elif action is Action.RESUME:
            player.resume()
        elif action is Action.INTERRUPT:
            self.played.append((leg, player.interrupt()))

    def _review_ducking(self) -> None:
        before, self._ducking = self._ducking, self._mixer.duckers()
        for row in before ^ self._ducking:
            if self._table.legs[row] is not None:
                self._review(row)

    def _review(self, row: int) -> None:
        """Put together what is wanted of the leg."""
        leg = self._table.at(row)
        wants = self._asked.get(row, Want.NOTHING)
        if row in self._ducking or (leg.player is not None and leg.player.interruptible):
            wants |= Want.VOICE
        before = self.treatment.wants.get(row, Want.NOTHING)
        if not self.treatment.want(row, wants):
            return
        for rows, mask in ((self._plan.attended, ATTENDS), (self._plan.altered, ALTERS)):
            (rows.add if wants & mask else rows.discard)(row)
        if (wants ^ before) & ATTENDS:
            self._plan.touch(row)
        if (wants ^ before) & ALTERS:
            self._plan.touch_listeners(row)
