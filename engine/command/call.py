"""`isogloss call show ID`: one call, in progress or finished: who, when, what happened and why, how it
sounded, and what went wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from engine.command import ladder, terminal
from engine.command.fault import DONE, CommandFault, NotDone, Told
from engine.command.node import Node
from engine.command.terminal import Cell, Column, Terminal, plain, span

NOT_FOUND = 404
SOUND = (
    *(Column("leg", right=True), Column("side"), Column("codec"), Column("packets", right=True)),
    *(Column("lost", right=True), Column("jitter", right=True), Column("round trip", right=True)),
    Column("worst MOS", right=True),
)
HAPPENED = (Column("", right=True), Column("lane"), Column("what"), Column("side"), Column("why", gives=True))
HIDDEN = ("leg", "inward", "transport", "queue")  # of what an event holds: told elsewhere, or of no interest


def run(options: argparse.Namespace) -> int:
    node = Node(options)
    path = f"/v1/calls/{quote(options.call, safe='')}"
    if options.pcap is not None:
        return _pcap(node, path, options.pcap)
    told = _asked(node, path, options)
    if options.json:
        print(json.dumps(told, ensure_ascii=False))
        return DONE
    for line in _said(told, terminal.of(), whole=options.text):
        print(line)
    return DONE


def _asked(node: Node, path: str, options: argparse.Namespace) -> Told:
    """All that the node knows of it; null for what is not kept. Raises NotDone where there is no such."""
    told: Told = {
        "call": _maybe(node, path),
        "record": _maybe(node, path.replace("/v1/calls/", "/v1/records/")),
        "timeline": node.ask("GET", f"{path}/timeline"),
        "quality": _maybe(node, f"{path}/quality"),
        "diagnosis": node.ask("GET", f"{path}/diagnosis", query={"language": options.language}),
    }
    if options.sip or options.text:
        told["sip"] = _maybe(node, f"{path}/sip")
    return told


def _maybe(node: Node, path: str) -> Any:
    try:
        return node.ask("GET", path)
    except NotDone as error:
        if error.problem.get("status") == NOT_FOUND:
            return None
        raise


def _pcap(node: Node, path: str, file: str) -> int:
    capture = node.fetch("GET", f"{path}/sip.pcap")
    if file == "-":
        if sys.stdout.isatty():
            raise CommandFault(
                "a capture is not written to a terminal; name a file, or a pipe to tshark -r -"
            )
        sys.stdout.buffer.write(capture)
        sys.stdout.buffer.flush()
        return DONE
    try:
        Path(file).write_bytes(capture)
    except OSError as error:
        raise CommandFault(f"{file} cannot be written ({error.strerror})") from error
    print(f"{file}: {len(capture)} bytes")
    return DONE


# --- what is said ---------------------------------------------------------------------------------


def _said(told: Told, on: Terminal, *, whole: bool) -> Iterator[str]:
    yield from _head(told, on)
    yield from _wrong(told["diagnosis"], on)
    yield from _timeline(told["timeline"], on)
    yield from _sound(told, on)
    if "sip" in told:
        yield ""
        yield on.paint("SIP", "head")
        yield from ladder.drawn(told["sip"], on, whole=whole)


def _head(told: Told, on: Terminal) -> Iterator[str]:
    call, record = told["call"], told["record"]
    if record is None and call is None:
        yield on.paint(f"Call {plain(told['timeline']['call'])}", "head")
        return
    if call is not None:
        yield on.paint(f"Call {plain(call['id'])}: {call['state']} since {_at(call['since'])}", "head")
    else:
        took = _seconds(record["offered_at"], record["ended_at"])
        words = f"Call {plain(record['call'])}: {record['reason']}, ended by {record['ended_by']}"
        yield on.paint(words, "head")
        yield f"  from {_at(record['offered_at'])} for {span(took)}"
    seen = call or record
    yield f"  {plain(seen['customer'])} called {plain(seen['number'])}"
    places = ((name, plain(seen[name])) for name in ("queue", "agent", "market", "region", "language"))
    yield "  " + ", ".join(f"{name} {value}" for name, value in places if value)
    if record is not None:
        spans = ((name, record[f"{name}_s"]) for name in ("wait", "talk", "hold"))
        yield "  " + ", ".join(f"{name} {span(value)}" for name, value in spans)
        if record["recording"]:
            yield f"  recorded: {plain(record['recording'])}"


def _wrong(diagnosis: Told, on: Terminal) -> Iterator[str]:
    yield ""
    yield on.paint("What went wrong", "head")
    if not diagnosis["findings"]:
        yield f"  {on.paint(plain(diagnosis['sentence']), 'good')}"
    for each in diagnosis["findings"]:
        yield f"  {on.paint(plain(each['sentence']), 'bad')}  ({each['fault']}, sure by {each['sure']:.0%})"
        yield f"    {plain(each['remedy'])}"
        yield from (f"    - {_at(proof['at'])} {plain(proof['text'])}" for proof in each["evidence"])


def _timeline(timeline: Told, on: Terminal) -> Iterator[str]:
    yield ""
    yield on.paint("What happened", "head")
    rows: list[list[Cell | str]] = [
        [f"{each['t']:.2f} s", each["lane"], _what(each), each["side"], _why(each)]
        for each in timeline["items"]
    ]
    yield from on.table(HAPPENED, rows)[1:]


def _what(moment: Told) -> str:
    words: str = moment["kind"].partition(".")[2] or moment["kind"]
    return words.replace("_", " ")


def _why(moment: Told) -> str:
    kept = {
        name: value
        for name, value in moment["data"].items()
        if name not in HIDDEN and value not in (None, "", [], {}) and not isinstance(value, dict)
    }
    held = ", ".join(f"{name} {_value(value)}" for name, value in kept.items())
    return ": ".join(filter(None, [held, moment["why"]]))


def _value(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _sound(told: Told, on: Terminal) -> Iterator[str]:
    yield ""
    yield on.paint("How it sounded", "head")
    figures = told["diagnosis"]["figures"]
    if not figures:
        yield "  nothing is kept of it"
        return
    yield from on.table(SOUND, [_leg(each) for each in figures])
    samples = [len(leg["samples"]) for leg in (told["quality"] or {"legs": []})["legs"]]
    if any(samples):
        yield f"  over time, in {max(samples)} steps of about 5 s: --json, or the call's page of the console"


def _leg(each: Told) -> list[Cell | str]:
    mos = each["mos"]
    return [
        str(each["leg"]),
        each["side"],
        each["codec"],
        str(each["received"]),
        "–" if each["loss"] is None else f"{each['loss']:.1%}",
        f"{each['jitter_ms']:.0f} ms",
        "–" if each["rtt_ms"] is None else f"{each['rtt_ms']:.0f} ms",
        "–" if mos is None else f"{mos:.2f}",
    ]


def _at(instant: str) -> str:
    return f"{datetime.fromisoformat(instant).astimezone():%Y-%m-%d %H:%M:%S}"


def _seconds(since: str, until: str) -> float:
    return (datetime.fromisoformat(until) - datetime.fromisoformat(since)).total_seconds()
