"""Bodies of why a call was bad: its SIP ladder, quality over time, timeline, and what went wrong."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from engine.api.plain import AT, example

ID = "019a4f3c2b10-5d1e8a90c4b7f263"
MESSAGE = {
    "index": 0,
    "at": AT,
    "t": 0.012,
    "inward": True,
    "transport": "udp",
    "remote": "203.0.113.9:5060",
    "own": "198.51.100.4:5060",
    "side": "customer",
    "who": "carrier-1",
    "leg": 7,
    "call_id": "3848276298220188511@203.0.113.9",
    "method": "INVITE",
    "status": 0,
    "first": "INVITE sip:+34900100100@pbx.example.com SIP/2.0",
    "text": "INVITE sip:+34900100100@pbx.example.com SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.9:5060\r\n",
    "repeated": False,
    "fault": "",
}
SAMPLE = {
    "at": 20.0,
    "seconds": 5.0,
    "codec": "PCMA",
    "received": 247,
    "lost": 3,
    "loss": 0.012,
    "late": 1,
    "lost_there": 0,
    "concealed_ms": 60,
    "resets": 0,
    "jitter_ms": 4.1,
    "buffer_ms": 40.0,
    "kbps": 64.0,
    "burst": 1.1,
    "mos": 4.1,
    "mos_there": 4.2,
    "rtt_ms": 38.0,
    "level_db": -14.2,
    "speech": 0.61,
    "sent": 250,
}
LEG = {"leg": 7, "side": "customer", "samples": [SAMPLE]}
MOMENT = {
    "at": AT,
    "t": 12.4,
    "lane": "queue",
    "kind": "call.offered",
    "side": "",
    "state": "offered",
    "why": "longest idle of 3 with spanish",
    "index": 41,
    "data": {"queue": "support-es", "agent": "alice"},
}
EVIDENCE = {"kind": "message", "index": 4, "at": AT, "text": "SIP/2.0 486 Busy Here", "leg": 8}
FINDING = {
    "fault": "carrier_cause",
    "sure": 0.85,
    "side": "agent",
    "sentence": "198.51.100.80 refused the call: busy (486 Busy Here).",
    "remedy": "If the reason is not the called party's own, ask the carrier.",
    "evidence": [EVIDENCE],
}
FIGURES = {
    "leg": 7,
    "side": "customer",
    "codec": "PCMA",
    "received": 9120,
    "loss": 0.0004,
    "jitter_ms": 3.2,
    "mos": 4.38,
    "rtt_ms": 38.0,
}


class SipMessage(BaseModel):
    """One message as it came or went, without credentials: they are overwritten with `x`."""

    model_config = example(**MESSAGE)

    index: int = Field(description="Its place in the ladder; evidence refers to it.")
    at: datetime
    t: float = Field(description="Seconds since the call arrived.")
    inward: bool = Field(description="The far end sent it; else this node did.")
    transport: str
    remote: str = Field(description="The far end's address and port.")
    own: str = Field(description="This node's.")
    side: str = Field(description="Whose dialog it is of: customer or agent.")
    who: str = Field(description="The line, agent or account that the far end is; empty where it is none.")
    leg: int
    call_id: str
    method: str = Field(description="Of its transaction; empty where the message cannot be read.")
    status: int = Field(description="Of a response; 0 for requests.")
    first: str = Field(description="Its first line.")
    text: str
    repeated: bool = Field(description="The same went that way before.")
    fault: str = Field(description="Why it did not go or could not be read; empty for most.")


class SipLadder(BaseModel):
    model_config = example(call=ID, live=False, omitted=0, messages=[MESSAGE])

    call: str
    live: bool = Field(description="The call goes on, and more may follow.")
    omitted: int = Field(description="Messages that were left out, for there were too many.")
    messages: list[SipMessage] = Field(description="In the order of time, of all legs.")


class QualitySample(BaseModel):
    """A leg's sound in the seconds before `at`."""

    model_config = example(**SAMPLE)

    at: float = Field(description="Seconds since the call arrived.")
    seconds: float = Field(description="That it covers.")
    codec: str
    received: int
    lost: int
    loss: float | None = Field(description="Share of packets that never came; null where none were due.")
    late: int = Field(description="Packets that came after their turn to be played.")
    lost_there: int = Field(description="Packets of ours that were lost, as the far end reports.")
    concealed_ms: int = Field(description="Sound that was made up for what was missing.")
    resets: int
    jitter_ms: float
    buffer_ms: float = Field(description="How late it was played.")
    kbps: float
    burst: float = Field(description="BurstR of losses: 1 where they are random.")
    mos: float | None
    mos_there: float | None = Field(description="Of what the far end hears, as it says (RFC 3611).")
    rtt_ms: float | None
    level_db: float | None = Field(description="Loudest, dB of full scale; null where nobody listened.")
    speech: float | None = Field(description="Share of the time that it was loud.")
    sent: int


class LegSeries(BaseModel):
    model_config = example(**LEG)

    leg: int
    side: str
    samples: list[QualitySample] = Field(description="About one every five seconds, the oldest first.")


class CallQuality(BaseModel):
    model_config = example(call=ID, live=True, legs=[LEG])

    call: str
    live: bool
    legs: list[LegSeries]


class TimelineMoment(BaseModel):
    """A state, a leg's step, a decision or a trouble."""

    model_config = example(**MOMENT)

    at: datetime
    t: float = Field(description="Seconds since the call arrived.")
    lane: str = Field(description="call, queue, line, leg, media, recording, guest or speech.")
    kind: str
    side: str = Field(description="customer, agent or empty.")
    state: str = Field(description="The call's state that begins with it; empty for none.")
    why: str = Field(description="The reasons, where it was a decision.")
    index: int = Field(description="Of a leg's step: its message in the ladder; else the journal's number.")
    data: dict[str, Any]


class CallTimeline(BaseModel):
    model_config = example(call=ID, live=False, items=[MOMENT])

    call: str
    live: bool
    items: list[TimelineMoment] = Field(description="In the order of time.")


class Proof(BaseModel):
    """Something that shows a finding."""

    model_config = example(**EVIDENCE)

    kind: Literal["message", "sample", "event"]
    index: int = Field(description="Of a message in the ladder, a sample of its leg, or an event's number.")
    at: datetime
    text: str
    leg: int | None


class Finding(BaseModel):
    """Something that went wrong."""

    model_config = example(**FINDING)

    fault: str = Field(description="A name to program against; docs/troubleshooting.md has each.")
    sure: float = Field(description="0.5 to 1.")
    side: str = Field(description="customer, agent or empty.")
    sentence: str = Field(description="What happened, in plain words of the language that was asked for.")
    remedy: str = Field(description="What to do.")
    evidence: list[Proof]


class Figures(BaseModel):
    """How a leg did as a whole."""

    model_config = example(**FIGURES)

    leg: int
    side: str
    codec: str
    received: int
    loss: float | None
    jitter_ms: float
    mos: float | None = Field(description="Of its worst seconds.")
    rtt_ms: float | None


class Diagnosis(BaseModel):
    model_config = example(
        call=ID, live=False, fine=False, language="en", sentence=FINDING["sentence"], findings=[FINDING],
        figures=[FIGURES],
    )  # fmt: skip

    call: str
    live: bool
    fine: bool = Field(description="Nothing went wrong.")
    language: str
    sentence: str = Field(description="The first finding's, or that nothing went wrong.")
    findings: list[Finding] = Field(description="The surest first.")
    figures: list[Figures] = Field(description="Numbers of each leg.")


REFUSED = {
    "at": AT,
    "source": "203.0.113.66",
    "port": 5066,
    "transport": "udp",
    "method": "INVITE",
    "status": 403,
    "reason": "Forbidden",
    "caller": "sip:100@198.51.100.4",
    "called": "sip:900442071838999@198.51.100.4",
    "user_agent": "friendly-scanner",
    "call_id": "1834625178",
    "call": "",
    "messages": [{**MESSAGE, "side": "", "leg": 0}],
}


class RefusedRequest(BaseModel):
    """A request that was refused, with the messages that show it."""

    model_config = example(**REFUSED)

    at: datetime
    source: str
    port: int
    transport: str
    method: str
    status: int
    reason: str
    caller: str
    called: str
    user_agent: str
    call_id: str
    call: str = Field(description="The call that it belongs to; empty where none was begun.")
    messages: list[SipMessage]


TURNED_AWAY = {
    "source": "203.0.113.66",
    "how": "blocked",
    "since": AT,
    "until": AT,
    "why": "wrong_passwords",
    "count": 10,
    "user": "100",
}


class TurnedAway(BaseModel):
    """A source that guessed or scanned."""

    model_config = example(**TURNED_AWAY)

    source: str = Field(description="An IPv4 address, or the /64 that an IPv6 address is of.")
    how: Literal["blocked", "ignored"] = Field(
        description="`blocked`: nothing is answered there. `ignored`: nothing but what proves itself."
    )
    since: datetime
    until: datetime
    why: Literal["wrong_passwords", "wrong_passwords_and_no_patience", "questions_without_proof"] = Field(
        description="`wrong_passwords`: too many of them. `wrong_passwords_and_no_patience`: some, and it "
        "asked on while its answer was held back. `questions_without_proof`: it asked, and proved nothing."
    )
    count: int = Field(description="Failures, or requests that proved nothing.")
    user: str = Field(description="The name that was tried last; not necessarily one that there is.")


class TurnedAwayList(BaseModel):
    model_config = example(items=[TURNED_AWAY])

    items: list[TurnedAway] = Field(description="The latest first.")


class RefusedList(BaseModel):
    model_config = example(items=[REFUSED])

    items: list[RefusedRequest] = Field(description="The newest first.")
