"""Fits media.fidelity's score to PESQ, and says how closely it follows: `python -m benchmarks.fidelity_fit`.

Speech of several languages goes through codecs, losses (with and without concealment), noise (white, and that
of ITU-T P.810's reference unit), clipping and filters. Half of the passages are fitted, the other half is
judged.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator

import numpy as np
from pesq import pesq
from scipy import optimize, signal

from benchmarks import hearing
from media import codecs, fidelity
from media.codecs import Tuning
from media.columns import F64, I16

RATE = fidelity.RATE
Damage = Callable[[I16, np.random.Generator], I16]


def clipped(samples: F64) -> I16:
    return np.clip(np.rint(samples), -32768, 32767).astype(np.int16)


def through(number: int, **tuning: int) -> Damage:
    """Coded and decoded; codecs of 16 kHz by way of that rate."""

    def damage(samples: I16, _: np.random.Generator) -> I16:
        kind = next(kind for kind in codecs.KINDS if kind.number == number)
        rate = 16_000 if kind.rate == 16_000 else RATE
        sound = samples if rate == RATE else clipped(signal.resample_poly(samples.astype(float), 2, 1))
        encoder, decoder = codecs.encoder(number, {}), codecs.decoder(number, {})
        encoder.tune(Tuning(**tuning))
        size = rate // 50
        made = []
        for at in range(0, len(sound) - size + 1, size):
            decoded = decoder.decode(encoder.encode(sound[at : at + size]))
            made.append(decoded if decoded is not None else np.zeros(size, np.int16))
        out = np.concatenate(made)
        return out if rate == RATE else clipped(signal.resample_poly(out.astype(float), 1, 2))

    return damage


def losing(share: float, repeated: bool, burst: bool = False) -> Damage:
    def damage(samples: I16, rng: np.random.Generator) -> I16:
        out = samples.copy()
        packets = len(samples) // 160
        kind = "burst" if burst else "random"
        lost = hearing.LOSSES[kind](packets, share, int(rng.integers(1 << 30)))
        for at in np.flatnonzero(lost) * 160:
            out[at : at + 160] = out[at - 160 : at] // 2 if repeated and at else 0
        return out

    return damage


def noisy(snr_db: float) -> Damage:
    def damage(samples: I16, rng: np.random.Generator) -> I16:
        power = np.mean(samples.astype(float) ** 2) * 10 ** (-snr_db / 10)
        return clipped(samples + rng.normal(0, np.sqrt(power), len(samples)))

    return damage


def modulated(q_db: float) -> Damage:
    """The modulated noise reference unit of ITU-T P.810."""

    def damage(samples: I16, rng: np.random.Generator) -> I16:
        return clipped(samples * (1 + 10 ** (-q_db / 20) * rng.normal(0, 1, len(samples))))

    return damage


def limited(low: float, high: float) -> Damage:
    def damage(samples: I16, _: np.random.Generator) -> I16:
        form = signal.butter(4, (low, high), "bandpass", fs=RATE, output="sos")
        return clipped(signal.sosfilt(form, samples.astype(float)))

    return damage


def clipping(share: float) -> Damage:
    def damage(samples: I16, _: np.random.Generator) -> I16:
        most = np.abs(samples).max() * share
        return np.clip(samples, -most, most).astype(np.int16)

    return damage


def together(*damages: Damage) -> Damage:
    def damage(samples: I16, rng: np.random.Generator) -> I16:
        for each in damages:
            samples = each(samples, rng)
        return samples

    return damage


def damages() -> Iterator[tuple[str, Damage]]:
    yield "nothing", lambda samples, _: samples
    for name, number in (("PCMA", codecs.PCMA), ("G729", codecs.G729), ("G722", codecs.G722)):
        if codecs.available(number):
            yield name, through(number)
    for mode in (0, 2, 4, 7):
        if codecs.available(codecs.AMR):
            yield f"AMR {mode}", through(codecs.AMR, mode=mode)
    for bitrate in (6_000, 9_000, 12_000, 24_000):
        if codecs.available(codecs.OPUS):
            yield f"Opus {bitrate}", through(codecs.OPUS, bitrate=bitrate, narrow=True)
    law = through(codecs.PCMA)
    for share in (0.01, 0.03, 0.05, 0.1, 0.2, 0.3):
        yield f"lost {share}", together(law, losing(share, False))
        yield f"repeated {share}", together(law, losing(share, True))
    for share in (0.03, 0.1):
        yield f"bursts {share}", together(law, losing(share, True, burst=True))
    for snr in (5, 10, 15, 20, 30, 40):
        yield f"noise {snr}", together(noisy(snr), law)
    for q in (5, 10, 15, 20, 25, 35):
        yield f"MNRU {q}", modulated(q)
    yield "twice G.729", together(through(codecs.G729), through(codecs.G729))
    yield "narrow", limited(400, 2600)
    for share in (0.1, 0.3):
        yield f"clipped {share}", clipping(share)
    yield "G.729, 5 % lost", together(through(codecs.G729), losing(0.05, True))


def settled(sent: I16, came: I16) -> tuple[I16, I16]:
    """Without the codec's own delay."""
    return fidelity.in_step(sent, came, [(0, len(sent) // 160 * 160 - 1600)], [0.0])


def measure(seconds: float) -> list[tuple[str, int, float, float, float]]:
    """(damage, passage, disturbance, added, PESQ)."""
    found = []
    for number, passage in enumerate(hearing.passages(RATE, seconds=seconds, seed=4)):
        for name, damage in damages():
            rng = np.random.default_rng([number, len(name)])
            came = damage(passage.samples, rng)
            count = min(len(came), len(passage.samples))
            said, got = settled(passage.samples[:count], came[:count])
            figures = fidelity.compare(said, got)
            assert figures is not None
            truth = pesq(RATE, passage.samples[:count], came[:count], "nb")
            found.append((name, number, figures.disturbance, figures.added, float(truth)))
    return found


def predicted(weights: F64, x: F64) -> F64:
    exponent = np.minimum(weights[0] + x @ weights[1:], 50)
    most = (fidelity.BEST - 1) * (1 + np.exp(weights[0]))
    return np.asarray(1 + most / (1 + np.exp(exponent)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=64.0, help="of speech")
    options = parser.parse_args()
    found = measure(options.seconds)
    x = np.array([[row[2], row[3]] for row in found])
    y = np.array([row[4] for row in found])
    fitted = np.array([row[1] % 2 == 0 for row in found])
    start = np.array([-3.0, 0.3, 0.3])
    weights = optimize.least_squares(lambda w: predicted(w, x[fitted]) - y[fitted], start).x
    for part, rows in (("fitted", fitted), ("judged", ~fitted)):
        now = np.array([fidelity.score(*pair) for pair in x[rows]])
        for label, guess in (("anew", predicted(weights, x[rows])), ("as in media.fidelity", now)):
            error = float(np.sqrt(np.mean((guess - y[rows]) ** 2)))
            print(f"{part:7} {label:21} r {np.corrcoef(guess, y[rows])[0, 1]:.3f}  rmse {error:.3f}")
    for name in dict.fromkeys(row[0] for row in found):
        mine = np.array([row[0] == name for row in found])
        guess = predicted(weights, x[mine]).mean()
        figures = f"D {x[mine, 0].mean():.3f}  A {x[mine, 1].mean():.3f}"
        print(f"{name:18} PESQ {y[mine].mean():.2f}  {guess:.2f}  {figures}")
    print(json.dumps({"offset": weights[0], "symmetric": weights[1], "added": weights[2]}))


if __name__ == "__main__":
    main()
