"""What happened to calls that are put into words, as values (engine/events.py)."""

from __future__ import annotations

from dataclasses import dataclass

from engine.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechStrained(Event):
    """There is more speech than the node may put into words. level: 0 for nothing left out; text: what is."""

    kind = "speech.strained"
    level: int
    load: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoodTurned(Event):
    """A side of a call feels otherwise than before. level: fine, uneasy or upset; score: -1 to 1. reasons:
    what weighs most, first.
    """

    kind = "call.mood"
    side: str
    level: str
    score: float
    worse: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageFound(Event):
    """A side speaks another language than was expected, or than before."""

    kind = "call.language"
    side: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InterpreterChanged(Event):
    """A side hears an interpreter from now on, or does not. voice: off, over or instead. fault: what keeps it
    from hearing one, "" for nothing.
    """

    kind = "call.interpreter"
    side: str
    voice: str
    fault: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InterpreterSpoke(Event):
    """An interpreter begins to speak to a side. seconds: for how long. lag_s: since what it says was said."""

    kind = "call.interpreted"
    side: str
    seconds: float
    lag_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UrgentSaid(Event):
    """A word was said that its market holds to be urgent."""

    kind = "call.urgent"
    side: str
    term: str
