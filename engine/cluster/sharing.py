"""Queues that nodes share: every caller waits at the node that has her call, in one order for all.

A node tells the others of its callers' places and of its agents (news.py) and puts theirs beside its own, so
that all of them find the same next offers (routing.across). Each makes those of its own callers. For an agent
of another node it asks that node, by the very INVITE that crosses to it: the agent's node is the only one
that grants her, to one call at a time, and a call has one node that offers it. So nothing that was told late,
twice or never makes a double offer; it only makes an offer that is refused, or one out of turn by as much as
it was late. docs/adr/0033.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec
import structlog

from engine.cluster import news
from engine.cluster.homes import Homes
from engine.cluster.news import MOST_NODES, AgentNote, Peer, PlaceNote
from engine.cluster.telling import Telling
from routing.across import IDLE_S_PER_MS, Ways, assign_across
from routing.agent import Agent, AgentState
from routing.queue import Place, Queue
from routing.select import Assignment

if TYPE_CHECKING:
    from engine.acd import Acd

BEAT_S = 0.25  # it is told so often that nothing has changed
FRESH_S = 1.5  # a node that was silent for longer has no part in what is offered next
PATIENCE_S = 1.0  # how long an agent of ours is left to a caller of another node who comes first
PASSED_S = 5.0  # and for how long not, after she did not come; also for a node that cannot be reached
SPENT_S = 1.0  # an agent who was refused to us is not asked for again, unless her node has heard of it
HELD_UP_S = 1.2  # a node that did nothing for so long may have been found lost (a lease is 1.5 s)
SETTLED_S = 1.0  # after the start, in which others are heard of
GONE_S = 600.0  # kept places that were taken up are remembered as such

log = structlog.get_logger("cluster")


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """An agent of another node who can be asked for. claim: the token that her node grants her by."""

    node: str
    claim: int


class Sharing:
    """This node's part. tell: say something to all nodes, whoever hears it."""

    def __init__(
        self, node: str, life: str, acd: Acd, *, tell: Callable[[bytes, float], None], now: float,
        idle_s_per_ms: float = IDLE_S_PER_MS,
    ) -> None:  # fmt: skip
        self.node = node
        self.peers: dict[str, Peer] = {}
        self.draining = False
        self.look: Callable[[], None] = lambda: None  # called at each beat, before anything is told
        self.rtt_ms: Mapping[str, float] = {}  # to other nodes, as measured
        self.homes = Homes(node, life)
        self.telling = Telling(self, acd, node, life, tell)
        self._acd = acd
        self._weight = idle_s_per_ms
        self.doubt: Callable[[Callable[[float], None], float], None] = lambda settled, at: settled(at)
        self._beaten, self._doubtful = now, False
        self._settled, self._settled_at = False, now + SETTLED_S
        self._queue_of: dict[str, str] = {}  # of other nodes' calls that have a place
        self._kept: dict[str, float] = {}  # those of them that are kept, and until when
        self._promised: dict[str, str] = {}  # agents elsewhere that calls of ours ring, by name
        self._spent: dict[str, tuple[int, float]] = {}  # refused: what her node has to hear, or when
        self._owed: set[str] = set()  # nodes to be told soon that we heard them
        self._awaited: dict[tuple[str, str], float] = {}
        self._coming: dict[tuple[str, str], float] = {}
        self._passed: dict[tuple[str, str], float] = {}
        self.cut: dict[str, float] = {}
        self._gone: dict[str, float] = {}  # kept places that somebody took up
        self._fresh: frozenset[str] = frozenset()
        acd.others = self
        acd.timers.at(now + BEAT_S, self._beat)

    # --- what the ACD says of ours ----------------------------------------------------------------

    def call_changed(self, call: str, queue: str) -> None:
        self.telling.call_changed(call, queue)

    def agent_changed(self, agent: Agent) -> None:
        self.homes.registered(agent.name, agent.registered, self.peers.values())
        self.telling.agents.add(agent.name)
        if agent.name in self.homes.open:
            self._reconsider({agent.name})

    def agent_gone(self, name: str) -> None:
        """There is no such agent any more."""
        self.homes.registered(name, False, ())
        self.homes.reconsider(name, (), engaged=False)
        self.telling.agents.add(name)

    def took_up(self, kept: Place, call: str, now: float) -> None:
        """A call of ours has the place that was kept for its caller."""
        self.telling.took[call] = (kept.call, now)
        self._gone[kept.call] = now
        self._queue_of.pop(kept.call, None)
        self._kept.pop(kept.call, None)

    def promise(self, agent: str, call: str) -> None:
        """A call of ours rings an agent elsewhere."""
        self._promised[agent] = call

    def promised(self, agent: str, call: str) -> bool:
        """Whether that is so."""
        return self._promised.get(agent) == call

    def done(self, agent: str, now: float) -> None:
        """It rings no more. What her node says counts again as soon as that was said after now."""
        self._promised.pop(agent, None)
        self._spent[agent] = (self.telling.next_version, now + SPENT_S)

    def cut_off(self, node: str, now: float) -> None:
        """A call of ours could not be brought to that node."""
        self.cut[node] = now + PASSED_S
        self._acd.look_again()

    def speak(self, now: float) -> None:
        """Tell what has changed, if anything has."""
        self.telling.speak(now)

    # --- who is where -----------------------------------------------------------------------------

    def find(self, agent: str) -> Elsewhere | None:
        """The other node that has an agent; None while none is known to."""
        for peer in self.peers.values():
            note = peer.agents.get(agent)
            if note is not None and note.held and not peer.lost:
                return Elsewhere(peer.node, note.claim)
        return None

    def grants(self, agent: str, claim: int, now: float) -> bool:
        """Whether this node has the agent, by that claim."""
        return not self._in_doubt(now) and agent in self.homes.held and self.homes.claim(agent) == claim

    def refused(self, node: str) -> None:
        """An agent of ours was not granted to a caller of that node: it waits for how she stands now."""
        self._owed.add(node)

    def staffing(self, queue: str, members: Iterable[Agent]) -> tuple[int, int]:
        """Agents who are free for a queue, and who work for it, at all nodes. members: who do at this one."""
        ours = [agent for agent in members if agent.name in self.homes.held]
        theirs = [note for _, note in self._notes() if note.working and queue in note.queues]
        free = sum(agent.free for agent in ours) + sum(note.free for note in theirs)
        return free, len(ours) + len(theirs)

    def working(self) -> frozenset[str]:
        """Agents who take calls, at all nodes."""
        ours = {name for name in self.homes.held if (a := self._acd.agents.get(name)) and a.working}
        return frozenset(ours | {note.name for _, note in self._notes() if note.working})

    def _notes(self) -> Iterator[tuple[Peer, AgentNote]]:
        for peer in self.peers.values():
            if peer.node in self._fresh:
                for note in peer.agents.values():
                    if note.held:
                        yield peer, note

    # --- offers -----------------------------------------------------------------------------------

    def assign(self, queues: Iterable[Queue], agents: Iterable[Agent], now: float) -> list[Assignment]:
        """Offers to be made to calls of ours."""
        if self._in_doubt(now):
            return []
        rung = self._rung(now)
        free = [agent for agent in self._candidates(agents, now) if agent.name not in rung]
        if not free:
            self._awaited = {}
            return []
        seen = [self._competing(queue) for queue in queues]
        places = {place.call: place for queue in seen for place in queue.places}
        chosen = assign_across(seen, free, now, self._ways(), frozenset(self._passed), self.working)
        ours = [choice for choice in chosen if not places[choice.call].node]
        due = {(each.call, each.agent) for each in chosen if places[each.call].node and not each.node}
        self._awaited = {pair: self._awaited.get(pair, now) for pair in due}
        return ours

    def _rung(self, now: float) -> set[str]:
        """Agents who are offered a call as far as is told; one of ours only while it can be on its way."""
        before, self._coming = self._coming, {}
        rung: set[str] = set()
        for place in (place for queue in self._acd.queues.values() for place in queue.places):
            agent, pair = place.offered_to, (place.call, place.offered_to)
            if not agent or (place.node and place.node not in self._fresh):
                continue
            self._coming[pair] = since = before.get(pair, now)
            if agent not in self.homes.held or now - since <= PATIENCE_S:
                rung.add(agent)
        return rung

    def _competing(self, queue: Queue) -> Queue:
        """Without callers of nodes that are silent: what has become of them nobody knows."""
        if all(not place.node or place.node in self._fresh for place in queue.places):
            return queue
        return replace(queue, places=tuple(p for p in queue.places if not p.node or p.node in self._fresh))

    def _candidates(self, agents: Iterable[Agent], now: float) -> Iterator[Agent]:
        epoch = self.telling.epoch
        if not self.draining:
            yield from (agent for agent in agents if agent.free and agent.name in self.homes.held)
        for peer, note in self._notes():
            if note.free and note.name not in self._promised and not self._is_spent(note.name, peer, now):
                yield Agent(
                    note.name, note.queues, AgentState.AVAILABLE, idle_since=note.idle_since - epoch,
                    registered=True, node=peer.node,
                )  # fmt: skip

    def _is_spent(self, agent: str, peer: Peer, now: float) -> bool:
        spent = self._spent.get(agent)
        if spent is None:
            return False
        if now >= spent[1] or peer.knows(self.node, self.telling.life, spent[0]):
            del self._spent[agent]
            return False
        return True

    def _ways(self) -> Ways:
        rtt = {(self.node, other): ms for other, ms in self.rtt_ms.items()}
        cut = {(self.node, other) for other in self.cut}
        for peer in self.peers.values():
            rtt |= {(peer.node, other): ms for other, ms in peer.rtt_ms.items()}
            cut |= {(peer.node, other) for other in peer.cut}
        return Ways(self.node, rtt, frozenset(cut), self._weight)

    # --- what others tell -------------------------------------------------------------------------

    def heard(self, data: bytes, now: float) -> None:
        """A node told something; what cannot be read is passed over."""
        told = news.decode(data)
        if told is None or not told.node or told.node == self.node:
            return
        peer = self.joined(told.node)
        if peer is None:
            return
        if peer.life not in ("", told.life):
            self.lost(told.node, now)  # it began anew before anybody noticed
        if peer.lost:
            self.back(told.node)
        peer.compare_clocks(told.at - (self.telling.epoch + now), now)
        change = peer.take(told, now)
        if self.node in told.ask:
            self.telling.whole = True
        if told.node in self._owed and told.version > told.since:
            self._owed.discard(told.node)
            self.telling.owing = True
        for call, note in change.places.items():
            self._place(peer.node, call, note, now)
        self._reconsider(change.agents | self.homes.open)
        if change.agents or change.places or self._spent or told.node not in self._fresh:
            self._fresh |= {told.node}
            self._acd.look_again()

    def joined(self, node: str) -> Peer | None:
        """There is another node; None where there are too many."""
        if node not in self.peers and len(self.peers) < MOST_NODES:
            self.peers[node] = Peer(node)
        return self.peers.get(node)

    def back(self, node: str) -> None:
        """A node that was taken for gone has come back: what it said before may not be so any more."""
        peer = self.peers.get(node)
        if peer is not None:
            peer.lost, peer.behind = False, True

    def lost(self, node: str, now: float) -> None:
        """A node is gone, and its calls: its waiting callers keep their places for a while."""
        peer = self.peers.get(node)
        if peer is None or peer.lost:
            return
        peer.lost = True
        for note in peer.places.values():
            self._place(node, note.call, self._orphan(note, now), now)
        peer.places, peer.agents = {}, {}
        self._fresh -= {node}
        self._reconsider(self.homes.open)
        self._acd.look_again()

    def remember(self, page: bytes, now: float) -> None:
        """What a node told before this one was there; also this node's own former life."""
        told = news.decode(page)
        if told is None or not told.node:
            return
        if told.node != self.node:
            peer = self.joined(told.node)
            if peer is not None and peer.life == "":
                self.heard(page, now - (self.telling.epoch + now - told.at))
        elif told.life != self.telling.life:
            for note in told.places:
                self._place(self.node, note.call, self._orphan(note, told.at - self.telling.epoch), now)

    def _orphan(self, note: PlaceNote, since: float) -> PlaceNote | None:
        """The place of a caller whose node is gone, as it is kept."""
        queue = self._acd.queues.get(note.queue)
        keep_s = queue.spec.keep_place_s if queue is not None and note.caller else 0.0
        until = note.kept_until or self.telling.epoch + since + keep_s
        return msgspec.structs.replace(note, offered_to="", kept_until=until) if keep_s else None

    def _place(self, node: str, call: str, note: PlaceNote | None, now: float) -> None:
        """Put another node's caller where she waits, or take her away."""
        if note is not None and note.was:
            self._taken_up(note, now)
        if (note is None or note.kept_until is not None) and self._is_elsewhere(node, call):
            return
        before = self._queue_of.pop(call, None)
        self._kept.pop(call, None)
        if before is not None and (note is None or note.queue != before):
            self._acd.forget(before, call)
        if note is None or note.queue not in self._acd.queues or (note.kept_until and call in self._gone):
            return
        epoch = self.telling.epoch
        until = None if note.kept_until is None else note.kept_until - epoch
        if until is not None and until <= now:
            self._acd.forget(note.queue, call)
            return
        terms = (note.joined_at - epoch, note.priority, note.rank, note.offered_to, node, note.caller)
        place = Place(call, *terms, until, note.picked)
        self._queue_of[call] = note.queue
        if until is not None:
            self._kept[call] = until
        self._acd.put(note.queue, place, now)

    def _is_elsewhere(self, node: str, call: str) -> bool:
        """Whether the call goes on at another node than the one that speaks of it: it was taken over."""
        queue = self._queue_of.get(call)
        place = self._acd.queues[queue].place(call) if queue in self._acd.queues else None
        return place is not None and place.kept_until is None and place.node != node

    def _taken_up(self, note: PlaceNote, now: float) -> None:
        """Elsewhere a caller has the place that was kept for her. Of two who took one the first has it."""
        self._gone[note.was] = now
        self._kept.pop(note.was, None)
        self._acd.forget(self._queue_of.pop(note.was, note.queue), note.was)
        for call, (was, came) in list(self.telling.took.items()):
            if was == note.was and note.call < call:
                del self.telling.took[call]
                self._acd.put_back(note.queue, call, came)

    def _reconsider(self, names: set[str]) -> None:
        """Which of these agents are ours to offer."""
        if not self._settled:
            return
        for name in names & set(self._acd.agents):
            engaged = bool(self._acd.calls_of(name))
            if self.homes.reconsider(name, self.peers.values(), engaged=engaged):
                self.telling.agents.add(name)
                self._acd.look_again()

    # --- time -------------------------------------------------------------------------------------

    def _in_doubt(self, now: float) -> bool:
        """Whether this node was stopped (a debugger, a machine that was moved, no memory) until a moment ago:
        its callers and its agents may be others' by now. It offers and grants nothing until it has asked.
        """
        if now - self._beaten > HELD_UP_S and not self._doubtful:
            log.warning("this node was held up", seconds=round(now - self._beaten, 1))
            self._beaten, self._doubtful = now, True
            self.doubt(self._sure, now)
            return True
        return self._doubtful

    def _sure(self, now: float) -> None:
        self._doubtful = False
        self._acd.look_again()

    def _beat(self, now: float) -> None:
        self._in_doubt(now)
        self._beaten = now
        self.look()
        fresh = frozenset(p.node for p in self.peers.values() if now - p.heard_at <= FRESH_S and not p.lost)
        late = {pair for pair, since in self._awaited.items() if now - since > PATIENCE_S}
        if late or self._spent or self._passed or self._coming or self.cut or fresh != self._fresh:
            self._acd.look_again()
        self._fresh = fresh
        self._passed |= dict.fromkeys(late, now + PASSED_S)
        self._passed = {pair: until for pair, until in self._passed.items() if until > now}
        self.cut = {node: until for node, until in self.cut.items() if until > now}
        self._gone = {call: since for call, since in self._gone.items() if now - since < GONE_S}
        self._expire(now)
        self._settled = self._settled or now >= self._settled_at
        self._reconsider(self.homes.open)
        self.telling.tell(now)
        self._acd.timers.at(now + BEAT_S, self._beat)

    def _expire(self, now: float) -> None:
        """Places that were kept for callers who have not come."""
        for call in [call for call, until in self._kept.items() if until <= now]:
            del self._kept[call]
            self._acd.forget(self._queue_of.pop(call), call)
