"""A call in a few sentences of its own: those that most others are like, in the order they were said in.

Sentences are ranked by their likeness to all others (Mihalcea and Tarau, "TextRank: bringing order into
texts", 2004), and more when they are about a topic or say how somebody feels. Nothing is made up: who reads
it reads what was said, in the agent's language where it was translated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np

from engine.after.facts import in_language
from engine.after.topics import weight
from media.columns import F64
from media.speech.language import primary
from media.speech.lexicon import MARKS, Lexicon, units
from media.speech.sentiment import sentiment
from media.speech.transcript import Line

SENTENCES = 4
LEAST = 3  # units of a sentence that says something
MOST = 300  # lines that are compared; of a longer call those at its ends and the longest between
LONGEST = 240  # characters of a sentence
DAMPING, ROUNDS = 0.85, 30
BY = "sentences of the call"


def summary(lines: Sequence[Line], reads: str, lexicon: Callable[[str], Lexicon | None]) -> str:
    """A line each: who, and what. Empty where nothing was said. reads: the language of the reader."""
    words = {id(each): _words(each) for each in lines}
    chosen = [each for each in lines if len(words[id(each)]) >= LEAST]
    if len(chosen) > MOST:
        longest = sorted(chosen[20:-20], key=lambda each: -len(each.text))[: MOST - 40]
        chosen = sorted((*chosen[:20], *longest, *chosen[-20:]), key=lambda each: each.begin)
    if not chosen:
        return ""
    worth = _rank([words[id(each)] for each in chosen])
    for at, line in enumerate(chosen):
        known = lexicon(line.language)
        felt = abs(sentiment(line.text, known).score) if known is not None else 0.0
        worth[at] *= 1.0 + 0.5 * weight(line) + 0.5 * felt
    first = next((at for at, each in enumerate(chosen) if each.side == "customer"), 0)
    worth[first] *= 1.5  # why they call
    best = sorted(np.argsort(-worth, kind="stable")[:SENTENCES])
    return "\n".join(f"{chosen[at].side}: {in_language(chosen[at], reads)[:LONGEST]}" for at in best)


def _words(line: Line) -> set[str]:
    return {each for each in units(line.text, primary(line.language)) if each not in MARKS}


def _rank(sentences: Sequence[set[str]]) -> F64:
    """float64[n]: how central each is, mean 1."""
    count = len(sentences)
    places = {word: at for at, word in enumerate(dict.fromkeys(chain.from_iterable(sentences)))}
    having = np.zeros((count, len(places)), np.float32)
    for at, words in enumerate(sentences):
        having[at, [places[word] for word in words]] = 1.0
    scale = np.log1p(having.sum(axis=1))
    likeness = (having @ having.T).astype(np.float64) / (scale[:, None] + scale[None, :])
    np.fill_diagonal(likeness, 0.0)
    whole = likeness.sum(axis=0)
    shares = np.divide(likeness, whole, out=np.full_like(likeness, 1.0 / count), where=whole > 0)
    rank: F64 = np.ones(count)
    for _ in range(ROUNDS):
        rank = (1.0 - DAMPING) + DAMPING * shares @ rank
    return rank
