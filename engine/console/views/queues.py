"""Queues: how each does now and did today; one with its people and its callers."""

from __future__ import annotations

from markupsafe import Markup

from engine.console.alerts import LOW, level_of
from engine.console.look import Look, address
from engine.console.markup import tag
from engine.console.views import pieces, wallboard
from engine.console.views.pieces import card, cell, link, name, row, since, table, tile
from engine.console.waits import waiting
from engine.views import QueueView


def head(look: Look) -> Markup:
    say = look.say
    if not look.place.id:
        return pieces.head(look, say("page.queues"), soft=pieces.of_here(look))
    calls = link(say("queue.calls"), address("calls", queue=look.place.id), class_="button")
    edit = pieces.edit_link(look, "queues.yaml", look.place.id, say("config.edit.queue"))
    soft = pieces.of_here(look)
    report = link(say("page.reports"), address("reports", queue=look.place.id, by="agent"), class_="button")
    return pieces.head(look, look.place.id, edit, report, calls, back=address("queues"), soft=soft)


def body(look: Look) -> Markup:
    if not look.place.id:
        return _all(look)
    found = next((queue for queue in look.now.queues if queue.name == look.place.id), None)
    if found is None:
        return tag("section", pieces.empty(look.say, "queue.unknown"), class_="card")
    return _one(look, found)


def _all(look: Look) -> Markup:
    say = look.say
    if not look.now.queues:
        return tag("section", pieces.empty(say, "empty.queues"), class_="card")
    heads = [
        (say("queue.name"), ""),
        (say("queue.waiting"), "number"),
        (say("queue.longest"), "number"),
        (say("queue.staff"), ""),
        (say("queue.level"), "level"),
        (say("queue.answered"), "number"),
        (say("queue.abandoned"), "number"),
        (say("queue.abandon_rate"), "number"),
    ]
    rows = [_row(look, queue) for queue in sorted(look.now.queues, key=lambda queue: queue.name)]
    return tag("section", table(heads, rows, label=say("page.queues")), class_="card first-table")


def _row(look: Look, queue: QueueView) -> Markup:
    say, level = look.say, level_of(queue)
    share = say.share(queue.service_level)
    label = say("queue.level.label", share=share, n=round(queue.service_threshold_s))
    offered = queue.answered + queue.abandoned
    waits = wallboard.wait_level(queue.longest_wait_s) if queue.waiting else ""
    return row(
        queue.name,
        cell(link(name(queue.name), address("queues", queue.name), class_="strong")),
        cell(say.number(queue.waiting), f"number {waits if queue.waiting else 'none'}"),
        cell(since(look.now.at - queue.longest_wait_s) if queue.waiting else "–", f"number {waits}"),
        cell(wallboard.staff(look, queue)),
        cell(
            [pieces.bar(queue.service_level, level, label, LOW), tag("span", share, class_=f"share {level}")],
            "level",
        ),
        cell(say.number(queue.answered), "number"),
        cell(say.number(queue.abandoned), "number"),
        cell(say.share(queue.abandoned / offered if offered else None, 1), "number"),
        to="queue",
    )


def _one(look: Look, queue: QueueView) -> Markup:
    say, level = look.say, level_of(queue)
    offered = queue.answered + queue.abandoned
    waits = wallboard.wait_level(queue.longest_wait_s) if queue.waiting else ""
    goal = say("queue.level.goal", n=round(queue.service_threshold_s))
    made = [
        tile(say("tile.waiting"), say.number(queue.waiting), level=waits),
        tile(
            say("tile.longest"),
            since(look.now.at - queue.longest_wait_s) if queue.waiting else "0:00",
            level=waits,
        ),
        tile(say("tile.level"), say.share(queue.service_level), goal, "" if level == "soft" else level),
        tile(say("queue.answered"), say.number(queue.answered), say("today")),
        tile(
            say("queue.abandoned"),
            say.number(queue.abandoned),
            say.share(queue.abandoned / offered if offered else None, 1),
        ),
    ]
    team = look.now.teams.get(queue.name, ())
    people = [wallboard.person(look, agent) for agent in sorted(team, key=lambda agent: agent.name)]
    callers = [wallboard.waiter(look, call) for call in waiting(look.now) if call.queue == queue.name]
    none = wallboard.calm(look)
    agents = tag("ul", people, class_="people") if people else pieces.empty(say, "queue.no_team")
    return tag(
        "div",
        tag("dl", made, class_="tiles"),
        tag(
            "div",
            card(say("waits.title"), tag("ul", callers, class_="rows") if callers else none, key="waits"),
            card(say("queue.team"), agents, key="team"),
            class_="halves",
        ),
        class_="sections",
    )


PARTS = {"head": head, "body": body}
