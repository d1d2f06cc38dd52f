"""What a reader of the live state and the node say to each other at `/v1/live`, one JSON object a message.

The reader's first message is `hello`; `subscribe` changes what she sees. The node says `snapshot`, `delta`
and `resync`, as engine/live/hub.py makes them. What it does not understand ends the conversation.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from engine.live.tree import Topic

PROTOCOL = "isogloss.live.v1"  # the WebSocket's sub-protocol, where a reader names any
LARGEST = 8 * 1024  # bytes of a reader's message

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Names = Annotated[frozenset[Name], msgspec.Meta(max_length=64)]
EVERY = frozenset(Topic) - {Topic.CAPTIONS}  # what a reader sees who names no topics


class Asked(msgspec.Struct, forbid_unknown_fields=True, tag_field="type", kw_only=True):
    """topics: which; the rest narrows what is seen of them, and empty asks nothing."""

    topics: frozenset[Topic] = EVERY
    queues: Names = frozenset()
    teams: Names = frozenset()
    markets: Names = frozenset()


class Hello(Asked, tag="hello"):
    """token: left out where the Authorization header had it. since: the last id that was had."""

    token: Annotated[str, msgspec.Meta(max_length=4096)] = ""
    since: Annotated[str, msgspec.Meta(max_length=64)] = ""


class Subscribe(Asked, tag="subscribe"):
    """From now on; a snapshot follows."""


Word = Hello | Subscribe
_decoder = msgspec.json.Decoder(Word)


class Malformed(ValueError):
    """No message of a reader."""


def read(text: str) -> Word:
    """Raises Malformed."""
    if len(text.encode("utf-8", "surrogatepass")) > LARGEST:
        raise Malformed(f"a message has at most {LARGEST} bytes")
    try:
        word: Word = _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise Malformed(str(error)) from None
    return word
