"""Calls as insight would tell of them, and a journal to go with it: authored, for the console's views."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from engine.console.insight import Finding, Ladder, LegQuality, Message, Party, Sample, Weight
from engine.store.rows import Entry
from media.speech.transcript import Line

CUSTOMER, NODE, AGENT = "customer", "node", "agent"
INVITE = """INVITE sip:+498001234@pbx.example.com SIP/2.0
Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK74b43;rport
From: "Ana" <sip:+34612345678@carrier.example.net>;tag=9fxced76sl
To: <sip:+498001234@pbx.example.com>
Call-ID: 3848276298220188511@carrier.example.net
CSeq: 1 INVITE
Contact: <sip:+34612345678@10.0.0.12:5060>
Content-Type: application/sdp

v=0
o=- 1 1 IN IP4 10.0.0.12
c=IN IP4 10.0.0.12
m=audio 4000 RTP/AVP 8 101"""


LOSS = {"leg": 9, "side": "customer", "trouble": "loss", "cause": "8 % from the customer do not arrive"}


def entries(call: str, t0: float, *, ended: float | None = None) -> list[Entry]:
    """A call that waits, is missed by one agent and taken by another, is held, and loses packets."""
    told: list[tuple[float, str, dict[str, Any]]] = [
        (0.0, "call.arrived", {"number": "+498001234", "market": "es", "language": "es"}),
        (0.3, "call.answered", {"codec": "opus", "encryption": "AES_CM_128_HMAC_SHA1_80"}),
        (6.2, "call.queued", {"queue": "support", "position": 3}),
        (41.0, "call.offered", {"queue": "support", "agent": "dalia", "why": "idle 62 s, longest of 2"}),
        (61.0, "call.offer_missed", {"agent": "dalia", "outcome": "no answer"}),
        (61.4, "call.offered", {"queue": "support", "agent": "emre", "why": "idle 12 s, the only one free"}),
        (66.8, "call.connected", {"party": "", "agent": "emre", "codec": "opus"}),
        (67.0, "recording.began", {"file": "2026/11/c4.opus"}),
        (120.0, "leg.troubled", LOSS | {"since": t0 + 118, "over": False}),
        (121.0, "leg.codec_wished", {"codec": "opus 16 kbit/s", "why": "8 % lost: less to send, with FEC"}),
        (150.0, "leg.troubled", LOSS | {"since": t0 + 149, "over": True}),
        (162.0, "call.held", {"by": "agent"}),
        (178.0, "call.resumed", {"by": "agent"}),
    ]  # fmt: skip
    if ended is not None:
        told += [
            (ended, "recording.ended", {"file": "c4.opus"}),
            (ended, "call.ended", {"by": "customer", "reason": "completed"}),
        ]
    return [
        Entry(node="n1", seq=seq, at=t0 + at, call=call, kind=kind, data=data)
        for seq, (at, kind, data) in enumerate(told)
    ]


def said(call: str) -> list[Line]:
    rows = (
        (
            "agent",
            68.0,
            "en",
            "Hello, this is Emre. How can I help?",
            "Hola, soy Emre. ¿En qué puedo ayudarle?",
        ),
        (
            "customer",
            72.5,
            "es",
            "El paquete no ha llegado, y ya van dos semanas.",
            "The parcel has not come.",
        ),
        (
            "agent",
            79.0,
            "en",
            "I am sorry. What is the number of the order?",
            "Lo siento. ¿Qué número tiene?",
        ),
        ("customer", 84.2, "es", "Es el cuatro cuatro siete, uno nueve.", "It is four four seven, one nine."),
    )
    return [
        Line(
            call, side, place, begin, begin + 4, language, text, translation, low=place == 3, gist=place == 1
        )
        for place, (side, begin, language, text, translation) in enumerate(rows)
    ]


class Authored:
    """An Insight of one story, whichever call it is asked of."""

    def __init__(self, t0: float) -> None:
        self.t0 = t0

    def ladder(self) -> Ladder | None:
        rows = (
            (0.0, CUSTOMER, NODE, "INVITE", "1 INVITE", False),
            (0.004, NODE, CUSTOMER, "100 Trying", "1 INVITE", False),
            (0.12, NODE, CUSTOMER, "180 Ringing", "1 INVITE", False),
            (0.3, NODE, CUSTOMER, "200 OK", "1 INVITE", False),
            (0.8, NODE, CUSTOMER, "200 OK", "1 INVITE", True),
            (0.85, CUSTOMER, NODE, "ACK", "1 ACK", False),
            (41.0, NODE, AGENT, "INVITE", "1 INVITE", False),
            (41.2, AGENT, NODE, "180 Ringing", "1 INVITE", False),
            (61.0, NODE, AGENT, "CANCEL", "1 CANCEL", False),
            (61.05, AGENT, NODE, "487 Request Terminated", "1 INVITE", False),
            (61.4, NODE, AGENT, "INVITE", "1 INVITE", False),
            (66.8, AGENT, NODE, "200 OK", "1 INVITE", False),
            (66.9, NODE, AGENT, "ACK", "1 ACK", False),
        )
        messages = tuple(
            Message(
                at=self.t0 + at,
                source=source,
                target=target,
                label=label,
                cseq=cseq,
                text="" if place else INVITE,
                again=again,
            )
            for place, (at, source, target, label, cseq, again) in enumerate(rows)
        )
        parties = (
            Party(id=CUSTOMER, kind=CUSTOMER, name="+49 30 1234567", way="dtag-de", address="192.0.2.7:5060"),
            Party(id=NODE, kind=NODE, name="dublin-1", address="198.51.100.4:5060"),
            Party(id=AGENT, kind=AGENT, name="emre", address="198.51.100.20:5061"),
        )
        return Ladder(parties=parties, messages=messages)

    def quality(self) -> Sequence[LegQuality] | None:
        def sample(second: int, bad: bool) -> Sample:
            lossy = bad and 118 <= second <= 149
            loss = 0.08 * abs(math.sin(second / 7)) if lossy else 0.001
            return Sample(
                at=self.t0 + second, mos=4.38 - 18 * loss, loss=loss,
                jitter_ms=6 + 3 * math.sin(second / 5) + (14 if lossy else 0),
                delay_ms=92 + 8 * math.sin(second / 11),
            )  # fmt: skip

        seconds = range(68, 210, 2)
        return (
            LegQuality(leg=1, side=CUSTOMER, samples=tuple(sample(each, True) for each in seconds)),
            LegQuality(leg=2, side=AGENT, samples=tuple(sample(each, False) for each in seconds)),
        )

    def findings(self) -> Sequence[Finding]:
        return (
            Finding(
                kind="loss",
                weight=Weight.FAULT,
                what="The customer was broken up for 31 seconds: up to 8 % of her packets did not arrive.",
                remedy="Her mobile network is the likely place: let this region begin with `mobile-2g`.",
                evidence=(
                    "RTP from 192.0.2.7: 8.0 % lost from 1:58 to 2:29",
                    "The agent’s side lost nothing meanwhile",
                ),
            ),
            Finding(
                kind="nat",
                weight=Weight.NOTE,
                what="The caller’s phone is behind NAT and offered an address that nobody can reach.",
                remedy="Nothing is to be done: sound was sent to where hers came from.",
                evidence=("SDP says 10.0.0.12:4000, packets came from 192.0.2.7:40122",),
            ),
        )
