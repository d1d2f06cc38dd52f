"""A worker on a virtual clock and phones that speak RTP at it: the tests of this room play on this stage."""

from __future__ import annotations

import struct
import wave
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import numpy as np

from media import codecs, express
from media.codecs import g711
from media.control import Control
from media.entrance import Gates
from media.io.memory import MemoryNetwork
from media.io.wav import Files
from media.latch import LatchPolicy
from media.messages import AnyCommand, AnyEvent, Codec, LegOpened, LegStats, OpenLeg, Stats
from media.tap import Taps

WORKER = "10.0.0.1"
PCMU = Codec(0, "PCMU")
PCMA = Codec(8, "PCMA")
DTMF = 101
Address = tuple[str, int]
E = TypeVar("E")


@dataclass(frozen=True)
class Heard:
    """An RTP packet that a phone received."""

    at: float
    marker: bool
    pt: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    source: Address


def packet(
    sequence: int, timestamp: int, ssrc: int, payload: bytes, pt: int = 0, marker: bool = False
) -> bytes:
    first = 0x80 << 24 | int(marker) << 23 | pt << 16 | sequence & 0xFFFF
    return struct.pack("!III", first, timestamp & 0xFFFFFFFF, ssrc) + payload


def tone(hertz: float, seconds: float, level: float = 8000.0, start: int = 0) -> np.ndarray[Any, Any]:
    n = np.arange(start, start + int(seconds * 8000))
    return np.rint(level * np.sin(2 * np.pi * hertz * n / 8000)).astype(np.int16)


def strength(samples: np.ndarray[Any, Any], hertz: float) -> float:
    """Amplitude of a frequency in the samples."""
    n = np.arange(len(samples))
    return float(2 * abs(np.dot(samples, np.exp(-2j * np.pi * hertz * n / 8000))) / max(len(samples), 1))


def write_wav(path: Path, samples: np.ndarray[Any, Any], rate: int = 8000) -> str:
    channels = samples.shape[1] if samples.ndim > 1 else 1
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return str(path)


@dataclass
class Phone:
    """A far end: sends a tone in packets of `ptime`, keeps what it gets."""

    stage: Stage
    address: Address
    ssrc: int
    law: int = g711.MU
    ptime: int = 20
    sequence: int = 1000
    timestamp: int = 160_000
    hertz: float = 0.0  # 0: says nothing
    level: float = 8000.0
    spoken: int = 0
    port: int = 0
    timestamp_of_press: int = 0
    next_at: float = 0.0
    got: list[Heard] = field(default_factory=list)
    reports: list[bytes] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    codec: Codec | None = None  # None: G.711 by `law`
    coder: Any = None
    tamper: Callable[[bytes], Iterable[bytes]] | None = (
        None  # what becomes of a packet on its way to the worker
    )
    unwrap: Callable[[bytes, bool], bytes | None] | None = None  # and on its way back; whether it is RTCP

    def send(
        self, payload: bytes, pt: int | None = None, span: int | None = None, marker: bool = False
    ) -> None:
        kind = (0 if self.law == g711.MU else 8) if pt is None else pt
        self.sent.append(payload)
        data = packet(self.sequence, self.timestamp, self.ssrc, payload, kind, marker)
        for piece in self.tamper(data) if self.tamper else (data,):
            self.throw(piece)
        self.sequence += 1
        self.timestamp += len(payload) if span is None else span

    def throw(self, data: bytes, to: int = 0) -> bool:
        """Any bytes to the worker's port of this leg (`to`: 1 for RTCP)."""
        return self.stage.network.deliver(data, self.address, (WORKER, self.port + to))

    def switch(self, codec: Codec) -> None:
        """Speak this codec from now on, and understand it."""
        kind = codecs.find(codec.name, codec.rate)
        assert kind is not None
        self.codec = None if kind.raw else codec
        self.law = g711.A if kind.number == codecs.PCMA else g711.MU
        self.coder = None if kind.raw else codecs.encoder(kind.number, codec.params)

    @property
    def rate(self) -> int:
        """Of the sound, Hz."""
        if self.codec is None:
            return 8000
        kind = codecs.find(self.codec.name, self.codec.rate)
        assert kind is not None
        return kind.rate

    @property
    def highest(self) -> int:
        """Sequence number of the newest packet that was heard."""
        return next((heard.sequence for heard in reversed(self.got) if not 64 <= heard.pt < 96), 0)

    def speak(self) -> None:
        if self.codec is not None:
            rate = self.rate
            count = rate * self.ptime // 1000
            n = np.arange(self.spoken, self.spoken + count)
            self.spoken += count
            sound = np.rint(self.level * np.sin(2 * np.pi * self.hertz * n / rate)).astype(np.int16)
            self.send(self.coder.encode(sound), self.codec.pt, self.codec.rate * self.ptime // 1000)
            return
        samples = tone(self.hertz, self.ptime / 1000, self.level, start=self.spoken)
        self.spoken += len(samples)
        self.send(g711.encode(self.law, samples).tobytes())

    def press(self, event: int, packets: int = 5, ends: int = 3, marker: bool = True) -> None:
        """A whole key press at once."""
        stamp = self.timestamp_of_press = self.timestamp
        for i in range(packets + ends):
            end = i >= packets
            duration = 160 * min(i + 1, packets)
            self.timestamp = stamp
            body = struct.pack("!BBH", event, (0x80 if end else 0) | 10, duration)
            self.send(body, DTMF, 0, marker and i == 0)
        self.timestamp = stamp + 160 * packets

    def audio(self, since: float = 0.0, pt: int | None = None) -> np.ndarray[Any, Any]:
        """Everything that was heard, in order of arrival, decoded."""
        if self.codec is not None:
            kind = codecs.find(self.codec.name, self.codec.rate)
            assert kind is not None
            decoder = codecs.decoder(kind.number, self.codec.params)
            sounds = [decoder.decode(heard.payload) for heard in self.got if heard.pt == self.codec.pt]
            late = [heard.at >= since for heard in self.got if heard.pt == self.codec.pt]
            kept = [sound for sound, wanted in zip(sounds, late) if wanted and sound is not None]
            return np.concatenate(kept) if kept else np.empty(0, np.int16)
        wanted = (0 if self.law == g711.MU else 8) if pt is None else pt
        parts = [heard.payload for heard in self.got if heard.pt == wanted and heard.at >= since]
        return g711.decode(self.law, np.frombuffer(b"".join(parts), np.uint8))


class Stage:
    """The worker, its clock and its phones."""

    def __init__(
        self,
        seed: int = 1,
        policy: LatchPolicy | None = None,
        ports: tuple[int, int] = (4000, 4400),
        move: express.Mover = express.move,
        taps: Taps | None = None,
        gates: Gates | None = None,
        patient: bool = False,
    ):
        self.now = 100.0
        self.events: list[tuple[float, AnyEvent]] = []
        self.phones: dict[Address, Phone] = {}
        self.network = MemoryNetwork(WORKER, ports, self._carry)
        self.control = Control(
            self.network,
            Files(),
            rng=Random(seed),
            epoch=1_700_000_000.0,
            policy=policy,
            move=move,
            taps=taps,
            gates=gates,
        )
        self.patient = patient  # drains may be left out where nothing is relayed
        self._step = 0
        self._legs = 0
        self.legs: dict[int, Phone] = {}

    def _carry(self, data: bytes, source: Address, destination: Address) -> None:
        phone = self.phones.get(destination)
        if phone is not None:
            data = phone.unwrap(data, False) or b"" if phone.unwrap else data
            if not data:
                return
            first, timestamp, ssrc = struct.unpack_from("!III", data)
            marker, pt, sequence = bool(first >> 23 & 1), first >> 16 & 127, first & 0xFFFF
            phone.got.append(Heard(self.now, marker, pt, sequence, timestamp, ssrc, data[12:], source))
            return
        phone = self.phones.get((destination[0], destination[1] - 1))
        if phone is not None:
            data = phone.unwrap(data, True) or b"" if phone.unwrap else data
            if data:
                phone.reports.append(data)

    def do(self, *commands: AnyCommand) -> None:
        self.events.extend((self.now, event) for event in self.control.obey(commands, self.now))

    def phone(self, host: str, port: int = 20000, **more: Any) -> Phone:
        phone = Phone(self, (host, port), ssrc=more.pop("ssrc", len(self.phones) + 0xA0), **more)
        self.phones[phone.address] = phone
        return phone

    def leg(self, number: int, *offered: Codec, **more: Any) -> Phone:
        """A leg with a phone at the other end, on the address that its SDP names."""
        law = g711.A if offered and offered[0].name == "PCMA" else g711.MU
        phone = self.phone(f"192.0.2.{number}", law=more.pop("law", law), ptime=more.pop("ptime", 20))
        if offered and offered[0].name not in ("PCMU", "PCMA"):
            phone.switch(offered[0])
        opening = OpenLeg(number, list(offered) or [PCMU], DTMF, phone.address, **more)
        self.do(opening)
        phone.port = self.last(LegOpened).port
        self.legs[number] = phone
        return phone

    def run(self, seconds: float) -> None:
        """Let time pass: phones speak, the worker drains every 5 ms and ticks every 20 ms."""
        end = self.now + seconds
        while self.now < end - 1e-9:
            for phone in list(self.phones.values()):
                if phone.hertz and phone.port and self.now >= phone.next_at - 1e-9:
                    phone.speak()
                    phone.next_at = (phone.next_at or self.now) + phone.ptime / 1000
            told: list[AnyEvent] = []
            if self.patient and self._step % 4 and self.control.core.patient:
                self.control.note(self.now)
            else:
                told = self.control.drain(self.now)
            if self._step % 4 == 0:
                told = told + self.control.tick(self.now)
            self.events.extend((self.now, event) for event in told)
            self._step += 1
            self.now += 0.005

    def told(self, kind: type[E]) -> list[E]:
        return [event for _, event in self.events if isinstance(event, kind)]

    def told_stats(self) -> list[list[LegStats]]:
        return [stats.legs for stats in self.told(Stats)]

    def last(self, kind: type[E]) -> E:
        return self.told(kind)[-1]
