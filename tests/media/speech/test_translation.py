"""What a reader sees while clauses come to stand and guesses at the rest are answered late, or twice."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from media.speech.clause import Clause
from media.speech.jobs import AnyJob, Translate, Translated
from media.speech.listener import Listener, Spell
from media.speech.messages import Attend, Into, Rendered, SpeechEvent
from media.speech.rendering import Rendering
from media.speech.translation import Interpreter
from media.speech.utterance import Revision, Utterance
from tests.media.speech.guesses import words


class Reader:
    """One who reads English what is said in Spanish, clause by clause."""

    def __init__(self) -> None:
        self.jobs: list[Translate] = []
        self.told: list[SpeechEvent] = []
        self.interpreter = Interpreter(self._ask, self.told.append, self._write, lambda kind, leg: True)
        into = Into(2, "en")
        self.listener = Listener(0, Attend(1, ("es",), (into,)))
        self.spell = Spell(Utterance(1, 0.0), "1.1", 8000, bytearray(), 0.0, language="es")
        self.rendering = Rendering(into)
        self.now = 1.0

    def _write(self, pcm: bytes, rate: int) -> str:
        return ""

    def _ask(self, job: AnyJob, now: float) -> bool:
        assert isinstance(job, Translate)
        self.jobs.append(job)
        return True

    def hear(self, stands: str, guess: str, clauses: Sequence[str] = (), *, over: bool = False) -> None:
        revision = Revision(1, len(self.jobs), stands, guess, 0.0, over, 0.0)
        cut = [Clause(words(each), True) for each in clauses]
        self.interpreter.follow(self.listener, self.spell, self.rendering, cut, revision, self.now)

    def answer(self, text: str, translation: str) -> None:
        """The newest job about that text is answered."""
        job = next(each for each in reversed(self.jobs) if each.text == text)
        self.interpreter.answered(job, Translated(job.key, text=translation), self.now)

    @property
    def reads(self) -> tuple[str, str]:
        shown = [each for each in self.told if isinstance(each, Rendered)]
        return (shown[-1].stands, shown[-1].guess) if shown else ("", "")


@pytest.fixture
def reader() -> Reader:
    return Reader()


def test_a_guess_is_read_once_two_translations_agree_on_it(reader: Reader):
    reader.hear("", "mi pedido")
    reader.answer("mi pedido", "my order")
    assert reader.reads == ("", "")
    reader.hear("", "mi pedido no")
    reader.answer("mi pedido no", "my order does not")
    assert reader.reads == ("", "my order")


def test_a_guess_at_what_became_a_clause_meanwhile_is_not_read_twice(reader: Reader):
    reader.hear("", "mi pedido. Ha")
    reader.hear("mi pedido.", " Ha", ["mi pedido."])
    reader.answer("mi pedido.", "My order.")
    reader.answer("mi pedido. Ha", "My order. Has")
    assert reader.reads == ("My order.", "")


def test_what_stands_is_not_touched_by_any_later_answer(reader: Reader):
    reader.hear("mi pedido.", "", ["mi pedido."])
    reader.answer("mi pedido.", "My order.")
    reader.answer("mi pedido.", "My request.")
    reader.hear("mi pedido. no llegó.", "", ["no llegó."], over=True)
    reader.answer("no llegó.", "It did not come.")
    assert reader.reads == ("My order. It did not come.", "")


def test_a_guess_after_clauses_of_a_script_without_spaces_loses_no_character(reader: Reader):
    reader.spell.language = "zh"
    reader.hear("你好。我的包裹没到。", "在哪里", ["你好。", "我的包裹没到。"])
    assert [job.text for job in reader.jobs] == ["你好。", "我的包裹没到。", "在哪里"]


def test_how_long_each_clauses_translation_took_is_told_once(reader: Reader):
    reader.hear("mi pedido.", " no", ["mi pedido."])
    reader.now = 1.5
    reader.hear("mi pedido. no llegó.", "", ["no llegó."], over=True)
    reader.now = 1.75
    reader.answer("no llegó.", "It did not come.")  # nothing new is read: the first is waited for
    reader.answer("mi pedido.", "My order.")
    reader.answer("mi pedido.", "My request.")
    assert [each.took_s for each in reader.told if isinstance(each, Rendered) and each.took_s] == [
        (0.25, 0.75)
    ]
