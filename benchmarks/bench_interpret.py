"""From the end of somebody's speech to an interpreter's first sound at the listener, and where the time goes.

    python -m benchmarks.bench_interpret [--quick] [--sentences N]

On what comes with the program: closed vocabularies by CMU Sphinx, Apertium, espeak-ng. First the speech
processes alone, with speakers of several languages at once; then a call between two PJSIP phones through a
whole node, where the agent hears the interpreter instead of the caller, so that what her phone receives after
a sentence is the interpreter and nothing else. Sentences are spoken by espeak-ng, so their ends are known to
the sample.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.bench_calls import commit, machine
from benchmarks.bench_translate import sentences
from engine.demo import RunningNode, Story
from engine.demo_speech import SPANISH
from engine.hearing import read_wav
from media.columns import I16
from media.speech.messages import Attend, Clip, Into, Said
from media.speech.utterance import Stage
from sip.pjsip.process import Softphone
from tests.interop.booth import RATE, Booth, booth, shipped, speech

ROOT = Path(__file__).resolve().parents[1]
# Of each: a voice of espeak-ng's, and the language that somebody here translates it into, if anybody does.
SPEAKERS = {"es-ES": ("es", "en"), "en-US": ("en-us", "es"), "de-DE": ("de", ""), "fr-FR": ("fr-fr", "")}
VOCABULARY = 18  # phrases that can be said, of each
LOUD = 500  # of 32768, of somebody who speaks
AFTER_S = 2.5  # for the interpreter to speak
TURN_S = 6.0  # of a sentence, its pause and how much later than others it begins
WARM = 1  # sentences that are not counted: who translates starts slowly
LEAD_S = 0.3
STAGES = (Stage.NOTICED, Stage.WRITTEN, Stage.TRANSLATED, Stage.VOICED)


class Heard(NamedTuple):
    """A sentence that was said. right: it was recognised as it was said. ms: to each stage from its end."""

    market: str
    right: bool
    ms: dict[Stage, float]


class Live(NamedTuple):
    """first_ms: to the interpreter's first sound; None for one that she never heard. played_ms: to the order
    to play it, as the node tells it, from the last word.
    """

    first_ms: float | None
    played_ms: float | None


def phrases(market: str) -> tuple[str, ...]:
    """What can be said: the first sentence of each of the authored texts."""
    if market == "es-ES":
        return shipped().language.vocabularies["es"]
    cut = str.maketrans(dict.fromkeys(".?!,;:", "\n"))
    said = [each.text.translate(cut).split("\n")[0].strip() for each in sentences()[market]]
    return tuple(each for each in said if "website" not in each.casefold())[:VOCABULARY]


def end_of(sound: I16) -> float:
    """s, where its speech ends."""
    return float(np.flatnonzero(np.abs(sound.astype(np.int32)) > LOUD)[-1] + 1) / RATE


# --- the speech processes alone -------------------------------------------------------------------------


async def alone(rounds: int) -> list[Heard]:
    legs = {market: 2 * at + 1 for at, market in enumerate(SPEAKERS)}
    terms = [
        Attend(
            leg,
            (market,),
            (Into(leg + 1, into, voice="over"),) if into else (Into(leg + 1, market),),
            phrases=phrases(market),
        )
        for (market, (_, into)), leg in zip(SPEAKERS.items(), legs.values())
    ]
    says = {market: [phrases(market)[turn] for turn in range(-WARM, rounds)] for market in legs}
    ends: dict[str, list[float]] = {}
    sounds: dict[int, I16] = {}
    for place, market in enumerate(legs):
        sounds[legs[market]], ends[market] = _turns(says[market], SPEAKERS[market][0], 0.37 * place)
    async with booth(shipped(), *terms) as scene:
        began = await scene.speak(sounds)
        return [
            _heard(scene, market, text, legs[market], began + end)
            for market in legs
            for text, end in list(zip(says[market], ends[market], strict=True))[WARM:]
        ]


def _turns(texts: Sequence[str], voice: str, late_s: float) -> tuple[I16, list[float]]:
    """One after the other, each with a turn of its own; and where each ends, s."""
    turn = round(TURN_S * RATE)
    sound, ends = np.zeros(turn * len(texts), np.int16), []
    for at, text in enumerate(texts):
        said = speech(text, voice, before_s=LEAD_S + late_s)
        sound[at * turn : at * turn + len(said)] = said
        ends.append(at * TURN_S + end_of(said))
    return sound, ends


def _heard(scene: Booth, market: str, text: str, leg: int, end: float) -> Heard:
    """What was told of a sentence that ended then."""
    turn = range(round(1e3 * (end - 1.0)), round(1e3 * (end + 1.0)))
    said = [
        each for each in scene.told(Said) if each.leg == leg and each.over and round(1e3 * each.end) in turn
    ]
    if not said:
        return Heard(market, False, {})
    clips = [each for each in scene.told(Clip) if (each.leg, each.utterance) == (leg, said[-1].utterance)]
    lags = {stage: said[-1].end + lag for stage, lag in said[-1].lags.items()}
    if clips:
        lags |= {stage: clips[-1].at + lag for stage, lag in clips[-1].lags.items()}
    right = said[-1].stands.strip() == text
    return Heard(market, right, {stage: 1e3 * (lags[stage] - end) for stage in STAGES if stage in lags})


# --- a call ---------------------------------------------------------------------------------------------


class Conversation(NamedTuple):
    """A caller who speaks Spanish and an agent who hears an interpreter, connected. folder: for sounds."""

    node: RunningNode
    folder: Path
    caller: Softphone
    call: int
    agent: Softphone
    rung: int

    def say(self, sound: I16, after_s: float) -> None:
        """By the caller; returns so long after its end."""
        path = self.folder / "says.wav"
        write(path, sound)
        self.caller.ask("play", call=self.call, file=str(path))
        self.wait(len(sound) / RATE + after_s)

    def wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.05))
            self.caller.pump()
            self.agent.pump()

    def until(self, holds: Callable[[], bool], seconds: float) -> bool:
        until = time.monotonic() + seconds
        while not holds() and time.monotonic() < until:
            self.wait(0.1)
        return holds()


@contextmanager
def conversation(folder: Path, cores: float = 1.0) -> Iterator[Conversation]:
    """Through a node of its own. cores: that speech may use there."""
    with (
        RunningNode(_config(folder / "config", cores), folder / "data", Story()) as node,
        Softphone("caller") as caller,
        Softphone("bob") as agent,
    ):
        node.register(caller, "customer")
        node.register(agent, "bob")
        login = agent.call("*45")
        agent.expect("ended", 20, call=login)
        call = caller.call(SPANISH)
        caller.expect("answered", 10, call=call)
        rung = agent.incoming(30)
        agent.answer(rung)
        agent.expect("media", 5, call=rung, state="active")
        made = Conversation(node, folder, caller, call, agent, rung)
        made.until(lambda: len({each["craft"] for each in node.get("/v1/speech")["workers"]}) == 3, 30)
        yield made
        caller.hangup(call)


def live(count: int) -> list[Live]:
    said = phrases("es-ES")
    with (
        tempfile.TemporaryDirectory(prefix="isogloss-interpret-") as scratch,
        conversation(Path(scratch)) as on,
    ):
        found = [_sentence(on, said[at % len(said)]) for at in range(-1, count)][1:]
        played = _played(on.node)[1:]
    return [Live(first, played[at] if at < len(played) else None) for at, first in enumerate(found)]


def _config(folder: Path, cores: float) -> Path:
    """As shipped, but that agents of the queue hear the interpreter alone."""
    shutil.copytree(ROOT / "config", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for name, before, after in (
        ("queues.yaml", "    voice: over ", "    voice: instead "),
        ("language.yaml", "cores: 1.0 ", f"cores: {cores} "),
    ):
        path = folder / name
        path.write_text(path.read_text("utf-8").replace(before, after), "utf-8")
    return folder


def _sentence(on: Conversation, text: str) -> float | None:
    """ms from its end until the listener's phone received the interpreter."""
    sound = speech(text, "es", before_s=LEAD_S)
    received = on.folder / "received.wav"
    received.unlink(missing_ok=True)
    on.agent.ask("record", call=on.rung, file=str(received))
    recorded = time.monotonic()
    path = on.folder / "says.wav"
    write(path, sound)
    on.caller.ask("play", call=on.call, file=str(path))
    end = time.monotonic() - recorded + end_of(sound)
    on.wait(len(sound) / RATE + AFTER_S)
    on.agent.ask("stop", call=on.rung, what="record")
    heard = np.abs(read_wav(received, RATE).astype(np.int32)) > LOUD
    if heard[: int(end * RATE)].any():
        return None  # the caller herself: there was no interpreter
    first = np.flatnonzero(heard)
    return 1e3 * (first[0] / RATE - end) if len(first) else None


def write(path: Path, sound: I16) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(sound.tobytes())


def _played(node: RunningNode) -> list[float]:
    """ms, of each clip that the agent was to hear."""
    call = node.get("/v1/calls")["items"][0]["id"]
    events = node.get(f"/v1/calls/{call}/events")["items"]
    spoke = [each["data"] for each in events if each["kind"] == "call.interpreted"]
    return [1e3 * each["lag_s"] for each in spoke if each["side"] == "agent"]


# --- what came of it ------------------------------------------------------------------------------------


def figures_of(heard: Sequence[Heard], calls: Sequence[Live]) -> dict[str, float | None]:
    """README says what each means."""
    first = [each.first_ms for each in calls if each.first_ms is not None]
    played = [each.played_ms for each in calls if each.played_ms is not None]
    interpreted = [each for each in heard if Stage.VOICED in each.ms]
    figures: dict[str, float | None] = {
        "first_audio_p50_ms": at(first, 50),
        "first_audio_p95_ms": at(first, 95),
        "played_p50_ms": at(played, 50),
        "unheard": len(calls) - len(first),
        "calls_sentences": len(calls),
    }
    for stage in STAGES:
        times = [each.ms[stage] for each in interpreted]
        figures |= {f"{stage.value}_p50_ms": at(times, 50), f"{stage.value}_p95_ms": at(times, 95)}
    written = [each.ms[Stage.WRITTEN] for each in heard if Stage.WRITTEN in each.ms]
    return figures | {
        "captions_p95_ms": at(written, 95),
        "right_share": round(sum(each.right for each in heard) / max(len(heard), 1), 3),
        "sentences": len(heard),
    }


def at(values: Sequence[float], percent: int) -> float | None:
    return round(float(np.percentile(values, percent)), 1) if values else None


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_interpret", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer sentences, under 50 s")
    parser.add_argument("--sentences", type=int, default=0, help="said in the call")
    options = parser.parse_args(arguments)
    heard = asyncio.run(alone(1 if options.quick else 10))
    for market in SPEAKERS:
        mine = [each for each in heard if each.market == market]
        stages = {s.value: at([each.ms[s] for each in mine if s in each.ms], 50) for s in STAGES}
        print(f"{market}: {sum(each.right for each in mine)} of {len(mine)} right, median ms {stages}")
    calls = live(options.sentences or (2 if options.quick else 24))
    print("in a call, ms:", [None if each.first_ms is None else round(each.first_ms) for each in calls])
    figures = figures_of(heard, calls)
    print(json.dumps({"bench": "interpret", "commit": commit(), "machine": machine(), "figures": figures}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
