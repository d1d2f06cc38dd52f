"""A console over a busy node in memory, behind the node's real server in a thread: for tests and pictures.

`python -m tests.browser.console_stand` serves one until it is stopped, at port 8099.
"""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

from fastapi import FastAPI

from engine.access.access import Access
from engine.access.proving import Proving
from engine.api.guard import Guard
from engine.api.server import ApiServer
from engine.console.console import Console
from engine.console.desk import Desk
from engine.console.door import TokenDoor
from engine.console.insight import Insights
from engine.console.users import UserDoor
from engine.operating import Operating
from tests.engine.api_node import SETTINGS, Node
from tests.engine.console.busy import BusyNode
from tests.engine.console.samples import Authored
from tests.engine.store_samples import T0


class Stand:
    """insight, operating: as of Desk; one story of a call, unless told otherwise. access: users and an audit
    log; tokens alone without.
    """

    def __init__(
        self,
        node: Node | None = None,
        *,
        port: int = 0,
        insight: Insights | None = None,
        operating: Operating | None = None,
        access: Access | None = None,
    ) -> None:
        self.node: Any = node or BusyNode()
        tokens = TokenDoor(lambda: SETTINGS, time.monotonic, time.time)
        self.desk = Desk(
            self.node,
            tokens if access is None else UserDoor(access.desk, tokens),
            time.time,
            operating,
            insight or (lambda *_: Authored(T0)),
            access,
            None if access is None else Proving(access.trail, access.desk.log.anchor),
        )
        self.console = Console(self.desk)
        self.port = port
        self._loop = asyncio.new_event_loop()
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._up.wait(20.0)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.run_forever()

    async def _serve(self) -> None:
        app = FastAPI()
        app.mount("/console", self.console)
        app.add_middleware(Guard, max_body_bytes=65_536)  # as the node's own app
        server = ApiServer(app, "127.0.0.1", self.port)
        await server.start()
        self.port = server.port
        self._up.set()

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self.console.close(), self._loop).result(10.0)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10.0)


if __name__ == "__main__":
    stand = Stand(port=8099)
    print(stand.address, flush=True)
    threading.Event().wait()
