"""What is done with sound, measured on speech: voices found, noise taken away, digits told; what it costs.

    python -m benchmarks.bench_sound [--quick] [--speech FOLDER]

Voice activity is scored in blocks of 20 ms, hits on blocks within 25 dB of the clip's active level, false
alarms in pauses of noise before and behind each clip; webrtcvad's modes 1 and 3 hear the same blocks. Noise
suppression is scored by PESQ (and STOI, segmental SNR) against clean speech, before and after. Talk-off is
how many digits are told of speech that has none. Costs are CPU time for each leg and tick of 20 ms.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import hearing
from benchmarks.bench_calls import commit, machine
from media.bargein import BargeIn
from media.columns import I16, I64
from media.comfort import ComfortNoise
from media.level import Leveller
from media.noise import Suppressor
from media.tones import Tones
from media.vad import Vad

RATE, BLOCK = 8000, 160
LEAD, TAIL = 100, 75  # blocks of noise before and behind a clip
HANG = 15  # blocks behind a clip that are not scored: hangover is meant
SNRS = (20, 10, 5)
KINDS = ("white", "hum", "babble")
ROWS = (1, 10, 100, 1000)
F64 = NDArray[np.float64]
Verdicts = NDArray[np.bool_]


def noise(kind: str, length: int, speech: F64, rng: np.random.Generator) -> F64:
    """Noise of power 1. babble: twelve talkers of the recordings at once."""
    if kind == "white":
        made = rng.standard_normal(length)
    elif kind == "hum":
        t = np.arange(length) / RATE
        made = sum(np.sin(2 * np.pi * 50 * h * t + rng.uniform(0, 6)) / h for h in (1, 2, 3, 4, 5, 7, 9))
        made = made + 0.02 * rng.standard_normal(length)
    else:
        made = sum(np.resize(np.roll(speech, rng.integers(len(speech))), length) for _ in range(12))
    scaled: F64 = made / made.std()
    return scaled


def blocks(sound: I16) -> Iterator[I16]:
    """Rows of sound, block by block."""
    for at in range(0, sound.shape[1], BLOCK):
        yield sound[:, at : at + BLOCK]


def mixed(texts: list[I16], kind: str, snr: float, rng: np.random.Generator) -> I16:
    """The texts as rows, silence around them, with noise so much below speech at LEVEL_DB."""
    length = (LEAD + max(map(len, texts)) // BLOCK + 1 + TAIL) * BLOCK
    speech = np.concatenate(texts).astype(float)
    level = 10 ** ((hearing.LEVEL_DB - snr) / 20) * 32768
    out = np.stack([noise(kind, length, speech, rng) * level for _ in texts])
    for row, text in zip(out, texts):
        row[LEAD * BLOCK : LEAD * BLOCK + len(text)] += text
    return np.clip(np.rint(out), -32768, 32767).astype(np.int16)


def labels(texts: list[I16], count: int) -> NDArray[np.int8]:
    """By text and block: 1 speech, 0 none, -1 not scored."""
    marks = np.full((len(texts), count), -1, np.int8)
    for mark, text in zip(marks, texts):
        size = len(text) // BLOCK
        power = (text[: size * BLOCK].reshape(-1, BLOCK).astype(float) ** 2).mean(axis=1)
        active = hearing.active_level(text.astype(np.float32), RATE)
        mark[: LEAD - 1] = mark[LEAD + size + HANG :] = 0
        mark[LEAD : LEAD + size][power > max(active**2 / 10**2.5, 6 * np.quantile(power, 0.05))] = 1
    return marks


def ours(sound: I16) -> Verdicts:
    vad, rows = Vad(len(sound), RATE), np.arange(len(sound))
    return np.stack([vad.look(rows, each) for each in blocks(sound)], axis=1)


def peer(sound: I16, mode: int) -> Verdicts | None:
    """webrtcvad's verdicts; None when it is not installed."""
    try:
        from webrtcvad import Vad as Peer
    except ImportError:
        return None
    rows = []
    for row in sound:
        one = Peer(mode)
        rows.append([one.is_speech(each.tobytes(), RATE) for each in row.reshape(-1, BLOCK)])
    return np.array(rows)


def voices(texts: list[I16], figures: dict[str, float | None]) -> None:
    """Hits and false alarms, ours and the peer's."""
    print(
        f"{'noise':<7} {'SNR':>3} {'ours hit':>9} {'false':>6} {'webrtc 1':>9} {'false':>6} "
        f"{'3':>9} {'false':>6}"
    )
    rng = np.random.default_rng(3)
    rates: dict[str, list[float]] = {}
    for kind in KINDS:
        for snr in SNRS:
            sound = mixed(texts, kind, snr, rng)
            marks = labels(texts, sound.shape[1] // BLOCK)
            line = f"{kind:<7} {snr:>3}"
            for name, verdicts in (
                ("ours", ours(sound)),
                ("webrtc1", peer(sound, 1)),
                ("webrtc3", peer(sound, 3)),
            ):
                if verdicts is None:
                    continue
                hit, false = float(verdicts[marks == 1].mean()), float(verdicts[marks == 0].mean())
                rates.setdefault(f"{name}_{'babble' if kind == 'babble' else 'steady'}", []).append(hit)
                rates.setdefault(f"{name}_false_{'babble' if kind == 'babble' else 'steady'}", []).append(
                    false
                )
                line += f" {hit:9.3f} {false:6.3f}"
            print(line, flush=True)
    for name, values in rates.items():
        figures[f"vad_{name}"] = round(float(np.mean(values)), 3)


def segmental(clean: I16, heard: I16) -> float:
    """Segmental SNR in dB over blocks of speech, each within -10 and 35."""
    size = min(len(clean), len(heard)) // BLOCK * BLOCK
    want, got = (each[:size].reshape(-1, BLOCK).astype(float) for each in (clean, heard))
    power = (want**2).sum(axis=1)
    on = power > power.max() * 1e-3
    ratio = 10 * np.log10(power[on] / (((want - got) ** 2).sum(axis=1)[on] + 1))
    return float(np.clip(ratio, -10, 35).mean())


def cleaner(texts: list[I16], figures: dict[str, float | None]) -> None:
    """What suppression gains."""
    print(f"{'noise':<7} {'SNR':>3}   PESQ before, after   STOI before, after   segmental SNR before, after")
    rng = np.random.default_rng(5)
    for kind in KINDS:
        gains = []
        for snr in SNRS:
            sound = mixed(texts, kind, snr, rng)
            gate, rows = Suppressor(len(sound), RATE), np.arange(len(sound))
            made = np.concatenate([gate.suppress(rows, each) for each in blocks(sound)], axis=1)
            start, late = LEAD * BLOCK, RATE // 100
            scores = []
            for text, noisy, done in zip(texts, sound, made):
                pair = noisy[start : start + len(text)], done[start + late : start + late + len(text)]
                scores.append(
                    [
                        f
                        for each in pair
                        for f in (hearing.pesq(text, each, RATE), hearing.stoi(text, each, RATE))
                    ]
                    + [segmental(text, each) for each in pair]
                )
            was, clear, pesq, stoi, before, after = np.mean(scores, axis=0)
            print(
                f"{kind:<7} {snr:>3}        {was:4.2f}  {pesq:4.2f}           {clear:5.3f} {stoi:5.3f}"
                f"              {before:5.1f} {after:5.1f}",
                flush=True,
            )
            gains.append(pesq - was)
            figures[f"noise_stoi_change_{kind}_min"] = round(
                min(float(stoi - clear), figures.get(f"noise_stoi_change_{kind}_min") or 1.0), 3
            )
        figures[f"noise_pesq_gain_{kind}"] = round(float(np.mean(gains)), 2)


def talk_off(texts: list[I16], figures: dict[str, float | None]) -> None:
    """Digits told of speech, in each hour."""
    told, hours = 0, 0.0
    for gain in (0.3, 1.0, 3.0):
        rows = [np.clip(text * gain, -32767, 32767).astype(np.int16) for text in texts]
        sound = np.stack([np.pad(row, (0, max(map(len, rows)) - len(row))) for row in rows])
        sound = np.pad(sound, ((0, 0), (0, -sound.shape[1] % BLOCK)))
        tones, who = Tones(len(sound), RATE), np.arange(len(sound))
        told += sum(len(tones.listen(who, each)) for each in blocks(sound))
        hours += sum(map(len, rows)) / RATE / 3600
    print(f"talk-off: {told} digits in {hours * 60:.1f} minutes of speech (each at three levels)")
    figures["talk_off_digits_an_hour"] = round(told / hours, 1)


Call = Callable[[I64, I16], Any]


def services(rows: int, rate: int) -> dict[str, Call]:
    """What costs, each with state of its own."""
    vad, noise_gate, level, tones = Vad(rows, rate), Suppressor(rows, rate), Leveller(rows), Tones(rows, rate)
    comfort = ComfortNoise(rows, rate, np.random.default_rng(1))
    comfort.describe(np.arange(rows), np.full(rows, -45, np.float32))
    barge = BargeIn(rows)
    speaks = np.ones(rows, np.bool_)
    return {
        "vad": vad.look,
        "noise": noise_gate.suppress,
        "level": lambda who, sound: level.normalise(who, sound, speaks),
        "tones": tones.listen,
        "comfort": lambda who, sound: comfort.make(who),
        "bargein": lambda who, sound: barge.hear(who, speaks, 0.0),
    }


def costs(figures: dict[str, float | None]) -> None:
    """CPU time a leg and tick, the best of three."""
    print(f"{'µs a leg and tick':<18} {'rate':>5}" + "".join(f"{rows:>9}" for rows in ROWS))
    for rate in (8000, 16000):
        table: dict[str, list[float]] = {}
        for rows in ROWS:
            who = np.arange(rows)
            shape = (rows, rate // 50)
            sound = (np.random.default_rng(1).standard_normal(shape) * 1000).astype(np.int16)
            for name, call in services(rows, rate).items():
                turns, best = max(10, 600 // rows), float("inf")
                for _ in range(3):
                    begun = process_time()
                    for _ in range(turns):
                        call(who, sound)
                    best = min(best, (process_time() - begun) / turns / rows * 1e6)
                table.setdefault(name, []).append(best)
        for name, values in table.items():
            print(f"{name:<18} {rate:>5}" + "".join(f"{each:9.2f}" for each in values), flush=True)
            figures[f"{name}_us_{rate // 1000}k"] = round(values[2], 2)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_sound", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few passages")
    parser.add_argument("--speech", help="folder of WAV files")
    options = parser.parse_args()
    found = hearing.passages(RATE, seconds=60 if options.quick else None, folder=options.speech)
    texts = [text.samples for text in found]
    figures: dict[str, float | None] = {}
    voices(texts, figures)
    cleaner(texts[: 2 if options.quick else 12], figures)
    talk_off([text.samples for text in hearing.passages(RATE, folder=options.speech)], figures)
    costs(figures)
    print(json.dumps({"bench": "sound", "commit": commit(), "machine": machine(), "figures": figures}))


if __name__ == "__main__":
    main()
