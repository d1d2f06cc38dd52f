"""The operator's commands on lines: `isogloss trunk test|report`, asked of the node that runs.

Exit status of `test`: 0 the line passed, 1 it did not, 2 nothing can be said of it.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import quote

from engine.command import terminal
from engine.command.fault import DONE, FAULTY, REFUSED, Told, Unreachable
from engine.command.node import Node
from engine.command.terminal import Cell, Column, plain
from engine.probe.result import LATE_MS, Fault

LOOK_S = 0.25
PATIENCE_S = 180.0


def run(options: argparse.Namespace) -> int:
    return {"test": _test, "report": _report}[options.action](options)


# --- test -----------------------------------------------------------------------------------------


def _test(options: argparse.Namespace) -> int:
    node = Node(options)
    path = f"/v1/lines/{quote(options.line, safe='')}/probes"
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
    return DONE if result["passed"] else FAULTY if result["fault"] == Fault.NOT_RUN else REFUSED


def _tell(probe: Told, told: int, *, quiet: bool) -> int:
    """Print the steps that are new; how many there are."""
    began = datetime.fromisoformat(probe["began"])
    for step in probe["steps"][told:] if not quiet else ():
        after = (datetime.fromisoformat(step["at"]) - began).total_seconds()
        print(f"{after:6.1f} s  {plain(step['words'])}", flush=True)
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

FIGURES = (
    *(Column(head, right=True) for head in ("calls", "connect", "drop", "PDD", "p95", "MOS", "loss")),
    *(Column(head, right=True) for head in ("jitter", "RTT", "ear", "probes")),
    Column("what is bad", gives=True),
)


def _report(options: argparse.Namespace) -> int:
    told = Node(options).ask("GET", "/v1/lines/report", query={"hours": options.hours})
    if options.json:
        print(json.dumps(told, ensure_ascii=False))
        return DONE
    rows = list(_rows(told, options.by))
    columns = [Column("line"), *([Column(options.by)] if options.by != "line" else []), *FIGURES]
    print("\n".join(terminal.of().table(columns, rows)) if rows else "no line is known")
    return DONE


def _rows(told: Told, by: str) -> Iterator[list[Cell | str]]:
    for line in told["lines"]:
        if by == "line":
            yield [line["line"], *_cells(line)]
        for part in line["regions"] if by == "region" else line["hours"] if by == "hour" else ():
            yield [line["line"], part["region"] if by == "region" else _hour(part["at"]), *_cells(part)]


def _hour(at: str) -> str:
    return f"{datetime.fromisoformat(at).astimezone(UTC):%d %H:00}"


def _cells(part: Told) -> tuple[Cell | str, ...]:
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
        Cell(bad, "bad") if bad else Cell("good", "good") if part["level"] == "good" else "–",
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
