"""Bodies of what was said in calls that are over, and of what was made of it."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from engine.api.plain import AT, example

LINE = {
    "side": "customer",
    "begin": 14.2,
    "end": 16.9,
    "language": "es-ES",
    "text": "El paquete no ha llegado",
    "translation": "The parcel has not arrived",
    "low": False,
    "gist": True,
}
MARK = {"rule": "greeting", "passed": True, "share": 0.25, "seconds": 3.1, "missing": []}
QUOTED = {**MARK, "quote": "Good morning, how can I help you?"}
MOOD = {"last": 0.4, "worst": -0.62}
FELT = {**MOOD, "reasons": ["ridiculous"]}
REVIEW = {
    "call": "019a4f3c2b10-5d1e8a90c4b7f263",
    "ended_at": AT,
    "market": "es-ES",
    "language": "es",
    "queue": "support-es",
    "agent": "alice",
    "outcome": "resolved",
    "score": 82.5,
    "topics": ["delivery"],
    "marks": [MARK],
    "moods": {"customer": MOOD},
}
TRANSCRIPT = {
    **REVIEW,
    "marks": [QUOTED],
    "moods": {"customer": FELT},
    "summary": "The parcel has not arrived. It is sent again today.",
    "by": "sentences of the call",
}


class Mark(BaseModel):
    """One rule of quality, and what a call did about it."""

    model_config = example(**MARK)

    rule: str
    passed: bool | None = Field(description="Null where it could not be judged.")
    share: float = Field(description="Of the score: 0 to 1.")
    seconds: float | None = Field(description="What was measured, where that is a time.")
    missing: list[str] = Field(description="Phrases of the market's that were not said.")


class QuotedMark(Mark):
    model_config = example(**QUOTED)

    quote: str = Field(description="Words of the call that decided it.")


class Mood(BaseModel):
    """How a side felt, -1 to 1."""

    model_config = example(**MOOD)

    last: float = Field(description="At the end.")
    worst: float


class ReasonedMood(Mood):
    model_config = example(**FELT)

    reasons: list[str] = Field(description="Words that weighed most.")


class Review(BaseModel):
    """What was made of a call by rules, without its words."""

    model_config = example(**REVIEW)

    call: str
    ended_at: datetime
    market: str
    language: str
    queue: str
    agent: str
    outcome: str = Field(description="resolved, unresolved, follow_up, transferred, unanswered or unknown.")
    score: float | None = Field(description="First-pass quality, 0 to 100; null where it is not known.")
    topics: list[str]
    marks: list[Mark]
    moods: dict[str, Mood] = Field(description="By side.")


class ReviewPage(BaseModel):
    model_config = example(items=[REVIEW], next="WzE3NjAwMDAwMDAuMCwiYyJd")

    items: list[Review] = Field(description="Newest first.")
    next: str | None = Field(description="Cursor of the next page; null on the last.")


class SaidLine(BaseModel):
    """An utterance."""

    model_config = example(**LINE)

    side: str
    begin: float = Field(description="Seconds since the call arrived.")
    end: float
    language: str
    text: str
    translation: str
    low: bool = Field(description="Heard with low accuracy.")
    gist: bool = Field(description="Translated for the gist alone.")


class TranscriptHit(Review):
    """A call that was found, with lines in which the words are."""

    model_config = example(**TRANSCRIPT, found=[LINE])

    marks: list[QuotedMark]  # type: ignore[assignment]
    moods: dict[str, ReasonedMood] = Field(description="By side.")  # type: ignore[assignment]
    summary: str
    by: str = Field(description="What wrote the summary.")
    found: list[SaidLine] = Field(description="The first lines that the words were found in.")


class TranscriptPage(BaseModel):
    model_config = example(items=[{**TRANSCRIPT, "found": [LINE]}], next="WzE3NjAwMDAwMDAuMCwiYyJd")

    items: list[TranscriptHit] = Field(description="Newest first.")
    next: str | None = Field(description="Cursor of the next page; null on the last.")


class TranscriptWhole(TranscriptHit):
    """All that was said in a call, and what was made of it."""

    model_config = example(**TRANSCRIPT, found=[], lines=[LINE])

    lines: list[SaidLine] = Field(description="In their order; empty where nothing was written down.")
