"""Gains that move: lines from one gain to the next inside a block, for edges whose gain changed or is ducked.

A ducked edge is lowered while another leg speaks: the original under its interpreter, a caller under a
supervisor's whisper. The matrix of gains stays as it is; what a moving edge differs from it is added.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from media.columns import F32, I16, I32, I64, Bool

ATTACK_BLOCKS, RELEASE_BLOCKS = 3, 20  # 60 ms down, so that the first word is heard; 400 ms up
DEEPEST_DB = 60.0


@dataclass(slots=True)
class Duck:
    """How an edge is ducked. by: row of the leg whose speech lowers it. low: factor it is lowered to.

    factor: at the end of the last block.
    """

    by: int
    low: float
    factor: float = 1.0

    def towards(self, speaking: bool) -> float:
        """The factor after another block."""
        if speaking:
            return max(self.low, self.factor - (1 - self.low) / ATTACK_BLOCKS)
        return min(1.0, self.factor + (1 - self.low) / RELEASE_BLOCKS)


@dataclass(slots=True)
class Edge:
    """An edge that moves, by its place in the matrix. gain: what the matrix has; started: what was before."""

    place: int
    column: int
    gain: float
    started: float | None = None
    duck: Duck | None = None


@dataclass(slots=True)
class Ramps:
    """The moving edges of one matrix."""

    edges: list[Edge] = field(default_factory=list)
    ducks: list[Edge] = field(default_factory=list)

    def add(self, edge: Edge) -> None:
        """An edge that moves; one whose gain changed does so in the next block and is then forgotten."""
        if edge.started is not None:
            self.edges.append(edge)
        if edge.duck is not None:
            self.ducks.append(edge)

    def apply(self, total: I32, samples: I16, speaking: Bool) -> None:
        """Correct what listeners hear, int32[listeners, L], of int16[sources, L]. speaking: by row."""
        moving: list[tuple[Edge, float, float]] = []
        for edge in self.edges:
            if edge.duck is None and edge.started is not None:
                moving.append((edge, edge.started - edge.gain, 0.0))
        for edge in self.ducks:
            duck = edge.duck
            assert duck is not None, "ducks have one"
            before = duck.factor
            duck.factor = duck.towards(bool(speaking[duck.by]))
            first = (edge.gain if edge.started is None else edge.started) * before - edge.gain
            last = edge.gain * (duck.factor - 1)
            edge.started = None
            if first or last:
                moving.append((edge, first, last))
        self.edges = []
        if moving:
            _add(total, samples, moving)


def _add(total: I32, samples: I16, moving: list[tuple[Edge, float, float]]) -> None:
    """Add edges at gains that go in a line from the first to the last number of each."""
    places: I64 = np.array([edge.place for edge, _, _ in moving])
    columns: I64 = np.array([edge.column for edge, _, _ in moving])
    first: F32 = np.array([each for _, each, _ in moving], np.float32)[:, None]
    last: F32 = np.array([each for _, _, each in moving], np.float32)[:, None]
    line = np.arange(1, total.shape[1] + 1, dtype=np.float32) / np.float32(total.shape[1])
    part = samples[columns] * (first + (last - first) * line)
    np.add.at(total, places, np.rint(part).astype(np.int32))
