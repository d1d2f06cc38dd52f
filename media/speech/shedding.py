"""What speech goes without when there is more of it than the machine can do: calls never suffer for it.

Work is of three kinds, and given up in this order: partial captions first, then interpretation, then captions
of some of the legs. What was given up is still counted as demanded, so that it is known when it can be done
again. A kind comes back when there has been room for it for a while; that is later than it went, so that
nothing flickers.

Room is what speech may use, or less: where work is late, what was done meanwhile is all that there is
(media/speech/pace.py). It is taken to grow again while nothing proves otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from hashlib import blake2b


class Kind(StrEnum):
    """FINAL: what an utterance was, and its translation as text. VOICE: interpretation that is heard.
    PARTIAL: what it may become.
    """

    FINAL = "final"
    VOICE = "voice"
    PARTIAL = "partial"


class Level(IntEnum):
    """What is given up; each, what those before it are as well."""

    NOTHING = 0
    PARTIALS = 1
    VOICES = 2
    CAPTIONS = 3  # of some legs


KEPT: Mapping[Level, tuple[Kind, ...]] = {
    Level.NOTHING: (Kind.FINAL, Kind.VOICE, Kind.PARTIAL),
    Level.PARTIALS: (Kind.FINAL, Kind.VOICE),
    Level.VOICES: (Kind.FINAL,),
    Level.CAPTIONS: (Kind.FINAL,),
}


@dataclass(frozen=True, slots=True)
class Terms:
    """cores: that speech may use. high: share of them from which on something is given up; low: down to which
    demand has to fall, with what would come back, for `calm_s`. window_s: over which demand is taken; step_s:
    between two changes. least: cores that there are at least; grows_s: in which they are taken to grow by e,
    `wary` times as long within `wary_s` of their having been short. again_s: within which they have to be
    found short again to be believed so.
    """

    cores: float = 1.0
    high: float = 0.85
    low: float = 0.65
    window_s: float = 2.0
    step_s: float = 0.5
    calm_s: float = 5.0
    least: float = 0.05
    grows_s: float = 5.0
    wary: float = 4.0
    wary_s: float = 15.0
    again_s: float = 6.0


@dataclass(frozen=True, slots=True)
class Change:
    """level: from now on. load: demand of what was kept until now, as a share of the cores."""

    level: Level
    load: float

    def __str__(self) -> str:
        given = {
            Level.NOTHING: "all of it is done",
            Level.PARTIALS: "captions come when a sentence is over",
            Level.VOICES: "and nothing is interpreted aloud",
            Level.CAPTIONS: "and some calls have no captions",
        }[self.level]
        return f"speech takes {self.load:.0%} of what it may: {given}"


class Shedding:
    """Told of all work that is wanted, with what it costs; says what is done of it."""

    def __init__(self, terms: Terms | None = None) -> None:
        self.terms = terms or Terms()
        self.level = Level.NOTHING
        self.share = 1.0  # of the legs that have captions
        self.cores = self.terms.cores  # that there really are
        self._rates = dict.fromkeys(Kind, 0.0)  # cores that each kind would take
        self._kept = 0.0  # cores that captions of those who have them take
        self._found = (0.0, -math.inf)  # cores that there seemed to be, and when
        self._luck, self._luck_at = 1.0, 0.0  # share over what would do if all took the same; when it changed
        self._at = 0.0
        self._changed_at = -math.inf
        self._calm_since: float | None = None

    def wanted(self, kind: Kind, seconds: float, now: float, *, done: bool = False) -> None:
        """Work that takes so many seconds of a core was wanted. done: and is done."""
        self._fade(now)
        self._rates[kind] += seconds / self.terms.window_s
        if done and kind is Kind.FINAL:
            self._kept += seconds / self.terms.window_s

    def found(self, cores: float, now: float) -> None:
        """Work was late, and took so many cores meanwhile. Once, that may be a model that was loaded, or a
        machine that stood still for a moment.
        """
        self._fade(now)
        (before, at), self._found = self._found, (cores, now)
        if self.cores < self.terms.cores:
            self.cores = cores
        elif now - at <= self.terms.again_s:
            self.cores = max(before, cores)
        self.cores = min(self.terms.cores, max(self.terms.least, self.cores))

    def load(self, level: Level | None = None) -> float:
        """Demand of what is kept at a level, at this one when none is named, as a share of the cores."""
        kept = KEPT[self.level if level is None else level]
        return sum(self._rates[kind] for kind in kept) / self.cores

    def does(self, kind: Kind, leg: int) -> bool:
        """Whether this is done for a leg. One that has captions keeps them while the share does not fall."""
        return kind in KEPT[self.level] and (self.share >= 1.0 or _place(leg) < self.share)

    def tick(self, now: float) -> Change | None:
        """To be called a few times a second: what changes, if anything does."""
        self._fade(now)
        before = self.load()
        level = self._wanted_level(now)
        self.share = self._wanted_share(now) if level is Level.CAPTIONS else 1.0
        changed = level is not self.level
        self.level = level
        if not changed:
            return None
        self._changed_at, self._calm_since = now, None
        return Change(level, before)

    def _wanted_level(self, now: float) -> Level:
        terms = self.terms
        if now - self._changed_at < terms.step_s:
            return self.level
        if self.load() > terms.high:
            self._calm_since = None
            return Level(min(self.level + 1, Level.CAPTIONS))
        if self.level is Level.NOTHING or self.load(Level(self.level - 1)) > terms.low:
            self._calm_since = None
            return self.level
        if self._calm_since is None:
            self._calm_since = now
        return Level(self.level - 1) if now - self._calm_since >= terms.calm_s else self.level

    def _wanted_share(self, now: float) -> float:
        """As many legs as there is room for; it grows again only where there is room enough. Which legs these
        are is chance, and so is how much they say: what they really take is looked at as well.
        """
        terms, demand, kept = self.terms, max(self.load(Level.CAPTIONS), 1e-9), self._kept / self.cores
        if self.level is not Level.CAPTIONS:
            self._luck, self._luck_at = 1.0, now
        elif now - self._luck_at >= 3 * terms.window_s and kept > 0.0:  # what was before is forgotten by then
            aim = terms.high if kept > terms.high else terms.low if kept < terms.low else kept
            self._luck, self._luck_at = self._luck * min(2.0, aim / kept), now
        share = min(self.share, self._luck * terms.high / demand)
        return min(1.0, max(share, self._luck * terms.low / demand))

    def _fade(self, now: float) -> None:
        passed = max(0.0, now - self._at)
        left = math.exp(-passed / self.terms.window_s)
        wary = self.terms.wary if now - self._found[1] < self.terms.wary_s else 1.0
        grown = self.cores * math.exp(min(passed / (wary * self.terms.grows_s), 50.0))
        self.cores = min(self.terms.cores, grown)
        self._at = max(self._at, now)
        self._kept *= left
        for kind in self._rates:
            self._rates[kind] *= left


def _place(leg: int) -> float:
    """Of a leg among all, 0 to 1, the same all the time."""
    return int.from_bytes(blake2b(leg.to_bytes(8, "little", signed=True), digest_size=4).digest()) / 2**32
