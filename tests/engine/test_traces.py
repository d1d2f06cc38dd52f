"""A call's trace: its spans as its journal has them, taken by a collector of OTLP over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from engine.events import (
    CallAnswered,
    CallConnected,
    CallEnded,
    CallHeld,
    CallOffered,
    CallQueued,
    CallResumed,
    EndReason,
    Event,
    OfferMissed,
    Side,
)
from engine.hooks.post import Post
from engine.speech_events import MoodTurned
from engine.store.rows import PERSONAL, Entry
from engine.traces import MOST_WAITING, Collector, Traces, spans
from tests.engine.hooks.receiver import receiving, status
from tests.engine.store_samples import NODE, T0, arrived

STORY: list[Event] = [
    arrived("c1"),
    CallAnswered(at=T0 + 1, call="c1", codec="PCMA"),
    CallQueued(at=T0 + 2, call="c1", queue="support", position=1),
    CallOffered(at=T0 + 3, call="c1", queue="support", agent="bob", why=""),
    OfferMissed(at=T0 + 8, call="c1", agent="bob", outcome="no_answer"),
    CallOffered(at=T0 + 9, call="c1", queue="support", agent="alice", why=""),
    CallConnected(at=T0 + 11, call="c1", party="sip:alice@x", agent="alice", codec="PCMA"),
    MoodTurned(at=T0 + 12, call="c1", side="customer", level="upset", score=-0.6, worse=True),
    CallHeld(at=T0 + 13, call="c1", by=Side.AGENT),
    CallResumed(at=T0 + 15, call="c1", by=Side.AGENT),
    CallEnded(at=T0 + 20, call="c1", by=Side.CUSTOMER, reason=EndReason.COMPLETED),
]


def entries(call: str = "c1") -> list[Entry]:
    found = []
    for number, event in enumerate(STORY, 1):
        data = {name: value for name, value in event.data().items() if name not in PERSONAL}
        found.append(Entry(node=NODE, seq=number, at=event.at, call=call, kind=event.kind, data=data))
    return found


def times(span: dict[str, Any]) -> tuple[str, float, float]:
    begin, end = (int(span[name]) / 1e9 - T0 for name in ("startTimeUnixNano", "endTimeUnixNano"))
    return span["name"], round(begin, 3), round(end, 3)


def told(span: dict[str, Any]) -> dict[str, Any]:
    return {each["key"]: next(iter(each["value"].values())) for each in span["attributes"]}


def test_a_calls_spans_are_its_wait_offers_talk_and_holds() -> None:
    found = spans(entries())
    assert [times(span) for span in found] == [
        ("call", 0.0, 20.0),
        ("queue wait", 2.0, 11.0),
        ("offer", 3.0, 8.0),
        ("offer", 9.0, 11.0),
        ("talk", 11.0, 20.0),
        ("hold", 13.0, 15.0),
    ]
    root, *rest = found
    assert {span["parentSpanId"] for span in rest} == {root["spanId"]} and "parentSpanId" not in root
    assert len({span["traceId"] for span in found}) == 1 and len({span["spanId"] for span in found}) == 6
    assert (len(root["traceId"]), len(root["spanId"])) == (32, 16)
    assert told(root)["isogloss.reason"] == "completed" and told(rest[1])["isogloss.outcome"] == "no_answer"


def test_what_lasts_no_time_is_an_event_and_nobodys_number_is_told() -> None:
    root = spans(entries())[0]
    assert [event["name"] for event in root["events"]][:3] == [
        "call.answered",
        "call.offer_missed",
        "call.mood",
    ]
    assert "+4930123456" not in str(spans(entries())) and "192.0.2" not in str(spans(entries()))


@pytest.mark.parametrize("found", [[], entries()[1:]])
def test_a_call_whose_begin_is_not_known_has_no_trace(found: Sequence[Entry]) -> None:
    assert spans(found) == []


def test_a_collector_is_told_of_calls_together_as_they_end() -> None:
    async def run() -> list[dict[str, Any]]:
        async with receiving(lambda _: status(200, body=b"{}")) as receiver:
            collector = Collector(receiver.url, (("X-Key", "k"),))
            traces = Traces(collector, NODE, entries, Post())
            for call in ("c1", "c2"):
                traces.notice(CallHeld(at=T0, call=call, by=Side.AGENT))
                traces.notice(CallEnded(at=T0, call=call, by=Side.AGENT, reason=EndReason.COMPLETED))
            await traces.tell()
            assert receiver.got[0][0]["x-key"] == "k" and traces.lost == 0
            return receiver.events

    (body,) = asyncio.run(run())
    (resource,) = body["resourceSpans"]
    found = resource["scopeSpans"][0]["spans"]
    assert len(found) == 12 and len({span["traceId"] for span in found}) == 2
    assert {"key": "service.instance.id", "value": {"stringValue": NODE}} in resource["resource"][
        "attributes"
    ]


def test_a_collector_that_takes_nothing_costs_the_traces_and_nothing_else() -> None:
    async def run() -> Traces:
        async with receiving(lambda _: status(500)) as receiver:
            traces = Traces(Collector(receiver.url), NODE, entries, Post())
            for n in range(MOST_WAITING + 3):
                traces.notice(CallEnded(at=T0, call=f"c{n}", by=Side.AGENT, reason=EndReason.COMPLETED))
            assert traces.lost == 3
            await traces.tell()
            return traces

    assert asyncio.run(run()).lost == 53
