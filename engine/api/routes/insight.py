"""Why a call was bad: its SIP messages, quality over time, timeline and diagnosis; and who was refused."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from engine.access.principal import Principal
from engine.access.role import Permission
from engine.api import insight_schemas as bodies
from engine.api.deps import View, may
from engine.api.documented import problems
from engine.api.plain import Plain
from engine.api.problem import Problem, not_found
from engine.api.routes.calls import CallId
from engine.api.routes.records import Instant
from engine.insight.diagnosis import Verdict, diagnose
from engine.insight.facts import Case, Facts, Seen
from engine.insight.insight import case_of
from engine.insight.pcap import capture
from engine.insight.timeline import timeline
from engine.insight.trace import Message, Trace
from engine.insight.words import fine, language_of, tell

router = APIRouter(tags=["calls"])

Reader = Annotated[Principal, may(Permission.CALLS)]
Writer = Annotated[Principal, may(Permission.CONFIGURE)]

Address = Annotated[str, Path(pattern=r"^[0-9A-Fa-f:.]{2,45}$", description="Any address of the source.")]

PCAP = "application/vnd.tcpdump.pcap"
MOST_REFUSED = 200


class WordsQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    language: str = Field(
        default="",
        max_length=64,
        pattern=r"^[A-Za-z0-9-]*$",
        description="en, es, zh or ar; left out: what `Accept-Language` asks for.",
    )


class RefusedQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    source: Plain | None = Field(default=None, description="Only requests from this address.")
    since: Instant | None = Field(default=None, description="Only requests then or later.")
    until: Instant | None = Field(default=None, description="Only requests before then.")
    challenges: bool = Field(
        default=False,
        description="Those that were asked for credentials (401, 407), instead of those that were refused.",
    )
    limit: int = Field(default=50, ge=1, le=MOST_REFUSED, description="Most items to answer with.")


Accepted = Annotated[
    str, Header(alias="Accept-Language", max_length=256, description="Languages that are read, best first.")
]


async def kept(view: View, id: str) -> tuple[Trace, bool]:
    """The trace of a call, and whether it goes on. Raises Problem."""
    look = view.insight.look(id)
    trace = await run_in_threadpool(view.insight.trace, id, look)
    if trace is None:
        detail = f"of call {id!r} no SIP messages and no quality are kept"
        raise Problem(404, "unknown-trace", detail)
    return trace, look is not None and look.ended is None


async def case(view: View, id: str) -> tuple[Case, bool]:
    """All that is known of a call, and whether it goes on. Raises Problem."""
    look = view.insight.look(id)
    live = look is not None and look.ended is None

    def ask() -> Case | None:
        trace, record, events = view.insight.trace(id, look), view.record(id), view.events(id)
        if trace is None and record is None and not events:
            return None
        return case_of(id, trace, record, events, time.time() if live else None)

    found = await run_in_threadpool(ask)
    if found is None:
        raise not_found("call", id)
    return found, live


@router.get(
    "/v1/calls/{call}/sip",
    summary="See a call's SIP ladder",
    operation_id="get_call_sip",
    responses=problems(401, 403, 404, 422, 503, noun="trace"),
)
async def get_call_sip(view: View, _: Reader, id: CallId) -> bodies.SipLadder:
    """Every SIP message of all legs, both ways, with what was repeated; live as well."""
    trace, live = await kept(view, id)

    def drawn() -> bodies.SipLadder:
        messages = _messages(trace.messages, trace.began)
        return bodies.SipLadder(call=id, live=live, omitted=trace.omitted, messages=messages)

    return await run_in_threadpool(drawn)


@router.get(
    "/v1/calls/{call}/sip.pcap",
    summary="Download a call's SIP messages as a capture",
    operation_id="get_call_pcap",
    response_class=Response,
    responses={
        200: {"content": {PCAP: {}}, "description": "For Wireshark or tshark, in plain text."},
        **problems(401, 403, 404, 422, 503, noun="trace"),
    },
)
async def get_call_pcap(view: View, _: Reader, id: CallId) -> Response:
    """A libpcap file of UDP datagrams with the messages' own addresses, ports and times, whatever their
    transport was.
    """
    trace, _live = await kept(view, id)
    sent = [each.frame() for each in trace.messages if each.data and not each.fault]
    file = await run_in_threadpool(capture, sent)
    headers = {"Content-Disposition": f'attachment; filename="{id}.pcap"', "Cache-Control": "no-store"}
    return Response(file, media_type=PCAP, headers=headers)


@router.get(
    "/v1/calls/{call}/quality",
    summary="See a call's quality over time",
    operation_id="get_call_quality",
    responses=problems(401, 403, 404, 422, 503, noun="trace"),
)
async def get_call_quality(view: View, _: Reader, id: CallId) -> bodies.CallQuality:
    """Each leg's sound, about every five seconds; of long calls neighbours become one."""
    trace, live = await kept(view, id)
    legs = [
        bodies.LegSeries(
            leg=leg.leg,
            side=leg.side,
            samples=[bodies.QualitySample(**each._asdict(), loss=each.loss) for each in leg.samples],
        )
        for leg in trace.quality
    ]
    return bodies.CallQuality(call=id, live=live, legs=legs)


@router.get(
    "/v1/calls/{call}/timeline",
    summary="See a call's timeline",
    operation_id="get_call_timeline",
    responses=problems(401, 403, 404, 422, 503, noun="call"),
)
async def get_call_timeline(view: View, _: Reader, id: CallId) -> bodies.CallTimeline:
    """States, legs, decisions with their reasons, and troubles, in one list."""
    found, live = await case(view, id)
    moments = await run_in_threadpool(lambda: timeline(Facts(found)))
    items = [bodies.TimelineMoment.model_validate(asdict(each)) for each in moments]
    return bodies.CallTimeline(call=id, live=live, items=items)


@router.get(
    "/v1/calls/{call}/diagnosis",
    summary="See what went wrong in a call",
    operation_id="get_call_diagnosis",
    responses=problems(401, 403, 404, 422, 503, noun="call"),
)
async def get_call_diagnosis(
    view: View, _: Reader, id: CallId, query: Annotated[WordsQuery, Query()], accepted: Accepted = ""
) -> bodies.Diagnosis:
    """Findings in plain words, the surest first, each with what shows it and what to do; or that nothing went
    wrong, with the numbers that say so.
    """
    found, live = await case(view, id)
    verdict = await run_in_threadpool(diagnose, found)
    return _diagnosis(verdict, language_of(query.language or accepted), live)


@router.get(
    "/v1/sip/refused",
    summary="List SIP requests that were refused",
    operation_id="list_refused_sip",
    responses=problems(401, 403, 422),
    tags=["node"],
)
async def list_refused_sip(
    view: View, _: Reader, query: Annotated[RefusedQuery, Query()]
) -> bodies.RefusedList:
    """The newest of them, as far as memory reaches: calls and registrations that were turned down, also those
    that no call was begun for. Sources that are blocked get no answer and are not here.
    """
    looks = view.insight.refused(
        challenges=query.challenges,
        source=query.source,
        since=query.since.timestamp() if query.since else None,
        until=query.until.timestamp() if query.until else None,
        limit=query.limit,
    )

    def read() -> list[bodies.RefusedRequest]:
        found = [each.read() for each in looks]
        return [
            bodies.RefusedRequest.model_validate(
                {
                    **{name: getattr(each, name) for name in bodies.RefusedRequest.model_fields},
                    "messages": _messages(each.messages, each.at),
                }
            )
            for each in found
        ]

    return bodies.RefusedList(items=await run_in_threadpool(read))


@router.get(
    "/v1/sip/blocked",
    summary="List sources that are answered no more",
    operation_id="list_blocked_sources",
    responses=problems(401, 403),
    tags=["node"],
)
async def list_blocked_sources(view: View, _: Reader) -> bodies.TurnedAwayList:
    """Those that guessed passwords or scanned, by SIP or at an agent's page, until their time is over."""
    items = [bodies.TurnedAway.model_validate(each) for each in view.insight.turned_away()]
    return bodies.TurnedAwayList(items=items)


@router.delete(
    "/v1/sip/blocked/{address}",
    status_code=204,
    summary="Answer a source again",
    operation_id="unblock_source",
    responses=problems(401, 403, 404, 422, noun="source"),
    tags=["node"],
)
async def unblock_source(
    view: View,
    caller: Writer,
    address: Address,
) -> None:
    """What it failed is forgotten. To keep a source of yours from being blocked: `guard.exempt` in
    sip.yaml.
    """
    if not view.insight.let_off(address, caller.who):
        raise not_found("source", address)


def _messages(messages: Sequence[Message], began: float) -> list[bodies.SipMessage]:
    """As they are shown; what went the same way before is marked."""
    facts = Facts(Case("", began, None, (), messages, ()))
    before: set[tuple[bool, str, int, bytes]] = set()
    shown = []
    for seen in facts.seen:
        each = seen.message
        same = (each.inward, each.host, each.port, each.data)
        shown.append(_message(seen, began, bool(each.data) and same in before and not each.fault))
        before.add(same)
    return shown


def _message(seen: Seen, began: float, repeated: bool) -> bodies.SipMessage:
    each = seen.message
    values: dict[str, Any] = {
        "index": seen.index,
        "at": each.at,
        "t": round(each.at - began, 4),
        "inward": each.inward,
        "transport": each.transport,
        "remote": _address(each.host, each.port),
        "own": _address(each.own_host, each.own_port),
        "side": each.side,
        "who": each.who,
        "leg": each.leg,
        "call_id": seen.call_id,
        "method": seen.method,
        "status": seen.status,
        "first": seen.line,
        "text": each.text,
        "repeated": repeated,
        "fault": seen.fault,
    }
    return bodies.SipMessage.model_validate(values)


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _diagnosis(verdict: Verdict, language: str, live: bool) -> bodies.Diagnosis:
    findings = []
    for each in verdict.found:
        told = tell(each, language)
        findings.append(
            bodies.Finding(
                fault=each.fault,
                sure=each.sure,
                side=each.side,
                sentence=told.sentence,
                remedy=told.remedy,
                evidence=[bodies.Proof.model_validate(asdict(proof)) for proof in each.evidence],
            )
        )
    return bodies.Diagnosis(
        call=verdict.call,
        live=live,
        fine=verdict.fine,
        language=language,
        sentence=findings[0].sentence if findings else fine(verdict, language),
        findings=findings,
        figures=[bodies.Figures.model_validate(asdict(each)) for each in verdict.figures],
    )
