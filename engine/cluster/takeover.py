"""A node is lost: those that live share what it had among them, and each goes on with its part at once.

1. Each says whom it finds lost; a node that still answers one of them is not. When all who live agree,
2. the life that is lost is fenced, so that it can write nothing more;
3. what it had is read, and each survivor claims what is its own by routing.inheritance.heir;
4. what nobody has claimed a moment later (its heir died too, has no room, cannot read it) anybody may have.

A node that learns that it was fenced lives all the same: it begins another life, claims what nobody has taken
yet and gives up the rest without a word. One that comes back claims what it had before it looks which of its
calls have no record: docs/adr/0034.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from engine.cluster.estate import CLAIM_OF_ESTATE, KEPT_MS, TAKEN_MS, pairs, texts
from engine.cluster.inherited import Claimable, Inherited
from engine.cluster.store import Answer, Missed, Part, Store
from engine.timers import Timers
from routing.inheritance import Heir, heir

LOOK_S = 0.1  # between looks at who else finds it lost
SUSPECT_S = 30.0  # after which it is not looked any more
SECOND_S = 0.7  # then what is left may be had by anybody
DOUBT_S = 3.0  # in which a node that was held up hears of the store what it has
AGAIN_S = 0.5  # after a store that did not answer

log = structlog.get_logger("takeover")


@dataclass(frozen=True, slots=True)
class Place:
    """Where this node stands among the others. survivors: nodes that live and take calls, itself among them.
    regions: where calls of a market may be, none for anywhere.
    """

    name: str
    region: str
    survivors: Callable[[], Sequence[Heir]]
    regions: Callable[[str], frozenset[str]] = field(default=lambda market: frozenset())


class Takeover:
    """One node's part in it. life: of its process. Nothing here waits or raises."""

    def __init__(
        self, place: Place, life: str, store: Store, timers: Timers, parts: Sequence[Inherited], now: float
    ) -> None:
        self.place = place
        self._process = life
        self._lives = 0  # of this process that are over
        self._beginning = 0  # parts that do not write yet in the present one
        self._store = store
        self._timers = timers
        self._parts = parts
        self._suspected: dict[str, float] = {}  # lives, and until when it is looked
        self._seen_to: set[str] = set()
        self._doubts: list[Callable[[float], None]] = []  # who wait to hear what is this node's own
        for part in parts:
            part.kept.fenced = self._fenced
            part.kept.forgot.append(self._say_life)
        store.watch(lambda up, at: self._say_life(at) if up else None)
        self._say_life(now)

    @property
    def life(self) -> str:
        """NODE/LIFE, as it is written under."""
        return life_key(self.place.name, self._process, self._lives)

    def _say_life(self, now: float) -> None:
        lives = self._key("lives", self.place.name)
        self._ask("SADD", lives, self.life, now=now)
        self._ask("PEXPIRE", lives, TAKEN_MS, now=now)

    # --- somebody is lost ---------------------------------------------------------------------------

    def lost(self, name: str, life: str, now: float) -> None:
        """This node finds it so: its lease is over, and it answers no question."""
        former = life_key(name, life)
        if name != self.place.name and former not in self._suspected and former not in self._seen_to:
            self._suspected[former] = now + SUSPECT_S
            self._suspect(name, former, now)

    def found(self, name: str, life: str, now: float) -> None:
        """It is there after all, in the same life."""
        former = life_key(name, life)
        if self._suspected.pop(former, None) is not None:
            self._ask("SREM", self._key("suspects", former), self.place.name, now=now)
        self._seen_to.discard(former)

    def _suspect(self, name: str, former: str, now: float) -> None:
        until = self._suspected.get(former)
        if until is None or now > until:
            self._suspected.pop(former, None)
            return
        suspects = self._key("suspects", former)
        self._ask("SADD", suspects, self.place.name, now=now)
        self._ask("PEXPIRE", suspects, KEPT_MS, now=now)

        def told(answer: Answer, at: float) -> None:
            agreeing = set(texts(answer) or ())
            living = {each.name for each in self.place.survivors() if each.name != name}
            if living <= agreeing and former in self._suspected:
                del self._suspected[former]
                self._settle(name, former, at)
            else:
                self._timers.at(at + LOOK_S, lambda then: self._suspect(name, former, then))

        self._ask("SMEMBERS", suspects, now=now, then=told)

    def _settle(self, name: str, process: str, now: float) -> None:
        """All agree: share out what that process had, in all its lives."""
        log.warning("node lost, its calls are taken over", node=name)
        self._seen_to.add(process)

        def found(answer: Answer, at: float) -> None:
            lives = [each for each in texts(answer) or () if each.partition("+")[0] == process]
            for each in lives or [process]:
                self._fence(each, at)
                self._share(name, each, at)

        self._ask("SMEMBERS", self._key("lives", name), now=now, then=found)

    def _fence(self, life: str, now: float) -> None:
        self._ask("SET", self._key("lost", life), self.place.name, "NX", "PX", TAKEN_MS, now=now)

    # --- claiming -----------------------------------------------------------------------------------

    def _share(self, name: str, life: str, now: float) -> None:
        def again(at: float) -> None:
            for part in self._parts:
                self._look(part, name, life, self._may_have, at)

        for part in self._parts:
            self._look(part, name, life, self._is_mine, now)
        self._timers.at(now + SECOND_S, again)

    def _look(
        self, part: Inherited, name: str, life: str, wanted: Callable[[Claimable], bool], now: float
    ) -> None:
        def found(answer: Answer, at: float) -> None:
            if isinstance(answer, Missed):
                self._timers.at(at + AGAIN_S, lambda then: self._look(part, name, life, wanted, then))
                return
            there = [each for each in part.read(pairs(answer) or {}) if wanted(each)]
            there.sort(key=lambda each: each.order)
            self._claim(part, name, life, there[: part.room()], at)

        self._ask("HGETALL", self._key(part.word, life), now=now, then=found)

    def _is_mine(self, each: Claimable) -> bool:
        choice = heir(each.key, self.place.survivors(), self.place.regions(each.market), each.near)
        return choice.name == self.place.name

    def _may_have(self, each: Claimable) -> bool:
        regions = self.place.regions(each.market)
        return not regions or self.place.region in regions

    def _claim(
        self,
        part: Inherited,
        name: str,
        life: str,
        wanted: Sequence[Claimable],
        now: float,
        then: Callable[[float], None] | None = None,
    ) -> None:
        """Move them to ours, and go on with those that nobody else has moved before."""

        def claimed(answer: Answer, at: float) -> None:
            ids = set(texts(answer) or ())
            part.have([each for each in wanted if each.id in ids], name, at)
            if then is not None:
                then(at)

        keys = [self._key(part.word, life), part.kept.key, self._key("lost", self.life)]
        keys.append(self._key("taken" if part.word == "calls" else f"taken-{part.word}", name))
        parts: list[Part] = [self.place.name, KEPT_MS, TAKEN_MS, *(each.id for each in wanted)]
        if wanted:
            self._store.run(CLAIM_OF_ESTATE, keys, parts, now, claimed)
        elif then is not None:
            then(now)

    # --- this node was lost itself ------------------------------------------------------------------

    def former(self, done: Callable[[bool, float], None], now: float) -> None:
        """Claim what earlier processes of this node had and nobody has taken; done: told whether it could be
        asked.
        """

        def found(answer: Answer, at: float) -> None:
            known = texts(answer)
            if known is None:
                done(False, at)
                return
            lives = [
                each for each in known if each.partition("+")[0] != life_key(self.place.name, self._process)
            ]
            self._claim_all([(part, life) for life in lives for part in self._parts], done, at)
            for life in lives:
                self._ask("SREM", self._key("lives", self.place.name), life, now=at)

        self._ask("SMEMBERS", self._key("lives", self.place.name), now=now, then=found)

    def _claim_all(
        self, left: list[tuple[Inherited, str]], done: Callable[[bool, float], None], now: float
    ) -> None:
        """One after the other, so that `done` is told when all is known."""
        if not left:
            done(True, now)
            return
        (part, life), *rest = left
        self._fence(life, now)

        def found(answer: Answer, at: float) -> None:
            there = pairs(answer)
            if there is None:
                done(False, at)
                return
            wanted = part.read(there)[: part.room()]
            name = self.place.name
            self._claim(part, name, life, wanted, at, lambda then: self._claim_all(rest, done, then))

        self._ask("HGETALL", self._key(part.word, life), now=now, then=found)

    def doubt(self, settled: Callable[[float], None], now: float) -> None:
        """This node did nothing for so long that others may have found it lost. `settled` is called when it
        is known what is its own, or the store has not answered for DOUBT_S.
        """
        self._doubts.append(settled)
        if len(self._doubts) == 1:
            self._ask_whether_lost(now + DOUBT_S, now)

    def _ask_whether_lost(self, until: float, now: float) -> None:
        def told(answer: Answer, at: float) -> None:
            if isinstance(answer, Missed) and at < until:
                self._timers.at(at + LOOK_S, lambda then: self._ask_whether_lost(until, then))
                return
            if isinstance(answer, bytes):
                self._fenced(answer.decode(errors="replace"), at)
            self._settle_doubts(at)

        self._ask("GET", self._key("lost", self.life), now=now, then=told)

    def _settle_doubts(self, now: float) -> None:
        if not self._beginning:
            doubts, self._doubts = self._doubts, []
            for settled in doubts:
                settled(now)

    def _fenced(self, by: str, now: float) -> None:
        """Others found this life lost. It is over; what they have not taken is gone on with in the next."""
        if self._beginning:
            return
        log.error("this node was found lost while it lived", by=by)
        former, self._beginning = self.life, len(self._parts)
        self._lives += 1
        self._say_life(now)
        for part in self._parts:
            self._win_back(part, former, now)

    def _win_back(self, part: Inherited, former: str, now: float) -> None:
        """Claim what nobody has taken, hear who has the rest, and only then write again."""
        name, ids = self.place.name, part.present()
        taken = self._key("taken" if part.word == "calls" else f"taken-{part.word}", name)

        def asked(answer: Answer, at: float) -> None:
            if isinstance(answer, Missed):
                self._timers.at(at + AGAIN_S, lambda then: self._win_back(part, former, then))
                return
            for id, who in zip(ids, answer if isinstance(answer, list) else (), strict=False):
                if isinstance(who, bytes) and who.decode(errors="replace") != name:
                    part.surrender(id, who.decode(errors="replace"), at)
            self._beginning -= 1
            part.kept.begin(self.life, at)
            self._settle_doubts(at)

        keys = [self._key(part.word, former), self._key(part.word, self.life)]
        keys += [self._key("lost", self.life), taken]
        if ids:
            self._store.run(CLAIM_OF_ESTATE, keys, [name, KEPT_MS, TAKEN_MS, *ids], now)
        self._ask("HMGET", taken, *(ids or [""]), now=now, then=asked)

    # --- the store ----------------------------------------------------------------------------------

    def _key(self, *words: str) -> str:
        return self._store.key(*words)

    def _ask(
        self, verb: str, *parts: Part, now: float, then: Callable[[Answer, float], None] | None = None
    ) -> None:
        self._store.ask(verb, *parts, now=now, then=then)


def life_key(name: str, life: str, number: int = 0) -> str:
    """NODE/LIFE as keys have it; number: of lives of that process that are over."""
    return f"{name}/{life}" + (f"+{number}" if number else "")
