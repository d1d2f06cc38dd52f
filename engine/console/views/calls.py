"""Calls: those in progress, and those that are over, page by page."""

from __future__ import annotations

from markupsafe import Markup

from engine.access.role import Permission
from engine.console.files import ARRIVED, FILTERS, instant
from engine.console.language import clock
from engine.console.look import BASE, Look, address
from engine.console.markup import Content, tag
from engine.console.views import pieces
from engine.console.views.call import OUTCOMES, STATES
from engine.console.views.filters import choice, pages, search
from engine.console.views.pieces import cell, icon, link, moment, name, pill, row, since, table
from engine.console.views.sound import mos_level
from engine.events import CallRecord, EndReason
from engine.store.records import RecordPage
from engine.views import CallView

MOST_LIVE = 300


def head(look: Look) -> Markup:
    say, place = look.say, look.place
    ended = place.get("when") == "ended"
    kept = {key: place.get(key) for key in ("queue", "agent", "market", "language") if place.get(key)}
    tabs = [
        link(say("calls.live"), address("calls", **kept), aria_current=None if ended else "true"),
        link(
            say("calls.ended"), address("calls", when="ended", **kept), aria_current="true" if ended else None
        ),
    ]
    nav = tag("nav", tabs, class_="tabs", aria_label=say("page.calls"))
    return pieces.head(look, say("page.calls"), nav, soft=None if ended else pieces.of_here(look))


def filters(look: Look) -> Markup:
    """Changing a field asks anew; the address says what is shown, so that it can be passed on."""
    say, place, now = look.say, look.place, look.now
    ended = place.get("when") == "ended"
    fields = [
        choice(say, "queue", place.get("queue"), [queue.name for queue in now.queues]),
        choice(say, "agent", place.get("agent"), [agent.name for agent in now.agents]),
        choice(
            say,
            "language",
            place.get("language"),
            sorted({c.language for c in now.calls if c.language} | _own(place.get("language"))),
        ),
    ]
    if ended:
        fields.append(choice(say, "reason", place.get("reason"), [str(each) for each in EndReason], "reason"))
        if look.who.may(Permission.PERSONAL):
            fields.append(search(say, "customer", place.get("customer")))
    else:
        states = sorted({call.state for call in now.calls} | _own(place.get("state")))
        fields.append(choice(say, "state", place.get("state"), states, "state"))
    there = [key for key in (*FILTERS, *ARRIVED, "state") if place.get(key)]
    clear = link(say("calls.clear"), address("calls", when=place.get("when"))) if there else None
    when = tag("input", type="hidden", name="when", value="ended") if ended else None
    return tag(
        "form",
        fields,
        when,
        _kept(look) if ended else None,
        clear,
        class_="filters",
        data_go=f"{BASE}/calls",
        data_live=True,
        role="search",
        data_key=f"filters-{place.get('when')}-{bool(there)}",
    )


def _kept(look: Look) -> list[Markup]:
    """What a report asked for beside, each to be taken away; times as pairs."""
    say, place = look.say, look.place
    chips = []
    for key in ("market", "region", "line", "node"):
        if place.get(key):
            words = [tag("span", f"{say(f'record.{key}')}: ", class_="soft"), name(place.get(key))]
            chips.append(_chip(look, words, key))
    bounds = [(key, at) for key in ARRIVED if (at := instant(place.get(key))) is not None]
    if bounds:
        times = [[" – " if at else None, moment(when, "day")] for at, (_, when) in enumerate(bounds)]
        chips.append(_chip(look, [tag("span", f"{say('calls.arrived')}: ", class_="soft"), times], *ARRIVED))
    return chips


def _chip(look: Look, words: Content, *keys: str) -> Markup:
    """The form keeps what the address says."""
    asked = {key: value for key, value in look.place.asked.items() if key not in (*keys, "cursor")}
    kept = [tag("input", type="hidden", name=key, value=look.place.get(key)) for key in keys]
    less = [icon("close"), tag("span", look.say("calls.clear"), class_="quiet")]
    return tag("span", words, kept, link(less, address("calls", **asked)), class_="chip", data_key=keys[0])


def _own(value: str) -> set[str]:
    return {value} if value else set()


def listed(look: Look) -> Markup:
    return _ended(look) if look.place.get("when") == "ended" else _live(look)


# --- in progress -----------------------------------------------------------------------------------


def wanted(look: Look) -> list[CallView]:
    asked = {
        key: look.place.get(key)
        for key in ("queue", "agent", "market", "language", "state")
        if look.place.get(key)
    }
    found = [
        call for call in look.now.calls if all(getattr(call, key) == value for key, value in asked.items())
    ]
    return sorted(found, key=lambda call: call.since)


def _live(look: Look) -> Markup:
    say, found = look.say, wanted(look)
    if not found:
        key = "calls.none.filtered" if look.now.calls else "calls.none"
        return tag("section", pieces.empty(say, key), class_="card")
    heads = [
        (say("calls.customer"), ""),
        (say("calls.state"), ""),
        (say("calls.time"), "number"),
        (say("queue.name"), ""),
        (say("calls.agent"), ""),
        (say("calls.sound"), "number"),
        (say("record.market"), ""),
    ]
    rows = [_live_row(look, call) for call in found[:MOST_LIVE]]
    left = len(found) - len(rows)
    more = tag("p", say("calls.narrow", n=left), class_="soft") if left > 0 else None
    return tag("section", table(heads, rows, label=say("calls.live")), more, class_="card first-table")


def _live_row(look: Look, call: CallView) -> Markup:
    say = look.say
    figures = [leg.mos_now if leg.mos_now is not None else leg.mos for leg in call.legs]
    worst = min((each for each in figures if each is not None), default=None)
    troubled = any(leg.troubles for leg in call.legs)
    sound = [icon("warning") if troubled else None, say.number(worst, 1)]
    return row(
        call.id,
        cell(
            [
                link(name(pieces.called(say, call.customer)), address("calls", call.id), class_="strong"),
                _language(call.language),
            ]
        ),
        cell(pill(say.known(f"state.{call.state}", call.state), STATES.get(call.state, "soft"))),
        cell(since(call.since), "number"),
        cell(name(call.queue) if call.queue else "–"),
        cell(name(call.agent) if call.agent else "–"),
        cell(tag("span", sound, class_=f"sound {'bad' if troubled else mos_level(worst)}"), "number"),
        cell(name(call.market)),
        to="call",
    )


def _language(code: str) -> Markup | None:
    return tag("span", code, class_="language-code") if code else None


# --- over ------------------------------------------------------------------------------------------


def _ended(look: Look) -> Markup:
    say = look.say
    if not isinstance(look.loaded, RecordPage):
        return tag("section", tag("p", say("loading"), class_="calm soft"), class_="card", aria_busy="true")
    if not look.loaded.items:
        filtered = any(look.place.get(key) for key in (*FILTERS, *ARRIVED, "cursor"))
        return tag(
            "section",
            pieces.empty(say, "calls.none.filtered" if filtered else "calls.none.ended"),
            class_="card",
        )
    heads = [
        (say("calls.customer"), ""),
        (say("calls.reason"), ""),
        (say("calls.when"), ""),
        (say("record.wait"), "number"),
        (say("record.talk"), "number"),
        (say("queue.name"), ""),
        (say("calls.agent"), ""),
        (say("calls.sound"), "number"),
    ]
    rows = [_ended_row(look, each) for each in look.loaded.items]
    return tag(
        "section",
        table(heads, rows, label=say("calls.ended")),
        pages(look, look.loaded.next),
        class_="card first-table",
    )


def _ended_row(look: Look, each: CallRecord) -> Markup:
    say = look.say
    worst = min((mos for mos in (each.customer_mos, each.agent_mos) if mos is not None), default=None)
    return row(
        each.call,
        cell(
            [
                link(name(pieces.called(say, each.customer)), address("calls", each.call), class_="strong"),
                _language(each.language),
            ]
        ),
        cell(pill(say.known(f"reason.{each.reason}", str(each.reason)), OUTCOMES.get(each.reason, "bad"))),
        cell(moment(each.ended_at, "day")),
        cell(clock(each.wait_s), "number"),
        cell(clock(each.talk_s), "number"),
        cell(name(each.queue) if each.queue else "–"),
        cell(name(each.agent) if each.agent else "–"),
        cell(tag("span", say.number(worst, 1), class_=mos_level(worst)), "number"),
        to="call",
    )


PARTS = {"head": head, "filters": filters, "list": listed}
