"""A real node for peers to talk to: `python -m engine serve` in its own process, configured for tests.

Callers come from LINE (a trusted line, known by its address), far ends answer at FAR, phones register with
the accounts in AGENTS and USERS. Every `far-…` number leads to a port of its own, so that no test meets
another's retransmissions.
"""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

from tests.interop.sipp import free_port

ROOT = Path(__file__).resolve().parents[2]
DOMAIN = "isogloss.test"
LINE = "127.0.0.2"
FAR = "127.0.0.3"
STRANGER = "127.0.0.9"
FORGETFUL = "127.0.0.8"
NONCE_S = 2.0
RING_S = 2
RTP_PORTS = 640
FAR_ENDS = 40
READY_S = 60.0
# account -> queues; agents with a queue are logged in when their phone registers
AGENTS = {
    "anna": ["desk"],
    "ben": [],
    "cleo": ["counter"],
    "dora": [],
    "emil": ["booth"],
    "fay": ["kiosk"],
    "gus": [],
}
USERS = ("customer", "visitor", "lodger", "tenant", "sue")
SUPERVISORS = {"sue": ["counter"]}  # account -> queues
TOKEN = {"Authorization": "Bearer console-token-for-tests"}
_nodes = count()


class NodeFailed(AssertionError):
    """The node did not start, or died."""


@dataclass(frozen=True, slots=True)
class FarEnd:
    """A number of the node, and the port at FAR to which it leads."""

    number: str
    port: int
    transport: str


class Node:
    """A running node. sip: port by transport. rtp: first and last port. api: base address.

    prompts: its pack, made if not there. media: further settings of media.yaml; more: of others, by name.
    free_ports: on loopback, instead of the addresses and ports of the settings. host: where it listens.
    far_ends: those of another node, where several are to lead to the same. lines: beside LINE's.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        folder: Path,
        prompts: Path | None = None,
        media: dict[str, Any] | None = None,
        more: dict[str, dict[str, Any]] | None = None,
        free_ports: bool = True,
        far_ends: Sequence[FarEnd] = (),
        lines: Mapping[str, dict[str, Any]] | None = None,
    ) -> None:
        self.folder = folder
        self._free_ports = free_ports
        self.prompts = prompts or folder / "prompts"
        self.domain = DOMAIN
        self.data = folder / "data"
        self.far_ends = list(far_ends) or [*_far_ends("udp", FAR_ENDS), *_far_ends("tcp", 4)]
        self._free = {
            name: iter([each for each in self.far_ends if each.transport == name]) for name in ("udp", "tcp")
        }
        write_config(folder / "config", self.far_ends, {"media": media or {}, **(more or {})}, lines or {})
        self.log = folder / "node.log"
        self.since = 0.0  # records of calls offered before are of other tests
        self._told: set[str] = set()
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "engine", "serve", "--json"]
        command += ["--free-ports"] if self._free_ports else []
        command += ["--config", str(self.folder / "config"), "--data", str(self.data)]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=os.environ | {"ISOGLOSS_PROMPTS": str(self.prompts)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert process.stdout is not None
        line = b""
        if select.select([process.stdout], [], [], READY_S)[0]:
            line = process.stdout.readline()
        if not line:
            process.kill()
            process.wait()
            raise NodeFailed(f"the node did not start:\n{self.said()}")
        ready = json.loads(line)
        self.sip: dict[str, int] = ready["sip"]
        self.rtp: list[int] = ready["rtp"]
        self.api: str = ready["api"]
        return process

    def said(self, most: int = 4000) -> str:
        """The end of the node's log."""
        return self.log.read_text(errors="replace")[-most:]

    def address(self, transport: str = "udp") -> str:
        return f"{self.host}:{self.sip[transport]}"

    def far_end(self, transport: str = "udp") -> FarEnd:
        """A far end that no other test uses."""
        return next(self._free[transport])

    def password(self, account: str) -> str:
        return f"{account}-secret"

    def get(self, path: str) -> Any:
        return self.ask("GET", path)

    def post(self, path: str, body: Any) -> Any:
        return self.ask("POST", path, body)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What the API answers. Raises urllib.error.HTTPError where it is a problem."""
        headers = TOKEN | {"Content-Type": "application/json"}
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.api + path, data=data, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.loads(answer.read() or b"null")

    def metrics(self) -> str:
        request = urllib.request.Request(self.api + "/metrics", headers=TOKEN)
        with urllib.request.urlopen(request, timeout=5) as answer:
            return str(answer.read(), "utf-8")

    def rest(self, but: Iterable[str] = ()) -> None:
        """As for a test that is the first: no call is left, and nobody writes about one. but: calls that may
        go on.
        """
        self.since = time.time()
        for each in self._others(but):
            self.ask("DELETE", f"/v1/calls/{each}")
        self._poll(lambda: not self._others(but), 5.0, "end of what a test left")
        for agent in self.get("/v1/agents")["items"]:
            if agent["state"] == "wrap_up":
                self.ask("PUT", f"/v1/agents/{agent['name']}/state", {"state": "wrap_up_over"})
        self.since = time.time()

    def _others(self, but: Iterable[str]) -> set[str]:
        return {each["id"] for each in self._calls("")} - set(but)

    def record(self, number: str, timeout: float = 5.0) -> dict[str, Any]:
        """The record of the newest call to `number` offered since `since`; each can be asked for once.

        A call is over a moment before its record is written, so an older one must not be taken for it.
        """
        self.idle(number, timeout)
        record: dict[str, Any] = self._poll(
            lambda: self._new_record(number), timeout, f"record of a call to {number}"
        )
        self._told.add(record["call"])
        return record

    def _new_record(self, number: str) -> dict[str, Any] | None:
        found = self.get(f"/v1/records?{urlencode({'number': number})}")["items"]
        new = (each for each in found if each["call"] not in self._told)
        return next((each for each in new if _seconds(each["offered_at"]) >= self.since), None)

    def await_metric(self, name: str, line: str, wanted: Callable[[float], bool]) -> None:
        """Wait until a line's gauge is as wanted."""

        def told() -> bool:
            found = re.search(rf'^{name}{{line="{line}"}} (\S+)', self.metrics(), re.MULTILINE)
            return found is not None and wanted(float(found[1]))

        self._poll(told, 10.0, f"{name} of {line} as wanted")

    def idle(self, number: str = "", timeout: float = 5.0) -> None:
        """Wait until no call to `number` is left, or none at all."""
        self._poll(lambda: not self._calls(number), timeout, f"end of all calls {number}")

    def _calls(self, number: str) -> list[dict[str, Any]]:
        return [each for each in self.get("/v1/calls")["items"] if number in ("", each["number"])]

    def until(self, what: str, holds: Callable[[], object], patience: float) -> None:
        """Wait until something is so."""
        self._poll(holds, patience, what)

    def _poll(self, look: Any, timeout: float, what: str) -> Any:
        deadline = time.monotonic() + timeout
        while not (found := look()):
            if time.monotonic() > deadline:
                raise NodeFailed(f"no {what} in {timeout} s; the node said:\n{self.said()}")
            try:
                self.process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            raise NodeFailed(f"the node died:\n{self.said()}")
        return found

    def close(self) -> int:
        self.process.terminate()
        try:
            return self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            assert self.process.stdout is not None
            self.process.stdout.close()


def _far_ends(transport: str, count: int) -> Iterator[FarEnd]:
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    for number in range(count):
        yield FarEnd(f"far-{transport}-{number}", free_port(FAR, kind), transport)


def write_config(
    folder: Path,
    far_ends: list[FarEnd],
    more: dict[str, dict[str, Any]],
    lines: Mapping[str, dict[str, Any]],
) -> None:
    """The configuration of the node under test. more: what is set otherwise, by file."""
    folder.mkdir(parents=True)
    (folder / "prompts").mkdir()
    shutil.copy(ROOT / "config" / "prompts" / "en.yaml", folder / "prompts")
    (folder / "token").write_text("console-token-for-tests\n")
    (folder / "callers.key").write_text("a key that callers' tokens are signed with\n")
    for account in (*AGENTS, *USERS):
        (folder / f"{account}.password").write_text(f"{account}-secret\n")
    files: dict[str, Any] = {
        "node": {
            "name": "interop",
            "region": "here",
            "market": "uk",
            "country": "GB",
            "language": "en",
            "drain_s": 0,
            "limits": {"max_calls": RTP_PORTS // 4 - 1, "max_calls_per_s": 500},
            "log": {"level": "info"},
        },
        "sip": _sip(),
        "media": _media(),
        "api": {
            "tokens": {"console": {"token": {"file": "token"}, "role": "operator"}},
            "callers": {"keys": {"tests": {"file": "callers.key"}}, "key": "tests"},
        },
        "store": {},
        "queues": {name: queue(name) for queues in AGENTS.values() for name in queues},
        "agents": {
            "agents": {name: agent(name, queues) for name, queues in AGENTS.items()},
            "users": {
                name: {"password": {"file": f"{name}.password"}, "supervises": SUPERVISORS.get(name, [])}
                for name in USERS
            },
        },
        "numbers": _numbers(far_ends),
    }
    for name in {**files, **more}:
        content = files.get(name, {}) | more.get(name, {})
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content, allow_unicode=True))
    (folder / "lines").mkdir()
    lab = {"enabled": True, "country": "GB", "sources": [f"{LINE}/32"]}
    for name, line in {"lab": lab, **lines}.items():
        (folder / "lines" / f"{name}.yaml").write_text(json.dumps(line))  # numbers stay text


def _media() -> dict[str, Any]:
    """Ports that no other node on this machine uses; no timeout, for sipp sends no sound."""
    first = os.getpid() + next(_nodes)
    lows = (22_000 + RTP_PORTS * ((first + step) % 16) for step in range(16))
    low = next(low for low in lows if _all_free(low))
    return {"address": "127.0.0.1", "port_low": low, "port_high": low + RTP_PORTS - 2, "rtp_timeout_s": 0}


def _all_free(low: int) -> bool:
    for port in range(low, low + RTP_PORTS, 2):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def _sip() -> dict[str, Any]:
    return {
        "domain": DOMAIN,
        "listen": [{"transport": name, "address": "127.0.0.1", "port": 5060} for name in ("udp", "tcp")]
        + [{"transport": "tls", "address": "127.0.0.1", "port": 5061}]
        + [{"transport": "wss", "address": "127.0.0.1", "port": 7443}],
        "tls": {"self_signed": True},
        "timers": {"ring_s": RING_S},
        # sipp 3.6 and baresip 1.0 know MD5 alone and give up where anything else is offered beside it
        "digest": {"nonce_s": NONCE_S, "algorithms": ["MD5"]},
        "registrar": {"min_expires_s": 30},
    }


def queue(name: str) -> dict[str, Any]:
    return {
        "title": name,
        "language": "en",
        "welcome": [],
        "music": "music",
        "announce_every_s": 0,
        "ring_timeout_s": 5,
        "wrap_up_s": 0,
        "max_misses": 0,
    }


def agent(name: str, queues: list[str]) -> dict[str, Any]:
    password = {"file": f"{name}.password"}
    return {"display": name.title(), "password": password, "queues": queues, "auto_login": bool(queues)}


def _numbers(far_ends: list[FarEnd]) -> dict[str, Any]:
    numbers: dict[str, Any] = {
        each.number: {"uri": f"sip:far@{FAR}:{each.port};transport={each.transport}"} for each in far_ends
    }
    numbers |= {queue: {"queue": queue} for queues in AGENTS.values() for queue in queues}
    numbers |= {name: {"agent": name} for name in AGENTS}
    return {"numbers": numbers, "prefixes": {}, "patterns": {}}


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
