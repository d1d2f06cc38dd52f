"""The way from one language to another: directly, or over a third that translators have both hops of.

What is translated twice has the faults of both. So a direct way comes first and one over a third language
after it, except that two good translators are better than one that gives the gist.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from media.speech.translator import Pair, Reach

# Languages that most translators know, the best known first.
BRIDGES = ("en", "es", "fr", "de", "ru", "zh", "ar", "pt")
WAYS = 6  # that are tried at most


class Side(NamedTuple):
    """What a way needs to know of a translator."""

    reach: Reach
    gist: bool


class Hop(NamedTuple):
    """by: the translator's place in the list."""

    by: int
    pair: Pair


Way = tuple[Hop, ...]


def ways(sides: Sequence[Side], pair: Pair) -> list[Way]:
    """The ways there, the best first; of equal ones, in the order of the translators."""
    found = [*_direct(sides, pair), *_bridged(sides, pair)]
    return sorted(found, key=lambda way: (gist(sides, way), len(way)))[:WAYS]


def gist(sides: Sequence[Side], way: Way) -> bool:
    """Whether what comes out is for the gist alone."""
    return any(sides[hop.by].gist for hop in way)


def all_pairs(sides: Sequence[Side]) -> list[tuple[Pair, bool]]:
    """Every pair that ways lead to over pairs told one by one, and whether it is for the gist alone."""
    listed = sorted({pair for side in sides for pair in side.reach.pairs})
    sources, targets = {each.source for each in listed}, {each.target for each in listed}
    wanted = [Pair(source, target) for source in sorted(sources) for target in sorted(targets)]
    found = []
    for pair in wanted:
        way = next(iter(ways(sides, pair)), None) if pair.source != pair.target else None
        if way is not None:
            found.append((pair, gist(sides, way)))
    return found


def _direct(sides: Sequence[Side], pair: Pair) -> Iterator[Way]:
    for by, side in enumerate(sides):
        if side.reach.has(pair):
            yield (Hop(by, pair),)


def _bridged(sides: Sequence[Side], pair: Pair) -> Iterator[Way]:
    """Over each language that both hops are there for; by the same translator for both where that can be."""
    over = {each.target for side in sides for each in side.reach.pairs if each.source == pair.source}
    known = [*BRIDGES, *sorted(over - set(BRIDGES))]
    for bridge in known:
        if bridge in pair:
            continue
        first = next(_direct(sides, Pair(pair.source, bridge)), None)
        second = next(_direct(sides, Pair(bridge, pair.target)), None)
        if first is None or second is None:
            continue
        if not any(sides[hop.by].reach.has(pair) for hop in (*first, *second)):  # who can needs no bridge
            yield (*first, *second)
