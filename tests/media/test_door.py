"""A leg in the gate: the way, the keys, another way, and the end; no socket is between it and its far end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from media.gate import (
    Address,
    DoorLost,
    DoorMoved,
    DoorOpened,
    DoorSecured,
    Fingerprint,
    GateEvent,
    Listen,
    Peer,
    Post,
    Trust,
    Word,
)
from media.io.door import Door
from media.io.webrtc import Agent, Handshake, Pipe, certify, fingerprint

HERE, HOME, TRAIN = ("203.0.113.5", 4000), ("198.51.100.7", 5000), ("192.0.2.66", 6000)
PATIENCE = 20.0  # s


class Street:
    """A door, far ends at addresses, and what the door says to engine and worker."""

    def __init__(self) -> None:
        self.events: list[GateEvent] = []
        self.words: list[Word] = []
        self.ends: dict[Address, Callable[[bytes], None]] = {}
        self.news = asyncio.Event()
        self.door = Door(1, HERE, certify(), self._say, self._tell, offers=False)
        self.certificate = certify()
        self.remote = HOME
        self.pipe = Pipe(lambda data: self.carry(data, self.remote))
        self.shake = Handshake(self.pipe, self.certificate, client=False)
        self.agents: list[Agent] = []

    def _say(self, word: Word) -> None:
        self.words.append(word)
        if isinstance(word, Post) and word.to in self.ends:
            asyncio.get_running_loop().call_soon(self.ends[word.to], word.packet)

    def _tell(self, event: GateEvent) -> None:
        self.events.append(event)
        self.news.set()

    def carry(self, packet: bytes, source: Address) -> None:
        asyncio.get_running_loop().call_soon(self.door.take, packet, source)

    async def agent(self, at: Address) -> Agent:
        """The far end at that address."""

        def take(packet: bytes) -> None:
            if 20 <= packet[0] <= 63:
                self.pipe.take(packet)
            else:
                agent.take(packet, HERE)

        agent = Agent(
            at, lambda data, _: self.carry(data, at), lambda _: None, lambda _: None, controlling=True
        )
        self.ends[at] = take
        self.agents.append(agent)
        await agent.gather_candidates()
        return agent

    async def heard(self, kind: type, count: int = 1) -> Any:
        """The newest event of the kind, when there are so many."""

        async def wait() -> None:
            while sum(isinstance(event, kind) for event in self.events) < count:
                self.news.clear()
                await self.news.wait()

        await asyncio.wait_for(wait(), PATIENCE)
        return [event for event in self.events if isinstance(event, kind)][-1]

    async def connect(self, agent: Agent, count: int = 1) -> None:
        """The far end answers the newest thing that the door said of itself."""
        told: DoorOpened = await self.heard(DoorOpened, count)
        agent.meet(Peer(told.ufrag, told.password))
        await agent.add(told.candidates)
        await asyncio.wait_for(agent.connect(), PATIENCE)

    async def call(self, theirs: Fingerprint | None = None) -> Agent:
        """A far end at HOME, as far as its handshake."""
        agent = await self.agent(HOME)
        peer = Peer(agent.local_username, agent.local_password, agent.own())
        self.door.open(peer, [theirs or fingerprint(self.certificate)], client=True)
        await self.connect(agent)
        told: DoorOpened = await self.heard(DoorOpened)
        await self.shake.shake([told.fingerprint])
        return agent


def play(part: Callable[[Street], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        street = Street()
        try:
            await part(street)
        finally:
            await street.door.close()
            for agent in street.agents:
                await agent.close()
            await street.shake.stop()

    asyncio.run(run())


def test_a_door_finds_its_far_end_and_tells_keys_and_whom_to_trust():
    async def part(street: Street) -> None:
        agent = await street.call()
        secured: DoorSecured = await street.heard(DoorSecured)
        assert secured.remote == HOME and street.shake.agreed is not None
        assert (secured.send, secured.receive) == (street.shake.agreed.receive, street.shake.agreed.send)
        told: DoorOpened = await street.heard(DoorOpened)
        trust = next(word for word in street.words if isinstance(word, Trust))
        assert trust.username == f"{told.ufrag}:{agent.local_username}".encode()
        assert trust.key == told.password.encode() and trust.remote == HOME

    play(part)


def test_a_far_end_that_comes_from_another_network_keeps_its_keys():
    async def part(street: Street) -> None:
        await street.call()
        await street.heard(DoorSecured)
        train = await street.agent(TRAIN)
        street.door.restart(Peer(train.local_username, train.local_password))
        await street.connect(train, 2)
        street.remote = TRAIN
        moved: DoorMoved = await street.heard(DoorMoved)
        assert moved.remote == TRAIN
        assert any(isinstance(word, Listen) for word in street.words)
        assert [word.remote for word in street.words if isinstance(word, Trust)][-1] == TRAIN
        assert sum(isinstance(event, DoorSecured) for event in street.events) == 1
        assert not any(isinstance(event, DoorLost) for event in street.events)

    play(part)


def test_a_far_end_that_is_found_again_where_it_was_is_told_of():
    async def part(street: Street) -> None:
        await street.call()
        await street.heard(DoorSecured)
        again = await street.agent(HOME)
        street.door.restart(Peer(again.local_username, again.local_password))
        await street.connect(again, 2)
        moved: DoorMoved = await street.heard(DoorMoved)
        assert moved.remote == HOME

    play(part)


@pytest.mark.parametrize("turns", range(8))
def test_it_closes_also_in_the_moment_in_which_it_finds_another_way(
    turns: int, monkeypatch: pytest.MonkeyPatch
):
    """turns: of the event loop, from the one to the other."""
    found: dict[Agent, asyncio.Future[None]] = {}

    async def connect(agent: Agent) -> None:
        found[agent] = asyncio.get_running_loop().create_future()
        await found[agent]

    async def pause(turns: int = 20) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)

    async def part(street: Street) -> None:
        monkeypatch.setattr(Agent, "connect", connect)
        closed: list[Agent] = []
        close = Agent.close

        async def closing(agent: Agent) -> None:
            await close(agent)
            closed.append(agent)

        monkeypatch.setattr(Agent, "close", closing)
        street.door.open(Peer("aaaa", "a" * 22), [], client=True)
        await pause()
        first = next(iter(found))
        found[first].set_result(None)
        await pause()
        street.door.restart(Peer("bbbb", "b" * 22))
        await pause()
        second = list(found)[1]
        found[second].set_result(None)
        await pause(turns)
        async with asyncio.timeout(PATIENCE / 10):
            await street.door.close()
        assert {first, second} <= set(closed) and not street.door._tasks

    play(part)


def test_another_certificate_than_announced_ends_it():
    async def part(street: Street) -> None:
        await street.call(Fingerprint("sha-256", ":".join(["AB"] * 32)))
        lost: DoorLost = await street.heard(DoorLost)
        assert lost.reason == "dtls"
        assert not any(isinstance(event, DoorSecured) for event in street.events)

    play(part)


def test_a_far_end_that_says_good_bye_is_gone():
    async def part(street: Street) -> None:
        await street.call()
        await street.heard(DoorSecured)
        await street.shake.stop()
        lost: DoorLost = await street.heard(DoorLost)
        assert lost.reason == "closed"

    play(part)


def test_what_is_neither_stun_nor_dtls_is_nobody_s():
    async def part(street: Street) -> None:
        await street.call()
        await street.heard(DoorSecured)
        for first in range(256):
            for size in (1, 19, 20, 40):
                street.door.take(bytes([first]) * size, TRAIN)
        await street.shake.stop()
        assert (await street.heard(DoorLost)).reason == "closed"

    play(part)
