"""What was said in a call, in the order in which it was: the newest text of each utterance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

MOST = 4000  # utterances of a call: five hours of talk
LONGEST = 2000  # characters of one


class Line(NamedTuple):
    """An utterance as its words stand. side: "customer" or "agent". utterance: its number, of a side's.
    begin, end: s on the call's clock. language: BCP 47. translation: as the other side read it; "" for none.
    low: heard with low accuracy; gist: translated for the gist alone; both are marked wherever it is shown.
    """

    call: str
    side: str
    utterance: int
    begin: float
    end: float
    language: str
    text: str
    translation: str = ""
    low: bool = False
    gist: bool = False

    @property
    def seconds(self) -> float:
        return max(0.0, self.end - self.begin)


class Transcript:
    """Of one call; bounded."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, int], Line] = {}
        self.missed = 0  # lines that there was no room for

    def put(self, line: Line) -> bool:
        """Take a line in place of what its utterance was before; whether there is room for it."""
        key = (line.side, line.utterance)
        if key not in self._lines and len(self._lines) >= MOST:
            self.missed += 1
            return False
        text, translation = line.text[:LONGEST], line.translation[:LONGEST]
        self._lines[key] = line._replace(text=text, translation=translation)
        return True

    @property
    def lines(self) -> Sequence[Line]:
        """All, in the order in which they began."""
        return sorted(self._lines.values(), key=lambda each: (each.begin, each.side, each.utterance))

    def __len__(self) -> int:
        return len(self._lines)
