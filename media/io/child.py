"""One media worker process and the connection it made to us."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import cast

import msgspec

from media.io.peers import peer
from media.io.vitals import Vitals, vitals
from media.messages import AnyCommand, AnyEvent, Frames, Ping, Pong, WorkerReady, decode_events, encode

ROOT = Path(__file__).resolve().parents[2]  # what a worker must have on its import path
START_TIMEOUT = 20.0  # s until WorkerReady
PING_EVERY = 1.0  # s
HUNG = 5.0  # s without an answer
PATIENCE = 15.0  # s for one that would answer, if the machine gave it a processor
STACKS = 0.5  # s that one which is no good has to say where it is
UNSENT = 16 * 1024 * 1024  # bytes that a worker may leave unread

log = logging.getLogger("media.process")


class Child:
    """A worker process from its start to its end. `ready` is its WorkerReady, `load` as it told last."""

    def __init__(
        self,
        on_events: Callable[[Child, list[AnyEvent]], None],
        module: str = "media.io.worker",
        hung_s: float = HUNG,
    ) -> None:
        self._module = module
        self._hung_s = hung_s
        self.ready: WorkerReady | None = None
        self.load = 0.0
        self.became_ready = asyncio.Event()
        self._on_events = on_events
        self._process: asyncio.subprocess.Process | None = None
        self._wire: Wire | None = None
        self._disconnected = asyncio.Event()
        self._pending: list[AnyCommand] = []
        self._unanswered = 0
        self._then: Vitals | None = None  # when it last answered

    @property
    def pid(self) -> int:
        return self._process.pid if self._process is not None else 0

    @property
    def alive(self) -> bool:
        return (
            self._process is not None and self._process.returncode is None and not self._disconnected.is_set()
        )

    async def start(self, path: str, options: list[str]) -> None:
        """Start the process; it will connect to the Unix socket at `path`. Raises OSError."""
        environment = dict(os.environ, OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
        environment["PYTHONFAULTHANDLER"] = "1"  # its stacks stand in the log, whatever it dies of
        paths = filter(None, (str(ROOT), environment.get("PYTHONPATH", "")))
        environment["PYTHONPATH"] = os.pathsep.join(paths)
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", self._module, "--socket", path),
            *options,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
        )

    async def outlived(self) -> str:
        """Return once the process is of no more use: why. It is dead then."""
        if self._process is None:
            return "it could not be started"
        reason = await self._watch(self._process)
        if reason:
            await self._tell_where(self._process)
        self.kill()
        code = await self._process.wait()
        return reason or f"it ended with {code}"

    async def _watch(self, process: asyncio.subprocess.Process) -> str:
        """Wait for its end ("") or a reason to end it."""
        loop = asyncio.get_running_loop()
        ends = [loop.create_task(process.wait()), loop.create_task(self._disconnected.wait())]
        count = 0
        try:
            while True:
                done, _ = await asyncio.wait(ends, timeout=PING_EVERY, return_when=asyncio.FIRST_COMPLETED)
                if done:
                    return ""
                limit = self._hung_s if self.ready is not None else START_TIMEOUT
                silent = self._unanswered * PING_EVERY
                if silent >= limit and not self._is_waited_for(silent, limit):
                    return f"it did not answer for {silent:.0f} s{self._meanwhile()}"
                if self._wire is not None and self._wire.unsent > UNSENT:
                    return f"it does not read what it is told{self._meanwhile()}"
                count += 1
                if not self._unanswered:
                    self._then = vitals(process.pid)
                # Pings, not time: when it is we who were stopped (a paused machine), nobody hung.
                self._unanswered += 1
                self.send([Ping(-count)])
        finally:
            for end in ends:
                end.cancel()

    def _is_waited_for(self, silent: float, limit: float) -> bool:
        """Whether its calls are better off with it: another one would get no processor either. Told once."""
        now = vitals(self.pid)
        if now is None or self._then is None or silent >= PATIENCE or not now.starved(self._then, silent):
            return False
        if silent < limit + PING_EVERY:
            log.warning("%s got no processor for %.0f s: machine or host are busy", self._module, silent)
        return True

    def _meanwhile(self) -> str:
        """What it did instead of answering, as far as the kernel tells."""
        now = vitals(self.pid)
        if now is None or self._then is None:
            return ""
        return f": {now}, with {now.used_s - self._then.used_s:.1f} s of a processor meanwhile"

    async def _tell_where(self, process: asyncio.subprocess.Process) -> None:
        """Have it die with its stacks in the log, and its memory, which has keys, in no file."""
        with suppress(OSError):
            resource.prlimit(process.pid, resource.RLIMIT_CORE, (0, 0))
            process.send_signal(signal.SIGABRT)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), STACKS)

    def kill(self) -> None:
        """End the process without asking."""
        if self._process is not None and self._process.returncode is None:
            try:
                self._process.kill()
            except ProcessLookupError:
                pass  # it ended in this very moment

    async def close(self, patience: float = 2.0) -> None:
        """Close the connection, which ends the process; kill it if it does not."""
        if self._wire is not None:
            self._wire.close()
        if self._process is None:
            return
        try:
            await asyncio.wait_for(self._process.wait(), patience if self._wire is not None else 0.0)
        except TimeoutError:
            self.kill()
            await self._process.wait()

    def send(self, commands: list[AnyCommand]) -> None:
        """Ask the worker; what is asked in one turn of the loop goes in one frame."""
        if self.ready is None or not self.alive:
            return
        if not self._pending:
            asyncio.get_running_loop().call_soon(self._flush)
        self._pending.extend(commands)

    def _flush(self) -> None:
        commands, self._pending = self._pending, []
        if self._wire is not None:
            self._wire.write(encode(commands))

    def attach(self, wire: Wire) -> None:
        self._wire = wire

    def detach(self) -> None:
        """The connection is over."""
        self._disconnected.set()

    def told(self, events: list[AnyEvent]) -> None:
        """What the worker says; answers to our own pings stay here."""
        self._unanswered = 0
        passed: list[AnyEvent] = []
        for event in events:
            if isinstance(event, Pong) and event.n < 0:
                self.load = event.load
            elif isinstance(event, WorkerReady):
                self.ready = event
                self.became_ready.set()
            else:
                passed.append(event)
        if passed:
            self._on_events(self, passed)


class Wire(asyncio.Protocol):
    """A connection of somebody who says to be a worker; `find` gives the child with that process id."""

    def __init__(self, find: Callable[[int], Child | None]) -> None:
        self._find = find
        self._frames = Frames()
        self._child: Child | None = None
        self._transport: asyncio.Transport | None = None

    @property
    def unsent(self) -> int:
        """Bytes that the worker has not read yet."""
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        wire = self._transport = cast(asyncio.Transport, transport)  # uvloop's are none by class
        process, _ = peer(transport.get_extra_info("socket"))
        self._child = self._find(process)
        if self._child is None:
            wire.abort()
        else:
            self._child.attach(self)

    def data_received(self, data: bytes) -> None:
        if self._child is None:
            return
        try:
            for body in self._frames.feed(data):
                self._child.told(decode_events(body))
        except (ValueError, msgspec.DecodeError) as error:
            log.error("media worker says what is not understood: %s", error)
            if self._transport is not None:
                self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._child is not None:
            self._child.detach()
