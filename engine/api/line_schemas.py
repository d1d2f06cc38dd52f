"""The API's bodies about lines. Delays of sound are there and back, mouth to ear."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from engine.api.plain import AT, example
from engine.line_views import Standing
from engine.probe.result import Fault
from routing.report import Kind, Level

FIGURES = {
    "calls": 420,
    "connect_rate": 0.61,
    "drop_rate": 0.004,
    "pdd_s": 1.84,
    "pdd_p95_s": 4.2,
    "setup_s": 9.3,
    "talk_s": 184.0,
    "mos": 4.21,
    "loss": 0.0021,
    "jitter_ms": 3.4,
    "rtt_ms": 38.0,
    "delay_ms": 171.0,
    "probe_mos": 4.02,
    "probes": 24,
    "probes_passed": 23,
}
REASON = {"kind": "probes", "value": 0.9583, "weight": 0.083}
PART = {"figures": FIGURES, "level": "fair", "reasons": [REASON]}
PROBED = {
    "at": AT,
    "number": "+442071838999",
    "by": "schedule",
    "passed": False,
    "fault": "loss",
    "words": "5.1% of the packets",
    "pdd_s": 1.2,
    "setup_s": 1.9,
    "delay_ms": 184.2,
    "delay_p95_ms": 204.0,
    "drift_ms_per_min": 0.1,
    "loss": 0.051,
    "jitter_ms": 4.1,
    "rtt_ms": 41.0,
    "mos": 3.2,
    "digits": 1.0,
    "caller_id": "kept",
    "codec": "PCMA",
}
LINE = {
    "name": "carrier",
    "kind": "ip",
    "country": "GB",
    "region": "eu-west",
    "state": "fit",
    "share": 1.0,
    "active": 12,
    "channels": 30,
    "probe_number": "+442071838999",
    "probe_every_s": 900.0,
}
REPORT = {
    "line": "carrier",
    **PART,
    "regions": [{"region": "eu-west", **PART}],
    "hours": [{"at": AT, **PART}],
}
REPORT["newest"] = PROBED
COST = {"calls": 212, "seconds": 40_210.0, "low": 9.47, "high": 12.1, "unpriced": 0}
REPORT["cost"] = COST
OUTCOME = {
    "passed": False,
    "fault": "loss",
    "detail": "5.1% of the packets",
    "remedy": "see whether the way to the carrier is overloaded; ask it for its own figures",
    "more": [],
    "status": 200,
    "pdd_s": 1.2,
    "setup_s": 1.9,
    "codec": "PCMA",
    "late_ms": 2.1,
    "delay": {
        "median_ms": 184.2,
        "p95_ms": 204.0,
        "least_ms": 181.0,
        "drift_ms_per_min": 0.1,
        "sent": 8,
        "found": 8,
    },
    "streams": {
        "sent": 620,
        "received": 588,
        "loss": 0.051,
        "remote_loss": 0.002,
        "jitter_ms": 4.1,
        "rtt_ms": 41.0,
    },
    "speech": {"mos": 3.2, "disturbance": 2.1, "added": 1.4, "missing": 0.0, "gain_db": -0.3},
    "measure": "bark",
    "digits_sent": "159#",
    "digits_back": "159#",
    "digits": 1.0,
    "caller": {"asked": "+442071838750", "arrived": "+442071838750"},
    "came_back": True,
}
PROBE = {
    "id": "7d6f0f3a1c2b4e5f8a9b0c1d2e3f4a5b",
    "line": "carrier",
    "number": "+442071838999",
    "by": "console",
    "began": AT,
    "steps": [{"at": AT, "words": "calls +442071838999 over carrier"}],
    "result": None,
}

ProbeNumber = Annotated[str, StringConstraints(pattern=r"^(\+?[0-9*#]{2,20})?$")]


class Line(BaseModel):
    """A line now."""

    model_config = example(**LINE)

    name: str
    kind: str
    country: str
    region: str
    state: Standing = Field(description="Whether calls go out over it: `fit`, or why they do not, or seldom.")
    share: float = Field(description="Of its calls that it is given, 0 to 1; it grows when a line returns.")
    active: int = Field(description="Calls over it, both ways.")
    channels: int = Field(description="Most calls at once; 0 for no cap.")
    probe_number: str = Field(description="Number that its probes call; empty for none.")
    probe_every_s: float = Field(description="Seconds between probes; 0 for none but those asked for.")


class LinePage(BaseModel):
    model_config = example(items=[LINE], next=None)

    items: list[Line]
    next: str | None = Field(description="Cursor of the next page; null on the last.")


class LineFigures(BaseModel):
    """What calls and probes came to; null where there was nothing to tell it from."""

    model_config = example(**FIGURES)

    calls: int = Field(description="That were sent over it, and that came.")
    connect_rate: float | None = Field(
        description="Share answered, of calls sent that could have been (ASR)."
    )
    drop_rate: float | None = Field(description="Share of the calls talked in that broke off.")
    pdd_s: float | None = Field(description="Post-dial delay, mean.")
    pdd_p95_s: float | None = Field(description="Post-dial delay, 95th percentile.")
    setup_s: float | None = Field(description="From the call to its answer, mean.")
    talk_s: float | None = Field(description="Talk of an answered call, mean.")
    mos: float | None = Field(description="Of what arrived here, mean (ITU-T G.107).")
    loss: float | None = Field(description="Share of packets that never came, mean.")
    jitter_ms: float | None
    rtt_ms: float | None = Field(description="Of the network alone, as reported (RTCP).")
    delay_ms: float | None = Field(description="Mouth to ear, there and back, by probes.")
    probe_mos: float | None = Field(description="Of speech that went there and back, by probes.")
    probes: int
    probes_passed: int


class LineReason(BaseModel):
    """Why a line, region or hour is not good."""

    model_config = example(**REASON)

    kind: Kind
    value: float = Field(description="The figure: a share, seconds, milliseconds or MOS, by `kind`.")
    weight: float = Field(description="0 where it begins to matter, 1 where it is bad, more beyond.")


class _Part(BaseModel):
    figures: LineFigures
    level: Level
    reasons: list[LineReason] = Field(description="The worst first.")


class LineRegion(_Part):
    """How a line did for callers of a region."""

    model_config = example(region="eu-west", **PART)

    region: str


class LineHour(_Part):
    """How a line did in an hour; hours in which nothing happened are left out."""

    model_config = example(at=AT, **PART)

    at: datetime = Field(description="When it began.")


class LineProbeTold(BaseModel):
    """A probe that is over, as it was kept."""

    model_config = example(**PROBED)

    at: datetime
    number: str
    by: str = Field(description="Who asked: `schedule`, or the name of an API token.")
    passed: bool
    fault: str = Field(description="What is wrong, empty where it passed.")
    words: str
    pdd_s: float | None
    setup_s: float | None
    delay_ms: float | None
    delay_p95_ms: float | None
    drift_ms_per_min: float | None = Field(description="How fast the delay changes.")
    loss: float | None
    jitter_ms: float | None
    rtt_ms: float | None
    mos: float | None
    digits: float | None = Field(description="Share of the digits that survived; null where unknown.")
    caller_id: str = Field(description="`kept` or `changed`, where the call came in again; else empty.")
    codec: str


class LineProbeList(BaseModel):
    model_config = example(items=[PROBED])

    items: list[LineProbeTold] = Field(description="The newest first.")


class LineCost(BaseModel):
    """What a line's answered calls out have cost, in the currency of its rates. Of a call the country is kept
    that was called: where prefixes of it have other rates, the cost lies between two sums.
    """

    model_config = example(**COST)

    calls: int
    seconds: float = Field(description="That they talked.")
    low: float
    high: float
    unpriced: int = Field(description="Calls to where the line names no rate; they are not in it.")


class LineDid(_Part):
    """How a line did."""

    model_config = example(**REPORT)

    line: str
    regions: list[LineRegion]
    hours: list[LineHour]
    newest: LineProbeTold | None = Field(description="The newest probe of that time.")
    cost: LineCost | None = Field(
        default=None, description="Null for a line without rates, and without the permission `read_config`."
    )


class LineReport(BaseModel):
    """How all lines did."""

    model_config = example(since=AT, until=AT, lines=[REPORT])

    since: datetime
    until: datetime
    lines: list[LineDid] = Field(description="The worst first; those that did nothing last.")


class ProbeWish(BaseModel):
    """What to call."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"number": "+442071838999"}]})

    number: ProbeNumber = Field(
        default="", description="Number to call; that of the line's `probe` if empty."
    )


class ProbeStep(BaseModel):
    """What happened in a probe."""

    model_config = example(at=AT, words="calls +442071838999 over carrier")

    at: datetime
    words: str


class ProbeOutcome(BaseModel):
    """What a probe came to, with what is wrong and what to do about it."""

    model_config = example(**OUTCOME)

    passed: bool
    fault: Fault | None
    detail: str
    remedy: str
    more: list[Fault]
    status: int = Field(description="The last SIP status; 0 for none.")
    pdd_s: float | None
    setup_s: float | None
    codec: str
    late_ms: float = Field(description="How long this machine kept the phone waiting, at most.")
    delay: dict[str, float | None] | None = Field(description="Of our marks in the sound: ms, and how many.")
    streams: dict[str, float | None] = Field(description="Packets: counts, shares lost, jitter, round trip.")
    speech: dict[str, float] | None = Field(description="What became of the speech; `mos` by `measure`.")
    measure: str
    digits_sent: str
    digits_back: str | None
    digits: float | None
    caller: dict[str, str] | None = Field(description="Who was to be shown, and who was.")
    came_back: bool = Field(description="Whether it came in again, over a line of ours.")


class LineProbe(BaseModel):
    """A probe as it goes on."""

    model_config = example(**PROBE)

    id: str
    line: str
    number: str
    by: str
    began: datetime
    steps: list[ProbeStep]
    result: ProbeOutcome | None = Field(description="Null while it goes on.")
