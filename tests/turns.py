"""What is measured in real time, once more where a machine that was held up may have torn it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

TURNS = 3


def turns(of: str) -> Iterator[int]:
    """The number of each turn, from 0. Each but the first is told at the end of the run, so that what needs
    several on a quiet machine is seen.
    """
    for turn in range(TURNS):
        if turn:
            warnings.warn(f"turn {turn + 1} of {of}", stacklevel=2)
        yield turn
