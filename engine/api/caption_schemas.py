"""Bodies of captions that come from outside: of a person who types along, or of a recogniser elsewhere."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from engine.api.plain import example
from engine.views import LegSide

Said = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00-\x09\x0b-\x1f\x7f]*$")]
Name = Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]
Tag = Annotated[str, StringConstraints(max_length=35, pattern=r"^([A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*)?$")]


class CaptionText(BaseModel):
    """What one side says."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "side": "customer",
                    "line": 4,
                    "text": "¿Dónde está mi paquete?",
                    "language": "es",
                    "translation": "Where is my parcel?",
                    "to": "en",
                    "final": True,
                    "readers": ["agent"],
                }
            ]
        },
    )

    side: LegSide = Field(description="Who says it.")
    line: int = Field(ge=0, le=2**31, description="The same for all versions of one sentence.")
    text: Said = Field(min_length=1, description="In the speaker's own words.")
    language: Tag = Field(min_length=2, description="Of the text: a BCP 47 tag.")
    translation: Said = Field(default="", description="In the readers' language, where that is another.")
    to: Tag = Field(default="", description="Of the translation.")
    final: bool = Field(default=True, description="Whether no other version follows.")
    guess: int = Field(
        default=0, ge=0, le=2000, description="Characters at the end of the text that may still change."
    )
    guess_translated: int = Field(default=0, ge=0, le=2000, description="The same of the translation.")
    by: Name = Field(default="", description="Which recogniser heard it; empty for a person.")
    translated_by: Name = Field(default="", description="Which translator; empty for a person.")
    low_accuracy: bool = Field(default=False, description="Recognised with low accuracy; shown as such.")
    gist: bool = Field(default=False, description="Translated for the gist alone; shown as such.")
    marks: tuple[Literal["no_pair", "failed", "shed", "unspoken"], ...] = Field(
        default=(),
        max_length=4,
        description="What is missing: `no_pair`, any translation; `failed`, some of it; `shed`, its voice; "
        "`unspoken`, the same where it was made and came too late, or was broken off.",
    )
    readers: frozenset[LegSide] = Field(
        default=frozenset(LegSide), min_length=1, description="Whose pages show it."
    )


class CaptionShown(BaseModel):
    """Where it is shown."""

    model_config = example(pages=2)

    pages: int = Field(description="How many pages show it.")
