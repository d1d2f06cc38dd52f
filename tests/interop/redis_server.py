"""A redis-server of one test's own: started, killed and started again at the same address."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from tests.interop.sipp import free_port

READY_S = 10.0
HOST = "127.0.3.1"


def installed() -> bool:
    return shutil.which("redis-server") is not None


class RedisServer:
    """Keeps nothing on the disk, as the shipped configuration has it: what it knew is gone with it.

    persistent: it writes down every change, so that it comes back knowing what it knew. more: further words
    of its command line, `{port}` in them being its port; it listens for TLS alone where they say tls-port.
    """

    def __init__(
        self,
        folder: Path,
        *,
        host: str = HOST,
        port: int = 0,
        persistent: bool = False,
        more: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.host = host
        self.port = port or free_port(host, socket.SOCK_STREAM)
        self._persistent = persistent
        self._more = [word.replace("{port}", str(self.port)) for word in more]
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"redis://{self.host}:{self.port}/0"

    def start(self) -> None:
        """Return when it answers. Raises AssertionError when it does not."""
        assert self.process is None
        log = self.folder / "redis.log"
        plain = "0" if "--tls-port" in self._more else str(self.port)
        command = ["redis-server", "--bind", self.host, "--port", plain, "--dir", str(self.folder)]
        command += [
            "--save",
            "",
            "--appendonly",
            "yes" if self._persistent else "no",
            "--protected-mode",
            "no",
        ]
        command += ["--appendfsync", "always", "--logfile", str(log), "--daemonize", "no", *self._more]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + READY_S
        while not self._answers():
            if time.monotonic() > deadline or self.process.poll() is not None:
                self.kill()
                raise AssertionError(f"redis-server did not start:\n{log.read_text(errors='replace')}")
            self._wait(0.02)

    def kill(self) -> None:
        """As a machine that loses power: connections break, nothing is said."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """In good order."""
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """Connections stay and nothing is answered, as of a machine behind a broken network."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(how)
            self.process.wait(10)
            self.process = None

    def _wait(self, seconds: float) -> None:
        assert self.process is not None
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return

    def _answers(self) -> bool:
        try:
            with socket.create_connection((self.host, self.port), 0.5) as wire:
                if "--tls-port" in self._more:
                    return True
                wire.sendall(b"PING\r\n")
                return wire.recv(64).startswith(b"+PONG")
        except OSError:
            return False

    def __enter__(self) -> RedisServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
