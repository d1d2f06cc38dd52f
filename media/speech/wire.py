"""Frames between an ear and its workers: 4 bytes of length, big-endian, and msgpack of one side's list."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from media.speech.jobs import AnyJob, AnyResult, Offer


class Offers(msgspec.Struct, frozen=True, tag=True):
    """What a worker does from now on; the first that it says."""

    offers: tuple[Offer, ...]


_encoder = msgspec.msgpack.Encoder()
_jobs = msgspec.msgpack.Decoder(list[AnyJob])
_answers = msgspec.msgpack.Decoder(list[AnyResult | Offers])


def encode(messages: Sequence[AnyJob] | Sequence[AnyResult | Offers]) -> bytes:
    """A whole frame."""
    body = _encoder.encode(messages)
    return len(body).to_bytes(4, "big") + body


def decode_jobs(body: bytes) -> list[AnyJob]:
    """Raises msgspec.DecodeError, also for a well-formed wrong message."""
    return _jobs.decode(body)


def decode_answers(body: bytes) -> list[AnyResult | Offers]:
    """Raises msgspec.DecodeError, also for a well-formed wrong message."""
    return _answers.decode(body)
