"""What every codec with frames of its own is to the core: a decoder and an encoder for one leg each.

Codecs whose sound is a table look-up a byte (G.711) are worked on as whole arrays and need none of this;
their decoders here serve the few packets that come as redundant copies (RFC 2198).
"""

from __future__ import annotations

import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from media.columns import I16

Params = Mapping[str, str]  # fmtp parameters by lower-case name
NOTHING: I16 = np.empty(0, np.int16)


@dataclass(frozen=True, slots=True)
class Tuning:
    """What adaptation may ask of an encoder; None leaves it as it is, and each takes what it understands.

    bitrate: bits a second of coded sound. fec_loss: percent of packets that in-band redundancy is to make
    good, 0 for none. complexity: 0..10. mode: of AMR, the highest to send. request: of AMR, the highest mode
    that the far end is asked to send, -1 for any. asked: of AMR, the highest that the far end asks for, -1
    for any. dtx: nothing is sent in silence. narrow: only the band of a telephone.
    """

    bitrate: int | None = None
    fec_loss: int | None = None
    complexity: int | None = None
    mode: int | None = None
    request: int | None = None
    asked: int | None = None
    dtx: bool | None = None
    narrow: bool | None = None

    def over(self, before: Tuning) -> Tuning:
        """This tuning where it says something, and `before` elsewhere."""
        said = {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}
        return replace(before, **said)


class Owner:
    """Holds what a library has allocated; whoever forgets to close it loses nothing."""

    _free: weakref.finalize[Any, Any] | None = None

    def _owns(self, free: Callable[..., Any], state: Any) -> None:
        self._free = weakref.finalize(self, free, state)

    def close(self) -> None:
        """Give it back; nothing is coded or decoded afterwards."""
        if self._free is not None:
            self._free()


class Decoder(Owner, ABC):
    """One leg's decoder. Payloads are hostile: what cannot be decoded is a lost packet, never an exception.

    ordered: packets must be decoded in their order. span: samples of the newest packet. silent: the far end's
    last word was that it says nothing. wish: the highest mode that the far end wants to be sent, by its
    newest packet; -1 for any, None if that did not say.
    """

    ordered: ClassVar[bool] = True

    def __init__(self, span: int) -> None:
        self.span = span
        self.silent = False
        self.wish: int | None = None

    @abstractmethod
    def decode(self, payload: bytes) -> I16 | None:
        """The packet's samples, mono, at the codec's plane rate; None for a packet that is none."""

    def copies(self, payload: bytes) -> bool:
        """Whether `conceal` could make the packet before this one from what it carries."""
        return False

    def conceal(self, samples: int, following: bytes | None = None, ahead: int = 0) -> I16 | None:
        """Sound for `samples` missing ones, None where the plane's concealer makes better ones.

        That is so of speech without a copy in `following`, the first packet known behind them, `ahead`
        samples behind the last; docs/adr/0020. The decoder is told of the loss where its next frames gain by
        it. While the far end rests, its comfort noise is the decoder's to make.
        """
        return None


class Encoder(Owner, ABC):
    """One leg's encoder. silent: its newest packet had no speech, whether it was sent or not."""

    silent = False

    @abstractmethod
    def encode(self, samples: I16) -> bytes:
        """The payload of one packet, b"" to send nothing; samples: int16[L], L as `packet_ms` allows."""

    def rest(self, rests: bool) -> None:
        """Whether what is coded from now on is in a pause, where less care will do."""

    def tune(self, tuning: Tuning) -> None:
        """Follow from the next packet on; what the far end's parameters forbid is not done."""


def number(params: Params, name: str, low: int, high: int, default: int) -> int:
    """A parameter that is a number, kept within bounds; `default` when it is absent or none."""
    value = params.get(name, "")
    if not value.isascii() or not value.isdigit() or len(value) > 9:
        return default
    return min(max(int(value), low), high)


def flag(params: Params, name: str) -> bool:
    return params.get(name) == "1"
