"""The switch: every call of the node, and the place where what happens outside finds the call it concerns.

Synchronous and without I/O: SIP events, media events and deadlines go in, with the time; calls to the user
agent, media commands and journal entries come out through the ports it was given. The node runs it on real
sockets, the simulation on a virtual clock.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING

import structlog

from config.schema import Config
from engine import admit, codes, guest, line_use, reports, seat, sessions, supervision
from engine.acd import Acd
from engine.attempt import Contact, Headers
from engine.call import Call
from engine.cluster.between import Between
from engine.cluster.cluster import Cluster
from engine.events import AgentChanged, CallEnded, CallRecord, EndReason, Event, Side, WorkerLost
from engine.ledger import record
from engine.leg import Leg
from engine.page_phones import PagePhones
from engine.ports import (
    CardsPort,
    GatePort,
    JournalPort,
    MediaPort,
    PhonesPort,
    Prompts,
    Registrations,
    ReplicaPort,
    Resolver,
)
from engine.probe.ticket import Tickets
from engine.recording import Recordings
from engine.signalling import Signalling
from engine.speech.feeling import Feelings
from engine.speech.speech import Speech
from engine.states import State, Trigger
from engine.timers import Timers
from engine.transitions import TABLE
from engine.trunk.group import TrunkGroup
from media import messages as media_words
from routing.agent import Agent
from routing.number import (
    AgentTarget,
    Announce,
    Destination,
    Echo,
    FeatureCode,
    Found,
    LineTarget,
    QueueTarget,
    UriTarget,
)
from sip.agent import UserAgent
from sip.digest import Secret
from sip.registrar import Registered, Unregistered
from sip.session import Session
from sip.uri import NameAddr, Uri

if TYPE_CHECKING:
    from engine.whip import Whip

log = structlog.get_logger("switch")

COMING = (State.ARRIVED, State.GREETING, State.QUEUED, State.OFFERED)


class Switch:
    """See the module. Every public method takes the time; none raises for what comes from the network."""

    table = TABLE

    def __init__(
        self,
        config: Config,
        *,
        agent: UserAgent,
        registrations: Registrations,
        media: MediaPort,
        journal: JournalPort,
        prompts: Prompts,
        resolver: Resolver,
        rng: random.Random,
        epoch: float = 0.0,
    ) -> None:
        self.config = config
        self.user_agent = agent
        self.registrations = registrations
        self.media = media
        self.journal = journal
        self.prompts = prompts
        self.resolver = resolver
        self.recordings = Recordings()
        self.speech = Speech(self)
        self.tickets = Tickets(rng)
        self.page_phones = PagePhones(rng)
        self.gate: GatePort | None = None  # where browsers are let in
        self.between: Between | None = None  # what is shared with other nodes, where there are any
        self.cluster: Cluster | None = None  # the other nodes; the node gives it one, a simulation may
        self.whip: Whip | None = None  # where callers come in by HTTP
        self.replicas: ReplicaPort | None = None  # where calls are written down for other nodes
        self.phones: PhonesPort | None = None  # and phones
        self.cards: CardsPort | None = None  # where SIM cards remember
        self.rng = rng
        self.timers = Timers()
        self.plan = config.numbers
        self.acd = Acd(
            config.queues.values(),
            (each.value() for each in config.agents.values()),
            self.timers,
            self.note,
            self.wall,
        )
        self.calls: dict[str, Call] = {}
        self.sessions: dict[int, Leg] = {}  # by the id of what signals for them
        self.legs: dict[int, Leg] = {}
        self.observers: list[Callable[[Event | CallRecord], None]] = [self.tickets.notice]
        self.leg_observers: list[Callable[[Side, media_words.LegStats], None]] = []
        self.figure_observers: list[Callable[[Leg, media_words.LegStats, float], None]] = []
        self.binders: list[Callable[[Signalling, Leg], None]] = []  # told which leg a session is of
        self.feelings = Feelings(self)
        self.own_hosts: set[str] = {config.sip.domain}
        self.call_rate = admit.Rate(config.node.limits.max_calls_per_s)
        self.trunks = TrunkGroup(self, rng)
        self._epoch = epoch
        self._leg_numbers = count(1)

    # --- what goes in -----------------------------------------------------------------------------

    def sip(self, event: object, now: float) -> None:
        """Something the user agent or the registrar tells."""
        handler = sessions.TOLD.get(type(event))
        if handler is not None:
            handler(self, event, now)
        else:
            if self.phones is not None and isinstance(event, Registered | Unregistered):
                self.phones.changed(event, now)
            codes.registration_changed(self, event, now)
        self.assign(now)

    def heard(self, event: media_words.AnyEvent, now: float) -> None:
        """Something a media worker tells, or the gate."""
        handler = reports.REPORTS.get(type(event))
        if handler is not None:
            handler(self, event, now)
            self.assign(now)

    def timeout(self, now: float) -> None:
        self.timers.run(now)
        self.assign(now)

    def next_timeout(self) -> float | None:
        return self.timers.next()

    def worker_lost(self, worker: int, now: float) -> None:
        """A media worker died: its legs are gone, their calls end and say so."""
        lost = [leg for leg in self.legs.values() if leg.worker == worker]
        calls = {leg.call.id: leg.call for leg in lost if seat.of(leg) is None}
        self.note(WorkerLost(at=self.wall(now), worker=worker, calls=len(calls)))
        for leg in lost:
            leg.lost()
            del self.legs[leg.number]
        for leg in lost:
            if leg.call.id not in calls:
                seat.gone(leg, now)
        for call in calls.values():
            if call.state is State.ENDING:
                call.fire(Trigger.CLOSED, now)
            else:
                call.end(Side.ENGINE, EndReason.MEDIA_LOST, now, refusal=503)
        self.assign(now)

    def gate_lost(self, now: float) -> None:
        """The gate died, and its doors are gone; sound needs none as long as its way lasts."""
        for leg in [leg for leg in self.legs.values() if leg.door is not None]:
            reports.gate_died(leg, now)
        self.assign(now)

    def set_agent(self, name: str, event: codes.AgentEvent, now: float, reason: str = "") -> Agent:
        """Raises KeyError for an unknown agent, IllegalTransition with the remedy when it cannot be."""
        agent = self.acd.agent_event(name, event, now, reason=reason)
        self.assign(now)
        return agent

    def hang_up(self, call_id: str, now: float) -> None:
        """End a call by order of the API. Raises KeyError when there is none of that id."""
        self.calls[call_id].end(Side.ENGINE, EndReason.COMPLETED, now, refusal=480)
        self.assign(now)

    def shut_down(self, now: float) -> None:
        """End every call, with its record."""
        for call in list(self.calls.values()):
            call.end(Side.ENGINE, EndReason.SHUTDOWN, now, refusal=503)

    def assign(self, now: float) -> None:
        """Offer who waits to who is free."""
        if self.acd.parting.closing:
            self.acd.parting.settle(self.may_queue, now)
        for choice in self.acd.assign(now):
            self.calls[choice.call].fire(Trigger.ASSIGNED, now, choice)
        if self.between is not None:
            self.between.speak(now)

    def may_queue(self, call_id: str) -> bool:
        """Whether a call may yet be sent to the queue that it was meant for, or waits there."""
        call = self.calls.get(call_id)
        return call is not None and call.state in COMING

    # --- what calls ask of the switch -------------------------------------------------------------

    def wall(self, now: float) -> float:
        """Epoch seconds of an instant of the switch's clock."""
        return self._epoch + now

    def instant(self, wall: float) -> float:
        """The instant of the switch's clock at which it was `wall`, in epoch seconds."""
        return wall - self._epoch

    def guest(self, user: str) -> Secret | None:
        """What an account proves to know that comes and goes: a probe's, or a page's."""
        return self.tickets.secret(user) or self.page_phones.secret(user)

    def touched(self, call: Call, now: float) -> None:
        """Something of the call may have changed that another node would need to go on with it."""
        self.speech.reconsider(call, now)
        guest.reconsider(call, now)
        supervision.reconsider(call, now)
        if self.replicas is not None:
            self.replicas.touched(call, now)

    def note(self, event: Event) -> None:
        self.journal.append(event)
        if self.phones is not None and isinstance(event, AgentChanged):
            self.phones.agent_changed(event.agent, self.instant(event.at))
        for observer in self.observers:
            observer(event)

    def finish(self, call: Call, now: float) -> None:
        """The call is over: its record is written and nothing of it stays."""
        line_use.came(call, now)
        written = record(call, self.config.node.name, self.wall)
        ended = CallEnded(at=written.ended_at, call=call.id, by=written.ended_by, reason=written.reason)
        own = call.origin is None
        del self.calls[call.id]
        for leg in call.legs:
            self.legs.pop(leg.number, None)
            self.trunks.over(leg, now)
            leg.leave_line()
        if own:
            (self.replicas or self.journal).finish(ended, written)
            for observer in self.observers:
                observer(ended)
                observer(written)
        else:
            self.note(ended)
            self.touched(call, now)
        call.let_go()

    def new_id(self, now: float) -> str:
        """A call id: sorts by time, cannot be guessed."""
        return f"{int(self.wall(now) * 1000):012x}-{self.rng.getrandbits(64):016x}"

    def new_leg(self, call: Call, side: Side, worker: int) -> Leg:
        leg = Leg(next(self._leg_numbers), call, side, self.media, worker)
        self.legs[leg.number] = leg
        return leg

    def renumber(self, leg: Leg) -> None:
        """Another media leg carries the leg's sound from now on."""
        self.legs.pop(leg.number, None)
        leg.number = next(self._leg_numbers)
        self.legs[leg.number] = leg

    def invite(
        self,
        leg: Leg,
        contact: Contact,
        *,
        from_: NameAddr,
        to: NameAddr,
        offer: bytes,
        headers: Headers = (),
        now: float,
    ) -> Session:
        session = self.user_agent.invite(
            contact.uri,
            contact.hops,
            from_=from_,
            to=to,
            offer=offer,
            headers=headers,
            route=contact.path,
            now=now,
        )
        self.bind(session, leg)
        return session

    def bind(self, session: Signalling, leg: Leg) -> None:
        """What the session tells is of this leg from now on."""
        self.sessions[session.id] = leg
        for binder in self.binders:
            binder(session, leg)

    def forget_session(self, session: Signalling) -> None:
        self.sessions.pop(session.id, None)

    def aor(self, name: str) -> Uri:
        return Uri.sip(name, self.config.sip.domain)

    def contacts(self, name: str, now: float) -> list[Contact]:
        """Where the account's phones are registered now."""
        phones = self.registrations.targets(self.aor(name).aor, now)
        return [Contact(each.contact, each.hops, each.path) for each in phones]

    def direct(self, call: Call, found: Found | Destination, now: float) -> None:
        """Send a call, new or waiting, where the number plan says."""
        target = found.destination if isinstance(found, Found) else found
        call.destination = target
        if isinstance(target, QueueTarget):
            call.queue = self.acd.queues[target.name].spec
            call.fire(Trigger.TO_QUEUE, now, None)
        elif isinstance(target, AgentTarget | UriTarget | LineTarget):
            call.fire(Trigger.TO_PARTY, now)
        elif isinstance(target, Announce):
            call.leave(target.prompt, Side.ENGINE, EndReason.COMPLETED, now)
        elif isinstance(target, Echo):
            call.fire(Trigger.TO_ECHO, now)
        elif isinstance(target, FeatureCode):
            said = codes.feature(self, call, target, now)
            if said:
                call.leave(said, Side.ENGINE, EndReason.COMPLETED, now)
