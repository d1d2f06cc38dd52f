"""Who takes which call of a node that was lost: every survivor comes to the same answer by itself.

Weighted rendezvous hashing (D. Thaler and C. Ravishankar, "Using name-based mappings to increase hit rates",
1998; weights as J. Resch, "New hashing algorithms for data storage", 2015): each survivor draws a number from
the call's key and its own name, and the largest has the call. Where one survivor falls away, only its calls
go elsewhere. What two survivors see differently costs nothing but a second try: the store decides.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

STEPS = 4  # of load: coarse, so that survivors who heard of it at different times agree
LEAST = 0.05  # weight of a full one: better than nobody


@dataclass(frozen=True, slots=True)
class Heir:
    """A node that lives. load: share of its room that is taken, 0 to 1."""

    name: str
    region: str
    load: float = 0.0


@dataclass(frozen=True, slots=True)
class Choice:
    """Whose it is, and why; `name` is "" where nobody may have it."""

    name: str
    reasons: tuple[str, ...]


def heir(
    key: str, survivors: Sequence[Heir], regions: frozenset[str] = frozenset(), near: str = ""
) -> Choice:
    """Who takes what goes by `key`: an agent's name for all that is hers, so that her phone and her call stay
    together, else the call's id. regions: where its market's calls may be; none: anywhere. near: the node
    that has another part of it, and is preferred.
    """
    allowed = [each for each in survivors if not regions or each.region in regions]
    if not allowed:
        why = f"no survivor in {', '.join(sorted(regions))}" if survivors else "no survivor"
        return Choice("", (why,))
    if any(each.name == near for each in allowed):
        return Choice(near, ("has the other half of the call",))
    best = max(allowed, key=lambda each: (_draw(key, each), each.name))
    kept = f"of {len(allowed)} survivors" + (f" in {', '.join(sorted(regions))}" if regions else "")
    return Choice(best.name, (kept, f"weight {_weight(best):.2f} at load {best.load:.2f}"))


def _draw(key: str, survivor: Heir) -> float:
    digest = blake2b(f"{key}\0{survivor.name}".encode(), digest_size=7).digest()
    share = (int.from_bytes(digest, "big") + 0.5) / 2**56
    return _weight(survivor) / -math.log(share)


def _weight(survivor: Heir) -> float:
    taken = math.floor(min(max(survivor.load, 0.0), 1.0) * STEPS) / STEPS
    return max(LEAST, 1.0 - taken)
