"""Where browsers' legs part: RTP goes on to the core, what is rare (STUN, DTLS) to the gate and back.

A network around the ports, beneath encryption. RFC 7983 tells by the first byte what a packet is: 128 to 191
is RTP or RTCP, all else is rare. Legs without a door pass by untouched. Checks of a far end that was chosen
already are answered here (media.stun).
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from media import stun
from media.columns import Bool
from media.gate import Listen, Post, Rare, Trust, Word
from media.messages import Address
from media.network import Batch, Judge, Layer, Network, remove

RARE = 16  # packets of one leg that are looked at in a tick; the rest is lost, as on any network


class Gates(Protocol):
    """The way to the gates' processes. What cannot be said at once is lost, as on any network."""

    def tell(self, gate: str, rare: Rare) -> None:
        """Hand a packet to the gate that listens at the Unix socket `gate`."""

    def words(self) -> list[Word]:
        """What gates have said since, a bounded number."""


class NoGates:
    """Where there are none."""

    def tell(self, gate: str, rare: Rare) -> None: ...

    def words(self) -> list[Word]:
        return []


class Door:
    """A leg's. remote: where its far end was found. username, key: its checks are signed with. left: rare
    packets that are still looked at in this tick. answered: checks that were answered here. parted: whom its
    port was connected to before it had to hear everybody. keyed: its packets' keys are agreed on.
    """

    __slots__ = ("answered", "gate", "key", "keyed", "left", "leg", "parted", "remote", "username")

    def __init__(self, leg: int, gate: str) -> None:
        self.leg = leg
        self.gate = gate
        self.remote: Address | None = None
        self.parted: Address | None = None
        self.username = self.key = b""
        self.keyed = False
        self.left = RARE
        self.answered = 0


class Entrance(Layer):
    """See the module; `network` has the ports."""

    def __init__(self, network: Network, gates: Gates) -> None:
        super().__init__(network)
        self._gates = gates
        self._doors: dict[int, Door] = {}  # by row
        self._rows: dict[int, int] = {}  # row by leg
        self._doored: Bool = np.zeros(64, np.bool_)  # by row
        self._connected: dict[int, Address] = {}  # whose packets come from one address alone
        self._judge: Judge | None = None

    def install(self, row: int, leg: int, gate: str) -> None:
        """The leg in this row has a door."""
        if row >= len(self._doored):
            self._doored = np.concatenate((self._doored, np.zeros(row, np.bool_)))
        self._doors[row], self._rows[leg], self._doored[row] = Door(leg, gate), row, True
        self._network.hasten(row, True)  # somebody waits to be put through: each flight would cost a drain
        self._gates.tell(gate, Rare(leg, ("", 0), b""))  # now it knows where the leg is

    def keyed(self, row: int) -> None:
        """The leg's keys are agreed on: from now on its packets are sound."""
        door = self._doors.get(row)
        if door is not None:
            door.keyed = True
            self._network.hasten(row, False)

    def exchange(self) -> None:
        """Do what the gates ask; what they ask of legs that are gone is read all the same, for it would be
        urgent for ever.
        """
        for word in self._gates.words():
            row = self._rows.get(word.leg)
            if row is None:
                continue
            if isinstance(word, Post):
                self._network.post(row, word.packet, word.to)
            elif isinstance(word, Listen):
                self._listen(row)
            else:
                self._trust(row, word)

    def _listen(self, row: int) -> None:
        """Let the port hear everybody. The core goes on taking its packets for those of one source, which
        they are: the judge lets no other in while that one speaks.
        """
        address = self._connected.get(row)
        self._network.hasten(row, True)
        if address is not None:
            self.disconnect(row)
            self.aim(row, address)
            self._doors[row].parted = address

    def _trust(self, row: int, word: Trust) -> None:
        door = self._doors[row]
        door.remote, door.username, door.key = word.remote, word.username, word.key
        self._network.hasten(row, not door.keyed)
        parted, door.parted = door.parted, None
        if parted is not None and parted == word.remote:
            self.connect(row, parted)

    def refill(self) -> None:
        """Another tick."""
        for door in self._doors.values():
            door.left = RARE

    # --- ports ------------------------------------------------------------------------------------

    def close(self, row: int) -> None:
        door = self._doors.pop(row, None)
        if door is not None:
            del self._rows[door.leg]
            self._connected.pop(row, None)
            self._doored[row] = False
        self._network.close(row)

    def connect(self, row: int, address: Address) -> None:
        if row in self._doors:
            self._connected[row] = address
        self._network.connect(row, address)

    def disconnect(self, row: int) -> None:
        if self._connected.pop(row, None) is not None:
            self._doors[row].parted = None
        self._network.disconnect(row)

    # --- packets ----------------------------------------------------------------------------------

    def receive(self, batch: Batch, judge: Judge) -> int:
        if not self._doors:
            return self._network.receive(batch, judge)
        self._judge = judge
        count = self._network.receive(batch, self._judge_media)
        if not count:
            return 0
        rare = batch.buffer[:count, 0] >> 6 != 2
        if not rare.any():
            return count
        rare = (rare & self._doored[batch.rows[:count]]).nonzero()[0]
        if not len(rare):
            return count
        for slot in rare.tolist():
            row = int(batch.rows[slot])
            packet = bytes(batch.views[slot][: int(batch.sizes[slot])])
            if row in self._connected:
                self._take(row, self._connected[row], packet)
        return remove(batch, count, rare.tolist())

    def _judge_media(self, row: int, source: Address, packet: memoryview, size: int) -> bool:
        """The judge is asked about RTP alone."""
        assert self._judge is not None
        if size and row in self._doors and packet[0] >> 6 != 2:
            self._take(row, source, bytes(packet[:size]))
            return False
        return self._judge(row, source, packet, size)

    def _take(self, row: int, source: Address, packet: bytes) -> None:
        door = self._doors[row]
        if not door.left:
            return
        door.left -= 1
        if source == door.remote and packet[0] == 0:
            reply = stun.answer(packet, source, door.username, door.key)
            if reply is not None:
                door.answered += 1
                self._network.post(row, reply, source)
                return
        self._gates.tell(door.gate, Rare(door.leg, source, packet))
