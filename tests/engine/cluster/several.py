"""Several nodes that share queues, on one virtual clock: their ACDs and what they tell each other are real,
calls and phones are as simple as can be. What they tell goes by a seeded network; so does each offer.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from engine.acd import Acd
from engine.cluster.sharing import Sharing
from engine.cluster.telling import PAUSE_S
from engine.places import NOBODY
from engine.timers import Timers
from routing.agent import Agent, AgentEvent
from routing.queue import Place, QueueSpec
from routing.select import Assignment

EPOCH = 1.7e9
QUEUES = (
    QueueSpec("support", ring_timeout_s=5.0, wrap_up_s=1.0, max_misses=0, keep_place_s=30.0),
    QueueSpec("sales", ring_timeout_s=5.0, wrap_up_s=0.0, max_misses=0, keep_place_s=30.0, priority=1),
)


@dataclass
class Net:
    """What becomes of what nodes say to all (`store`), and to each other. delay_s: at most."""

    delay_s: float = 0.03
    loss: float = 0.0
    store_up: bool = True
    parted: set[frozenset[str]] = field(default_factory=set)


@dataclass
class Person:
    """Somebody who calls. node: where her call is; rung_by, served_by: agents."""

    call: str
    queue: str
    node: str
    caller: str
    joined: float
    rung: str = ""
    served: str = ""
    free_since: float = 0.0  # when she last began to wait without a ring
    over: bool = False


class Node:
    """One node: its ACD and its part of the sharing."""

    def __init__(self, town: Town, name: str, life: int = 1) -> None:
        self.town = town
        self.name = name
        self.up = True
        self.timers = Timers()
        people = [Agent(agent, queues) for agent, queues in town.agents.items()]
        self.acd = Acd(QUEUES, people, self.timers, lambda event: None, lambda now: EPOCH + now)
        self.sharing = Sharing(
            name, f"{name}-{life}", self.acd, tell=lambda data, now: town.publish(self, data), now=town.now
        )
        self._alarm: float | None = None
        self.arm()

    def arm(self) -> None:
        when = self.timers.next()
        if when is not None and (self._alarm is None or when < self._alarm):
            self._alarm = when
            self.town.at(when, lambda: self.expire(when))

    def expire(self, when: float) -> None:
        if self.up and self._alarm == when:
            self._alarm = None
            self.timers.run(self.town.now)
            self.settle()

    def settle(self) -> None:
        """As `Switch.assign` does after everything that happens."""
        now = self.town.now
        for choice in self.acd.assign(now):
            self.town.offer(self, choice)
        self.sharing.speak(now)
        self.arm()

    def hear(self, data: bytes) -> None:
        if self.up:
            self.sharing.heard(data, self.town.now)
            self.settle()


class Town:
    """The clock, the network, people and agents; holds all of it to what must always be true."""

    def __init__(self, seed: int, nodes: Sequence[str], agents: dict[str, tuple[str, ...]], net: Net) -> None:
        self.rng = Random(seed)
        self.now = 0.0
        self.net = net
        self.agents = agents
        self.people: dict[str, Person] = {}
        self.rings: dict[str, str] = {}  # what rings at or talks to an agent's phone now
        self.home: dict[str, str] = {}  # where each agent's phone is registered
        self.served: list[str] = []
        self.refused = 0
        self.bound_s: float | None = None  # how late an offer may be out of turn; None: not looked at
        self.out_of_turn = 0
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._names = itertools.count()
        self.nodes = {name: Node(self, name) for name in nodes}

    # --- the clock and the network

    def at(self, when: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._heap, (max(when, self.now), next(self._order), what))

    def after(self, delay: float, what: Callable[[], None]) -> None:
        self.at(self.now + delay, what)

    def run(self, seconds: float) -> None:
        until = self.now + seconds
        while self._heap and self._heap[0][0] <= until:
            self.now, _, what = heapq.heappop(self._heap)
            what()
        self.now = until

    def publish(self, source: Node, data: bytes) -> None:
        """To all, by the store, in the order of each speaker."""
        if not (self.net.store_up and source.up):
            return
        for node in self.nodes.values():
            if node is not source and self.rng.random() >= self.net.loss:
                self.after(self.rng.uniform(0.2, 1.0) * self.net.delay_s, lambda n=node: n.hear(data))

    def cross(self, one: str, other: str, what: Callable[[], None], failed: Callable[[], None]) -> None:
        """Between two nodes, as SIP over TLS: it arrives, or it is noticed."""
        if frozenset((one, other)) in self.net.parted or not self.nodes[other].up:
            self.after(0.5, failed)
        else:
            self.after(self.rng.uniform(0.2, 1.0) * self.net.delay_s, what)

    # --- people

    def caller(self, queue: str, node: str, caller: str = "") -> Person:
        call = f"{int(self.now * 1000):09d}-{next(self._names):06}"
        person = Person(call, queue, node, caller or call, self.now, free_since=self.now)
        self.people[call] = person
        home = self.nodes[node]
        home.acd.enqueue(queue, call, self.now, person.caller)
        home.settle()
        return person

    def register(self, agent: str, node: str, *, log_in: bool = True) -> None:
        """Her phone registers with a node; where it was before it is forgotten, as if it had lost its way."""
        self.home[agent] = node
        home = self.nodes[node]
        if not home.acd.agents[agent].registered:
            home.acd.agent_event(agent, AgentEvent.REGISTERED, self.now)
        if log_in:
            home.acd.agent_event(agent, AgentEvent.LOGIN, self.now)
        home.settle()

    def unregister(self, agent: str, node: str) -> None:
        home = self.nodes[node]
        if home.up and home.acd.agents[agent].registered:
            home.acd.agent_event(agent, AgentEvent.UNREGISTERED, self.now)
            home.settle()

    def hang_up(self, person: Person) -> None:
        """She gives up waiting."""
        node = self.nodes[person.node]
        if not person.over and not person.served and node.up:
            person.over = True
            if person.rung:
                self.stop_ringing(person, person.rung)
            node.acd.leave(person.queue, person.call, self.now, served=False)
            node.settle()

    def drop(self, person: Person) -> None:
        """Her call breaks off while she waits."""
        node = self.nodes[person.node]
        if not person.over and not person.served and not person.rung and node.up:
            person.over = True
            node.acd.keep(person.queue, person.call, self.now)
            node.settle()

    # --- offers

    def offer(self, node: Node, choice: Assignment) -> None:
        person = self.people[choice.call]
        assert person.node == node.name, "a node offers its own calls"
        assert not person.rung and not person.served, f"{person.call} is offered twice"
        person.rung = choice.agent
        if not choice.node:
            self.ring(node, person, choice.agent)
            return
        elsewhere = node.sharing.find(choice.agent)
        claim = elsewhere.claim if elsewhere else 0
        self.cross(
            node.name,
            choice.node,
            lambda: self.asked(self.nodes[choice.node], person, choice.agent, claim),
            lambda: self.unreached(node, person, choice),
        )

    def unreached(self, node: Node, person: Person, choice: Assignment) -> None:
        if node.up and person.rung == choice.agent:
            node.sharing.cut_off(choice.node, self.now)
            self.back_to_queue(person, choice.agent)

    def asked(self, node: Node, person: Person, agent: str, claim: int) -> None:
        """The INVITE has come to the agent's node."""
        granted = (
            node.up
            and not person.over
            and node.sharing.grants(agent, claim, self.now)
            and node.acd.grant(agent, person.call, person.queue, self.now)
        )
        if granted:
            self.ring(node, person, agent)
            node.settle()
        else:
            self.refused += 1
            node.sharing.refused(person.node)
            answer = lambda: self.back_to_queue(person, agent)  # noqa: E731
            self.cross(node.name, person.node, answer, answer)

    def back_to_queue(self, person: Person, agent: str) -> None:
        """At the caller's node: the offer came to nothing."""
        node = self.nodes[person.node]
        if person.rung != agent or person.over or not node.up:
            return
        person.rung, person.free_since = "", self.now
        node.acd.missed(agent, person.call, self.now, refused=False)
        node.acd.restore(person.queue, person.call)
        node.settle()

    def ring(self, node: Node, person: Person, agent: str) -> None:
        assert agent not in self.rings, f"{agent} has {self.rings.get(agent)} and {person.call}"
        self.check_turn(person, agent)
        self.rings[agent] = person.call
        patience = self.rng.uniform(0.5, 3.0)
        if self.rng.random() < 0.15:
            self.after(patience, lambda: self.missed(node, person, agent))
        else:
            self.after(patience, lambda: self.picked_up(node, person, agent))

    def check_turn(self, person: Person, agent: str) -> None:
        """Nobody who came before, and has waited for so long, could have had this agent; but for those who
        have another one soon: that was on its way. Nor is it out of turn if that other one went to somebody
        who comes before both, and whose own ringing ended as this offer was made: that he waits again was not
        known here yet (docs/shared-queues.md: what a word takes from node to node).
        """
        if self.bound_s is None:
            return
        mine = self.order(person)
        passed = [
            each
            for each in self.people.values()
            if each.queue in self.agents[agent]
            and not (each.over or each.rung or each.served)
            and self.nodes[each.node].up
            and self.now - each.free_since > self.bound_s
            and self.order(each) < mine
        ]
        then = self.now

        def check() -> None:
            still = [p.call for p in passed if self.waits_since(p, then) and not self.outdone(p, then)]
            assert not still, f"{person.call} before {still} at {agent}"

        if passed:
            self.out_of_turn += 1
            self.after(self.bound_s, check)

    def waits_since(self, person: Person, then: float) -> bool:
        return not (person.over or person.rung or person.served) and person.free_since < then

    def outdone(self, person: Person, then: float) -> bool:
        """Whether somebody before her came back within a word of that instant, and has an agent."""
        return any(
            abs(each.free_since - then) <= self.word_s and (each.rung or each.served)
            for each in self.people.values()
            if self.order(each) < self.order(person)
        )

    @property
    def word_s(self) -> float:
        """How long it takes at most until all nodes know what one does: the teller's pause, and the way."""
        return PAUSE_S + self.net.delay_s

    def order(self, person: Person) -> tuple[int, float]:
        return (-(person.queue == "sales"), person.joined)

    def missed(self, node: Node, person: Person, agent: str) -> None:
        if self.rings.get(agent) != person.call:
            return
        del self.rings[agent]
        if node.up:
            node.acd.missed(agent, person.call, self.now, refused=False)
            node.settle()
        if node.name == person.node:
            if node.up and person.rung == agent:
                person.rung, person.free_since = "", self.now
                node.acd.restore(person.queue, person.call)
                node.settle()
        else:
            back = lambda: self.back_to_queue(person, agent)  # noqa: E731
            self.cross(node.name, person.node, back, back)

    def picked_up(self, node: Node, person: Person, agent: str) -> None:
        if self.rings.get(agent) != person.call or not node.up:
            return
        person.served, person.rung = agent, ""
        self.served.append(person.call)
        node.acd.accepted(agent, person.call, self.now)
        node.settle()
        home = self.nodes[person.node]
        if home.up:
            if home is not node:
                home.acd.accepted(agent, person.call, self.now)
            home.acd.leave(person.queue, person.call, self.now, served=True)
            home.settle()
        self.after(self.rng.uniform(0.5, 6.0), lambda: self.talked(node, person, agent))

    def talked(self, node: Node, person: Person, agent: str) -> None:
        if self.rings.get(agent) == person.call:
            del self.rings[agent]
            person.over = True
            if node.up:
                node.acd.release(agent, person.call, self.now)
                node.settle()

    def stop_ringing(self, person: Person, agent: str) -> None:
        """The caller's node calls it off."""
        person.rung = ""
        home = self.nodes[person.node]
        if home.up:
            home.acd.release(agent, person.call, self.now)
        for node in self.nodes.values():
            if person.call in node.acd.calls_of(agent):
                node.acd.release(agent, person.call, self.now)
                self.after(0.0, node.settle)
        if self.rings.get(agent) == person.call:
            del self.rings[agent]

    # --- what befalls nodes

    def kill(self, name: str, noticed_s: float = 1.8) -> None:
        """A node dies with its calls; the others hear of it, and what rang for its callers stops."""
        node = self.nodes[name]
        node.up = False
        for person in [each for each in self.people.values() if each.node == name and not each.over]:
            person.over = True
        self.after(noticed_s, lambda: self.noticed(name))

    def noticed(self, name: str) -> None:
        for agent, call in list(self.rings.items()):
            if self.people[call].node == name or self.home.get(agent) == name:
                person = self.people[call]
                del self.rings[agent]
                for node in self.nodes.values():
                    if node.up and call in node.acd.calls_of(agent):
                        node.acd.release(agent, call, self.now)
                if self.nodes[person.node].up and not person.served:
                    self.back_to_queue(person, agent)
                person.over = person.over or bool(person.served)
        for node in self.nodes.values():
            if node.up:
                node.sharing.lost(name, self.now)
                node.settle()

    # --- what must be true in the end

    def places(self, node: Node) -> dict[str, list[tuple[str, bool, float | None]]]:
        """What a node knows of who waits, in order; kept places are left out."""
        return {
            name: [_seen(place) for place in queue.places if place.kept_until is None]
            for name, queue in node.acd.queues.items()
        }

    def settle(self, within_s: float) -> None:
        """Until all nodes agree, as they must soon: at any instant something may be on its way."""
        until = self.now + within_s
        while True:
            try:
                self.check_agreement()
            except AssertionError:
                if self.now >= until:
                    raise
                self.run(0.01)
            else:
                return

    def check_agreement(self) -> None:
        """All nodes that live see the same callers in the same order, and the same agents where they are."""
        alive = [node for node in self.nodes.values() if node.up]
        first, *others = (self.places(node) for node in alive)
        for other in others:
            assert other == first
        for agent in self.agents:
            having = [node.name for node in alive if agent in node.sharing.homes.held]
            assert len(having) <= 1, f"{agent} is at {having}"
            if self.home.get(agent) in [node.name for node in alive]:
                assert having == [self.home[agent]]


def _seen(place: Place) -> tuple[str, bool, float | None]:
    return place.call, place.offered_to not in ("", NOBODY), place.kept_until
