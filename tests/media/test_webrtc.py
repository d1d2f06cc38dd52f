"""A stock aiortc peer calls in as browsers do: ICE and DTLS by the gate, its sound by the worker."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import pytest

from media.gate import CloseDoor, DoorLost, DoorSecured
from media.messages import CloseLeg, LegClosed, LegOpened, RtpStarted, SetGain
from tests.media.browser import HOST, Browser, Node, Road, strength

pytestmark = pytest.mark.real_time
PORTS = (25_400, 25_480)


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def node(runner: asyncio.Runner) -> Iterator[Node]:
    """One for all: to start its processes takes longer than to call."""
    node = Node(PORTS)
    runner.run(node.start())
    yield node
    runner.run(node.close())


async def joined(node: Node, *browsers: Browser, loss: float = 0.0) -> list[Road]:
    """All in one call, behind roads that lose so much."""
    roads = []
    legs = [len(node.told(LegOpened)) + 1 + i for i in range(len(browsers))]
    for leg, browser in zip(legs, browsers):
        offer = await browser.offer()
        if loss:  # the road is the only way there: where the browser itself is, is not told
            offer = re.sub("a=candidate:.*\r\n", "", offer)
        said = await node.answer(leg, offer)
        port = next(event.port for event in node.told(LegOpened) if event.leg == leg)
        if loss:
            road, begins = await Road.laid((HOST, port), loss, leg)
            said = said.replace(f" {port} ", f" {begins} ")
            roads.append(road)
        await browser.accept(said)
    for one in legs:
        for other in legs:
            if one != other:
                node.worker.send(SetGain(one, other))
    return roads


@pytest.mark.parametrize("loss", [0.0, 0.05], ids=["on a clean network", "at 5 % loss"])
def test_two_browsers_hear_each_other_one_by_opus_one_by_g711(
    node: Node, runner: asyncio.Runner, loss: float
):
    async def part() -> None:
        low, high = Browser(440.0), Browser(1000.0, ["PCMU"])
        roads = await joined(node, low, high, loss=loss)
        try:
            await asyncio.gather(low.hear(1.0), high.hear(1.0))
            at_low, at_high = await asyncio.gather(low.hear(1.0), high.hear(1.0))
        finally:
            await asyncio.gather(low.close(), high.close())
            for road in roads:
                road.close()
        upmixed = 8000 / 2**0.5  # aiortc makes two channels of one at -3 dB each before it codes Opus
        assert 0.8 < strength(at_low, 1000.0) / 8000 < 1.2 and strength(at_low, 440.0) < 400
        assert 0.8 < strength(at_high, 440.0) / upmixed < 1.2 and strength(at_high, 1000.0) < 400
        assert all(road.lost for road in roads)

    runner.run(part())


def test_a_browser_that_leaves_says_so(node: Node, runner: asyncio.Runner):
    async def part() -> None:
        browser = Browser(440.0)
        await joined(node, browser)
        leg = node.told(LegOpened)[-1].leg
        await node.until(lambda: leg in node.legs(DoorSecured) and leg in node.legs(RtpStarted))
        await browser.close()
        await node.until(lambda: leg in node.legs(DoorLost))
        assert next(event for event in node.told(DoorLost) if event.leg == leg).reason == "closed"
        node.ask(CloseDoor(leg))
        node.worker.send(CloseLeg(leg))
        await node.until(lambda: leg in node.legs(LegClosed))
        assert node.told(LegClosed)[-1].stats.received > 0

    runner.run(part())
