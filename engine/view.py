"""The node as the API and the metrics see it: engine.views made afresh from the switch."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from engine import guest, ice, recording
from engine.access.principal import Directory, Place
from engine.agent_desk import Watch
from engine.assist_views import Help
from engine.attempt import Contact
from engine.call_filter import ALL_CALLS, CallFilter
from engine.call_sight import call_view, found
from engine.caller_line import LineWatch
from engine.cluster.sight import ClusterSight
from engine.drill import Ask, Report, placed, reported
from engine.events import CallRecord, Side
from engine.guest_views import GuestView
from engine.hand import Hand
from engine.hand_events import AgentOrdered
from engine.hook_views import HookTrial, HookView
from engine.hooks import sight as hooks
from engine.insight.insight import Insight
from engine.judging import Judging
from engine.line_sight import LineSight
from engine.recorded import Recorded
from engine.sharing import Sharing
from engine.signin import SignIn
from engine.speech.sight import node_speech
from engine.speech_views import NodeSpeechView
from engine.store.outbox import Letter
from engine.store.records import RecordFilter, RecordPage
from engine.store.rows import Entry
from engine.store.transcripts import Transcripts
from engine.views import (
    AgentAsk,
    AgentView,
    CallView,
    Caption,
    Check,
    DeskView,
    Health,
    HealthView,
    IceTerms,
    IllegalState,
    LegSide,
    LineLoadView,
    LineView,
    LoadView,
    Note,
    PhoneTerms,
    QueueView,
    RegistrationView,
    SoundView,
    UnknownAgent,
    UnknownCall,
    WorkerView,
    worst,
)
from media.outline import Outline
from media.speech.transcript import Line
from routing.agent import AgentEvent, AgentState, IllegalTransition
from routing.number import QueueTarget

if TYPE_CHECKING:
    from config.schema import Config
    from engine.app import Engine

# what is asked for -> the events that lead there, by the state she is in; `None` for any other
ASKED: dict[AgentAsk, dict[AgentState | None, AgentEvent]] = {
    AgentAsk.AVAILABLE: {AgentState.LOGGED_OUT: AgentEvent.LOGIN, None: AgentEvent.RESUME},
    AgentAsk.PAUSED: {None: AgentEvent.PAUSE},
    AgentAsk.LOGGED_OUT: {None: AgentEvent.LOGOUT},
    AgentAsk.WRAP_UP_OVER: {None: AgentEvent.WRAP_UP_OVER},
}


class View:
    """See engine.api.deps.EngineView, which this is."""

    def __init__(self, engine: Engine, version: str) -> None:
        self._engine = engine
        self._version = version
        self.hand = Hand(engine)
        self._recorded = Recorded(lambda: engine.config)
        self.shares = Sharing(engine.journal.shares, time.time)
        self.cards = Judging(
            engine.journal.scorecards, lambda: engine.config.forms, engine.journal.record, time.time
        )
        self.cluster = ClusterSight(engine.cluster, engine.clock, engine.drain)
        self._directory = Directory()
        self._told_by: Config | None = None  # the directory

    # --- on the event loop --------------------------------------------------------------------------

    def calls(
        self, wanted: CallFilter = ALL_CALLS, *, after: str = "", limit: int | None = None
    ) -> Sequence[CallView]:
        calls = self._engine.switch.calls
        return [call_view(call) for call in found(calls, wanted, after, limit)]

    def call_states(self) -> Iterable[str]:
        return [call.state for call in self._engine.switch.calls.values()]

    def call(self, id: str) -> CallView | None:
        call = self._engine.switch.calls.get(id)
        return None if call is None else call_view(call)

    def queues(self) -> Sequence[QueueView]:
        acd, now = self._engine.switch.acd, self._engine.clock()
        views = []
        for name, queue in acd.queues.items():
            free, busy = acd.staffing(name)
            views.append(
                QueueView(
                    name=name,
                    waiting=len(queue),
                    agents_available=free,
                    agents_busy=busy,
                    longest_wait_s=max((place.wait_s(now) for place in queue.places), default=0.0),
                    answered=acd.tallies[name].answered,
                    abandoned=acd.tallies[name].abandoned,
                    service_level=acd.tallies[name].service_level,
                )
            )
        return views

    def agents(self) -> Sequence[AgentView]:
        switch = self._engine.switch
        return [
            AgentView(
                name=agent.name,
                state=agent.state,
                since=switch.wall(agent.since),
                reason=agent.reason,
                registered=agent.registered,
                queues=agent.queues,
                misses=agent.misses,
                call=next(iter(switch.acd.calls_of(agent.name)), ""),
            )
            for agent in switch.acd.agents.values()
        ]

    def agent_states(self) -> Iterable[str]:
        return self._engine.switch.acd.states()

    def registrations(self) -> Sequence[RegistrationView]:
        now = self._engine.clock()
        return [
            RegistrationView(
                aor=aor,
                contact=str(replace(each.contact, password="")),
                transport=Contact(each.contact, () if each.path else (each.hop,), each.path).transport,
                expires_in_s=max(0.0, each.expires_at - now),
                user_agent=each.user_agent,
            )
            for aor, bindings in self._engine.registrar.all(now).items()
            for each in bindings
        ]

    def health(self) -> HealthView:
        engine = self._engine
        down = [name for name, _, _, up in engine.workers.loads() if not up]
        workers = Check(name="media", status=Health.OK)
        if down:
            failing = len(down) == len(engine.workers.loads())
            status = Health.FAILING if failing else Health.DEGRADED
            workers = Check(name="media", status=status, detail=f"{', '.join(down)} restarts")
        limit = engine.config.node.limits.max_calls
        calls = Check(name="calls", status=Health.OK, detail=f"{len(engine.switch.calls)} of {limit}")
        if engine.agent.settings.draining:
            calls = Check(name="calls", status=Health.FAILING, detail="the node takes no new calls: it stops")
        checks: tuple[Check, ...] = (workers, calls, engine.journal.check())
        if engine.tape is not None:
            checks += (engine.tape.check(engine.switch.recordings.faults),)
        if engine.gate is not None:
            checks += (engine.gate.check(),)
        if engine.house is not None:
            checks += (engine.house.check(engine.switch.speech.strained),)
        if not engine.config.cluster.alone:
            checks += (self.cluster.check(),)
        checks += (*(check() for check in engine.checks), *engine.upkeep.checks())
        return HealthView(
            status=worst(checks), node=engine.config.node.name, version=self._version, checks=checks
        )

    def load(self) -> LoadView:
        engine = self._engine
        state = engine.journal.state()
        return LoadView(
            legs=len(engine.switch.legs),
            registrations=engine.registrar.counts()["bindings"],
            sip_messages=engine.agent.messages(),
            workers=tuple(
                WorkerView(name=name, load=load, legs=legs) for name, load, legs, _ in engine.workers.loads()
            ),
            lines=tuple(
                LineLoadView(name=name, share=share, calls=calls)
                for name, share, calls in engine.switch.trunks.loads()
            ),
            journal_lag_s=state.lag_s,
            journal_waiting=state.waiting,
            journal_spilled=state.spilled_bytes,
            journal_lost=state.lost,
            turned_away=Counter(each.how for each in engine.insight.turned_away()),
            recent=engine.recent.told(),
        )

    def metrics(self) -> bytes:
        return self._engine.metrics.render()

    def set_agent_state(self, name: str, ask: AgentAsk, reason: str, by: str = "") -> None:
        switch = self._engine.switch
        agent = switch.acd.agents.get(name)
        if agent is None:
            raise UnknownAgent(f"no agent is called {name}")
        events = ASKED[ask]
        event = events.get(agent.state, events[None])
        try:
            self._engine.act(lambda now: switch.set_agent(name, event, now, reason))
        except IllegalTransition as error:
            raise IllegalState(str(error)) from error
        if by:
            at = switch.wall(self._engine.clock())
            switch.note(AgentOrdered(at=at, agent=name, asked=ask, reason=reason, by=by))

    def hangup(self, id: str) -> None:
        switch = self._engine.switch
        if id not in switch.calls:
            raise UnknownCall(f"no call {id} is in progress")
        self._engine.act(lambda now: switch.hang_up(id, now))

    def pause_recording(self, call: str, paused: bool, by: str) -> None:
        found = self._engine.switch.calls.get(call)
        if found is None:
            raise UnknownCall(f"no call {call} is in progress")
        if found.recording is None or found.recording.done:
            raise IllegalState("this call is not recorded; its queue's `recording` in queues.yaml says so")
        self._engine.act(lambda now: recording.pause(found, paused, now, by))

    # --- agents' pages ------------------------------------------------------------------------------

    @property
    def sign_in(self) -> SignIn:
        return self._engine.sign_in

    def phone_terms(self) -> PhoneTerms:
        engine = self._engine
        domain = engine.config.sip.domain
        for scheme in ("wss", "ws"):
            for each in engine.shell.listeners:
                if each.transport == scheme:
                    return PhoneTerms(domain=domain, scheme=scheme, port=each.port)
        return PhoneTerms(domain=domain, scheme="", port=0)

    def ice_terms(self, agent: str) -> IceTerms:
        webrtc = self._engine.config.media.webrtc
        return IceTerms(
            servers=tuple(ice.told(webrtc.ice_servers, agent, time.time())),
            policy="relay" if webrtc.relay == "forced" else "all",
            renewed_s=min((each.lifetime_s for each in webrtc.ice_servers), default=86_400) / 2,
        )

    def desk(self, agent: str) -> DeskView:
        if agent not in self._engine.switch.acd.agents:
            raise UnknownAgent(f"no agent is called {agent}")
        return self._engine.desks.look(agent, self._engine.clock())

    def watch_desk(self, agent: str, wake: Callable[[], None]) -> Watch:
        return self._engine.desks.open(agent, wake)

    def leave_desk(self, watch: Watch) -> None:
        self._engine.desks.close(watch)

    def wrap_up(self, agent: str, call: str, outcome: str, notes: str) -> None:
        self._engine.desks.wrap_up(agent, call, outcome, notes, self._engine.clock())

    def tell_agent(self, agent: str, text: str, by: str) -> int:
        if agent not in self._engine.switch.acd.agents:
            raise UnknownAgent(f"no agent is called {agent}")
        switch = self._engine.switch
        return self._engine.desks.say(agent, Note(by=by, text=text, at=switch.wall(self._engine.clock())))

    def given_help(self, call: str) -> Sequence[Help]:
        return self._engine.understanding.assist.given(call)

    def look_up(self, agent: str, call: str, words: str) -> Sequence[Help]:
        return self._engine.understanding.assist.look_up(agent, call, words, self._engine.clock())

    def show_caption(self, caption: Caption, readers: Collection[LegSide]) -> int:
        return self._engine.captions.show(caption, readers)

    def minutes(self, call: str) -> Sequence[Line]:
        found = self._engine.switch.calls.get(call)
        began = found.clocks.arrived if found is not None else 0.0
        lines = self._engine.understanding.minutes.lines(call)
        return [line._replace(begin=line.begin - began, end=line.end - began) for line in lines]

    def speech(self) -> NodeSpeechView:
        return node_speech(self._engine.switch)

    def choose_interpreter(self, call: str, side: LegSide, voice: str) -> None:
        self._engine.act(lambda now: self._engine.switch.speech.choose(call, Side(side), voice, now))

    def guest(self, call: str) -> GuestView | None:
        return guest.look(self._engine.switch, call)

    def ask_guest(self, call: str, to: str, by: str) -> None:
        self._engine.act(lambda now: guest.ask(self._engine.switch, call, to, by, now))

    def send_off_guest(self, call: str) -> None:
        self._engine.act(lambda now: guest.send_off(self._engine.switch, call, now))

    def directory(self) -> Directory:
        config = self._engine.config
        if self._told_by is not config:
            self._told_by = config
            self._directory = Directory(
                agents={
                    name: Place(each.team or "", tuple(each.queues)) for name, each in config.agents.items()
                },
                queues={name: spec.market for name, spec in config.queues.items()},
                lines={name: line.market or "" for name, line in config.lines.items()},
            )
        return self._directory

    def title(self, destination: str) -> str:
        found = self._engine.switch.plan.find(destination)
        queue = found.destination.name if found and isinstance(found.destination, QueueTarget) else ""
        known = self._engine.switch.acd.queues.get(queue)
        return known.spec.title if known is not None and known.spec.title else destination

    def line(self, token: str) -> LineView | None:
        return self._engine.lines.look(token, self._engine.clock())

    def watch_line(self, token: str, wake: Callable[[], None]) -> LineWatch:
        return self._engine.lines.open(token, wake)

    def leave_line(self, watch: LineWatch) -> None:
        self._engine.lines.close(watch)

    def rate(self, token: str, stars: int, comment: str) -> None:
        self._engine.lines.rate(token, stars, comment, self._engine.clock())

    @property
    def trunks(self) -> LineSight:
        return self._engine.line_sight

    @property
    def insight(self) -> Insight:
        return self._engine.insight

    def hooks(self) -> Sequence[HookView]:
        return hooks.hooks(self._engine)

    # --- the store: blocks, in a worker thread ------------------------------------------------------

    def records(self, wanted: RecordFilter, *, cursor: str | None, limit: int) -> RecordPage:
        return self._engine.journal.records(wanted, cursor=cursor, limit=limit)

    def record(self, call: str) -> CallRecord | None:
        return self._engine.journal.record(call)

    def events(self, call: str) -> Sequence[Entry]:
        return self._engine.journal.events(call)

    @property
    def transcripts(self) -> Transcripts:
        return self._engine.journal.transcripts

    def report(self, ask: Ask) -> Report:
        ask = placed(ask, self._engine.config)
        return reported(ask, self._engine.journal.drill.cells(ask, time.time()))

    def dead_letters(self, hook: str) -> Sequence[Letter]:
        return hooks.dead_letters(self._engine, hook)

    def replay(self, hook: str, seqs: Sequence[int] | None) -> int:
        return hooks.replay(self._engine, hook, seqs)

    async def try_hook(self, hook: str) -> HookTrial:
        return await self._engine.hooks.try_out(hook)

    def recording(self, name: str) -> SoundView | None:
        return self._recorded.sound(name)

    def outline(self, name: str) -> Outline | None:
        return self._recorded.outline(name)
