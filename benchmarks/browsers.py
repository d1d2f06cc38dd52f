"""Browsers' ends of legs without browsers: a socket each, ICE and DTLS as a page has them, SRTP by libsrtp.

ICE and DTLS are those of the gate, turned round: the far end offers, is controlling and the DTLS server, as
browsers are. Behind the handshake a packet costs a few microseconds each way, so that one process can be the
far ends of a hundred legs beside what is measured, and costs whoever is measured the same. Offers are as
Chrome writes them where that matters: Opus with in-band FEC, packets of 20 ms, transport-wide numbers.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Sequence
from random import Random
from time import perf_counter

import numpy as np
from aiortc.rtcdtlstransport import RTCCertificate

from media import answer, jsep, libsrtp
from media.codecs import opus
from media.columns import I16
from media.gate import Address, DoorOpened
from media.io.webrtc import Agent, Handshake, Pipe, fingerprint
from media.messages import Codec

HOST = "127.0.0.24"
OPUS = Codec(111, "opus", 48_000, channels=2)
STEP = opus.CLOCK // 50  # timestamp units of a packet
SAMPLES = opus.RATE // 50  # of our speech in one
PATIENCE = 20.0  # s for a connection
AUDIBLE = 100.0  # RMS from which a packet has sound
TICK, SWEEP = 0.002, 0.005  # s between turns of sending, and of looking what has come
RECEIVE_BUFFER = 1 << 20

_HEADER = struct.Struct("!BBHII")


class Unreachable(Exception):
    """A far end and a server did not come together."""


def reel(speech: I16) -> list[bytes]:
    """Speech at 16 kHz as payloads of 20 ms, coded as a browser does."""
    encoder = opus.Encoder({"useinbandfec": "1"})
    cut = speech[: len(speech) // SAMPLES * SAMPLES].reshape(-1, SAMPLES)
    return [encoder.encode(block) for block in cut]


class Far:
    """One browser's end. says: payloads, from `at` on and over again. loss: share of all datagrams, both
    ways, that do not get through; `dice` decides of those of its speech, in their order.

    remote: where the server's end is. received: RTP packets that came. kept: those, sealed, with the time,
    while `keeps`; sent: when each left, since the last `rewind`.
    """

    def __init__(
        self,
        certificate: RTCCertificate,
        says: Sequence[bytes],
        ssrc: int,
        *,
        loss: float = 0.0,
        dice: Random | None = None,
    ) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        self.socket.bind((HOST, 0))
        self.loss, self.dice = loss, dice or Random(ssrc)
        self._rare_dice = Random(ssrc)  # of what is no RTP of ours
        self.received = self.number = 0
        self.keeps = False
        self.kept: list[tuple[float, bytes]] = []
        self.sent: list[float] = []
        self._says, self._ssrc = says, ssrc
        self._certificate = certificate
        self._at: Address = self.socket.getsockname()
        self._agent = Agent(self._at, self._leave, self._chosen, lambda answers: None, controlling=True)
        self._pipe = Pipe(self._send_dtls)
        self._handshake: Handshake | None = None
        self._remote: Address | None = None
        self._sealer: libsrtp.Context | None = None
        self._opener: libsrtp.Context | None = None
        self._room = bytearray(2048)
        self._listens: asyncio.Future[float] | None = None
        self._found = asyncio.Event()
        self._decoder = opus.Decoder(SAMPLES)
        asyncio.get_running_loop().add_reader(self.socket.fileno(), self.sweep)

    # --- the way and the keys ---------------------------------------------------------------------

    async def offer(self) -> str:
        """A session description."""
        await self._agent.gather_candidates()
        agent = self._agent
        said = (agent.local_username, agent.local_password, agent.own(), fingerprint(self._certificate))
        sdp = answer.offer([OPUS], [], DoorOpened(0, *said), ssrc=self._ssrc)
        return sdp.replace(";usedtx=1", "")

    async def meet(self, sdp: str) -> None:
        """Connect with whoever answered this, and agree on keys. Raises Unreachable."""
        theirs = jsep.read(sdp)
        self._handshake = Handshake(self._pipe, self._certificate, client=theirs.setup == "passive")
        try:
            async with asyncio.timeout(PATIENCE):
                self._agent.meet(theirs.peer)
                await self._agent.add(theirs.peer.candidates)
                connecting = asyncio.ensure_future(self._agent.connect())
                await self._found.wait()
                done = await self._handshake.shake(theirs.fingerprints)
                await connecting
        except (ConnectionError, TimeoutError) as error:
            raise Unreachable(f"no way to {theirs.peer}") from error
        agreed = self._handshake.agreed
        if not done or agreed is None:
            raise Unreachable(f"no keys with {theirs.peer}")
        self._sealer = libsrtp.Context(agreed.suite, agreed.send, inbound=False)
        self._opener = libsrtp.Context(agreed.suite, agreed.receive, inbound=True)

    async def close(self) -> None:
        """Say good-bye, and be gone."""
        asyncio.get_running_loop().remove_reader(self.socket.fileno())
        if self._handshake is not None:
            await self._handshake.stop()
        await self._agent.close()
        self.socket.close()

    def _chosen(self, remote: Address) -> None:
        self._remote = remote
        self._found.set()  # browsers shake hands now; aioice's connect returns 20 ms later

    def _leave(self, packet: bytes, to: Address) -> None:
        if not self._loses(self._rare_dice):
            self._transmit(packet, to)

    def _transmit(self, packet: bytes, to: Address) -> None:
        try:
            self.socket.sendto(packet, to)
        except OSError:
            pass  # nobody there yet, or no room: lost as on any network

    def _send_dtls(self, packet: bytes) -> None:
        if self._remote is not None:
            self._leave(packet, self._remote)

    def _loses(self, dice: Random) -> bool:
        return self.loss > 0.0 and dice.random() < self.loss

    # --- packets ----------------------------------------------------------------------------------

    def speak(self) -> None:
        """Send the next packet."""
        assert self._sealer is not None and self._remote is not None, "it is connected"
        place, self.number = self.number, self.number + 1
        head = _HEADER.pack(0x80, OPUS.pt, place + 1 & 0xFFFF, place * STEP & 0xFFFFFFFF, self._ssrc)
        sealed = libsrtp.protect_one(self._sealer, head + self._says[place % len(self._says)], report=False)
        assert sealed is not None, "there is a key"
        if self.keeps:
            self.sent.append(perf_counter())
        if not self._loses(self.dice):
            self._transmit(sealed, self._remote)

    def polled(self) -> None:
        """From now on whoever sends looks what came: `sweep`."""
        asyncio.get_running_loop().remove_reader(self.socket.fileno())

    def sweep(self) -> None:
        """Take what has come."""
        room = self._room
        while True:
            try:
                size, source = self.socket.recvfrom_into(room)
            except BlockingIOError:
                return
            except OSError:
                continue  # the answer of a port that is closed
            if self._loses(self._rare_dice):
                continue
            if room[0] >> 6 == 2:
                self._take(room, size)
            elif 20 <= room[0] <= 63:
                self._pipe.take(bytes(room[:size]))
            elif room[0] <= 3:
                self._agent.take(bytes(room[:size]), source)

    def _take(self, room: bytearray, size: int) -> None:
        if 192 <= room[1] <= 223:
            return
        self.received += 1
        if self.keeps:
            self.kept.append((perf_counter(), bytes(room[:size])))
        elif self._listens is not None and not self._listens.done() and self._opener is not None:
            sound = self._sound(bytes(room[:size]))
            if sound is not None and float(np.sqrt(np.mean(np.square(sound, dtype=np.float64)))) > AUDIBLE:
                self._listens.set_result(perf_counter())

    def _sound(self, sealed: bytes) -> I16 | None:
        payload = self._payload(sealed)
        return self._decoder.decode(payload) if payload else None

    def _payload(self, sealed: bytes) -> bytes:
        """Of an RTP packet, b"" of one that is not authentic."""
        assert self._opener is not None, "it is connected"
        plain = libsrtp.unprotect_one(self._opener, sealed, report=False)
        if isinstance(plain, int):
            return b""
        begin = 12 + 4 * (plain[0] & 15)
        if plain[0] & 0x10:
            begin += 4 + 4 * int.from_bytes(plain[begin + 2 : begin + 4], "big")
        return plain[begin:]

    async def first_sound(self) -> float:
        """When sound comes, on the clock of perf_counter. Raises Unreachable."""
        self._listens = asyncio.get_running_loop().create_future()
        try:
            return await asyncio.wait_for(self._listens, PATIENCE)
        except TimeoutError as error:
            raise Unreachable("nothing is heard") from error

    def heard(self) -> tuple[list[float], I16]:
        """What was kept: when each packet came, and their sound, SAMPLES each, in order of their numbers."""
        numbers = [int.from_bytes(sealed[2:4], "big") for _, sealed in self.kept]
        turns = [number - numbers[0] + 0x8000 & 0xFFFF for number in numbers]
        ordered = [self.kept[at] for at in sorted(range(len(turns)), key=turns.__getitem__)]
        times, sounds = [], []
        for time, sealed in ordered:
            sound = self._sound(sealed)
            if sound is not None and len(sound) == SAMPLES:
                times.append(time)
                sounds.append(sound)
        return times, np.concatenate(sounds) if sounds else np.empty(0, np.int16)


class Load:
    """Far ends that speak at once, each packet at its own moment of the 20 ms."""

    def __init__(self, fars: Sequence[Far]) -> None:
        self._fars = fars
        for far in fars:
            far.polled()

    async def run(self, seconds: float) -> None:
        """Speak for so long."""
        fars, start = self._fars, perf_counter()
        total, gap, turn, swept = int(seconds * 50) * len(fars), 0.02 / len(fars), 0, 0.0
        while turn < total:
            now = perf_counter()
            while turn < total and start + turn * gap <= now:
                fars[turn % len(fars)].speak()
                turn += 1
            if now - swept >= SWEEP or len(fars) <= 8:
                swept = now
                for far in fars:
                    far.sweep()
            await asyncio.sleep(TICK)

    def received(self) -> int:
        """RTP packets, by all."""
        return sum(far.received for far in self._fars)
