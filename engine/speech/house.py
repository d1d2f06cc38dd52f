"""The node's speech processes, as the switch has them: the ear, recognisers, and who translates and speaks.

They begin with the first call that wants them, unless the configuration has them begin with the node, and are
kept alive from then on. Calls never wait for them.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from itertools import chain, repeat
from pathlib import Path

import msgspec
import structlog

from config.schema import Config
from engine.speech.crafts import far_of, hearing_of, rendering_of
from engine.views import Check, Health
from media.io.process import EarClient, SpeechClient, Supervisor, WorkerFailed
from media.messages import AnyEvent, WorkerReady
from media.speech.messages import Begin, SpeechCommand, SpeechEvent
from media.speech.settings import CraftSettings

WAIT_S = 60.0  # for all of them, where somebody waits
AGAIN_S = (1.0, 5.0, 15.0)  # after which one that did not come up is tried again; the last, for ever

log = structlog.get_logger("speech")


def wanted(config: Config) -> bool:
    """Whether any queue has speech put into words."""
    return any(spec.speech.wanted for spec in config.queues.values())


def made_of(config: Config) -> object:
    """What its processes are told when they start, markets apart; other ones are needed where it changed."""
    language, rendering = config.language, rendering_of(config)
    assert rendering.translate is not None
    plain = msgspec.structs.replace(rendering.translate, markets={})
    return (
        (language.cores, language.guess_every_s, language.last_words_s),
        (hearing_of(config), language.recogniser.processes, language.recogniser.reserve),
        (msgspec.structs.replace(rendering, translate=plain), far_of(config)),
    )


class House:
    """Starts them and keeps them. on_events: what the ear tells. on_ready: an ear is there, also after one
    that died, which on_lost told. Nothing is told before `take_up`.
    """

    def __init__(
        self,
        config: Config,
        on_events: Callable[[list[SpeechEvent]], None],
        on_ready: Callable[[], None],
        on_lost: Callable[[], None],
    ) -> None:
        self._config = config
        self._scratch = tempfile.TemporaryDirectory(prefix="isogloss-speech-", ignore_cleanup_errors=True)
        self._folder = self._scratch.name
        self.taps = f"{self._folder}/taps"
        self._on_events = on_events
        self._on_ready = on_ready
        self._on_lost = on_lost
        self._starting: asyncio.Task[None] | None = None
        self._at_work = False
        self._ear = self._make_ear()
        self._workers = self._make_workers()

    def _make_ear(self) -> EarClient:
        clips = Path(self._folder, "clips")
        clips.mkdir()
        options = ["--taps", self.taps, "--workers", f"{self._folder}/workers", "--clips", str(clips)]
        options += ["--cores", str(self._config.language.cores)]
        options += ["--guess-every-s", str(self._config.language.guess_every_s)]
        options += ["--last-words-s", str(self._config.language.last_words_s)]
        far = far_of(self._config)
        if far is not None:
            options += ["--far", self._secret("far", far)]
        return EarClient(options, on_events=self._told, on_lost=self._lost)

    def _make_workers(self) -> list[SpeechClient]:
        settings = self._config.language
        hearing = self._worker("hear", hearing_of(self._config), settings.recogniser.reserve)
        workers = [hearing() for _ in range(settings.recogniser.processes)]
        return [*workers, self._worker("render", rendering_of(self._config), True)()]

    def _worker(self, name: str, crafts: CraftSettings, reserve: bool) -> Callable[[], SpeechClient]:
        options = ["--ear", f"{self._folder}/workers", "--crafts", self._secret(name, crafts)]

        def make() -> SpeechClient:
            def told(events: list[AnyEvent]) -> None:
                if any(isinstance(event, WorkerReady) for event in events):
                    client.send(Begin())

            client = SpeechClient(options, on_events=told, on_lost=lambda reason: None, reserve=reserve)
            return client

        return make

    def _secret(self, name: str, what: msgspec.Struct) -> str:
        """The path of a file that a process is to read, now and when it is another; a key may stand in it."""
        path, new = (Path(self._folder, f"{name}.{ending}") for ending in ("json", "new"))
        new.touch(0o600)
        new.write_bytes(msgspec.json.encode(what))
        new.replace(path)
        return str(path)

    def fits(self, config: Config) -> bool:
        """Whether it is what that configuration asks for."""
        return made_of(self._config) == made_of(config)

    def reconfigured(self, config: Config) -> None:
        """Markets are others; where it does not fit otherwise, another house is needed."""
        self._secret("render", rendering_of(config))

    @property
    def pids(self) -> dict[str, list[int]]:
        """Of the processes at work, by what they do."""
        hearing, rendering = self._workers[:-1], self._workers[-1]
        named: dict[str, list[Supervisor]] = {"ear": [self._ear], "hear": [*hearing], "render": [rendering]}
        return {name: [each.pid for each in clients if each.pid] for name, clients in named.items()}

    @property
    def reserved(self) -> bool:
        """Whether another of each stands ready."""
        return all(each.reserved for each in (self._ear, *self._workers))

    @property
    def load(self) -> float:
        """Share of a core that all of them used in the last second."""
        return self._ear.load + sum(each.load for each in self._workers)

    def check(self, strained: str) -> Check:
        """Speech's line in the node's health; calls go on without it. strained: what it goes without."""
        status, detail = Health.OK, ""
        lost = sum(each.ready is None for each in self._workers)
        if self._starting is not None and self._ear.ready is None:
            status, detail = Health.DEGRADED, "the ear restarts"
        elif self._starting is not None and lost:
            status, detail = Health.DEGRADED, f"{lost} of {len(self._workers)} speech workers restart"
        elif strained:
            status, detail = Health.DEGRADED, strained
        return Check(name="speech", status=status, detail=detail)

    def wake(self) -> None:
        """Start them, unless they are there or about to be."""
        if self._starting is None:
            self._starting = asyncio.get_running_loop().create_task(self._start())

    @property
    def awake(self) -> bool:
        """Whether they were started."""
        return self._starting is not None

    async def start(self) -> None:
        """With the node, where the configuration says so; where it does not come the node
        goes on without.
        """
        if self._config.language.start == "always":
            try:
                await self.up()
            except WorkerFailed as error:
                log.error("calls are not put into words yet", why=str(error))

    async def up(self) -> None:
        """Start them and wait for them. Raises WorkerFailed."""
        self.wake()
        assert self._starting is not None
        try:
            await asyncio.wait_for(asyncio.shield(self._starting), WAIT_S)
        except TimeoutError as error:
            raise WorkerFailed(f"speech's processes do not start within {WAIT_S:.0f} s") from error

    def take_up(self) -> None:
        """From now on this is the node's, and tells what it hears."""
        self._at_work = True
        if self._ear.ready is not None:
            self._begin()

    async def _start(self) -> None:
        await asyncio.gather(*(_bring_up(client) for client in (self._ear, *self._workers)))

    async def close(self) -> None:
        self._at_work = False
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
            await asyncio.gather(self._ear.close(), *(each.close() for each in self._workers))
        self._scratch.cleanup()

    def send(self, command: SpeechCommand) -> None:
        self._ear.send(command)

    def _told(self, events: list[AnyEvent]) -> None:
        told: list[SpeechEvent] = []
        for event in events:
            if isinstance(event, WorkerReady):
                if self._at_work:
                    self._begin()
            elif isinstance(event, SpeechEvent):
                told.append(event)
        if told and self._at_work:
            self._on_events(told)

    def _begin(self) -> None:
        self._ear.send(Begin())
        self._on_ready()

    def _lost(self, reason: str) -> None:
        if self._at_work:
            self._on_lost()


async def _bring_up(client: Supervisor) -> None:
    """Try until it is there: a machine may be too busy for it now, and will not be for ever."""
    for pause in chain(AGAIN_S, repeat(AGAIN_S[-1])):
        try:
            await client.start()
            return
        except (WorkerFailed, OSError) as error:
            log.error("a process of speech does not start", why=str(error), again_in_s=pause)
        await asyncio.sleep(pause)
