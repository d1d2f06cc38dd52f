"""Calls as OpenTelemetry traces: one trace a call, drawn up from its journal when it is over.

Sent as OTLP over HTTP in JSON (opentelemetry.io/docs/specs/otlp), which needs no library. Numbers and
addresses of people are left out. While no collector is configured nothing of this runs.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from engine.events import (
    CallArrived,
    CallConnected,
    CallEnded,
    CallHeld,
    CallOffered,
    CallQueued,
    CallRecord,
    CallResumed,
    CallTaken,
    Event,
    OfferMissed,
    QueueLeft,
)
from engine.hooks.post import Post
from engine.store.errors import StoreUnavailable
from engine.store.rows import Entry

if TYPE_CHECKING:
    from engine.app import Engine

MOST_WAITING = 1_000  # calls that are yet to be told of; the oldest give way
MOST_EVENTS = 200  # of a trace
TOGETHER = 50  # calls of one request
WAIT_S = 1.0  # for the journal to have written a call's end
TIMEOUT_S = 10.0
INTERNAL, SERVER = 1, 2  # kinds of spans

# What begins a span, what it is called, and what ends it.
SPANS: dict[str, tuple[str, tuple[str, ...]]] = {
    CallArrived.kind: ("call", (CallEnded.kind,)),
    CallTaken.kind: ("call", (CallEnded.kind,)),
    CallQueued.kind: ("queue wait", (CallConnected.kind, QueueLeft.kind, CallQueued.kind, CallEnded.kind)),
    CallOffered.kind: ("offer", (CallConnected.kind, OfferMissed.kind, CallOffered.kind, CallEnded.kind)),
    CallConnected.kind: ("talk", (CallConnected.kind, CallQueued.kind, CallEnded.kind)),
    CallHeld.kind: ("hold", (CallResumed.kind, CallEnded.kind)),
}

log = structlog.get_logger("traces")


@dataclass(frozen=True, slots=True)
class Collector:
    """url: where traces are posted, such as http://collector:4318/v1/traces. headers: with keys, maybe."""

    url: str
    headers: tuple[tuple[str, str], ...] = ()


def spans(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """A finished call's spans, as OTLP has them in JSON; none for a call whose begin is not known."""
    if not entries or entries[0].kind not in (CallArrived.kind, CallTaken.kind):
        return []
    call, end = entries[0].call, max(entry.at for entry in entries)
    found = []
    for number, entry in enumerate(entries):
        if entry.kind in SPANS:
            name, ends = SPANS[entry.kind]
            last = next((each for each in entries[number + 1 :] if each.kind in ends), None)
            span = {
                "traceId": _id(call, 16),
                "spanId": _id(f"{call} {number}", 8),
                "name": name,
                "kind": INTERNAL if number else SERVER,
                "startTimeUnixNano": _nanoseconds(entry.at),
                "endTimeUnixNano": _nanoseconds(last.at if last is not None else end),
                "attributes": list(_attributes(entry, last)),
            }
            found.append(span if not number else span | {"parentSpanId": _id(f"{call} 0", 8)})
    found[0]["events"] = [
        {"timeUnixNano": _nanoseconds(entry.at), "name": entry.kind, "attributes": list(_attributes(entry))}
        for entry in entries[1:]
        if entry.kind not in SPANS
    ][:MOST_EVENTS]
    return found


def _attributes(entry: Entry, last: Entry | None = None) -> Iterator[dict[str, Any]]:
    values = {"isogloss.call": entry.call} | {f"isogloss.{name}": each for name, each in entry.data.items()}
    if last is not None:
        ended = {name: last.data.get(name, "") for name in ("outcome", "reason")}
        values |= {f"isogloss.{name}": each for name, each in ended.items()}
    for name, value in values.items():
        if isinstance(value, bool):
            yield {"key": name, "value": {"boolValue": value}}
        elif isinstance(value, int):
            yield {"key": name, "value": {"intValue": str(value)}}
        elif isinstance(value, float):
            yield {"key": name, "value": {"doubleValue": value}}
        elif isinstance(value, str) and value:
            yield {"key": name, "value": {"stringValue": value}}


def _id(text: str, size: int) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[: 2 * size]


def _nanoseconds(at: float) -> str:
    return str(round(at * 1e9))


def request(node: str, found: Sequence[dict[str, Any]]) -> bytes:
    """The body that has these spans told."""
    names = {"service.name": "isogloss", "service.instance.id": node}
    resource = [{"key": key, "value": {"stringValue": value}} for key, value in names.items()]
    scope = {"scope": {"name": "isogloss"}, "spans": list(found)}
    return msgspec.json.encode(
        {"resourceSpans": [{"resource": {"attributes": resource}, "scopeSpans": [scope]}]}
    )


class Traces:
    """events: a call's journal; blocks, and raises StoreUnavailable."""

    def __init__(
        self, collector: Collector, node: str, events: Callable[[str], Sequence[Entry]], post: Post
    ) -> None:
        self.lost = 0
        self._collector = collector
        self._node = node
        self._events = events
        self._post = post
        self._waiting: deque[str] = deque()
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="traces")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def notice(self, item: Event | CallRecord) -> None:
        if isinstance(item, CallEnded):
            if len(self._waiting) >= MOST_WAITING:
                self._waiting.popleft()
                self.lost += 1
            self._waiting.append(item.call)
            self._woken.set()

    async def _run(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            await asyncio.sleep(WAIT_S)
            try:
                while self._waiting:
                    await self.tell()
            except Exception:  # the loop's edge: the next calls are told of all the same
                log.exception("a fault while a trace was drawn up")

    def _spans(self, calls: Sequence[str]) -> list[dict[str, Any]]:
        return [span for call in calls for span in spans(self._events(call))]

    async def tell(self) -> None:
        """Tell of calls that are over, TOGETHER of them; those of which nobody takes the traces are lost."""
        calls = [self._waiting.popleft() for _ in range(min(TOGETHER, len(self._waiting)))]
        try:
            found = await asyncio.to_thread(self._spans, calls)
        except StoreUnavailable as error:
            log.warning("traces are lost: the store does not answer", calls=len(calls), why=str(error))
            self.lost += len(calls)
            return
        headers = {"Content-Type": "application/json", **dict(self._collector.headers)}
        body = request(self._node, found)
        outcome = await self._post.send(self._collector.url, headers, body, private=True, timeout_s=TIMEOUT_S)
        if not outcome.taken:
            log.warning("traces are lost: nobody takes them", calls=len(calls), why=outcome.why)
            self.lost += len(calls)


def of_node(engine: Engine) -> Traces | None:
    """None where no collector is configured."""
    terms = engine.config.node.traces
    if terms.url is None:
        return None
    headers = (("Authorization", terms.authorization.reveal()),) if terms.authorization else ()
    made = Traces(Collector(terms.url, headers), engine.config.node.name, engine.journal.events, Post())
    engine.switch.observers.append(made.notice)
    return made
