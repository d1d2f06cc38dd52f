"""The API's bodies. Instants are RFC 3339 in UTC; durations seconds, jitter milliseconds, loss a share 0–1,
MOS 1–5.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from engine.api.caller_schemas import CallerToken as CallerToken
from engine.api.caller_schemas import CallerTokenWish as CallerTokenWish
from engine.api.caller_schemas import IceServer as IceServer
from engine.api.caption_schemas import CaptionShown as CaptionShown
from engine.api.caption_schemas import CaptionText as CaptionText
from engine.api.hand_schemas import SUPERVISOR, Supervisor
from engine.api.note_schemas import AgentNote as AgentNote
from engine.api.note_schemas import AgentNoteTold as AgentNoteTold
from engine.api.plain import AT, MADE_UP, example
from engine.api.plain import Plain as Plain
from engine.api.record_schemas import Record as Record
from engine.api.record_schemas import RecordPage as RecordPage
from engine.views import AgentAsk, Health, LegSide


class Problem(BaseModel):
    """RFC 9457 problem details."""

    model_config = example(
        type="urn:isogloss:problem:unknown-call",
        title="Not Found",
        status=404,
        detail="there is no call '0199-ab' here",
        instance="/v1/calls/0199-ab",
    )

    class Fault(BaseModel):
        where: str = Field(description="Which part of the request, as in `query.limit`.")
        what: str = Field(description="What is wrong with it.")

    type: str = Field(description="A name to program against.")
    title: str = Field(description="The status in words.")
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="What happened, in a sentence for a person.")
    instance: str = Field(description="The path that was asked.")
    next: str = Field(default="", description="Where the same may be asked instead, when this node stops.")
    errors: list[Fault] = Field(default=[], description="Each fault of a request that was not valid.")


TROUBLE = {
    "kind": "clipping",
    "cause": "the sound from 203.0.113.9:40012 is clipped: its microphone is set too high; turn it down",
    "since": AT,
}
LEG = {
    "id": 7,
    "side": "customer",
    "role": "customer",
    "remote": "203.0.113.9:40012",
    "codec": "PCMA",
    "encryption": "AEAD_AES_256_GCM",
    "state": "open",
    "loss": 0.004,
    "jitter_ms": 3.1,
    "mos": 4.3,
    "mos_now": 2.9,
    "mos_there": 4.1,
    "concealed_ms": 140,
    "troubles": [TROUBLE],
}
CALL = {
    "id": "019a4f3c2b10-5d1e8a90c4b7f263",
    "contact": "019a4f3c2b10-5d1e8a90c4b7f263",
    "customer": "+34911234567",
    "number": "+34900100100",
    "market": "es",
    "region": "eu-west",
    "language": "es",
    "state": "talking",
    "queue": "support-es",
    "agent": "alice",
    "since": AT,
    "waiting_position": None,
    "legs": [LEG],
    "supervisors": [SUPERVISOR],
    "announced": True,
}


class Trouble(BaseModel):
    """What is wrong with a phone's sound at the moment."""

    model_config = example(**TROUBLE)

    kind: str = Field(description="A name to program against.")
    cause: str = Field(description="What it is, why probably, and what to do, in a sentence for a person.")
    since: datetime


class Leg(BaseModel):
    """One phone of a call."""

    model_config = example(**LEG)

    id: int
    side: LegSide
    role: str = Field(description="Who it is: customer, agent, guest or supervisor.")
    remote: str = Field(description="The far end's media address; empty before there is one.")
    codec: str
    encryption: str = Field(description="The SRTP suite, `DTLS-SRTP` before one is agreed on; empty: plain.")
    state: str
    loss: float | None = Field(description="Share of its packets that were lost; null before any came.")
    jitter_ms: float | None
    mos: float | None = Field(description="Of the whole call; 4.5 is best (ITU-T G.107).")
    mos_now: float | None = Field(description="Of the last seconds.")
    mos_there: float | None = Field(description="Of what the phone hears, as it reports (RFC 3611).")
    concealed_ms: int | None = Field(description=MADE_UP)
    troubles: list[Trouble]


class Call(BaseModel):
    """A call in progress."""

    model_config = example(**CALL)

    id: str
    contact: str
    customer: str = Field(description="The caller's number or address.")
    number: str = Field(description="The number that was called.")
    market: str
    region: str
    language: str
    state: str = Field(description="A state of the call's transition table.")
    queue: str = Field(description="Empty for a call that is in none.")
    agent: str = Field(description="Who talks to the customer; empty before.")
    since: datetime = Field(description="When the call arrived.")
    waiting_position: int | None = Field(description="From 1 in its queue; null when it does not wait.")
    legs: list[Leg]
    supervisors: list[Supervisor] = Field(description="Who listens to it, or speaks in it.")
    announced: bool = Field(
        description="Whether caller and agent are told when a supervisor comes in, as their market wants it."
    )


class CallPage(BaseModel):
    model_config = example(items=[CALL], next=None)

    items: list[Call]
    next: str | None = Field(description="Cursor of the next page; null on the last.")


CALL_LEG = {name: CALL[name] for name in ("queue", "agent", "market")} | {"call": CALL["id"]} | LEG


class CallLeg(Leg):
    """A leg, and whose it is."""

    model_config = example(**CALL_LEG)

    call: str
    queue: str = Field(description="The call's; empty for a call that is in none.")
    agent: str = Field(description="Who talks to the customer; empty before.")
    market: str


class LegPage(BaseModel):
    model_config = example(items=[CALL_LEG], next=None)

    items: list[CallLeg]
    next: str | None = Field(description="Cursor of the next page; null on the last.")


ENTRY = {
    "node": "madrid-1",
    "seq": 48213,
    "at": AT,
    "kind": "call.queued",
    "data": {"queue": "support-es", "position": 2, "at_head": False},
    "person": {},
}


class Entry(BaseModel):
    """Something that happened to a call. `node` and `seq` name it for ever."""

    model_config = example(**ENTRY)

    node: str
    seq: int
    at: datetime
    kind: str
    data: dict[str, Any] = Field(description="The event's own fields.")
    person: dict[str, Any] = Field(description="Those of its fields that can name or reach a person.")


class Timeline(BaseModel):
    model_config = example(items=[ENTRY])

    items: list[Entry] = Field(description="In the order it happened.")


QUEUE = {
    "name": "support-es",
    "waiting": 3,
    "agents_available": 0,
    "agents_busy": 5,
    "longest_wait_s": 41.5,
    "answered": 120,
    "abandoned": 7,
    "service_level": 0.86,
    "service_threshold_s": 20.0,
}


class Queue(BaseModel):
    """A queue now, and its day so far."""

    model_config = example(**QUEUE)

    name: str
    waiting: int
    agents_available: int
    agents_busy: int
    longest_wait_s: float
    answered: int
    abandoned: int
    service_level: float | None = Field(
        description="Share of the calls offered that were answered within `service_threshold_s`."
    )
    service_threshold_s: float


class QueuePage(BaseModel):
    model_config = example(items=[QUEUE], next=None)

    items: list[Queue]
    next: str | None = Field(description="Cursor of the next page; null on the last.")


AGENT = {
    "name": "alice",
    "state": "paused",
    "since": AT,
    "reason": "lunch",
    "registered": True,
    "queues": ["support-es"],
    "misses": 0,
    "call": "",
}


class Agent(BaseModel):
    model_config = example(**AGENT)

    name: str
    state: str = Field(description="logged_out, available, offered, talking, wrap_up or paused.")
    since: datetime = Field(description="When the state began.")
    reason: str
    registered: bool = Field(description="Whether a phone of hers is registered.")
    queues: list[str]
    misses: int = Field(description="Offers missed in a row.")
    call: str = Field(description="The call she is in; empty for none.")


class AgentPage(BaseModel):
    model_config = example(items=[AGENT], next=None)

    items: list[Agent]
    next: str | None = Field(description="Cursor of the next page; null on the last.")


class AgentChange(BaseModel):
    """What is asked of an agent. During a call it takes effect after it."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"state": "paused", "reason": "lunch"}]}
    )

    state: AgentAsk
    reason: Plain = Field(default="", description="Why, in the supervisor's words; stands in the journal.")


class RecordingChange(BaseModel):
    """What is asked of a call's recording."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"paused": True}]})

    paused: bool = Field(strict=True, description="True to write silence, false to record again.")


class RecordingOutline(BaseModel):
    """How loud each side of a recording is from its beginning to its end, 0 to 1."""

    model_config = example(seconds=214.2, customer=[0.0, 0.31, 0.28], agent=[0.12, 0.0, 0.02])

    seconds: float
    customer: list[float] = Field(description="Each is the loudest of as long a stretch; 1000 at most.")
    agent: list[float] = Field(description="What the customer was sent, of the same stretches.")


REGISTRATION = {
    "aor": "sip:alice@example.com",
    "contact": "sip:alice@198.51.100.20:5062;transport=udp",
    "transport": "udp",
    "expires_in_s": 281.0,
    "user_agent": "Linphone/5.2",
}


class Registration(BaseModel):
    """A contact that a phone registered for an address of record."""

    model_config = example(**REGISTRATION)

    aor: str
    contact: str
    transport: str
    expires_in_s: float
    user_agent: str


class RegistrationPage(BaseModel):
    model_config = example(items=[REGISTRATION], next=None)

    items: list[Registration]
    next: str | None = Field(description="Cursor of the next page; null on the last.")


CHECK = {"name": "journal", "status": "degraded", "detail": "the store fails; events wait on disk"}


class Check(BaseModel):
    model_config = example(**CHECK)

    name: str
    status: Health
    detail: str


class NodeHealth(BaseModel):
    model_config = example(status="degraded", node="madrid-1", version="0.1.0", checks=[CHECK])

    status: Health
    node: str | None = Field(default=None, description="Told to holders of a token.")
    version: str | None = Field(default=None, description="Told to holders of a token.")
    checks: list[Check] | None = Field(default=None, description="Told to holders of a token.")
