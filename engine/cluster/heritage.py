"""What this node leaves to others and takes over from them, put together.

Wired to the registry by `told`; to the node's own past by `recover`, which is called once when it starts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import structlog

from engine.cluster.calls import Calls
from engine.cluster.credentials import keys_of
from engine.cluster.membership import ClusterEvent, Gone, Joined
from engine.cluster.phones import Phones
from engine.cluster.seal import Seals
from engine.cluster.settled import Settled
from engine.cluster.store import Answer, Missed, Store
from engine.cluster.takeover import Place, Takeover, life_key
from routing.inheritance import Heir

if TYPE_CHECKING:
    from engine.cluster.cluster import Cluster
    from engine.switch import Switch

log = structlog.get_logger("takeover")


def of_node(switch: Switch, cluster: Cluster, settle: Callable[[], None], now: float) -> Heritage:
    """That of a node among others. settle: does what has to be done once something happened to the switch."""
    membership = cluster.membership

    def survivors() -> list[Heir]:
        return [
            Heir(each.name, each.region, each.pulse.calls / max(1, each.pulse.capacity))
            for each in membership.members.values()
            if each.pulse.well and not each.pulse.draining
        ]

    node = cluster.config.node
    seals = Seals(*keys_of(cluster.config))
    place = Place(node.name, node.region, survivors, cluster.config.cluster.regions_for)
    heritage = Heritage(switch, Settled(cluster.store, settle), place, cluster.life, now, seals)

    def told(event: ClusterEvent, at: float) -> None:
        match event:
            case Gone(member):
                heritage.gone(member.name, member.life, at)
            case Joined(member):
                heritage.joined(member.name, member.life, at)
            case _:
                return
        settle()

    membership.watch(told)
    return heritage


class Past(Protocol):
    """What earlier lives of the node left in its journal."""

    @property
    def orphans(self) -> Sequence[str]:
        """Calls without a record."""

    def close(self, taken: Mapping[str, str]) -> None:
        """Write the records of those that nobody has taken; taken: who has which. Must not block."""


class Heritage:
    """One node's. life: of its process, another one each start."""

    def __init__(
        self, switch: Switch, store: Store, place: Place, life: str, now: float, seals: Seals
    ) -> None:
        self._store = store
        self._past: Past | None = None
        key = life_key(place.name, life)
        self.calls = Calls(switch, store, key, now, seals)
        self.phones = Phones(switch, store, key, now, seals)
        self.takeover = Takeover(place, life, store, switch.timers, (self.calls, self.phones), now)
        store.watch(self._store_changed)

    def gone(self, name: str, life: str, now: float) -> None:
        """The registry finds a node lost."""
        self.takeover.lost(name, life, now)

    def joined(self, name: str, life: str, now: float) -> None:
        """It is there, for the first time or again."""
        self.takeover.found(name, life, now)

    def leave(self, now: float) -> None:
        """This node stops and has ended its calls: there is none to be taken over. Its phones are left."""
        self.calls.leave(now)

    # --- this node's own past -----------------------------------------------------------------------

    def recover(self, past: Past, now: float) -> None:
        """Go on with what an earlier process of this node left and nobody has taken; then close the rest.

        While the store cannot be asked, nothing is closed: others may have those calls. It is tried again
        when the store is there.
        """
        self._past = past
        self.takeover.former(self._claimed, now)

    def _claimed(self, known: bool, now: float) -> None:
        past = self._past
        if past is None:
            return
        orphans = list(past.orphans)
        if not known:
            if orphans:
                log.warning(
                    "calls without a record wait until the store says who has them", calls=len(orphans)
                )
            return
        if not orphans:
            self._past = None
            return
        taken = self._store.key("taken", self.takeover.place.name)
        self._store.ask(
            "HMGET", taken, *orphans, now=now, then=lambda answer, at: self._close(orphans, answer)
        )

    def _close(self, orphans: Sequence[str], answer: Answer) -> None:
        past = self._past
        if past is None or isinstance(answer, Missed) or not isinstance(answer, list):
            return
        self._past = None
        past.close(
            {
                call: who.decode(errors="replace")
                for call, who in zip(orphans, answer, strict=False)
                if isinstance(who, bytes)
            }
        )

    def _store_changed(self, up: bool, now: float) -> None:
        if up and self._past is not None:
            self.takeover.former(self._claimed, now)
