"""Bodies about webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from engine.api.plain import AT, example

HOOK = {
    "name": "crm",
    "url": "https://crm.example.com/isogloss",
    "enabled": True,
    "kinds": ["call.connected", "call.ended"],
    "waiting": 3,
    "lag_s": 4.2,
    "dead": 1,
    "told": 1204,
    "failed": 2,
    "failures": 1,
    "last_at": AT,
    "error": "answered 503",
}
LETTER = {
    "id": "madrid-1-48211",
    "seq": 48211,
    "at": AT,
    "call": "019a4f3c2b10-5d1e8a90c4b7f263",
    "kind": "call.ended",
    "tries": 9,
    "error": "answered 410",
}


TRIAL = {
    "id": "madrid-1-trial-5d1e8a90c4b7f263",
    "taken": False,
    "status": 503,
    "why": "answered 503",
    "took_ms": 84.2,
}


class Hook(BaseModel):
    """A webhook and how it does on the node that is asked."""

    model_config = example(**HOOK)

    name: str
    url: str = Field(description="Without its query, which may hold a key.")
    enabled: bool
    kinds: list[str]
    waiting: int = Field(description="Events that are yet to be told.")
    lag_s: float = Field(description="Age of the oldest of them.")
    dead: int = Field(description="Events that were put aside: not taken in time, or too many.")
    told: int = Field(description="Events that were taken, since the node started.")
    failed: int = Field(description="Tries that failed, since the node started.")
    failures: int = Field(description="Tries in a row that found the target out of order.")
    last_at: datetime | None = Field(description="When it last took something.")
    error: str = Field(description="What kept the last try that failed; empty when all is well.")


class HookList(BaseModel):
    model_config = example(items=[HOOK])

    items: list[Hook]


class DeadLetter(BaseModel):
    """An event that was put aside."""

    model_config = example(**LETTER)

    id: str = Field(description="The CloudEvent's.")
    seq: int
    at: datetime
    call: str
    kind: str
    tries: int
    error: str


class DeadLetterList(BaseModel):
    model_config = example(items=[LETTER])

    items: list[DeadLetter] = Field(description="The oldest first, 200 of them.")


class ReplayWish(BaseModel):
    """What is to be tried again."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"seqs": [48211]}]})

    seqs: list[Annotated[int, Field(ge=1, le=2**62)]] | None = Field(
        default=None, max_length=200, description="`seq` of some; all that were put aside when left out."
    )


class Replayed(BaseModel):
    model_config = example(events=1)

    events: int = Field(description="How many are tried again.")


class HookTrial(BaseModel):
    """How a webhook took an event that says nothing but that it is tried."""

    model_config = example(**TRIAL)

    id: str = Field(description="The CloudEvent's, whose type is `isogloss.hook.tried`.")
    taken: bool
    status: int | None = Field(description="Of the answer; null where none came.")
    why: str = Field(description="What kept it from being taken; empty when all is well.")
    took_ms: float = Field(description="Until the answer.")
