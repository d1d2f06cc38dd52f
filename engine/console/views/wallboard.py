"""The wallboard: what a room full of people sees from afar. Each part is drawn from a snapshot alone."""

from __future__ import annotations

from collections import Counter

from markupsafe import Markup

from engine.console.alerts import LOW, Alert, alerts, level_of
from engine.console.look import Look, address
from engine.console.markup import tag
from engine.console.snapshot import Snapshot
from engine.console.views import pieces
from engine.console.views.pieces import card, cell, dot, icon, link, name, pill, since, tile
from engine.console.views.world import world
from engine.console.waits import waiting, whys
from engine.views import AgentView, CallView, QueueView
from routing.agent import AgentState

LONG_S, TOO_LONG_S = 60.0, 180.0  # waits that are noticed
MOST_WAITING, MOST_AGENTS, MOST_ALERTS = 12, 60, 8
ORDER = (
    AgentState.TALKING,
    AgentState.OFFERED,
    AgentState.AVAILABLE,
    AgentState.WRAP_UP,
    AgentState.PAUSED,
    AgentState.LOGGED_OUT,
)
LEVELS = {
    AgentState.TALKING: "busy",
    AgentState.OFFERED: "busy",
    AgentState.AVAILABLE: "good",
    AgentState.WRAP_UP: "warn",
    AgentState.PAUSED: "warn",
    AgentState.LOGGED_OUT: "soft",
}


def head(look: Look) -> Markup:
    say = look.say
    full = tag(
        "button",
        [
            icon("wall"),
            tag("span", say("wall.full"), class_="of-desk"),
            tag("span", say("wall.leave"), class_="of-wall"),
        ],
        type="button",
        class_="wide",
        data_here="wall",
    )
    live = tag("span", dot("good live"), say("wall.live"), class_="live-word soft")
    time = tag("time", "", data_at="now", data_form="minute", class_="now")
    return pieces.head(look, say("page.wallboard"), live, time, full, soft=pieces.of_here(look))


# --- figures ---------------------------------------------------------------------------------------


def wait_level(seconds: float) -> str:
    return "bad" if seconds >= TOO_LONG_S else "warn" if seconds >= LONG_S else ""


def tiles(look: Look) -> Markup:
    say, now = look.say, look.now
    waits = [queue for queue in now.queues if queue.waiting]
    longest = max((queue.longest_wait_s for queue in waits), default=0.0)
    states = Counter(agent.state for agent in now.agents)
    there = len(now.agents) - states[AgentState.LOGGED_OUT]
    answered = sum(queue.answered for queue in now.queues)
    abandoned = sum(queue.abandoned for queue in now.queues)
    level, offered = service_level(now)
    goal = "" if level is None else "good" if level >= LOW else "warn" if level >= 0.6 else "bad"
    talking = sum(call.state == "talking" for call in now.calls)
    made = [
        tile(
            say("tile.waiting"),
            say.number(sum(queue.waiting for queue in waits)),
            say("tile.waiting.more", n=len(waits)),
            "warn" if waits else "",
        ),
        tile(
            say("tile.longest"),
            since(now.at - longest) if waits else "0:00",
            _whose(look, waits),
            wait_level(longest),
        ),
        tile(say("tile.level"), say.share(level), say("tile.level.more", n=offered), goal),
        tile(
            say("tile.free"),
            say.number(states[AgentState.AVAILABLE]),
            say("tile.free.more", n=there),
            "warn" if any(not queue.agents_available for queue in waits) else "",
        ),
        tile(say("tile.live"), say.number(len(now.calls)), say("tile.live.more", n=talking)),
        tile(
            say("tile.abandoned"),
            say.share(abandoned / (answered + abandoned) if answered + abandoned else None, 1),
            say("tile.abandoned.more", n=abandoned),
        ),
    ]
    return tag("dl", made, class_="tiles")


def service_level(now: Snapshot) -> tuple[float | None, int]:
    """Of all queues together, each weighing as many calls as it was offered; and how many those were."""
    known = [queue for queue in now.queues if queue.service_level is not None]
    offered = sum(queue.answered + queue.abandoned for queue in known)
    if not offered:
        return None, 0
    met = sum((queue.service_level or 0.0) * (queue.answered + queue.abandoned) for queue in known)
    return met / offered, offered


def _whose(look: Look, waits: list[QueueView]) -> Markup | str:
    """The queue of whoever waits longest."""
    if not waits:
        return look.say("tile.longest.nobody")
    return name(max(waits, key=lambda queue: queue.longest_wait_s).name)


# --- queues ----------------------------------------------------------------------------------------


def queues(look: Look) -> Markup:
    say = look.say
    if not look.now.queues:
        return card(say("page.queues"), pieces.empty(say, "empty.queues"), key="queues")
    heads = [
        (say("queue.name"), ""),
        (say("queue.waiting"), "number"),
        (say("queue.longest"), "number"),
        (say("queue.level"), "level"),
        (say("queue.staff"), "staff"),
        (say("queue.handled"), "number handled"),
    ]
    order = sorted(look.now.queues, key=lambda queue: (-queue.waiting, -queue.longest_wait_s, queue.name))
    rows = [_queue(look, queue) for queue in order]
    table = pieces.table(heads, rows, label=say("page.queues"), class_="queues-table")
    return card(say("page.queues"), table, more=tag("span", say("today"), class_="soft"), key="queues")


def _queue(look: Look, queue: QueueView) -> Markup:
    say = look.say
    level = level_of(queue)
    share = say.share(queue.service_level)
    waits = wait_level(queue.longest_wait_s) if queue.waiting else ""
    longest = since(look.now.at - queue.longest_wait_s) if queue.waiting else tag("span", "–", class_="soft")
    label = say("queue.level.label", share=share, n=round(queue.service_threshold_s))
    handled = [
        tag("b", say.number(queue.answered)),
        tag("span", f" / {say.number(queue.abandoned)}", class_="soft"),
    ]
    return pieces.row(
        queue.name,
        cell(link(name(queue.name), address("queues", queue.name), class_="strong")),
        cell(say.number(queue.waiting), f"number big {'none' if not queue.waiting else waits}"),
        cell(longest, f"number {waits}"),
        cell(
            [pieces.bar(queue.service_level, level, label, LOW), tag("span", share, class_=f"share {level}")],
            "level",
        ),
        cell(staff(look, queue), "staff"),
        cell(handled, "number handled"),
        to="queue",
    )


def staff(look: Look, queue: QueueView) -> Markup:
    """Its people as dots: free, busy, away; told in words as well. Who is away is known of this node."""
    say, free, busy = look.say, queue.agents_available, queue.agents_busy
    away = sum(_away(agent) for agent in look.now.teams.get(queue.name, ()))
    if not free + busy + away:
        return pill(say("queue.nobody"), "bad" if queue.waiting else "soft")
    label = say("queue.staff.label", free=free, busy=busy, away=away)
    dots = [[dot(level)] * min(n, 8) for level, n in (("good", free), ("busy", busy), ("warn", away))]
    count = tag("b", say.number(free), class_="good" if free else "soft")
    return tag(
        "span",
        count,
        tag("span", dots, class_="dots"),
        title=label,
        role="img",
        aria_label=label,
        class_="crew",
    )


def _away(agent: AgentView) -> bool:
    """Signed in, and not to be rung: paused, or without a phone."""
    out = agent.state == AgentState.LOGGED_OUT
    return not out and (agent.state == AgentState.PAUSED or not agent.registered)


# --- who waits -------------------------------------------------------------------------------------


def waits(look: Look) -> Markup:
    say = look.say
    found = waiting(look.now)
    title = say("waits.title")
    if not found:
        return card(title, calm(look), key="waits")
    shown = [waiter(look, call) for call in found[:MOST_WAITING]]
    left = len(found) - len(shown)
    more = (
        tag("p", link(say("waits.more", n=left), address("calls", state="queued")), class_="soft")
        if left > 0
        else None
    )
    return card(
        title,
        tag("ul", shown, class_="rows"),
        more,
        more=tag("span", str(len(found)), class_="count"),
        key="waits",
    )


def calm(look: Look) -> Markup:
    """None of this node's callers waits."""
    words = look.say("waits.nobody_here" if look.now.others else "waits.nobody")
    return tag("div", icon("good"), tag("p", words), class_="calm")


def waiter(look: Look, call: CallView) -> Markup:
    say, now = look.say, look.now
    level = wait_level(now.at - call.since)
    reasons = whys(call, now)
    told = [tag("span", say(f"why.{each.key}", **each.values), class_=each.level) for each in reasons]
    return tag(
        "li",
        tag("span", since(call.since), class_=f"wait number {level}"),
        tag(
            "div",
            tag(
                "p",
                link(name(pieces.called(say, call.customer)), address("calls", call.id), class_="strong"),
                pill(name(call.queue)) if call.queue else None,
                tag("span", call.language, class_="language-code") if call.language else None,
            ),
            tag("p", Markup(" · ").join(told), class_="reasons soft"),
        ),
        data_key=call.id,
        class_=level or None,
    )


# --- agents ----------------------------------------------------------------------------------------


def agents(look: Look) -> Markup:
    say, now = look.say, look.now
    if not now.agents:
        return card(say("page.agents"), pieces.empty(say, "empty.agents"), key="agents")
    by = {
        state: sorted((a for a in now.agents if a.state == state), key=lambda a: a.since) for state in ORDER
    }
    counts = [
        tag(
            "li",
            dot(LEVELS[state]),
            tag("b", say.number(len(found))),
            say(f"agent.{state}"),
            data_key=str(state),
        )
        for state, found in by.items()
        if found
    ]
    there = [agent for state, found in by.items() if state is not AgentState.LOGGED_OUT for agent in found]
    shown = [person(look, agent) for agent in there[:MOST_AGENTS]]
    people = tag("ul", shown, class_="people") if shown else tag("p", say("agents.nobody"), class_="soft")
    return card(say("page.agents"), tag("ul", counts, class_="legend"), people, key="agents")


def person(look: Look, agent: AgentView) -> Markup:
    say = look.say
    state = AgentState(agent.state)
    words = say(f"agent.{state}")
    if agent.reason and state is AgentState.PAUSED:
        words = say.known(f"pause.{agent.reason}", agent.reason)
    lost = not agent.registered and state is not AgentState.LOGGED_OUT
    return tag(
        "li",
        link(name(agent.name), address("agents", agent.name), class_="strong"),
        since(agent.since, class_="number"),
        tag("span", name(words), class_="state"),
        pill(say("agent.no_phone"), "bad") if lost else None,
        class_=f"person {LEVELS[state]}",
        data_key=agent.name,
    )


# --- where -----------------------------------------------------------------------------------------


def places(look: Look) -> Markup:
    return card(look.say("world.title"), world(look), key="world", class_="world-card")


# --- what wants a look -----------------------------------------------------------------------------


def wants(look: Look) -> Markup:
    say = look.say
    found = alerts(look.now)
    if not found:
        return card(
            say("alerts.title"),
            tag("div", icon("good"), tag("p", say("alerts.none")), class_="calm"),
            key="alerts",
        )
    shown = [_alert(look, each) for each in found[:MOST_ALERTS]]
    left = len(found) - len(shown)
    more = tag("p", say("alerts.more", n=left), class_="soft") if left > 0 else None
    count = tag("span", str(len(found)), class_=f"count {found[0].level}")
    return card(say("alerts.title"), tag("ul", shown, class_="rows alerts"), more, more=count, key="alerts")


def _alert(look: Look, alert: Alert) -> Markup:
    values = dict(alert.values)
    if "kind" in values:
        values["kind"] = look.say.known(f"trouble.{values['kind']}", str(values["kind"]))
    words = look.say(f"alert.{alert.key}", **values)
    detail = tag("p", alert.detail, class_="soft", lang="en", dir="ltr") if alert.detail else None
    do = tag("p", look.say(alert.remedy), class_="soft small of-desk")
    key = f"{alert.key}-{'-'.join(map(str, alert.values.values()))}-{alert.to}"
    return tag(
        "li",
        icon("warning"),
        tag("div", tag("p", link(words, alert.to) if alert.to else words, class_="strong"), detail, do),
        class_=alert.level,
        data_key=key,
    )


PARTS = {
    "head": head,
    "tiles": tiles,
    "queues": queues,
    "waits": waits,
    "world": places,
    "agents": agents,
    "alerts": wants,
}
PILES = (("queues", "agents"), ("waits",), ("world", "alerts"))
