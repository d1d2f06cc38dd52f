"""The engine's side of a media worker: one at work, one in reserve, and the supervision that keeps it so.

Everything happens on the running asyncio loop. A worker that dies, hangs or does not listen is killed; its
legs are gone with it, which `on_lost` is for. The reserve, a second process that has everything loaded and
no legs, takes its place at once, for a fresh interpreter needs most of a second on a busy machine.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
from collections.abc import Callable

from media.io.child import HUNG, START_TIMEOUT, Child, Wire
from media.messages import AnyCommand, AnyEvent, WorkerReady

DELAYS = (0.0, 0.1, 0.5, 1.0, 2.0, 5.0)  # s before the first, second, ... restart in a row
MODEL_S = 60.0  # that a model may keep a process from answering, while it is loaded or at work
STEADY = 30.0  # s at work after which the next restart counts as the first again

log = logging.getLogger("media.process")


class WorkerFailed(Exception):
    """The worker did not come up."""


class Supervisor:
    """A process that is always there again, and one in reserve if that is wished.

    module: what it runs, options: its arguments. on_events(events): what it tells, in order, beginning with
    WorkerReady for every new process. on_lost(reason): it died; nothing of the dead one is told after that.
    hung_s: without an answer, after which it is taken for hung.
    """

    def __init__(
        self,
        module: str,
        options: list[str],
        on_events: Callable[[list[AnyEvent]], None],
        on_lost: Callable[[str], None],
        *,
        reserve: bool,
        hung_s: float = HUNG,
    ) -> None:
        self._module = module
        self._hung_s = hung_s
        self._options = options
        self._on_events = on_events
        self._on_lost = on_lost
        self._keep_reserve = reserve
        self._directory = ""
        self._server: asyncio.Server | None = None
        self._children: list[Child] = []
        self._active: Child | None = None
        self._reserve: Child | None = None
        self._announced: Child | None = None
        self._keepers: list[asyncio.Task[None]] = []

    @property
    def ready(self) -> WorkerReady | None:
        """What the worker at work said of itself; None while there is none."""
        return self._announced.ready if self._announced is not None else None

    @property
    def pid(self) -> int | None:
        """Of the worker at work."""
        return self._announced.pid if self._announced is not None else None

    @property
    def load(self) -> float:
        """Share of a core that it used in the last second."""
        return self._announced.load if self._announced is not None else 0.0

    @property
    def reserved(self) -> bool:
        """Whether a worker stands ready to take over."""
        return self._reserve is not None and self._reserve.ready is not None

    async def start(self) -> WorkerReady:
        """Start the worker and wait until it is ready. Raises WorkerFailed."""
        self._directory = tempfile.mkdtemp(prefix="isogloss-media-")
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: Wire(self._find), f"{self._directory}/control")
        self._active = await self._spawn()
        first = self._active.became_ready.wait()
        try:
            await asyncio.wait_for(first, START_TIMEOUT)
        except TimeoutError as error:
            await self.close()
            raise WorkerFailed(f"no {self._module} within {START_TIMEOUT:.0f} s") from error
        self._announce(self._active)
        self._keepers = [loop.create_task(self._keep())]
        if self._keep_reserve:
            self._keepers.append(loop.create_task(self._refill()))
        assert self.ready is not None, "announced means ready"
        return self.ready

    def send(self, *commands: AnyCommand) -> None:
        """Ask the worker. While there is none, what is asked is forgotten."""
        if self._announced is not None:
            self._announced.send(list(commands))

    async def close(self) -> None:
        """End the workers and their supervision."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        self._keepers = []
        self._announced = None
        await asyncio.gather(*(child.close() for child in self._children))
        self._children.clear()
        if self._server is not None:
            self._server.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _find(self, pid: int) -> Child | None:
        return next((child for child in self._children if child.pid == pid and child.ready is None), None)

    async def _spawn(self) -> Child:
        child = Child(self._told, self._module, self._hung_s)
        self._children.append(child)
        try:
            await child.start(f"{self._directory}/control", self._options)
        except OSError as error:
            log.error("cannot start %s: %s", self._module, error)
        return child

    def _told(self, child: Child, events: list[AnyEvent]) -> None:
        if child is self._announced:
            self._on_events(events)

    def _announce(self, child: Child) -> None:
        """From now on this is the worker."""
        assert child.ready is not None, "only a ready worker is announced"
        self._announced = child
        self._on_events([child.ready])

    async def _keep(self) -> None:
        """Put another worker in the place of each that dies, for ever."""
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            child = self._active or await self._spawn()
            self._active = child
            since = loop.time()
            announcing = loop.create_task(self._announce_when_ready(child))
            reason = await child.outlived()
            announcing.cancel()
            self._children.remove(child)
            self._active = None
            log.warning("%s lost: %s", self._module, reason)
            if self._announced is child:
                self._announced = None
                self._on_lost(reason)
            failures = 0 if loop.time() - since >= STEADY else failures + 1
            reserve, self._reserve = self._reserve, None
            if reserve is not None and reserve.ready is not None and reserve.alive:
                self._active = reserve
            else:
                self._reserve = reserve
            if failures > 1:
                await asyncio.sleep(DELAYS[min(failures - 1, len(DELAYS) - 1)])

    async def _announce_when_ready(self, child: Child) -> None:
        await child.became_ready.wait()
        if self._announced is not child:
            self._announce(child)

    async def _refill(self) -> None:
        """Keep one process in reserve, started when the machine has had a moment for the one at work."""
        while True:
            await asyncio.sleep(1.0)
            if self._reserve is not None and not self._reserve.alive:
                self._children.remove(self._reserve)
                self._reserve = None
            if self._reserve is None and self._announced is not None:
                self._reserve = await self._spawn()


class WorkerClient(Supervisor):
    """A worker that is always there again.

    bind: numeric address of its legs' ports, `ports` low to high (excluded), `announce` the address for SDP
    if it is another. native: auto, or off for no helper in C. on_events(events): what it tells, in order,
    beginning with WorkerReady for every new process. on_lost(reason): it died, and all its legs with it;
    nothing of the dead worker is told after that.
    """

    def __init__(
        self,
        *,
        bind: str,
        ports: tuple[int, int],
        on_events: Callable[[list[AnyEvent]], None],
        on_lost: Callable[[str], None],
        announce: str = "",
        buffer_ms: tuple[int, int, int] = (20, 200, 40),
        dscp: int = 0,
        strict_source: bool = False,
        native: str = "auto",
        reserve: bool = True,
        hung_s: float = HUNG,
    ) -> None:
        options = ["--address", bind, "--ports", f"{ports[0]}-{ports[1]}", "--announce", announce]
        options += ["--buffer-ms", *map(str, buffer_ms), "--dscp", str(dscp)]
        options += ["--native", native]
        options += ["--strict-source"] if strict_source else []
        super().__init__("media.io.worker", options, on_events, on_lost, reserve=reserve, hung_s=hung_s)


class GateClient(Supervisor):
    """The gate that is always there again; `doors` is the Unix socket that legs name as their gate.

    A gate that died takes its doors along. Legs that have their keys talk on, but their far ends get no more
    answers from it and give up within 30 s.
    """

    def __init__(
        self,
        *,
        doors: str,
        on_events: Callable[[list[AnyEvent]], None],
        on_lost: Callable[[str], None],
    ) -> None:
        super().__init__("media.io.gate", ["--doors", doors], on_events, on_lost, reserve=False)


class EarClient(Supervisor):
    """The ear that is always there again, and one in reserve. The one at work is to be told to Begin."""

    def __init__(
        self,
        options: list[str],
        *,
        on_events: Callable[[list[AnyEvent]], None],
        on_lost: Callable[[str], None],
    ) -> None:
        super().__init__("media.speech.io.ear", options, on_events, on_lost, reserve=True)


class SpeechClient(Supervisor):
    """A speech worker that is always there again; reserve: another that has its models loaded already. The
    one at work is to be told to Begin.
    """

    def __init__(
        self,
        options: list[str],
        *,
        on_events: Callable[[list[AnyEvent]], None],
        on_lost: Callable[[str], None],
        reserve: bool,
    ) -> None:
        super().__init__(
            "media.speech.io.worker", options, on_events, on_lost, reserve=reserve, hung_s=MODEL_S
        )


class RecorderClient(Supervisor):
    """The recorder that is always there again; `taps` is the Unix socket at which it takes sound."""

    def __init__(
        self,
        *,
        taps: str,
        on_events: Callable[[list[AnyEvent]], None],
        on_lost: Callable[[str], None],
        sync_s: float = 1.0,
    ) -> None:
        options = ["--taps", taps, "--sync-s", str(sync_s)]
        super().__init__("media.io.recorder", options, on_events, on_lost, reserve=False)
