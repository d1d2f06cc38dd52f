"""What a view is drawn from: the moment, where in the console, in which words, for whom. Pages are a table
(engine/console/pages.py) from their names to what they load, show and do.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from markupsafe import Markup

from engine.access import mask
from engine.access.role import Permission
from engine.console.door import Principal
from engine.console.language import Words
from engine.console.snapshot import Snapshot

if TYPE_CHECKING:
    from engine.console.desk import Desk

BASE = "/console"
MOST_ASKED = 24
MOST_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the console: /console/calls/42?queue=support is ("calls", "42", {"queue": "support"})."""

    page: str = "wallboard"
    id: str = ""
    asked: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, address: str) -> Place:
        """From a path below the console, with its query. What is too long or too much is left out."""
        path, _, query = address.partition("?")
        parts = [unquote(each)[:MOST_CHARACTERS] for each in path.removeprefix(BASE).split("/") if each]
        try:
            pairs = parse_qsl(query[:4096], max_num_fields=4 * MOST_ASKED)
        except ValueError:
            pairs = []
        asked = {key[:32]: value[:MOST_CHARACTERS] for key, value in pairs[:MOST_ASKED] if value}
        return cls(parts[0] if parts else "wallboard", parts[1] if len(parts) > 1 else "", asked)

    @property
    def address(self) -> str:
        return address(self.page, self.id, **self.asked)

    @property
    def key(self) -> tuple[object, ...]:
        return self.page, self.id, tuple(sorted(self.asked.items()))

    def get(self, name: str) -> str:
        return self.asked.get(name, "")

    @property
    def subject(self) -> str:
        """As the audit log has it."""
        return address(self.page, self.id).removeprefix("/")[:512]

    @property
    def detail(self) -> Mapping[str, object]:
        """What was asked for, as the audit log has it: without numbers of people."""
        query = {
            name: mask.who(value) if name == "customer" else mask.text(value)
            for name, value in self.asked.items()
        }
        return {"query": query} if query else {}


def address(page: str, id: str = "", **asked: str) -> str:
    """Where a page is."""
    path = f"{BASE}/{quote(page, safe='')}" + (f"/{quote(id, safe='')}" if id else "")
    left = {key: value for key, value in asked.items() if value}
    return f"{path}?{urlencode(left)}" if left else path


def whole(text: str, most: int) -> int | None:
    """A whole number as it was filled in, noughts before it or not; None for what is none, or is beyond."""
    digits = text.lstrip("0") or text[:1]
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= len(str(most))):
        return None
    return int(digits) if int(digits) <= most else None


@dataclass(frozen=True, slots=True)
class Look:
    """loaded: what the page's `load` brought, None before. places: of Desk."""

    now: Snapshot
    say: Words
    who: Principal
    place: Place
    loaded: Any = None
    places: Mapping[str, tuple[float, float]] = field(default_factory=dict)


Fields = Mapping[str, str]
View = Callable[[Look], Markup]
Load = Callable[["Desk", Place, Any], Awaitable[Any]]
Act = Callable[["Desk", Principal, Place, Fields], Awaitable["Told"]]


@dataclass(frozen=True, slots=True)
class Told:
    """What comes of something that was done: words for whoever did it, `bad` where it was not; where to go
    on, "" for here. keep: what the page is to show of it. of: what it was done to, where that is not what the
    page is about.
    """

    key: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    bad: bool = False
    to: str = ""
    keep: Any = None
    of: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """parts: what is shown, each told anew only when it changed. piles: those that stand below each other, in
    columns; the others are as wide as the page. load: asks the store, in a worker thread;
    is handed what it brought before. every_s: how often; 0 for once. acts: what can be done there, each with
    the right that it needs. right: to be shown it. most_text: characters that a field may have.
    stays: what was loaded stays on the page until that of another place of it is there.
    """

    name: str
    parts: Mapping[str, View]
    piles: tuple[tuple[str, ...], ...] = ()
    load: Load | None = None
    every_s: float = 0.0
    acts: Mapping[str, tuple[Permission, Act]] = field(default_factory=dict)
    right: Permission | None = None
    most_text: int = 4000
    stays: bool = False
