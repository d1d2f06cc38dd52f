"""Roads between Chromium and a node that can be closed: of a call's sound, and of what sets it up.

Playwright shows each side the descriptions of the other with other candidates: those of the browser left
out, so that it is met only by the way it comes, those of the node being where roads begin
(tests/media/browser.py).
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from tests.media.browser import PATIENCE, Road

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route, WebSocketRoute

CANDIDATE = re.compile(r"a=candidate:[^\r\n]*\r\n")
HOST = re.compile(r"(a=candidate:\S+ 1 udp \d+) (\S+) (\d+) typ host")
LENGTH = re.compile(r"Content-Length: \d+")


class Roads:
    """All of one page."""

    def __init__(self, page: Page, sip: int) -> None:
        """sip: the port of the node's WebSockets for SIP."""
        self._page = page
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._roads: dict[tuple[str, int], tuple[Road, int]] = {}
        self._sockets: list[WebSocketRoute] = []
        self._closed = False
        page.route(re.compile("/whip/"), self._post)
        page.route_web_socket(re.compile(f"^wss?://[^/]*:{sip}/"), self._connect)

    @property
    def laid(self) -> int:
        """How many."""
        return len(self._roads)

    def close(self, *, sockets: bool = False) -> None:
        """Nothing passes. sockets: WebSockets break too, and on new ones nobody answers."""
        self._closed = sockets
        for road, _ in self._roads.values():
            road.closed = True
        if sockets:
            self._break()

    def open(self) -> None:
        for road, _ in self._roads.values():
            road.closed = False
        if self._closed:
            self._closed = False
            self._break()  # what was opened meanwhile

    def _break(self) -> None:
        while self._sockets:
            self._sockets.pop().close()

    def give_up(self) -> None:
        self._page.unroute_all(behavior="ignoreErrors")
        for road, _ in self._roads.values():
            self._loop.call_soon_threadsafe(road.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)

    # --- what is said -----------------------------------------------------------------------------

    def _post(self, route: Route) -> None:
        said = route.request.post_data
        answer = route.fetch(post_data=CANDIDATE.sub("", said)) if said else route.fetch()
        route.fulfill(response=answer, body=self._led(answer.text()))

    def _connect(self, page: WebSocketRoute) -> None:
        self._sockets.append(page)
        if self._closed:  # it may not be closed in here; nobody answers on it, as on a dead network
            page.on_message(lambda said: None)
            return
        node = page.connect_to_server()
        page.on_message(lambda said: node.send(_sized(CANDIDATE.sub("", str(said)))))
        node.on_message(lambda said: page.send(_sized(self._led(str(said)))))

    def _led(self, said: str) -> str:
        return HOST.sub(
            lambda found: f"{found[1]} 127.0.0.1 {self._begin(found[2], int(found[3]))} typ host", said
        )

    def _begin(self, host: str, port: int) -> int:
        if (host, port) not in self._roads:
            self._roads[host, port] = self._do(Road.laid((host, port), 0.0, 1))
        return self._roads[host, port][1]

    def _do(self, what: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(PATIENCE)


def _sized(message: str) -> str:
    """With the length of what is its body now."""
    body = message.partition("\r\n\r\n")[2]
    return LENGTH.sub(f"Content-Length: {len(body.encode())}", message, count=1)
