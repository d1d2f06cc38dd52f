"""Recognisers that behave badly, seeded: they change their mind, come late, loop, and fall silent."""

from __future__ import annotations

from random import Random

from media.speech.word import Guess, Word

SAID = (
    "Good morning I would like to ask about the order that I placed last Tuesday because the parcel has not "
    "arrived and nobody could tell me where it is so please have a look and call me back this afternoon"
).split()


def words(text: str, begin: float = 0.0, each_s: float = 0.3) -> tuple[Word, ...]:
    """A text as a recogniser tells it, a word every `each_s`."""
    parts = text.split()
    return tuple(
        Word(f" {part}", begin + at * each_s, begin + (at + 1) * each_s) for at, part in enumerate(parts)
    )


def stream(rng: Random, *, every_s: float = 0.3, each_s: float = 0.3) -> list[tuple[float, Guess]]:
    """Guesses at one utterance with when they come, in the order of their coming."""
    found, at, serial = [], every_s, 0
    length = len(SAID) * each_s
    while at < length + 1.0:
        heard = min(len(SAID), int(at / each_s))
        guess = Guess(serial, _muddled(rng, words(" ".join(SAID[:heard]), 0.0, each_s)))
        found.append((at + rng.choice((0.1, 0.1, 0.2, 0.9)), guess))
        serial += 1
        at += every_s * rng.choice((1, 1, 1, 4))
    last = Guess(serial, words(" ".join(SAID), 0.0, each_s), final=True)
    found.append((length + 1.5, last))
    return sorted(found, key=lambda each: each[0])


def _muddled(rng: Random, right: tuple[Word, ...]) -> tuple[Word, ...]:
    """Wrong words towards the end, now and then everywhere; sometimes nothing, sometimes a loop."""
    kind = rng.random()
    if kind < 0.08:
        return ()
    if kind < 0.16 and right:
        last = right[-1]
        return (*right, *(last._replace(begin=last.end, end=last.end + 0.1) for _ in range(30)))
    wrong = 0.4 if kind < 0.24 else 0.03
    return tuple(
        word._replace(text=f" w{rng.randrange(9)}", begin=word.begin + rng.uniform(-0.1, 0.1))
        if rng.random() < wrong + 0.4 * (at >= len(right) - 3)
        else word
        for at, word in enumerate(right)
    )
