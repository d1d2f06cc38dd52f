"""A call's trace: its spans as its journal has them, taken by a collector of OTLP over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from engine import traces as module
from engine.events import (
    CallAnswered,
    CallConnected,
    CallEnded,
    CallHeld,
    CallOffered,
    CallQueued,
    CallRecord,
    CallResumed,
    EndReason,
    Event,
    OfferMissed,
    Side,
)
from engine.hooks.post import Post
from engine.journal import Journal
from engine.speech_events import MoodTurned
from engine.store.rows import PERSONAL, Entry
from engine.traces import MOST_WAITING, TOGETHER, Collector, Traces, spans
from media.speech.messages import Clip
from routing.queue import SpeechTerms
from sip.uri import Uri
from tests.engine.hooks.receiver import receiving, status
from tests.engine.store_samples import NODE, T0, arrived
from tests.engine.test_speech import Scene, said
from tests.sim.house import DOMAIN

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


def test_a_transferred_call_with_words_is_one_whole_trace_of_its_journal(tmp_path: Path) -> None:
    """Two agents, an interpreter, a hold and a transfer, as the engine journals them itself."""
    scene = Scene(tmp_path, SpeechTerms(captions=True, voice="over"), agents=2)
    seen: list[Event | CallRecord] = []
    scene.house.switch.observers.append(seen.append)
    customer = scene.customer()
    scene.run(8.0)
    first = next(phone for phone in scene.agents if phone.live)
    spanish, english = scene.legs
    clip = Clip(1, spanish, english, 1, f"{tmp_path}/clip.wav", 1.0, "hello", "en", "toy", scene.world.now)
    scene.told(said(spanish, 1, "hola", over=True), clip)
    scene.run(3.0)
    first.hold()
    scene.run(2.0)
    first.take_back()
    scene.run(1.0)
    other = next(phone for phone in scene.agents if phone is not first)
    assert first.session is not None
    first.session.refer(Uri.parse(f"sip:{other.name}@{DOMAIN}"), now=scene.world.now)
    first.host.pump()
    scene.run(6.0)
    call = scene.call.id
    scene.house.switch.hang_up(call, scene.world.now)
    scene.house.host.pump()
    scene.run(2.0)

    with Journal(f"sqlite:///{tmp_path}/isogloss.db", NODE) as journal:
        (record,) = [each for each in seen if isinstance(each, CallRecord)]
        for event in seen:
            if isinstance(event, CallEnded):
                journal.finish(event, record)
            elif isinstance(event, Event):
                journal.append(event)
        assert journal.flush()
        body = asyncio.run(_collected(journal, call))

    (resource,) = body["resourceSpans"]
    root, *rest = resource["scopeSpans"][0]["spans"]
    assert [each["name"] for each in (root, *rest)] == ["call", "queue wait", "offer", "talk", "hold", "talk"]
    assert {each["traceId"] for each in rest} == {root["traceId"]}
    assert {each["parentSpanId"] for each in rest} == {root["spanId"]}
    begin, end = int(root["startTimeUnixNano"]), int(root["endTimeUnixNano"])
    for span in rest:
        assert begin <= int(span["startTimeUnixNano"]) < int(span["endTimeUnixNano"]) <= end, span["name"]
    talks = [told(each)["isogloss.agent"] for each in rest if each["name"] == "talk"]
    assert talks == [first.name, other.name]
    happened = [each["name"] for each in root["events"]]
    assert {"call.interpreted", "call.transferred", "line.used"} <= set(happened)
    for personal in (record.customer, customer.address, "hola", "hello"):
        assert personal not in str(body), personal


async def _collected(journal: Journal, call: str) -> dict[str, Any]:
    """What a collector is told of the call."""
    async with receiving(lambda _: status(200, body=b"{}")) as receiver:
        traces = Traces(Collector(receiver.url), NODE, journal.events, Post())
        traces.notice(CallEnded(at=T0, call=call, by=Side.AGENT, reason=EndReason.COMPLETED))
        await traces.tell()
        (body,) = receiver.events
        return body


def test_a_collector_that_hangs_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its requests end by themselves; what waits meanwhile has a bound, and is taken once it answers."""
    monkeypatch.setattr(module, "TIMEOUT_S", 0.2)
    monkeypatch.setattr(module, "WAIT_S", 0.0)
    most = 2 * TOGETHER
    monkeypatch.setattr(module, "MOST_WAITING", most)

    def ended(number: int) -> CallEnded:
        return CallEnded(at=T0, call=f"c{number}", by=Side.AGENT, reason=EndReason.COMPLETED)

    async def run() -> tuple[Traces, list[dict[str, Any]]]:
        asked: asyncio.Queue[None] = asyncio.Queue()
        answers = iter([None])

        def answer(_: dict[str, Any]) -> bytes | None:
            asked.put_nowait(None)
            return next(answers, status(200, body=b"{}"))

        async with receiving(answer) as receiver, asyncio.timeout(20):
            traces = Traces(Collector(receiver.url), NODE, entries, Post())
            traces.start()
            traces.notice(ended(0))
            await asked.get()
            for number in range(1, most + 11):
                traces.notice(ended(number))
            assert traces.lost == 10
            for _ in range(most // TOGETHER):
                await asked.get()
            await traces.close()
            return traces, receiver.events

    traces, bodies = asyncio.run(run())
    assert traces.lost == 11  # with the one that the collector was hanging on
    told = [span for body in bodies[1:] for span in body["resourceSpans"][0]["scopeSpans"][0]["spans"]]
    assert len({span["traceId"] for span in told}) == most
