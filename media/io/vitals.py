"""What the kernel knows of a process that says nothing (proc(5), /proc/PID/stat)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

STATES = {
    "R": "it runs or waits for a processor",
    "S": "it waits for something",
    "D": "it waits for a disk",
    "T": "it is stopped",
    "t": "it is stopped",
    "Z": "it has ended",
}
TICKS = os.sysconf("SC_CLK_TCK")


class Vitals(NamedTuple):
    """state: in words. used_s: of a processor, since it began, by all its threads."""

    state: str
    used_s: float


def vitals(pid: int) -> Vitals | None:
    """None for no process, or where there is no /proc."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
        letter, *numbers = stat.rpartition(")")[2].split()  # the name before it may have spaces
        return Vitals(STATES.get(letter, letter), (int(numbers[10]) + int(numbers[11])) / TICKS)
    except (OSError, ValueError, IndexError):
        return None
