"""What a network authorises of the sound before an answer: P-Early-Media (RFC 5009)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sip.description import DIRECTIONS, Direction
from sip.errors import MalformedHeader
from sip.events import Authorised as Authorised
from sip.events import EarlyMedia
from sip.message import Message, Request
from sip.states import UNANSWERED

if TYPE_CHECKING:
    from sip.session import Session

NAME = "P-Early-Media"
ASKED = (NAME, "supported")  # of an INVITE: we act upon the header
MAX_WORDS = 16


def said(direction: Direction) -> tuple[str, str]:
    """The header field of a provisional response of ours; direction: seen from us."""
    return NAME, direction


def heeded(request: Request) -> bool:
    """Whether whoever sent an INVITE acts upon the header (section 6)."""
    return "supported" in request.headers.tokens(NAME)


def read(message: Message) -> Authorised | None:
    """What a message authorises of its first stream, which is the sound; None when it does not say."""
    try:
        words = [word.strip().lower() for word in message.headers.values(NAME)[:MAX_WORDS]]
    except MalformedHeader:
        return None
    direction = next((DIRECTIONS[word] for word in words if word in DIRECTIONS), None)
    return None if direction is None else Authorised(direction, "gated" in words)


def heed(session: Session, message: Message) -> None:
    """A message that came before the answer may say what is to be heard until then."""
    authorised = read(message) if session.state in UNANSWERED else None
    if authorised is not None and authorised != session.early_media:
        session.early_media = authorised
        session.stack.emit(EarlyMedia(session, authorised))
