"""Recorded speech with what is said in it, and how much of that a recogniser got: word error rate."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.fillers import ours
from benchmarks.hearing import folder_of_speech, load, random_loss
from media.codecs import g711
from media.columns import I16
from media.speech.word import bare

TABLE = "transcripts.tsv"
FRAME_S = 0.02


class Clip(NamedTuple):
    """path: under the folder. words: bare, as said."""

    path: Path
    language: str
    seconds: float
    text: str

    @property
    def words(self) -> list[str]:
        return spelt(self.text)

    def sound(self, rate: int, *, telephone: bool = False, lost: float = 0.0, seed: int = 1) -> I16:
        """At `rate` Hz and the level of telephone speech. telephone: through G.711, `lost` of its packets
        concealed.
        """
        made = np.clip(np.rint(load(self.path, rate)), -32768, 32767).astype(np.int16)
        if telephone:
            made = g711.decode(g711.MU, g711.encode(g711.MU, made))
        if lost:
            packets = -(-len(made) // round(rate * FRAME_S))
            (made,) = ours([made], [random_loss(packets, lost, seed)], 1)
        return made


def clips(folder: str | None = None, seconds: float | None = None, seed: int = 1) -> dict[str, list[Clip]]:
    """By language, in a seeded order, of each so many seconds at least; none where none are there."""
    source = folder_of_speech(folder)
    if source is None or not (source / TABLE).is_file():
        return {}
    found: dict[str, list[Clip]] = {}
    for line in (source / TABLE).read_text("utf-8").splitlines()[1:]:
        path, language, length, text = line.split("\t")[:4]
        found.setdefault(language, []).append(Clip(source / path, language, float(length), text))
    for language, each in found.items():
        random.Random(seed).shuffle(each)
        have = np.cumsum([clip.seconds for clip in each])
        found[language] = each if seconds is None else each[: int(np.searchsorted(have, seconds)) + 1]
    return found


def spelt(text: str) -> list[str]:
    """Words without case and marks; a hyphen parts two."""
    return [word for word in map(bare, text.replace("-", " ").split()) if word]


def errors(said: Sequence[str], heard: Sequence[str]) -> int:
    """Words that are wrong, missing or too many (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for at, word in enumerate(said, 1):
        before, row[0] = row[0], at
        for place, other in enumerate(heard, 1):
            best = min(row[place] + 1, row[place - 1] + 1, before + (word != other))
            before, row[place] = row[place], best
    return row[-1]


def error_rate(pairs: Sequence[tuple[Sequence[str], Sequence[str]]]) -> float:
    """Of pairs of what was said and what was heard."""
    return sum(errors(said, heard) for said, heard in pairs) / max(1, sum(len(said) for said, _ in pairs))
