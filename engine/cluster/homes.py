"""Which node has an agent, so that no two ever offer her a call.

A node where a phone of hers registers claims her, with a number above all claims that it knows. It has her
once every other node that lives has heard of the claim, and has let her go: mutual exclusion as by Ricart and
Agrawala (1981), where a claim is the request and `held` the critical section. A node lets go of her for a
higher claim when no call of hers rings or goes on. So she stays with one node through any outage; what cannot
be agreed on waits, and a node that is gone counts no more.
"""

from __future__ import annotations

from collections.abc import Collection

from engine.cluster.news import Peer


class Homes:
    """Of one node. node, life: who it is."""

    def __init__(self, node: str, life: str) -> None:
        self._me = (node, life)
        self._claims: dict[str, int] = {}
        self._told: dict[str, int] = {}  # under which version a claim was told
        self._absent: set[str] = set()  # whose last phone here is gone
        self._leaving: set[str] = set()  # who are let go when their calls are over
        self.held: set[str] = set()

    def claim(self, name: str) -> int:
        """0 for none."""
        return self._claims.get(name, 0)

    @property
    def open(self) -> set[str]:
        """Agents of whom it is to be decided yet."""
        return self._leaving | self._absent | (self._claims.keys() - self.held)

    def registered(self, name: str, there: bool, peers: Collection[Peer]) -> None:
        """Whether a phone of hers is registered here. To be followed by `reconsider`."""
        if not there:
            if name in self._claims:
                self._absent.add(name)
        elif name not in self._claims or name in self._absent:
            self._absent.discard(name)
            known = (peer.agents[name].claim for peer in peers if name in peer.agents)
            self._claims[name] = 1 + max(known, default=self.claim(name))
            self._told.pop(name, None)

    def told(self, name: str, version: int) -> None:
        """The claim went out, or goes out again."""
        if name in self._claims:
            self._told.setdefault(name, version)

    def reconsider(self, name: str, peers: Collection[Peer], *, engaged: bool) -> bool:
        """Take her or let her go, as it has come to be; whether that changed something."""
        if name in self._absent and not engaged:
            self._forget(name)
            return True
        alive = [peer for peer in peers if not peer.lost]
        outdone = any(self._outdone(name, peer) for peer in alive)
        if name in self.held:
            (self._leaving.add if outdone and engaged else self._leaving.discard)(name)
            if not outdone or engaged:
                return False
            self.held.discard(name)
            return True
        absent = name in self._absent or name not in self._told
        if absent or outdone or any(self._waits_for(name, peer) for peer in alive):
            return False
        self.held.add(name)
        return True

    def _forget(self, name: str) -> None:
        del self._claims[name]
        self._told.pop(name, None)
        for names in (self._absent, self._leaving, self.held):
            names.discard(name)

    def _outdone(self, name: str, peer: Peer) -> bool:
        note = peer.agents.get(name)
        mine = (self.claim(name), self._me[0])
        return note is not None and note.claim > 0 and (note.claim, peer.node) > mine

    def _waits_for(self, name: str, peer: Peer) -> bool:
        note = peer.agents.get(name)
        held = note is not None and note.held
        return held or peer.behind or not peer.knows(*self._me, self._told[name])
