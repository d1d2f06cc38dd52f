"""From measured costs to a plan: `python -m benchmarks.scale [--calls N] [--write]`.

Reads benchmarks/results, and computes what so many concurrent calls take: cores, nodes, fronts, Redis,
networks and disks, and where each of them ends. The assumptions are the fields of `Plan`; with --write the
tables of docs/scale.md are made anew. Nothing is measured here: each row says where its figure is from.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from benchmarks.table import RESULTS, ROOT

DOCUMENT = ROOT / "docs" / "scale.md"
BEGIN, END = "<!-- scale: begin -->", "<!-- scale: end -->"
Results = Mapping[str, Mapping[str, float]]
PACKETS_S = 50  # of 20 ms
LINK, IP_UDP_RTP, SRTP = 18, 40, 10  # bytes a packet: Ethernet, headers of IPv4, authentication tag


@dataclass(frozen=True, slots=True)
class Plan:
    """What is assumed. Shares are of all calls."""

    calls: int = 100_000
    regions: int = 3
    mean_call_s: float = 180.0
    core_use: float = 0.4  # of each core: a tick that comes late is heard
    recorder_use: float = 0.6  # of its core: files may be written a moment later
    node_cores: int = 8
    node_calls: int = 500  # node.limits.max_calls as shipped
    recorded: float = 1.0
    rendered: float = 0.1  # conferences, prompts, rough networks
    browser: float = 0.5  # an agent in a browser: Opus to her, G.711 to the line
    encrypted: float = 0.5  # SRTP on a phone's leg
    front_cores: int = 4
    front_calls_s: int = 400  # ALL_INVITES of defines.cfg
    front_sockets: int = 16_384  # CONNECTIONS of defines.cfg
    phones: int = 60_000
    registration_s: float = 300.0
    busy_share: float = 0.35  # a day's mean load, of that in its busiest hour


class Row(NamedTuple):
    """One line of a table."""

    what: str
    figure: str
    source: str = ""


# --- a call ------------------------------------------------------------------------------------------


def costs(results: Results) -> dict[str, tuple[float, str]]:
    """Milliseconds of CPU a second of a concurrent call, by what is done with it, and where that is from."""
    calls, srtp = results["calls"], results["srtp"]
    leg = 2 * PACKETS_S / 1000 * (srtp["protect_us_cm80"] + srtp["unprotect_us_cm80"]) / 2
    tap = max(0.0, calls["recorded_ms"] - calls["relayed_ms"])
    return {
        "relayed": (calls["relayed_ms"], "calls"),
        "rendered": (calls["rendered_ms"], "calls"),
        "recorded, beside the rest": (tap + results["recorder"]["opus_ms"], "calls, recorder"),
        "encrypted, a leg more": (leg, "srtp"),
        "browser in Opus, G.711 beyond": (results["webrtc"]["cpu_ms_50"], "webrtc"),
        "browser, relayed": (results["webrtc"]["relayed_ms"], "webrtc"),
        "G.722 to G.711": (results["transcode"]["g722_worker_ms"], "transcode"),
        "AMR-WB to G.711": (results["transcode"]["amrwb_worker_ms"], "transcode"),
    }


def mixed_ms(plan: Plan, results: Results) -> float:
    """The same of the plan's mean call, with its share of being set up and torn down."""
    cost = {name: value for name, (value, _) in costs(results).items()}
    plain = 1 - plan.rendered - plan.browser
    sound = plain * cost["relayed"] + plan.rendered * cost["rendered"]
    sound += plan.browser * cost["browser in Opus, G.711 beyond"]
    sound += (
        plan.recorded * cost["recorded, beside the rest"] + plan.encrypted * cost["encrypted, a leg more"]
    )
    return sound + results["sip"]["cpu_ms_per_call"] / plan.mean_call_s


# --- the whole ---------------------------------------------------------------------------------------


class Nodes(NamedTuple):
    """cores: of all nodes at the plan's use. by_cpu: calls that a node's cores take. by_recorder: that its
    one process of recording takes. each: the least. count: with one spare a region.
    """

    cores: float
    by_cpu: int
    by_recorder: int
    each: int
    count: int


def nodes(plan: Plan, results: Results) -> Nodes:
    a_call = mixed_ms(plan, results) / 1000
    by_cpu = math.floor(plan.node_cores * plan.core_use / a_call)
    by_recorder = math.floor(plan.recorder_use / plan.recorded * 1000 / results["recorder"]["opus_ms"])
    each = min(by_cpu, by_recorder, plan.node_calls)
    a_region = math.ceil(plan.calls / plan.regions / each)
    cores = plan.calls * a_call / plan.core_use
    return Nodes(cores, by_cpu, by_recorder, each, (a_region + 1) * plan.regions)


def arrivals(plan: Plan) -> float:
    """Calls that begin a second."""
    return plan.calls / plan.mean_call_s


class Fronts(NamedTuple):
    """cores: of all fronts at the plan's use. count: with one spare a region."""

    cores: float
    count: int
    memory_gb: float


def fronts(plan: Plan, results: Results) -> Fronts:
    figure = results["front"]
    registers = 2 * plan.phones / plan.registration_s  # each is challenged
    busy = arrivals(plan) * figure["front_ms_per_call"] + registers * figure["front_ms_per_register"]
    cores = busy / 1000 / plan.core_use
    sockets = plan.phones / plan.regions
    a_region = max(
        math.ceil(cores / plan.regions / plan.front_cores),
        math.ceil(arrivals(plan) / plan.regions / plan.front_calls_s),
        math.ceil(sockets / plan.front_sockets),
    )
    memory = sockets / a_region * figure["front_kb_per_socket"] / 1e6
    return Fronts(cores, (a_region + 1) * plan.regions, memory)


def redis_cores(plan: Plan, results: Results) -> float:
    """Of one Redis for all: it has a core and no more."""
    figure = results["front"]
    commands = arrivals(plan) * figure["redis_commands_per_call"]
    commands += nodes(plan, results).count * figure["redis_commands_idle"]
    return commands * figure["redis_us_per_command"] / 1e6


def codecs() -> dict[str, tuple[float, float]]:
    """kbit/s of one direction of a leg by codec, at the IP level and on Ethernet with SRTP."""
    payloads = {"G.711, G.722": 160, "Opus 24 kb/s": 60, "Opus 13 kb/s, a 2G link": 33, "AMR-WB 12.65": 33}
    rate = 8 * PACKETS_S / 1000
    return {
        name: (rate * (size + IP_UDP_RTP), rate * (size + IP_UDP_RTP + SRTP + LINK))
        for name, size in payloads.items()
    }


# --- what ends first ---------------------------------------------------------------------------------


def bounds(plan: Plan, results: Results) -> list[tuple[float, str, str]]:
    """(concurrent calls, what ends there, what to do then), the first first; all else as it is planned."""
    figure, found = results["front"], nodes(plan, results)
    ports = (32_766 - 16_384) // 2 + 1
    per_command = figure["redis_us_per_command"] / 1e6
    idle = found.count * figure["redis_commands_idle"] * per_command
    redis = (plan.core_use - idle) / (figure["redis_commands_per_call"] * per_command) * plan.mean_call_s
    front = plan.front_calls_s * plan.mean_call_s
    front_cpu = plan.front_cores * plan.core_use / (figure["front_ms_per_call"] / 1000) * plan.mean_call_s
    setup = results["sip"]["calls_per_s"] * plan.core_use * plan.mean_call_s
    return sorted(
        [
            (found.by_recorder, "a node: its recorder has one process", "more nodes, or fewer recorded"),
            (
                plan.node_calls,
                "a node as shipped: `node.limits.max_calls`",
                "raise it to what its cores take",
            ),
            (found.by_cpu, f"a node: {plan.node_cores} cores with this mix", "more cores, or relay more"),
            (ports / 2, "a node: 8,192 even ports from 16384 to 32766", "`media.port_low`, a second address"),
            (setup, "a node: its core process sets up calls on one core", "more nodes"),
            (front, "a front as shipped: `ALL_INVITES`", "raise it, or another front"),
            (front_cpu, f"a front: {plan.front_cores} cores", "another front"),
            (redis, "all: one Redis at the plan's use of its core", "shard queues and leases by market"),
        ]
    )


# --- tables ------------------------------------------------------------------------------------------


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *("---:" for _ in head[1:-1]), "---"], *rows]
    return "\n".join(f"| {' | '.join(each)} |" for each in lines)


def functions(plan: Plan, results: Results) -> str:
    rows = []
    for name, (cost, source) in costs(results).items():
        calls = plan.core_use * 1000 / cost
        cores = plan.calls * cost / 1000 / plan.core_use
        benches = ", ".join(f"`bench_{each}`" for each in source.split(", "))
        rows.append([name, f"{cost:.2f}", f"{calls:,.0f}", f"{cores:,.0f}", benches])
    mixed = mixed_ms(plan, results)
    total = plan.calls * mixed / 1000 / plan.core_use
    rows.append(
        ["**the plan's mix**", f"{mixed:.2f}", f"{plan.core_use * 1000 / mixed:,.0f}", f"{total:,.0f}", "all"]
    )
    head = ["a call", "ms of CPU a second", "calls a core", f"cores for {plan.calls:,}", "from"]
    return table(head, rows)


def parts(plan: Plan, results: Results) -> str:
    found, before = nodes(plan, results), fronts(plan, results)
    figure, recorder = results["front"], results["recorder"]
    redis = redis_cores(plan, results)
    shards = math.ceil(redis / plan.core_use)
    disk_mb_s = plan.calls * plan.recorded * recorder["opus_kbps"] / 8000
    journal = arrivals(plan) * figure["journal_kb_per_call"] / 1000
    day = 86_400 * plan.busy_share / 1e6
    _, g711 = codecs()["G.711, G.722"]
    a_node = 2 * found.each * g711 / 1e6
    memory = found.each * 2 * results["calls"]["leg_kb"] / 1e6
    pings = found.count * (found.count - 1) * 2
    rows = [
        ["calls that begin a second", f"{arrivals(plan):,.0f}", "assumed"],
        ["cores of nodes", f"{found.cores:,.0f}", "above"],
        [
            f"nodes of {plan.node_cores} cores, {found.each:,} calls each, one spare a region",
            f"{found.count}",
            "above",
        ],
        ["memory of a node's legs", f"{memory:.2f} GB", "`bench_calls`"],
        ["network of a full node, G.711 with SRTP on Ethernet, each way", f"{a_node:.2f} Gb/s", "headers"],
        ["packets a second of a full node, each way", f"{2 * found.each * PACKETS_S:,}", "headers"],
        ["network of all, each way", f"{2 * plan.calls * g711 / 1e6:,.1f} Gb/s", "headers"],
        ["cores of fronts", f"{before.cores:.1f}", "`bench_front`"],
        [f"fronts of {plan.front_cores} cores, one spare a region", f"{before.count}", "`bench_front`"],
        ["connections' memory of a front", f"{before.memory_gb:.1f} GB", "`bench_front`"],
        ["Redis, share of its one core", f"{100 * redis:.0f} %", "`bench_front`"],
        ["Redis masters at that use, each followed in every other region", f"{shards}", "`bench_front`"],
        ["nodes' questions to each other a second", f"{pings:,}", "`near.ping_s`"],
        ["recordings written", f"{disk_mb_s:,.0f} MB/s", "`bench_recorder`"],
        ["and a day", f"{disk_mb_s * day:.1f} TB", "`bench_recorder`"],
        ["journal and records", f"{journal:.1f} MB/s", "`bench_front`"],
        ["and a day", f"{journal * day:.2f} TB", "`bench_front`"],
    ]
    return table([f"for {plan.calls:,} calls", "", "from"], rows)


def networks() -> str:
    rows = [
        [name, f"{ip:.0f}", f"{wire:.0f}", f"{4 * wire / 1000:.3f}", "headers"]
        for name, (ip, wire) in codecs().items()
    ]
    head = ["codec, 20 ms", "kb/s, IP", "kb/s, Ethernet and SRTP", "Mb/s a call at a node, both ways", "from"]
    return table(head, rows)


def ends(plan: Plan, results: Results) -> str:
    rows = [[f"{calls:,.0f}", what, then] for calls, what, then in bounds(plan, results)]
    return table(["concurrent calls", "what ends there", "then"], rows)


def money(plan: Plan, results: Results) -> str:
    """In units that prices are given for: the reader multiplies."""
    found, before = nodes(plan, results), fronts(plan, results)
    cores = found.count * plan.node_cores + before.count * plan.front_cores + plan.regions * 2
    kb_s = results["recorder"]["opus_kbps"] * plan.recorded
    _, g711 = codecs()["G.711, G.722"]
    minutes = plan.calls
    rows = [
        ["cores bought, spares in", f"{cores:,}", "cores × price of a core-hour / 60 / calls"],
        ["core-seconds a minute of a call", f"{60 * cores / minutes:.2f}", "× price of a core-second"],
        ["sent a minute of a call, both legs", f"{2 * g711 * 60 / 8000:.2f} MB", "× price of a MB sent"],
        ["stored a minute of a call", f"{kb_s * 60 / 8000:.3f} MB", "× price of a MB-month × months kept"],
    ]
    return table(["what is paid for", "", "cost of a minute of a call"], rows)


def document(plan: Plan, results: Results) -> str:
    """The tables of docs/scale.md."""
    sections = (
        ("CPU by what is done with a call", functions(plan, results)),
        ("What it takes", parts(plan, results)),
        ("Networks", networks()),
        ("What ends first", ends(plan, results)),
        ("Cost", money(plan, results)),
    )
    return "\n\n".join(f"### {title}\n\n{body}" for title, body in sections)


def kept() -> Results:
    """The newest measured figures."""
    files = RESULTS.glob("*.json")
    return {path.stem: json.loads(path.read_text("utf-8"))["figures"] for path in files}


def placed(text: str, tables: str) -> str:
    """The document with the tables put in."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{tables}\n{END}{tail}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--calls", type=int, default=Plan().calls)
    parser.add_argument("--write", action="store_true", help="into docs/scale.md")
    options = parser.parse_args()
    if options.write:
        text = DOCUMENT.read_text("utf-8")
        DOCUMENT.write_text(placed(text, document(Plan(), kept())), "utf-8")
        return 0
    print(document(replace(Plan(), calls=options.calls), kept()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
