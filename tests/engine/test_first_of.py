"""The first of several works to end ends all, and nothing of them stays."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from engine.api.first_of import first_of


class Gone(Exception):
    """The other side is."""


async def for_ever(ended: list[str], name: str) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        ended.append(name)


async def goes() -> None:
    raise Gone


def test_the_first_to_end_ends_all_and_its_fault_is_raised() -> None:
    ended: list[str] = []

    async def story() -> None:
        with pytest.raises(Gone):
            await first_of(for_ever(ended, "one"), goes(), for_ever(ended, "two"))
        await first_of(for_ever(ended, "three"), asyncio.sleep(0))

    asyncio.run(story())
    assert sorted(ended) == ["one", "three", "two"]


def test_who_is_called_off_calls_them_off() -> None:
    ended: list[str] = []

    async def story() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await first_of(for_ever(ended, "one"), for_ever(ended, "two"))

    asyncio.run(story())
    assert sorted(ended) == ["one", "two"]


def test_what_was_raised_does_not_wait_for_the_collector() -> None:
    async def story() -> weakref.ref[Gone] | None:
        try:
            await first_of(for_ever([], "one"), goes())
        except Gone as gone:
            return weakref.ref(gone)
        return None

    gc.disable()
    try:
        raised = asyncio.run(story())
        assert raised is not None
        assert raised() is None
    finally:
        gc.enable()
