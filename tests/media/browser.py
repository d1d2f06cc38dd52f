"""A stock aiortc peer as the browser, and what the engine does to give it a leg: worker, gate and answer."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack
from av import AudioFrame

from media import answer, jsep
from media.answer import Choice
from media.gate import DoorOpened, DoorSecured, GateCommand, OpenDoor
from media.io.process import GateClient, WorkerClient
from media.jsep import Session
from media.messages import AnyEvent, Keys, LegOpened, OpenLeg, SetRemote

HOST = "127.0.0.1"
PATIENCE = 30.0  # s; a bound for a busy machine, never waited for when all is well
RATE = 48_000
WANTED = ("opus", "PCMU", "PCMA")


class Tone(AudioStreamTrack):
    """A sine of that frequency at a quarter of full scale, in time."""

    def __init__(self, hertz: float) -> None:
        super().__init__()
        self._hertz = hertz
        self._spoken = 0

    async def recv(self) -> AudioFrame:
        frame = await super().recv()
        n = np.arange(self._spoken, self._spoken + frame.samples)
        self._spoken += frame.samples
        sound = np.rint(8000 * np.sin(2 * np.pi * self._hertz * n / frame.sample_rate)).astype(np.int16)
        toned = AudioFrame.from_ndarray(sound[None, :], format="s16", layout="mono")
        toned.pts, toned.sample_rate = frame.pts, frame.sample_rate
        toned.time_base = Fraction(1, frame.sample_rate)
        return toned


class Browser:
    """Says a tone of that many Hz, or a track; keeps what it hears: mono, RATE Hz."""

    def __init__(
        self,
        says: float | MediaStreamTrack,
        codecs: Sequence[str] = (),
        configuration: RTCConfiguration | None = None,
    ) -> None:
        self.connection = RTCPeerConnection(configuration or RTCConfiguration(iceServers=[]))
        self.heard: list[np.ndarray[Any, Any]] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.news = asyncio.Event()
        sender = self.connection.addTrack(says if isinstance(says, MediaStreamTrack) else Tone(says))
        self.connection.on("track", self._listen)
        if codecs:
            known = RTCRtpSender.getCapabilities("audio").codecs
            liked = [codec for name in codecs for codec in known if codec.mimeType == f"audio/{name}"]
            next(
                each for each in self.connection.getTransceivers() if each.sender is sender
            ).setCodecPreferences(liked)

    def _listen(self, track: MediaStreamTrack) -> None:
        self.tasks.append(asyncio.get_running_loop().create_task(self._keep(track)))

    async def _keep(self, track: MediaStreamTrack) -> None:
        while True:
            frame = await track.recv()
            assert isinstance(frame, AudioFrame)
            samples = frame.to_ndarray().reshape(-1, len(frame.layout.channels))[:, 0]
            self.heard.append(samples.repeat(RATE // frame.sample_rate))
            self.news.set()

    async def offer(self) -> str:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return str(self.connection.localDescription.sdp)

    async def accept(self, sdp: str) -> None:
        await self.connection.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    async def answer(self, sdp: str) -> str:
        """To an offer."""
        await self.connection.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        await self.connection.setLocalDescription(await self.connection.createAnswer())
        return str(self.connection.localDescription.sdp)

    async def hear(self, seconds: float) -> np.ndarray[Any, Any]:
        """The next seconds of what comes."""

        async def wait() -> None:
            while sum(map(len, self.heard)) < seconds * RATE:
                self.news.clear()
                await self.news.wait()

        self.heard.clear()
        await asyncio.wait_for(wait(), PATIENCE)
        return np.concatenate(self.heard)[: int(seconds * RATE)]

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await self.connection.close()


def strength(samples: np.ndarray[Any, Any], hertz: float) -> float:
    """Amplitude of a frequency in the samples, as the median of their twentieths of a second: play-out may
    cut out a period, and a phase is no matter.
    """
    size = RATE // 20
    wave = np.exp(-2j * np.pi * hertz * np.arange(size) / RATE)
    return float(np.median(2 * abs(samples[: len(samples) // size * size].reshape(-1, size) @ wave) / size))


class Road(asyncio.DatagramProtocol):
    """Between a browser and its leg's port; loses that share of RTP, both ways. lost: how many packets."""

    def __init__(self, to: tuple[str, int], loss: float, seed: int) -> None:
        self._to = to
        self._loss = loss
        self._dice = Random(seed)
        self._outer: asyncio.DatagramTransport | None = None
        self._inner: asyncio.DatagramTransport | None = None
        self._browser: tuple[str, int] | None = None
        self.lost = 0
        self.closed = False  # nothing passes while it is

    @classmethod
    async def laid(cls, to: tuple[str, int], loss: float, seed: int) -> tuple[Road, int]:
        """A road to there, and the port at which it begins."""
        loop, road = asyncio.get_running_loop(), cls(to, loss, seed)
        road._outer, _ = await loop.create_datagram_endpoint(lambda: road, local_addr=(HOST, 0))
        road._inner, _ = await loop.create_datagram_endpoint(lambda: _Back(road), local_addr=(HOST, 0))
        return road, road._outer.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._browser = addr[0], addr[1]
        if self._inner is not None and not self._loses(data):
            self._inner.sendto(data, self._to)

    def back(self, data: bytes) -> None:
        """To the browser."""
        if self._outer is not None and self._browser is not None and not self._loses(data):
            self._outer.sendto(data, self._browser)

    def _loses(self, data: bytes) -> bool:
        if self.closed:
            return True
        lost = data[0] >> 6 == 2 and not 192 <= data[1] <= 223 and self._dice.random() < self._loss
        self.lost += lost
        return lost

    def close(self) -> None:
        for transport in (self._outer, self._inner):
            if transport is not None:
                transport.close()


class _Back(asyncio.DatagramProtocol):
    def __init__(self, road: Road) -> None:
        self._road = road

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._road.back(data)


class Node:
    """A worker and a gate, and the engine's part between them."""

    def __init__(self, ports: tuple[int, int]) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="isogloss-test-")
        self.doors = str(Path(self.folder.name) / "doors")
        self.events: list[AnyEvent] = []
        self.news = asyncio.Event()
        self.worker = WorkerClient(
            bind=HOST, ports=ports, on_events=self._told, on_lost=self._lost, reserve=False
        )
        self.gate = GateClient(doors=self.doors, on_events=self._told, on_lost=self._lost)
        self.choices: dict[int, Choice] = {}

    def _told(self, events: list[AnyEvent]) -> None:
        self.events.extend(events)
        for event in events:
            if isinstance(event, DoorSecured):
                self._secured(event)
        self.news.set()

    def _secured(self, event: DoorSecured) -> None:
        choice, keys = self.choices[event.leg], Keys(event.suite, event.send, event.receive)
        pt = choice.dtmf.pt if choice.dtmf else None
        self.worker.send(SetRemote(event.leg, event.remote, choice.codecs, pt, rtcp_mux=True, keys=keys))

    def _lost(self, reason: str) -> None:
        raise AssertionError(reason)

    async def start(self) -> None:
        await asyncio.gather(self.worker.start(), self.gate.start())

    async def close(self) -> None:
        await asyncio.gather(self.worker.close(), self.gate.close())
        self.folder.cleanup()

    def told(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def legs(self, kind: type) -> set[int]:
        """Of which such an event was told."""
        return {event.leg for event in self.told(kind)}

    async def until(self, true: Callable[[], Any]) -> None:
        async def wait() -> None:
            while not true():
                self.news.clear()
                await self.news.wait()

        await asyncio.wait_for(wait(), PATIENCE)

    def ask(self, *commands: GateCommand) -> None:
        self.gate.send(*commands)

    async def answer(self, leg: int, sdp: str, wanted: Sequence[str] = WANTED) -> str:
        """A leg for whoever offers this."""
        theirs = jsep.read(sdp)
        choice = self.choices[leg] = answer.choose(theirs, wanted)
        door = await self.open(leg, theirs, choice)
        return answer.answer(theirs, choice, door)

    async def open(self, leg: int, theirs: Session, choice: Choice) -> DoorOpened:
        pt = choice.dtmf.pt if choice.dtmf else None
        self.worker.send(OpenLeg(leg, choice.codecs, pt, rtcp_mux=True, gate=self.doors))
        await self.until(lambda: [event for event in self.told(LegOpened) if event.leg == leg])
        port = next(event.port for event in self.told(LegOpened) if event.leg == leg)
        self.ask(OpenDoor(leg, (HOST, port), theirs.peer, theirs.fingerprints, choice.client))
        await self.until(lambda: [event for event in self.told(DoorOpened) if event.leg == leg])
        found: DoorOpened = [event for event in self.told(DoorOpened) if event.leg == leg][-1]
        return found
