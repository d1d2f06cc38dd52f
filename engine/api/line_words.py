"""What a caller's page and the node say to each other beside the sound, one JSON object a message.

The first message is the token that began the call, or is to. `call` is how the call stands, all of it, every
time something changed; `caption` what is said in it.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from engine.api.desk_words import Asked, Malformed, Told
from engine.views import Caption, LineView

PROTOCOL = "isogloss.caller.v1"
LARGEST = 8 * 1024  # characters of a page's message

Token = Annotated[str, msgspec.Meta(max_length=4096)]
Comment = Annotated[str, msgspec.Meta(max_length=1000)]
Stars = Annotated[int, msgspec.Meta(ge=1, le=5)]


class TokenWord(Asked, tag="token", kw_only=True):
    token: Token


class RateWord(Asked, tag="rate", kw_only=True):
    stars: Stars
    comment: Comment = ""


class CallTold(Told, tag="call"):
    call: LineView


class CaptionTold(Told, tag="caption"):
    caption: Caption


Word = TokenWord | RateWord

_decoder: msgspec.json.Decoder[Word] = msgspec.json.Decoder(Word)


def read(text: str) -> Word:
    """Raises Malformed."""
    if len(text) > LARGEST:
        raise Malformed(f"a message has at most {LARGEST} characters here")
    try:
        return _decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError) as error:
        raise Malformed(str(error)) from None
