"""The node's gate process, as the switch has it; there only where browsers are let in."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from importlib.util import find_spec

import structlog

from config.schema import Config
from engine.views import Check, Health
from media.gate import GateCommand
from media.io.process import GateClient
from media.messages import AnyEvent, WorkerReady
from sip.hop import WEBSOCKETS

log = structlog.get_logger("gate")


def wanted(config: Config) -> bool:
    """Whether browsers are to be let in; says so where they cannot be."""
    enabled = config.media.webrtc.enabled
    # Behind a proxy browsers are there whatever we listen for ourselves.
    listens = bool(config.sip.trusted_proxies) or any(
        each.transport in WEBSOCKETS for each in config.sip.listen
    )
    listens = listens or (config.api.enabled and bool(config.api.callers.keys))
    if enabled == "off" or (enabled == "auto" and not listens):
        return False
    if find_spec("aiortc") is None:
        log.warning(
            "browsers left out: no WebRTC here", missing="aiortc", remedy="install the extra `webrtc`"
        )
        return False
    return True


class Gatehouse:
    """Starts the gate and keeps it. address: of the workers. on_events: what it tells; on_lost: it died,
    and all its doors with it.
    """

    def __init__(
        self,
        config: Config,
        address: str,
        on_events: Callable[[list[AnyEvent]], None],
        on_lost: Callable[[], None],
    ) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="isogloss-gate-", ignore_cleanup_errors=True)
        self.doors = f"{self._scratch.name}/doors"
        self.address = config.media.webrtc.external_address or address
        self.relayed = config.media.webrtc.relay == "forced"
        self._on_events = on_events
        self._client = GateClient(doors=self.doors, on_events=self._told, on_lost=lambda reason: on_lost())

    @property
    def up(self) -> bool:
        return self._client.ready is not None

    @property
    def pid(self) -> int | None:
        return self._client.pid

    @property
    def load(self) -> float:
        """Share of a core that it used in the last second."""
        return self._client.load

    def check(self) -> Check:
        """The gate's line in the node's health; phones' calls go on without it."""
        if self.up:
            return Check(name="browsers", status=Health.OK)
        return Check(name="browsers", status=Health.DEGRADED, detail="the gate restarts")

    async def start(self) -> None:
        """Raises WorkerFailed."""
        await self._client.start()

    async def close(self) -> None:
        await self._client.close()
        self._scratch.cleanup()

    def send(self, command: GateCommand) -> None:
        self._client.send(command)

    def _told(self, events: list[AnyEvent]) -> None:
        self._on_events([event for event in events if not isinstance(event, WorkerReady)])
