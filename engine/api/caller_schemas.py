"""Bodies about callers from pages: the tokens that sites have made for them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from engine.api.node_schemas import NodeToMeasure
from engine.api.plain import AT, Plain, example

DIALLED = r"^[A-Za-z0-9+*#._() -]{1,40}$"
Dialled = Annotated[str, StringConstraints(pattern=DIALLED)]
LANGUAGE = r"^[a-z]{2,3}(-[A-Z][A-Za-z]{1,3})?$"

SERVER = {"urls": ["turn:turn.example.com:3478"], "username": "1772442904:5f1c", "credential": "q0mE8…"}

WISH: JsonDict = {
    "destination": "support",
    "language": "es",
    "name": "Ana",
    "customer": "c-4711",
    "expires_in_s": 120,
}


class CallerTokenWish(BaseModel):
    """Who is to call where."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [WISH]})

    destination: Dialled = Field(description="A number or name that anyone may dial.")
    language: Annotated[str, StringConstraints(pattern=LANGUAGE)] | None = Field(
        default=None, description="What the caller is spoken to in; the queue's when left out."
    )
    market: Plain | None = Field(default=None, description="Market of the call; the queue's when left out.")
    name: Plain | None = Field(default=None, description="What agents are shown of the caller.")
    customer: Plain | None = Field(default=None, description="Who she is to the site; stands in records.")
    expires_in_s: int | None = Field(
        default=None, ge=10, le=86_400, description="How long a call may be begun; at most `callers.token_s`."
    )


class IceServer(BaseModel):
    """A STUN or TURN server, as RTCPeerConnection takes it."""

    model_config = example(**SERVER)

    urls: list[str]
    username: str = Field(description="Empty where none is needed.")
    credential: str


class CallerToken(BaseModel):
    """A token, and what a page needs beside it."""

    model_config = example(
        token="eyJhbGciOiJIUzI1NiIs…",
        expires_at=AT,
        url="/whip/support",
        ice_servers=[SERVER],
        ice_transport_policy="all",
        nodes=[{"node": "eu-1", "origin": "https://eu-1.example.com"}],
    )

    token: str = Field(description="A JWT: `Authorization: Bearer TOKEN` of requests below `url`.")
    expires_at: datetime = Field(description="Until then a call may be begun; one that is lasts on.")
    url: str = Field(description="Where to POST the offer.")
    ice_servers: list[IceServer]
    ice_transport_policy: Literal["all", "relay"] = Field(
        description="`relay`: nothing else leads to the node."
    )
    nodes: list[NodeToMeasure] = Field(
        default=[],
        description="What to measure before the call, and to tell `POST /near` of; empty where there is "
        "nothing to choose.",
    )
