"""Lines: how each stands, how it did hour by hour, and what a test call says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from engine.access.role import Permission
from engine.console.look import Look, address
from engine.console.markup import Content, tag
from engine.console.views import cost, pieces
from engine.console.views.chart import spark
from engine.console.views.pieces import card, cell, dot, icon, link, moment, name, pill, row, table
from engine.console.views.world import LINE_LEVELS
from engine.line_events import LineProbed
from engine.line_views import LineReportView, LineStandView, PartView, ProbeView, ReportView
from routing.report import HOUR_S, Figures, Kind, Level, Reason

LEVELS: Mapping[Level, str] = {Level.NONE: "soft", Level.GOOD: "good", Level.FAIR: "warn", Level.BAD: "bad"}
SHARES: Mapping[Level, float] = {Level.NONE: 0.0, Level.GOOD: 0.3, Level.FAIR: 0.65, Level.BAD: 1.0}
FIGURES = (
    "calls",
    "connect_rate",
    "drop_rate",
    "mos",
    "loss",
    "jitter_ms",
    "pdd_s",
    "rtt_ms",
    "delay_ms",
)
# how a figure is written: share, ms, s, or how many digits
FORMS: Mapping[str, str] = {
    "calls": "0",
    "connect_rate": "share0",
    "drop_rate": "share1",
    "loss": "share1",
    "probes": "share0",
    "mos": "2",
    "jitter_ms": "ms",
    "rtt_ms": "ms",
    "delay_ms": "ms",
    "pdd_s": "s",
}
OF: Mapping[Kind, str] = {
    Kind.UNPROVEN: "probes",
    Kind.CONNECT: "connect_rate",
    Kind.DROP: "drop_rate",
    Kind.MOS: "mos",
    Kind.LOSS: "loss",
    Kind.PDD: "pdd_s",
    Kind.DELAY: "delay_ms",
    Kind.JITTER: "jitter_ms",
}


@dataclass(frozen=True, slots=True)
class LineFile:
    """What is known of lines. probes: of the one that is looked at; probe: one that goes on, or did."""

    report: ReportView
    probes: tuple[LineProbed, ...] = ()
    probe: ProbeView | None = None

    def of(self, line: str) -> LineReportView | None:
        return next((each for each in self.report.lines if each.line == line), None)


def figure(look: Look, name_: str, value: float | None) -> str:
    form, say = FORMS[name_], look.say
    if form.startswith("share"):
        return say.share(value, int(form[5:]))
    if form == "ms":
        return say.ms(value)
    if form == "s":
        return say.unit(value, "s", 1)
    return say.number(value, int(form))


def reason(look: Look, of: Reason) -> str:
    return look.say(f"line.reason.{of.kind}", value=figure(look, OF[of.kind], of.value))


def _stand(look: Look) -> LineStandView | None:
    return next((line for line in look.now.lines if line.name == look.place.id), None)


def _file(look: Look) -> LineFile | None:
    return look.loaded if isinstance(look.loaded, LineFile) else None


def _state(look: Look, line: LineStandView) -> Markup:
    level = LINE_LEVELS[line.state]
    return pill([dot(level), look.say(f"line.{line.state}")], level)


def head(look: Look) -> Markup:
    say, line = look.say, _stand(look)
    if not look.place.id:
        return pieces.head(look, say("page.lines"), soft=say("lines.span"))
    if line is None:
        return pieces.head(look, look.place.id, back=address("lines"))
    test = None
    if look.who.may(Permission.PROBE) and line.probe_number:
        file = _file(look)
        busy = file is not None and file.probe is not None and file.probe.result is None
        test = tag(
            "button",
            [icon("play"), say("line.test")],
            type="button",
            class_="first",
            data_do="probe",
            disabled=busy,
        )
    where = " · ".join(each for each in (line.kind, line.country, line.region) if each)
    edit = pieces.edit_link(look, f"lines/{line.name}.yaml", "", say("config.edit.line"))
    return pieces.head(
        look, line.name, edit, test, back=address("lines"), soft=[_state(look, line), name(where)]
    )


def body(look: Look) -> Markup:
    say = look.say
    if not look.place.id:
        return _all(look)
    line, file = _stand(look), _file(look)
    if line is None:
        return tag("section", pieces.empty(say, "line.unknown"), class_="card")
    found = file.of(line.name) if file else None
    left = [_health(look, line, found), _hours(look, found)]
    right = [cost.paid(look, found), _probe(look, line, file), _probes(look, file), _regions(look, found)]
    return tag(
        "div",
        tag("div", left, class_="sections"),
        tag("div", right, class_="sections"),
        class_="halves wide-first",
    )


# --- all -------------------------------------------------------------------------------------------


def _all(look: Look) -> Markup:
    say, file = look.say, _file(look)
    if not look.now.lines:
        return tag("section", pieces.empty(say, "empty.lines"), class_="card")
    heads = [
        (say("line.name"), ""),
        (say("calls.state"), ""),
        (say("line.active"), "number"),
        (say("line.hours"), "hours"),
        (say("figure.calls"), "number"),
        (say("figure.connect_rate"), "number"),
        (say("figure.mos"), "number"),
        *([(say("line.cost"), "number")] if _priced(file) else []),
        (say("line.worst"), ""),
    ]
    order = {"bad": 0, "warn": 1, "good": 2, "soft": 3}
    lines = sorted(look.now.lines, key=lambda line: (order[LINE_LEVELS[line.state]], line.name))
    rows = [_row(look, line, file.of(line.name) if file else None) for line in lines]
    return tag("section", table(heads, rows, label=say("page.lines")), class_="card first-table")


def _row(look: Look, line: LineStandView, found: LineReportView | None) -> Markup:
    say = look.say
    channels = tag("span", f" / {say.number(line.channels)}", class_="soft") if line.channels else None
    figures = found.figures if found else None
    worst = reason(look, found.reasons[0]) if found and found.reasons else "–"
    return row(
        line.name,
        cell(
            [
                link(name(line.name), address("lines", line.name), class_="strong"),
                tag("span", line.country, class_="language-code"),
            ]
        ),
        cell(_state(look, line)),
        cell([tag("b", say.number(line.active)), channels], "number"),
        cell(
            _spark(look, found) if found and found.hours else tag("span", say("line.idle"), class_="soft"),
            "hours",
        ),
        *(
            cell(figure(look, each, _of(figures, each)), "number")
            for each in ("calls", "connect_rate", "mos")
        ),
        *([cell(cost.money(look, found.cost if found else None), "number")] if _priced(_file(look)) else []),
        cell(tag("span", worst, class_=LEVELS[found.level] if found else "soft")),
        to="line",
    )


def _priced(file: LineFile | None) -> bool:
    """Whether any line has a tariff, and she may know it."""
    return file is not None and any(each.cost is not None for each in file.report.lines)


def _of(figures: Figures | None, name_: str) -> float | None:
    return getattr(figures, name_) if figures is not None else None


def _spark(look: Look, found: LineReportView) -> Markup:
    values = [_bar(look, part) for part in _by_hour(look, found.hours)]
    return spark(values, look.say("line.hours"))


def _by_hour(look: Look, hours: Sequence[PartView]) -> list[PartView | None]:
    """24 hours up to this one, None for those in which nothing happened."""
    by = {int(part.key): part for part in hours}
    last = int(look.now.at) // HOUR_S * HOUR_S
    newest = max([last, *by]) if by and max(by) > last - cost.HOURS * HOUR_S else max(by, default=last)
    return [by.get(newest - ago * HOUR_S) for ago in range(cost.HOURS - 1, -1, -1)]


def _bar(look: Look, part: PartView | None) -> tuple[str, str, float]:
    if part is None:
        return look.say("line.level.none"), "soft", 0.0
    told = [look.say(f"line.level.{part.level}"), *(reason(look, each) for each in part.reasons)]
    return ". ".join(told), LEVELS[part.level], SHARES[part.level]


# --- one -------------------------------------------------------------------------------------------


def _health(look: Look, line: LineStandView, found: LineReportView | None) -> Markup:
    say = look.say
    pairs: list[tuple[str, Content]] = [
        (say("line.share"), say.share(line.share)),
        (
            say("line.active"),
            say.number(line.active) + (f" / {say.number(line.channels)}" if line.channels else ""),
        ),
    ]
    if found is not None:
        pairs += [(say(f"figure.{each}"), figure(look, each, _of(found.figures, each))) for each in FIGURES]
    wrong = [
        tag(
            "li",
            icon("warning"),
            tag("div", tag("p", reason(look, each), class_="strong")),
            class_="bad" if each.weight >= 1 else "warn",
            data_key=str(each.kind),
        )
        for each in (found.reasons if found else ())
    ]
    return card(
        say("line.health"),
        tag("ul", wrong, class_="rows alerts") if wrong else None,
        pieces.facts(pairs),
        more=tag("span", say("lines.span"), class_="soft"),
        key="health",
        class_="two-facts",
    )


def _hours(look: Look, found: LineReportView | None) -> Markup:
    say = look.say
    if found is None or not found.hours:
        return card(say("line.hours"), pieces.empty(say, "line.hours.none"), key="hours")
    bars = spark([_bar(look, part) for part in _by_hour(look, found.hours)], say("line.hours"))
    legend = [
        tag("li", tag("i", class_=f"sign {LEVELS[level]}", aria_hidden="true"), say(f"line.level.{level}"))
        for level in Level
    ]
    newest = max(int(part.key) for part in found.hours)
    axis = tag("div", moment(newest - 23 * HOUR_S, "day"), moment(newest, "day"), class_="axis", dir="ltr")
    return card(
        say("line.hours"),
        tag("div", bars, axis, class_="big-spark", dir="ltr"),
        tag("ul", legend, class_="legend"),
        key="hours",
    )


def _regions(look: Look, found: LineReportView | None) -> Markup | None:
    say = look.say
    if found is None or len(found.regions) < 2:
        return None
    rows = [
        tag(
            "li",
            dot(LEVELS[part.level]),
            tag(
                "div",
                tag(
                    "p",
                    tag("span", name(str(part.key) or "–"), class_="strong"),
                    tag(
                        "span",
                        reason(look, part.reasons[0]) if part.reasons else say(f"line.level.{part.level}"),
                        class_="soft",
                    ),
                ),
            ),
            data_key=str(part.key),
        )
        for part in found.regions
    ]
    return card(say("line.regions"), tag("ul", rows, class_="rows"), key="regions")


def _probe(look: Look, line: LineStandView, file: LineFile | None) -> Markup | None:
    """A test call that was begun here, step by step."""
    say = look.say
    probe = file.probe if file else None
    if probe is None or probe.line != line.name:
        return None
    begun = probe.began
    steps = [
        tag(
            "li",
            tag("span", f"+{at - begun if at > begun else at:.1f} s", class_="number soft"),
            tag("span", words, lang="en", dir="auto"),
            data_key=f"{at}-{words}",
        )
        for at, words in probe.steps
    ]
    told: Content = tag("p", say("line.test.on"), class_="soft")
    if probe.result is not None:
        result = probe.result
        level, words = (
            ("good", say("line.test.passed"))
            if result.passed
            else ("bad", say("line.test.failed", why=str(result.fault)))
        )
        told = [
            tag("p", pill(words, level)),
            tag("p", result.remedy, lang="en", dir="auto") if result.remedy else None,
        ]
    return card(
        say("line.test.title"),
        tag("ol", steps, class_="steps", role="log"),
        tag("div", told, class_="stack-s"),
        key="probe",
    )


def _heard(look: Look, mos: float | None, delay_ms: float | None) -> Markup | None:
    """How a test call sounded; nothing where it was not heard."""
    if mos is None:
        return None
    words = [f"{look.say('figure.mos')} {figure(look, 'mos', mos)}"]
    words += [figure(look, "delay_ms", delay_ms)] if delay_ms is not None else []
    return tag("span", " · ".join(words), class_="number soft")


def _probes(look: Look, file: LineFile | None) -> Markup:
    say = look.say
    if file is None or not file.probes:
        return card(say("line.probes"), pieces.empty(say, "line.probes.none"), key="probes")
    rows = [
        tag(
            "li",
            dot("good" if each.passed else "bad"),
            tag(
                "div",
                tag(
                    "p",
                    moment(each.at, "day"),
                    tag("span", say("line.test.passed") if each.passed else each.fault, class_="strong"),
                    _heard(look, each.mos, each.delay_ms),
                ),
                tag("p", each.words, class_="soft", lang="en", dir="auto") if each.words else None,
            ),
            data_key=str(each.at),
        )
        for each in file.probes[:20]
    ]
    return card(say("line.probes"), tag("ul", rows, class_="rows"), key="probes")


PARTS = {"head": head, "body": body}
