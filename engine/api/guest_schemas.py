"""Bodies about guests: somebody who is asked into a call while two talk."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.api.plain import example


class GuestWanted(BaseModel):
    """Whom to ask in."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"to": "inga"}]})

    to: str = Field(
        min_length=1,
        max_length=128,
        pattern=r"^[A-Za-z0-9_.+*#-]+$",
        description="Number, extension or name of numbers.yaml that leads to an agent, a line or an address.",
    )


class Guest(BaseModel):
    """Who was asked in."""

    model_config = example(to="inga", standing="in", agent="inga")

    to: str = Field(description="As asked for.")
    standing: Literal["ringing", "in", "aside"] = Field(
        description="`in`: all three hear each other; `aside`: waits with music while one of the two holds."
    )
    agent: str = Field(description="Name of the agent; empty where the guest is none of this node's.")
