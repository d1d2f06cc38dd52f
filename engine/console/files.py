"""What pages ask of the store and of whoever looks into calls: a value a page, new only when it changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar, cast

from engine.access.role import Permission
from engine.console.desk import Desk
from engine.console.insight import Finding, Insight, Ladder, LegQuality
from engine.console.look import Place
from engine.events import CallRecord
from engine.store.records import RecordFilter, RecordPage
from engine.store.rows import Entry
from engine.store.transcripts import Review

T = TypeVar("T")
LOOKED_S = 5.0  # as often is a call that goes on looked into: samples come no faster
LATE_S = 30.0  # after a call's end something may still come: figures, a summary
PAGE = 50
FILTERS = (
    "queue", "agent", "market", "language", "reason", "customer", "number", "region", "node", "line",
)  # fmt: skip
ARRIVED = {"from": "arrived_since", "to": "arrived_until"}  # instants with their offset, as reports lead here


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
    """All that is known of a call. said: None where nothing is written down. language: of the findings.
    looked_at: epoch s, into its inside.
    """

    id: str
    entries: tuple[Entry, ...] = ()
    record: CallRecord | None = None
    said: tuple[Words, ...] | None = None
    review: Review | None = None
    ladder: Ladder | None = None
    quality: tuple[LegQuality, ...] | None = None
    findings: tuple[Finding, ...] | None = None
    language: str = ""
    looked_at: float = field(default=0.0, compare=False)

    @property
    def known(self) -> bool:
        return bool(self.entries or self.record)


async def call_file(desk: Desk, place: Place, before: Any) -> CallFile:
    """A call that is long over is not asked for again."""
    live = desk.view.call(place.id) is not None
    over = before.record.ended_at if isinstance(before, CallFile) and before.record is not None else None
    now = desk.wall()
    spoken = isinstance(before, CallFile) and (desk.insight is None or before.language == desk.language)
    if over is not None and not live and spoken and now - over > LATE_S:
        return cast(CallFile, before)
    said = _lines(desk.view.minutes(place.id)) if live and desk.listens else None
    if desk.insight is None or (live and spoken and now - before.looked_at < LOOKED_S):
        inside = None
    else:
        inside = desk.insight(desk.view, place.id, desk.language, now)
    found = await desk.ask(_read, desk, place.id, live, said)
    if inside is not None:
        looked = await desk.ask(_looked, inside)
        found = replace(found, **looked, language=desk.language, looked_at=now)
    elif isinstance(before, CallFile):
        kept = {name: getattr(before, name) for name in ("ladder", "quality", "findings", "language")}
        found = replace(found, **kept, looked_at=before.looked_at)
    return before if found == before and found.looked_at == before.looked_at else found


def _read(desk: Desk, call: str, live: bool, said: tuple[Words, ...] | None) -> CallFile:
    view = desk.view
    record = None if live else view.record(call)
    kept = view.transcripts.lines(call) if desk.listens and not live else None
    return CallFile(
        id=call,
        entries=tuple(view.events(call)),
        record=record,
        said=said if kept is None else _lines(kept),
        review=view.transcripts.review(call) if desk.listens and not live else None,
    )


def _looked(inside: Insight) -> dict[str, Any]:
    quality, findings = _tuple(inside.quality()), _tuple(inside.findings())
    return {"ladder": inside.ladder(), "quality": quality, "findings": findings}


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
    asked: dict[str, Any] = {name: place.get(name) for name in FILTERS if place.get(name)}
    if not desk.who.may(Permission.PERSONAL):
        asked.pop("customer", None)  # who may not read numbers does not look for one either
    asked |= {ARRIVED[name]: at for name in ARRIVED if (at := instant(place.get(name))) is not None}
    ask: Callable[..., RecordPage] = desk.view.records
    found = await desk.ask(ask, RecordFilter(**asked), cursor=place.get("cursor") or None, limit=PAGE)
    return before if found == before else found


def instant(text: str) -> float | None:
    """Epoch s of an instant in an address; None for what is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.timestamp() if at.tzinfo is not None and 2000 <= at.year <= 2100 else None
