"""A call's inside as its page shows it: what the node's insight keeps, in the console's values."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from engine.api.deps import EngineView
from engine.console.insight import Finding, Ladder, LegQuality, Message, Party, Sample, Weight
from engine.insight.diagnosis import diagnose
from engine.insight.facts import Case, Facts, Seen
from engine.insight.insight import case_of
from engine.insight.trace import Message as Trail
from engine.insight.trace import Trace
from engine.insight.words import language_of, tell

NODE, CUSTOMER = "node", "customer"
SURE = 0.75  # from here on a finding is told as a fault


class Inside:
    """An Insight of one call at one moment. Made on the event loop, asked in a worker thread.

    view: as somebody may see it. language: of its sentences. now: epoch s.
    """

    def __init__(self, view: EngineView, call: str, language: str, now: float) -> None:
        self._view, self._call, self._language = view, call, language_of(language)
        self._look = view.insight.look(call)
        live = view.call(call)
        self._customer = live.customer if live is not None else ""
        self._node = view.health().node
        self._now = now if self._look is not None and self._look.ended is None else None

    @cached_property
    def _trace(self) -> Trace | None:
        return self._view.insight.trace(self._call, self._look)

    def ladder(self) -> Ladder | None:
        """A column for the node, and one for whoever is at each address of each side."""
        trace = self._trace
        if trace is None or not trace.messages:
            return None
        seen = Facts(Case(self._call, trace.began, None, (), trace.messages, ())).seen
        far = {_id(each): each.message for each in seen}
        callers = [self._caller(id, each) for id, each in far.items() if each.side == CUSTOMER]
        others = [_other(id, each) for id, each in far.items() if each.side != CUSTOMER]
        first = trace.messages[0]
        own = _address(first.own_host, first.own_port)
        here = Party(id=NODE, kind=NODE, name=self._node, address=own)
        return Ladder(parties=(*callers, here, *others), messages=tuple(_messages(seen)))

    def _caller(self, id: str, message: Trail) -> Party:
        name = self._customer
        if not name and (record := self._view.record(self._call)) is not None:
            name = record.customer
        address = _address(message.host, message.port)
        return Party(id=id, kind=CUSTOMER, name=name, way=message.who, address=address)

    def quality(self) -> Sequence[LegQuality] | None:
        trace = self._trace
        if trace is None:
            return None
        return tuple(
            LegQuality(
                leg=leg.leg,
                side=leg.side,
                samples=tuple(
                    Sample(
                        at=trace.began + each.at,
                        mos=each.mos,
                        loss=each.loss,
                        jitter_ms=each.jitter_ms,
                        delay_ms=None if each.rtt_ms is None else each.rtt_ms / 2 + each.buffer_ms,
                    )
                    for each in leg.samples
                ),
            )
            for leg in trace.quality
        )

    def findings(self) -> Sequence[Finding] | None:
        trace, record, events = self._trace, self._view.record(self._call), self._view.events(self._call)
        if trace is None and record is None and not events:
            return None
        verdict = diagnose(case_of(self._call, trace, record, events, self._now))
        told = ((each, tell(each, self._language)) for each in verdict.found)
        return tuple(
            Finding(
                kind=each.fault,
                weight=Weight.FAULT if each.sure >= SURE else Weight.LIKELY,
                what=words.sentence,
                remedy=words.remedy,
                evidence=tuple(proof.text for proof in each.evidence),
            )
            for each, words in told
        )


def _messages(seen: Sequence[Seen]) -> list[Message]:
    before: set[tuple[str, bool, bytes]] = set()
    made = []
    for each in seen:
        message, far = each.message, _id(each)
        same = (far, message.inward, message.data)
        made.append(
            Message(
                at=each.at,
                source=far if message.inward else NODE,
                target=NODE if message.inward else far,
                label=each.request.method if each.request else each.line.removeprefix("SIP/2.0 "),
                cseq=f"{each.number} {each.method}" if each.method else "",
                text=message.text or each.fault,
                again=bool(message.data) and same in before and not each.fault,
            )
        )
        before.add(same)
    return made


def _id(seen: Seen) -> str:
    """Whom a message went to or came from: several may be at one address, behind a proxy say."""
    message = seen.message
    return " ".join(filter(None, (message.side, message.who, _address(message.host, message.port))))


def _other(id: str, message: Trail) -> Party:
    return Party(id=id, kind=message.side, name=message.who, address=_address(message.host, message.port))


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
