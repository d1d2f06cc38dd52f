"""The operator's commands on nodes: `isogloss nodes|drain`. They ask the node that runs, by its API."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any

from engine.operate import FAULTY, Node, NotDone, Unreachable


def run(options: argparse.Namespace) -> int:
    act = {"nodes": _nodes, "drain": _drain}[options.command]
    try:
        act(options)
    except (Unreachable, NotDone) as error:
        print(f"isogloss {options.command}: {error}", file=sys.stderr)
        return FAULTY
    return 0


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
    yield f"{'':2}{'node':20}{'region':14}{'state':10}{'calls':>11}{'way':>9}  why"
    for node in told["nodes"]:
        way = "" if node["rtt_ms"] is None else f"{node['rtt_ms']:.0f} ms"
        calls = f"{node['calls']}/{node['capacity']}"
        state = node["state"] if node["well"] else f"{node['state']}, ill"
        mark = "*" if node["here"] else " "
        yield f"{mark:2}{node['name']:20}{node['region']:14}{state:10}{calls:>11}{way:>9}  {node['why']}"
    if not told["store"]:
        yield "The Redis that nodes share is out of reach: they go on with what they know."
