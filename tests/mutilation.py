"""Descriptions with letters changed and pieces cut out, as strangers may send them."""

from __future__ import annotations

from random import Random


def mutilated(text: bytes, rng: Random) -> bytes:
    """One to seven wounds."""
    wounded = bytearray(text)
    for _ in range(rng.randrange(1, 8)):
        at = rng.randrange(len(wounded))
        if rng.random() < 0.5:
            wounded[at] = rng.randrange(256)
        else:
            del wounded[at : at + rng.randrange(1, 60)]
    return bytes(wounded)
