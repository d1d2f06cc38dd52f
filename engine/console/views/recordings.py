"""Recordings: a list by queue, agent, market, language and day; and one, drawn, beside what was said."""

from __future__ import annotations

from markupsafe import Markup

from engine.console.files import FILTERS, Found
from engine.console.language import clock
from engine.console.look import BASE, Look, address
from engine.console.markup import tag
from engine.console.views import pieces
from engine.console.views.call import record
from engine.console.views.filters import choice, pages, search
from engine.console.views.found import found
from engine.console.views.judged import judged
from engine.console.views.one_call import file_of
from engine.console.views.pieces import cell, link, moment, name, row, table
from engine.console.views.recording import recording
from engine.console.views.said import captions
from engine.console.views.shares import shares
from engine.events import CallRecord
from engine.store.records import RecordPage
from engine.store.transcripts import Review

FIELDS = ("queue", "agent", "market", "language", "day", "said")


def list_head(look: Look) -> Markup:
    return pieces.head(look, look.say("page.recordings"))


def filters(look: Look) -> Markup:
    say, place = look.say, look.place
    shown: list[CallRecord | Review] = []
    if isinstance(look.loaded, RecordPage):
        shown = [*look.loaded.items]
    elif isinstance(look.loaded, Found):
        shown = [each.review for each in look.loaded.items]
    markets = sorted({each.market for each in shown} | {call.market for call in look.now.calls})
    languages = sorted({each.language for each in shown} | {call.language for call in look.now.calls})
    day = tag(
        "label",
        tag("span", say("filter.day"), class_="quiet"),
        tag("input", type="date", name="day", value=place.get("day"), aria_label=say("filter.day")),
        class_="filter",
    )
    fields = [
        choice(say, "queue", place.get("queue"), [queue.name for queue in look.now.queues]),
        choice(say, "agent", place.get("agent"), [agent.name for agent in look.now.agents]),
        choice(say, "market", place.get("market"), list(filter(None, markets))),
        choice(say, "language", place.get("language"), list(filter(None, languages))),
        day,
        search(say, "said", place.get("said"), "auto"),
    ]
    there = any(place.get(each) for each in FIELDS)
    clear = link(say("calls.clear"), address("recordings")) if there else None
    return tag(
        "form", fields, clear, class_="filters", role="search", data_go=f"{BASE}/recordings", data_live=True,
        data_key=f"filters-{there}",
    )  # fmt: skip


def listed(look: Look) -> Markup:
    say = look.say
    if isinstance(look.loaded, Found):
        return found(look, look.loaded)
    if not isinstance(look.loaded, RecordPage):
        return tag("section", tag("p", say("loading"), class_="calm soft"), class_="card", aria_busy="true")
    if not look.loaded.items:
        filtered = any(look.place.get(key) for key in (*FILTERS, "day", "cursor"))
        key = "calls.none.filtered" if filtered else "recordings.none"
        return tag("section", pieces.empty(say, key), class_="card")
    heads = [
        (say("calls.customer"), ""),
        (say("calls.when"), ""),
        (say("record.talk"), "number"),
        (say("queue.name"), ""),
        (say("calls.agent"), ""),
        (say("record.market"), ""),
        (say("filter.language"), ""),
    ]
    rows = [_row(look, each) for each in look.loaded.items]
    return tag(
        "section",
        table(heads, rows, label=say("page.recordings")),
        pages(look, look.loaded.next),
        class_="card first-table",
    )


def _row(look: Look, each: CallRecord) -> Markup:
    who = name(pieces.called(look.say, each.customer))
    return row(
        each.call,
        cell(link(who, address("recordings", each.call), class_="strong")),
        cell(moment(each.ended_at, "day")),
        cell(clock(each.talk_s), "number"),
        cell(name(each.queue) if each.queue else "–"),
        cell(name(each.agent) if each.agent else "–"),
        cell(name(each.market)),
        cell(tag("span", each.language, class_="language-code")),
        to="recording",
    )


def head(look: Look) -> Markup:
    say, found = look.say, file_of(look).record
    back = address("recordings")
    if found is None:
        soft = say("call.loading" if look.loaded is None else "call.unknown_id")
        return pieces.head(look, look.place.id, back=back, soft=soft)
    about = [
        moment(found.offered_at, "full"),
        link(name(found.queue), address("queues", found.queue)) if found.queue else None,
        link(name(found.agent), address("agents", found.agent)) if found.agent else None,
        tag("span", found.language, class_="language-code") if found.language else None,
    ]
    call = link(say("recording.call"), address("calls", found.call), class_="button")
    return pieces.head(look, pieces.called(say, found.customer), call, back=back, soft=about)


LIST = {"head": list_head, "filters": filters, "list": listed}
PARTS = {
    "head": head,
    "recording": recording,
    "captions": captions,
    "judged": judged,
    "shares": shares,
    "record": record,
}
PILES = (("recording", "captions"), ("judged", "shares", "record"))
