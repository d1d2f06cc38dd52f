"""`python -m tests.media.soak_datagrams --count 1000000`: random RTP and RTCP at busy legs for minutes.

Nine calls of all kinds, relayed and rendered, G.711, Opus, AMR-WB with copies (RFC 2198), encrypted, through
both express lanes. At four calls every datagram is one that is not the phone's, at one with SRTP it may be
anything: those must be heard as before all the while. At the others it may say to be the phone's and hold
rubbish; they must be heard as before as soon as that is over, and their other way all the while. Prints what
was thrown, memory and the worst that was heard, and a verdict; exits 1 when something escaped or grew, or a
call was harmed.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np

from media import codecs, express, red
from media.io import native
from media.io.native_lane import NativeLane
from media.messages import Codec, SetGain
from tests.media.rubbish import CN, RED, Rubbish
from tests.media.stage import PCMA, PCMU, Heard, Phone, Stage, strength
from tests.media.test_srtp import CM_80, Line, keys

OPUS = Codec(111, "opus", 48000, channels=2, params={"useinbandfec": "1"})
AMR_WB = Codec(97, "AMR-WB", 16000)
NOISE, COPIES = Codec(CN, "CN"), Codec(RED, "RED", 16000)
GCM = "AEAD_AES_256_GCM"
ROUNDS, WARM = 12, 4  # of each lane; until the allocator has its arenas
SHORTEST, CALM = 0.6, 2.0  # s that are listened to at least in a storm, and from 1 s after it on
LEAD = 0.2  # s before, in which phones' decoders begin
WHOLE = 0.95  # of the strength before, that is left
ALLOWED_BLOCKS, ALLOWED_MB = 300, 2.0  # more than when warm: what legs of these calls may still get once each
SHOWN = 5  # faults


@dataclass
class Call:
    """attacked: the leg whose phone's address rubbish comes from. forged: it may say to be the phone's.

    harmless: what arrives is heard as before in the storm as well.
    """

    name: str
    attacked: Phone
    other: Phone
    forged: bool
    harmless: bool
    rubbish: Rubbish
    before: tuple[float, float] = (0.0, 0.0)


@dataclass
class Tally:
    """thrown: datagrams by port. worst: share of a call's strength that was left, by what was heard when."""

    thrown: Counter[str]
    worst: dict[str, float]
    escaped: int = 0
    harmed: int = 0

    def note(self, what: str, share: float, well: bool) -> None:
        self.harmed += not well
        self.worst[what] = min(self.worst.get(what, 9.9), share)


class Scene:
    """The calls of one worker, a tone each way."""

    def __init__(self, seed: int, move: express.Mover) -> None:
        self.stage = Stage(seed=seed, move=move)
        self.rng = Random(f"rubbish {seed}")
        self.calls: list[Call] = []
        both = (PCMU, NOISE)
        for forged in (False, True):
            self._call("relayed", both, both, forged)
            self._call("rendered", both, (PCMA,), forged)
            self._call("opus", (OPUS, PCMU), (PCMU,), forged)
        self._call("opus relayed", (OPUS,), (OPUS,), False)
        self._call("amr-wb with copies", (AMR_WB, COPIES), (PCMA,), True)
        self._call("srtp", (PCMU,), (PCMU,), True, CM_80)
        self._call("srtp rendered", (PCMU,), (PCMA,), True, GCM)
        self.strangers = [self.stage.phone(f"203.0.113.{n}", port=1) for n in range(3)]
        self._run(3.0)
        self._listen(1.0, self._remember)

    def _call(
        self, name: str, one: tuple[Codec, ...], two: tuple[Codec, ...], forged: bool, suite: str = ""
    ) -> None:
        if any(codecs.find(each[0].name, each[0].rate) is None for each in (one, two)):
            print(f"no library for {name}: {codecs.missing()}")
            return
        first = 2 * len(self.calls) + 1
        phones = []
        for number, agreed in ((first, one), (first + 1, two)):
            given = keys(suite) if suite else None
            phone = self.stage.leg(number, *agreed, rtcp_mux=bool(number % 4 == 1), keys=given)
            if given is not None:
                Line(phone, given).wire = _Forgotten()
            phone.hertz = 400.0 + 50 * number
            phones.append(phone)
        self.stage.do(SetGain(first, first + 1), SetGain(first + 1, first))
        rubbish = Rubbish(self.rng, phones[0], tuple(codec.pt for codec in one))
        full = name + (" forged" if forged and not suite else "")
        self.calls.append(Call(full, phones[0], phones[1], forged, not forged or bool(suite), rubbish))

    def storm(self, count: int, tally: Tally) -> None:
        """Throw so many datagrams or some more, and listen to the end of it and to what comes after."""
        thrown, listen_from = 0, 9e9
        while thrown < count or self.stage.now < listen_from + SHORTEST:
            if listen_from > 1e9 and thrown >= count * 0.6:
                self._forget()
                listen_from = self.stage.now + LEAD
            thrown += self._step(tally)
        self._hear(listen_from, lambda call: call.harmless, "in the storm", tally)
        self._run(1.0)
        self._listen(CALM, lambda call, shares: self._check(call, shares, "after it", tally))

    def _step(self, tally: Tally) -> int:
        """5 ms: datagrams at every call, then the worker's turn."""
        stage, rng, count = self.stage, self.rng, 0
        sounding = stage._step % 4 == 0  # the phones' own packets come now, and a port takes one in 5 ms
        for call in self.calls:
            phone, make = call.attacked, call.rubbish.any if call.forged else call.rubbish.strange
            if not sounding:
                count += phone.throw(make())
                tally.thrown["RTP port"] += 1
            if rng.random() < 0.5:
                count += phone.throw(call.rubbish.report() if rng.random() < 0.8 else make(), to=1)
                tally.thrown["RTCP port"] += 1
            if rng.random() < 0.1:
                where = (stage.network.address, phone.port + rng.randrange(2))
                count += stage.network.deliver(make(), rng.choice(self.strangers).address, where)
                tally.thrown["of strangers"] += 1
        try:
            stage.run(0.005)
        except Exception:  # noqa: BLE001 - whatever escaped is the finding
            tally.escaped += 1
            stage._step += 1
            stage.now += 0.005
            if tally.escaped <= SHOWN:
                traceback.print_exc(limit=-6)
        stage.events.clear()
        return count

    # --- listening --------------------------------------------------------------------------------

    def _run(self, seconds: float) -> None:
        self.stage.run(seconds)
        self.stage.events.clear()

    def _forget(self) -> None:
        for phone in self.stage.phones.values():
            for kept in (phone.got, phone.reports, phone.sent):
                kept.clear()

    def _listen(self, seconds: float, tell: Callable[[Call, tuple[float, float]], None]) -> None:
        self._forget()
        since = self.stage.now + LEAD
        self._run(seconds + LEAD)
        for call in self.calls:
            tell(call, self._strengths(call, since))
        self._forget()

    def _hear(self, since: float, whole: Callable[[Call], bool], when: str, tally: Tally) -> None:
        for call in self.calls:
            there, back = self._strengths(call, since)
            self._check(call, (there if whole(call) else 9e9, back), when, tally)
        self._forget()

    def _strengths(self, call: Call, since: float) -> tuple[float, float]:
        """How loud the other hears the attacked one's tone, and the attacked one the other's."""
        for phone in (call.attacked, call.other):
            phone.got[:] = map(_own, phone.got)
        there = call.other.audio(since), call.attacked.hertz, call.other.rate
        back = call.attacked.audio(since), call.other.hertz, call.attacked.rate
        return _loudest(*there), _loudest(*back)

    @staticmethod
    def _remember(call: Call, strengths: tuple[float, float]) -> None:
        call.before = strengths
        if min(strengths) < 3000:
            raise SystemExit(f"{call.name} is not heard before the storm: {strengths}")

    @staticmethod
    def _check(call: Call, strengths: tuple[float, float], when: str, tally: Tally) -> None:
        for way, now, before in zip(("from it", "to it"), strengths, call.before):
            if now < 1e9:
                tally.note(f"{call.name}, {way}, {when}", now / before, now / before >= WHOLE)

    def sane(self) -> bool:
        """Whether every table holds what it may."""
        table = self.stage.control.core.table
        rows = table.rows()
        jitter = table.rx.jitter[rows]
        finite = bool(np.isfinite(jitter).all() and (jitter >= 0).all())
        return finite and bool((table.rx.lost(rows) >= 0).all() and (table.tx.sequence[rows] < 1 << 40).all())


class _Forgotten(list[bytes]):
    """What a line need not remember."""

    def append(self, item: bytes) -> None:
        pass


def _own(packet: Heard) -> Heard:
    """A packet without the copies of others that it carries."""
    blocks = red.split(packet.payload) if packet.pt == RED else None
    return replace(packet, pt=blocks[-1].pt, payload=blocks[-1].payload) if blocks else packet


def _loudest(sound: np.ndarray, hertz: float, rate: int) -> float:
    """Median strength of a tone over pieces of 0.2 s: packets that are missing in between shift its phase."""
    piece = rate // 5
    pieces = [sound[at : at + piece] for at in range(0, len(sound) - piece + 1, piece)]
    return float(np.median([strength(each, hertz * 8000 / rate) for each in pieces])) if pieces else 0.0


def resident_mb() -> float:
    """Memory this process holds now, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def settle() -> None:
    """Let go of what Python keeps for later: garbage, and names in the cache of types' attributes.

    That has 4096 places and finds names by their address: calls from C, which make a new name each time, fill
    it little by little, some 3 to 20 blocks in 1,000 datagrams until it is full.
    """
    gc.collect()
    sys._clear_type_cache()


def lanes() -> dict[str, express.Mover]:
    """The ways packets take here: the Python one, and the helper's where it can be built."""
    helper = native.load()
    return {"python": express.move} | ({"native": NativeLane(helper).move} if helper else {})


def run(name: str, scene: Scene, count: int, tally: Tally) -> bool:
    """All rounds of one lane; whether memory stayed flat."""
    memory, blocks = [], []
    began = time.process_time()
    for number in range(ROUNDS):
        scene.storm(count // ROUNDS, tally)
        settle()
        memory.append(resident_mb())
        blocks.append(sys.getallocatedblocks())
        each = (time.process_time() - began) / sum(tally.thrown.values()) * 1e6
        worst = min(tally.worst.items(), key=lambda item: item[1])
        print(
            f"{name:>7} {(number + 1) * (count // ROUNDS):>9,}  {memory[-1]:6.1f} MB {blocks[-1]:>9,} blocks "
            f"{each:4.0f} us each, {tally.escaped} escaped, {tally.harmed} harmed, least "
            f"{worst[1]:.2f} ({worst[0]})",
            flush=True,
        )
    more_mb, more_blocks = memory[-1] - memory[WARM - 1], blocks[-1] - blocks[WARM - 1]
    print(f"{name:>7} growth once warm: {more_mb:+.1f} MB, {more_blocks:+,} blocks", flush=True)
    return more_mb <= ALLOWED_MB and more_blocks <= ALLOWED_BLOCKS and scene.sane()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    ways = lanes()
    flat, bad, worst = True, 0, {}
    for name, move in ways.items():
        tally = Tally(Counter(), {})
        flat &= run(name, Scene(args.seed, move), args.count // len(ways), tally)
        bad += tally.escaped + tally.harmed
        worst |= {f"{name}: {what}": share for what, share in tally.worst.items()}
        print(f"{name:>7} thrown: {dict(tally.thrown)}")
    for what, share in sorted(worst.items(), key=lambda item: item[1])[:12]:
        print(f"{share:5.2f} of its strength: {what}")
    good = flat and not bad
    print("flat, nothing escaped, every call heard" if good else "FAILED")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
