"""A node's hooks, put together, and as the API sees them."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.hook_views import HookView
from engine.hooks.courier import Courier
from engine.hooks.post import Post
from engine.store.outbox import DAY_S, Letter, Outbox

if TYPE_CHECKING:
    from engine.app import Engine


def of_node(engine: Engine) -> Courier:
    """Not started yet."""
    outbox = Outbox(engine.journal.store, engine.journal.node)
    courier = Courier(outbox, Post(), lambda: engine.config.hooks, time.time, random.SystemRandom())
    engine.switch.observers.append(courier.notice)
    return courier


def hooks(engine: Engine) -> Sequence[HookView]:
    """On the event loop."""
    views = []
    for name, standing in engine.hooks.standings().items():
        hook = engine.config.hooks[name]
        views.append(
            HookView(
                name=name,
                url=hook.url,
                enabled=hook.enabled,
                kinds=hook.kinds,
                waiting=standing.waiting.waiting,
                oldest=standing.waiting.oldest,
                dead=standing.waiting.dead,
                told=standing.told,
                failed=standing.failed,
                failures=standing.failures,
                last_at=standing.last_at,
                error=standing.error,
                trying=engine.hooks.tries(name),
            )
        )
    return views


def dead_letters(engine: Engine, hook: str) -> Sequence[Letter]:
    """Asks the store: blocks."""
    return engine.hooks.outbox.dead(hook)


def replay(engine: Engine, hook: str, seqs: Sequence[int] | None) -> int:
    """Asks the store: blocks."""
    days = engine.config.hooks[hook].keep_days
    now = time.time()
    return engine.hooks.outbox.replay(hook, seqs, now, now + days * DAY_S)
