"""Bodies about calls that supervisors judge by forms."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from engine.api.hand_schemas import whole
from engine.api.plain import AT, example
from engine.scorecards import MOST_COMMENT

NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
FormName = Annotated[str, StringConstraints(pattern=NAME)]
Comment = Annotated[str, StringConstraints(max_length=MOST_COMMENT, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
Given = Annotated[int, BeforeValidator(whole), Field(ge=0, le=10, strict=True)]

QUESTION = {
    "name": "identity",
    "ask": "Did she check whom she talks to?",
    "weight": 1.0,
    "scale": 1,
    "critical": True,
    "optional": False,
}
FORM = {"name": "service", "title": "Service call", "queues": ["support"], "questions": [QUESTION]}


class FormQuestion(BaseModel):
    model_config = example(**QUESTION)

    name: str
    ask: str
    weight: float = Field(description="What it counts beside the others.")
    scale: int = Field(description="The best answer; 1 is yes, and 0 no.")
    critical: bool = Field(description="A 0 fails the whole.")
    optional: bool = Field(description="It may be left out.")


class Form(BaseModel):
    """By what calls are judged; of forms.yaml."""

    model_config = example(**FORM)

    name: str
    title: str
    queues: list[str] = Field(description="Whose calls; empty for all.")
    questions: list[FormQuestion]


class FormList(BaseModel):
    model_config = example(items=[FORM])

    items: list[Form]


class ScorecardWanted(BaseModel):
    """A form's answers."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"form": "service", "answers": {"identity": 1}, "comment": "Kind and quick."}]
        },
    )

    form: FormName
    answers: dict[FormName, Given | None] = Field(
        max_length=50, description="By question, from 0 to its scale; null where it does not arise."
    )
    comment: Comment = ""


ANSWER = {
    "name": "identity",
    "ask": "Did she check whom she talks to?",
    "weight": 1.0,
    "scale": 1,
    "critical": True,
    "given": 1,
}
CARD = {
    "id": "5b1e8a90c4b7d102",
    "call": "01a20209ca48-e76d7ce7d743b943",
    "form": "service",
    "at": AT,
    "by": "sue",
    "market": "de",
    "queue": "support",
    "agent": "alice",
    "score": 87.5,
    "failed": False,
    "comment": "Kind and quick.",
    "answers": [ANSWER],
}


class CardAnswer(BaseModel):
    """A question as it was asked then, and its answer."""

    model_config = example(**ANSWER)

    name: str
    ask: str
    weight: float
    scale: int
    critical: bool
    given: int | None


class Scorecard(BaseModel):
    """A call as somebody judged it."""

    model_config = example(**CARD)

    id: str
    call: str
    form: str
    at: datetime
    by: str
    market: str
    queue: str
    agent: str = Field(description="Who was judged.")
    score: float = Field(description="0 to 100: the weighted mean of the answers' shares of their scales.")
    failed: bool = Field(description="By a critical question; the score is 0 then.")
    comment: str
    answers: list[CardAnswer]


class ScorecardList(BaseModel):
    model_config = example(items=[CARD])

    items: list[Scorecard]


class ScorecardPage(BaseModel):
    model_config = example(items=[CARD], next=None)

    items: list[Scorecard]
    next: str | None = Field(description="`cursor` of the next page; null on the last.")
