"""Speech over a 2G link: a call that adapts against a fixed G.711 call, in virtual time.

    python -m benchmarks.bench_adapt [--quick] [--speech FOLDER] [--seconds S]

Two media workers, each with one talker or listener beside it (L16 at 16 kHz, a clean path), and between them
a link of 16 kb/s with a queue of 400 ms, 150 ms each way, that fades: what is sent in a fade is lost, 5 % of
the time, 100 ms long on average. Sizes count with IP and UDP headers; RTCP goes the same way. `ours` is Opus
as the policy has it for `mobile-2g`; `fixed` is PCMU in packets of 20 ms, whose reports reach nobody. Both
have our jitter buffer and concealment. Further runs show what each part does: Opus as on a wide network, and
G.711 whose worker asks for another codec and gets it. Prints a table, then one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import deque
from dataclasses import dataclass, field
from random import Random

import numpy as np

from benchmarks import hearing
from benchmarks.bench_calls import commit, machine
from media.columns import I16
from media.control import Control
from media.io.memory import MemoryNetwork
from media.io.wav import Files
from media.messages import Address, AnyEvent, Codec, LegOpened, OpenLeg, Profile, SetGain, SetRemote, Wish

RATE, BLOCK = 16_000, 320
KBPS, QUEUE_S, ONE_WAY_S = 16.0, 0.4, 0.15
FADES, FADE_S = 0.05, 0.1  # share of the time, and mean length
UDP = 28  # bytes of IP and UDP headers
STEP = 0.005
WARM_S = 12.0  # speech before what is scored: reports come every five seconds
L16 = Codec(96, "L16", 16_000)
PCMU = Codec(0, "PCMU")
OPUS = Codec(111, "opus", 48_000, channels=2, params={"useinbandfec": "1"})


@dataclass(frozen=True)
class Case:
    """codecs: of the leg over the link, first choice first. deaf: reports get lost, so nothing adapts."""

    name: str
    codecs: tuple[Codec, ...]
    profile: Profile
    deaf: bool = False


CASES = (
    Case("ours", (OPUS, PCMU), "mobile-2g"),
    Case("fixed", (PCMU,), "standard", deaf=True),
    Case("opus as on a wide network", (OPUS,), "standard", deaf=True),
    Case("opus from wide, adapting", (OPUS,), "standard"),
    Case("G.711 that may change", (PCMU, OPUS), "mobile-2g"),
)


class Link:
    """One way of the link; `sent` and `arrived` count bytes with headers, `gone` packets."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(seed)
        self._flying: deque[tuple[float, bytes, Address, Address]] = deque()
        self._free_at = 0.0
        self._fade = (0.0, 0.0)
        self.sent = self.arrived = self.packets = self.gone = 0

    def send(self, data: bytes, source: Address, destination: Address, now: float) -> None:
        size = len(data) + UDP
        self.sent += size
        self.packets += 1
        begins = max(self._free_at, now)
        if begins - now > QUEUE_S:
            self.gone += 1
            return
        self._free_at = begins + size * 8 / (KBPS * 1000)
        if self._faded(self._free_at):
            self.gone += 1
            return
        self.arrived += size
        self._flying.append((self._free_at + ONE_WAY_S, data, source, destination))

    def _faded(self, at: float) -> bool:
        while self._fade[1] <= at:
            begins = self._fade[1] + self._rng.expovariate(1 / (FADE_S * (1 - FADES) / FADES))
            self._fade = (begins, begins + self._rng.expovariate(1 / FADE_S))
        return self._fade[0] <= at

    def due(self, now: float) -> list[tuple[bytes, Address, Address]]:
        """What arrives now."""
        come = []
        while self._flying and self._flying[0][0] <= now:
            come.append(self._flying.popleft()[1:])
        return come


class Node:
    """A worker: leg 1 with a phone beside it, leg 2 over the link; what its phone hears in `heard`."""

    def __init__(self, host: str, seed: int, call: Call) -> None:
        self.host, self._call = host, call
        self.network = MemoryNetwork(host, (4000, 4010), self._carry)
        self.control = Control(self.network, Files(), rng=Random(seed), epoch=1_700_000_000.0)
        self.phone: Address = ("10.9.9.9", 20_000)
        self.ports: dict[int, int] = {}
        self.heard: list[tuple[int, bytes]] = []
        self._sequence = 0

    def _carry(self, data: bytes, source: Address, destination: Address) -> None:
        if destination[0] == self.phone[0]:
            if destination == self.phone and data[1] & 0x7F == L16.pt:
                self.heard.append((int.from_bytes(data[4:8], "big"), data[12:]))
        else:
            self._call.across(self, data, source, destination)

    def do(self, *commands: OpenLeg | SetRemote | SetGain) -> None:
        for command in commands:
            self.take(self.control.handle(command, self._call.now))

    def take(self, events: list[AnyEvent]) -> None:
        for event in events:
            if isinstance(event, LegOpened):
                self.ports[event.leg] = event.port
            elif isinstance(event, Wish):
                self._call.wished = event.codec

    def speak(self, block: I16) -> None:
        """20 ms of the phone's sound."""
        head = (0x8000 | L16.pt) << 16 | self._sequence & 0xFFFF
        stamp = self._sequence * BLOCK & 0xFFFF_FFFF
        data = (
            head.to_bytes(4, "big") + stamp.to_bytes(4, "big") + b"\0\0\0\1" + block.astype(">i2").tobytes()
        )
        self.network.deliver(data, self.phone, (self.host, self.ports[1]))
        self._sequence += 1

    def sound(self) -> I16:
        """What the phone heard, on its time line."""
        if not self.heard:
            return np.zeros(BLOCK, np.int16)
        first = self.heard[0][0]
        places = [(stamp - first) & 0xFFFF_FFFF for stamp, _ in self.heard]
        out = np.zeros(max(places) + 6 * BLOCK, np.int16)
        for place, (_, payload) in zip(places, self.heard):
            samples = np.frombuffer(payload, ">i2")
            out[place : place + len(samples)] = samples
        return out


@dataclass
class Call:
    """One call in virtual time."""

    case: Case
    seed: int
    now: float = 100.0
    wished: str = ""
    nodes: list[Node] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.links = [Link(self.seed), Link(self.seed + 1)]
        self.nodes = [Node(f"10.0.0.{n + 1}", self.seed + n, self) for n in range(2)]
        codecs = list(self.case.codecs)
        for node in self.nodes:
            node.do(OpenLeg(1, [L16], None, node.phone), OpenLeg(2, codecs, profile=self.case.profile))
        self._agree(codecs)
        for node in self.nodes:
            node.do(SetGain(1, 2), SetGain(2, 1))

    def _agree(self, codecs: list[Codec]) -> None:
        for node, other in (self.nodes, self.nodes[::-1]):
            node.do(SetRemote(2, (other.host, other.ports[2]), codecs))

    def across(self, node: Node, data: bytes, source: Address, destination: Address) -> None:
        if not (self.case.deaf and 192 <= data[1] <= 223):
            self.links[self.nodes.index(node)].send(data, source, destination, self.now)

    def run(self, sound: I16) -> I16:
        """Let the first phone say it; returns what the second hears."""
        steps = round((len(sound) / RATE + 2.0) / STEP)
        for step in range(steps):
            block = sound[step // 4 * BLOCK : (step // 4 + 1) * BLOCK]
            if step % 4 == 0 and len(block) == BLOCK:
                self.nodes[0].speak(block)
            for node, link in zip(self.nodes[::-1], self.links):
                for data, source, destination in link.due(self.now):
                    node.network.deliver(data, source, destination)
            for node in self.nodes:
                node.take(node.control.drain(self.now))
                if step % 4 == 0:
                    node.take(node.control.tick(self.now))
            if self.wished:  # the engine's re-INVITE, as the far end would answer it
                codecs = sorted(self.case.codecs, key=lambda codec: codec.name.upper() != self.wished)
                self._agree(codecs)
                self.wished = ""
            self.now += STEP
        return self.nodes[1].sound()


@dataclass(frozen=True)
class Outcome:
    """stoi: of passages, mean. lost: share of packets. kbps: offered to the link, with headers."""

    stoi: float
    lost: float
    kbps: float


def measure(case: Case, passages: list[hearing.Passage], seed: int) -> Outcome:
    """All passages one after the other in one call, after some speech that is not scored."""
    spoken = np.concatenate([passage.samples for passage in passages])
    warm = np.resize(spoken, int(WARM_S * RATE) // BLOCK * BLOCK)
    call = Call(case, seed)
    heard = call.run(np.concatenate([warm, spoken]))
    late = int(1.5 * RATE)
    heard = np.pad(heard, (0, max(len(warm) + len(spoken) + 2 * late - len(heard), 0)))
    scores, at = [], len(warm)
    for passage in passages:
        end = at + len(passage.samples)
        around = heard[at : end + late]
        placed = (
            hearing.followed(passage.samples, around, RATE, late),
            hearing.aligned(passage.samples, around, RATE, most=1.5),  # what is in shreds cannot be followed
        )
        scores.append(max(hearing.stoi(passage.samples, sound, RATE) for sound in placed))
        at = end
    link = call.links[0]
    seconds = (len(warm) + len(spoken)) / RATE
    return Outcome(float(np.mean(scores)), link.gone / max(link.packets, 1), 8e-3 * link.sent / seconds)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_adapt", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less speech, under 50 s")
    parser.add_argument("--speech", help="folder of WAV files")
    parser.add_argument("--seconds", type=float, default=240.0, help="of speech")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    seconds = 10.0 if options.quick else options.seconds
    passages = hearing.passages(RATE, seconds=seconds, folder=options.speech, seed=options.seed)
    outcomes = {}
    print(f"{'call':28} {'STOI':>6} {'lost':>6} {'kb/s':>6}")
    for case in CASES:
        outcome = outcomes[case.name] = measure(case, passages, options.seed)
        print(f"{case.name:28} {outcome.stoi:6.3f} {outcome.lost:6.1%} {outcome.kbps:6.1f}", flush=True)
    figures = {
        "stoi_ours": round(outcomes["ours"].stoi, 3),
        "stoi_fixed": round(outcomes["fixed"].stoi, 3),
        "stoi_from_g711": round(outcomes["G.711 that may change"].stoi, 3),
        "stoi_from_wide": round(outcomes["opus from wide, adapting"].stoi, 3),
        "kbps_ours": round(outcomes["ours"].kbps, 1),
    }
    print(json.dumps({"bench": "adapt", "commit": commit(), "machine": machine(), "figures": figures}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
