"""A node put together: every wire between its parts is connected here."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Callable, Sequence

import structlog

from config.schema import Config
from engine import gatehouse, recording, tape, traces, understanding
from engine.access import access
from engine.agent_desk import Desks
from engine.bounds import Bounds
from engine.build import missing_codecs
from engine.caller_line import Lines
from engine.captions import Captions
from engine.cards import Cards
from engine.cluster import heritage
from engine.cluster.between import Between
from engine.cluster.cluster import Cluster, Load
from engine.cluster.gauges import ClusterGauges
from engine.cluster.heritage import Heritage
from engine.cluster.membership import ClusterEvent, Usurped
from engine.cluster.past import JournalPast
from engine.cluster.running import Running, store_of
from engine.desk import Desk
from engine.events import NodeStarted, NodeStopped
from engine.gatehouse import Gatehouse
from engine.gauges import Checks, Places, Told
from engine.hooks import sight as hooks
from engine.insight import insight
from engine.journal import Journal
from engine.line_sight import LineSight
from engine.live import node as live
from engine.metrics import Metrics
from engine.probe.desk import Probes
from engine.prompts import PromptPack
from engine.recent import Recent
from engine.release import VERSION
from engine.signin import SignIn
from engine.speech import house
from engine.speech.house import House
from engine.speech.meters import Meters
from engine.store import database
from engine.switch import Switch
from engine.tape import Tape
from engine.telephony import telephony_of
from engine.upkeep import Upkeep
from engine.view import View
from engine.views import Caption, Check
from engine.workers import Workers
from media.messages import AnyEvent
from media.recording import RecordingEvent
from media.speech.messages import SpeechEvent
from sip.digest import Secret
from sip.hop import Hop
from sip.uri import Uri

LEAVE_S = 1.0  # that carriers have to hear that we are gone

log = structlog.get_logger("node")


class Engine:
    """A running node. `start` opens sockets and processes, `stop` lets calls finish and ends everything."""

    def __init__(self, config: Config, prompts: PromptPack) -> None:
        self.config = config
        self.clock = time.monotonic
        rng = random.SystemRandom()
        now = self.clock()
        self.journal = Journal(
            database.url_of(config),
            config.node.name,
            spill=config.node.data_dir / "journal.spill",
            interval_s=config.store.commit_ms / 1000,
            limit=config.store.max_pending,
        )
        for name, library in missing_codecs(config.media).items():
            log.warning("codec left out", codec=name, missing=library)
        self.workers = Workers(config.media, self._media_told, self._worker_lost)
        spoken = telephony_of(config, rng, self.clock, self._sip_told, self._guest)
        self.registrar, self.dns, self.admission = spoken.registrar, spoken.dns, spoken.admission
        self.agent, self.shell, self.ladders = spoken.agent, spoken.shell, spoken.ladders
        self.switch = Switch(
            config,
            agent=self.agent,
            registrations=self.registrar,
            media=self.workers,
            journal=self.journal,
            prompts=prompts,
            resolver=self,
            rng=rng,
            epoch=time.time() - self.clock(),
        )
        self.switch.own_hosts |= spoken.hosts
        self.switch.cards = Cards(config.node.data_dir / "cards")
        self.switch.trunks.marks = spoken.marks
        self.tape: Tape | None = None
        if tape.wanted(config):
            self.tape = self.switch.recordings.recorder = self.new_tape(config)
        self.gate: Gatehouse | None = None
        if gatehouse.wanted(config):
            self.gate = self.switch.gate = Gatehouse(
                config, self.workers.address, self._gate_told, self._gate_lost
            )
        self.house: House | None = None
        if house.wanted(config):
            self.house = self.switch.speech.ear = self.new_house(config)
            self.house.take_up()
        self.cluster, self._running = self._among_others()
        self.heritage: Heritage | None = None  # a node that is alone leaves nothing to anybody
        if not config.cluster.alone:
            self.heritage = heritage.of_node(self.switch, self.cluster, self._settle, now)
            shared = Between(self.switch, self.cluster, self._settle, now)
            self.switch.between, self.admission.nodes = shared, shared.admit
            shared.sharing.doubt = self.heritage.takeover.doubt
        self.probes = Probes(self)
        self.line_sight = LineSight(self)
        self.desks = Desks(self.switch)
        self.lines = Lines(self.switch)
        self.captions = Captions(self.switch, self.desks, self.lines)
        self.switch.speech.show = self._show
        self.understanding = understanding.of_node(self.switch, self.journal.transcripts, self.desks)
        realm = config.sip.digest.realm or config.sip.domain
        self.sign_in = SignIn(config.agents, realm, self.admission.guard, rng)
        self.desk = Desk(self)
        self.access = access.of_node(config, database.url_of(config), self.journal, self.switch.observers)
        self.view = View(self, VERSION)
        self.insight = insight.of_node(self)
        self.checks: list[Callable[[], Check]] = [  # of the node's health
            self.understanding.after.check,
            self.access.check,
            self.insight.check,
        ]
        self.recent = Recent(self.clock)
        self.upkeep = Upkeep(lambda: self.config, time.time)
        self.hooks = hooks.of_node(self)
        self.checks.append(self.hooks.check)
        self.traces = traces.of_node(self)
        self.live = live.of_node(self, self.view)
        self.metrics = self._measured()
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at: float | None = None
        self._lookups: set[asyncio.Task[None]] = set()
        self._leaving: set[asyncio.Task[None]] = set()  # former houses, while they end

    def _measured(self) -> Metrics:
        """The node's figures, which hear of what happens from now on."""
        told = Told(self.live, self.hooks, time.time)
        own = Checks(self.view.health), self.upkeep
        market = Bounds(lambda: self.config).market
        metrics = Metrics(self.view, ClusterGauges(self.cluster, self.clock), told, *own, market=market)
        places = Places(metrics.registry, lambda: self.config)
        self.switch.observers += [places.notice, metrics.notice, self.recent.notice]
        self.switch.leg_observers.append(metrics.observe_leg)
        self.switch.acd.stretched = metrics.observe_stretch
        self.switch.speech.observers.append(Meters(metrics.registry, lambda: self.config).told)
        return metrics

    def _among_others(self) -> tuple[Cluster, Running]:
        """This node's part in the cluster, which may be all of it."""
        config, life = self.config, secrets.token_hex(8)
        store = store_of(config, self.clock)
        rng = random.SystemRandom()
        cluster = Cluster(config, store, self._stands, life=life, started=time.time(), rng=rng)
        cluster.membership.watch(self._cluster_told)
        self.switch.cluster = cluster
        return cluster, Running(cluster, self.clock)

    def new_tape(self, config: Config) -> Tape:
        """A recorder, not started yet."""
        return Tape(config, self._tape_ready, self._tape_told)

    def new_house(self, config: Config) -> House:
        """Speech's processes, neither started nor at work yet."""
        return House(config, self._speech_told, self._ear_ready, self._ear_lost)

    def move_house(self, house: House, now: float) -> None:
        """Have that one hear from now on; what stands of what the former one heard stands."""
        former, self.house = self.house, house
        self.switch.speech.move(house, now)
        house.take_up()
        if former is not None:
            leaving = asyncio.get_running_loop().create_task(former.close())
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)

    # --- life ---------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Close what an earlier life left open, then open for calls. Raises OSError, WorkerFailed."""
        await self.access.begin()
        if self.heritage is None:
            recovered = self.journal.recover(time.time())
            if recovered:
                log.warning("calls of the node's last life closed", calls=len(recovered))
            for record in recovered:
                self.understanding.after.notice(record)
        parts = (self.workers, self.tape, self.gate, self.house)
        processes = [each for each in parts if each is not None]
        await asyncio.gather(*(each.start() for each in processes))
        await self.shell.start()
        self.act(self.switch.trunks.start)
        await self._running.start()
        if self.heritage is not None:
            self.heritage.recover(JournalPast(self.journal, self.understanding.after.notice), self.clock())
        self.probes.start()
        self.understanding.after.start()
        self.hooks.start()
        if self.traces is not None:
            self.traces.start()
        self.insight.start()
        self.upkeep.start()
        self.access.proving.start()
        self.switch.note(NodeStarted(at=time.time(), node=self.config.node.name, version=VERSION))

    async def stop(self) -> None:
        """Take no new calls, let those in progress end within the configured time, then end them."""
        self.drain(True)
        await self.probes.close()
        deadline = self.clock() + self.config.node.drain_s
        while self.switch.calls and self.clock() < deadline:
            await asyncio.sleep(0.1)
        self.switch.shut_down(self.clock())
        self._settle()
        last = self.clock() + 2.5
        while self.switch.calls and self.clock() < last:
            await asyncio.sleep(0.05)
        await self._leave_lines()
        for lookup in self._lookups:
            lookup.cancel()
        if self.heritage is not None:
            self.heritage.leave(self.clock())
        await self._running.stop()
        await self.shell.close()
        await self.workers.close()
        if self.tape is not None:
            await self.tape.close()
        if self.gate is not None:
            await self.gate.close()
        if self.house is not None:
            await self.house.close()
        await asyncio.gather(*self._leaving)
        self.switch.note(NodeStopped(at=time.time(), node=self.config.node.name))
        self.live.stop()
        await self.hooks.close()
        if self.traces is not None:
            await self.traces.close()
        if self._alarm is not None:
            self._alarm.cancel()
        self.insight.traces.close()
        self.insight.sources.stop()
        self.upkeep.close()
        await asyncio.to_thread(self.understanding.after.close)
        await asyncio.to_thread(self.access.close)
        await asyncio.to_thread(self.insight.close)
        await asyncio.to_thread(self.journal.close)

    async def _leave_lines(self) -> None:
        """Carriers are to send no more calls here; one that says nothing is waited for a moment."""
        trunks, last = self.switch.trunks, self.clock() + LEAVE_S
        trunks.stop(self.clock())
        self._settle()
        while trunks.enrolment.leaving and self.clock() < last:
            await asyncio.sleep(0.02)

    def drain(self, draining: bool) -> None:
        """Take no new calls and say so to all (or take some again); those in progress go on."""
        self.agent.settings.draining = draining
        self.cluster.beat(self.clock())

    def _cluster_told(self, event: ClusterEvent, now: float) -> None:
        if isinstance(event, Usurped):  # two nodes of one name would take each other's calls
            self.agent.settings.draining = True

    def _stands(self) -> Load:
        workers = self.workers.loads()
        return Load(
            calls=len(self.switch.calls),
            draining=self.agent.settings.draining,
            well=any(up for _, _, _, up in workers) or not workers,
        )

    # --- what happens -------------------------------------------------------------------------------

    def _sip_told(self, events: Sequence[object]) -> None:
        for event in events:
            self.switch.sip(event, self.clock())
            self.shell.send()
        self._settle()

    def _media_told(self, worker: int, events: list[AnyEvent]) -> None:
        for event in events:
            if isinstance(event, RecordingEvent):
                recording.told(self.switch, event, self.clock())
            else:
                self.switch.heard(event, self.clock())
                self.shell.send()
        self._settle()

    def _gate_told(self, events: list[AnyEvent]) -> None:
        self._media_told(-1, events)

    def _gate_lost(self) -> None:
        self.switch.gate_lost(self.clock())
        self._settle()

    def _tape_told(self, events: list[AnyEvent]) -> None:
        self._media_told(-1, events)

    def _speech_told(self, events: list[SpeechEvent]) -> None:
        for event in events:
            self.switch.speech.told(event, self.clock())
        self._settle()

    def _ear_ready(self) -> None:
        self.switch.speech.ready(self.clock())
        self._settle()

    def _ear_lost(self) -> None:
        self.switch.speech.lost(self.clock())
        self._settle()

    def _show(self, caption: Caption) -> None:
        """On the pages of both sides; a call that is over by now has none."""
        if caption.call in self.switch.calls:
            self.captions.show(caption)

    def _tape_ready(self) -> None:
        recording.recorder_ready(self.switch, self.clock())
        self._settle()

    def _worker_lost(self, worker: int) -> None:
        self.switch.worker_lost(worker, self.clock())
        self._settle()

    def _expire(self) -> None:
        self._alarm = self._alarm_at = None
        self.switch.timeout(self.clock())
        self._settle()

    def act(self, what: Callable[[float], object]) -> None:
        """Do something to the switch from the event loop (the API does), and send what follows from it."""
        what(self.clock())
        self._settle()

    def _settle(self) -> None:
        """Send what SIP has to say, and set the alarm for the switch's next deadline."""
        self.shell.flush(self.clock())
        when = self.switch.next_timeout()
        if when == self._alarm_at:
            return
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._alarm_at = when
        if when is not None:
            loop = asyncio.get_running_loop()
            self._alarm = loop.call_later(max(0.0, when - self.clock()), self._expire)

    def _guest(self, user: str) -> Secret | None:
        """What somebody proves who has an account for one call."""
        return self.switch.guest(user)

    # --- the switch's resolver ----------------------------------------------------------------------

    def resolve(self, uri: Uri, now: float, found: Callable[[Sequence[Hop]], None]) -> None:
        """Ask the DNS; `found` is called at once when the answer is known, else later, on the loop."""
        known = self.dns.known(uri)
        if known:
            found(known)
            return

        async def ask() -> None:
            hops = await self.dns.resolve(uri)
            found(hops)
            self._settle()

        lookup = asyncio.get_running_loop().create_task(ask())
        self._lookups.add(lookup)
        lookup.add_done_callback(self._lookups.discard)
