"""What the outside may see of speech, as values (engine/views.py)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechWorkerView:
    """One that hears, translates or speaks, as media.speech.jobs.Offer tells."""

    craft: str
    name: str
    languages: tuple[str, ...]
    closed: tuple[str, ...]
    low_accuracy: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechPairView:
    source: str
    target: str
    gist: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSpeechView:
    """What is put into words on a node. level: all, no_partials, no_voices or some_captions."""

    wanted: bool
    workers: tuple[SpeechWorkerView, ...]
    pairs: tuple[SpeechPairView, ...]
    any_pair: bool
    level: str
    says: str
    talks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CannotView:
    """what: hear, translate or speak. why: for whoever runs the node, in its own words."""

    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechView:
    """A call that is put into words, as one side sees it. language: of this side; other: of the other. voice:
    how this side hears the other: off (as it is), over (with an interpreter over it) or instead. fault: why
    no interpreter is heard although one is wished, by name: late, lost, shed, hear, translate, speak; "" for
    none. voice_there, fault_there: the same of how the other hears this side. cannot: what cannot be
    done. mood: of the other, fine, uneasy or upset; score: -1 to 1. reasons: terms that were said, or
    louder, higher, faster, over. urgent: terms that the other has said, the newest last.
    """

    language: str
    other: str
    voice: str
    fault: str
    voice_there: str
    fault_there: str
    cannot: tuple[CannotView, ...]
    mood: str
    score: float
    reasons: tuple[str, ...]
    urgent: tuple[str, ...]
