"""Events and records as rows of the store, and back.

An event's own fields are split in two JSON texts: `person`, what can name or reach a person, and `data`, the
rest. What phones send may hold anything: text that a database cannot keep (NUL, lone surrogates) is replaced,
never refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from enum import Enum
from operator import attrgetter
from typing import Any

import msgspec

from engine import (
    events,
    guest_events,
    hand_events,
    line_events,
    source_events,
    speech_events,
    supervision_events,
)
from engine.events import CallRecord, EndReason, Event, Side
from engine.latency import Latencies

PERSONAL = frozenset(
    {"customer", "source", "party", "target", "notes", "comment", "reasons", "term", "guest"}
)

LATENCIES = ("asr_latency", "mt_latency")  # of a record; JSON in text
RECORD_FIELDS: tuple[str, ...] = tuple(item.name for item in fields(CallRecord))


class Line(msgspec.Struct, array_like=True):
    """One event as the store keeps it, with the record when it was a call's last. Also one line of a spill
    file.
    """

    node: str
    seq: int
    at: float
    call: str
    kind: str
    data: str
    person: str | None = None
    record: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One journal entry as it was written; `data` and `person` are the event's own fields."""

    node: str
    seq: int
    at: float
    call: str
    kind: str
    data: dict[str, Any]
    person: dict[str, Any] = field(default_factory=dict)

    def event(self) -> Event | None:
        """The event itself, or None for one that this release does not know or that was erased in part."""
        shape = _kinds().get(self.kind)
        if shape is None:
            return None
        try:
            return msgspec.convert({**self.data, **self.person, "at": self.at, "call": self.call}, shape)
        except msgspec.ValidationError:
            return None


def entry_of(row: Any) -> Entry:
    """The entry that a row of the journal holds."""
    return Entry(
        node=row.node,
        seq=row.seq,
        at=row.at,
        call=row.call,
        kind=row.kind,
        data=row.data or {},
        person=row.person or {},
    )


def encode(event: Event) -> tuple[str, str | None]:
    """The event's `data` and `person` as JSON text. Raises TypeError for a value that JSON has no form
    for.
    """
    shape = _SHAPES.get(type(event)) or _shape(type(event))
    return shape(event)


def record_values(record: CallRecord) -> dict[str, Any]:
    """The record by column name, in values that every driver takes."""
    values = {name: _plain(value) for name, value in zip(RECORD_FIELDS, _record_getter(record))}
    late = {name: values[name] for name in LATENCIES if values[name] is not None}
    return values | {name: _to_json(value).decode() for name, value in late.items()}


def record_from(row: Any) -> CallRecord:
    """The record that a row of call_records holds; `row` is a mapping by column name."""
    values = {name: row[name] for name in RECORD_FIELDS}
    values["ended_by"] = Side(values["ended_by"])
    values["reason"] = EndReason(values["reason"])
    for name in LATENCIES:
        values[name] = _to_latencies(values[name]) if values[name] else None
    return CallRecord(**values)


def drawn(line: Line, names: tuple[str, ...]) -> tuple[Any, ...]:
    """A row of a table that holds an event's own fields; None for what an older release did not write."""
    own = {"node": line.node, "seq": line.seq, "at": line.at, "call": line.call} | msgspec.json.decode(
        line.data
    )
    return tuple(own.get(name) for name in names)


_Shape = Callable[[Event], tuple[str, str | None]]
_Fields = Callable[[Event], tuple[Any, ...]]

_SHAPES: dict[type[Event], _Shape] = {}
_to_json = msgspec.json.Encoder().encode
_to_latencies = msgspec.json.Decoder(Latencies).decode
_record_getter = attrgetter(*RECORD_FIELDS)


def _shape(kind: type[Event]) -> _Shape:
    """A function that writes events of this kind; made once, since it runs for every event."""
    own = [item.name for item in fields(kind) if item.name not in ("at", "call")]
    common = [name for name in own if name not in PERSONAL]
    personal = [name for name in own if name in PERSONAL]
    get, get_person = _getter(common), _getter(personal)

    def write(event: Event) -> tuple[str, str | None]:
        return _text(common, get(event)), None

    def write_both(event: Event) -> tuple[str, str | None]:
        return _text(common, get(event)), _text(personal, get_person(event))

    _SHAPES[kind] = shape = write_both if personal else write
    return shape


def _getter(names: list[str]) -> _Fields:
    if not names:
        return lambda event: ()
    if len(names) == 1:
        one = attrgetter(*names)
        return lambda event: (one(event),)
    return attrgetter(*names)


def _text(names: list[str], values: tuple[Any, ...]) -> str:
    try:
        text = _to_json(dict(zip(names, values)))
    except UnicodeEncodeError:
        text = b"\\u0000"
    if b"\\u0000" in text:
        text = _to_json(dict(zip(names, map(_plain, values))))
    return text.decode()


def _plain(value: Any) -> Any:
    if type(value) is str:
        return clean(value)
    if isinstance(value, Enum):
        return value.value
    if type(value) is float and not math.isfinite(value):
        return None
    return value


def clean(text: str) -> str:
    """The text with what no database keeps replaced: NUL, and surrogates that stand alone."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


_known: dict[str, type[Event]] = {}


def _kinds() -> dict[str, type[Event]]:
    # By name, not by Event.__subclasses__: a dataclass with slots leaves a twin there that no name leads to.
    if not _known:
        modules = (
            events,
            line_events,
            guest_events,
            speech_events,
            supervision_events,
            hand_events,
            source_events,
        )
        named = [each for module in modules for each in vars(module).values()]
        found = [item for item in named if isinstance(item, type) and issubclass(item, Event)]
        _known.update({kind.kind: kind for kind in found})
    return _known
