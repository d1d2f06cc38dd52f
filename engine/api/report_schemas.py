"""Bodies of reports (engine/drill.py). Durations are seconds, shares 0 to 1, jitter milliseconds, MOS 1–5."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from engine.api.plain import AT, example
from engine.drill import FORMULAS, Dimension, Formula

FIGURES = {
    "offered": 240,
    "answered": 221,
    "abandoned": 14,
    "service_level": 0.8936,
    "wait_s": 14.2,
    "talk_s": 201.8,
    "hold_s": 10.1,
    "wrap_up_s": 18.4,
    "handle_s": 230.3,
    "occupancy": 0.71,
    "connect": 0.9208,
    "drop": 0.0045,
    "pdd_s": 0.08,
    "customer_mos": 4.2,
    "agent_mos": 4.3,
    "customer_loss": 0.004,
    "agent_loss": 0.001,
    "customer_jitter_ms": 4.1,
    "agent_jitter_ms": 1.9,
    "concealed": 0.0031,
    "asr_latency_ms": 840.2,
    "asr_latency_p95_ms": 1620.0,
    "mt_latency_ms": 171.5,
    "mt_latency_p95_ms": 410.0,
    "lag_s": 1.62,
    "mood": 0.12,
}
ROW = {"key": {"queue": "support-es", "hour": "2026-03-02T09:00:00+00:00"}, "figures": FIGURES}


class ReportFigures(BaseModel):
    """Null where there is nothing to reckon it from."""

    model_config = example(**FIGURES)

    offered: int = Field(description="Calls that arrived.")
    answered: int = Field(description="Those that somebody talked in.")
    abandoned: int = Field(description="Those whose callers hung up before.")
    service_level: float | None = Field(description="By the answer's `formula`.")
    wait_s: float | None = Field(description="Of those answered from a queue, on average: ASA.")
    talk_s: float | None = Field(description="A call answered.")
    hold_s: float | None = Field(description="A call answered.")
    wrap_up_s: float | None = Field(description="A call answered.")
    handle_s: float | None = Field(description="Talk, hold and wrap-up a call answered: AHT.")
    occupancy: float | None = Field(
        description="Share of the agents' time, pauses left out, that they were offered calls, talked or "
        "wrapped up. Of a queue, a market or a language: of those who serve such queues now, in whatever "
        "queue. By these, by agent and by time alone; null else."
    )
    connect: float | None = Field(description="Share of the offered that were answered.")
    drop: float | None = Field(description="Share of the answered that broke off.")
    pdd_s: float | None = Field(description="From a call's arrival to the first sign back: post-dial delay.")
    customer_mos: float | None
    agent_mos: float | None
    customer_loss: float | None
    agent_loss: float | None
    customer_jitter_ms: float | None
    agent_jitter_ms: float | None
    concealed: float | None = Field(description="Share of rendered sound that was made up for what was lost.")
    asr_latency_ms: float | None = Field(description="From an utterance's end to its text, on average.")
    asr_latency_p95_ms: float | None = Field(description="The same of 95 % of them, at most.")
    mt_latency_ms: float | None = Field(description="From a clause's text to its translation, on average.")
    mt_latency_p95_ms: float | None = Field(description="The same of 95 % of them, at most.")
    lag_s: float | None = Field(description="From what was said to its interpreter's voice.")
    mood: float | None = Field(description="Of customers at the end, -1 to 1, where it is kept.")


class ReportRow(BaseModel):
    model_config = example(**ROW)

    key: dict[Dimension, str] = Field(description="Value by dimension; times as ISO 8601 in `zone`.")
    figures: ReportFigures


class CallReport(BaseModel):
    """What calls came to."""

    model_config = example(
        since=AT,
        until=AT,
        by=["queue", "hour"],
        zone="UTC",
        formula="of_handled",
        formula_words=FORMULAS[Formula.OF_HANDLED],
        threshold_s=20.0,
        items=[ROW],
        total=FIGURES,
    )

    since: datetime
    until: datetime
    by: list[Dimension]
    zone: str
    formula: Formula = Field(description="How `service_level` was reckoned.")
    formula_words: str = Field(description="The same as a sum.")
    threshold_s: float
    items: list[ReportRow]
    total: ReportFigures = Field(description="Of all together.")
