"""The audit log: who read personal data and who changed what, and whether all of it is as it was written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from engine.access.chain import ANCHOR_ITSELF, Row
from engine.access.proving import Proof
from engine.console.look import BASE, Look, address
from engine.console.markup import Content, tag
from engine.console.trail import DOINGS, FIELDS, FINE, AuditFile
from engine.console.views import pieces
from engine.console.views.forms import Form
from engine.console.views.pieces import bar, card, icon, link, moment, name, pill
from engine.store.trail import READS, SESSIONS, Tally

MOST_READERS, MOST_WHATS = 12, 5
KNOWN = {"calls": "calls", "records": "calls", "users": "users", "agents": "agents", "queues": "queues"}


def file_of(look: Look) -> AuditFile | None:
    return look.loaded if isinstance(look.loaded, AuditFile) else None


def asked_with(look: Look, **other: str) -> str:
    kept = {key: value for key, value in look.place.asked.items() if key != "cursor"}
    return address("audit", **{**kept, **other})


def head(look: Look) -> Markup:
    say, file = look.say, file_of(look)
    download = None
    if file is not None and file.kept:
        to = address("files", "audit.csv", **{"zone": file.zone, **look.place.asked})
        download = tag(
            "a", [icon("download"), say("report.csv")], href=to, download="audit.csv", class_="button"
        )
    return pieces.head(look, say("page.audit"), download, soft=say("audit.soft"))


def filters(look: Look) -> Markup:
    say, place, file = look.say, look.place, file_of(look)
    if file is not None and not file.kept:
        return Markup("")
    doing = place.get("doing")
    tabs = [
        link(
            say(f"audit.doing.{each or 'all'}"),
            asked_with(look, doing=each),
            aria_current="true" if each == doing else None,
        )
        for each in ("", *DOINGS)
    ]
    form = Form(say, "sift", (file.faults if file else None) or {})
    fields = [
        form.text(
            each,
            say(f"audit.{each}"),
            place.get(each),
            kind="search",
            maxlength=128,
            autocomplete="off",
            dir="auto",
            data_follows=True,
        )
        for each in ("who", "what", "about")
    ]
    fields += [
        form.text(each, say(f"report.{each}"), place.get(each), kind="date", data_follows=True)
        for each in ("from", "to")
    ]
    asked = [each for each in (*FIELDS, "from", "to") if place.get(each)]
    clear = link(say("calls.clear"), asked_with(look, **dict.fromkeys(asked, ""))) if asked else None
    kept = [
        tag("input", type="hidden", name=each, value=place.get(each))
        for each in ("doing", "node", "outcome")
        if place.get(each)
    ]
    return tag(
        "form",
        kept,
        tag("div", tag("nav", tabs, class_="tabs", aria_label=say("page.audit")), class_="when"),
        tag("div", fields, clear, class_="when"),
        class_="asking",
        data_go=f"{BASE}/audit",
        data_live=True,
        role="search",
        data_key=f"sift-{doing}",
    )


def body(look: Look) -> Markup:
    say, file = look.say, file_of(look)
    if file is None:
        return tag("section", tag("p", say("loading"), class_="calm soft"), class_="card", aria_busy="true")
    if not file.kept:
        return tag("section", pieces.empty(say, "audit.none"), class_="card")
    beside = [_chain(look, file), _readers(look, file.tallies) if file.tallies else None]
    return tag("div", _rows(look, file), tag("div", beside, class_="sections"), class_="halves list-first")


# --- rows ------------------------------------------------------------------------------------------


def _rows(look: Look, file: AuditFile) -> Markup:
    say, place = look.say, look.place
    if not file.rows:
        filtered = any(place.get(each) for each in (*FIELDS, "doing", "from", "to", "cursor"))
        return tag(
            "section", pieces.empty(say, "audit.empty.filtered" if filtered else "audit.empty"), class_="card"
        )
    listed = tag("ol", [_row(look, row) for row in file.rows], class_="trail")
    first = (
        link([icon("back"), say("calls.newest")], asked_with(look), class_="button")
        if place.get("cursor")
        else None
    )
    older = (
        link([say("calls.older"), icon("next")], asked_with(look, cursor=str(file.next)), class_="button")
        if file.next
        else None
    )
    pages = (
        tag("nav", first, older, class_="pages", aria_label=say("calls.pages")) if first or older else None
    )
    return tag("section", tag("h2", say("audit.rows"), class_="quiet"), listed, pages, class_="card")


def kind_of(what: str) -> str:
    return "sessions" if what in SESSIONS else "reads" if what.startswith(READS) else "changes"


ICONS = {"sessions": "key", "reads": "eye", "changes": "edit"}


def _row(look: Look, row: Row) -> Markup:
    say, entry = look.say, row.entry
    fine = entry.outcome == FINE
    who = name(entry.who) if entry.who else tag("span", say("audit.nobody"), class_="soft")
    summary = tag(
        "summary",
        icon(ICONS[kind_of(entry.what)]),
        tag("span", moment(entry.at, "day"), class_="when-it-was"),
        tag("b", who),
        tag("span", say.known(f"did.{entry.what}", entry.what), class_="what"),
        tag("span", name(_short(entry.object)), class_="about soft"),
        None if fine else pill(name(entry.outcome), "bad"),
    )
    return tag(
        "li",
        tag("details", summary, _all(look, row)),
        data_key=f"row-{row.seq}",
        class_=None if fine else "bad",
    )


def _short(object: str) -> str:
    return object.removeprefix("console/").removeprefix("console")


def _all(look: Look, row: Row) -> Markup:
    """Everything that the row says, with where one can go from it."""
    say, entry = look.say, row.entry
    to = where(entry.object)
    pairs: list[tuple[str, Content]] = [
        (say("audit.row"), say.number(row.seq)),
        (say("audit.who"), link(name(entry.who), asked_with(look, who=entry.who)) if entry.who else "–"),
        (say("audit.how"), say.known(f"how.{entry.how}", entry.how)),
        (say("audit.what"), link(tag("code", entry.what), asked_with(look, what=entry.what))),
        (
            say("audit.about"),
            [tag("code", entry.object, dir="ltr"), " ", link(say("audit.look"), to) if to else None]
            if entry.object
            else "–",
        ),
        (say("audit.outcome"), name(entry.outcome)),
        (say("record.node"), name(entry.node)),
    ]
    detail = _detail(entry.detail)
    if detail:
        pairs.append((say("audit.detail"), tag("code", json.dumps(detail, ensure_ascii=False), dir="ltr")))
    pairs.append((say("audit.hash"), tag("code", row.hash, dir="ltr", class_="hash")))
    return pieces.facts((term, told) for term, told in pairs)


def _detail(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {"": text}
    return found if isinstance(found, dict) else {"": found}


def where(object: str) -> str:
    """The page of the console that an object is on; "" for none."""
    noun, _, rest = object.removeprefix("console/").partition("/")
    id = rest.partition("/")[0]
    return address(KNOWN[noun], id) if noun in KNOWN and id else ""


# --- beside them -----------------------------------------------------------------------------------


def _chain(look: Look, file: AuditFile) -> Markup:
    say, proof = look.say, file.proof
    goes_on = proof is not None and proof.ended is None
    words = tag("p", say("audit.chain.about"), class_="soft")
    count = tag(
        "p",
        tag("b", say.number(file.last), class_="figure"),
        " ",
        say("audit.chain.rows", n=file.last),
        class_="chain-rows",
    )
    button = tag(
        "button",
        [icon("audit"), say("audit.prove")],
        type="button",
        data_do="verify_audit",
        class_="first",
        disabled=goes_on,
    )
    told = _proof(look, proof, file.last) if proof is not None else None
    return card(
        say("audit.chain"), count, words, told, tag("div", button, class_="row"), key="chain", class_="chain"
    )


def _proof(look: Look, proof: Proof, last: int) -> Markup:
    """How far it is, or what it came to. What is wrong is told with what to do next."""
    say = look.say
    if proof.ended is None:
        share = proof.rows / proof.of if proof.of else 0.0
        told = say("audit.proof.on", rows=proof.rows, n=proof.of)
        return tag(
            "div",
            bar(min(share, 1.0), "brand", told),
            tag("p", told, class_="soft small"),
            role="status",
            class_="proof",
        )
    by = tag(
        "p", [say("audit.proof.by", who=proof.by), " · ", moment(proof.ended, "full")], class_="soft small"
    )
    if proof.fault or proof.verdict is None:
        why = tag("p", say("audit.proof.fault"), class_="strong")
        return tag("div", icon("warning"), tag("div", why, by), class_="proof verdict warn", role="status")
    if proof.verdict.whole:
        anchored = say("audit.anchored", n=proof.anchored) if proof.anchored else say("audit.not_anchored")
        inner = [
            tag("p", say("audit.whole", n=proof.verdict.rows), class_="strong"),
            tag("p", anchored, class_="small"),
            by,
        ]
        return tag("div", icon("good"), tag("div", inner), class_="proof verdict good", role="status")
    bad = proof.verdict.bad
    words = say("audit.broken.anchor") if bad == ANCHOR_ITSELF else say("audit.broken", n=bad or 0)
    inner = [
        tag("p", words, class_="strong"),
        tag("p", proof.verdict.why, lang="en", dir="ltr"),
        tag("p", say("audit.broken.more"), class_="small"),
        by,
    ]
    return tag("div", icon("warning"), tag("div", inner), class_="proof verdict bad", role="alert")


def _readers(look: Look, tallies: Sequence[Tally]) -> Markup:
    """What was read by whom, those who read most first."""
    say = look.say
    by: dict[str, list[Tally]] = {}
    for each in tallies:
        by.setdefault(each.who, []).append(each)
    rows = []
    order = sorted(by.items(), key=lambda item: -sum(each.count for each in item[1]))
    for who, some in order[:MOST_READERS]:
        whats = [
            tag(
                "li",
                tag("span", say.known(f"did.{each.what}", each.what)),
                tag("b", say.number(each.count), class_="number"),
                data_key=each.what,
            )
            for each in some[:MOST_WHATS]
        ]
        top = tag(
            "p",
            link(name(who), asked_with(look, who=who), class_="strong") if who else say("audit.nobody"),
            tag("span", say("audit.times", n=sum(each.count for each in some)), class_="soft"),
        )
        rows.append(tag("li", tag("div", top, tag("ul", whats, class_="tally")), data_key=f"who-{who}"))
    return card(say("audit.readers"), tag("ul", rows, class_="rows"), key="readers")


PARTS = {"head": head, "filters": filters, "body": body}
