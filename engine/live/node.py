"""A node's live state, wired to what happens there."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.live.feed import Feed
from engine.live.hub import Hub
from engine.live.source import Belonging, Source, belonging
from engine.live.tree import Tree

if TYPE_CHECKING:
    from config.schema import Config
    from engine.app import Engine
    from engine.view import View


def of_node(engine: Engine, view: View) -> Feed:
    where = Where(lambda: engine.config)
    hub = Hub(Tree(), secrets.token_hex(6), most=engine.config.api.live.readers)
    source = Source(view, where, time.time)
    feed = Feed(hub, source, engine.clock, _later)
    engine.switch.observers.append(feed.notice)
    engine.captions.observers.append(feed.captioned)
    return feed


def _later(wait_s: float, what: Callable[[], None]) -> asyncio.TimerHandle:
    return asyncio.get_running_loop().call_later(wait_s, what)


class Where:
    """Where things belong, by the configuration that counts; made once for each."""

    def __init__(self, config: Callable[[], Config]) -> None:
        self._config = config
        self._made: tuple[Config, Belonging] | None = None

    def __call__(self) -> Belonging:
        config = self._config()
        if self._made is None or self._made[0] is not config:
            self._made = config, belonging(config)
        return self._made[1]
