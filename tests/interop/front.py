"""Kamailio as shipped (deploy/kamailio) in front of real nodes, each at a loopback address of its own.

What defines.cfg, dispatcher.list, lines.list and tls.cfg are there for is written anew; kamailio.cfg is the
very file that operators get. Nodes trust the front (`sip.trusted_proxies`) and know the line at LINE, as the
front does.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import psutil

from sip.io.certificate import self_signed
from tests.interop.node import DOMAIN, FAR, FAR_ENDS, LINE, ROOT, FarEnd, Node
from tests.interop.sipp import free_port

SHIPPED = ROOT / "deploy" / "kamailio"
FRONT = "127.0.2.1"
PACKAGES = "kamailio kamailio-tls-modules kamailio-websocket-modules"
MODULES = ("dispatcher", "tls", "websocket")
READY_S = 10.0
TRANSPORTS = ("udp", "tcp", "tls", "wss")


def installed() -> bool:
    """Kamailio, and the modules that come in packages of their own."""
    folders = [*Path("/usr/lib").glob("*/kamailio/modules"), Path("/usr/lib64/kamailio/modules")]
    found = any(all((each / f"{name}.so").exists() for name in MODULES) for each in folders)
    return shutil.which("kamailio") is not None and found


class Destination(Protocol):
    """What a front can send calls to."""

    def address(self, transport: str = "udp") -> str: ...


class ClusterNode(Node):
    """A node at 127.0.1.NUMBER, or at `host`, which believes what its fronts say.

    more: settings by file, over those of a node under test; within `node`, `sip` and `api` key by key.
    """

    def __init__(
        self,
        folder: Path,
        number: int,
        prompts: Path | None = None,
        *,
        host: str = "",
        fronts: Sequence[str] = (FRONT,),
        region: str = "here",
        media: Mapping[str, Any] | None = None,
        more: Mapping[str, Mapping[str, Any]] | None = None,
        far_ends: Sequence[FarEnd] = (),
        lines: Mapping[str, dict[str, Any]] | None = None,
    ) -> None:
        self.host = host or f"127.0.1.{number}"
        self.name = f"node-{number}"
        given = {name: dict(each) for name, each in (more or {}).items()}
        streams = {name: free_port(self.host, socket.SOCK_STREAM) for name in ("tls", "wss", "api")}
        plain = free_port(self.host)
        ports = {"udp": plain, "tcp": plain, "tls": streams["tls"], "wss": streams["wss"]}
        own = given.pop("node", {})
        settings: dict[str, dict[str, Any]] = {
            "node": {
                "name": self.name,
                "region": region,
                "market": "uk",
                "country": "GB",
                "language": "en",
                "drain_s": 0,
                "limits": {"max_calls": 150, "max_calls_per_s": 500},
                "log": {"level": "info"},
            }
            | own,
            "sip": {
                "listen": [
                    {"transport": name, "address": self.host, "port": ports[name]} for name in TRANSPORTS
                ],
                "trusted_proxies": [f"{each}/32" for each in fronts],
            }
            | given.pop("sip", {}),
            "api": {
                "address": self.host,
                "port": streams["api"],
                "tokens": {"console": {"token": {"file": "token"}, "role": "operator"}},
                "callers": {"keys": {"tests": {"file": "callers.key"}}, "key": "tests"},
            }
            | given.pop("api", {}),
        }
        super().__init__(
            folder,
            prompts,
            media={"address": self.host, **(media or {})},
            more=settings | given,
            free_ports=False,
            far_ends=far_ends,
            lines=lines,
        )

    def kill(self) -> None:
        """kill -9 of all of its processes: nothing is said to anybody."""
        core = psutil.Process(self.process.pid)
        for each in [core, *core.children(recursive=True)]:
            each.send_signal(signal.SIGKILL)
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def restart(self) -> None:
        """The same node again, with what is on its disk."""
        self.process = self._start()

    def drain(self) -> None:
        """SIGTERM: it takes no new calls, and is gone when the last has ended or after drain_s."""
        self.process.terminate()


def start_nodes(folder: Path, prompts: Path, count: int = 2, **settings: Any) -> list[ClusterNode]:
    """Nodes 1 to `count`, begun together; numbers lead to the same far ends. settings: of ClusterNode."""
    ends = [FarEnd(f"far-udp-{each}", free_port(FAR), "udp") for each in range(FAR_ENDS)]

    def start(number: int) -> ClusterNode:
        return ClusterNode(folder / f"node-{number}", number, prompts, far_ends=ends, **settings)

    first = [] if prompts.exists() else [start(1)]  # who speaks the prompts, for all
    with ThreadPoolExecutor(count) as pool:
        return [*first, *pool.map(start, range(1 + len(first), count + 1))]


class Front:
    """A running Kamailio. nodes: of its region; away: of others. sip: port by transport.

    defines: values that replace those of defines.cfg, by name. lines: networks that are lines. transport: to
    the nodes. certificate: (chain, key) in PEM, its own; authority: who signed those of nodes. ports: by
    transport, instead of free ones.
    """

    def __init__(
        self,
        folder: Path,
        nodes: Sequence[Destination],
        *,
        away: Sequence[Destination] = (),
        host: str = FRONT,
        lines: Sequence[str] = (LINE,),
        defines: Mapping[str, str] | None = None,
        transport: str = "udp",
        certificate: tuple[bytes, bytes] | None = None,
        authority: bytes = b"",
        ports: Mapping[str, int] | None = None,
    ) -> None:
        self.folder = folder
        self.host = host
        self._transport = transport
        plain = free_port(host)
        streams = {name: free_port(host, socket.SOCK_STREAM) for name in ("tls", "wss")}
        self.sip = {"udp": plain, "tcp": plain} | streams | dict(ports or {})
        self.domain = DOMAIN
        folder.mkdir(parents=True)
        shutil.copy(SHIPPED / "kamailio.cfg", folder)
        (folder / "defines.cfg").write_text(self._defines(defines or {}))
        (folder / "list").mkdir()
        (folder / "list" / "lines.list").write_text("".join(f"1 {each} 32 0\n" for each in lines))
        chain, key = certificate or self_signed([DOMAIN, host], datetime.now(UTC))
        self._certify(chain, key, authority or chain)
        self.list_nodes(nodes, away)
        self.log = folder / "kamailio.log"
        self.process: subprocess.Popen[bytes] = self._start()

    # --- life -------------------------------------------------------------------------------------

    @property
    def config(self) -> Path:
        return self.folder / "kamailio.cfg"

    def address(self, transport: str = "udp") -> str:
        return f"{self.host}:{self.sip[transport]}"

    def password(self, account: str) -> str:
        return f"{account}-secret"

    def check(self) -> str:
        """What `kamailio -c` finds wrong with the configuration; nothing when it is in order."""
        done = subprocess.run(
            ["kamailio", "-c", "-f", str(self.config)],
            check=False,
            capture_output=True,
            text=True,
            timeout=30,
        )
        return done.stderr if done.returncode else ""

    def said(self, most: int = 4000) -> str:
        return self.log.read_text(errors="replace")[-most:]

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def __enter__(self) -> Front:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- nodes ------------------------------------------------------------------------------------

    def list_nodes(self, nodes: Sequence[Destination], away: Sequence[Destination] = ()) -> None:
        """Write the list of nodes; a running front reads it by `reload`."""
        transport = self._transport
        entries = [*((1, each) for each in nodes), *((2, each) for each in away)]
        word = "" if transport == "udp" else f";transport={transport}"
        lines = [f"{group} sip:{node.address(transport)}{word} 0 0 weight=50\n" for group, node in entries]
        (self.folder / "list" / "dispatcher.list").write_text("".join(lines))

    def reload(self) -> None:
        self.ask("dispatcher.reload")

    def active(self) -> set[str]:
        """Addresses of the nodes that get new calls."""
        sets = self.ask("dispatcher.list").get("RECORDS", [])
        found = (each["DEST"] for group in sets for each in group["SET"]["TARGETS"])
        return {_address_of(each["URI"]) for each in found if each["FLAGS"].startswith("A")}

    def until_active(self, *nodes: Destination, timeout: float = 8.0) -> float:
        """Wait until these and no others get new calls; seconds that took."""
        wanted = {each.address(self._transport) for each in nodes}
        return self._until(lambda: self.active() == wanted, timeout, f"nodes {wanted} alone in service")

    def ask(self, method: str, *parameters: object) -> Any:
        """What the front answers to a command of its operator. Raises AssertionError for an error."""
        question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
        own = self.folder / f"ask-{os.getpid()}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
            wire.settimeout(2.0)
            wire.bind(str(own))
            try:
                wire.sendto(json.dumps(question).encode(), str(self.folder / "rpc"))
                answer = json.loads(wire.recv(65_536))
            finally:
                own.unlink()
        assert "error" not in answer, answer
        return answer["result"]

    # --- within -----------------------------------------------------------------------------------

    def _start(self) -> subprocess.Popen[bytes]:
        command = ["kamailio", "-f", str(self.config), "-DD", "-E", "-m", "64", "-M", "8"]
        command += ["-P", str(self.folder / "pid"), "-Y", str(self.folder), "-w", str(self.folder)]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log
            )
        self.process = process
        self._until(self._ready, READY_S, "answer of a front that has just been started")
        return process

    def _ready(self) -> bool:
        try:
            self.ask("core.uptime")
        except (FileNotFoundError, ConnectionRefusedError, TimeoutError):
            return False
        return True

    def _until(self, holds: Callable[[], bool], timeout: float, what: str) -> float:
        began = time.monotonic()
        while not holds():
            if time.monotonic() - began > timeout or self.process.poll() is not None:
                self.close()
                raise AssertionError(f"no {what} in {timeout} s; Kamailio said:\n{self.said()}")
            try:
                self.process.wait(0.02)
            except subprocess.TimeoutExpired:
                continue
        return time.monotonic() - began

    def _defines(self, changed: Mapping[str, str]) -> str:
        """The shipped defines with the addresses of this front, and few processes."""
        text = (SHIPPED / "defines.cfg").read_text()
        listen = "".join(
            f"listen={'tls' if name == 'wss' else name}:{self.address(name)}\n" for name in TRANSPORTS
        )
        text = re.sub(r"^listen=.*\n", "", text, flags=re.MULTILINE) + listen
        text = re.sub(r"(?<=define WSS_PORT )\d+", str(self.sip["wss"]), text)
        text = re.sub(r"^(children|tcp_children)=.*$", r"\1=2", text, flags=re.MULTILINE)
        values = {
            "FRONT_ADDRESS": self.host,
            "SIP_DOMAIN": DOMAIN,
            "CONFIG_DIR": str(self.folder),
            "RUN_DIR": str(self.folder),
        }
        values |= {"WS_ORIGINS": f"https://{self.host}"}
        for name, value in (values | dict(changed)).items():
            text, count = re.subn(f'(?<=substdef "!{name}!)[^!]*', value, text)
            assert count == 1, f"defines.cfg has {count} definitions of {name}"
        return text

    def _certify(self, chain: bytes, key: bytes, authority: bytes) -> None:
        for name, content in (("chain", chain), ("key", key), ("nodes-ca", authority)):
            (self.folder / f"{name}.pem").write_bytes(content)
        text = (SHIPPED / "tls.cfg").read_text().replace("/etc/kamailio/tls", str(self.folder))
        (self.folder / "tls.cfg").write_text(text)


def _address_of(uri: str) -> str:
    return uri.removeprefix("sip:").partition(";")[0]
