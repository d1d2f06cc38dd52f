"""Seeded delay traces of packet streams: what networks do to the arrival of packets sent every 20 ms.

Each maker returns seconds of arrival, one a packet, NaN for a lost one; the first packet is sent at 0 and
none arrives before it was sent. Networks deliver in order except where a trace is about that. The shapes
follow what is published of such links: queues that build up while a radio channel is taken and are emptied at
once (Wi-Fi), frames repeated by the link in steps of its own interval and hand-overs (3G), time slots and a
long way (satellite).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
PTIME = 0.020  # s


def _in_order(arrival: F64) -> F64:
    """Arrivals of a link that keeps the order."""
    return np.maximum.accumulate(arrival)


def _stalls(sent: F64, rng: np.random.Generator, every: float, least: float, most: float) -> F64:
    """Added delay while a link stands still: what was sent since leaves when it goes on."""
    delay = np.zeros(len(sent))
    begin = rng.exponential(every)
    while begin < sent[-1]:
        last = rng.uniform(least, most)
        held = (sent >= begin) & (sent < begin + last)
        delay[held] = np.maximum(delay[held], begin + last - sent[held])
        begin += last + rng.exponential(every)
    return delay


def steady(sent: F64, rng: np.random.Generator) -> F64:
    """A good line: half a millisecond of jitter."""
    return sent + 0.010 + rng.exponential(0.0005, len(sent))


def wifi(sent: F64, rng: np.random.Generator) -> F64:
    """A busy access point: short back-offs always, the channel taken for 20-90 ms about once a second."""
    return _in_order(sent + 0.008 + rng.exponential(0.003, len(sent)) + _stalls(sent, rng, 1.2, 0.02, 0.09))


def umts(sent: F64, rng: np.random.Generator) -> F64:
    """3G: link frames of 10 ms, repeated while they fail, more often in fades; a hand-over now and then."""
    fade = np.zeros(len(sent))
    level, noise = 0.0, rng.normal(0.0, 1.0, len(sent))
    for i in range(len(sent)):
        level = 0.98 * level + 0.2 * noise[i]
        fade[i] = level
    repeats = rng.geometric(np.clip(0.75 - 0.2 * fade, 0.25, 0.95)) - 1
    return _in_order(sent + 0.070 + 0.010 * np.minimum(repeats, 8) + _stalls(sent, rng, 15.0, 0.1, 0.25))


def satellite(sent: F64, rng: np.random.Generator) -> F64:
    """Geostationary: 270 ms, return slots every 30 ms, a slot sometimes not granted."""
    slot, ready = 0.030, sent + 0.270 + rng.exponential(0.001, len(sent))
    granted = np.ceil(ready / slot) * slot
    return _in_order(granted + slot * (rng.random(len(sent)) < 0.02))


def spikes(sent: F64, rng: np.random.Generator) -> F64:
    """A good line that stands still for 80-200 ms every ten seconds or so."""
    return _in_order(sent + 0.020 + rng.exponential(0.002, len(sent)) + _stalls(sent, rng, 10.0, 0.08, 0.2))


def shift(sent: F64, rng: np.random.Generator) -> F64:
    """The path changes every 20 s or so, by up to 60 ms either way."""
    path, until = np.zeros(len(sent)), 0.0
    while until < sent[-1]:
        path[sent >= until] = rng.uniform(0.0, 0.06)
        until += rng.uniform(15.0, 25.0)
    return _in_order(sent + 0.020 + path + rng.exponential(0.002, len(sent)))


def drift(sent: F64, rng: np.random.Generator) -> F64:
    """A sender whose clock is 300 ppm off, fast or slow, over a line with some jitter."""
    ppm = 300e-6 if rng.random() < 0.5 else -300e-6
    return _in_order(sent * (1 + ppm) + 0.050 + rng.exponential(0.002, len(sent)))


def reordering(sent: F64, rng: np.random.Generator) -> F64:
    """Two paths, 25 ms apart, a tenth of the packets on the longer one: they are overtaken."""
    return sent + 0.020 + rng.exponential(0.001, len(sent)) + 0.025 * (rng.random(len(sent)) < 0.1)


def exponential(sent: F64, rng: np.random.Generator) -> F64:
    """Jitter of 20 ms on average, each packet for itself, so that many are overtaken: an emulator's."""
    return sent + 0.010 + rng.exponential(0.020, len(sent))


def lossy(sent: F64, rng: np.random.Generator) -> F64:
    """Wi-Fi that loses 3 % besides."""
    arrival = wifi(sent, rng)
    arrival[rng.random(len(sent)) < 0.03] = np.nan
    return arrival


TRACES: dict[str, Callable[[F64, np.random.Generator], F64]] = {
    maker.__name__: maker
    for maker in (steady, wifi, umts, satellite, spikes, shift, drift, reordering, exponential, lossy)
}


def trace(name: str, seconds: float, seed: int) -> F64:
    """Arrivals of one of TRACES."""
    sent = np.arange(int(seconds / PTIME)) * PTIME
    return TRACES[name](sent, np.random.default_rng([seed, *name.encode()]))


def recorded(path: Path) -> F64:
    """Arrivals of a trace in a file: a line a packet, its delay in ms, empty or `-` for a lost one."""
    lines = path.read_text("utf-8").splitlines()
    delays = np.array([float(line) if line.strip(" -") else np.nan for line in lines]) / 1000
    return np.arange(len(delays)) * PTIME + delays - np.nanmin(delays)
