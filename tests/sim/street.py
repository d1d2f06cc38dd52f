"""Several houses that share a store: some die, some only seem to, some come back; others have their calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.cluster.heritage import Heritage
from engine.cluster.memory import MemoryServer, MemoryStore
from engine.cluster.seal import Seals
from engine.cluster.settled import Settled
from engine.cluster.takeover import Place
from engine.events import CallEnded, CallRecord, EndReason, Side
from routing.inheritance import Heir
from sip.hop import Hop
from tests.sim.house import House, Ledger
from tests.sim.world import World

EPOCH = 1.7e9
SEALS = Seals({"k": b"a key of the cluster that is long enough"}, "k")
SEEN_S = (1.5, 1.9)  # between the death of a house and what each of the others makes of it


class Neighbour:
    """A house and what ties it to the others. down: it runs no more."""

    def __init__(self, street: Street, name: str, address: str, number: int, ledger: Ledger) -> None:
        self.street = street
        self.name = name
        self.address = address
        self.life = f"life{number}"
        self.down = False
        self.mended_at = 0.0
        world = street.world
        self.house = House(world, street.folder, street.agents, name=name, address=address, **street.settings)
        self.house.ledger = self.house.switch.journal = ledger
        self.store = MemoryStore(street.server)
        self.sees: set[str] = set()  # who is there, as it thinks
        place = Place(name, "eu", self.survivors)
        settled = Settled(self.store, self.house.host.pump)
        self.heritage = Heritage(self.house.switch, settled, place, self.life, world.now, SEALS)

    def survivors(self) -> Sequence[Heir]:
        return [Heir(name, "eu") for name in sorted(self.sees)]

    @property
    def hop(self) -> Hop:
        return Hop("udp", self.address, 5060)

    @property
    def calls(self) -> Mapping[str, Any]:
        return self.house.switch.calls

    # --- engine.cluster.heritage.Past -------------------------------------------------------------

    @property
    def orphans(self) -> Sequence[str]:
        ledger = self.house.ledger
        return sorted(ledger.arrived - set(ledger.records) - set(self.calls))

    def close(self, taken: Mapping[str, str]) -> None:
        """As Journal.recover does."""
        for call in self.orphans:
            has = taken.get(call)
            if has is None:
                self.street.lost.append(call)
                self.house.ledger.finish(*closing(call, self.name))
            elif has != self.name:
                self.house.ledger.arrived.discard(call)


class Street:
    """The houses, by name. settings: as of House."""

    def __init__(
        self, world: World, folder: Path, names: Sequence[str], agents: int, **settings: Any
    ) -> None:
        self.world = world
        self.folder = folder
        self.agents = agents
        self.settings = settings
        self.server = MemoryServer(EPOCH)
        self.lost: list[str] = []  # calls that nobody took over
        self.houses: dict[str, Neighbour] = {}
        self.former: list[Neighbour] = []
        self._lives = 0
        for n, name in enumerate(names):
            self._open(name, f"10.0.0.{n + 1}", Ledger())

    def _open(self, name: str, address: str, ledger: Ledger) -> Neighbour:
        self._lives += 1
        here = self.houses[name] = Neighbour(self, name, address, self._lives, ledger)
        for other in self.living:
            here.sees.add(other.name)
            other.sees.add(name)
        return here

    @property
    def living(self) -> list[Neighbour]:
        return [each for each in self.houses.values() if not each.down]

    def run(self, seconds: float) -> None:
        self.world.run(self.world.now + seconds)

    # --- what befalls them --------------------------------------------------------------------------

    def kill(self, name: str) -> Neighbour:
        """SIGKILL, or the power is off."""
        dead = self.houses[name]
        dead.down, dead.house.host.up = True, False
        for worker in dead.house.workers:
            worker.alive = False
        self.server.stores.remove(dead.store)
        dead.store.up = False
        self.is_missed(dead)
        return dead

    def is_missed(self, dead: Neighbour) -> None:
        """Everybody else finds it lost, one sooner, one later."""
        for other in self.living:
            if other is not dead:
                self.world.after(self.world.rng.uniform(*SEEN_S), lambda other=other: self.finds(other, dead))

    def finds(self, other: Neighbour, dead: Neighbour) -> None:
        """`other` finds `dead` lost."""
        if not other.down and self.houses[dead.name] is dead:
            other.sees.discard(dead.name)
            other.heritage.gone(dead.name, dead.life, self.world.now)
            other.house.host.pump()

    def sees_again(self, other: Neighbour, back: Neighbour) -> None:
        other.sees.add(back.name)
        other.heritage.joined(back.name, back.life, self.world.now)
        other.house.host.pump()

    def restart(self, name: str) -> Neighbour:
        """Another process of the same node, with its journal."""
        old = self.houses[name]
        self.former.append(old)
        here = self._open(name, old.address, old.house.ledger)
        here.heritage.recover(here, self.world.now)
        here.house.host.pump()
        return here

    # --- what must be true --------------------------------------------------------------------------

    def calls(self) -> Counter[str]:
        """How many houses have each call."""
        return Counter(call for each in self.living for call in each.calls)

    def records(self) -> dict[str, CallRecord]:
        """All of them; one a call."""
        found: dict[str, CallRecord] = {}
        for ledger in {id(each.house.ledger): each.house.ledger for each in self.houses.values()}.values():
            twice = found.keys() & ledger.records.keys()
            assert not twice, f"two records of {sorted(twice)}"
            found |= ledger.records
        return found

    def arrived(self) -> set[str]:
        return set().union(*(each.house.ledger.arrived for each in self.houses.values()))


def closing(call: str, node: str) -> tuple[CallEnded, CallRecord]:
    """What the journal writes of a call that was lost with its node."""
    at = EPOCH
    ended = CallEnded(at=at, call=call, by=Side.ENGINE, reason=EndReason.NODE_LOST)
    texts = dict.fromkeys(
        ("contact", "customer", "market", "region", "number", "source", "language", "queue", "agent",
         "customer_codec", "agent_codec", "customer_encryption", "agent_encryption", "recording"), ""
    )  # fmt: skip
    figures = dict.fromkeys(
        ("answered_at", "connected_at", "post_dial_delay_s", "customer_loss", "agent_loss",
         "customer_jitter_ms", "agent_jitter_ms", "customer_mos", "agent_mos", "customer_concealed_ms",
         "agent_concealed_ms")
    )  # fmt: skip
    record = CallRecord(
        call=call, node=node, offered_at=at, ended_at=at, ended_by=Side.ENGINE, reason=EndReason.NODE_LOST,
        wait_s=0.0, talk_s=0.0, hold_s=0.0, misses=0, transfers=0, **texts, **figures,
    )  # fmt: skip
    return ended, record
