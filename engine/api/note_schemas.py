"""Bodies of what is said to an agent in writing."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from engine.api.plain import example


class AgentNote(BaseModel):
    """What is to be said to an agent."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"text": "Offer her the refund."}]}
    )

    text: str = Field(min_length=1, max_length=1000, pattern=r"^[^\x00-\x09\x0b-\x1f\x7f]*$")


class AgentNoteTold(BaseModel):
    """Where it is shown."""

    model_config = example(pages=1)

    pages: int = Field(description="How many of her pages show it.")
