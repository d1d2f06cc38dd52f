"""The probes of a node: asked for, or by their schedule; run in threads, a phone's process each.

A probe's call is a call of this node: by a ticket of its own (engine/probe/ticket.py) it goes out over its
line, past choosing, and what the node counted of it on the line stands in the result beside what the phone
heard. Results are kept in the journal, and what was measured goes to where lines are chosen by it.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np
import structlog

from config.line import LineSettings
from engine.hearing import read_wav
from engine.line_events import LineProbed
from engine.probe.call import probe
from engine.probe.plan import RATE, SPEECH_S, Door, Plan
from engine.probe.result import CallerId, Fault, Limits, ProbeResult, judged
from engine.probe.schedule import Rounds
from engine.probe.ticket import Ticket
from engine.workers import reachable
from media.columns import I16
from routing.emergency import is_emergency
from routing.exchange import destination_of
from routing.measure import Measure
from routing.number import LineTarget, UriTarget, bare, normalise
from sip.pjsip.pool import Pool
from sip.pjsip.process import Softphone, SoftphoneError

if TYPE_CHECKING:
    from engine.app import Engine

BUFFER_MS = (
    60  # that the phone holds back: a buffer that grows and shrinks would be measured as the line's delay
)
LOOK_S = 5.0  # between two looks at the schedule
FIGURES_S = 4.0  # that the node's own figures of the call are waited for
KEPT = 50  # probes that may be asked about
SPOKEN = ("welcome-support", "overloaded", "left-queue", "unreachable")  # prompts that make good speech
MEASURED = frozenset({Fault.ONE_WAY, Fault.SILENCE})  # what the exchange is to know of, as no quality at all
WORST_MOS = 1.0

log = structlog.get_logger("probe")


class Refused(Exception):
    """This line is not probed now; says why."""


@dataclass
class Probing:
    """One probe, as it goes on. steps: what happened so far, (epoch seconds, words). result: None until it is
    over.
    """

    id: str
    line: str
    number: str
    by: str
    began: float
    steps: list[tuple[float, str]] = field(default_factory=list)
    result: ProbeResult | None = None


class Probes:
    """All on the event loop but the calls themselves."""

    def __init__(self, engine: Engine, pool: Pool | None = None) -> None:
        self._engine = engine
        self._near = reachable(str(engine.config.media.address))
        self._pool = pool or Pool(
            lambda: Softphone("probe", address=self._near, buffer_ms=BUFFER_MS, urgent=True)
        )
        self._known: OrderedDict[str, Probing] = OrderedDict()
        self._rounds = Rounds()
        self._tasks: set[asyncio.Task[None]] = set()
        self._speech: I16 | None = None

    # --- life ---------------------------------------------------------------------------------------

    def start(self) -> None:
        self._spawn(self._follow_schedule())

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.to_thread(self._pool.close)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _follow_schedule(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            if self._engine.agent.settings.draining:
                continue
            for name in self._rounds.due(list(self._engine.config.lines.values()), time.time()):
                try:
                    self.begin(name, "", "schedule")
                except Refused as refused:
                    self._rounds.put_off(name, time.time())
                    log.warning("a line is not probed now", line=name, why=str(refused))

    # --- asking -------------------------------------------------------------------------------------

    def known(self, id: str) -> Probing | None:
        return self._known.get(id)

    def begin(self, name: str, number: str, by: str) -> Probing:
        """Begin a probe; it goes on by itself. number: the line's own when empty. Raises Refused."""
        config, tickets = self._engine.config, self._engine.switch.tickets
        line = config.lines.get(name)
        if find_spec("pjsua2") is None:
            raise Refused("the probe's phone is not installed: pip install isogloss[softphone]")
        if line is None or not line.calls_out:
            raise Refused(f"no calls go out over {name}")
        called = self._number(line, number)
        if tickets.probing(name, called if self._ours(called) else ""):
            raise Refused(f"{name} is being probed, or {called} over another line")
        ticket = tickets.open(name, called, self._near)
        if ticket is None:
            raise Refused("as many lines are being probed as may be at once")
        probing = Probing(uuid4().hex, name, called, by, time.time())
        self._known[probing.id] = probing
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        self._spawn(self._run(probing, line, ticket))
        return probing

    def _number(self, line: LineSettings, number: str) -> str:
        wanted = number or (line.probe.number if line.probe else "")
        if not wanted:
            raise Refused(
                f"there is no number to call: name one, or write a block `probe` in lines/{line.name}.yaml"
            )
        config = self._engine.config
        for country in (line.country, config.node.country):
            if is_emergency(wanted, country, config.routing.emergency_numbers):
                raise Refused(f"{wanted} calls for help")
        return normalise(bare(wanted), line.country)

    def _ours(self, number: str) -> bool:
        """Whether it comes in again: then two probes of it at once could not be told apart."""
        config = self._engine.config
        lines = any(number in each.dids for each in config.lines.values())
        found = self._engine.switch.plan.find(number)
        return lines or (found is not None and not isinstance(found.destination, LineTarget | UriTarget))

    # --- one probe ----------------------------------------------------------------------------------

    async def _run(self, probing: Probing, line: LineSettings, ticket: Ticket) -> None:
        loop = asyncio.get_running_loop()

        def tell(words: str) -> None:
            step = (time.time(), words)
            loop.call_soon_threadsafe(probing.steps.append, step)

        try:
            found = await asyncio.to_thread(self._call, self._plan(line, ticket), tell)
            if found.fault is not Fault.NOT_RUN:
                await self._figures(ticket)
                found = judged(self._with_ours(found, ticket), _limits(line), _codecs(line))
        except Exception as fault:  # a probe that fails by our own fault ends as one that did not run
            log.exception("a probe failed", line=line.name)
            found = ProbeResult(
                line=line.name, number=ticket.number, at=probing.began, fault=Fault.NOT_RUN, detail=str(fault)
            )
        finally:
            self._engine.switch.tickets.close(ticket)
        probing.result = found
        self._tell(found, probing.by)

    def _call(self, plan: Plan, tell: Callable[[str], None]) -> ProbeResult:
        """In a thread of its own."""
        try:
            with self._pool.phone() as phone:
                return probe(plan, phone, tell)
        except (SoftphoneError, OSError) as fault:
            detail = str(fault) or type(fault).__name__
            return ProbeResult(
                line=plan.line,
                number=plan.number,
                at=time.time(),
                region=plan.region,
                fault=Fault.NOT_RUN,
                detail=detail,
            )

    def _plan(self, line: LineSettings, ticket: Ticket) -> Plan:
        config, probed = self._engine.config, line.probe
        ports = {each.transport: (each.host, each.port) for each in self._engine.shell.listeners}
        transport = next((name for name in ("udp", "tcp", "tls") if name in ports), "")
        if not transport:
            raise ValueError("no phone can call this node: it listens on neither UDP, TCP nor TLS")
        host, port = ports[transport]
        address = f"{reachable(host)}:{port}"
        return Plan(
            line=line.name,
            number=ticket.number,
            door=Door(address, config.sip.domain, ticket.account, ticket.password, transport),
            speech=self._spoken(),
            region=config.node.region,
            speech_s=probed.speech_s if probed is not None else SPEECH_S,
        )

    def _spoken(self) -> I16:
        """Some of the node's prompts, one after the other."""
        if self._speech is None:
            prompts, language = self._engine.switch.prompts, self._engine.config.node.language
            self._speech = np.concatenate([read_wav(prompts.path(language, name), RATE) for name in SPOKEN])
        return self._speech

    async def _figures(self, ticket: Ticket) -> None:
        """Wait until the node has told what became of the call on the line."""
        deadline = time.monotonic() + FIGURES_S
        while ticket.call and ticket.used is None and time.monotonic() < deadline:
            await asyncio.sleep(0.05)

    def _with_ours(self, found: ProbeResult, ticket: Ticket) -> ProbeResult:
        """With what the node knows of the call: the phone sees no further than the node."""
        used, streams = ticket.used, found.streams
        if used is not None and used.answered:
            streams = replace(
                streams,
                loss=max(streams.loss, used.loss or 0.0),
                jitter_ms=used.jitter_ms if used.jitter_ms is not None else streams.jitter_ms,
                rtt_ms=used.rtt_ms,
            )
        back = ticket.caller is not None
        caller = CallerId(ticket.shown, ticket.caller) if ticket.caller is not None and ticket.shown else None
        return replace(
            found,
            streams=streams,
            codec=ticket.codec or found.codec,
            pdd_s=found.pdd_s if used is None else used.pdd_s,
            setup_s=found.setup_s if used is None else used.setup_s,
            digits_back=ticket.digits if back else found.digits_back,
            caller=caller,
            came_back=back,
        )

    # --- results ------------------------------------------------------------------------------------

    def _tell(self, found: ProbeResult, by: str) -> None:
        """To the journal, and to where lines are chosen."""
        switch = self._engine.switch
        switch.note(_event(found, by))
        exchange, now = switch.trunks.exchange, self._engine.clock()
        destination = destination_of(found.number)
        if found.line not in exchange.board.index:
            return
        if found.speech is not None:
            exchange.measured(found.line, destination, Measure.MOS, found.speech.mos, now)
        elif found.fault in MEASURED:
            exchange.measured(found.line, destination, Measure.MOS, WORST_MOS, now)
        log.info(
            "line probed", line=found.line, passed=found.passed, fault=found.fault or "", why=found.detail
        )

    def _spawn(self, what: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(what)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _limits(line: LineSettings) -> Limits:
    own = line.probe
    return Limits(own.most_pdd_s, own.most_delay_ms, own.most_loss, own.least_mos) if own else Limits()


def _codecs(line: LineSettings) -> tuple[str, ...]:
    return tuple(name.upper() for name in line.codecs)


def _event(found: ProbeResult, by: str) -> LineProbed:
    delay, speech, streams = found.delay, found.speech, found.streams
    heard = delay is not None
    return LineProbed(
        at=found.at,
        line=found.line,
        region=found.region,
        number=found.number,
        by=by,
        passed=found.passed,
        fault=str(found.fault or ""),
        words=found.detail,
        pdd_s=found.pdd_s,
        setup_s=found.setup_s,
        delay_ms=delay.median_ms if delay else None,
        delay_p95_ms=delay.p95_ms if delay else None,
        drift_ms_per_min=delay.drift_ms_per_min if delay else None,
        loss=streams.loss if heard else None,
        jitter_ms=streams.jitter_ms if heard else None,
        rtt_ms=streams.rtt_ms,
        mos=speech.mos if speech else None,
        digits=found.digits,
        caller_id="" if found.caller is None else "kept" if found.caller.kept else "changed",
        codec=found.codec,
    )
