"""Programs that watch a node by its API: each follows the live state, and asks for a list now and then."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import httpx
import msgspec
from websockets.asyncio.client import connect

ASKED_EVERY_S = 1.0
PATHS = (
    "/v1/calls?limit=50",
    "/v1/queues",
    "/v1/agents",
    "/v1/lines",
    "/v1/records?limit=20",
    "/v1/reports/calls?by=queue",
)
SUBSCRIPTIONS = 50  # of one who takes nothing: a snapshot each, more than buffers on the way hold
SUBSCRIBED_EVERY_S = 0.05
PATIENCE_S = 40.0


@dataclass
class Watched:
    """What came of it. lags: s from a call's INVITE to its being told. answers: s that lists took."""

    lags: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    failed: int = 0


class Watcher:
    """api: the node's base address."""

    def __init__(self, api: str, token: str, first: int = 0) -> None:
        self._api = api
        self._token = token
        self._paths = cycle(PATHS[first % len(PATHS) :] + PATHS[: first % len(PATHS)])

    async def watch(self, watched: Watched, until: Callable[[], bool]) -> None:
        async with connect(self._live, max_size=None) as live:
            await live.send(self._hello())
            first = True
            while not until():
                try:
                    told = msgspec.json.decode(await asyncio.wait_for(live.recv(), 1.0))
                except TimeoutError:
                    continue
                now = time.time()
                puts = [each["value"] for each in told.get("changes", ()) if _is_new_call(each)]
                if not first:
                    watched.lags += [now - each["since"] for each in puts]
                first = False

    async def ask(self, watched: Watched, until: Callable[[], bool]) -> None:
        headers = {"Authorization": f"Bearer {self._token}"}
        # Certificates are read for each client, 50 ms in which none of the others would get on.
        async with httpx.AsyncClient(
            base_url=self._api, headers=headers, timeout=30.0, verify=False
        ) as client:
            while not until():
                began = time.monotonic()
                try:
                    failed = (await client.get(next(self._paths))).status_code != 200
                except httpx.HTTPError:
                    failed = True
                took = time.monotonic() - began
                watched.answers.append(took)
                watched.failed += failed
                await asyncio.sleep(max(0.0, ASKED_EVERY_S - took))

    async def stall(self) -> tuple[float, bool]:
        """Take nothing until the node cuts the connection, and come back: s until it was cut, and whether
        what was told then is what there is. Raises TimeoutError.
        """
        async with httpx.AsyncClient(base_url=self._api, timeout=30.0) as client:
            before = await self._cuts(client)
            slow = await connect(self._live, sock=self._narrow(), max_size=None, max_queue=1)
            await slow.send(self._hello())
            began = time.monotonic()
            for number in range(SUBSCRIPTIONS):
                topics = ["calls"] if number % 2 else ["calls", "queues"]
                await slow.send(msgspec.json.encode({"type": "subscribe", "topics": topics}).decode())
                await asyncio.sleep(SUBSCRIBED_EVERY_S)  # or several would lead to one snapshot
            async with asyncio.timeout(PATIENCE_S):
                while await self._cuts(client) == before:
                    await asyncio.sleep(0.1)
            took = time.monotonic() - began
            slow.transport.abort()
        return took, await self._comes_back()

    def _narrow(self) -> socket.socket:
        """A connection that takes in little of what nobody reads."""
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        host, _, port = self._api.rpartition("/")[2].rpartition(":")
        made.connect((host, int(port)))
        made.setblocking(False)
        return made

    async def _comes_back(self) -> bool:
        async with connect(self._live, max_size=None) as live:
            await live.send(self._hello())
            told = msgspec.json.decode(await live.recv())
        return bool(told["type"] == "snapshot" and told["topics"]["calls"])

    async def _cuts(self, client: httpx.AsyncClient) -> float:
        text = (await client.get("/metrics", headers={"Authorization": f"Bearer {self._token}"})).text
        lines = (line.split() for line in text.splitlines() if line.startswith("isogloss_live_cuts_total"))
        return sum(float(value) for _, value in lines)

    @property
    def _live(self) -> str:
        return f"{self._api.replace('http', 'ws', 1)}/v1/live"

    def _hello(self) -> str:
        said = {"type": "hello", "token": self._token, "topics": ["calls", "queues", "agents"]}
        return msgspec.json.encode(said).decode()


def _is_new_call(change: dict[str, Any]) -> bool:
    return change["op"] == "put" and change["topic"] == "calls"


async def watching(api: str, token: str, count: int, until: Callable[[], bool]) -> Watched:
    """So many at once."""
    watched = Watched()
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            watcher = Watcher(api, token, number)
            group.create_task(watcher.watch(watched, until))
            group.create_task(watcher.ask(watched, until))
    return watched
