"""A store whose answers are followed by what has to be done once something happened to the switch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.cluster.store import Answer, Part, Script, Store, Then


class Settled:
    """`after` is called when whoever asked has dealt with an answer: SIP is sent, the alarm is set."""

    def __init__(self, store: Store, after: Callable[[], None]) -> None:
        self._store = store
        self._after = after

    @property
    def up(self) -> bool:
        return self._store.up

    @property
    def dropped(self) -> int:
        return self._store.dropped

    def key(self, *words: str) -> str:
        return self._store.key(*words)

    def ask(self, verb: str, *parts: Part, now: float, then: Then | None = None) -> None:
        self._store.ask(verb, *parts, now=now, then=self._followed(then))

    def run(
        self, script: Script, keys: Sequence[str], parts: Sequence[Part], now: float, then: Then | None = None
    ) -> None:
        self._store.run(script, keys, parts, now, self._followed(then))

    def subscribe(self, channel: str, heard: Callable[[bytes, float], None]) -> None:
        def told(payload: bytes, now: float) -> None:
            heard(payload, now)
            self._after()

        self._store.subscribe(channel, told)

    def watch(self, changed: Callable[[bool, float], None]) -> None:
        def told(up: bool, now: float) -> None:
            changed(up, now)
            self._after()

        self._store.watch(told)

    def _followed(self, then: Then | None) -> Then | None:
        if then is None:
            return None
        answered = then

        def told(answer: Answer, now: float) -> None:
            answered(answer, now)
            self._after()

        return told
