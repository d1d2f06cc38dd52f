"""Nodes: how full each is, how far, and what its health says."""

from __future__ import annotations

from markupsafe import Markup

from engine.access.role import Permission
from engine.cluster.sight import NodeView
from engine.console.look import Look
from engine.console.markup import tag
from engine.console.views import pieces
from engine.console.views.hooks import hooks
from engine.console.views.pieces import card, cell, dot, name, pill, row, table
from engine.console.views.sources import sources
from engine.console.views.world import NODE_LEVELS, world
from engine.views import Health

CHECKS = {Health.OK: "good", Health.DEGRADED: "warn", Health.FAILING: "bad"}


def head(look: Look) -> Markup:
    return pieces.head(look, look.say("page.nodes"), *_acts(look))


def _acts(look: Look) -> list[Markup]:
    """Of the node that is asked, for it alone can be told."""
    say = look.say
    here = next((node for node in look.now.nodes if node.here), None)
    if here is None or not look.who.may(Permission.CONFIGURE):
        return []
    if here.state == "draining":
        return [tag("button", say("node.fill"), type="button", data_do="drain", data_draining="")]
    sure = tag(
        "button",
        say("node.drain"),
        type="button",
        class_="stop",
        data_do="drain",
        data_draining="yes",
        data_closes=True,
    )
    button = tag("button", say("node.drain"), type="button", data_opens="drain", class_="danger")
    return [button, pieces.confirm("drain", say, "node.drain.sure", sure, name=here.name)]


def places(look: Look) -> Markup:
    return card(look.say("world.title"), world(look), key="world", class_="world-card")


def listed(look: Look) -> Markup:
    say = look.say
    heads = [
        (say("node.name"), ""),
        (say("calls.state"), ""),
        (say("record.region"), ""),
        (say("node.calls"), "number"),
        (say("node.load"), "level"),
        (say("node.rtt"), "number"),
        (say("node.why"), ""),
    ]
    rows = [_row(look, node) for node in look.now.nodes]
    return tag("section", table(heads, rows, label=say("page.nodes")), class_="card first-table")


def _row(look: Look, node: NodeView) -> Markup:
    say = look.say
    level = "bad" if not node.well and node.state == "up" else NODE_LEVELS.get(node.state, "soft")
    words = (
        say.known(f"node.{node.state}", node.state) if node.well or node.state != "up" else say("node.unwell")
    )
    full = "bad" if node.load >= 0.9 else "warn" if node.load >= 0.75 else "good"
    share = say.share(node.load)
    return row(
        node.name,
        cell([tag("b", name(node.name)), pill(say("node.here")) if node.here else None]),
        cell(pill([dot(level), words], level)),
        cell(name(node.region)),
        cell(
            [tag("b", say.number(node.calls)), tag("span", f" / {say.number(node.capacity)}", class_="soft")],
            "number",
        ),
        cell([pieces.bar(node.load, full, share), tag("span", share, class_="share")], "level"),
        cell(say.ms(node.rtt_ms), "number"),
        cell(tag("span", node.why, class_="soft", lang="en", dir="auto")),
    )


def health(look: Look) -> Markup:
    say = look.say
    rows = [
        tag(
            "li",
            dot(CHECKS[check.status]),
            tag(
                "div",
                tag(
                    "p",
                    tag("span", name(check.name), class_="strong"),
                    pill(say(f"health.{check.status}"), CHECKS[check.status]),
                ),
                tag("p", check.detail, class_="soft", lang="en", dir="auto") if check.detail else None,
            ),
            data_key=check.name,
        )
        for check in look.now.health.checks
    ]
    version = tag("span", name(f"{look.now.health.node} · {look.now.health.version}"), class_="soft")
    return card(say("health.title"), tag("ul", rows, class_="rows"), more=version, key="health")


PARTS = {
    "head": head, "list": listed, "world": places, "health": health, "sources": sources, "hooks": hooks,
}  # fmt: skip
PILES = (("world",), ("health",), ("sources", "hooks"))
