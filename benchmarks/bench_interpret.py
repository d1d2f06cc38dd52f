"""How long after a Spanish caller's last word the agent hears the interpreter's first: `python -m
benchmarks.bench_interpret`.

The whole way is real: packets of G.711 go into a media worker as they are said, its taps to the ear, jobs to
the speech workers that a node has without any model (recognised by its vocabulary, translated by Apertium,
spoken by espeak-ng), the clip into the agent's leg, and the packets of that come back here. The interpreter
is alone on the agent's leg, so that the first sound there is hers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import struct
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from benchmarks.bench_calls import commit, machine
from config.load import SHIPPED, load
from engine.speech.house import House
from engine.voice import say, telephone
from media.codecs import g711
from media.columns import I16
from media.io.process import WorkerClient
from media.messages import AnyCommand, AnyEvent, Codec, LegOpened, OpenLeg, Play, PlayDone, SetGain, Stop, Tap
from media.speech.interpretation import Act, DropClip, Interpretation, Mode, Original, PlayClip, StopClip
from media.speech.jobs import Offer
from media.speech.messages import Attend, Clip, Crafts, Into, Said, Settled, SpeechEvent, Talking, Unable
from media.speech.turns import Clip as Turn
from media.speech.utterance import Stage

HOST, PORTS = "127.0.0.1", (36_000, 36_040)
CALLER, AGENT = 1, 2
RATE, PACKET = 8000, 160
PCMU = Codec(0, "PCMU")
HEARD = 400  # a sample beyond is sound, whatever is done to silence
PATIENCE_S, READY_S, REST_S = 10.0, 60.0, 0.7
STAGES = (Stage.NOTICED, Stage.WRITTEN, Stage.TRANSLATED, Stage.VOICED)


@dataclass
class Turned:
    """One sentence and what became of it. Times are s of the machine's clock."""

    over: float = 0.0  # its last sound was said
    clip: Clip | None = None
    told: float = 0.0  # the clip was there
    heard: float = 0.0  # its first sound was


@dataclass
class Bed:
    """The processes, and the two ends of the call."""

    vocabulary: tuple[str, ...]
    ports: dict[int, int] = field(default_factory=dict)
    offers: list[Offer] = field(default_factory=list)
    turn: Turned = field(default_factory=Turned)
    playing: bool = False
    clips: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ends = {leg: _bound() for leg in (CALLER, AGENT)}
        self.policy = Interpretation(CALLER, AGENT)
        self.sent = 0
        config = load(SHIPPED, {})
        hearing = replace(config.language.recogniser, reserve=False)
        self.config = replace(config, language=replace(config.language, recogniser=hearing))
        self.media = WorkerClient(
            bind=HOST, ports=PORTS, on_events=self._media_told, on_lost=_lost, reserve=False
        )
        self.house = House(self.config, self._speech_told, lambda: None, lambda: _lost("the ear died"))

    async def start(self) -> None:
        await self.media.start()
        self.house.wake()
        for leg, end in self.ends.items():
            self.media.send(OpenLeg(leg, [PCMU], remote=end.getsockname()))
        await _until(lambda: len(self.ports) == 2 and len({each.craft for each in self.offers}) == 3)
        into = Into(AGENT, "en", voice="instead")
        self.house.send(Attend(CALLER, ("es",), (into,), phrases=self.vocabulary))
        self.media.send(Tap(CALLER, self.house.taps))
        asyncio.get_running_loop().add_reader(self.ends[AGENT], self._listen)
        self._do(self.policy.choose(AGENT, Mode.VOICE_ONLY, time.monotonic()))

    async def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.ends[AGENT])
        await self.house.close()
        await self.media.close()
        for end in self.ends.values():
            end.close()

    async def interpret(self, sound: I16) -> Turned:
        """Say a sentence, and wait for the interpreter."""
        self.turn = Turned()
        await self.say(sound)
        deadline = time.monotonic() + PATIENCE_S
        while not self.turn.heard and time.monotonic() < deadline:
            await self.say(np.zeros(PACKET, np.int16))
        while self.playing and time.monotonic() < deadline + PATIENCE_S:
            await self.say(np.zeros(PACKET, np.int16))
        return self.turn

    async def say(self, sound: I16) -> None:
        """As it would be said."""
        due = time.monotonic()
        last = int(np.flatnonzero(np.abs(sound.astype(np.int32)) > HEARD).max(initial=-1))
        for at in range(0, len(sound) - PACKET + 1, PACKET):
            payload = g711.encode(0, sound[at : at + PACKET]).tobytes()
            head = struct.pack("!BBHII", 0x80, 0, self.sent & 0xFFFF, self.sent * PACKET & 0xFFFFFFFF, 7)
            self.ends[CALLER].sendto(head + payload, (HOST, self.ports[CALLER]))
            self.sent += 1
            due += PACKET / RATE
            if at <= last < at + PACKET:
                self.turn.over = time.monotonic()
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    # --- what the processes tell

    def _media_told(self, events: list[AnyEvent]) -> None:
        for event in events:
            if isinstance(event, LegOpened):
                self.ports[event.leg] = event.port
            elif isinstance(event, PlayDone):
                self.playing = False
                Path(self.clips.pop(-event.play, "/nowhere")).unlink(missing_ok=True)
                self._do(self.policy.ended(AGENT, -event.play, time.monotonic()))

    def _speech_told(self, events: list[SpeechEvent]) -> None:
        now = time.monotonic()
        for event in events:
            if isinstance(event, Crafts):
                self.offers = event.offers
            elif isinstance(event, Talking):
                self._do(self.policy.talking(event.leg, event.speaks, event.at, now))
            elif isinstance(event, Settled):
                self._do(self.policy.settled(event.leg, now))
            elif isinstance(event, Unable):
                print(f"unable to {event.what}: {event.why}", file=sys.stderr)
            elif isinstance(event, Said) and event.over:
                print(f"  {event.stands!r}", end=" ")
            elif isinstance(event, Clip):
                if self.turn.clip is None:
                    self.turn.clip, self.turn.told = event, now
                print(f"-> {event.text!r}", flush=True)
                self.clips[event.clip] = event.path
                turn = Turn(event.clip, event.seconds, event.at, event.text, event.lags)
                self._do(self.policy.clip(AGENT, turn, now))

    def _do(self, acts: Sequence[Act]) -> None:
        for act in acts:
            command: AnyCommand | None = None
            if isinstance(act, Original):
                command = SetGain(act.speaker, act.listener, act.gain)
            elif isinstance(act, PlayClip):
                self.playing = True
                command = Play(AGENT, -act.clip.number, [self.clips[act.clip.number]])
            elif isinstance(act, StopClip):
                command = Stop(AGENT, -act.clip.number)
            elif isinstance(act, DropClip):
                print(f"dropped: {act.why}", file=sys.stderr)
            if command is not None:
                self.media.send(command)

    def _listen(self) -> None:
        data = self.ends[AGENT].recv(2048)
        if self.turn.clip is None or self.turn.heard or len(data) < 12 + PACKET:
            return
        samples = g711.decode(0, np.frombuffer(data, np.uint8, PACKET, 12))
        if np.abs(samples.astype(np.int32)).max() > HEARD:
            self.turn.heard = time.monotonic()


def _bound() -> socket.socket:
    end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    end.bind((HOST, 0))
    end.setblocking(False)
    return end


def _lost(why: str) -> None:
    raise SystemExit(f"a process was lost: {why}")


async def _until(true: object) -> None:
    deadline = time.monotonic() + READY_S
    while not true():  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise SystemExit("the processes of speech did not come up; is Apertium with eng-spa installed?")
        await asyncio.sleep(0.02)


async def measure(count: int) -> list[Turned]:
    """So many sentences, one after the other; the first one is not counted."""
    phrases = load(SHIPPED, {}).language.vocabularies["es"]
    bed = Bed(tuple(phrases))
    long = [each for each in phrases if len(each.split()) > 2]
    sounds = {}
    for phrase in long[: count + 1]:
        rate, raw = say(phrase, voice="es")
        sounds[phrase] = telephone(raw, rate, RATE)
    try:
        await bed.start()
        found = []
        for at in range(count + 1):
            found.append(await bed.interpret(sounds[long[at % len(sounds)]]))
            await bed.say(np.zeros(int(REST_S * RATE), np.int16))
        return found[1:]
    finally:
        await bed.close()


def figures(turns: Sequence[Turned]) -> dict[str, float | None]:
    """Milliseconds; of the stages the medians, each from the one before it."""
    told = [each for each in turns if each.clip is not None and each.heard]
    first = np.array([each.heard - each.over for each in told]) * 1000
    result: dict[str, float | None] = {
        "first_audio_p50_ms": round(float(np.percentile(first, 50))) if len(first) else None,
        "first_audio_p95_ms": round(float(np.percentile(first, 95))) if len(first) else None,
    }
    before = Stage.SPOKEN
    for stage in STAGES:
        lags = [each.clip.lags for each in told if each.clip is not None]
        waits = [lag[stage] - lag[before] for lag in lags if stage in lag and before in lag]
        result[f"{stage.value}_ms"] = round(float(np.median(waits)) * 1000) if waits else None
        before = stage
    heard = [each.heard - each.told for each in told]
    result["heard_ms"] = round(float(np.median(heard)) * 1000) if heard else None
    return result | {"sentences": len(turns), "missed": len(turns) - len(told)}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_interpret", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer sentences, under 50 s")
    options = parser.parse_args()
    found = asyncio.run(measure(5 if options.quick else 30))
    print(
        json.dumps(
            {"bench": "interpret", "commit": commit(), "machine": machine(), "figures": figures(found)}
        )
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
