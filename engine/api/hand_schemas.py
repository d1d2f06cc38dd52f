"""Bodies about a supervisor's hand: who listens to a call or speaks in it, and how callers wait."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from engine.api.caller_schemas import SERVER, IceServer
from engine.api.plain import AT, example

ACCOUNT = r"^[a-z0-9][a-z0-9_.-]{0,63}$"
MODES = (
    "`listen`: hears all sides, heard by none. `whisper`: the agent alone hears her. `barge`: all hear all. "
    "`take_over`: she takes the agent's place, who is released."
)
HIGHEST = 100


def whole(value: object) -> object:
    """JSON has one kind of number: 45.0 is 45."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Account = Annotated[str, StringConstraints(pattern=ACCOUNT)]
PickedField = Annotated[str, StringConstraints(pattern=rf"{ACCOUNT}|^$")]
Mode = Literal["listen", "whisper", "barge", "take_over"]


class SupervisionWanted(BaseModel):
    """Which phone is to be rung, and how it is to be in the call."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"mode": "whisper", "at": "sue", "auto_answer": True}]},
    )

    mode: Mode = Field(default="listen", description=MODES)
    at: Account = Field(
        default="page",
        description="SIP account whose phone is rung; `page` is the asker's: of `POST /v1/phones`, else the "
        "account of her own name in a page.",
    )
    auto_answer: bool = Field(
        default=False, strict=True, description="Have the phone answer by itself, if it is one that can."
    )


class SupervisionChange(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"mode": "barge"}]})

    mode: Mode = Field(description=MODES)


SUPERVISOR = {
    "at": "sue",
    "by": "sue",
    "mode": "whisper",
    "standing": "in",
    "since": AT,
    "announced": True,
}


class Supervisor(BaseModel):
    """Somebody who listens to a call, or speaks in it."""

    model_config = example(**SUPERVISOR)

    at: str = Field(description="SIP account of her phone; what the path of a change has.")
    by: str = Field(
        description="Who asked: a user or token of the API, or that account by a code it dialled."
    )
    mode: Mode = Field(description=MODES)
    standing: Literal["ringing", "in"] = Field(description="Whether she has answered.")
    since: datetime = Field(description="Of that.")
    announced: bool = Field(description="Whether caller and agent are told, as their market wants it.")


class SupervisorList(BaseModel):
    model_config = example(items=[SUPERVISOR])

    items: list[Supervisor]


class PlaceChange(BaseModel):
    """What is to be changed of a waiting caller's place, all of it or nothing. What is left out stays."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"queue": "sales", "priority": 10}]}
    )

    queue: Account | None = Field(
        default=None, description="Another queue; the time she waited counts there."
    )
    priority: Annotated[int | None, BeforeValidator(whole)] = Field(
        default=None,
        ge=0,
        le=HIGHEST,
        strict=True,
        description="Callers of a higher one are served first, those of the same by when they came.",
    )
    agent: PickedField | None = Field(
        default=None,
        description="Who alone is offered her next, of whatever queue; empty for whoever is next. Falls "
        "after one offer, and when that one takes no calls any more.",
    )


class QueuePlace(BaseModel):
    """How a caller waits."""

    model_config = example(
        queue="sales", position=1, waited_s=41.5, priority=10, agent="", offered_to="alice"
    )

    queue: str
    position: int = Field(description="From 1; 0 while she is greeted.")
    waited_s: float = Field(description="Since she came, in whatever queue.")
    priority: int
    agent: str = Field(description="Picked for her by hand; empty for whoever is next.")
    offered_to: str = Field(description="The agent whose phone rings for her; empty for nobody's.")


ICE = {"ice_servers": [SERVER], "ice_transport_policy": "all", "ice_renewed_s": 3600.0}


class PageIce(BaseModel):
    """How a phone in a page finds its way to the node, as RTCPeerConnection takes it."""

    model_config = example(**ICE)

    ice_servers: list[IceServer]
    ice_transport_policy: Literal["all", "relay"] = Field(
        description="`relay`: nothing but TURN leads here; give it to RTCPeerConnection as it is."
    )
    ice_renewed_s: float = Field(
        description="Ask anew after so long, before passwords for TURN expire; calls that go on keep theirs."
    )


class PagePhone(PageIce):
    """An account for a phone in a page. It registers over a WebSocket, and can be rung, not call."""

    model_config = example(
        **ICE,
        account="page-5d1e8a90c4b7",
        password="019a4f3c2b105d1e8a90c4b7f2631abc",
        domain="example.com",
        scheme="wss",
        port=7443,
        expires_in_s=43200.0,
    )

    account: str
    password: str = Field(description="SIP password; shown this once.")
    domain: str
    scheme: Literal["ws", "wss", ""] = Field(description="Empty where the node takes no SIP over WebSockets.")
    port: int
    expires_in_s: float
