"""How late speech is when it comes out of whatever it went through, piece by piece, by one clock."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from media.columns import I16

PIECE, EVERY = 25, 10  # packets: how much is looked for at once, and how often
SEARCH = 2.0  # s that it may be late
ALIKE = 0.6  # correlation from which it is the same
FAINT = 300.0  # RMS below which a piece proves nothing


class Late(NamedTuple):
    """at: s since the first packet was sent."""

    at: float
    ms: float


def lateness(said: I16, sent: Sequence[float], heard: I16, came: Sequence[float]) -> list[Late]:
    """Of every piece that is found again.

    said: what was sent, in packets of one size, each at its time of `sent`; heard: what came of it, whole,
    in packets of the same size, each at its time of `came`. Times in s. What stretches or damages a piece
    too much leaves it out.
    """
    size = len(heard) // max(len(came), 1)
    found = []
    for first in range(0, len(sent) - PIECE, EVERY):
        piece = said[first * size : (first + PIECE) * size].astype(np.float64)
        begin, end = bisect_left(came, sent[first]), bisect_left(came, sent[first] + SEARCH)
        window = heard[begin * size : (end + PIECE) * size].astype(np.float64)
        if len(window) <= len(piece) or np.sqrt(np.mean(piece * piece)) < FAINT:
            continue
        place, likeness = best(piece, window)
        if likeness >= ALIKE:
            packet, within = begin + place // size, place % size / size * 0.02
            found.append(Late(sent[first] - sent[0], 1000 * (came[packet] + within - sent[first])))
    return found


def best(piece: NDArray[np.float64], window: NDArray[np.float64]) -> tuple[int, float]:
    """Where in the window the piece is, and how alike they are there, -1 to 1."""
    overlap = signal.correlate(window, piece, mode="valid", method="fft")
    power = np.cumsum(np.concatenate(([0.0], window * window)))
    energy = np.maximum(power[len(piece) :] - power[: -len(piece)], 1.0) * np.sum(piece * piece)
    likeness = overlap / np.sqrt(energy)
    place = int(np.argmax(likeness))
    return place, float(likeness[place])
