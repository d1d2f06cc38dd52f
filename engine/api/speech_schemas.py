"""Bodies about speech: who hears, translates and speaks here, and how a side of a call hears the other."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.api.plain import example
from engine.views import LegSide

WORKER = {
    "craft": "hear",
    "name": "CMU Sphinx en-us",
    "languages": ["en"],
    "closed": ["es", "fr"],
    "low_accuracy": True,
    "why": "no Whisper model is configured",
}
PAIR = {"source": "es", "target": "en", "gist": True}


class SpeechWorker(BaseModel):
    """One that hears, translates or speaks."""

    model_config = example(**WORKER)

    craft: Literal["hear", "translate", "speak"]
    name: str = Field(description="The engine and its model.")
    languages: list[str] = Field(
        description="That it hears openly or speaks, or translates among; empty for any."
    )
    closed: list[str] = Field(description="That it hears where all that can be said is known.")
    low_accuracy: bool = Field(description="What it hears is marked so wherever it is shown.")
    why: str = Field(description="How it came to be chosen, or what was missing for a better one.")


class SpeechPair(BaseModel):
    """A language that is translated into another."""

    model_config = example(**PAIR)

    source: str
    target: str
    gist: bool = Field(description="For the gist alone; marked so wherever it is shown.")


class Speech(BaseModel):
    """What is put into words on this node."""

    model_config = example(
        wanted=True, workers=[WORKER], pairs=[PAIR], any_pair=False, level="all", says="", talks=3
    )

    wanted: bool = Field(description="Whether any queue has its calls put into words.")
    workers: list[SpeechWorker] = Field(
        description="Who is there. None before the first call that wants them."
    )
    pairs: list[SpeechPair] = Field(description="What is translated, as far as it is told pair by pair.")
    any_pair: bool = Field(description="Whether a translator takes any pair of its languages.")
    level: Literal["all", "no_partials", "no_voices", "some_captions"] = Field(
        description="What is done, where there is more of it than the node may do."
    )
    says: str = Field(description="The same in words; empty while all is done.")
    talks: int = Field(ge=0, description="Calls that are put into words now.")


class InterpreterChoice(BaseModel):
    """How a side hears the other."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"side": "agent", "voice": "over"}]}
    )

    side: LegSide = Field(description="Who listens.")
    voice: Literal["off", "over", "instead"] = Field(
        description="The other as she is; an interpreter over her, lowered; or the interpreter alone."
    )
