"""The engine's side of a media worker: starts the process, talks to it, notices its death, starts another.

Everything happens on the running asyncio loop. A worker that dies, hangs or does not listen any more is
killed and replaced; its legs are gone with it, which `on_lost` is for. `on_events` gets WorkerReady for
every new process.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import socket
import struct
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from media.messages import AnyCommand, AnyEvent, Frames, Ping, Pong, WorkerReady, decode_events, encode

ROOT = Path(__file__).resolve().parents[2]  # what the worker must have on its import path
START_TIMEOUT = 15.0  # s until WorkerReady
PING_EVERY = 1.0  # s
HUNG = 5.0  # s without an answer
DELAYS = (0.0, 0.1, 0.5, 1.0, 2.0, 5.0)  # s before the first, second, ... restart in a row
STEADY = 30.0  # s up after which the next restart counts as the first again
UNSENT = 16 * 1024 * 1024  # bytes that a worker may leave unread

log = logging.getLogger("media.process")


class WorkerFailed(Exception):
    """The worker did not come up."""


class _Wire(asyncio.Protocol):
    """One connection of a worker."""

    def __init__(self, client: WorkerClient) -> None:
        self._client = client
        self._frames = Frames()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._client.attached(self, transport)

    def data_received(self, data: bytes) -> None:
        try:
            for body in self._frames.feed(data):
                self._client.told(self, decode_events(body))
        except (ValueError, msgspec.DecodeError) as error:
            log.error("worker says what is not understood: %s", error)
            if self.transport is not None:
                self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._client.detached(self)


class WorkerClient:
    """A worker process that is kept alive.

    bind: numeric address of its legs' ports, `ports` low to high (excluded), `announce` the address for SDP
    if it is another. on_events(events): what it tells, in order. on_lost(reason): it died, and all its legs
    with it; nothing of the dead worker is told after that.
    """

    def __init__(
        self,
        *,
        bind: str,
        ports: tuple[int, int],
        on_events: Callable[[list[AnyEvent]], None],
        on_lost: Callable[[str], None],
        announce: str = "",
        buffer_ms: int = 40,
        strict_source: bool = False,
    ) -> None:
        self.ready: WorkerReady | None = None
        self.load = 0.0
        self._on_events = on_events
        self._on_lost = on_lost
        self._options = ["--address", bind, "--ports", f"{ports[0]}-{ports[1]}", "--announce", announce]
        self._options += ["--buffer-ms", str(buffer_ms), *(["--strict-source"] if strict_source else [])]
        self._directory = ""
        self._server: asyncio.Server | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._wire: _Wire | None = None
        self._up: asyncio.Event = asyncio.Event()
        self._gone: asyncio.Event = asyncio.Event()
        self._pending: list[AnyCommand] = []
        self._answered = 0.0
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Of the worker that runs now."""
        return self._process.pid if self._process is not None and self.ready is not None else None

    async def start(self) -> WorkerReady:
        """Start the worker and wait until it is ready. Raises WorkerFailed."""
        self._directory = tempfile.mkdtemp(prefix="isogloss-media-")
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: _Wire(self), f"{self._directory}/control")
        await self._spawn()
        self._keeper = loop.create_task(self._keep())
        try:
            await asyncio.wait_for(self._up.wait(), START_TIMEOUT)
        except TimeoutError as error:
            await self.close()
            raise WorkerFailed(f"no worker within {START_TIMEOUT:.0f} s") from error
        assert self.ready is not None, "up means ready"
        return self.ready

    def send(self, *commands: AnyCommand) -> None:
        """Ask the worker; what is asked in one turn of the loop goes in one frame. Nobody to ask:
        forgotten.
        """
        if self.ready is None:
            return
        if not self._pending:
            asyncio.get_running_loop().call_soon(self._flush)
        self._pending.extend(commands)

    async def close(self) -> None:
        """End the worker and its supervision."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        if self._server is not None:
            self._server.close()
        self.ready = None
        if self._wire is not None and self._wire.transport is not None:
            self._wire.transport.close()
        if self._process is not None:
            try:
                await asyncio.wait_for(self._process.wait(), 2.0)
            except TimeoutError:
                self._kill()
                await self._process.wait()
        shutil.rmtree(self._directory, ignore_errors=True)

    # --- the process ------------------------------------------------------------------------------

    async def _spawn(self) -> None:
        self._gone.clear()
        environment = dict(os.environ, OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
        environment["PYTHONPATH"] = os.pathsep.join(
            filter(None, (str(ROOT), environment.get("PYTHONPATH", "")))
        )
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "media.io.worker", "--socket", f"{self._directory}/control"),
            *self._options,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
        )

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            try:
                self._process.kill()
            except ProcessLookupError:
                pass  # it ended in this very moment

    async def _keep(self) -> None:
        """Supervise: wait for the worker's end, tell, start the next, for ever."""
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            started = loop.time()
            reason = await self._watch()
            self._kill()
            if self._process is not None:
                code = await self._process.wait()
                reason = reason or f"it ended with {code}"
            self._drop(reason)
            failures = 0 if loop.time() - started >= STEADY else failures + 1
            await asyncio.sleep(DELAYS[min(max(failures - 1, 0), len(DELAYS) - 1)])
            try:
                await self._spawn()
            except OSError as error:
                log.error("cannot start a media worker: %s", error)

    async def _watch(self) -> str:
        """Return when the present worker is of no more use, with the reason if it was not its own end."""
        assert self._process is not None, "watched after it was started"
        loop = asyncio.get_running_loop()
        exited = loop.create_task(self._process.wait())
        gone = loop.create_task(self._gone.wait())
        self._answered = loop.time()
        count = 0
        try:
            while True:
                done, _ = await asyncio.wait(
                    (exited, gone), timeout=PING_EVERY, return_when=asyncio.FIRST_COMPLETED
                )
                if done:
                    return "" if exited in done else "its connection broke"
                limit = HUNG if self.ready is not None else START_TIMEOUT
                if loop.time() - self._answered > limit:
                    return f"it did not answer for {limit:.0f} s"
                if self._unsent() > UNSENT:
                    return "it does not read what it is told"
                count += 1
                self.send(Ping(-count))
        finally:
            exited.cancel()
            gone.cancel()

    def _unsent(self) -> int:
        transport = self._wire.transport if self._wire is not None else None
        return transport.get_write_buffer_size() if transport is not None else 0

    def _drop(self, reason: str) -> None:
        """Forget the dead worker, once."""
        was_ready = self.ready is not None
        self.ready = None
        self._up.clear()
        self._pending.clear()
        self.load = 0.0
        wire, self._wire = self._wire, None
        if wire is not None and wire.transport is not None:
            wire.transport.abort()
        if was_ready:
            log.warning("media worker lost: %s", reason)
            self._on_lost(reason)

    # --- the connection ---------------------------------------------------------------------------

    def attached(self, wire: _Wire, transport: asyncio.Transport) -> None:
        """Someone connected: taken if it is the process that was started."""
        peer = transport.get_extra_info("socket")
        credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        pid = struct.unpack("3i", credentials)[0]
        if self._wire is not None or self._process is None or pid != self._process.pid:
            transport.abort()
            return
        self._wire = wire

    def detached(self, wire: _Wire) -> None:
        if wire is self._wire:
            self._gone.set()

    def told(self, wire: _Wire, events: list[AnyEvent]) -> None:
        """Pass on what the present worker tells; answers to the supervisor's own pings stay here."""
        if wire is not self._wire:
            return
        passed: list[AnyEvent] = []
        self._answered = asyncio.get_running_loop().time()
        for event in events:
            if isinstance(event, Pong) and event.n < 0:
                self.load = event.load
                continue
            if isinstance(event, WorkerReady):
                self.ready = event
                self._up.set()
            passed.append(event)
        if passed:
            self._on_events(passed)

    def _flush(self) -> None:
        commands, self._pending = self._pending, []
        if commands and self._wire is not None and self._wire.transport is not None:
            self._wire.transport.write(encode(commands))
