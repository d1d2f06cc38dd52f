"""The operator's commands on nodes: `isogloss nodes|drain`. They ask the node that runs, by its API."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any

from engine.command import terminal
from engine.command.fault import DONE
from engine.command.node import Node
from engine.command.terminal import Cell, Column

COLUMNS = (
    *(Column(""), Column("node"), Column("region"), Column("state"), Column("calls", right=True)),
    *(Column("way", right=True), Column("why", gives=True)),
)


def run(options: argparse.Namespace) -> int:
    {"nodes": _nodes, "drain": _drain}[options.command](options)
    return DONE


def _nodes(options: argparse.Namespace) -> None:
    told = Node(options).ask("GET", "/v1/nodes")
    print(json.dumps(told, ensure_ascii=False) if options.json else "\n".join(_listed(told)))


def _drain(options: argparse.Namespace) -> None:
    told = Node(options).ask("DELETE" if options.end else "POST", "/v1/node/drain")
    if options.json:
        print(json.dumps(told))
    elif told["draining"]:
        print(f"The node takes no new calls; {told['calls']} go on. Take some again: isogloss drain --end")
    else:
        print("The node takes new calls again.")


def _listed(told: dict[str, Any]) -> Iterator[str]:
    yield from terminal.of().table(COLUMNS, map(_row, told["nodes"]))
    if not told["store"]:
        yield "The Redis that nodes share is out of reach: they go on with what they know."


def _row(node: dict[str, Any]) -> list[Cell | str]:
    state = node["state"] if node["well"] else f"{node['state']}, ill"
    return [
        "*" if node["here"] else "",
        node["name"],
        node["region"],
        Cell(state, "" if node["well"] else "bad"),
        f"{node['calls']}/{node['capacity']}",
        "" if node["rtt_ms"] is None else f"{node['rtt_ms']:.0f} ms",
        node["why"],
    ]
