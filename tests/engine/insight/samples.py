"""Messages, samples and journal entries of calls, for the tests of what went wrong in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from engine.insight.insight import RefusedLook
from engine.insight.series import Series
from engine.insight.sources import SourceView
from engine.insight.trace import LegQuality, Look, Message, Rungs, Trace
from engine.store.rows import Entry
from media.messages import LegStats
from sip.hop import Hop
from sip.ladder import Refusal, Rung
from tests.engine.store_samples import NODE, T0

OWN = ("198.51.100.4", 5060)
FAR = Hop("udp", "203.0.113.9", 5060)
SDP = (
    "v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 101\r\n"
    "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
)
DIGEST = (
    'Digest username="alice", realm="pbx", nonce="7f3a", uri="sip:pbx", '
    'response="6629fae49393a05397450978507c4ef1", algorithm=MD5'
)


def sip(first: str, *headers: str, body: str = "", method: str = "INVITE", call_id: str = "c1@far") -> bytes:
    """A message. headers: beyond those that every message has."""
    head = [
        first,
        "Via: SIP/2.0/UDP 203.0.113.9:5060;branch=z9hG4bK1",
        "From: <sip:100@pbx>;tag=a",
        "To: <sip:200@pbx>;tag=b",
        f"Call-ID: {call_id}",
        f"CSeq: 1 {method}",
        *headers,
        *(["Content-Type: application/sdp"] if body else []),
        f"Content-Length: {len(body.encode())}",
    ]
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()


def message(data: bytes, at: float = 0.0, *, inward: bool = True, fault: str = "", hop: Hop = FAR) -> Message:
    """at: s since T0."""
    return Message(
        T0 + at, inward, hop.transport, hop.host, hop.port, *OWN, "customer", 1, data, fault
    )  # fmt: skip


def call_messages() -> list[Message]:
    """A call that is invited, answered and hung up."""
    return [
        message(
            sip("INVITE sip:200@pbx SIP/2.0", f"Authorization: {DIGEST}", body=SDP.format(host=FAR.host))
        ),
        message(sip("SIP/2.0 100 Trying"), 0.01, inward=False),
        message(sip("SIP/2.0 200 OK", body=SDP.format(host=OWN[0])), 0.5, inward=False),
        message(sip("ACK sip:200@pbx SIP/2.0", method="ACK").replace(b"1 ACK", b"1 ACK"), 0.6),
        message(sip("BYE sip:200@pbx SIP/2.0", method="BYE").replace(b"CSeq: 1", b"CSeq: 2"), 30.0),
        message(sip("SIP/2.0 200 OK", method="BYE").replace(b"CSeq: 1", b"CSeq: 2"), 30.01, inward=False),
    ]


def quality(leg: int = 1, side: str = "customer", seconds: int = 30, **changes: Any) -> LegQuality:
    """A leg that sounds as figures say that double with time. changes: of each five seconds."""
    series = Series(leg, side)
    each = {
        "sent": 250,
        "received": 250,
        "lost": 0,
        "late": 0,
        "concealed_ms": 0,
        "remote_lost": 0,
        "resets": 0,
    }
    still = {"codec": "PCMA", "jitter_ms": 2.0, "mos_now": 4.3, "buffer_ms": 40.0, "burst_ratio": 1.0}
    for number in range(1, seconds // 5 + 1):
        counted = {name: number * changes.get(name, value) for name, value in each.items()}
        held = {name: changes.get(name, value) for name, value in still.items()}
        series.add(LegStats(leg, **counted, **held), 5.0 * number)
    return LegQuality(leg, side, series.whole())


def entry(kind: str, at: float = 0.0, seq: int = 1, **data: Any) -> Entry:
    """A journal entry. at: s since T0."""
    return Entry(node=NODE, seq=seq, at=T0 + at, call="r1", kind=kind, data=data)


TURNED_AWAY = SourceView(
    "203.0.113.66", "ignored", T0, T0 + 300.0, 60, "+4930123456", "questions_without_proof"
)


class Insights:
    """A node's insight into two calls, as the API asks for it. asked: raises where the store is away."""

    def __init__(self, asked: Callable[[], None]) -> None:
        self._asked = asked
        rungs = [Rung(each.at, each.inward, FAR, each.data) for each in call_messages()]
        self.traces = {"r1": self._look("r1", rungs).trace()}
        refusal = sip("SIP/2.0 403 Forbidden", call_id="x@far")
        request = sip("INVITE sip:900@pbx SIP/2.0", f"Authorization: {DIGEST}", call_id="x@far")
        self.turned_down = Refusal(
            403, b"x@far", Rung(T0, True, FAR, request), Rung(T0 + 0.01, False, FAR, refusal)
        )
        self.live = {"c1": rungs[:2]}
        self.sources = {"203.0.113.66": TURNED_AWAY}

    def look(self, call: str) -> Look | None:
        rungs = self.live.get(call)
        return None if rungs is None else self._look(call, rungs)

    def _look(self, call: str, rungs: Sequence[Rung]) -> Look:
        dialogs = [Rungs("customer", 1, rungs, 0)]
        return Look(call, T0, None, 0.0, dialogs, [quality()], lambda hop: OWN)

    def trace(self, call: str, look: Look | None) -> Trace | None:
        self._asked()
        return look.trace() if look is not None else self.traces.get(call)

    def refused(
        self, *, challenges: bool, source: str | None, since: float | None, until: float | None, limit: int
    ) -> Sequence[RefusedLook]:
        found = [] if challenges or source not in (None, FAR.host) else [self.turned_down]
        return [
            RefusedLook(each, "", 0.0, lambda hop: OWN)
            for each in found[:limit]
            if (since is None or each.response.at >= since) and (until is None or each.response.at < until)
        ]

    def turned_away(self) -> Sequence[SourceView]:
        return list(self.sources.values())

    def let_off(self, address: str, by: str) -> bool:
        return self.sources.pop(address, None) is not None
