"""A call, live or over: its head, its SIP, its decisions and its record; other modules draw the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from engine.access.role import Permission
from engine.console.language import clock
from engine.console.look import Look, address
from engine.console.markup import Content, tag
from engine.console.story import told
from engine.console.views import pieces
from engine.console.views.agents import asks
from engine.console.views.beside import beside
from engine.console.views.findings import findings
from engine.console.views.ladder import ladder
from engine.console.views.one_call import file_of, live_of
from engine.console.views.pieces import card, icon, link, moment, name, pill, since
from engine.console.views.place import place
from engine.console.views.recording import recording
from engine.console.views.said import captions
from engine.console.views.sound import legs, quality
from engine.console.views.timeline import timeline
from engine.events import CallRecord
from engine.latency import Latencies
from engine.store.rows import Entry
from engine.views import CallView

MOST_ENTRIES = 400
STATES: Mapping[str, str] = {
    "talking": "busy",
    "held": "warn",
    "queued": "warn",
    "offered": "warn",
    "greeting": "soft",
    "ending": "soft",
    "ended": "soft",
}
OUTCOMES: Mapping[str, str] = {
    "completed": "good",
    "transferred": "good",
    "abandoned": "warn",
    "left_queue": "warn",
}


# --- the head --------------------------------------------------------------------------------------


def head(look: Look) -> Markup:
    say, call, record = look.say, live_of(look), file_of(look).record
    back = address("calls", when="" if call else "ended")
    if call is None and record is None:
        waits = look.loaded is None
        return pieces.head(
            look, look.place.id, back=back, soft=say("call.loading" if waits else "call.unknown_id")
        )
    if call is not None:
        who, state, level = (
            call.customer,
            say.known(f"state.{call.state}", call.state),
            STATES.get(call.state, "soft"),
        )
        about = [
            pill(state, level),
            since(call.since, class_="number strong"),
            *_about(look, call.queue, call.agent, call.language),
        ]
        return pieces.head(look, pieces.called(say, who), *_acts(look, call), back=back, soft=about)
    assert record is not None
    reason = say.known(f"reason.{record.reason}", str(record.reason))
    about = [
        pill(reason, OUTCOMES.get(record.reason, "bad")),
        moment(record.offered_at, "full"),
        *_about(look, record.queue, record.agent, record.language),
    ]
    return pieces.head(look, pieces.called(say, record.customer), back=back, soft=about)


def _about(look: Look, queue: str, agent: str, language: str) -> list[Content]:
    return [
        link(name(queue), address("queues", queue)) if queue else None,
        link(name(agent), address("agents", agent)) if agent else None,
        tag("span", language, class_="language-code") if language else None,
    ]


def _acts(look: Look, call: CallView) -> list[Content]:
    if not look.who.may(Permission.ACT_ON_CALLS):
        return []
    say = look.say
    words = [icon("hangup"), say("call.hangup")]
    button = tag("button", words, type="button", data_opens="hangup", class_="danger")
    sure = tag("button", say("call.hangup"), type="button", class_="stop", data_do="hangup", data_closes=True)
    who = pieces.called(say, call.customer)
    return [button, pieces.confirm("hangup", say, "call.hangup.sure", sure, who=who)]


# --- her agent -------------------------------------------------------------------------------------


def agent(look: Look) -> Markup:
    """What may be asked of the agent who has the call, and said to her page."""
    call = live_of(look)
    found = next((each for each in look.now.agents if call is not None and each.name == call.agent), None)
    if found is None or not look.who.may(Permission.ACT_ON_AGENTS):
        return Markup("")
    return asks(look, found, look.say("call.agent", name=found.name))


# --- SIP -------------------------------------------------------------------------------------------


def sip(look: Look) -> Markup:
    say, found = look.say, file_of(look).ladder
    title = say("ladder.title")
    if found is None or not found.messages:
        return card(title, pieces.empty(say, "ladder.none"), key="sip")
    save = tag(
        "a",
        [icon("download"), say("ladder.pcap")],
        href=f"/v1/calls/{look.place.id}/sip.pcap",
        download=True,
        class_="button",
    )
    return card(title, ladder(say, found), more=save if look.who.may(Permission.CALLS) else None, key="sip")


# --- why -------------------------------------------------------------------------------------------


def decisions(look: Look) -> Markup:
    say, file = look.say, file_of(look)
    found = told(file.entries, look.now.at).decisions
    if not found:
        return card(say("decisions.title"), pieces.empty(say, "decisions.none"), key="decisions")
    rows = [
        tag(
            "li",
            moment(each.at),
            tag(
                "div",
                tag("p", say(f"decision.{each.kind}", what=each.what), class_="strong"),
                tag("p", name(each.why), class_="soft", lang="en"),
            ),
            data_key=f"{each.at}-{each.kind}",
        )
        for each in found
    ]
    return card(say("decisions.title"), tag("ol", rows, class_="rows"), key="decisions")


# --- the record, and every event -------------------------------------------------------------------


def record(look: Look) -> Markup:
    say, file = look.say, file_of(look)
    call = live_of(look)
    pairs: list[tuple[str, Content]] = []
    if file.record is not None:
        pairs = _record(look, file.record)
    elif call is not None:
        pairs = [
            (say("record.number"), name(call.number)),
            (say("record.market"), name(call.market)),
            (say("record.region"), name(call.region)),
            (say("record.id"), tag("code", call.id)),
        ]
    if not pairs:
        return Markup("")
    summary = None
    if file.review is not None and file.review.summary:
        summary = tag("p", file.review.summary, class_="summary", dir="auto")
    return card(say("record.title"), summary, pieces.facts(pairs), key="record")


def _record(look: Look, of: CallRecord) -> list[tuple[str, Content]]:
    say = look.say
    by = say.known(f"side.{of.ended_by}", str(of.ended_by))
    pairs: list[tuple[str, Content]] = [
        (say("record.began"), moment(of.offered_at, "full")),
        (say("record.ended"), moment(of.ended_at, "full")),
        (say("record.by"), by),
        (say("record.wait"), clock(of.wait_s)),
        (say("record.talk"), clock(of.talk_s)),
        (say("record.hold"), clock(of.hold_s)),
        (say("record.number"), name(of.number)),
        (say("record.market"), name(of.market)),
        (say("record.region"), name(of.region)),
        (say("record.node"), name(of.node)),
        (say("record.source"), name(of.source)),
        (say("record.misses"), say.number(of.misses)),
        (say("record.transfers"), say.number(of.transfers)),
        (say("record.recording"), name(of.recording) if of.recording else say("record.recording.none")),
        (say("record.id"), tag("code", of.call)),
    ]
    if of.post_dial_delay_s is not None:
        pairs.insert(6, (say("record.pdd"), say.unit(of.post_dial_delay_s, "s", 1)))
    late = (("fig.asr_latency_ms", of.asr_latency), ("fig.mt_latency_ms", of.mt_latency))
    return pairs + [(say(words), _late(look, each)) for words, each in late if each is not None]


def _late(look: Look, late: Latencies) -> str:
    """On average, and of nearly all."""
    mean, most = (look.say.unit(each, "ms", 0) for each in (late.mean_ms, late.p95_ms))
    return look.say("record.late", mean=mean, most=most)


def events(look: Look) -> Markup:
    say, file = look.say, file_of(look)
    if not file.entries:
        return Markup("")
    shown = file.entries[-MOST_ENTRIES:]
    rows = [_entry(look, each) for each in reversed(shown)]
    heading = tag(
        "summary", tag("h2", say("events.title")), tag("span", say.number(len(file.entries)), class_="count")
    )
    return tag(
        "section",
        tag("details", heading, tag("ol", rows, class_="rows events")),
        class_="card",
        data_key="events",
    )


def _entry(look: Look, entry: Entry) -> Markup:
    """The engine's own words: an event's name and its fields, which docs and journal have as well."""
    fields = [
        tag("span", tag("span", f"{key} ", class_="soft"), name(_short(value)))
        for key, value in {**entry.data, **entry.person}.items()
        if value not in ("", None, [], {})
    ]
    words = tag("p", tag("code", entry.kind, class_="strong"))
    return tag(
        "li",
        moment(entry.at),
        tag("div", words, tag("p", fields, class_="fields")),
        data_key=f"{entry.node}-{entry.seq}",
    )


def _short(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return text if len(text) <= 300 else f"{text[:300]}…"


PARTS = {
    "head": head,
    "findings": findings,
    "timeline": timeline,
    "quality": quality,
    "sip": sip,
    "events": events,
    "beside": beside,
    "place": place,
    "recording": recording,
    "captions": captions,
    "agent": agent,
    "legs": legs,
    "decisions": decisions,
    "record": record,
}
PILES = (
    ("findings", "timeline", "quality", "sip", "events"),
    ("beside", "place", "recording", "captions", "agent", "legs", "decisions", "record"),
)
