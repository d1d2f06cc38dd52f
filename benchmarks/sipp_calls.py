"""Calls a second through a whole node, and what one costs: sipp caller -> node -> sipp far end, no RTP.

The caller is a line known by its address, the number dialled leads to a `sip:` URI at the far end; so each
call is two dialogs, two media legs opened and closed in the worker, a journal and a record.
"""

from __future__ import annotations

import csv
import json
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import yaml

ROOT = Path(__file__).resolve().parent.parent
SCENARIOS = Path(__file__).resolve().parent / "sipp"
CALLER, FAR = "127.0.0.2", "127.0.0.3"
NUMBER = "load"
WARM_UP_S = 2
READY_S = 60.0
PATIENCE_S = 15  # for calls still open when the last one was begun


@dataclass(frozen=True, slots=True)
class LoadedNode:
    """address: "host:port" of its SIP over UDP. far_port: where `number` leads, at FAR. api: its
    base address.
    """

    address: str
    pid: int
    far_port: int = 0
    number: str = NUMBER
    api: str = ""


@dataclass(frozen=True, slots=True)
class Load:
    """What came of a load. setup_p95_ms: INVITE to 200, None when sipp wrote no times."""

    rate: int
    calls_per_s: float
    failed: int
    cpu_ms_per_call: float
    setup_p95_ms: float | None


class LoadFailed(Exception):
    """The load could not be run at all."""


def measure(node: LoadedNode, rate: int, seconds: int) -> Load:
    """Put `rate` calls a second on the node for so many seconds, after a warm-up at the same rate.

    CPU is that of the node's process and all its children over the measured part alone.
    """
    with tempfile.TemporaryDirectory(prefix="isogloss-load-") as scratch, _far_end(node, Path(scratch)):
        _callers(node, rate, WARM_UP_S, Path(scratch) / "warm")
        cpu, began = cpu_seconds(node.pid), time.monotonic()
        done, failed, setup = _callers(node, rate, seconds, Path(scratch) / "load")
        took, spent = time.monotonic() - began, cpu_seconds(node.pid) - cpu
    return Load(
        rate=rate,
        calls_per_s=round(done / took, 1),
        failed=failed,
        cpu_ms_per_call=round(1000 * spent / done, 3) if done else float("inf"),
        setup_p95_ms=setup,
    )


def highest(node: LoadedNode, rates: Sequence[int], seconds: int) -> Load | None:
    """The highest rate that passes without a failed call and is kept up; None when the first is not."""
    best = None
    for rate in rates:
        load = measure(node, rate, seconds)
        if load.failed or load.calls_per_s < 0.9 * rate:
            break
        best = load
    return best


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and of its children that are alive."""
    root = psutil.Process(pid)
    total = 0.0
    for each in (root, *root.children(recursive=True)):
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


@contextmanager
def running_node(
    cores: Sequence[int] | None = None, more: Mapping[str, Mapping[str, Any]] | None = None
) -> Iterator[LoadedNode]:
    """A node with the shipped configuration, opened for load. cores: pin it and its children to these. more:
    further settings, by file.
    """
    with tempfile.TemporaryDirectory(prefix="isogloss-load-") as scratch:
        folder = Path(scratch)
        port = _free_port(FAR)
        _write_config(folder / "config", port, more or {})
        with started(folder / "config", folder, cores) as node:
            yield replace(node, far_port=port)


@contextmanager
def started(config: Path, folder: Path, cores: Sequence[int] | None = None) -> Iterator[LoadedNode]:
    """A node at rest with that configuration; its data and log are in `folder`."""
    command = [sys.executable, "-m", "engine", "serve", "--free-ports", "--json"]
    command += ["--config", str(config), "--data", str(folder / "data")]
    with (folder / "node.log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log
        )
    try:
        ready = _ready(process, folder / "node.log")
        _settle(process.pid)
        if cores is not None:
            root = psutil.Process(process.pid)
            for each in (root, *root.children(recursive=True)):
                each.cpu_affinity(list(cores))
        yield LoadedNode(f"127.0.0.1:{ready['sip']['udp']}", process.pid, api=ready["api"])
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ready(process: subprocess.Popen[bytes], log: Path) -> Any:
    assert process.stdout is not None
    line = process.stdout.readline() if select.select([process.stdout], [], [], READY_S)[0] else b""
    if not line:
        raise LoadFailed(f"the node did not start:\n{log.read_text()[-3000:]}")
    return json.loads(line)


def _settle(pid: int) -> None:
    """Wait until the node has nothing to do: a media worker in reserve takes its time to start."""
    for _ in range(40):
        before = cpu_seconds(pid)
        time.sleep(0.5)
        if cpu_seconds(pid) - before < 0.05:
            return
    raise LoadFailed("the node does not come to rest")


def _write_config(folder: Path, far_port: int, more: Mapping[str, Mapping[str, Any]]) -> None:
    """The shipped configuration with a line, a number and limits for load."""
    shutil.copytree(ROOT / "config", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    changes: dict[str, dict[str, Any]] = {
        "node": {
            "limits": {"max_calls": 2000, "max_calls_per_s": 5000},
            "drain_s": 0,
            "log": {"level": "warning"},
        },
        "media": {"rtp_timeout_s": 0},  # SIPp sends no sound
        "numbers": {"numbers": {NUMBER: {"uri": f"sip:load@{FAR}:{far_port}"}}},
    }
    for name in {**changes, **more}:
        change = changes.get(name, {}) | dict(more.get(name, {}))
        path = folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | change, allow_unicode=True))
    line = {"enabled": True, "country": "GB", "sources": [f"{CALLER}/32"]}
    (folder / "lines" / "load.yaml").write_text(yaml.safe_dump(line))


def _free_port(address: str) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def _sipp(scenario: str, address: str, port: int, folder: Path, *more: str) -> subprocess.Popen[bytes]:
    found = shutil.which("sipp")
    if found is None:
        raise LoadFailed("sipp is not installed (Debian: apt-get install sip-tester)")
    folder.mkdir(parents=True)
    command = [found, *more, "-sf", str(SCENARIOS / f"{scenario}.xml"), "-i", address, "-p", str(port)]
    command += ["-bind_local", "-mi", address, "-mp", str(_free_port(address)), "-nostdin", "-cp", "0"]
    command += ["-trace_err", "-error_file", "errors.log"]
    with (folder / "screen.log").open("w") as screen:
        return subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=screen, stderr=subprocess.STDOUT
        )


@contextmanager
def held(node: LoadedNode, calls: int, talk_s: float) -> Iterator[None]:
    """So many calls at a time, each as long, come and go for as long as this lasts."""
    rate = calls / talk_s
    limits = ["-r", f"{rate:.0f}", "-l", f"{2 * calls}", "-m", "1000000", "-d", f"{1000 * talk_s:.0f}"]
    with tempfile.TemporaryDirectory(prefix="isogloss-held-") as scratch, _far_end(node, Path(scratch)):
        folder, port = Path(scratch) / "callers", _free_port(CALLER)
        process = _sipp("uac", CALLER, port, folder, node.address, "-s", node.number, *limits)
        try:
            time.sleep(talk_s + 1.0)
            if process.poll() is not None:
                raise LoadFailed((folder / "screen.log").read_text()[-1000:])
            yield
        finally:
            process.kill()
            process.wait()


@contextmanager
def _far_end(node: LoadedNode, folder: Path) -> Iterator[None]:
    process = _sipp("uas", FAR, node.far_port, folder / "far")
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _callers(node: LoadedNode, rate: int, seconds: int, folder: Path) -> tuple[int, int, float | None]:
    """Run the callers to their end: calls that went well, that failed, 95th percentile of set-up in ms."""
    calls = rate * seconds
    limits = ["-r", str(rate), "-m", str(calls), "-l", str(20 * rate), "-timeout", f"{seconds + PATIENCE_S}s"]
    traces = ["-trace_stat", "-stf", "stat.csv", "-fd", "1", "-trace_rtt", "-rtt_freq", "1"]
    process = _sipp(
        "uac", CALLER, _free_port(CALLER), folder, node.address, "-s", node.number, *limits, *traces
    )
    try:
        process.wait(seconds + PATIENCE_S + 10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    with (folder / "stat.csv").open() as file:
        last = list(csv.DictReader(file, delimiter=";"))[-1]
    done = int(last["SuccessfulCall(C)"])
    return done, calls - done, _p95(folder)


def _p95(folder: Path) -> float | None:
    times = []
    for path in folder.glob("*_rtt.csv"):
        with path.open() as file:
            times += [float(row["response_time_ms"]) for row in csv.DictReader(file, delimiter=";")]
    return sorted(times)[int(0.95 * (len(times) - 1))] if times else None


def main() -> int:
    """Print what a rate costs: `python -m benchmarks.sipp_calls [RATE] [SECONDS]`."""
    rate, seconds = (int(word) for word in (*sys.argv[1:], "100", "10")[:2])
    with running_node(cores=[0]) as node:
        print(json.dumps(asdict(measure(node, rate, seconds))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
