"""Commands as they are typed, and a node that they ask."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass
from typing import Any

import pytest

from engine.api.app import create_app
from engine.api.server import ApiServer
from engine.cli import main
from engine.live.feed import Feed
from engine.live.hub import Hub
from engine.live.source import Belonging, Source
from engine.live.tree import Tree
from tests.engine.api_node import SETTINGS, WRITE, Node
from tests.engine.store_samples import T0


@dataclass(frozen=True)
class Said:
    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def json(self) -> Any:
        assert self.status == 0, self.err
        return json.loads(self.out)


class Shell:
    def __init__(self, captured: pytest.CaptureFixture[bytes]) -> None:
        self._captured = captured

    def __call__(self, *words: object) -> Said:
        self._captured.readouterr()
        try:
            status = main([str(each) for each in words])
        except SystemExit as ended:  # argparse's way
            status = int(ended.code or 0)
        out, err = self._captured.readouterr()
        return Said(status, out.decode(), err.decode())


class Served:
    """A small node behind the real API, in a thread of its own."""

    token = WRITE

    def __init__(self) -> None:
        self.node = Node()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> Served:
        self._thread.start()
        self._server, self.feed = self._do(self._begin())
        self.base = f"http://127.0.0.1:{self._server.port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def anew(self) -> None:
        """Another node behind the same API, which takes its time to make. What is told live stays."""
        self.node = self._app.state.view = Node()

    def cut(self) -> None:
        """Whoever reads live is sent away."""

        async def cut() -> None:
            for group in self.feed.hub._groups.values():
                for reader in group.readers:
                    reader.cut()

        self._do(cut())

    async def _begin(self) -> tuple[ApiServer, Feed]:
        loop = asyncio.get_running_loop()
        feed = Feed(Hub(Tree(), "e0"), Source(self.node, Belonging, lambda: T0), loop.time, loop.call_later)
        self._app = create_app(self.node, SETTINGS, live=feed)
        server = ApiServer(self._app, "127.0.0.1", 0)
        await server.start()
        return server, feed

    async def _end(self) -> None:
        self.feed.stop()
        await self._server.close()

    def _do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)
