"""A hash in the store that says what this node has: written when it changes, off the way of what changes it.

What was touched is written down once, a moment later, whatever happened to it in between, and only if that
made a difference. So much goes in one word to the store, and the next word when that one was answered: a
store that is slow makes what is kept older, never the calls slower. `lag_s` is how much would be lost now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import structlog

from engine.cluster.estate import KEPT_MS, WRITE
from engine.cluster.store import Answer, Missed, Part, Store
from engine.timers import Timer, Timers

PAUSE_S = 0.02  # what happens within so long is written once
BATCH = 16  # values in one word
AGAIN_S = 1.0  # after one that was not answered
LOOK_S = 1.0  # between looks at whether this life is over, and whether the store has what it should
UNKNOWN = 0  # what the store has of it, nobody knows

log = structlog.get_logger("takeover")


class Kept:
    """word: of the hash. life: NODE/LIFE. describe: what to write of one, b"" for what is no more. all: what
    there is. fenced: called when the store says that this life is over, with who ended it.
    """

    def __init__(
        self,
        word: str,
        life: str,
        store: Store,
        timers: Timers,
        *,
        describe: Callable[[str], bytes],
        all: Callable[[], Iterable[str]],
        now: float,
    ) -> None:
        self.word = word
        self.life = life
        self.fenced: Callable[[str, float], None] = _unheard
        self.removed: Callable[[str, float], None] = _unheard  # told what the store has let go of
        self.forgot: list[Callable[[float], None]] = []  # called when the store has lost what it had
        self.written = 0
        self.octets = 0
        self._store = store
        self._timers = timers
        self._describe = describe
        self._all = all
        self._touched: dict[str, float] = {}  # what may have changed, and since when
        self._known: dict[str, int] = {}  # what the store has
        self._timer: Timer | None = None
        self._waiting = False  # for an answer
        store.watch(self._store_changed)
        timers.at(now, self._look)

    @property
    def key(self) -> str:
        return self._store.key(self.word, self.life)

    def touched(self, id: str, now: float) -> None:
        """It may have changed, begun or ended."""
        self._touched.setdefault(id, now)
        self._soon(now)

    def knows(self, id: str) -> bool:
        """Whether the store has it, or may have."""
        return id in self._known

    def has(self, id: str, data: bytes) -> None:
        """It was claimed: the store has it as ours already."""
        self._known[id] = hash(data)

    def lag_s(self, now: float) -> float:
        """Age of the oldest change that is not written."""
        return max((now - since for since in self._touched.values()), default=0.0)

    def begin(self, life: str, now: float) -> None:
        """Under another life: what there is has to be written again, and what is over taken out."""
        self.life = life
        self._known = dict.fromkeys(self._all(), UNKNOWN)
        self._touched = dict.fromkeys(self._known, now)
        self._waiting = False
        self._soon(now)

    # --- writing ------------------------------------------------------------------------------------

    def _soon(self, now: float, delay: float = PAUSE_S) -> None:
        if self._timer is None and not self._waiting and self._store.up:
            self._timer = self._timers.at(now + delay, self._flush)

    def _flush(self, now: float) -> None:
        self._timer = None
        if self._waiting or not self._store.up:
            return
        there: list[Part] = []
        gone: list[str] = []
        batch = list(self._touched)[:BATCH]
        for id in batch:
            del self._touched[id]
            data = self._describe(id)
            if data and hash(data) != self._known.get(id):
                self._known[id] = hash(data)
                self.written += 1
                self.octets += len(data)
                there += (id, data)
            elif not data and id in self._known:
                gone.append(id)
        if there or gone:
            self._write([KEPT_MS, len(gone), *gone, *there], [str(id) for id in there[::2]], gone, now)
        elif self._touched:
            self._soon(now, 0.0)

    def _write(self, parts: list[Part], said: list[str], gone: list[str], now: float) -> None:
        life = self.life
        self._waiting = True
        self._store.run(
            WRITE,
            [self.key, self._store.key("lost", life)],
            parts,
            now,
            lambda answer, at: self._written(answer, life, said, gone, at),
        )

    def _written(self, answer: Answer, life: str, said: list[str], gone: list[str], now: float) -> None:
        if life != self.life:
            return  # it was said in a life that is over
        self._waiting = False
        if isinstance(answer, int) and not (said or gone) and answer < self._certain():
            log.warning("the store has forgotten what it had, which is said again", what=self.word)
            self._say_all(now)
            for told in self.forgot:
                told(now)
            return
        if isinstance(answer, bytes):
            self.fenced(answer.decode(errors="replace"), now)
            return
        if isinstance(answer, Missed):  # done or not: it is said again, which does no harm
            for id in (*said, *gone):
                self._known[id] = UNKNOWN
                self._touched.setdefault(id, now)
        else:
            for id in gone:
                self._known.pop(id, None)
                self.removed(id, now)
        if self._touched:
            self._soon(now, AGAIN_S if isinstance(answer, Missed) else 0.0)

    def _store_changed(self, up: bool, now: float) -> None:
        """It may have lost everything, and not noticed what ended meanwhile: all is said again."""
        if not up:
            self._waiting = False
            return
        self.look(now)
        self._say_all(now)

    def _certain(self) -> int:
        """How many values the store must have: it said so of each."""
        return sum(data != UNKNOWN for data in self._known.values())

    def _say_all(self, now: float) -> None:
        self._known = dict.fromkeys(self._known, UNKNOWN)
        for id in (*self._known, *self._all()):
            self._touched.setdefault(id, now)
        self._soon(now, 0.0)

    def look(self, now: float) -> None:
        """Hear whether this life is over, and say that what is kept is meant."""
        if self._store.up and not self._waiting:
            self._write([KEPT_MS, 0], [], [], now)

    def _look(self, now: float) -> None:
        self.look(now)
        self._timers.at(now + LOOK_S, self._look)


def _unheard(by: str, now: float) -> None:
    """Nobody has asked to be told."""
