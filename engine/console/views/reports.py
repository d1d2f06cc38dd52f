"""Reports: what calls came to, over time and by what is asked for; each row leads to its calls."""

from __future__ import annotations

from datetime import date

from markupsafe import Markup

from engine.console.alerts import level_of_share
from engine.console.look import BASE, Look, address
from engine.console.markup import Content, tag
from engine.console.reports import (
    CUSTOM,
    FILTERS,
    FORMS,
    GROUPS,
    PERIODS,
    THRESHOLD_S,
    ReportFile,
    Wish,
    asked_with,
    calls_of,
    narrowed,
    of,
)
from engine.console.views import pieces
from engine.console.views.forms import Form
from engine.console.views.pieces import card, cell, icon, link, name, tile
from engine.console.views.report_words import day_words, label, written
from engine.console.views.sound import mos_level
from engine.console.views.trends import map_of, trend
from engine.drill import TIMES, Dimension, Formula, Report, Row

MOST_ROWS, MOST_RANKED = 200, 9
MORE = (
    "talk_s", "hold_s", "wrap_up_s", "pdd_s", "drop", "customer_loss", "agent_loss", "customer_jitter_ms",
    "agent_jitter_ms", "concealed", "asr_latency_ms", "asr_latency_p95_ms", "mt_latency_ms",
    "mt_latency_p95_ms", "lag_s", "mood",
)  # fmt: skip


def file_of(look: Look) -> ReportFile | None:
    return look.loaded if isinstance(look.loaded, ReportFile) else None


def head(look: Look) -> Markup:
    say, file = look.say, file_of(look)
    if file is None:
        return pieces.head(look, say("page.reports"))
    wish = file.wish
    days: list[Content] = [name(_day(look, wish.first))]
    if wish.last != wish.first:
        days += [" – ", name(_day(look, wish.last))]
    soft: Content = [tag("span", days), tag("span", name(wish.ask.zone))]
    download = None
    if file.table is not None and file.table.rows:
        to = address("files", "calls.csv", **{"zone": wish.ask.zone, **look.place.asked})
        download = tag(
            "a", [icon("download"), say("report.csv")], href=to, download="calls.csv", class_="button"
        )
    return pieces.head(look, say("page.reports"), download, soft=soft)


def _day(look: Look, day: date) -> str:
    return look.say("day.full", day=day_words(look.say, day), year=str(day.year))


# --- what is asked ---------------------------------------------------------------------------------


def filters(look: Look) -> Markup:
    """One form for all of it; selects elsewhere on the page belong to it by name."""
    say, place, file = look.say, look.place, file_of(look)
    wish = file.wish if file else None
    period = wish.period if wish else place.get("period") or "today"
    tabs = [
        link(
            say(f"report.period.{each}"),
            asked_with(place, period=each, **{"from": "", "to": ""}),
            aria_current="true" if each == period else None,
        )
        for each in PERIODS
    ]
    first, last = (str(wish.first), str(wish.last)) if wish else ("", "")
    custom = asked_with(place, period=CUSTOM, **{"from": first, "to": last})
    tabs.append(link(say("report.period.custom"), custom, aria_current="true" if period == CUSTOM else None))
    form = Form(say, "ask", wish.faults if wish else {})
    zone = form.text(
        "zone", say("report.zone"), place.get("zone") or (wish.ask.zone if wish else ""), dir="ltr",
        list="zones", data_follows=True, autocomplete="off", spellcheck="false", maxlength=64,
    )  # fmt: skip
    days: Content = None
    if period == CUSTOM:
        days = [
            form.text("from", say("report.from"), place.get("from") or first, kind="date", data_follows=True),
            form.text("to", say("report.to"), place.get("to") or last, kind="date", data_follows=True),
        ]
    chosen = [each for each in FILTERS if place.get(each)]
    clear = None
    if chosen:
        clear = link(say("calls.clear"), asked_with(place, **{str(each): "" for each in chosen}))
    narrow = [_narrowing(look, file, each) for each in FILTERS]
    kept = [
        tag("input", type="hidden", name=each, value=place.get(each))
        for each in ("show", "sort")
        if place.get(each)
    ]
    when = tag(
        "div", tag("nav", tabs, class_="tabs", aria_label=say("report.period")), days, zone, class_="when"
    )
    return tag(
        "form",
        tag("input", type="hidden", name="period", value=period),
        kept,
        when,
        tag("div", narrow, clear, class_="filters"),
        tag("datalist", id="zones", data_own="zones"),
        id="ask",
        class_="asking",
        data_go=f"{BASE}/reports",
        data_live=True,
        role="search",
        data_key=f"ask-{period}",
    )


def _narrowing(look: Look, file: ReportFile | None, dimension: Dimension) -> Markup | None:
    say, value = look.say, look.place.get(dimension)
    known = file.choices.get(dimension, ()) if file else ()
    if not known and not value:
        return None
    options = [tag("option", say(f"report.every.{dimension}"), value="")]
    for each in dict.fromkeys([*known, *([value] if value else [])]):
        options.append(tag("option", each, value=each, selected=each == value))
    return tag(
        "label",
        tag("span", say(f"dimension.{dimension}"), class_="quiet"),
        tag("select", options, name=str(dimension), data_key=f"{dimension}-{value}"),
        class_="filter chosen" if value else "filter",
    )


# --- what it came to -------------------------------------------------------------------------------


def tiles(look: Look) -> Markup:
    say, file = look.say, file_of(look)
    if file is None:
        return tag("section", tag("p", say("loading"), class_="calm soft"), class_="card", aria_busy="true")
    if file.table is None:
        return tag("section", pieces.empty(say, file.fault), class_="card")
    total, wish = file.table.total, file.wish
    if not total.offered:
        key = "report.none.narrowed" if wish.ask.only else "report.none"
        return tag("section", pieces.empty(say, key), class_="card")

    def share(part: int) -> str:
        return say("report.of_offered", share=say.share(part / total.offered))

    mos = [each for each in (total.customer_mos, total.agent_mos) if each is not None]
    worst = min(mos, default=None)
    occupancy = total.occupancy if file.trend is None else file.trend.total.occupancy  # known by time
    told = [
        tile(say("fig.offered"), say.number(total.offered)),
        tile(say("fig.answered"), say.number(total.answered), share(total.answered)),
        tile(say("fig.abandoned"), say.number(total.abandoned), share(total.abandoned)),
        tile(
            say("fig.service_level"),
            say.share(total.service_level),
            say("queue.level.goal", n=int(wish.ask.threshold_s)),
            level_of_share(total.service_level),
        ),
        tile(say("fig.wait_s"), written(say, "wait_s", total.wait_s), say("fig.wait_s.short")),
        tile(say("fig.handle_s"), written(say, "handle_s", total.handle_s), say("fig.handle_s.short")),
        tile(
            say("fig.occupancy"),
            say.share(occupancy),
            None if occupancy is not None or wish.ask.of_agents else say("report.no_occupancy"),
        ),
        tile(
            say("report.mos"),
            say.number(worst, 2),
            say("report.mos.more"),
            mos_level(worst).replace("good", ""),
        ),
    ]
    return tag("div", tag("dl", told, class_="tiles"), _formula(look, wish), class_="sections")


def _formula(look: Look, wish: Wish) -> Markup:
    """How the service level is reckoned, and another way."""
    say, ask = look.say, wish.ask
    form = Form(say, "formula", wish.faults)
    formulas = [
        tag("option", say(f"formula.{each}"), value=str(each), selected=each is ask.formula)
        for each in Formula
    ]
    choice = tag(
        "div",
        tag("label", say("report.formula"), for_="formula-choice"),
        tag("select", formulas, id="formula-choice", name="formula", form="ask"),
        class_="field wide",
    )
    seconds = form.text(
        "within", say("report.within"), look.place.get("within") or f"{ask.threshold_s:g}", form="ask",
        inputmode="numeric", maxlength=5, dir="ltr", placeholder=f"{THRESHOLD_S:g}",
    )  # fmt: skip
    words = say(f"formula.{ask.formula}.long", n=int(ask.threshold_s))
    return tag(
        "details",
        tag("summary", tag("span", f"{say('fig.service_level')}: ", class_="strong"), words),
        tag("div", seconds, choice, class_="form-fields"),
        class_="formula",
        open="within" in wish.faults,
    )


def charts(look: Look) -> Markup:
    say, file = look.say, file_of(look)
    if file is None or file.table is None or file.trend is None or not file.table.total.offered:
        return Markup("")
    options = [
        tag("option", say(f"fig.{each}"), value=each, selected=each == file.wish.figure) for each in FORMS
    ]
    figure = tag(
        "label",
        tag("span", say("report.figure"), class_="quiet"),
        tag("select", options, name="figure", form="ask", data_key=f"figure-{file.wish.figure}"),
        class_="filter",
    )
    drawn = card(say("report.trend"), trend(look, file), more=figure, key="trend", class_="trend")
    if len(file.wish.ask.by) == 2:
        return tag(
            "div", drawn, card(_by_words(look, file.wish), map_of(look, file), key="map"), class_="sections"
        )
    if file.wish.ask.by[0] in TIMES:
        return drawn
    beside = tag("div", _ranked(look, file), _more(look, file), class_="sections")
    return tag("div", drawn, beside, class_="halves wide-first stretched")


def _more(look: Look, file: ReportFile) -> Markup:
    """What the tiles have no room for."""
    say, table = look.say, file.table
    assert table is not None
    known = [(each, of(table.total, each)) for each in MORE]
    pairs = [(say(f"fig.{each}"), written(say, each, value)) for each, value in known if value is not None]
    return card(say("report.besides"), pieces.facts(pairs), key="besides", class_="two-facts")


def _by_words(look: Look, wish: Wish) -> str:
    say = look.say
    by = " × ".join(say(f"dimension.{each}") for each in wish.ask.by)
    return f"{say(f'fig.{wish.figure}')}: {by}"


def _ranked(look: Look, file: ReportFile) -> Markup:
    """The first few by the figure that is looked at, each leading on to what it is made of."""
    say, wish, table = look.say, file.wish, file.table
    assert table is not None
    dimension, figure = wish.ask.by[0], wish.figure
    found = [row for row in table.rows if of(row.figures, figure) is not None]
    found.sort(key=lambda row: (-(of(row.figures, figure) or 0.0), -row.figures.offered))
    highest = max((of(row.figures, figure) or 0.0 for row in found), default=0.0)
    whole = 1.0 if FORMS[figure] == "share" else 5.0 if FORMS[figure] == "mos" else highest
    rows = []
    for row in found[:MOST_RANKED]:
        value, to = of(row.figures, figure) or 0.0, narrowed(look.place, dimension, row.key[0])
        words = name(label(say, dimension, row.key[0]))
        level = level_of_share(value) if figure == "service_level" else "brand"
        rows.append(
            tag(
                "li",
                tag("span", link(words, to, class_="strong") if to else words, class_="who-it-is"),
                tag("b", written(say, figure, value), class_="number"),
                pieces.bar(max(value, 0.0) / whole if whole else 0.0, level, ""),
                data_key=row.key[0],
            )
        )
    left = len(found) - MOST_RANKED
    more = tag("p", say("report.more", n=left), class_="soft small") if left > 0 else None
    title = f"{say(f'fig.{figure}')} · {say(f'dimension.{dimension}')}"
    return card(title, tag("ol", rows, class_="ranked"), more, key="ranked")


# --- the table -------------------------------------------------------------------------------------


def table(look: Look) -> Markup:
    say, file = look.say, file_of(look)
    if file is None or file.table is None or not file.table.total.offered:
        return Markup("")
    wish, found = file.wish, file.table
    figures = GROUPS[wish.group]
    tabs = [
        link(
            say(f"report.group.{each}"),
            asked_with(look.place, show=each, sort=""),
            aria_current="true" if each == wish.group else None,
        )
        for each in GROUPS
    ]
    heads = [
        _head(look, wish, "key", [say(f"dimension.{each}"), " " if at else None])
        for at, each in enumerate(wish.ask.by)
    ]
    heads += [_head(look, wish, each, say(f"fig.{each}")) for each in figures]
    highest = max(row.figures.offered for row in found.rows)
    listed = _sorted(found, wish)
    if len(wish.ask.by) > 1:
        listed = [row for row in listed if row.figures.offered]  # of the others agents' time alone is known
    rows = [_row(look, wish, row, figures, highest) for row in listed[:MOST_ROWS]]
    total = [cell(written(say, each, of(found.total, each)), "number") for each in figures]
    first = tag("th", say("report.total"), scope="row", colspan=len(wish.ask.by))
    inner = tag(
        "table",
        tag("thead", tag("tr", heads)),
        tag("tbody", rows),
        tag("tfoot", tag("tr", first, total)),
        class_="figures",
    )
    left = len(listed) - len(rows)
    more = tag("p", say("report.left", n=left), class_="soft") if left > 0 else None
    bys = tag(
        "div", _by(look, "by", wish.ask.by[0]), _by(look, "then", (*wish.ask.by, None)[1]), class_="row"
    )
    switch = tag("nav", tabs, class_="tabs small-tabs", aria_label=say("report.figures"))
    return tag(
        "section",
        tag("header", tag("h2", say("report.table"), class_="quiet"), bys, switch),
        tag("div", inner, class_="scroll", tabindex=0, role="region", aria_label=say("report.table")),
        more,
        class_="card figures-card",
    )


def _by(look: Look, field: str, chosen: Dimension | None) -> Markup:
    say = look.say
    options = [tag("option", say("report.then.none"), value="")] if field == "then" else []
    options += [
        tag("option", say(f"report.by.{each}"), value=str(each), selected=each is chosen)
        for each in Dimension
    ]
    return tag(
        "label",
        tag("span", say(f"report.{field}"), class_="quiet"),
        tag("select", options, name=field, form="ask", data_key=f"{field}-{chosen}"),
        class_="filter",
    )


def _head(look: Look, wish: Wish, sort: str, words: Content) -> Markup:
    """Sorts by it, and once more the other way."""
    now = wish.sort or ("key" if wish.ask.by[0] in TIMES else "-offered")
    falls, rises = f"-{sort}", sort
    other = rises if now == falls or (sort == "key" and now != rises) else falls
    order = {falls: "descending", rises: "ascending"}.get(now)
    arrow = {"descending": " ↓", "ascending": " ↑"}.get(order or "", "")
    inner = link([words, tag("span", arrow, aria_hidden="true")], asked_with(look.place, sort=other))
    return tag("th", inner, scope="col", class_=None if sort == "key" else "number", aria_sort=order)


def _sorted(report: Report, wish: Wish) -> list[Row]:
    """Times by when they were and others by how many, unless told otherwise; what nobody measured is last."""
    sort = wish.sort or ("key" if wish.ask.by[0] in TIMES else "-offered")
    figure, falls = sort.removeprefix("-"), sort.startswith("-")
    if figure == "key":
        return sorted(report.rows, key=lambda row: row.key, reverse=falls)
    known = [row for row in report.rows if of(row.figures, figure) is not None]
    known.sort(key=lambda row: of(row.figures, figure) or 0.0, reverse=falls)
    return known + [row for row in report.rows if of(row.figures, figure) is None]


def _row(look: Look, wish: Wish, row: Row, figures: tuple[str, ...], highest: int) -> Markup:
    say, to = look.say, calls_of(wish, row.key)
    cells = []
    for at, (dimension, value) in enumerate(zip(wish.ask.by, row.key)):
        words = name(label(say, dimension, value))
        cells.append(cell(link(words, to, class_="strong") if to and not at else words))
    for each in figures:
        figure = of(row.figures, each)
        words_ = written(say, each, figure)
        if each == "offered":
            bar = pieces.bar(row.figures.offered / highest if highest else 0.0, "brand", "")
            cells.append(cell([tag("b", words_), bar], "number with-bar"))
        else:
            level = level_of_share(figure) if each == "service_level" else ""
            level = mos_level(figure) if FORMS[each] == "mos" else level
            level = "" if level in ("good", "soft") else level
            cells.append(cell(words_, f"number {level}{'' if figure else ' none'}".strip()))
    return pieces.row(" ".join(row.key), *cells, to=to)


PARTS = {"head": head, "filters": filters, "tiles": tiles, "charts": charts, "table": table}
