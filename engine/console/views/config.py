"""The configuration: what runs, what the files would change, taking them, and going back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from markupsafe import Markup

from config.fault import Fault
from config.load import SHIPPED
from engine.access.role import Permission
from engine.console.look import Look, Place, address
from engine.console.markup import Content, tag
from engine.console.views import pieces
from engine.console.views.pieces import card, cell, confirm, icon, link, moment, name, pill, row, table
from engine.editing import DRAFTS, NEW, Text, drafts, place_of
from engine.history import Version
from engine.operating import Plan, Status

MOST_FAULTS, MOST_CHANGES, MOST_VERSIONS = 100, 300, 50
EFFECTS = {"now": "good", "next_call": "busy", "restart": "warn"}


class Step(StrEnum):
    """Where somebody is on the way to another configuration."""

    LOOKED = "looked"
    CHECKED = "checked"
    PLANNED = "planned"


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """step: what was done last. faults: of the files. plan: what would change; of: if this version were taken
    again, 0 for the files. files: that may be edited here; runs: those that run; editing: the one that is
    edited, of digest NEW where it is not there yet. unread: why it is not.
    """

    status: Status
    versions: tuple[Version, ...] = ()
    step: Step = Step.LOOKED
    faults: tuple[Fault, ...] = ()
    plan: Plan | None = None
    of: int = 0
    files: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    editing: Text | None = None
    unread: str = ""

    @property
    def removed(self) -> tuple[str, ...]:
        """That still run."""
        return tuple(each for each in self.runs if each not in self.files)


def head(look: Look) -> Markup:
    say = look.say
    file = look.loaded if isinstance(look.loaded, ConfigFile) else None
    soft = [say("config.folder"), " ", tag("code", str(file.status.folder), dir="ltr")] if file else None
    return pieces.head(look, say("page.config"), soft=soft)


def body(look: Look) -> Markup:
    say = look.say
    if not isinstance(look.loaded, ConfigFile):
        key = "config.fixed" if look.loaded is False else None
        return tag(
            "section",
            pieces.empty(say, key) if key else tag("p", say("loading"), class_="calm soft"),
            class_="card",
        )
    editing = look.loaded.editing is not None or look.loaded.unread
    way, *told = _way(look, look.loaded)
    below = tag("div", way if editing else [way, *told], class_="sections")
    halves = tag("div", below, _versions(look, look.loaded), class_="halves wide-first")
    if not editing:
        return halves
    return tag("div", _editor(look, look.loaded), *told, halves, class_="sections")  # lines are long


def _way(look: Look, file: ConfigFile) -> list[Markup | None]:
    """Edit, check, compare, apply: each step tells what comes next."""
    say = look.say
    may = look.who.may(Permission.CONFIGURE)
    steps = tag(
        "ol",
        [
            tag("li", tag("b", say(f"config.step.{each}")), tag("span", say(f"config.step.{each}.more")))
            for each in ("edit", "check", "plan", "apply")
        ],
        class_="way",
    )
    buttons = [
        tag("button", say("config.check"), type="button", data_do="check"),
        tag("button", say("config.plan"), type="button", data_do="plan", class_="first"),
    ]
    waiting = None
    if file.status.restart:
        told = tag("ul", [tag("li", name(each)) for each in file.status.restart])
        waiting = card(say("config.restart"), told, key="restart")
    return [
        card(
            say("config.way"),
            steps,
            tag("div", buttons, _files(look, file), class_="row")
            if may
            else tag("p", say("config.look_only"), class_="soft"),
            key="way",
        ),
        _faults(look, file),
        _plan(look, file) if file.plan is not None else None,
        _begin(look) if may and file.editing is None else None,
        waiting,
    ]


def _files(look: Look, file: ConfigFile) -> Markup | None:
    """Which one is to be edited."""
    say = look.say
    if not file.files and not file.removed:
        return None
    now = file.editing.name if file.editing else ""
    options = [tag("option", say("config.edit.choose"), value="")]
    options += [tag("option", each, value=each, selected=each == now) for each in file.files]
    options += [
        tag("option", say("config.edit.gone", name=each), value=each, selected=each == now)
        for each in file.removed
    ]
    choice = tag("select", options, name="file", aria_label=say("config.edit.choose"), data_key=f"file-{now}")
    return tag("form", choice, class_="filter", data_go=address("config"), data_live=True)


def _begin(look: Look) -> Markup:
    """A new line or market: how it is called, and what it begins as."""
    say = look.say
    kinds = [tag("option", say(f"config.new.{each}"), value=each) for each in DRAFTS]
    markets = [each for each in drafts(SHIPPED) if each not in DRAFTS]
    for market in markets:
        kinds.append(tag("option", say("config.new.market", name=PurePosixPath(market).stem), value=market))
    named = tag(
        "input", name="new", required=True, maxlength=64, pattern="[A-Za-z0-9_\\-]+", placeholder="telecom-b",
        autocomplete="off", dir="ltr", aria_label=say("config.new.name"), title=say("config.new.name"),
    )  # fmt: skip
    like = tag("select", kinds, name="like", aria_label=say("config.new.like"))
    button = tag("button", say("config.new.begin"), type="submit")
    form = tag("form", like, named, button, class_="take first", data_go=address("config"))
    return card(say("config.new"), form, key="new")


def file_of(place: Place) -> str:
    """The file that an address names, or makes: `new` is a line's or market's name, by what `like` is of."""
    if place.get("new"):
        return f"{place.get('like').partition('/')[0]}/{place.get('new')}.yaml"
    return place.get("file")


def _editor(look: Look, file: ConfigFile) -> Markup:
    """A file as text: what is wrong with it is told beside, and leads to its line."""
    say, text = look.say, file.editing
    if text is None:
        return card(file_of(look.place), tag("p", file.unread, lang="en", dir="auto"), key="editor")
    box = tag(
        "textarea",
        f"\n{text.text}",  # the first line's end is the element's own
        id="editor",
        name="text",
        class_="editor",
        spellcheck="false",
        autocomplete="off",
        wrap="off",
        dir="ltr",
        aria_label=text.name,
        data_line=place_of(text.text, look.place.get("at")),
        data_key=f"{text.name}-{text.digest}",
    )
    there, alone, ran = text.digest != NEW, "/" in text.name, text.name in file.runs
    harm = {"restore": "config.edit.sure"} if there and ran else {}
    harm |= {"remove": "config.remove.sure"} if there and alone else {}
    buttons = [
        *(
            tag("button", say(f"config.edit.{each}"), type="button", data_opens=each, class_="danger")
            for each in harm
        ),
        tag("span", class_="grow"),
        link(say("config.edit.close"), address("config"), class_="button"),
        tag("button", say("config.edit.save"), type="submit", class_="first"),
    ]
    form = tag(
        "form",
        box,
        tag("input", type="hidden", name="digest", value=text.digest),
        tag("div", buttons, class_="take"),
        data_do="save",
    )
    again = [confirm(act, say, key, _sure(look, act, text), name=text.name) for act, key in harm.items()]
    hint = tag("span", say("config.edit.hint"), class_="soft")
    return card(text.name, form, again, more=hint, key="editor", class_="editor-card")


def _sure(look: Look, act: str, text: Text) -> Markup:
    """The button that does it, after the question."""
    return tag(
        "button", look.say(f"config.edit.{act}"), type="button", data_do=act, data_digest=text.digest,
        data_closes=True, class_="stop",
    )  # fmt: skip


def _line_of(look: Look, file: ConfigFile, fault: Fault) -> Markup:
    """Where a mistake is: it leads there, if that file is edited or may be."""
    name_ = next((each for each in file.files if fault.file.endswith(f"/{each}") or fault.file == each), None)
    if name_ is None or not fault.line:
        return tag("code", _where(fault))
    words = f"{name_}:{fault.line} {fault.path}".strip()
    if file.editing is not None and file.editing.name == name_:
        return tag(
            "button",
            words,
            type="button",
            class_="where",
            data_here="line",
            data_in="editor",
            data_line=fault.line,
        )
    return link(words, address("config", file=name_, at=str(fault.line)), class_="where")


def _faults(look: Look, file: ConfigFile) -> Markup | None:
    say = look.say
    faults = file.faults if file.step is not Step.LOOKED else file.status.faults
    if not faults:
        if file.step is not Step.CHECKED:
            return None
        return card(
            say("config.faults"),
            tag("div", icon("good"), tag("p", say("config.sound")), class_="calm"),
            key="faults",
        )
    rows = [
        tag(
            "li",
            icon("warning"),
            tag(
                "div",
                tag("p", _line_of(look, file, each), tag("span", each.problem, class_="strong", lang="en")),
                tag("p", each.remedy, class_="soft", lang="en"),
                dir="ltr",
            ),
            class_="bad",
            data_key=str(each),
        )
        for each in faults[:MOST_FAULTS]
    ]
    return card(
        say("config.faults"),
        tag("ul", rows, class_="rows alerts"),
        more=tag("span", str(len(faults)), class_="count bad"),
        key="faults",
    )


def _where(fault: Fault) -> str:
    return (f"{fault.file}:{fault.line}" if fault.line else fault.file) + (
        f" {fault.path}" if fault.path else ""
    )


def _plan(look: Look, file: ConfigFile) -> Markup:
    say, plan = look.say, file.plan
    assert plan is not None
    title = say("config.plan.of", n=file.of) if file.of else say("config.plan.title")
    if not plan.changes:
        return card(title, pieces.empty(say, "config.same"), key="plan")
    rows = [
        tag(
            "li",
            tag("div", tag("p", tag("span", name(each.words), lang="en", dir="ltr"))),
            pill(
                say.known(f"effect.{each.effect.name.lower()}", each.effect.value),
                EFFECTS.get(each.effect.name.lower(), "soft"),
            ),
            data_key=each.path,
        )
        for each in plan.changes[:MOST_CHANGES]
    ]
    warnings = [
        tag("p", icon("warning"), tag("span", each, lang="en", dir="auto"), class_="notice")
        for each in plan.warnings
    ]
    refusals = [
        tag("p", icon("warning"), tag("span", each, lang="en", dir="auto"), class_="notice bad")
        for each in plan.refusals
    ]
    return card(
        title,
        tag("div", refusals, warnings, class_="stack-s") if refusals or warnings else None,
        tag("ul", rows, class_="rows"),
        _take(look, file) if look.who.may(Permission.CONFIGURE) else None,
        more=tag("span", str(len(plan.changes)), class_="count"),
        key="plan",
    )


def _take(look: Look, file: ConfigFile) -> Markup:
    """Taken with a reason, and only while the version runs that was compared with."""
    say, plan = look.say, file.plan
    assert plan is not None
    why = tag("input", name="why", maxlength=200, placeholder=say("config.why"), aria_label=say("config.why"))
    force = None
    if plan.refusals:
        force = tag(
            "label",
            tag("input", type="checkbox", name="force", value="yes", required=True),
            say("config.force"),
            class_="check",
        )
    act, words = ("rollback", say("config.rollback")) if file.of else ("apply", say("config.apply"))
    button = tag("button", words, type="submit", class_="stop" if plan.refusals else "first")
    return tag(
        "form",
        why,
        force,
        tag("input", type="hidden", name="expected", value=plan.version),
        tag("input", type="hidden", name="version", value=file.of),
        button,
        class_="take",
        data_do=act,
    )


def _versions(look: Look, file: ConfigFile) -> Markup:
    say, running = look.say, file.status.version.number
    rows = []
    for each in file.versions[:MOST_VERSIONS]:
        more: Content = say("config.changes", n=len(each.changes))
        back = None
        if each.number != running and look.who.may(Permission.CONFIGURE):
            back = tag("button", say("config.back"), type="button", data_do="plan", data_version=each.number)
        rows.append(
            row(
                str(each.number),
                cell(
                    [
                        tag("b", f"#{each.number}"),
                        pill(say("config.runs"), "good") if each.number == running else None,
                    ]
                ),
                cell(
                    [
                        moment(each.at, "day"),
                        tag(
                            "span", [name(each.by), " · ", say(f"config.how.{each.how}")], class_="soft below"
                        ),
                    ]
                ),
                cell([name(each.why) if each.why else None, tag("span", more, class_="soft below")]),
                cell(back),
            )
        )
    heads = [
        (say("config.version"), ""),
        (say("config.when"), ""),
        (say("config.why.head"), ""),
        (tag("span", say("config.back"), class_="quiet"), ""),
    ]
    return card(say("config.versions"), table(heads, rows, label=say("config.versions")), key="versions")


PARTS = {"head": head, "body": body}
