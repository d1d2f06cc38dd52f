"""One browser's leg in the gate: its way (ICE), its keys (DTLS), and both again when its network changes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from aiortc.rtcdtlstransport import RTCCertificate

from media import stun
from media.gate import (
    Address,
    Candidate,
    DoorLost,
    DoorMoved,
    DoorOpened,
    DoorQuiet,
    DoorSecured,
    Fingerprint,
    GateEvent,
    Listen,
    Peer,
    Post,
    Trust,
    Word,
)
from media.io.webrtc import Agent, Handshake, Pipe, fingerprint

PATIENCE = 40.0  # s for finding a way (RFC 8863 section 4: 39.5 at least)
HANDSHAKE = 20.0  # s for agreeing on keys
FLOOD = 4  # agents of one leg: one at work, and as many restarts as may overlap

log = logging.getLogger("media.gate")


class Door:
    """See the module. at: the leg's port as the far end sees it. say: a word to its worker. tell: an event
    to the engine. relayed: it is reached by way of relays alone.
    """

    def __init__(
        self,
        leg: int,
        at: Address,
        certificate: RTCCertificate,
        say: Callable[[Word], None],
        tell: Callable[[GateEvent], None],
        *,
        offers: bool,
        relayed: bool = False,
    ) -> None:
        self.leg = leg
        self._at = at
        self._certificate = certificate
        self._say = say
        self._tell = tell
        self._offers = offers
        self._relayed = relayed
        self._agents: list[Agent] = []  # the newest last
        self._peers: dict[Agent, Peer] = {}
        self._remote: Address | None = None
        self._way: Agent | None = None  # that found it
        self._pipe = Pipe(self._send_dtls)
        self._handshake: Handshake | None = None
        self._theirs: list[Fingerprint] = []
        self._client = False
        self._secured = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._ends: set[asyncio.Task[None]] = set()  # agents that close
        self._closing = False

    # --- what the engine asks ---------------------------------------------------------------------

    def open(self, peer: Peer | None, theirs: list[Fingerprint], client: bool) -> None:
        """Begin."""
        self._theirs, self._client = theirs, client
        self._do(self._begin(peer))

    def meet(self, peer: Peer, theirs: list[Fingerprint], client: bool) -> None:
        """The far end's answer to what the newest agent offered."""
        if theirs:
            self._theirs, self._client = theirs, client
        if self._agents and self._agents[-1] not in self._peers:
            self._do(self._find(self._agents[-1], peer))

    def add(self, candidates: list[Candidate]) -> None:
        """The far end may also be reached there."""
        if self._agents:
            self._do(self._agents[-1].add(candidates))

    def restart(self, peer: Peer | None) -> None:
        """Find the way anew."""
        if len(self._agents) < FLOOD:
            self._say(Listen(self.leg))
            self._do(self._begin(peer))

    async def close(self) -> None:
        """Say good-bye, and be gone."""
        self._closing = True
        if self._handshake is not None:
            await self._handshake.stop()
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        while self._agents:  # a task that is being cancelled may leave one meanwhile
            await self._leave(self._agents[0])
        await asyncio.gather(*tasks, *self._ends, return_exceptions=True)

    # --- what comes -------------------------------------------------------------------------------

    def take(self, packet: bytes, source: Address) -> None:
        """What came to the leg's port and is no RTP (RFC 7983 section 7)."""
        if 20 <= packet[0] <= 63:
            if self._remote in (None, source):
                self._pipe.take(packet)
        elif packet[0] <= 3 and len(packet) >= stun.HEADER:
            agent = self._concerned(packet)
            if agent is not None:
                agent.take(packet, source)

    def _concerned(self, packet: bytes) -> Agent | None:
        name = stun.ours(packet) if packet[:2] == b"\0\1" else None
        for agent in reversed(self._agents):
            if agent.awaits(packet) or (name is not None and agent.local_username.encode() == name):
                return agent
        return None

    # --- the way ----------------------------------------------------------------------------------

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("leg %d", self.leg, exc_info=task.exception())
            self._lose("ice")

    async def _begin(self, peer: Peer | None) -> None:
        agent = Agent(
            *(self._at, self._send, self._chosen),
            lambda answers: self._heard(agent, answers),
            controlling=self._offers,
            relayed=self._relayed,
        )
        self._agents.append(agent)
        await agent.gather_candidates()
        ours = fingerprint(self._certificate)
        self._tell(DoorOpened(self.leg, agent.local_username, agent.local_password, agent.own(), ours))
        if peer is not None:
            await self._find(agent, peer)

    async def _find(self, agent: Agent, peer: Peer) -> None:
        self._peers[agent] = peer
        agent.meet(peer)
        await agent.add(peer.candidates)
        try:
            async with asyncio.timeout(PATIENCE):  # wait_for may not see that it is cancelled as it ends
                await agent.connect()
        except (ConnectionError, TimeoutError):
            await self._drop(agent, "ice")
            return
        for former in self._agents[: self._agents.index(agent)]:
            await self._leave(former)
        await agent.ended()
        await self._drop(agent, "consent")

    def _chosen(self, remote: Address) -> None:
        """A pair was nominated, by the newest agent that has one."""
        agent = next((each for each in reversed(self._agents) if each.remote == remote), None)
        if agent is None:
            return
        former, self._way, self._remote = (self._way, self._remote), agent, remote
        name = f"{agent.local_username}:{self._peers[agent].ufrag}".encode()
        self._say(Trust(self.leg, remote, name, agent.local_password.encode()))
        if self._secured and former != (agent, remote):
            self._tell(DoorMoved(self.leg, remote))
        # At once: aioice goes on looking for 20 ms before it says that it has found.
        if self._handshake is None:
            self._handshake = Handshake(self._pipe, self._certificate, client=self._client)
            self._do(self._shake(self._handshake))

    def _heard(self, agent: Agent, answers: bool) -> None:
        """The far end has stopped answering, or begun again."""
        if self._secured and agent is self._way and self._remote is not None:
            self._tell(DoorMoved(self.leg, self._remote) if answers else DoorQuiet(self.leg))

    async def _drop(self, agent: Agent, reason: str) -> None:
        """The agent came to nothing."""
        if agent in self._agents:
            await self._leave(agent)
            if not self._agents:
                self._lose(reason)

    async def _leave(self, agent: Agent) -> None:
        if agent in self._agents:
            self._agents.remove(agent)
            self._peers.pop(agent, None)
            end = asyncio.ensure_future(agent.close())
            self._ends.add(end)
            end.add_done_callback(self._ends.discard)
            await asyncio.shield(end)  # whoever is called off meanwhile, it is closed

    def _send(self, packet: bytes, to: Address) -> None:
        self._say(Post(self.leg, to, packet))

    # --- the keys ---------------------------------------------------------------------------------

    def _send_dtls(self, packet: bytes) -> None:
        if self._remote is not None:
            self._send(packet, self._remote)

    async def _shake(self, shake: Handshake) -> None:
        try:
            async with asyncio.timeout(HANDSHAKE):
                done = await shake.shake(self._theirs)
        except TimeoutError:
            done = False
        if not done or shake.agreed is None or self._remote is None:
            self._lose("dtls")
            return
        self._secured = True
        self._tell(DoorSecured(self.leg, self._remote, *shake.agreed))
        shake.on("statechange", self._changed)

    def _changed(self) -> None:
        if self._handshake is not None and self._handshake.state == "closed":
            self._lose("closed")

    def _lose(self, reason: str) -> None:
        if not self._closing:
            self._tell(DoorLost(self.leg, reason))
