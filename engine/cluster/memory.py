"""The store of a node that is alone, and of several nodes within one test: the same words, in memory.

`MemoryServer` is what they share; each node has a `MemoryStore`. `cut` and `mend` are an outage of one node's
connection, `MemoryServer.lose` is a server that forgets everything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from engine.cluster.keyspace import Keyspace, KeyspaceError
from engine.cluster.store import Missed, Part, Script, Then, Value, encoded, ignored

log = structlog.get_logger("cluster")


class MemoryServer:
    """epoch: seconds since 1970 at time 0 of `now`."""

    def __init__(self, epoch: float = 0.0) -> None:
        self.epoch = epoch
        self.keys = Keyspace(self.publish)
        self.stores: list[MemoryStore] = []
        self.now = 0.0

    def publish(self, channel: str, payload: bytes) -> int:
        return sum(each.hear(channel, payload, self.now) for each in list(self.stores) if each.up)

    def do(self, what: Callable[[], Value], now: float) -> Value:
        self.now = now
        self.keys.now = self.epoch + now
        return what()

    def lose(self) -> None:
        self.keys.clear()


class MemoryStore:
    """A node's way to a `MemoryServer`, its own if none is given."""

    def __init__(self, server: MemoryServer | None = None, prefix: str = "isogloss") -> None:
        self.server = server or MemoryServer()
        self.server.stores.append(self)
        self.up = True
        self.dropped = 0
        self._prefix = prefix
        self._heard: dict[str, list[Callable[[bytes, float], None]]] = {}
        self._watchers: list[Callable[[bool, float], None]] = []

    def key(self, *words: str) -> str:
        return ":".join((self._prefix, *words))

    def ask(self, verb: str, *parts: Part, now: float, then: Then | None = None) -> None:
        self._do(lambda: self.server.keys.call(verb, *parts), now, then or ignored)

    def run(
        self, script: Script, keys: Sequence[str], parts: Sequence[Part], now: float, then: Then | None = None
    ) -> None:
        arguments = [encoded(part) for part in parts]
        self._do(lambda: script.twin(self.server.keys.call, keys, arguments), now, then or ignored)

    def subscribe(self, channel: str, heard: Callable[[bytes, float], None]) -> None:
        self._heard.setdefault(channel, []).append(heard)

    def watch(self, changed: Callable[[bool, float], None]) -> None:
        self._watchers.append(changed)

    def hear(self, channel: str, payload: bytes, now: float) -> int:
        """Something was published; how many heard it."""
        hearers = self._heard.get(channel, ())
        for heard in hearers:
            heard(payload, now)
        return len(hearers)

    def cut(self, now: float) -> None:
        self._turn(False, now)

    def mend(self, now: float) -> None:
        self._turn(True, now)

    def _turn(self, up: bool, now: float) -> None:
        if up is not self.up:
            self.up = up
            for changed in self._watchers:
                changed(up, now)

    def _do(self, what: Callable[[], Value], now: float, then: Then) -> None:
        if not self.up:
            self.dropped += 1
            then(Missed.UNSENT, now)
            return
        try:
            answer = self.server.do(what, now)
        except KeyspaceError as error:
            log.error("the store refused a command", why=str(error))
            then(Missed.REFUSED, now)
            return
        then(answer, now)
