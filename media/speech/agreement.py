"""Which of a recogniser's words stand: those that successive guesses agree on, and none is ever taken back.

A recogniser that hears more of an utterance guesses all of it anew. Of what follows the words that stand,
those stand that `agree` guesses in a row begin with (LocalAgreement: Liu, Spanakis and Niehues, "Low-latency
sequence-to-sequence speech recognition and translation by partial hypothesis selection", 2020; Macháček,
Dabre and Bojar, "Turning Whisper into real-time transcription system", 2023). A word that was said `bound_s`
ago and is in the newest guess stands in any case, so that no recogniser that cannot decide holds a caption
up. What stands is shown and translated; the rest is shown as a guess.

A recogniser may say of itself that it changes its mind about words for longer than that (`hold_s`): with one
of little accuracy, guesses in a row agree on what the last one denies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from media.speech.word import Guess, Word, bares, written

OVERLAP = 5  # words that a guess may say once more of those that stand
NEAR_S = 1.0  # within which a word said once more is the same
SAME_S = 0.1  # the same, of a single word, which people do say twice
UNDECIDED_S = 1.0  # after what a recogniser says it needs, it is held to its word


@dataclass(frozen=True, slots=True)
class Terms:
    """agree: guesses in a row. bound_s: after which a word stands without."""

    agree: int = 2
    bound_s: float = 3.0


class Text(NamedTuple):
    """stands: will not change but grow. guess: comes after it, and may change."""

    stands: str
    guess: str


class Agreement:
    """The words of one utterance."""

    def __init__(self, terms: Terms | None = None) -> None:
        self.terms = terms or Terms()
        self.stands: list[Word] = []
        self.guess: list[Word] = []
        self.final = False
        self._agreed: list[int] = []  # of each word of the guess: so many guesses in a row have begun so
        self._serial = -1
        self._hold_s = 0.0

    @property
    def text(self) -> Text:
        both = written([*self.stands, *self.guess])
        stands = written(self.stands)
        return Text(stands, both[len(stands) :])

    @property
    def bound_s(self) -> float:
        """After which a word stands in any case."""
        return max(self.terms.bound_s, self._hold_s + UNDECIDED_S if self._hold_s else 0.0)

    def hear(self, guess: Guess, now: float, hold_s: float = 0.0) -> bool:
        """Whether the text is another now. A guess that comes late, after a newer one, is left out. hold_s:
        after the end of a word, for how long nobody's agreement lets it stand.
        """
        if self.final or guess.serial <= self._serial:
            return False
        before, self._serial = self.text, guess.serial
        self._hold_s = hold_s
        after = self._after(guess.words)
        common = _common(bares(after), bares(self.guess))
        self._agreed = [self._agreed[at] + 1 if at < common else 1 for at in range(len(after))]
        self.guess = after
        self.final = guess.final
        self._stand(now)
        return guess.final or self.text != before

    def tick(self, now: float) -> bool:
        """What was said long ago stands; whether something does that did not."""
        before = len(self.stands)
        self._stand(now)
        return len(self.stands) > before

    def next_timeout(self) -> float | None:
        """When the next word stands by its age."""
        return self.guess[0].end + self.bound_s if self.guess else None

    def _stand(self, now: float) -> None:
        count = 0
        for at, word in enumerate(self.guess):
            agreed = count == at and self._agreed[at] >= self.terms.agree
            settled = agreed and (not self._hold_s or word.end + self._hold_s <= now)
            if settled or self.final or word.end + self.bound_s <= now:
                count = at + 1
        self.stands += self.guess[:count]
        del self.guess[:count], self._agreed[:count]

    def _after(self, words: tuple[Word, ...]) -> list[Word]:
        """What of a guess comes after the words that stand, whatever it says in their place."""
        known = bares(self.stands)
        if _common(bares(words), known) == len(known):
            return list(words[len(known) :])
        end = self.stands[-1].end
        later = [word for word in words if (word.begin + word.end) / 2 > end]
        return later[self._repeated(later, known) :]

    def _repeated(self, later: list[Word], known: list[str]) -> int:
        """How many words at the beginning are those that stand, said once more."""
        end, said = self.stands[-1].end, bares(later[:OVERLAP])
        for count in range(min(len(said), len(known)), 0, -1):
            near = SAME_S if count == 1 else NEAR_S
            if said[:count] == known[-count:] and later[0].begin < end + near:
                return count
        return 0


def _common(one: list[str], other: list[str]) -> int:
    """How many words both begin with."""
    pairs = enumerate(zip(one, other))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
