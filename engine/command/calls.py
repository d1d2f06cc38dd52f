"""`isogloss calls`: the calls in progress, or the newest that are over."""

from __future__ import annotations

import argparse
import json
import time
from datetime import datetime
from typing import Any

from engine.command import terminal
from engine.command.fault import DONE, CommandFault
from engine.command.follow import Item, Row, Watched, follow
from engine.command.node import PAGE, Node
from engine.command.terminal import Cell, Column, span

COLUMNS = (
    *(Column("call"), Column("since", right=True), Column("state"), Column("queue"), Column("agent")),
    *(Column("customer", gives=True), Column("number", gives=True), Column("MOS", right=True)),
    Column("trouble", gives=True),
)
ENDED = (
    *(Column("call"), Column("ended"), Column("reason"), Column("queue"), Column("agent")),
    *(Column("customer", gives=True), Column("number", gives=True), Column("waited", right=True)),
    *(Column("talked", right=True), Column("MOS", right=True)),
)
COLOURS = {"talking": "good", "queued": "poor", "offered": "poor", "held": "poor"}
COMPLETED = {"completed": "good"}
POOR_MOS, BAD_MOS = 3.6, 3.1  # many, and nearly all, are dissatisfied below (ITU-T G.107, annex B)


def run(options: argparse.Namespace) -> int:
    node = Node(options)
    named = {name: getattr(options, name) for name in ("queue", "agent", "market", "state")}
    if options.ended is not None:
        return _ended(options, node, named)
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


def _ended(options: argparse.Namespace, node: Node, named: dict[str, Any]) -> int:
    if named.pop("state") or options.follow:
        raise CommandFault("--ended goes neither with --follow nor with --state: such calls are in none")
    if not 1 <= options.ended <= PAGE:
        raise CommandFault(f"--ended takes a number from 1 to {PAGE}")
    found = node.ask("GET", "/v1/records", query=named | {"limit": options.ended})["items"]
    if options.json:
        print(json.dumps({"items": found}, ensure_ascii=False))
        return DONE
    print("\n".join(terminal.of().table(ENDED, map(_record, found))) if found else "no calls yet")
    return DONE


def _record(record: dict[str, Any]) -> Row:
    heard = [record[name] for name in ("customer_mos", "agent_mos") if record[name] is not None]
    return [
        record["call"],
        f"{datetime.fromisoformat(record['ended_at']).astimezone():%Y-%m-%d %H:%M:%S}",
        Cell(record["reason"], COMPLETED.get(record["reason"], "poor")),
        record["queue"],
        record["agent"],
        record["customer"],
        record["number"],
        span(record["wait_s"]),
        span(record["talk_s"]),
        _mos(min(heard) if heard else None),
    ]


def _mos(mos: float | None) -> Cell:
    poor = "" if mos is None or mos >= POOR_MOS else "poor" if mos >= BAD_MOS else "bad"
    return Cell("" if mos is None else f"{mos:.1f}", poor)


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
    state = item["state"]
    place = f" {item['position']}" if item["position"] is not None else ""
    return [
        item["id"],
        span(now - item["since"]),
        Cell(f"{state}{place}", COLOURS.get(state, "")),
        item["queue"],
        item["agent"],
        item["customer"],
        item["number"],
        _mos(item["mos"]),
        Cell(", ".join(item["troubles"]), "bad"),
    ]
