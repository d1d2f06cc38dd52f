"""A node's insight into its calls, put together: noted while they go on, kept, sent on, looked into."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.events import CallRecord
from engine.insight.archive import Archive, Terms
from engine.insight.exporter import Collector, Exporter
from engine.insight.facts import Case
from engine.insight.pcap import Address
from engine.insight.sources import Sources, SourceView
from engine.insight.trace import Look, Message, Rungs, Trace
from engine.insight.traces import Traces
from engine.store.rows import Entry
from engine.store.traces import TraceStore
from engine.views import Check, Health
from sip.errors import Malformed, MalformedMessage
from sip.hop import Hop
from sip.ladder import Ladders, Refusal
from sip.message import Request, Response, parse

if TYPE_CHECKING:
    from config.schema import Config
    from config.signalling import Hep
    from engine.app import Engine
    from engine.switch import Switch

NOWHERE = ("0.0.0.0", 0)


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that was refused. at: epoch seconds. call: "" where none was begun. messages: it and the
    answer, without secrets.
    """

    at: float
    source: str
    port: int
    transport: str
    method: str
    status: int
    reason: str
    caller: str
    called: str
    user_agent: str
    call_id: str
    call: str
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class RefusedLook:
    """The same before it is read: on the loop it is only copied."""

    refusal: Refusal
    call: str
    epoch: float
    own: Callable[[Hop], Address]

    def read(self) -> Refused:
        """Read it, in a thread beside the loop."""
        rungs = [each for each in (self.refusal.request, self.refusal.response) if each is not None]
        look = Look(self.call, 0.0, None, self.epoch, [Rungs("", 0, rungs, 0)], (), self.own)
        messages = look.trace().messages
        hop, request = self.refusal.response.hop, _request(messages)
        line = messages[-1].text.partition("\r\n")[0]
        return Refused(
            at=messages[-1].at,
            source=hop.host,
            port=hop.port,
            transport=hop.transport,
            method=request.method if request is not None else "",
            status=self.refusal.status,
            reason=line.split(" ", 2)[2] if line.count(" ") >= 2 else "",
            caller=_user(request, "from_"),
            called=_user(request, "to"),
            user_agent=(request.headers.get("User-Agent") or "")[:200] if request is not None else "",
            call_id=self.refusal.call_id.decode("utf-8", "replace"),
            call=self.call,
            messages=tuple(messages),
        )


class Insight:
    """`start` and `close` belong to whoever owns it."""

    def __init__(
        self,
        switch: Switch,
        ladders: Ladders,
        store: TraceStore,
        own: Callable[[Hop], Address],
        config: Callable[[], Config],
        sources: Sources,
    ) -> None:
        self.ladders = ladders
        self.sources = sources
        self._switch, self._own, self._config = switch, own, config
        self.archive = Archive(store, lambda: terms_of(config()))
        self.traces = Traces(switch, ladders, self.archive.offer, own)
        self.exporter: Exporter | None = None

    # --- life -------------------------------------------------------------------------------------------

    def start(self) -> None:
        self.archive.start()
        self.sources.start()
        self.export(self._config())

    def export(self, config: Config) -> None:
        """Send SIP to the collector that a configuration names, or to none."""
        wanted = collector_of(config.sip.hep)
        if self.exporter is not None and self.exporter.collector == wanted:
            return
        before, self.exporter = self.exporter, None
        if wanted is not None:
            self.exporter = Exporter(wanted, self._own, self._switch.wall(0.0), self.traces.first_of)
        self.ladders.watch = self.exporter.take if self.exporter is not None else None
        if before is not None:
            before.leave()

    def close(self) -> None:
        """Keep what is open. Blocks."""
        self.archive.close()
        if self.exporter is not None:
            self.exporter.close()

    def check(self) -> Check:
        """Its line in the node's health."""
        if self.archive.lost:
            detail = f"since start {self.archive.lost} calls' SIP messages were not kept"
            return Check(name="traces", status=Health.DEGRADED, detail=detail)
        return Check(name="traces", status=Health.OK)

    # --- on the loop --------------------------------------------------------------------------------------

    def look(self, call: str) -> Look | None:
        """A call that goes on, or ended a moment ago."""
        return self.traces.look(call) or self.archive.look(call)

    def refused(
        self, *, challenges: bool, source: str | None, since: float | None, until: float | None, limit: int
    ) -> Sequence[RefusedLook]:
        """Requests that were refused, the newest first. since, until: epoch seconds. source: an address."""
        epoch, found = self._switch.wall(0.0), []
        for refusal in self.ladders.refusals(challenges):
            at = epoch + refusal.response.at
            if since is not None and at < since:
                break
            elsewhere = source is not None and refusal.response.hop.host != source
            if elsewhere or (until is not None and at >= until):
                continue
            dialog = self.ladders.find(refusal.call_id.decode("utf-8", "surrogateescape"))
            call = self.traces.call_of(dialog) if dialog is not None and dialog.bound else ""
            found.append(RefusedLook(refusal, call, epoch, self._own))
            if len(found) >= limit:
                break
        return found

    def turned_away(self) -> Sequence[SourceView]:
        """Sources that guess or scan, and are answered no more, the latest first."""
        return self.sources.turned_away()

    def let_off(self, address: str, by: str) -> bool:
        """Answer one again; whether it was turned away."""
        return self.sources.let_off(address, by)

    # --- blocks, in a worker thread ---------------------------------------------------------------------

    def trace(self, call: str, look: Look | None) -> Trace | None:
        """Messages and quality of a call. Raises StoreUnavailable."""
        return look.trace() if look is not None else self.archive.get(call)


def case_of(
    call: str, trace: Trace | None, record: CallRecord | None, events: Sequence[Entry], now: float | None
) -> Case:
    """All that is known of a call, to be looked into. now: of one that goes on."""
    began = trace.began if trace is not None else record.offered_at if record is not None else 0.0
    messages, quality = (trace.messages, trace.quality) if trace is not None else ([], [])
    return Case(call, began or (events[0].at if events else 0.0), record, events, messages, quality, now)


def of_node(engine: Engine) -> Insight:
    """Wired to its calls; not started yet."""

    def own(hop: Hop) -> Address:
        """Our address towards a hop: where our connection begins, or where we say that we are."""
        began = engine.shell.local(hop) if hop.reliable else None
        known = engine.agent.settings.addresses
        return began or known.get(hop.transport) or next(iter(known.values()), NOWHERE)

    switch = engine.switch
    sources = Sources(engine.admission.guard, switch.note, engine.clock, switch.wall)
    return Insight(switch, engine.ladders, engine.journal.traces, own, lambda: engine.config, sources)


def terms_of(config: Config) -> Terms:
    kept = config.store.traces
    return Terms(days=kept.keep_days, per_s=kept.per_s)


def collector_of(hep: Hep) -> Collector | None:
    """Whom SIP is sent to; None for nobody."""
    if hep.host is None:
        return None
    return Collector(hep.host, hep.port, hep.id, hep.password.reveal() if hep.password is not None else "")


def _request(messages: Sequence[Message]) -> Request | None:
    read: Request | Response | None
    for each in messages:
        try:
            read = parse(each.data)
        except MalformedMessage as broken:
            read = broken.request
        if isinstance(read, Request):
            return read
    return None


def _user(request: Request | None, field: str) -> str:
    if request is None:
        return ""
    try:
        return str(getattr(request, field).uri)[:200]
    except Malformed:
        return ""
