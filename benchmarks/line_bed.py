"""Two carriers' gateways, a node with a line to each, and callers: what benchmarks of lines are run on.

    callers (sipp) -> tap -> node -> tap -> gateway (sipp), twice

The taps see every INVITE and what was said to it, and can be shut or made deaf. Another proxy can stand in
the node's place.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.sip_tap import Address, Tap
from benchmarks.sipp_calls import ROOT, SCENARIOS, LoadFailed, started

CALLERS, GATEWAYS = "127.0.0.2", ("127.0.0.4", "127.0.0.5")
TRIED = 5060
BEHIND = {"gateway": 6060, "gateway_refuses": 6160, "gateway_mute": 6360}
SOUND = 21_000
FIRST_NUMBER = 442070000000


@dataclass(frozen=True, slots=True)
class Gateway:
    """tap: where the line leads. process: sipp that answers; others say 503, or answer without sound."""

    tap: Tap
    process: subprocess.Popen[bytes]

    def leads(self, to: str = "gateway") -> None:
        """New calls go to another of them."""
        self.tap.target = (self.tap.at[0], BEHIND[to])


@dataclass(frozen=True, slots=True)
class Bed:
    """callers: the tap that they call at. node: its process, None where another proxy stands there."""

    folder: Path
    gateways: Sequence[Gateway]
    callers: Tap
    pid: int | None

    @contextmanager
    def calls(
        self,
        rate: int,
        seconds: float,
        talk_ms: int,
        first: int = 0,
        ports: Sequence[int] = (),
        step: int = 1,
        port: int = 6260,
    ) -> Iterator[list[bytes]]:
        """`rate` calls a second to numbers of their own, going on meanwhile; the numbers that are called.

        step: from one number to the next; those that end in 9 are busy. ports: where sound for the callers
        goes, one a call. port: of the callers' SIP.
        """
        count = round(rate * seconds)
        numbers = [FIRST_NUMBER + first + step * n for n in range(count)]
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        rows = [f"+{number};{ports[n] if ports else SOUND}" for n, number in enumerate(numbers)]
        (folder / "numbers.csv").write_text("SEQUENTIAL\n" + "\n".join(rows) + "\n")
        limits = ["-r", str(rate), "-m", str(count), "-l", str(max(100, 40 * rate)), "-d", str(talk_ms)]
        more = ["-inf", "numbers.csv", *limits, "-timeout", f"{seconds + talk_ms / 1000 + 60:.0f}s"]
        at = f"{self.callers.at[0]}:{self.callers.at[1]}"
        process = sipp("line_caller", CALLERS, port, folder, at, *more)
        try:
            yield [f"+{number}".encode() for number in numbers]
            process.wait(seconds + talk_ms / 1000 + 60)
        finally:
            process.kill()
            process.wait()


@contextmanager
def line_bed(
    routing: Mapping[str, Any] | None = None, lines: Sequence[Mapping[str, Any]] = ({}, {})
) -> Iterator[Bed]:
    """routing: routing.yaml; lines: further settings of each line."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="isogloss-lines-")))
        gateways = [stack.enter_context(_gateway(folder, host)) for host in GATEWAYS]
        _write_config(folder / "config", routing or {}, lines)
        node = stack.enter_context(started(folder / "config", folder))
        host, port = node.address.split(":")
        callers = Tap((CALLERS, TRIED), (host, int(port)))
        stack.callback(callers.close)
        yield Bed(folder, gateways, callers, node.pid)


@contextmanager
def proxy_bed(opened: Callable[[Sequence[Address]], AbstractContextManager[Address]]) -> Iterator[Bed]:
    """The same with a proxy in the node's place. opened: it, in front of these gateways."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="isogloss-lines-")))
        gateways = [stack.enter_context(_gateway(folder, host)) for host in GATEWAYS]
        proxy = stack.enter_context(opened([gateway.tap.at for gateway in gateways]))
        callers = Tap((CALLERS, TRIED), proxy)
        stack.callback(callers.close)
        yield Bed(folder, gateways, callers, None)


@contextmanager
def _gateway(folder: Path, host: str) -> Iterator[Gateway]:
    echo = ["-rtp_echo", "-mp", str(SOUND)]
    process = sipp("gateway", host, BEHIND["gateway"], folder / f"{host}-up", *echo)
    refuser = sipp("gateway_refuses", host, BEHIND["gateway_refuses"], folder / f"{host}-503")
    mute = sipp("gateway", host, BEHIND["gateway_mute"], folder / f"{host}-mute", "-mp", str(SOUND + 10))
    every = (process, refuser, mute)
    tap = Tap((host, TRIED), (host, BEHIND["gateway"]))
    time.sleep(0.3)
    if any(each.poll() is not None for each in every):
        raise LoadFailed(f"sipp did not start: {(folder / f'{host}-up' / 'screen.log').read_text()[:500]}")
    try:
        yield Gateway(tap, process)
    finally:
        tap.close()
        for each in every:
            each.kill()
            each.wait()


def sipp(scenario: str, address: str, port: int, folder: Path, *more: str) -> subprocess.Popen[bytes]:
    found = shutil.which("sipp")
    if found is None:
        raise LoadFailed("sipp is not installed (Debian: apt-get install sip-tester)")
    folder.mkdir(parents=True, exist_ok=True)
    command = [found, *more, "-sf", str(SCENARIOS / f"{scenario}.xml"), "-i", address, "-p", str(port)]
    command += ["-bind_local", "-mi", address, "-nostdin", "-cp", "0", "-trace_err"]
    command += ["-error_file", str(folder / "errors.log")]
    with (folder / "screen.log").open("w") as screen:
        return subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=screen, stderr=subprocess.STDOUT
        )


def _write_config(folder: Path, routing: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> None:
    """The shipped configuration with a line for callers, one to each gateway, and limits for load."""
    shutil.copytree(ROOT / "config", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    shutil.rmtree(folder / "lines")
    changes: dict[str, dict[str, Any]] = {
        "node": {
            "limits": {"max_calls": 4000, "max_calls_per_s": 5000},
            "drain_s": 0,
            "log": {"level": "warning"},
        },
        "media": {"rtp_timeout_s": 0},
        "numbers": {"prefixes": {"+": {"line": "*", "callers": "anyone"}}},
        "routing": dict(routing),
    }
    for name, change in changes.items():
        path = folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | change, allow_unicode=True))
    written: dict[str, dict[str, Any]] = {"callers": {"country": "GB", "sources": [f"{CALLERS}/32"]}}
    for at, (host, more) in enumerate(zip(GATEWAYS, lines, strict=True)):
        name = ("first", "second")[at]
        written[name] = {"country": "GB", "addresses": [{"host": host, "port": TRIED}], "transport": "udp"}
        written[name]["caller_id"] = {"show": "caller"}
        written[name] |= {"priority": 1 + at} | dict(more)
    (folder / "lines").mkdir()
    for name, settings in written.items():
        (folder / "lines" / f"{name}.yaml").write_text(yaml.safe_dump(settings))
