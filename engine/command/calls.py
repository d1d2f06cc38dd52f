"""`isogloss calls`: the calls in progress."""

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
    *(Column("call"), Column("since", right=True), Column("state"), Column("queue"), Column("agent")),
    *(Column("customer", gives=True), Column("number", gives=True), Column("MOS", right=True)),
    Column("trouble", gives=True),
)
COLOURS = {"talking": "good", "queued": "poor", "offered": "poor", "held": "poor"}
POOR_MOS, BAD_MOS = 3.6, 3.1  # many, and nearly all, are dissatisfied below (ITU-T G.107, annex B)


def run(options: argparse.Namespace) -> int:
    node = Node(options)
    named = {name: getattr(options, name) for name in ("queue", "agent", "market", "state")}
    if options.follow:
        kept = {name: value for name, value in named.items() if value}

        def wants(item: Item) -> bool:
            return all(item[name] == value for name, value in kept.items())

        watched = Watched("calls", COLUMNS, _row, _told, wants)
        follow(options, node, watched, {"queues": options.queue, "markets": options.market})
        return DONE
    found = list(node.pages("/v1/calls", named))
    if options.json:
        print(json.dumps({"items": found}, ensure_ascii=False))
        return DONE
    now = time.time()
    rows = [_row(_item(each), now) for each in found]
    print("\n".join(terminal.of().table(COLUMNS, rows)) if rows else "no calls now")
    return DONE


def _item(call: dict[str, Any]) -> Item:
    """A call of the list, as it is told live."""
    heard = [each["mos_now"] if each["mos_now"] is not None else each["mos"] for each in call["legs"]]
    known = [mos for mos in heard if mos is not None]
    troubles = {f"{leg['side']}:{each['kind']}" for leg in call["legs"] for each in leg["troubles"]}
    return {
        **call,
        "since": datetime.fromisoformat(call["since"]).timestamp(),
        "position": call["waiting_position"],
        "mos": min(known) if known else None,
        "troubles": sorted(troubles),
    }


def _told(item: Item) -> object:
    return [item[name] for name in ("state", "queue", "agent", "position", "troubles")]


def _row(item: Item, now: float) -> Row:
    state, mos = item["state"], item["mos"]
    place = f" {item['position']}" if item["position"] is not None else ""
    poor = "" if mos is None or mos >= POOR_MOS else "poor" if mos >= BAD_MOS else "bad"
    return [
        item["id"],
        span(now - item["since"]),
        Cell(f"{state}{place}", COLOURS.get(state, "")),
        item["queue"],
        item["agent"],
        item["customer"],
        item["number"],
        Cell("" if mos is None else f"{mos:.1f}", poor),
        Cell(", ".join(item["troubles"]), "bad"),
    ]
