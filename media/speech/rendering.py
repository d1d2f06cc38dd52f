"""An utterance for one reader: clause by clause in another language, and in an interpreter's voice.

What was shown of a clause that stands is shown for good; what may still change is translated apart, as a
guess, and only while the one before it was answered. Clauses are translated and spoken in their order,
whichever answer comes first.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from media.speech.clause import Clause
from media.speech.jobs import Translated
from media.speech.language import joined
from media.speech.messages import Into
from media.speech.rewording import Rewording


@dataclass(slots=True)
class Piece:
    """A clause. stood: since when its text is known, s. text: in the reader's language, None while it is not
    known. voiced: its voice came, or will not. pcm: of it, Hz `rate`; by: who spoke.
    """

    clause: Clause
    stood: float
    text: str | None = None
    sure: float = 1.0
    pcm: bytearray = field(default_factory=bytearray)
    rate: int = 16000
    by: str = ""
    voiced: bool = False


@dataclass(slots=True)
class Rendering:
    """pieces: of the clauses that stand. guess: of what comes after them, for now; guessed: what that was
    made of. marks: what kept it from being better. alike: the reader's language is the speaker's. took_s: of
    clauses that were translated, while the reader's side was not told how long that took.
    """

    into: Into
    alike: bool = False
    pieces: list[Piece] = field(default_factory=list)
    guess: str = ""
    guessed: str = ""
    owed: str = ""  # the job that translates the guess
    whole: bool = False  # no clause will follow
    serial: int = 0
    shown: tuple[object, ...] = ()  # what the reader was told last
    rewording: Rewording = field(init=False)
    spoken: int = 0  # pieces whose voice was given away
    by: str = ""
    gist: bool = False
    via: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    took_s: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rewording = Rewording(self.into.language)

    @property
    def over(self) -> bool:
        return self.whole and (self.alike or (self.written and self.spoken >= len(self.pieces)))

    @property
    def waits(self) -> int:
        """Clauses that are not translated yet."""
        return sum(each.text is None for each in self.pieces)

    @property
    def written(self) -> bool:
        return self.whole and all(each.text is not None for each in self.pieces)

    @property
    def stands(self) -> str:
        """What is known in order."""
        texts: list[str] = []
        for each in self.pieces:
            if each.text is None:
                break
            texts.append(each.text)
        return joined(texts, self.into.language)

    def translated(self, number: int, result: Translated, now: float) -> None:
        """A clause's translation."""
        piece = self.pieces[number]
        self.took_s.append(now - piece.stood)
        piece.text, piece.sure = self.rewording.stands(result.text), result.sure
        self.by, self.gist, self.via = result.by, self.gist or result.gist, result.via or self.via

    def failed(self, number: int, mark: str) -> None:
        """A clause that is not translated."""
        self.pieces[number].text = ""
        self.mark(mark)

    def mark(self, mark: str) -> None:
        if mark not in self.marks:
            self.marks = (*self.marks, mark)
