"""Calls of this node that cross to the node of an agent: she is rung by way of it, over TLS, with SRTP and a
ticket (engine/cluster/ticket.py). What becomes of them there stands in engine/crossed.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engine.attempt import Attempt, Contact, Headers
from engine.cluster.credentials import name_of
from engine.cluster.ticket import HEADER, Ticket
from engine.encryption import Policy
from engine.events import EndReason, Side
from sip.hop import Hop
from sip.uri import Uri

if TYPE_CHECKING:
    from engine.call import Call
    from routing.number import AgentTarget
    from routing.select import Assignment
    from sip.events import Rejected
    from sip.session import Session

NOTICED_S = 1.5  # silence of a leg between nodes: as long as it takes others to find a node lost
SPARE_S = 2.0  # her node gives up first, and says what she did
TAKEN = 491  # she is not free, or not at that node
NOT_HERS = frozenset({403, TAKEN, 503})  # refusals that say nothing of the agent


class Crossing(Attempt):
    """Rings an agent at another node. claim: the token that she is granted by."""

    def __init__(self, call: Call, agent: str, ring_s: float, node: str, *, offered: bool) -> None:
        super().__init__(
            call, ring_s=ring_s + SPARE_S, to=call.switch.aor(agent), agent=agent, offered=offered
        )
        self.node = node
        self.leg.patience_s = NOTICED_S

    def start(self, now: float) -> None:
        self.leg.name = self.leg.agent = self.agent
        self.leg.node = self.node
        self._timer = self.call.switch.timers.at(now + self._ring_s, self._ring_timeout)
        self.leg.open()

    def leg_opened(self, now: float) -> None:
        between = self.call.switch.between
        at = between.address(self.node) if between is not None else None
        if at is None:
            self._fail(503, now)
            return
        uri = Uri.sip(self.agent, at[0], at[1]).with_params(transport="tls")
        self.call.switch.resolver.resolve(uri, now, lambda hops: self._go(uri, hops, now))

    def _go(self, uri: Uri, hops: Sequence[Hop], now: float) -> None:
        ways = [replace(hop, name=name_of(self.node)) for hop in hops]
        if ways or self._over:
            self._invite([Contact(uri, ways)], now)
        else:
            self._unreached(503, now)

    def _policy(self, contact: Contact) -> Policy:
        return Policy.REQUIRED

    def _send(self, contact: Contact, offer: bytes, now: float, headers: Headers = ()) -> Session:
        between = self.call.switch.between
        assert between is not None
        sealed = between.seal(self._ticket(now), offer, now)
        return super()._send(contact, offer, now, ((HEADER, sealed),))

    def _ticket(self, now: float) -> Ticket:
        call, switch = self.call, self.call.switch
        between = switch.between
        assert between is not None
        elsewhere = between.sharing.find(self.agent)
        queued = self._offered and call.queue is not None
        place = switch.acd.queues[call.queue.name].place(call.id) if queued and call.queue else None
        return Ticket(
            source=switch.config.node.name,
            target=self.node,
            call=call.id,
            contact=call.contact,
            agent=self.agent,
            claim=elsewhere.claim if elsewhere is not None else 0,
            queue=call.queue.name if queued and call.queue else "",
            number=call.number[:64],
            caller=call.caller[:64],
            display=call.display[:64],
            private=call.private,
            market=call.market,
            region=call.region,
            language=call.language,
            position=switch.acd.queues[call.queue.name].position(call.id) if queued and call.queue else 0,
            wait_s=place.wait_s(now) if place is not None else 0.0,
        )

    def refused(self, event: Rejected, now: float) -> None:
        if event.cause in ("transport", "timeout") or event.status == 503:
            self._ringing.clear()
            self._unreached(503, now)
        else:
            super().refused(event, now)

    def _unreached(self, status: int, now: float) -> None:
        """For a while no call is sent there."""
        between = self.call.switch.between
        if between is not None:
            between.sharing.cut_off(self.node, now)
        self._fail(status, now)

    def node_lost(self, now: float) -> None:
        """Nobody is there any more."""
        self._hang_up(now)
        self._fail(503, now)


def offered(call: Call, assignment: Assignment) -> Attempt:
    """The ringing of whom the ACD chose."""
    assert call.queue is not None
    if assignment.node:
        return Crossing(call, assignment.agent, call.queue.ring_timeout_s, assignment.node, offered=True)
    return Attempt.to_agent(call, assignment.agent, call.queue.ring_timeout_s)


def dialled(call: Call, target: AgentTarget) -> Attempt | None:
    """The ringing of an agent who is at another node; None where she is at this one, or nowhere."""
    switch = call.switch
    agent = switch.acd.agents.get(target.name)
    if switch.between is None or agent is None or agent.registered:
        return None
    elsewhere = switch.between.sharing.find(target.name)
    if elsewhere is None:
        return None
    return Crossing(call, target.name, switch.config.sip.timers.ring_s, elsewhere.node, offered=False)


def agent_lost(call: Call, now: float, _: Any) -> None:
    """The agent's end is gone: the customer is to be the next."""
    from engine.talking import drop, end_hold
    from engine.waiting import enqueue_first

    end_hold(call, now)
    leg, call.party, call.agent = call.party, None, ""
    call.held_by.clear()
    if leg is not None:
        drop(call, leg, now)
    if call.queue is None:
        call.leave("unreachable", Side.ENGINE, EndReason.NODE_LOST, now)
    else:
        enqueue_first(call, now)
