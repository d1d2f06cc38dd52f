"""The node's recorder process, as the switch has it; there only where a queue is recorded."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping

from config.schema import Config
from engine.views import Check, Health
from media.io.process import RecorderClient
from media.messages import AnyEvent, WorkerReady
from media.recording import RecordingCommand, SealKeys


def wanted(config: Config) -> bool:
    """Whether any queue is recorded."""
    return any(spec.recording.wanted for spec in config.queues.values())


class Tape:
    """Starts the recorder and keeps it. on_ready: it is there, also after one that died. on_events: what it
    tells besides.
    """

    def __init__(
        self, config: Config, on_ready: Callable[[], None], on_events: Callable[[list[AnyEvent]], None]
    ) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="isogloss-taps-", ignore_cleanup_errors=True)
        self.taps = f"{self._scratch.name}/recorder"
        self._keys = SealKeys({name: each.reveal() for name, each in config.media.recording.keys.items()})
        self._on_ready = on_ready
        self._on_events = on_events
        self._client = RecorderClient(
            taps=self.taps,
            on_events=self._told,
            on_lost=lambda reason: None,  # the next one's readiness tells it
            sync_s=config.media.recording.sync_s,
        )

    def seal(self, config: Config) -> None:
        """Recordings that begin from now on are sealed with these keys, by name."""
        self._keys = SealKeys({name: each.reveal() for name, each in config.media.recording.keys.items()})
        self._client.send(self._keys)

    @property
    def pid(self) -> int | None:
        return self._client.pid

    def check(self, faults: Mapping[str, str]) -> Check:
        """The recorder's line in the node's health; calls go on without it. faults: of files, now."""
        status, detail = Health.OK, ""
        if self._client.ready is None:
            status, detail = Health.DEGRADED, "the recorder restarts"
        elif faults:
            status, detail = Health.DEGRADED, f"{len(faults)} files: {next(iter(faults.values()))}"
        return Check(name="recordings", status=status, detail=detail)

    @property
    def load(self) -> float:
        """Share of a core that it used in the last second."""
        return self._client.load

    async def start(self) -> None:
        """Raises WorkerFailed."""
        await self._client.start()

    async def close(self) -> None:
        """End it, with all files closed."""
        await self._client.close()
        self._scratch.cleanup()

    def send(self, command: RecordingCommand) -> None:
        self._client.send(command)

    def _told(self, events: list[AnyEvent]) -> None:
        for event in events:
            if isinstance(event, WorkerReady):
                self._client.send(self._keys)
                self._on_ready()
        self._on_events([event for event in events if not isinstance(event, WorkerReady)])
