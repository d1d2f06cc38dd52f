"""`isogloss report`: what calls came to, by one or two dimensions."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from engine.command import terminal
from engine.command.fault import DONE, CommandFault, Told
from engine.command.node import Node
from engine.command.parser import DIMENSIONS, NARROWED
from engine.command.terminal import Cell, Column
from engine.command.when import instant

PATH = "/v1/reports/calls"
Form = Callable[[Any], str]


def _share(value: float) -> str:
    return f"{value:.1%}"


def _seconds(value: float) -> str:
    return f"{value:.1f} s"


def _milliseconds(value: float) -> str:
    return f"{value:.0f} ms"


# Of the figures that the API tells, those that fit beside each other: their heads, and how they are written.
FIGURES: tuple[tuple[str, str, Form], ...] = (
    ("offered", "offered", str),
    ("answered", "answered", str),
    ("abandoned", "abandoned", str),
    ("service_level", "in time", _share),
    ("wait_s", "ASA", _seconds),
    ("handle_s", "AHT", _seconds),
    ("occupancy", "occupancy", _share),
    ("connect", "connect", _share),
    ("drop", "drop", _share),
    ("pdd_s", "PDD", _seconds),
    ("customer_mos", "MOS caller", "{:.2f}".format),
    ("agent_mos", "MOS agent", "{:.2f}".format),
    ("asr_latency_ms", "ASR", _milliseconds),
    ("mt_latency_ms", "MT", _milliseconds),
)


def run(options: argparse.Namespace) -> int:
    asked = query(options, datetime.now(UTC))
    node = Node(options)
    if options.csv:
        sys.stdout.buffer.write(node.fetch("GET", f"{PATH}.csv", query=asked))
        sys.stdout.buffer.flush()
        return DONE
    told = node.ask("GET", PATH, query=asked)
    if options.json:
        print(json.dumps(told, ensure_ascii=False))
    else:
        print("\n".join(_said(told)))
    return DONE


def query(options: argparse.Namespace, now: datetime) -> dict[str, Any]:
    """What is asked of the API. Raises CommandFault."""
    by = [each.strip() for each in options.by.split(",")]
    for each in by:
        if each not in DIMENSIONS:
            raise CommandFault(f"--by {each!r} is no dimension: name one or two of {', '.join(DIMENSIONS)}")
    if len(by) > 2 or len(set(by)) < len(by):
        raise CommandFault("--by takes one dimension or two different ones, as in --by queue,hour")
    try:
        zone = ZoneInfo(options.zone)
    except (KeyError, ValueError, OSError):  # not known, no name at all, a folder of names
        raise CommandFault(
            f"--zone {options.zone!r} is no time zone: write one as in Europe/Madrid"
        ) from None
    until = instant(options.until, now, zone) if options.until else now
    since = instant(options.since, now, zone)
    if since >= until:
        raise CommandFault(f"--from {options.since} is not before --to {options.until or 'now'}")
    return {
        "by": by,
        "from": since.isoformat(timespec="seconds"),
        "to": until.isoformat(timespec="seconds"),
        "zone": options.zone,
        "threshold_s": options.threshold,
        "formula": options.formula,
        **{name: getattr(options, name) for name in NARROWED},
    }


def _said(told: Told) -> list[str]:
    shown = [each for each in FIGURES if any(row["figures"][each[0]] is not None for row in _rows(told))]
    columns = [
        *(Column(each, gives=True) for each in told["by"]),
        *(Column(head, right=True) for _, head, _ in shown),
    ]
    rows: list[list[Cell | str]] = [
        [*_keys(told, row), *(_cell(row["figures"][name], form) for name, _, form in shown)]
        for row in _rows(told)
    ]
    if len(rows) == 1:
        return ["no calls in that time"]
    return [
        *terminal.of().table(columns, rows),
        f"in time: within {told['threshold_s']:g} s, {told['formula_words']}",
    ]


def _rows(told: Told) -> list[Told]:
    return [*told["items"], {"key": {}, "figures": told["total"]}]


def _keys(told: Told, row: Told) -> list[str]:
    """Of the last row there are none."""
    if not row["key"]:
        return ["all", *("" for _ in told["by"][1:])]
    return [row["key"].get(each, "") or "–" for each in told["by"]]


def _cell(value: Any, form: Form) -> str:
    return "–" if value is None else form(value)
