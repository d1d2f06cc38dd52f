"""baresip as a peer: a configuration of its own in a temporary folder, told what to do over a control socket.

The control protocol (module ctrl_tcp) is JSON in netstrings: commands with a token, their answers, events.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from sip.pjsip.options import hurry
from tests.interop.node import Node
from tests.interop.sipp import free_port

HELLO = "hello from a phone called baresip, is anybody there"
MODULES = Path("/usr/lib/baresip/modules")
TRIES = 50
CONFIG = """\
poll_method epoll
sip_listen {address}:{port}
sip_trans_def udp
call_local_timeout 20
call_max_calls 4
audio_source aufile,{says}
audio_level no
ausrc_srate {rate}
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
rtp_tos 184
rtp_ports {rtp}-{rtp_end}
rtcp_mux no
jitter_buffer_delay 1-10
rtp_stats no
net_interface 127.0.0.1
module_path {modules}
module g711.so
module opus.so
opus_bitrate 28000
opus_inbandfec yes
opus_packet_loss 20
opus_application voip
module aufile.so
module sndfile.so
module srtp.so
snd_path {folder}
module_tmp account.so
module_app auloop.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
"""


def sip_port() -> int:
    """A port for SIP that is free for UDP and TCP, and the next for TLS."""
    for _ in range(TRIES):
        port = free_port()
        try:
            for taken in (port, port + 1):
                with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
                    probe.bind(("127.0.0.1", taken))
        except OSError:
            continue
        return port
    raise OSError("no two ports beside each other are free")


class BaresipSilent(AssertionError):
    """An awaited event did not come in time."""


class Baresip:
    """One baresip with one account.

    node: "host:port" of the engine. transport: udp, tcp or tls. says: WAV file it speaks, mono, `rate` Hz.
    What it hears is in the file `heard` names, complete once the call is over.
    answer: `manual` or `auto`. encryption: `srtp` takes plain calls too, `srtp-mand` none. codecs: as it
    offers them; Opus carries copies against loss of 20 %.
    """

    def __init__(
        self,
        folder: Path,
        *,
        user: str,
        password: str,
        domain: str,
        node: str,
        says: Path,
        transport: str = "udp",
        answer: str = "manual",
        encryption: str = "",
        codecs: str = "pcma,pcmu",
        rate: int = 8000,
    ) -> None:
        folder.mkdir(parents=True)
        self.folder, self.says, self._rate = folder, says, rate
        self.events: deque[dict[str, Any]] = deque(maxlen=500)
        self._unread = b""
        account = f"<sip:{user}@{domain};transport={transport}>;auth_user={user};auth_pass={password}"
        account += f';outbound="sip:{node};transport={transport}";regint=120;answermode={answer}'
        account += f";audio_codecs={codecs}" + (f";mediaenc={encryption}" if encryption else "")
        (folder / "accounts").write_text(account + "\n")
        (folder / "contacts").write_text("")
        control = free_port(kind=socket.SOCK_STREAM)
        (folder / "config").write_text(self._config(control))
        self._log = (folder / "baresip.log").open("w")
        self.process = subprocess.Popen(
            ["baresip", "-f", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        hurry(self.process.pid)
        self._socket = self._connect(control)

    @classmethod
    def of(
        cls, node: Node, user: str, folder: Path, says: Path, transport: str = "udp", **more: Any
    ) -> Baresip:
        """A phone with that account of the node, registered."""
        password, address = node.password(user), node.address(transport)
        account = {"user": user, "password": password, "domain": node.domain, "node": address}
        peer = cls(folder / f"baresip-{user}", says=says, transport=transport, **account, **more)
        peer.registered()
        return peer

    def _config(self, control: int) -> str:
        rtp = free_port()
        return CONFIG.format(
            address="127.0.0.1",
            port=sip_port(),
            folder=self.folder,
            says=self.says,
            rate=self._rate,
            rtp=rtp,
            rtp_end=rtp + 100,
            modules=MODULES,
            control=control,
        )

    def _connect(self, port: int) -> socket.socket:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                return socket.create_connection(("127.0.0.1", port), timeout=1)
            except ConnectionRefusedError:
                try:
                    self.process.wait(0.02)
                except subprocess.TimeoutExpired:
                    continue
                break
        raise BaresipSilent(f"baresip did not start:\n{self._said()}")

    def _said(self) -> str:
        return (self.folder / "baresip.log").read_text(errors="replace")[-3000:]

    def command(self, name: str, params: str = "") -> None:
        """Give a command of baresip's menu by its long name."""
        text = json.dumps({"command": name, "params": params, "token": name}).encode()
        self._socket.sendall(str(len(text)).encode() + b":" + text + b",")

    def expect(self, kind: str, timeout: float = 10.0) -> dict[str, Any]:
        """Wait for the next event of that type, for instance REGISTER_OK or CALL_ESTABLISHED."""
        return self._await(lambda event: event.get("type") == kind, timeout, kind)

    def _await(self, fits: Callable[[dict[str, Any]], bool], timeout: float, what: str) -> dict[str, Any]:
        deadline = time.monotonic() + timeout
        while True:
            for event in self.events:
                if fits(event):
                    self.events.remove(event)
                    return event
            left = deadline - time.monotonic()
            if left <= 0 or not self._read(left):
                seen = [event.get("type") or event for event in self.events]
                raise BaresipSilent(f"no {what} in {timeout} s; saw {seen}\n{self._said()}")

    def _read(self, timeout: float) -> bool:
        self._socket.settimeout(timeout)
        try:
            data = self._socket.recv(65_536)
        except TimeoutError:
            return False
        self._unread += data
        while (colon := self._unread.find(b":")) > 0:
            end = colon + 1 + int(self._unread[:colon])
            if len(self._unread) < end + 1:
                break
            self.events.append(json.loads(self._unread[colon + 1 : end]))
            self._unread = self._unread[end + 1 :]
        return bool(data)

    @property
    def heard(self) -> Path:
        """The recording of the newest call's received side (module sndfile)."""
        return max(self.folder.glob("dump-*-dec.wav"), key=lambda file: file.stat().st_mtime_ns)

    def registered(self, timeout: float = 10.0) -> None:
        """Wait until the registrar has said yes; it may have done so before the control socket was open."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            self.command("reginfo")
            if "OK" in self._await(lambda event: event.get("token") == "reginfo", 5.0, "answer")["data"]:
                return
            self._read(0.1)
        raise BaresipSilent(f"not registered:\n{self._said()}")

    def dial(self, uri: str) -> None:
        self.command("dial", uri)

    def say(self, file: Path) -> None:
        """In the calls that are held, speak that file from its beginning in place of what it speaks."""
        self.command("ausrc", f"aufile,{file}")

    def close(self) -> None:
        if self.process.poll() is None:
            self.command("quit")
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._socket.close()
        self._log.close()

    def __enter__(self) -> Baresip:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def installed() -> bool:
    return shutil.which("baresip") is not None and MODULES.is_dir()
