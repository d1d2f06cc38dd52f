"""Guesses at tokens, by source: a few are free, then each wrong one waits longer for the next.

The same wrong token again is no guess but a program that was forgotten, and counts once. A token that was
right from there lately goes in whatever others at that address guess. Pure: times are given.
"""

from __future__ import annotations

from collections import OrderedDict

from engine.access.attempts import Attempts, Patience, source_key
from engine.api.settings import hashed

PATIENCE = Patience(free=10, first_s=2.0, most_s=900.0)
MOST = 5000  # tokens remembered, wrong ones and right ones each
RIGHT_S = 3600.0

_Key = tuple[str, bytes]


class Guesses:
    """source: the address of who asks. now: seconds of a clock that never leaps."""

    def __init__(self) -> None:
        self._attempts = Attempts(PATIENCE)
        self._wrong: OrderedDict[_Key, float] = OrderedDict()
        self._right: OrderedDict[_Key, float] = OrderedDict()

    def wait(self, source: str, token: str, now: float) -> float:
        """Seconds until this token is looked at, 0.0 for at once."""
        place, digest = source_key(source), hashed(token)
        if now - self._right.get((place, digest), float("-inf")) < RIGHT_S:
            return 0.0
        return self._attempts.wait(place, now)

    def wrong(self, source: str, token: str, now: float) -> None:
        place, digest = source_key(source), hashed(token)
        if (place, digest) not in self._wrong:
            self._attempts.begin(place, now)
        _keep(self._wrong, (place, digest), now)

    def right(self, source: str, token: str, now: float) -> None:
        _keep(self._right, (source_key(source), hashed(token)), now)


def _keep(table: OrderedDict[_Key, float], key: _Key, now: float) -> None:
    table[key] = now
    table.move_to_end(key)
    while len(table) > MOST:
        table.popitem(last=False)
