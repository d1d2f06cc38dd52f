"""`python -m tests.media.soak_recording --minutes 60 --lost 0`: a long recorded call, in virtual time.

A customer and agents whose clocks drift by up to 300 ppm, through a worker; three transfers, between legs
that are relayed and rendered; two pauses and three holds. Everybody says a mark every 0.4 s, so that the
recording shows how late each moment of each side is in it. Prints how far the sides are apart over the call,
and a verdict; exits 1 when they are not together, when something is missing, or when a pause holds sound.

`--lost 0.01`: as many packets are lost, in bursts; their legs are rendered for their listeners' sake before
long. `--late 0.03`: that share of packets comes 20 ms late.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np

from media.codecs import g711
from media.messages import SetGain, Tap, Untap
from media.recorder import Recorder
from media.recording import Record, RecordingDone, StopRecording
from media.tap import Reader, Taps
from tests.media.reels import Memory, onsets, pulse, read
from tests.media.stage import PCMA, PCMU, Stage

TAPS, PATH, WORKER = "recorder", "/rec/call", 4711
EVERY = 20  # packets from mark to mark
SILENT = np.zeros(160, np.int16)
BURST = 0.4  # of packets after a lost one that are lost too
LATEST = 0.25  # s from a mark to its place in the recording
EARLIEST = 0.010  # s before it, that its place may seem to be
TOGETHER = 0.020  # s
AROUND = 4.0  # s over which what a side is late by is the median
SETTLED = 3.0  # s after somebody was put through
DRIFTS = (120, -300, 300, -120)  # ppm of the customer's clock, then of the agents', more than any phone's


class Line:
    """A phone's way to the worker: begins to lose packets at `lost` of them; `late` come with the next."""

    def __init__(self, rng: Random, lost: float, late: float) -> None:
        self._rng, self._lost, self._late = rng, lost, late
        self._losing = False
        self._held: bytes | None = None

    def __call__(self, data: bytes) -> Iterable[bytes]:
        held, self._held = self._held, None
        self._losing = self._rng.random() < (BURST if self._losing else self._lost)
        if self._losing:
            return [held] if held else []
        if held is None and self._rng.random() < self._late:
            self._held = data
            return []
        if held is None:
            return [data]
        return [held, data] if self._rng.random() < 0.5 else [data, held]


@dataclass
class Outcome:
    """What a recording shows. delays: by side, of each mark that was found: when it was said, how late it is.

    missing: share of marks that were not found. apart: s between the sides, around each of the customer's
    marks. paused: marks within pauses. seconds: how much longer the recording is than the call was.
    """

    delays: list[np.ndarray[Any, Any]] = field(default_factory=list)
    missing: float = 0.0
    apart: np.ndarray[Any, Any] = field(default_factory=lambda: np.empty(0))
    paused: int = 0
    longer: float = 0.0

    @property
    def drifted(self) -> float:
        """How much more, or less, a side is late at the end than at the beginning, s, at most."""
        ends = [np.median(side[-50:, 1]) - np.median(side[:50, 1]) for side in self.delays]
        return float(np.abs(ends).max())

    @property
    def good(self) -> bool:
        together = bool((np.abs(self.apart) <= TOGETHER).all())
        whole = self.missing <= 0.05 and abs(self.longer) <= TOGETHER and not self.paused
        return together and whole and self.drifted <= TOGETHER


class Scene:
    """The call: leg 1 is the customer's, others are agents'."""

    def __init__(self, seed: int, lost: float = 0.01, late: float = 0.0) -> None:
        self.rng, self.lost, self.late = Random(seed), lost, late
        self.reader, self.disk = Reader(), Memory()
        self.stage = Stage(taps=Taps(lambda to: self))
        self.recorder = Recorder(self.disk, entropy=Random(seed).randbytes, epoch=0.0)
        self.said: dict[int, list[float]] = {}  # when each leg said its marks
        self.spans: list[tuple[float, float, int]] = []  # which agent's the other side was, from when to when
        self.pauses: list[tuple[float, float]] = []
        self.begun = 0.0
        self.agent = 0
        self._recorded: list[RecordingDone] = []
        self.joins(1)
        self.recorder.handle(Record("call", 1, PATH, format="wav"), self.stage.now)
        self.stage.do(Tap(1, TAPS))

    # --- the recorder's end of the taps -----------------------------------------------------------

    def send(self, data: memoryview) -> int:
        for frame in self.reader.feed(data):
            self.recorder.take(WORKER, frame, self.stage.now)
            for event in self.recorder.look(self.stage.now):
                if not self.begun:
                    self.begun = event.at  # type: ignore[union-attr]
        return len(data)

    def close(self) -> None: ...

    # --- what happens in the call -----------------------------------------------------------------

    def joins(self, leg: int, *codec: Any) -> None:
        """A phone that says a mark every so often, at its own clock."""
        phone = self.stage.leg(leg, *(codec or (PCMU,)))
        phone.ptime = 20 * (1 + DRIFTS[leg - 1] / 1e6)  # type: ignore[assignment]
        phone.hertz, phone.tamper = 1.0, Line(self.rng, self.lost, self.late)
        marks = self.said.setdefault(leg, [])
        count = iter(range(1 << 40))

        def speak() -> None:
            mark = next(count) % EVERY == 0
            if mark:
                marks.append(phone.next_at or self.stage.now)
            phone.send(g711.encode(phone.law, pulse() if mark else SILENT).tobytes())

        phone.speak = speak  # type: ignore[method-assign]

    def put_through(self, leg: int) -> None:
        if self.agent:
            self.stage.do(SetGain(self.agent, 1, 0.0), SetGain(1, self.agent, 0.0))
        self.agent = leg
        self.stage.do(SetGain(leg, 1), SetGain(1, leg))

    def talk(self, seconds: float) -> None:
        begin = self.stage.now
        self.stage.run(seconds)
        self.spans.append((begin + SETTLED, self.stage.now, self.agent))

    def hold(self, seconds: float) -> None:
        self.stage.do(SetGain(self.agent, 1, 0.0), SetGain(1, self.agent, 0.0))
        self.stage.run(seconds)
        self.put_through(self.agent)

    def pause(self, seconds: float) -> None:
        begin = self.stage.now
        self.stage.do(Untap(1, TAPS))
        self.stage.run(seconds)
        self.pauses.append((begin, self.stage.now))
        self.stage.do(Tap(1, TAPS))

    def play(self, minutes: float) -> Outcome:
        """Talk, hold, talk; with a transfer after each third and two pauses."""
        part = minutes * 60 / 4 / 3
        for leg, codec in ((2, PCMU), (3, PCMA), (4, PCMU)):
            self.joins(leg, codec)
            self.put_through(leg)
            self.talk(part)
            if leg != 3:
                self.pause(part / 2)
            self.talk(part)
            self.hold(part / 3)
            self.talk(part)
        self.put_through(2)
        self.talk(part)
        return self._measure()

    def _measure(self) -> Outcome:
        now = self.stage.now
        self.recorder.handle(StopRecording("call"), now)
        events = [*self.recorder.look(now + 1.0), *self.recorder.look(now + 1.0)]
        (done,) = (event for event in events if isinstance(event, RecordingDone))
        sound = read(bytes(self.disk.files[PATH]), "wav")
        found = [onsets(channel) + self.begun for channel in sound]
        customer = [(begin, end, 1) for begin, end, _ in self.spans]
        outcome = Outcome(longer=done.seconds - (now - self.begun))
        marks = 0
        for side, spans in zip(found, (customer, self.spans)):
            said = [at for begin, end, leg in spans for at in self.said[leg] if begin <= at < end - LATEST]
            places = np.searchsorted(side, np.array(said) - EARLIEST)
            late = np.append(side, np.inf)[places] - said
            outcome.delays.append(np.stack([said, late], axis=1)[late <= LATEST])
            marks += len(said)
            outcome.paused += sum(
                int(((side > begin + LATEST) & (side < end)).sum()) for begin, end in self.pauses
            )
        outcome.missing = 1 - sum(map(len, outcome.delays)) / marks
        outcome.apart = _apart(*outcome.delays)
        return outcome


def _apart(left: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """How much later the left side is than the right, medians around each of its marks."""
    found = []
    for at in left[:, 0]:
        near = [side[np.abs(side[:, 0] - at) <= AROUND / 2, 1] for side in (left, right)]
        if min(map(len, near)) >= 4:
            found.append(np.median(near[0]) - np.median(near[1]))
    return np.array(found)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.media.soak_recording", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lost", type=float, default=0.01, help="share of packets at which bursts begin")
    parser.add_argument("--late", type=float, default=0.0, help="share of packets that come 20 ms late")
    options = parser.parse_args(arguments)
    outcome = Scene(options.seed, options.lost, options.late).play(options.minutes)
    apart, late = np.abs(outcome.apart) * 1000, [side[:, 1] * 1000 for side in outcome.delays]
    for name, side in zip(("customer", "agents"), late):
        print(f"{name}: {len(side)} marks, late by {side.min():.0f} to {side.max():.0f} ms")
    middle, most = np.median(apart), apart.max()
    print(f"apart: median {middle:.1f}, 95 % {np.quantile(apart, 0.95):.1f}, most {most:.1f} ms")
    print(f"drifted {outcome.drifted * 1000:.1f} ms, longer {outcome.longer * 1000:.0f} ms")
    print(f"marks that are missing: {outcome.missing:.2%}")
    print(f"marks within pauses: {outcome.paused}")
    print("well" if outcome.good else "NOT WELL")
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
