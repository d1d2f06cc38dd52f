"""forms.yaml as values: by what questions supervisors judge calls."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Le, Len
from pydantic import AfterValidator

from config.setting import Name, Words, setting, settings, wrong

MOST_QUESTIONS = 50
Sentence = Annotated[str, Len(1, 300), Words("text")]


@settings
class QuestionSettings:
    name: Name = setting("The question's name, by which answers are kept.")
    ask: Sentence = setting("The question.")
    weight: Annotated[float, Ge(0), Le(100), Words("number")] = setting(
        "What it counts beside the others.", default=1.0
    )
    scale: Annotated[int, Ge(1), Le(10), Words("number")] = setting(
        "The best answer, of 0 to 10; 1 is yes, and 0 no.", default=1
    )
    critical: bool = setting("Whether a 0 fails the whole, whatever the rest is.", default=False)
    optional: bool = setting("Whether it may be left out, where it does not arise.", default=False)


def _questions(given: tuple[QuestionSettings, ...]) -> tuple[QuestionSettings, ...]:
    names = [each.name for each in given]
    twice = sorted({each for each in names if names.count(each) > 1})
    if twice:
        raise wrong(f"two questions are called '{twice[0]}'", "give each a name of its own")
    if not any(each.weight for each in given):
        raise wrong("no question counts", "give one a weight")
    return given


@settings
class FormSettings:
    name: Name = setting("The form's name.", derived=True)
    title: Sentence = setting("What supervisors call it.")
    queues: tuple[Name, ...] = setting("Whose calls are judged by it; all when left out.", default=())
    heard_by_agent: bool = setting(
        "Whether an agent may hear, at her page, the calls of hers that were judged by it.", default=False
    )
    questions: Annotated[
        tuple[QuestionSettings, ...], AfterValidator(_questions), Len(1, MOST_QUESTIONS), Words("questions")
    ] = setting("What is asked, in this order.")
