"""`isogloss queues`: who waits, who could answer, and the day so far."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from engine.command import terminal
from engine.command.fault import DONE
from engine.command.follow import Item, Row, Watched, follow
from engine.command.node import Node
from engine.command.terminal import Cell, Column, span

COLUMNS = (
    Column("queue"),
    *(Column(head, right=True) for head in ("waiting", "longest", "available", "busy", "answered")),
    *(Column(head, right=True) for head in ("abandoned", "service level")),
)


def run(options: argparse.Namespace) -> int:
    node = Node(options)
    if options.follow:
        follow(options, node, Watched("queues", COLUMNS, _row, dict), {})
        return DONE
    found = list(node.pages("/v1/queues"))
    if options.json:
        print(json.dumps({"items": found}, ensure_ascii=False))
        return DONE
    now = time.time()
    rows = [_row(_item(each, now), now) for each in found]
    print("\n".join(terminal.of().table(COLUMNS, rows)) if rows else "no queue is within reach")
    return DONE


def _item(queue: dict[str, Any], now: float) -> Item:
    """A queue of the list, as it is told live."""
    return {**queue, "oldest": now - queue["longest_wait_s"] if queue["waiting"] else None}


def _row(item: Item, now: float) -> Row:
    waiting, level = item["waiting"], item["service_level"]
    return [
        item["name"],
        Cell(str(waiting), "poor" if waiting else ""),
        "" if item["oldest"] is None else span(now - item["oldest"]),
        Cell(str(item["agents_available"]), "bad" if waiting and not item["agents_available"] else ""),
        str(item["agents_busy"]),
        str(item["answered"]),
        str(item["abandoned"]),
        "–" if level is None else f"{level:.0%}",
    ]
