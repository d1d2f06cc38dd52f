"""Voices: text in, sound out, whichever synthesiser makes it. Adapters are in `io`; `speaking` drives them.

A voice begins at once and gives its sound while it is still being made; the sound is as it comes, at the
synthesiser's own rate and level.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

I16 = NDArray[np.int16]

MOST_CHARACTERS = 1000  # of a text: a minute of speech
MOST_S = 120.0  # of sound, of one text


class VoiceFault(RuntimeError):
    """It cannot be said. ever: nor by asking again; otherwise another worker may manage."""

    def __init__(self, why: str, *, ever: bool) -> None:
        super().__init__(why)
        self.ever = ever


class Saying(Protocol):
    """One text being spoken. by: the voice, as captions name it. rate: Hz of its sound. cost_s: of a core, as
    far as known.
    """

    by: str
    rate: int
    cost_s: float

    def read(self, patience_s: float) -> I16 | None:
        """What there is by now, int16[n] of at most a few seconds; empty where nothing came within
        `patience_s`, None where it is over. Raises VoiceFault.
        """

    def close(self) -> None:
        """End it, wherever it is."""


class Voice(Protocol):
    """name: of the synthesiser and its model. languages: BCP 47, lower case; empty for any. why: how it came
    to be chosen, or what was missing for a better one.
    """

    name: str
    languages: tuple[str, ...]
    why: str

    def say(self, text: str, language: str, gender: str = "", voice: str = "") -> Saying:
        """Begin to speak. gender: "", "female", "male". voice: a name of the synthesiser's, "" for the
        language's. Raises VoiceFault.
        """

    def close(self) -> None: ...


class OneOf:
    """The first of several voices that has one for the language. why: as for one."""

    def __init__(self, voices: Sequence[Voice], why: str) -> None:
        self._voices = voices
        self.name = ", ".join(each.name for each in voices)
        known = [each.languages for each in voices]
        self.languages = (
            tuple(sorted({each for languages in known for each in languages})) if all(known) else ()
        )
        self.why = why

    def say(self, text: str, language: str, gender: str = "", voice: str = "") -> Saying:
        """What the last one says of it where none has. Raises VoiceFault."""
        for each in self._voices[:-1]:
            try:
                return each.say(text, language, gender, voice)
            except VoiceFault:
                continue
        return self._voices[-1].say(text, language, gender, voice)

    def close(self) -> None:
        for each in self._voices:
            each.close()


def sayable(text: str) -> str:
    """The text in one line, without characters that are no writing, and none of it phonemes, which `[[` would
    begin. Raises VoiceFault where it is too long or nothing is left.
    """
    if len(text) > MOST_CHARACTERS:
        raise VoiceFault(
            f"{len(text)} characters are too much to be said at once, {MOST_CHARACTERS} are not", ever=True
        )
    kept = "".join(" " if unicodedata.category(each) in NO_WRITING else each for each in text)
    kept = " ".join(kept.replace("[[", "[ [").split())
    if not any(each.isalnum() for each in kept):
        raise VoiceFault("there is nothing in it that could be said", ever=True)
    return kept


NO_WRITING = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})


def nearest(language: str, known: dict[str, str]) -> str | None:
    """What is known for a BCP 47 tag or for the longest part of it that anything is known for."""
    parts = language.lower().replace("_", "-").split("-")
    for count in range(len(parts), 0, -1):
        found = known.get("-".join(parts[:count]))
        if found is not None:
            return found
    return None
