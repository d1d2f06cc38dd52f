"""Bodies of what helps agents while they talk."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from engine.api.plain import AT, example
from engine.assist_views import HelpKind

HELP = {
    "call": "019a4f3c2b10-5d1e8a90c4b7f263",
    "kind": "answer",
    "at": AT,
    "title": "Where a parcel is",
    "text": "Delivery takes two to four working days.",
    "language": "en",
    "source": "service.en.md",
    "instead": "",
}


class AgentHelp(BaseModel):
    """One piece of help."""

    model_config = example(**HELP)

    call: str = Field(description="Empty where it is of no call.")
    kind: HelpKind
    at: datetime
    title: str = Field(description="The phrase, the word or the heading.")
    text: str = Field(description="What to say or to know; may be empty.")
    language: str = Field(description="Of the text.")
    source: str = Field(description="The file of the configuration's `knowledge` that it is of.")
    instead: str = Field(description="What to say instead of a word that is better not said.")


class AgentHelpList(BaseModel):
    model_config = example(items=[HELP])

    items: list[AgentHelp]
