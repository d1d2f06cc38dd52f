"""The operator's commands on lines: `isogloss trunk test|report`, asked of the node that runs.

Exit status of `test`: 0 the line passed, 1 it did not, 2 nothing can be said of it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from engine.operate import FAULTY, Node, NotDone, Told, Unreachable
from engine.probe.result import LATE_MS, Fault

FAILED = 1
LOOK_S = 0.25
PATIENCE_S = 180.0


def run(options: argparse.Namespace) -> int:
    try:
        return {"test": _test, "report": _report}[options.action](options)
    except (Unreachable, NotDone) as fault:
        print(f"isogloss trunk {options.action}: {fault}", file=sys.stderr)
        return FAULTY


# --- test -----------------------------------------------------------------------------------------


def _test(options: argparse.Namespace) -> int:
    node = Node(options)
    path = f"/v1/lines/{options.line}/probes"
    probe = node.ask("POST", path, {"number": options.number})
    told = 0
    deadline = time.monotonic() + PATIENCE_S
    while True:
        told = _tell(probe, told, quiet=options.json)
        if probe["result"] is not None:
            break
        if time.monotonic() > deadline:
            raise Unreachable(f"the probe is not over after {PATIENCE_S:.0f} s")
        time.sleep(LOOK_S)
        probe = node.ask("GET", f"{path}/{probe['id']}")
    result = probe["result"]
    print(
        json.dumps({"line": probe["line"], "number": probe["number"], **result})
        if options.json
        else _verdict(result)
    )
    return 0 if result["passed"] else FAULTY if result["fault"] == Fault.NOT_RUN else FAILED


def _tell(probe: Told, told: int, *, quiet: bool) -> int:
    """Print the steps that are new; how many there are."""
    began = datetime.fromisoformat(probe["began"])
    for step in probe["steps"][told:] if not quiet else ():
        after = (datetime.fromisoformat(step["at"]) - began).total_seconds()
        print(f"{after:6.1f} s  {step['words']}", flush=True)
    return len(probe["steps"])


def _verdict(result: Told) -> str:
    rows = list(_figures(result))
    width = max((len(name) for name, _ in rows), default=0)
    lines = [f"  {name:<{width}}  {figure}" for name, figure in rows]
    if result["passed"]:
        return "\n".join([*lines, "passed"])
    lines.append(f"failed: {result['fault']}: {result['detail']}")
    lines += [f"        also: {each}" for each in result["more"]]
    return "\n".join([*lines, f"        {result['remedy']}"])


def _figures(result: Told) -> Iterator[tuple[str, str]]:
    """What was measured, with units; what was not is left out."""
    delay, streams, speech, caller = (result[name] for name in ("delay", "streams", "speech", "caller"))
    if result["pdd_s"] is not None:
        yield "post-dial delay", f"{result['pdd_s']:.2f} s"
    if result["setup_s"] is not None:
        yield "answered after", f"{result['setup_s']:.2f} s ({result['codec']})"
    if delay is not None:
        drift = delay["drift_ms_per_min"]
        spread = f"95 % within {delay['p95_ms']:.0f}" + (
            f", drift {drift:+.1f} ms/min" if drift is not None else ""
        )
        marks = f"{delay['found']:.0f} of {delay['sent']:.0f} marks"
        yield "mouth to ear and back", f"{delay['median_ms']:.1f} ms ({spread}; {marks})"
    if result["late_ms"] >= LATE_MS:
        yield (
            "this machine",
            f"kept the phone waiting for {result['late_ms']:.0f} ms: it is too busy to judge sound",
        )
    if streams["received"]:
        there = f", {streams['remote_loss']:.1%} of ours there" if streams["remote_loss"] is not None else ""
        yield "packets lost", f"{streams['loss']:.1%}{there}"
        yield "jitter", f"{streams['jitter_ms']:.1f} ms"
    if streams["rtt_ms"] is not None:
        yield "network, there and back", f"{streams['rtt_ms']:.1f} ms"
    if speech is not None:
        yield "speech", f"MOS {speech['mos']:.2f} ({result['measure']}), level {speech['gain_db']:+.1f} dB"
    if result["digits"] is not None:
        yield "digits", f"{result['digits_back'] or 'none'} of {result['digits_sent']}"
    if caller is not None:
        yield "caller shown", f"{caller['arrived'] or 'nobody'} (asked: {caller['asked']})"


# --- report ---------------------------------------------------------------------------------------

HEADS = (
    "calls",
    "connect",
    "drop",
    "PDD",
    "p95",
    "MOS",
    "loss",
    "jitter",
    "RTT",
    "ear",
    "probes",
    "what is bad",
)


def _report(options: argparse.Namespace) -> int:
    told = Node(options).ask("GET", f"/v1/lines/report?hours={options.hours}")
    if options.json:
        print(json.dumps(told))
    else:
        print(
            _table(
                [("line", *([options.by] if options.by != "line" else []), *HEADS), *_rows(told, options.by)]
            )
        )
    return 0


def _rows(told: Told, by: str) -> Iterator[tuple[str, ...]]:
    for line in told["lines"]:
        if by == "line":
            yield (line["line"], *_cells(line))
        for part in line["regions"] if by == "region" else line["hours"] if by == "hour" else ():
            yield (line["line"], part["region"] if by == "region" else _hour(part["at"]), *_cells(part))


def _hour(at: str) -> str:
    return f"{datetime.fromisoformat(at).astimezone(UTC):%d %H:00}"


def _cells(part: Told) -> tuple[str, ...]:
    found = part["figures"]

    def as_(name: str, form: str, unit: str = "") -> str:
        return "–" if found[name] is None else f"{found[name]:{form}}{unit}"

    probes = f"{found['probes_passed']}/{found['probes']}" if found["probes"] else "–"
    bad = ", ".join(REASONS[each["kind"]].format(each["value"]) for each in part["reasons"])
    return (
        str(found["calls"]),
        as_("connect_rate", ".0%"),
        as_("drop_rate", ".1%"),
        as_("pdd_s", ".1f", " s"),
        as_("pdd_p95_s", ".1f", " s"),
        _lowest(found),
        as_("loss", ".1%"),
        as_("jitter_ms", ".0f", " ms"),
        as_("rtt_ms", ".0f", " ms"),
        as_("delay_ms", ".0f", " ms"),
        probes,
        bad or ("good" if part["level"] == "good" else "–"),
    )


def _lowest(found: Told) -> str:
    """MOS of calls and of probes."""
    scores = [f"{each:.2f}" for each in (found["mos"], found["probe_mos"]) if each is not None]
    return "/".join(scores) or "–"


REASONS = {
    "probes": "only {:.0%} of probes passed",
    "connect": "{:.0%} connect",
    "drop": "{:.1%} drop",
    "mos": "MOS {:.2f}",
    "loss": "{:.1%} lost",
    "pdd": "{:.1f} s to ring",
    "delay": "{:.0f} ms to the ear and back",
    "jitter": "{:.0f} ms jitter",
}


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    """In columns; figures to the right, names and words to the left."""
    every = list(rows)
    if len(every) == 1:
        return "no line is known"
    widths = [max(len(row[at]) for row in every) for at in range(len(every[0]))]
    names = len(every[0]) - len(HEADS)
    left = {*range(names), len(widths) - 1}
    lines = []
    for row in every:
        cells: list[Any] = [
            f"{each:<{w}}" if at in left else f"{each:>{w}}" for at, (each, w) in enumerate(zip(row, widths))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
