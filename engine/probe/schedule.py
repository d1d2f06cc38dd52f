"""When which line is probed next: values, and no clock."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from config.line import LineSettings
from routing.window import schedule

DAY_S = 86_400.0
LOOK_S = 60.0  # how soon it is looked again at a line that may not be probed now


@dataclass(slots=True)
class Round:
    """One line's. due: when it is to be probed next, epoch seconds. begun: its probes of the last day."""

    due: float
    begun: deque[float] = field(default_factory=deque)

    def may(self, line: LineSettings, wall: float) -> bool:
        """Whether it may be probed now: within its hours, and not too often in a day."""
        assert line.probe is not None
        while self.begun and self.begun[0] <= wall - DAY_S:
            self.begun.popleft()
        hours = line.probe.hours
        open_now = not hours or schedule(hours, line.zone).holds(wall)
        return open_now and len(self.begun) < line.probe.calls_a_day


def _scheduled(line: LineSettings) -> bool:
    return line.calls_out and line.probe is not None and line.probe.every_s > 0


class Rounds:
    """Those of all lines, whose first probes are spread over their interval."""

    def __init__(self) -> None:
        self._rounds: dict[str, Round] = {}

    def due(self, lines: list[LineSettings], wall: float) -> list[str]:
        """Lines to be probed now; they count as begun. lines: all there are."""
        scheduled = {line.name: line for line in lines if _scheduled(line)}
        for name in self._rounds.keys() - scheduled.keys():
            del self._rounds[name]
        found = []
        for at, (name, line) in enumerate(scheduled.items()):
            assert line.probe is not None
            every = line.probe.every_s
            first = wall + every * (at + 1) / (len(scheduled) + 1)
            turn = self._rounds.setdefault(name, Round(first))
            turn.due = min(turn.due, wall + every)  # the interval may have become shorter
            if turn.due <= wall:
                may = turn.may(line, wall)
                turn.due = wall + (every if may else LOOK_S)
                if may:
                    turn.begun.append(wall)
                    found.append(name)
        return found

    def put_off(self, name: str, wall: float) -> None:
        """It could not be probed: it is looked at again soon, and nothing was spent."""
        turn = self._rounds.get(name)
        if turn is not None and turn.begun:
            turn.begun.pop()
            turn.due = wall + LOOK_S
