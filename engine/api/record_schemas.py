"""Bodies of finished calls' detail records. Units as in `schemas`."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from engine.api.plain import AT, MADE_UP, example
from engine.events import EndReason, Side

LATENCY = {"n": 31, "mean_ms": 812.4, "p95_ms": 1450.0}
RECORD = {
    "call": "019a4f3c2b10-5d1e8a90c4b7f263",
    "contact": "019a4f3c2b10-5d1e8a90c4b7f263",
    "customer": "+34911234567",
    "market": "es",
    "region": "eu-west",
    "node": "madrid-1",
    "number": "+34900100100",
    "source": "203.0.113.9:5060",
    "language": "es",
    "queue": "support-es",
    "agent": "alice",
    "offered_at": AT,
    "answered_at": "2026-03-02T09:15:04.400000Z",
    "connected_at": "2026-03-02T09:15:31.100000Z",
    "ended_at": "2026-03-02T09:19:02.900000Z",
    "ended_by": "customer",
    "reason": "completed",
    "wait_s": 22.4,
    "talk_s": 201.8,
    "hold_s": 10.0,
    "post_dial_delay_s": 0.08,
    "customer_codec": "PCMA",
    "agent_codec": "PCMU",
    "customer_encryption": "AES_CM_128_HMAC_SHA1_80",
    "agent_encryption": "",
    "customer_loss": 0.004,
    "agent_loss": 0.0,
    "customer_jitter_ms": 3.1,
    "agent_jitter_ms": 0.9,
    "customer_mos": 4.3,
    "agent_mos": 4.4,
    "customer_concealed_ms": 140,
    "agent_concealed_ms": 0,
    "asr_latency": LATENCY,
    "mt_latency": None,
    "misses": 1,
    "transfers": 0,
    "recording": "2026-03-14/019cec8f1a2b-5f0e8c6d1b3a4952-1.opus.sealed",
}


class WordsLatency(BaseModel):
    """How late words were; null where there were none."""

    model_config = example(**LATENCY)

    n: int = Field(description="How many.")
    mean_ms: float
    p95_ms: float = Field(description="So much, or less, in 95 % of them: reckoned from counts by bound.")


class Record(BaseModel):
    """A finished call's detail record."""

    model_config = example(**RECORD)

    call: str
    contact: str
    customer: str
    market: str
    region: str
    node: str
    number: str
    source: str = Field(description="Where the call came from on the network.")
    language: str
    queue: str
    agent: str
    offered_at: datetime
    answered_at: datetime | None
    connected_at: datetime | None
    ended_at: datetime
    ended_by: Side
    reason: EndReason
    wait_s: float
    talk_s: float = Field(description="From connected to ended, without `hold_s`.")
    hold_s: float
    post_dial_delay_s: float | None
    customer_codec: str
    agent_codec: str
    customer_encryption: str = Field(description="The SRTP crypto suite of the leg; empty for plain RTP.")
    agent_encryption: str
    customer_loss: float | None
    agent_loss: float | None
    customer_jitter_ms: float | None
    agent_jitter_ms: float | None
    customer_mos: float | None
    agent_mos: float | None
    customer_concealed_ms: int | None = Field(description=MADE_UP)
    agent_concealed_ms: int | None
    asr_latency: WordsLatency | None = Field(description="From an utterance's end to its text, of both.")
    mt_latency: WordsLatency | None = Field(description="From a clause's text to its translation.")
    misses: int = Field(description="Offers to agents that none of them took.")
    transfers: int
    recording: str = Field(
        default="", description="The recording's files, by spaces; NODE: before those on another node's disk."
    )


class RecordPage(BaseModel):
    model_config = example(items=[RECORD], next="WzE3NjAwMDAwMDAuMCwiYyJd")

    items: list[Record] = Field(description="Newest first.")
    next: str | None = Field(description="Cursor of the next page; null on the last.")
