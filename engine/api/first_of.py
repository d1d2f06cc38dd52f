"""Works side by side of which the first to end ends all, as the two ways of a WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def first_of(*works: Coroutine[Any, Any, Any]) -> None:
    """Until the first of them ends, which ends all; raises what that one did."""
    tasks = {asyncio.create_task(work) for work in works}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        while done:
            done.pop().result()
    finally:
        await _end(tasks)


async def _end(tasks: set[asyncio.Task[Any]]) -> None:
    """None is known any more afterwards: what one raised knows who waited for it, and would be known there,
    a ring that waits for Python's collector (ADR 67).
    """
    for each in tasks:
        each.cancel()
    await asyncio.wait(tasks)
    for each in tasks:
        if not each.cancelled():
            each.exception()  # the first one's was raised; another's is nobody's any more
    tasks.clear()
