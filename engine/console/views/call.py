"""A call, live or over: what happened, how it sounded, what was said, and what went wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from engine.console.door import WRITE
from engine.console.files import CallFile
from engine.console.insight import Finding, LegQuality
from engine.console.language import DASH, clock
from engine.console.look import Look, address
from engine.console.markup import Content, tag
from engine.console.story import Lane, Span, Story, told
from engine.console.views import pieces
from engine.console.views.chart import Scale, Series, chart
from engine.console.views.ladder import ladder
from engine.console.views.pieces import card, cell, icon, link, moment, name, pill, row, since, table
from engine.events import CallRecord
from engine.store.rows import Entry
from engine.views import CallView, LegView

MOST_ENTRIES = 400
MOST_WORDS = 600
STATES: Mapping[str, str] = {
    "talking": "busy",
    "held": "warn",
    "queued": "warn",
    "offered": "warn",
    "greeting": "soft",
    "ending": "soft",
    "ended": "soft",
}
OUTCOMES: Mapping[str, str] = {"completed": "good", "transferred": "good", "abandoned": "warn", "left_queue": "warn"}


def _file(look: Look) -> CallFile:
    return look.loaded if isinstance(look.loaded, CallFile) else CallFile(id=look.place.id)


def _live(look: Look) -> CallView | None:
    return look.now.by_call.get(look.place.id)


# --- the head --------------------------------------------------------------------------------------


def head(look: Look) -> Markup:
    say, call, record = look.say, _live(look), _file(look).record
    back = address("calls", when="" if call else "ended")
    if call is None and record is None:
        waits = look.loaded is None
        return pieces.head(look, look.place.id, back=back, soft=say("call.loading" if waits else "call.unknown_id"))
    if call is not None:
        who, state, level = call.customer, say.known(f"state.{call.state}", call.state), STATES.get(call.state, "soft")
        about = [pill(state, level), since(call.since, class_="number strong"), *_about(look, call.queue, call.agent, call.language)]
        return pieces.head(look, who or say("call.unknown"), *_acts(look, call), back=back, soft=about)
    assert record is not None
    reason = say.known(f"reason.{record.reason}", str(record.reason))
    about = [
        pill(reason, OUTCOMES.get(record.reason, "bad")),
        moment(record.offered_at, "full"),
        *_about(look, record.queue, record.agent, record.language),
    ]
    return pieces.head(look, record.customer or say("call.unknown"), back=back, soft=about)


def _about(look: Look, queue: str, agent: str, language: str) -> list[Content]:
    return [
        link(name(queue), address("queues", queue)) if queue else None,
        link(name(agent), address("agents", agent)) if agent else None,
        tag("span", language, class_="language-code") if language else None,
    ]


def _acts(look: Look, call: CallView) -> list[Content]:
    if not look.who.may(WRITE):
        return []
    say = look.say
    words = [icon("hangup"), say("call.hangup")]
    button = tag("button", words, type="button", data_opens="hangup", class_="danger")
    sure = tag("button", say("call.hangup"), type="button", class_="stop", data_do="hangup", data_closes=True)
    who = call.customer or say("call.unknown")
    return [button, pieces.confirm("hangup", say, "call.hangup.sure", sure, who=who)]


# --- what went wrong -------------------------------------------------------------------------------


def findings(look: Look) -> Markup:
    say, found = look.say, _file(look).findings
    title = say("findings.title")
    if found is None:
        return card(title, _legs_troubles(look) or pieces.empty(say, "findings.none"), key="findings")
    if not found:
        return card(title, tag("div", icon("good"), tag("p", say("findings.well")), class_="calm"), key="findings")
    return card(title, tag("ul", [_finding(look, each) for each in found], class_="rows findings"), key="findings")


LEVELS = {"fault": "bad", "likely": "warn", "note": "soft"}


def _finding(look: Look, found: Finding) -> Markup:
    say = look.say
    level = LEVELS[found.weight]
    evidence = tag("ul", [tag("li", name(each)) for each in found.evidence], class_="evidence") if found.evidence else None
    return tag(
        "li",
        icon("warning"),
        tag(
            "div",
            tag("p", tag("span", found.what, class_="strong"), pill(say(f"findings.{found.weight}"), level)),
            tag("p", found.remedy, class_="remedy") if found.remedy else None,
            evidence,
        ),
        class_=level,
        data_key=f"{found.kind}-{found.what}",
    )


def _legs_troubles(look: Look) -> Markup | None:
    """What the engine itself says of a live call's sound."""
    call = _live(look)
    if call is None:
        return None
    rows = [
        tag(
            "li",
            icon("warning"),
            tag(
                "div",
                tag("p", look.say.known(f"trouble.{trouble.kind}", trouble.kind), class_="strong"),
                tag("p", trouble.cause, class_="soft", lang="en", dir="ltr"),
            ),
            class_="warn",
            data_key=f"{leg.id}-{trouble.kind}",
        )
        for leg in call.legs
        for trouble in leg.troubles
    ]
    return tag("ul", rows, class_="rows alerts") if rows else None


# --- over time -------------------------------------------------------------------------------------


def timeline(look: Look) -> Markup:
    say, file = look.say, _file(look)
    story = told(file.entries, look.now.at)
    if not story.lanes:
        return card(say("story.title"), pieces.empty(say, "story.none"), key="story")
    lanes = [_lane(look, story, lane) for lane in story.lanes]
    ends = tag("div", tag("span", "0:00"), tag("span", clock(story.seconds)), class_="axis", dir="ltr")
    return card(
        say("story.title"),
        tag("div", lanes, tag("div", tag("span"), ends, class_="lane"), class_="lanes"),
        _kinds(look, story),
        more=tag("span", clock(story.seconds), class_="soft number"),
        key="story",
    )


KINDS: Mapping[str, str] = {
    "arrived": "soft",
    "greeting": "soft",
    "queued": "warn",
    "offered": "warn",
    "dialling": "warn",
    "talking": "busy",
    "held": "held",
    "transferring": "held",
    "on": "good",
    "paused": "held",
    "missed": "bad",
}


def _lane(look: Look, story: Story, lane: Lane) -> Markup:
    say = look.say
    words = say(f"lane.{lane.kind}") if lane.kind in ("caller", "recording") else lane.name
    if lane.kind == "sound":
        words = say("lane.sound", side=say.known(f"side.{lane.name}", lane.name))
    bars = [_span(look, story, span, lane) for span in lane.spans]
    label = tag("span", link(name(words), address("agents", words)) if lane.kind == "agent" and words in _agents(look) else name(words))
    drawn = tag("svg", bars, height=22, role="img", aria_label=f"{words}: {_heard(look, lane)}", dir="ltr")
    return tag("div", label, drawn, class_=f"lane {lane.kind}", data_key=f"{lane.kind}-{lane.name}")


def _agents(look: Look) -> set[str]:
    return {agent.name for agent in look.now.agents}


def _word(look: Look, span: Span) -> str:
    for key in (f"span.{span.kind}", f"state.{span.kind}", f"trouble.{span.kind}"):
        found = look.say.known(key, "")
        if found:
            return found
    return span.kind


def _heard(look: Look, lane: Lane) -> str:
    return "; ".join(f"{_word(look, span)} {clock(span.end - span.begin)}" for span in lane.spans[:12])


def _span(look: Look, story: Story, span: Span, lane: Lane) -> Markup:
    left = (span.begin - story.begin) / story.seconds * 100
    wide = max((span.end - span.begin) / story.seconds * 100, 0.6)
    level = KINDS.get(span.kind, "bad" if lane.kind == "sound" else "soft")
    words = f"{_word(look, span)}, {clock(span.end - span.begin)}" + (f". {span.note}" if span.note else "")
    x, width = f"{min(left, 99.4):.2f}%", f"{min(wide, 100 - min(left, 99.4)):.2f}%"
    return tag("rect", tag("title", words), x=x, y=3, width=width, height=16, rx=4, class_=f"span {level}")


def _kinds(look: Look, story: Story) -> Markup:
    """What the colours mean, of those that are there."""
    there = dict.fromkeys(span.kind for lane in story.lanes if lane.kind != "sound" for span in lane.spans)
    told_of = [
        tag("li", tag("i", class_=f"sign {KINDS.get(kind, 'soft')}", aria_hidden="true"), _word(look, Span(kind, 0, 0)))
        for kind in there
    ]
    return tag("ul", told_of, class_="legend")


# --- sound -----------------------------------------------------------------------------------------


def legs(look: Look) -> Markup:
    """How each phone hears and is heard now; of a call that is over, in all."""
    say, call = look.say, _live(look)
    if call is None:
        return _record_legs(look)
    heads = [
        (say("leg.side"), ""),
        (say("leg.mos"), "number"),
        (say("leg.loss"), "number"),
        (say("leg.jitter"), "number"),
        (say("leg.codec"), ""),
    ]
    rows = [_leg(look, leg) for leg in call.legs]
    return card(say("legs.title"), table(heads, rows, label=say("legs.title")), key="legs")


def mos_level(mos: float | None) -> str:
    """Of ITU-T G.107's scale: from 4 on satisfied, under 3.1 many are not."""
    return "soft" if mos is None else "good" if mos >= 4.0 else "warn" if mos >= 3.1 else "bad"


def _leg(look: Look, leg: LegView) -> Markup:
    say = look.say
    mos = leg.mos_now if leg.mos_now is not None else leg.mos
    words = leg.codec or DASH
    return row(
        str(leg.id),
        cell([tag("b", say(f"side.{leg.side}")), tag("span", name(leg.remote or DASH), class_="soft below")]),
        cell(tag("b", say.number(mos, 2), class_=mos_level(mos)), "number"),
        cell(say.share(leg.loss, 1), "number"),
        cell(say.ms(leg.jitter_ms), "number"),
        cell([tag("span", words), pill(say("leg.encrypted"), "good") if leg.encryption else pill(say("leg.plain"))]),
    )


def _record_legs(look: Look) -> Markup:
    say, record = look.say, _file(look).record
    if record is None:
        return Markup("")
    heads = [(say("leg.side"), ""), (say("leg.mos"), "number"), (say("leg.loss"), "number"), (say("leg.jitter"), "number"), (say("leg.codec"), "")]
    sides = (
        ("customer", record.customer_mos, record.customer_loss, record.customer_jitter_ms, record.customer_codec, record.customer_encryption),
        ("agent", record.agent_mos, record.agent_loss, record.agent_jitter_ms, record.agent_codec, record.agent_encryption),
    )
    rows = [
        row(
            side,
            cell(tag("b", say(f"side.{side}"))),
            cell(tag("b", say.number(mos, 2), class_=mos_level(mos)), "number"),
            cell(say.share(loss, 1), "number"),
            cell(say.ms(jitter), "number"),
            cell([tag("span", codec), pill(say("leg.encrypted"), "good") if encryption else None]),
        )
        for side, mos, loss, jitter, codec, encryption in sides
        if codec
    ]
    return card(say("legs.title"), table(heads, rows, label=say("legs.title")), key="legs")


# what is drawn of samples: field, scale, digits
FIGURES: Sequence[tuple[str, Scale, float]] = (
    ("mos", Scale(1.0, 4.5, ((4.0, "4.0"), (3.1, "3.1"))), 1.0),
    ("loss", Scale(0.0, 5.0, ((1.0, "1 %"),)), 100.0),
    ("jitter_ms", Scale(0.0, 40.0, ((20.0, "20 ms"),)), 1.0),
    ("delay_ms", Scale(0.0, 300.0, ((150.0, "150 ms"),)), 1.0),
)


def quality(look: Look) -> Markup:
    say, found = look.say, _file(look).quality
    title = say("quality.title")
    drawn = _charts(look, found) if found else []
    if not drawn:
        return card(title, pieces.empty(say, "quality.none"), key="quality")
    return card(title, tag("div", drawn, class_="charts"), key="quality")


def _charts(look: Look, found: Sequence[LegQuality]) -> list[Markup]:
    say = look.say
    times = [sample.at for leg in found for sample in leg.samples]
    if len(times) < 2:
        return []
    begin, end = min(times), max(times)
    drawn = []
    for field, scale, times_ in FIGURES:
        series = [
            Series(leg.side, say.known(f"side.{leg.side}", leg.side), tuple((s.at, _scaled(getattr(s, field), times_)) for s in leg.samples))
            for leg in found
        ]
        if any(value is not None for each in series for _, value in each.points):
            drawn.append(chart(say(f"quality.{field}"), series, scale, begin, end))
    return drawn


def _scaled(value: float | None, times: float) -> float | None:
    return None if value is None else value * times


# --- SIP -------------------------------------------------------------------------------------------


def sip(look: Look) -> Markup:
    say, found = look.say, _file(look).ladder
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
    return card(title, ladder(say, found), more=save if look.who.may("pcap") else None, key="sip")


# --- what was said ---------------------------------------------------------------------------------


def captions(look: Look) -> Markup:
    say, found = look.say, _file(look).said
    live = _live(look) is not None
    more = tag("span", pieces.dot("good live"), say("wall.live"), class_="live-word soft") if live else None
    if not found:
        return card(say("captions.title"), pieces.empty(say, "captions.live" if live else "captions.none"), more=more, key="captions")
    shown = found[-MOST_WORDS:]
    lines = [
        tag(
            "li",
            tag("b", say(f"side.{each.side}"), tag("span", clock(each.begin), class_="number")),
            tag("span", each.text, lang=each.language or None, dir="auto"),
            tag("span", each.translation, class_="other", dir="auto") if each.translation else None,
            _marks(look, each.low, each.gist),
            class_="caption",
            data_mine=each.side == "agent",
            data_final=True,
            data_key=f"{each.side}-{each.begin:.2f}",
        )
        for each in shown
    ]
    body = tag("ol", lines, class_="captions", tabindex=0, role="log" if live else None, aria_labelledby="captions-title", data_tail=live)
    return card(say("captions.title"), body, more=more, key="captions")


def _marks(look: Look, low: bool, gist: bool) -> Markup | None:
    marks = [look.say(key) for key, there in (("captions.low", low), ("captions.gist", gist)) if there]
    return tag("span", [tag("span", each, class_="mark") for each in marks], class_="marks") if marks else None


# --- why -------------------------------------------------------------------------------------------


def decisions(look: Look) -> Markup:
    say, file = look.say, _file(look)
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
    say, file = look.say, _file(look)
    call = _live(look)
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
        pairs.insert(6, (say("record.pdd"), f"{say.number(of.post_dial_delay_s, 1)} s"))
    return pairs


def events(look: Look) -> Markup:
    say, file = look.say, _file(look)
    if not file.entries:
        return Markup("")
    shown = file.entries[-MOST_ENTRIES:]
    rows = [_entry(look, each) for each in reversed(shown)]
    heading = tag("summary", tag("h2", say("events.title")), tag("span", say.number(len(file.entries)), class_="count"))
    return tag("section", tag("details", heading, tag("ol", rows, class_="rows events")), class_="card", data_key="events")


def _entry(look: Look, entry: Entry) -> Markup:
    """The engine's own words: an event's name and its fields, which docs and journal have as well."""
    fields = [
        tag("span", tag("span", f"{key} ", class_="soft"), name(_short(value)))
        for key, value in {**entry.data, **entry.person}.items()
        if value not in ("", None, [], {})
    ]
    words = tag("p", tag("code", entry.kind, class_="strong"))
    return tag("li", moment(entry.at), tag("div", words, tag("p", fields, class_="fields")), data_key=f"{entry.node}-{entry.seq}")


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
    "captions": captions,
    "legs": legs,
    "decisions": decisions,
    "record": record,
}
PILES = (("findings", "timeline", "quality", "sip", "events"), ("captions", "legs", "decisions", "record"))
