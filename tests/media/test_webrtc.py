"""A stock aiortc peer calls in as browsers do: ICE and DTLS by the gate, its sound by the worker."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from media.messages import SetGain
from tests.media.browser import Browser, Node, strength

PORTS = (25_400, 25_480)


def play(part: Callable[[Node], Awaitable[None]]) -> None:
    async def run() -> None:
        node = Node(PORTS)
        try:
            await node.start()
            await part(node)
        finally:
            await node.close()

    asyncio.run(run())


async def joined(node: Node, *browsers: Browser) -> None:
    """All in one call."""
    for leg, browser in enumerate(browsers, 1):
        await browser.accept(await node.answer(leg, await browser.offer()))
    for one in range(1, len(browsers) + 1):
        for other in range(1, len(browsers) + 1):
            if one != other:
                node.worker.send(SetGain(one, other))


def test_two_browsers_hear_each_other_one_by_opus_one_by_g711():
    async def part(node: Node) -> None:
        low, high = Browser(440.0), Browser(1000.0, ["PCMU"])
        try:
            await joined(node, low, high)
            await asyncio.gather(low.hear(1.0), high.hear(1.0))
            at_low, at_high = await asyncio.gather(low.hear(1.0), high.hear(1.0))
        finally:
            await asyncio.gather(low.close(), high.close())
        assert 0.8 < strength(at_low, 1000.0) / 8000 < 1.2 and strength(at_low, 440.0) < 400
        upmixed = 8000 / 2**0.5  # aiortc makes two channels of one at -3 dB each before it codes Opus
        assert 0.8 < strength(at_high, 440.0) / upmixed < 1.2 and strength(at_high, 1000.0) < 400

    play(part)
