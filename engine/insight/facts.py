"""A call as those see it who ask what went wrong: dialogs out of its messages, troubles out of its journal.

Everything here is made of values that are over and done with, or a copy of what goes on; nothing raises for
what a far end has said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from engine.events import CallRecord
from engine.insight.series import Sample, totals
from engine.insight.trace import LegQuality, Message
from engine.store.rows import Entry
from sip.errors import Malformed, MalformedMessage, SipError
from sip.message import Request, Response, parse
from sip.sdp import Media, SessionDescription
from sip.sdp import parse as parse_sdp

APART_S = 120.0  # seconds that a trouble may be older than the word of it


@dataclass(frozen=True, slots=True)
class Case:
    """A call to look into. began: epoch seconds; now: the same, of one that goes on. record: None while it
    does. messages: its ladder, the oldest first.
    """

    call: str
    began: float
    record: CallRecord | None
    events: Sequence[Entry]
    messages: Sequence[Message]
    quality: Sequence[LegQuality]
    now: float | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A message of the ladder, read. index: where it stands there. parsed: None where it cannot be read.

    method, number: of its CSeq, "" and -1 where that is not known. fault: why it could not be read, or did
    not go. status: 0 for requests.
    """

    index: int
    message: Message
    parsed: Request | Response | None
    method: str = ""
    number: int = -1
    fault: str = ""

    @property
    def at(self) -> float:
        return self.message.at

    @property
    def inward(self) -> bool:
        return self.message.inward

    @property
    def status(self) -> int:
        return self.parsed.status if isinstance(self.parsed, Response) else 0

    @property
    def request(self) -> Request | None:
        return self.parsed if isinstance(self.parsed, Request) else None

    @property
    def call_id(self) -> str:
        return self.parsed.call_id if self.parsed is not None else ""

    @property
    def sdp(self) -> SessionDescription | None:
        """Its description; None where there is none that can be read."""
        if self.parsed is None or not self.parsed.body:
            return None
        try:
            return parse_sdp(self.parsed.body)
        except SipError:
            return None

    def header(self, name: str) -> str:
        return (self.parsed.headers.get(name) or "") if self.parsed is not None else ""

    @property
    def line(self) -> str:
        """Its first line, for people."""
        return self.message.text.partition("\r\n")[0][:120] or self.message.fault


@dataclass(frozen=True, slots=True)
class Dialogue:
    """What was said under one Call-ID. outward: we called. side, leg: whose it is."""

    call_id: str
    side: str
    leg: int
    seen: Sequence[Seen]

    @property
    def outward(self) -> bool:
        first = next((each for each in self.seen if each.request is not None), None)
        return first is not None and not first.inward

    def requests(self, method: str, *, inward: bool | None = None) -> list[Seen]:
        return [
            each
            for each in self.seen
            if each.request is not None and each.method == method and inward in (None, each.inward)
        ]

    def responses(self, method: str, *, inward: bool | None = None, least: int = 100) -> list[Seen]:
        return [
            each
            for each in self.seen
            if each.status >= least and each.method == method and inward in (None, each.inward)
        ]

    def answered(self, request: Seen, least: int = 100) -> Seen | None:
        """The first response to a request, of a status or above."""
        return next(
            (
                each
                for each in self.responses(request.method, inward=not request.inward, least=least)
                if each.number == request.number and each.at >= request.at
            ),
            None,
        )

    @property
    def established(self) -> Seen | None:
        """The 2xx to its INVITE."""
        return next((each for each in self.responses("INVITE", least=200) if each.status < 300), None)

    @property
    def final(self) -> Seen | None:
        """The last final response to its first INVITEs, before any was accepted."""
        found = None
        for each in self.responses("INVITE", least=200):
            found = each
            if each.status < 300:
                break
        return found


@dataclass(frozen=True, slots=True)
class Trouble:
    """A trouble of a leg's sound as its worker told it. began, ended: epoch seconds; ended None: not over.

    seq: of the journal's entry.
    """

    kind: str
    side: str
    leg: int
    cause: str
    began: float
    ended: float | None
    seq: int


@dataclass(frozen=True)
class Facts:
    """Of one call, worked out as they are asked for."""

    case: Case

    @cached_property
    def seen(self) -> list[Seen]:
        return [_read(index, message) for index, message in enumerate(self.case.messages)]

    @cached_property
    def dialogues(self) -> list[Dialogue]:
        """By leg and Call-ID, in the order in which they began."""
        found: dict[tuple[str, int, str], list[Seen]] = {}
        newest: dict[tuple[str, int], str] = {}
        for each in self.seen:
            whose = each.message.side, each.message.leg
            call_id = each.call_id or newest.get(whose, "")
            newest[whose] = call_id
            found.setdefault((*whose, call_id), []).append(each)
        return [Dialogue(call_id, side, leg, seen) for (side, leg, call_id), seen in found.items()]

    @cached_property
    def troubles(self) -> list[Trouble]:
        """Paired with their ends."""
        open_: dict[tuple[int, str], Trouble] = {}
        done: list[Trouble] = []
        for entry in self.events("leg.troubled"):
            data = entry.data
            key = int(data.get("leg", 0)), str(data.get("trouble", ""))
            since = float(data.get("since", entry.at))
            if abs(since - entry.at) > APART_S:  # a worker whose clock was set meanwhile
                since = entry.at
            if data.get("over"):
                began = open_.pop(key, None)
                if began is not None:
                    done.append(_ended(began, since))
            else:
                side, cause = str(data.get("side", "")), str(data.get("cause", ""))
                open_[key] = Trouble(key[1], side, key[0], cause, since, None, entry.seq)
        return sorted([*done, *open_.values()], key=lambda each: each.began)

    def trouble(self, *kinds: str) -> Iterator[Trouble]:
        return (each for each in self.troubles if each.kind in kinds)

    def lasted(self, trouble: Trouble) -> float:
        """Seconds."""
        return max(0.0, (trouble.ended if trouble.ended is not None else self.until) - trouble.began)

    def events(self, *kinds: str) -> list[Entry]:
        return [entry for entry in self.case.events if entry.kind in kinds]

    @property
    def reason(self) -> str:
        """Why it ended, "" while it goes on."""
        return str(self.case.record.reason) if self.case.record is not None else ""

    @cached_property
    def connected(self) -> bool:
        """Whether two people talked, or could."""
        return bool(self.events("call.connected"))

    @cached_property
    def until(self) -> float:
        """The end, or the newest that is known; epoch seconds."""
        record, now = self.case.record, self.case.now
        if record is None and now is not None:
            return now
        last = [entry.at for entry in self.case.events[-1:]] + [each.at for each in self.case.messages[-1:]]
        return record.ended_at if record is not None else max(last, default=0.0)

    def legs(self) -> Iterable[tuple[LegQuality, Sample]]:
        """Each leg that has samples, with their sum."""
        for each in self.case.quality:
            whole = totals(each.samples)
            if whole is not None:
                yield each, whole


def audio(description: SessionDescription | None) -> Media | None:
    """The description's sound."""
    if description is None:
        return None
    return next((each for each in description.media if each.kind == "audio"), None)


def address(description: SessionDescription | None) -> str:
    """Where its sender wants the sound; "" where it does not say."""
    media = audio(description)
    if media is None or description is None:
        return ""
    return media.connection or description.connection or ""


def codecs(media: Media | None) -> list[str]:
    """Names of what is offered, telephone events and comfort noise left out."""
    if media is None:
        return []
    names = [codec.name.upper() for pt in media.payload_types if (codec := media.codec(pt)) is not None]
    return [name for name in names if name not in ("TELEPHONE-EVENT", "CN")]


def _read(index: int, message: Message) -> Seen:
    parsed: Request | Response | None = None
    fault, number, method = message.fault, -1, ""
    if message.data:
        try:
            parsed = parse(message.data)
        except MalformedMessage as broken:
            parsed, fault = broken.request, fault or broken.reason
    if parsed is not None:
        try:
            number, method = parsed.cseq
        except Malformed:
            parsed = None
    return Seen(index, message, parsed, method, number, fault)


def _ended(trouble: Trouble, at: float) -> Trouble:
    return replace(trouble, ended=at)
