"""What pages ask of the store and of whoever looks into calls: a value a page, new only when it changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from engine.console.desk import Desk
from engine.console.insight import Finding, Ladder, LegQuality
from engine.console.look import Place
from engine.events import CallRecord
from engine.store.records import RecordFilter, RecordPage
from engine.store.rows import Entry
from engine.store.transcripts import Review

T = TypeVar("T")
LATE_S = 30.0  # after a call's end something may still come: figures, a summary
PAGE = 50
FILTERS = ("queue", "agent", "market", "language", "reason", "customer", "number")


@dataclass(frozen=True, slots=True)
class Words:
    """Something that was said. side: customer or agent; begin: s since the call arrived."""

    side: str
    begin: float
    language: str
    text: str
    translation: str = ""
    low: bool = False
    gist: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFile:
    """All that is known of a call. said: None where nothing is written down."""

    id: str
    entries: tuple[Entry, ...] = ()
    record: CallRecord | None = None
    said: tuple[Words, ...] | None = None
    review: Review | None = None
    ladder: Ladder | None = None
    quality: tuple[LegQuality, ...] | None = None
    findings: tuple[Finding, ...] | None = None

    @property
    def known(self) -> bool:
        return bool(self.entries or self.record)


async def call_file(desk: Desk, place: Place, before: Any) -> CallFile:
    """A call that is long over is not asked for again."""
    live = desk.view.call(place.id) is not None
    over = before.record.ended_at if isinstance(before, CallFile) and before.record is not None else None
    if over is not None and not live and desk.wall() - over > LATE_S:
        return cast(CallFile, before)
    said = _lines(desk.view.minutes(place.id)) if live and desk.listens else None
    found = await desk.ask(_read, desk, place.id, live, said)
    return before if found == before else found


def _read(desk: Desk, call: str, live: bool, said: tuple[Words, ...] | None) -> CallFile:
    view, insight = desk.view, desk.insight
    record = None if live else view.record(call)
    kept = view.transcripts.lines(call) if desk.listens and not live else None
    return CallFile(
        id=call,
        entries=tuple(view.events(call)),
        record=record,
        said=said if kept is None else _lines(kept),
        review=view.transcripts.review(call) if desk.listens and not live else None,
        ladder=insight.ladder(call) if insight else None,
        quality=_tuple(insight.quality(call)) if insight else None,
        findings=_tuple(insight.findings(call)) if insight else None,
    )


def _tuple(found: Sequence[T] | None) -> tuple[T, ...] | None:
    return None if found is None else tuple(found)


def _lines(found: Sequence[Any]) -> tuple[Words, ...]:
    """Of media.speech.transcript.Line, or engine.store.transcripts.Said."""
    return tuple(
        Words(each.side, each.begin, each.language, each.text, each.translation, each.low, each.gist)
        for each in found
    )


async def records(desk: Desk, place: Place, before: Any) -> RecordPage | None:
    """The page of records that the address asks for; None among live calls."""
    if place.get("when") != "ended":
        return None
    asked: Mapping[str, Any] = {name: place.get(name) for name in FILTERS if place.get(name)}
    ask: Callable[..., RecordPage] = desk.view.records
    found = await desk.ask(ask, RecordFilter(**asked), cursor=place.get("cursor") or None, limit=PAGE)
    return before if found == before else found
