"""Work on speech, and what came of it: between the ear that hears a node's calls and those who do the work.

A job goes to a worker of its craft, on this machine or another, and holds all that it takes; whoever has not
heard an utterance from its first sample on says so (`Heard.missing`), and is given it from there. So a worker
that dies loses nothing: what it had is asked of another. A job is worth nothing after `due_s` seconds; what
it would have told is overtaken by then, and it is left out where there is too much.

Frames are as between the engine and its workers (media/messages.py): length and msgpack, a list of either
side's. Sound is int16, little-endian, mono.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from media.speech.word import Guess


class Job(msgspec.Struct, frozen=True, tag=True):
    """key: of the job among all of the node's. due_s: from when it was sent, for how long it is wanted."""

    key: str
    due_s: float


class Hear(Job, frozen=True, tag=True):
    """What an utterance is taken for by now. stream: the utterance; pcm: its sound from sample `at` on, Hz
    `rate`. languages: BCP 47, the most likely first; empty for any. hints: terms that may be said. phrases:
    all that can be said, where that is known (a closed vocabulary); empty otherwise. final: there is no more.
    begin: s on the call's clock of its first sample, which the words' times are told by.
    """

    stream: str
    at: int
    pcm: bytes
    rate: int
    begin: float
    languages: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    final: bool = False


class Forget(Job, frozen=True, tag=True):
    """Nothing more is asked of the utterance."""

    stream: str


class Translate(Job, frozen=True, tag=True):
    """A clause into another language. market: whose terms, tone and taboos count, of the reader. before: what
    was said in the same utterance before it. formality: "", "formal" or "informal".
    """

    text: str
    source: str
    target: str
    market: str = ""
    formality: str = ""
    before: str = ""


class Speak(Job, frozen=True, tag=True):
    """Say it. gender: "", "female" or "male". voice: a name of the synthesiser's, "" for the language's."""

    text: str
    language: str
    gender: str = ""
    voice: str = ""
    rate: int = 16000


AnyJob = Hear | Forget | Translate | Speak


class Result(msgspec.Struct, frozen=True, tag=True):
    """key: of the job. by: who did it, as captions name it. cost_s: seconds of a core that it took."""

    key: str
    by: str = ""
    cost_s: float = 0.0


class Heard(Result, frozen=True, tag=True):
    """guess: None where nothing new is said, or nothing can be. missing: the first sample that was not heard
    yet, when the job's begin later. low: low accuracy, to be marked wherever it is shown. sure: of the
    language. hold_s: after a word was said, for how long this recogniser may take it for another.
    """

    guess: Guess | None = None
    language: str = ""
    sure: float = 1.0
    low: bool = False
    missing: int | None = None
    hold_s: float = 0.0


class Translated(Result, frozen=True, tag=True):
    """gist: quality for the gist alone, to be marked. via: languages between. sure: confidence, 0 to 1."""

    text: str = ""
    alternatives: tuple[str, ...] = ()
    sure: float = 1.0
    gist: bool = False
    via: tuple[str, ...] = ()


class Spoken(Result, frozen=True, tag=True):
    """A piece of the voice; pieces come in order, the last says `over`."""

    pcm: bytes = b""
    rate: int = 16000
    over: bool = True


class Failed(Result, frozen=True, tag=True):
    """It could not be done. why: what was wrong and what to do. ever: another worker need not try."""

    why: str = ""
    ever: bool = True


AnyResult = Heard | Translated | Spoken | Failed


class Offer(msgspec.Struct, frozen=True):
    """What a worker can do, told when it comes. craft: "hear", "translate" or "speak". name: of the engine
    and its model. languages: that it hears or speaks, or from any to any of which it translates; pairs:
    (source, target, gist) that it translates besides; both empty for any. closed: languages that it hears
    where all that can be said is known. streams: it hears a sound once, as it comes, so that what was not
    sent before the end costs time then. why: how it came to be chosen, or what was missing for a better one.
    """

    craft: str
    name: str
    languages: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str, bool], ...] = ()
    low: bool = False
    closed: tuple[str, ...] = ()
    streams: bool = False
    why: str = ""


class Craft(Protocol):
    """What a worker process does all day. Nothing here waits for anything but the processor and its own
    child processes, and never for long: `work` does one bounded piece.
    """

    @property
    def offer(self) -> Offer: ...

    @property
    def busy(self) -> bool:
        """Whether `work` has something to do."""

    def take(self, job: AnyJob, now: float) -> None:
        """Put it in line. Bounded: what is too much is answered by `work` with Failed(ever=False)."""

    def work(self, now: float) -> Sequence[AnyResult]:
        """The most urgent piece, and what is done with it; jobs past their time are left out but for final
        ones; who hears says so, for the next ask of an utterance waits for the answer to the one before.
        """

    def close(self) -> None: ...


class Broken(Exception):
    """A craft's own fault: its process ends, and a fresh one takes its place."""


def worked(craft: Craft, now: float) -> Sequence[AnyResult]:
    """A piece of work. Raises Broken, whatever went wrong: nobody is to take that for a lost connection."""
    try:
        return craft.work(now)
    except Exception as fault:
        raise Broken(f"{craft.offer.name}: {type(fault).__name__}") from fault
