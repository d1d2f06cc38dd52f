"""What is measured in real time, once more where a machine that was held up may have torn it."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.metronome import metronome

TURNS = 3


def turns(of: str) -> Iterator[int]:
    """The number of each turn, from 0. Each but the first is told at the end of the run, so that what needs
    several on a quiet machine is seen.
    """
    clock, began = metronome(), time.monotonic()
    for turn in range(TURNS):
        if turn:
            warnings.warn(f"turn {turn + 1} of {of}: in the one before, {clock.delays(began)}", stacklevel=2)
        began = time.monotonic()
        yield turn


def hear(of: str, listen: Callable[[], Mapping[str, Any]], wanted: Mapping[str, Any], nothing: Any) -> None:
    """That those hear it who are to, in one turn. A machine that was held up tears sound, and makes none: who
    is to hear `nothing` hears that at any time.
    """
    for _ in turns(of):
        found = listen()
        assert [name for name in found if wanted[name] == nothing != found[name]] == []
        if found == wanted:
            return
    assert found == wanted
