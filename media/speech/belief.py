"""Which of several languages a leg speaks: one is expected, and each sentence is looked at.

A long sentence that is surely of another language is enough; of short or doubtful ones it takes two in a row,
so that a name or a greeting turns nobody's captions over.
"""

from __future__ import annotations

from dataclasses import dataclass

from media.speech.language import alike

LIKELY = 0.5  # of a recogniser's sureness, from which on a sentence counts
SURE = 0.8
LEAST_S = 1.5  # of speech, of a sentence that is enough by itself
IN_A_ROW = 2


@dataclass(slots=True)
class Belief:
    """language: BCP 47; "" while nothing is known or expected."""

    language: str = ""
    other: str = ""  # of the newest sentences
    times: int = 0  # in a row

    def hear(self, language: str, sure: float, voiced_s: float) -> bool:
        """A sentence was of that language: whether the leg is believed to speak another one from now on."""
        if not language or sure < LIKELY:
            return False
        if alike(language, self.language):
            self.other, self.times = "", 0
            return False
        self.times = self.times + 1 if alike(language, self.other) else 1
        self.other = language
        if self.language and self.times < IN_A_ROW and (sure < SURE or voiced_s < LEAST_S):
            return False
        self.language, self.other, self.times = language, "", 0
        return True

    def order(self, languages: tuple[str, ...]) -> tuple[str, ...]:
        """The same, with the one that is believed first."""
        return tuple(sorted(languages, key=lambda each: not alike(each, self.language)))
