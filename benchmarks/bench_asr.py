"""How well and how soon calls are recognised: word error rate, live against whole, time to text, and cost.

    python -m benchmarks.bench_asr [--quick] [--speech FOLDER] [--sphinx MODEL] [--whisper MODEL]

Speech is recorded (`shared/speech` beside the checkout, with its transcripts.tsv). The recogniser is the one
that comes with the program, with a model for telephones where `shared/models/en-8k` is there or another is
named; a Whisper model is measured where one is named. The toy Whisper of the tests, which knows its phrases
alone, shows what the way through faster-whisper costs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from time import process_time

import numpy as np

from benchmarks.bench_calls import commit, machine
from benchmarks.hearing import ROOT, folder_of_speech
from benchmarks.live_captions import Captions, captioned, ear_alone
from benchmarks.transcripts import Clip, clips, error_rate, spelt
from media.columns import I16
from media.speech.io.sphinx import SphinxRecogniser, files
from media.speech.io.whisper import WhisperRecogniser
from media.speech.recogniser import Recogniser, Said
from media.speech.word import written
from tests.media.speech.spoken import spoken

NARROW, WIDE = 8000, 16000
TELEPHONE = ROOT.parent / "shared" / "models" / "en-8k"
TOY = ROOT / "tests" / "media" / "speech" / "models"
QUICK_S = 22.0
LOSSES = {"5pct": 0.05, "10pct": 0.1}
FEW = 3  # clips of a language, below which there is nothing to choose between

Pair = tuple[Sequence[str], Sequence[str]]


def whole(
    one: Recogniser, sound: I16, rate: int, languages: Sequence[str] = ("en",), phrases: Sequence[str] = ()
) -> Said:
    """A sound that is given at once."""
    one.start("whole", rate, languages, (), phrases)
    one.feed("whole", sound.astype("<i2").tobytes())
    answer: dict[str, Said] = {}
    while not answer:
        answer = dict(one.guesses(["whole"], {"whole"}, 0.0))
    one.stop("whole")
    return answer["whole"]


def of_whole(one: Recogniser, sounds: Sequence[I16], rate: int, said: Sequence[Clip]) -> tuple[float, float]:
    """Word error rate, and seconds of a core for a second of sound."""
    since = process_time()
    pairs: list[Pair] = []
    for sound, clip in zip(sounds, said):
        pairs.append((clip.words, spelt(written(whole(one, sound, rate).guess.words))))
    spent = process_time() - since
    return error_rate(pairs), spent / (sum(map(len, sounds)) / rate)


def of_live(found: Captions, said: Sequence[Clip]) -> float:
    return error_rate([(clip.words, spelt(heard.text)) for clip, heard in zip(said, found.clips)])


def percentile(values: Sequence[float], share: float) -> float:
    return round(1000 * float(np.quantile(values, share))) if values else float("nan")


def show(name: str, *columns: tuple[str, float]) -> None:
    print(f"{name:34}" + "  ".join(f"{what} {value:7.3f}" for what, value in columns), flush=True)


def telephone(one: Recogniser, said: Sequence[Clip], *, quick: bool) -> dict[str, float]:
    """English over G.711: whole, with losses, and live."""
    sounds = [clip.sound(NARROW, telephone=True) for clip in said]
    rate, cost = of_whole(one, sounds, NARROW, said)
    show(f"{one.name}, 8 kHz", ("WER", rate), ("RTF", cost))
    figures = {"wer_8k_en": rate, "rtf_8k": cost}
    for name, share in LOSSES.items():
        if quick and name != "10pct":
            continue
        lossy = [clip.sound(NARROW, telephone=True, lost=share, seed=at) for at, clip in enumerate(said)]
        figures[f"wer_8k_en_{name}"], cost = of_whole(one, lossy, NARROW, said)
        show(f"  {share:.0%} of packets lost", ("WER", figures[f"wer_8k_en_{name}"]), ("RTF", cost))
    found = captioned(one, sounds, NARROW)
    figures["wer_8k_en_live"] = of_live(found, said)
    figures["streaming_over_whole_wer"] = figures["wer_8k_en_live"] / max(rate, 1e-9)
    show("  live", ("WER", figures["wer_8k_en_live"]), ("of whole", figures["streaming_over_whole_wer"]))
    return figures | timed(found, ear_alone(sounds, NARROW))


def timed(found: Captions, ear_s: float) -> dict[str, float]:
    """What captions of a call take, and how late they are. ear_s: of it, a second of a leg among many."""
    first = [each for heard in found.clips for each in heard.first_s]
    final = [each for heard in found.clips for each in heard.final_s]
    figures = {
        "partial_p50_ms": percentile(first, 0.5),
        "partial_p95_ms": percentile(first, 0.95),
        "final_p50_ms": percentile(final, 0.5),
        "final_p95_ms": percentile(final, 0.95),
        "streams_per_core": 1.0 / (found.recogniser_s / found.speech_s + ear_s),
        "ear_ms": 1000 * ear_s,
    }
    show("  first text, ms", ("p50", figures["partial_p50_ms"]), ("p95", figures["partial_p95_ms"]))
    show("  last word, ms", ("p50", figures["final_p50_ms"]), ("p95", figures["final_p95_ms"]))
    show("  a core hears", ("streams", figures["streams_per_core"]), ("ear ms/s", figures["ear_ms"]))
    return figures


def closed(one: Recogniser, by_language: dict[str, list[Clip]], *, quick: bool) -> dict[str, float]:
    """Each clip among all of its language's texts, over G.711: those heard to the last word."""
    right = count = 0
    spent = seconds = 0.0
    for language, said in sorted(by_language.items()):
        if len(said) < FEW:
            continue
        phrases = [clip.text for clip in said]
        exact = 0
        for clip in said[: 4 if quick else None]:
            sound, since = clip.sound(NARROW, telephone=True), process_time()
            heard = whole(one, sound, NARROW, [language], phrases)
            spent, seconds = spent + process_time() - since, seconds + clip.seconds
            exact += spelt(written(heard.guess.words)) == clip.words
            count += 1
        right += exact
        print(f"  {language}: {exact} right, of {len(phrases)} phrases", flush=True)
    show("phrases, 8 kHz", ("right", right / max(1, count)), ("RTF", spent / max(seconds, 1e-9)))
    return {"closed_right": right / max(1, count), "rtf_closed": spent / max(seconds, 1e-9)}


def toy() -> dict[str, float]:
    """Its phrases, whole and live, a call in each language, through faster-whisper."""
    one = WhisperRecogniser(str(TOY / "whisper"))
    lines = (TOY / "phrases.tsv").read_text("utf-8").splitlines()
    right, live, spent = [], [], 0.0
    for texts, voice in zip(zip(*(line.split("\t") for line in lines)), ("en-us", "es")):
        sounds = [np.frombuffer(spoken(text, voice, NARROW), "<i2") for text in texts]
        since = process_time()
        heard = [written(whole(one, sound, NARROW, ()).guess.words) for sound in sounds]
        spent += process_time() - since
        right += [text == got for text, got in zip(texts, heard)]
        found = captioned(one, sounds, NARROW, ())
        live += [text == got.text.strip() for text, got in zip(texts, found.clips)]
    figures = {
        "toy_whisper_right": float(np.mean(right)),
        "toy_whisper_right_live": float(np.mean(live)),
        "toy_whisper_ms": 1000 * spent / len(right),
    }
    show(
        "toy Whisper, 8 kHz",
        ("exact", figures["toy_whisper_right"]),
        ("live", figures["toy_whisper_right_live"]),
    )
    return figures


def named(model: str, said: Sequence[Clip]) -> dict[str, float]:
    """A Whisper model that somebody has."""
    one = WhisperRecogniser(model)
    sounds = [clip.sound(NARROW, telephone=True) for clip in said]
    rate, cost = of_whole(one, sounds, NARROW, said)
    found = captioned(one, sounds, NARROW)
    live = of_live(found, said)
    show(f"{one.name}, 8 kHz", ("WER", rate), ("RTF", cost), ("live", live))
    timed(found, ear_alone(sounds, NARROW))
    return {"whisper_wer_8k_en": rate, "whisper_wer_8k_en_live": live, "whisper_rtf_8k": cost}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_asr", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small sample, under 50 s")
    parser.add_argument("--speech", help="folder of WAV files with transcripts.tsv")
    parser.add_argument(
        "--sphinx", default=str(TELEPHONE) if TELEPHONE.is_dir() else "", help="a model's folder"
    )
    parser.add_argument("--whisper", help="a model's folder or name, measured besides")
    options = parser.parse_args(arguments)
    figures: dict[str, float | None] = {}
    figures |= toy()
    by_language = clips(options.speech, QUICK_S if options.quick else None)
    if by_language.get("en"):
        english = by_language["en"]
        print(f"{len(english)} clips of English, {sum(clip.seconds for clip in english):.0f} s")
        if not options.quick:
            own = SphinxRecogniser(files())
            sounds = [clip.sound(WIDE) for clip in english]
            figures["wer_16k_en"], figures["rtf_16k"] = of_whole(own, sounds, WIDE, english)
            show(f"{own.name}, 16 kHz", ("WER", figures["wer_16k_en"]), ("RTF", figures["rtf_16k"]))
        one = SphinxRecogniser(files(options.sphinx))
        figures |= closed(one, by_language, quick=options.quick)
        figures |= telephone(one, english, quick=options.quick)
        if options.whisper:
            figures |= named(options.whisper, english)
    else:
        where = folder_of_speech(options.speech)
        print(
            f"no recorded speech with transcripts.tsv ({where or 'shared/speech'}): only the toy was measured"
        )
        figures |= dict.fromkeys(
            ("streaming_over_whole_wer", "partial_p50_ms", "final_p95_ms", "streams_per_core", "wer_8k_en")
        )
    told = {name: None if value is None else round(value, 4) for name, value in figures.items()}
    print(json.dumps({"bench": "asr", "commit": commit(), "machine": machine(), "figures": told}))
    return 0


if __name__ == "__main__":
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":  # as workers have it; read when numpy is loaded
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
        os.execv(sys.executable, [sys.executable, "-m", "benchmarks.bench_asr", *sys.argv[1:]])
    sys.exit(main(sys.argv[1:]))
