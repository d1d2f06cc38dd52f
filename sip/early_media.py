"""What a network authorises of the sound before an answer: P-Early-Media (RFC 5009)."""

from __future__ import annotations

from dataclasses import dataclass

from sip.description import DIRECTIONS, Direction
from sip.errors import MalformedHeader
from sip.message import Message

NAME = "P-Early-Media"
ASKED = (NAME, "supported")  # of an INVITE: we act upon the header
MAX_WORDS = 16


@dataclass(frozen=True, slots=True)
class Authorised:
    """direction: as its sender sees it: "sendonly" lets us hear and not be heard. gated: somebody on the way
    holds back the sound that is not authorised.
    """

    direction: Direction
    gated: bool = False

    @property
    def heard(self) -> bool:
        """Whether what the far end plays is meant for us; else we ring ourselves."""
        return self.direction in ("sendrecv", "sendonly")


def read(message: Message) -> Authorised | None:
    """What a message authorises of its first stream, which is the sound; None when it does not say."""
    try:
        words = [word.strip().lower() for word in message.headers.values(NAME)[:MAX_WORDS]]
    except MalformedHeader:
        return None
    direction = next((DIRECTIONS[word] for word in words if word in DIRECTIONS), None)
    return None if direction is None else Authorised(direction, "gated" in words)
