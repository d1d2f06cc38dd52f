"""`isogloss agents`: what they do, and since when."""

from __future__ import annotations

import argparse
import json
import time
from datetime import datetime
from typing import Any

from engine.command import terminal
from engine.command.fault import DONE
from engine.command.follow import Item, Row, Watched, follow
from engine.command.node import Node
from engine.command.terminal import Cell, Column, span

COLUMNS = (
    *(Column("agent"), Column("state"), Column("since", right=True), Column("reason", gives=True)),
    *(Column("phone"), Column("queues", gives=True), Column("misses", right=True), Column("call")),
)
COLOURS = {"available": "good", "paused": "poor", "logged_out": "faint"}


def run(options: argparse.Namespace) -> int:
    node = Node(options)
    if options.follow:

        def wants(item: Item) -> bool:
            return options.state in (None, item["state"])

        follow(options, node, Watched("agents", COLUMNS, _row, dict, wants), {"queues": options.queue})
        return DONE
    found = list(node.pages("/v1/agents", {"queue": options.queue, "state": options.state}))
    if options.json:
        print(json.dumps({"items": found}, ensure_ascii=False))
        return DONE
    now = time.time()
    rows = [_row(_item(each), now) for each in found]
    print("\n".join(terminal.of().table(COLUMNS, rows)) if rows else "no agent is within reach")
    return DONE


def _item(agent: dict[str, Any]) -> Item:
    """An agent of the list, as she is told live."""
    return {**agent, "since": datetime.fromisoformat(agent["since"]).timestamp()}


def _row(item: Item, now: float) -> Row:
    return [
        item["name"],
        Cell(item["state"], COLOURS.get(item["state"], "")),
        span(now - item["since"]),
        item["reason"],
        Cell("registered" if item["registered"] else "none", "" if item["registered"] else "poor"),
        ", ".join(item["queues"]),
        str(item["misses"]) if item["misses"] else "",
        item["call"],
    ]
