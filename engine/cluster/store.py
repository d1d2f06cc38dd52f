"""What nodes share, as a protocol: Redis between several of them, a store in memory for one (memory.py).

The words are Redis's commands, over its data types, and scripts: each in Lua for Redis and as a twin in
Python for memory, held to the same meaning by one suite of tests over both.

Nothing here waits or raises. An answer comes to `then`, now or later on the event loop; where none will come,
`then` is told why (`Missed`). While the store is not `up`, nothing is sent, and nothing is kept to be sent
later: what has to be there again, its owner says again when `watch` tells that the store is back. Where a
command may have been carried out without an answer, the owner asks, or repeats what is harmless to repeat.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeAlias

Part: TypeAlias = str | bytes | int | float
Value: TypeAlias = "int | bytes | list[Value] | None"


class Missed(Enum):
    """Why there is no answer."""

    UNSENT = "it was not sent: certainly not done"
    UNKNOWN = "the connection was lost before an answer: done or not"
    REFUSED = "the store refused it: out of memory, or wrong of us; not done"


Answer: TypeAlias = "Value | Missed"
Then: TypeAlias = Callable[[Answer, float], None]  # the answer, and the time


class Call(Protocol):
    """A command within a script, as `redis.call` in Lua."""

    def __call__(self, verb: str, *parts: Part) -> Value: ...


@dataclass(frozen=True, slots=True)
class Script:
    """Several commands as one. lua: with KEYS and ARGV; twin: the same in Python, arguments as bytes."""

    name: str
    lua: str
    twin: Callable[[Call, Sequence[str], Sequence[bytes]], Value]


class Store(Protocol):
    """One node's way to what all share. Commands of one node are carried out in the order they were given."""

    @property
    def up(self) -> bool:
        """Whether it can be asked at the moment."""

    @property
    def dropped(self) -> int:
        """Commands so far that nobody answered, or ever will."""

    def key(self, *words: str) -> str:
        """The name of a key or channel of this cluster; the same words on every node."""

    def ask(self, verb: str, *parts: Part, now: float, then: Then | None = None) -> None:
        """A command. `then` may be called before this returns."""

    def run(
        self, script: Script, keys: Sequence[str], parts: Sequence[Part], now: float, then: Then | None = None
    ) -> None:
        """A script, carried out whole or not at all."""

    def subscribe(self, channel: str, heard: Callable[[bytes, float], None]) -> None:
        """Have `heard` told what any node publishes to `channel` from now on; what is said while the
        store is away is lost."""

    def watch(self, changed: Callable[[bool, float], None]) -> None:
        """Have `changed` told when the store is lost (False) and when it is back (True)."""


def ignored(answer: Answer, now: float) -> None:
    """For commands whose answer nobody needs."""


def encoded(part: Part) -> bytes:
    """A part as Redis has it: text, with floats in full."""
    if isinstance(part, bytes):
        return part
    return (repr(part) if isinstance(part, float) else str(part)).encode()
