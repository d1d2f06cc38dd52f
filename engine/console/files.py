"""What pages ask of the store and of whoever looks into calls: a value a page, new only when it changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, TypeVar, cast

from config.form import FormSettings
from engine.access.errors import Refused
from engine.access.role import Permission
from engine.console.desk import Desk
from engine.console.insight import Finding, Insight, Ladder, LegQuality
from engine.console.look import Place
from engine.console.reports import midnight
from engine.events import CallRecord
from engine.scorecards import CardFilter, Scorecard, forms_for
from engine.sharing import Share
from engine.store.records import RecordFilter, RecordPage
from engine.store.rows import Entry
from engine.store.transcripts import Hit, Review, TextFilter
from engine.views import PlaceView, UnknownCall
from media.outline import Outline, Unreadable
from media.sealed import SealBroken

T = TypeVar("T")
LOOKED_S = 5.0  # as often is a call that goes on looked into: samples come no faster
LATE_S = 30.0  # after a call's end something may still come: figures, a summary
PAGE = 50
MOST_FILES = 4  # of a recording: it has another each time its recorder dies
MOST_CARDS = 30  # of an agent that are shown
FILTERS = (
    "queue", "agent", "market", "language", "reason", "customer", "number", "region", "node", "line",
)  # fmt: skip
SAID_FILTERS = ("queue", "agent", "market", "language", "since", "until")
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


@dataclass(frozen=True, slots=True)
class Wave:
    """A file of a call's recording. outline: None where it cannot be read here; fault: why."""

    name: str
    outline: Outline | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """Calls in which something was said. next: the cursor of the next page. refused: numbers were looked for
    by who may not read them.
    """

    items: tuple[Hit, ...] = ()
    next: str | None = None
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFile:
    """All that is known of a call. said: None where nothing is written down. language: of the findings.
    looked_at: epoch s, into its inside. place: of who waits, without the time that runs. waves: of its
    recording, once they are drawn. shares: links to it, as they are; link: one that was made a moment ago.
    forms: by which it may be judged; cards: how it was.
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
    place: PlaceView | None = None
    waves: tuple[Wave, ...] = ()
    shares: tuple[Share, ...] = ()
    link: str = ""
    forms: tuple[FormSettings, ...] = ()
    cards: tuple[Scorecard, ...] = ()
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
    waits = _place(desk, place.id) if live else None
    found = replace(await desk.ask(_read, desk, place.id, live, said), place=waits)
    if inside is not None:
        looked = await desk.ask(_looked, inside)
        found = replace(found, **looked, language=desk.language, looked_at=now)
    elif isinstance(before, CallFile):
        kept = {name: getattr(before, name) for name in ("ladder", "quality", "findings", "language")}
        found = replace(found, **kept, looked_at=before.looked_at)
    return before if found == before and found.looked_at == before.looked_at else found


def _place(desk: Desk, call: str) -> PlaceView | None:
    try:
        found = desk.view.hand.place(call)
    except UnknownCall:  # it ended a moment ago
        return None
    return replace(found, waited_s=0.0) if found is not None else None


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


async def recording_file(desk: Desk, place: Place, before: Any) -> CallFile:
    """The same with its recording's outline, which takes a while the first time: the rest is shown before."""
    was = before if isinstance(before, CallFile) else None
    found = await call_file(desk, place, before)
    if found.record is None or not desk.listens:
        return found
    names = found.record.recording.split()[:MOST_FILES]
    shares = was.shares if was is not None else ()
    if Permission.SHARE in desk.rights:
        shares = tuple([each for name in names for each in await desk.ask(desk.view.shares.of, name)])
    forms = forms_for(desk.view.cards.forms(), found.record.queue)
    cards = await desk.ask(desk.view.cards.of_call, place.id)
    waves = was.waves if was is not None else ()
    fresh = desk.wall() - found.record.ended_at < LATE_S  # its last seconds may be on their way to the disk
    if was is not None and (fresh or not waves):
        waves = tuple([await desk.ask(_wave, desk, each) for each in names])
    made = replace(
        found,
        waves=waves,
        shares=shares,
        link=was.link if was is not None else "",
        forms=tuple(forms),
        cards=tuple(cards),
    )
    return was if was == made else made


def _wave(desk: Desk, name: str) -> Wave:
    try:
        return Wave(name, desk.view.outline(name))
    except (SealBroken, Unreadable, OSError) as broken:
        return Wave(name, fault=str(broken))


async def agent_cards(desk: Desk, place: Place, before: Any) -> tuple[Scorecard, ...]:
    """How calls of the agent who is looked at were judged, the newest."""
    if not place.id or not desk.listens:
        return ()
    page = desk.view.cards.page
    found = (await desk.ask(page, CardFilter(agent=place.id), cursor=None, limit=MOST_CARDS)).items
    return before if found == before else found


async def recordings(desk: Desk, place: Place, before: Any) -> RecordPage | Found:
    """The page of recorded calls that the address asks for; of those in which something was said, where it
    asks for words.
    """
    asked = _narrowed(desk, place)
    if place.get("day"):
        try:
            day = date.fromisoformat(place.get("day"))
            ends = midnight(day + timedelta(days=1), desk.zone)
            asked |= {"since": midnight(day, desk.zone), "until": ends}
        except (ValueError, OverflowError):  # what somebody wrote into the address
            pass
    found: RecordPage | Found
    if place.get("said"):
        found = await _found(desk, place, asked)
    else:
        ask: Callable[..., RecordPage] = desk.view.records
        found = await desk.ask(
            ask, RecordFilter(recorded=True, **asked), cursor=place.get("cursor") or None, limit=PAGE
        )
    return before if found == before else found


async def _found(desk: Desk, place: Place, asked: Mapping[str, Any]) -> Found:
    within = {name: value for name, value in asked.items() if name in SAID_FILTERS}
    wanted = TextFilter(words=place.get("said"), written=True, **within)
    try:
        page = await desk.ask(
            desk.view.transcripts.page, wanted, cursor=place.get("cursor") or None, limit=PAGE
        )
    except Refused:
        return Found(refused=True)
    return Found(page.items, page.next)


async def records(desk: Desk, place: Place, before: Any) -> RecordPage | None:
    """The page of records that the address asks for; None among live calls."""
    if place.get("when") != "ended":
        return None
    asked = _narrowed(desk, place)
    asked |= {ARRIVED[name]: at for name in ARRIVED if (at := instant(place.get(name))) is not None}
    ask: Callable[..., RecordPage] = desk.view.records
    found = await desk.ask(ask, RecordFilter(**asked), cursor=place.get("cursor") or None, limit=PAGE)
    return before if found == before else found


def _narrowed(desk: Desk, place: Place) -> dict[str, Any]:
    """Who may not read numbers does not look for one either."""
    may = desk.who.may(Permission.PERSONAL)
    return {name: place.get(name) for name in FILTERS if place.get(name) and (may or name != "customer")}


def instant(text: str) -> float | None:
    """Epoch s of an instant in an address; None for what is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.timestamp() if at.tzinfo is not None and 2000 <= at.year <= 2100 else None
