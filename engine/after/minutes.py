"""What is said in the calls of a node, written down as it stands, until the call is over.

Told by `Speech` of what the ear hears and what was made of it in the other language; whoever wants the lines
as they grow (moods, an agent's help) observes them. Bounded: so many lines a call, and so many calls, the
oldest of which are let go of.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.events import Side
from media.speech.messages import Rendered, Said, SpeechEvent
from media.speech.transcript import Line, Transcript

if TYPE_CHECKING:
    from engine.call import Call
    from engine.speech.talk import Talk

OPEN = 20_000  # calls

Observer = Callable[["Call", Line, float], None]


class Minutes:
    """Of all calls, by their ids. Times of lines are s of the switch's clock."""

    def __init__(self) -> None:
        self.observers: list[Observer] = []
        self._of: OrderedDict[str, Transcript] = OrderedDict()
        self._over: OrderedDict[str, None] = OrderedDict()  # calls that were taken lately
        self._changed: set[str] = set()

    def heard(self, talk: Talk, event: SpeechEvent, now: float) -> None:
        """For `Speech.observers`."""
        if not isinstance(event, Said | Rendered):
            return
        sentence = talk.sentences.get((event.leg, event.utterance))
        if sentence is None or not sentence.said.stands:
            return
        said, rendered, leg = sentence.said, sentence.rendered, talk.legs[event.leg]
        line = Line(
            call=talk.call.id,
            side="customer" if leg.side is Side.CUSTOMER else "agent",
            utterance=sentence.line,
            begin=said.begin,
            end=max(said.begin, said.end),
            language=said.language or talk.languages[event.leg],
            text=said.stands,
            translation=rendered.stands if rendered is not None else "",
            low=said.low,
            gist=rendered is not None and rendered.gist,
        )
        if self.put(line):
            for observer in self.observers:
                observer(talk.call, line, now)

    def put(self, line: Line) -> bool:
        """Write a line down, in place of what its utterance was before; whether there is room for it, and the
        call is not over.
        """
        if line.call in self._over:
            return False
        kept = self._of.get(line.call)
        if kept is None:
            kept = self._of[line.call] = Transcript()
            while len(self._of) > OPEN:
                self._of.popitem(last=False)
        self._changed.add(line.call)
        return kept.put(line)

    def lines(self, call: str) -> list[Line]:
        """What was said so far, in its order."""
        kept = self._of.get(call)
        return list(kept.lines) if kept is not None else []

    def changed(self) -> set[str]:
        """The calls in which something was said since this was asked last. From any thread."""
        changed, self._changed = self._changed, set()
        return changed & set(self._of)

    def take(self, call: str) -> list[Line]:
        """The same, and nothing of the call stays here. From any thread."""
        self._over[call] = None
        while len(self._over) > OPEN:
            self._over.popitem(last=False)
        kept = self._of.pop(call, None)
        return list(kept.lines) if kept is not None else []
