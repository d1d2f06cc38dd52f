"""What a recogniser is: sound of many utterances in, guesses at what was said out.

A recogniser holds what it needs of each utterance and is asked for guesses at several at once, so that one
whose model works in batches has them. It never waits for anything but the processor and processes of its own,
and does one bounded piece each time it is asked: an utterance that it is not through with is left out of the
answer, and asked for again.

    RecogniserFault            .ever: no other worker need try
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple, Protocol

from media.speech.word import Guess


class Said(NamedTuple):
    """guess: times in s from the utterance's first sample; its serial is not looked at. language: BCP 47 that
    it was heard in, and how sure that is. low: low accuracy, to be marked wherever it is shown. hold_s:
    after a word was said, for how long the recogniser may still take it for another.
    """

    guess: Guess
    language: str
    sure: float = 1.0
    low: bool = False
    hold_s: float = 0.0


class RecogniserFault(Exception):
    """It cannot be heard, and what to do. ever: another worker need not try either."""

    def __init__(self, why: str, *, ever: bool = True) -> None:
        super().__init__(why)
        self.ever = ever


class Recogniser(Protocol):
    """All names of utterances are the caller's, who starts each before it is fed and stops it at the end."""

    @property
    def name(self) -> str:
        """Of the engine and its model, as captions show it."""

    @property
    def languages(self) -> tuple[str, ...]:
        """BCP 47 that open speech is heard in; empty for any."""

    @property
    def closed(self) -> tuple[str, ...]:
        """Languages that a closed vocabulary is heard in; empty where there is none."""

    @property
    def low(self) -> bool:
        """Whether open speech is heard with low accuracy."""

    @property
    def streams(self) -> bool:
        """Whether sound is worked on once, as it comes."""

    @property
    def batch(self) -> int:
        """Utterances that are cheaper together than one after the other, at most."""

    def start(
        self,
        stream: str,
        rate: int,
        languages: Sequence[str] = (),
        hints: Sequence[str] = (),
        phrases: Sequence[str] = (),
    ) -> None:
        """An utterance at `rate` Hz. languages: the most likely first, empty for any. hints: terms that may
        be said. phrases: all that can be said, one or more of them. Raises RecogniserFault.
        """

    def feed(self, stream: str, pcm: bytes) -> None:
        """What follows of it: int16, little-endian, mono. Cheap: the work is done in `guesses`."""

    def guesses(self, streams: Sequence[str], finals: AbstractSet[str], now: float) -> Mapping[str, Said]:
        """Of all that was fed. finals: nothing follows. Raises RecogniserFault."""

    def stop(self, stream: str) -> None:
        """Nothing more is asked of it; one that is not known is no fault."""

    def close(self) -> None: ...
