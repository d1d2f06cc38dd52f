"""How often somebody may try to sign in: freely at first, then after delays that double.

Counted by account and by source address. Each try counts as a failure from its beginning, so that a hundred
at once are a hundred; one that succeeds takes it back. What names nobody is counted like any other. Who
signs in clears the account, but of the address only what failed there of that account: one's own mistakes, or
an account of one's own would buy any number of guesses at those of others. Pure.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

FORGET_S = 3600.0  # after the last failure


@dataclass(frozen=True, slots=True)
class Patience:
    """free: failures before the first delay. first_s: that delay; it doubles up to most_s."""

    free: int
    first_s: float
    most_s: float

    def delay(self, failures: int) -> float:
        """Seconds to wait after so many."""
        if failures <= self.free:
            return 0.0
        return float(min(self.first_s * 2.0 ** min(failures - self.free - 1, 30), self.most_s))


# An account can be slowed down by anybody, so never for long; an address only by itself.
OF_ACCOUNT = Patience(free=5, first_s=1.0, most_s=60.0)
OF_SOURCE = Patience(free=10, first_s=2.0, most_s=900.0)


class Attempts:
    """Failures by key. Times are seconds of a clock that never leaps. most: keys remembered, the least recent
    are forgotten.
    """

    def __init__(self, patience: Patience, most: int = 20_000) -> None:
        self._patience = patience
        self._most = most
        # How often, when last, and when before that.
        self._failed: OrderedDict[str, tuple[int, float, float]] = OrderedDict()

    def wait(self, key: str, now: float) -> float:
        """Seconds until the next try, 0.0 for at once."""
        failures, last, _ = self._failed.get(key, (0, now, now))
        if now - last >= FORGET_S:
            return 0.0
        return max(0.0, last + self._patience.delay(failures) - now)

    def begin(self, key: str, now: float) -> None:
        """Somebody tries."""
        failures, last, _ = self._failed.pop(key, (0, now, now))
        self._failed[key] = (1 if now - last >= FORGET_S else failures + 1, now, last)
        while len(self._failed) > self._most:
            self._failed.popitem(last=False)

    def succeeded(self, key: str) -> int:
        """Forget all of them; how many there were."""
        return self._failed.pop(key, (0, 0.0, 0.0))[0]

    def undo(self, key: str, tries: int = 1) -> int:
        """The last so many were none, neither good nor bad, and no delay begins with them; how many of them
        were counted.
        """
        failures, last, before = self._failed.get(key, (0, 0.0, 0.0))
        if failures > tries:
            self._failed[key] = (failures - tries, before if tries else last, before)
        else:
            self._failed.pop(key, None)
        return min(failures, tries)


def source_key(address: str) -> str:
    """Whom an address stands for: a network of /64 has as many of IPv6 as it likes."""
    try:
        found = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64))
    return str(found)
