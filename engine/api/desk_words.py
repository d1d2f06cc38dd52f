"""What an agent's page and the node say to each other over the desk's WebSocket, one JSON object a message.

A page asks, with a number `re` of its own; `done` or `refused` answers it by that number. Everything else the
node says when there is something to say. `desk` is the whole of what the page shows, every time.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from engine.assist_views import Help
from engine.scorecards import Answer
from engine.views import AgentAsk, Caption, DeskView, IceTerms, LegSide, Note, PhoneTerms

PROTOCOL = "isogloss.desk.v1"  # the WebSocket's sub-protocol
LARGEST = 16 * 1024  # bytes of a page's message

Name = Annotated[str, msgspec.Meta(max_length=64)]
Hex = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16,64}$")]
Line = Annotated[str, msgspec.Meta(max_length=256, pattern=r"^[^\x00-\x1f\x7f]*$")]
Notes = Annotated[str, msgspec.Meta(max_length=4000)]
Number = Annotated[int, msgspec.Meta(ge=0, le=2**31)]


class Asked(msgspec.Struct, forbid_unknown_fields=True, tag_field="type"):
    """From the page."""

    re: Number = 0


class SignInWord(Asked, tag="sign_in", kw_only=True):
    """response: by RFC 7616, of SHA-256 (engine/signin.py)."""

    agent: Name
    cnonce: Hex
    response: Hex


class StateWord(Asked, tag="state", kw_only=True):
    state: AgentAsk
    reason: Line = ""


class WrapUpWord(Asked, tag="wrap_up", kw_only=True):
    """over: no more wrap-up is needed, the next call may come."""

    call: Name
    outcome: Line = ""
    notes: Notes = ""
    over: bool = False


class PauseRecordingWord(Asked, tag="pause_recording", kw_only=True):
    call: Name
    paused: bool


class InterpretWord(Asked, tag="interpret", kw_only=True):
    """How a side of a call, hers or the other, hears the other one: as it is, with an interpreter over it, or
    that one alone.
    """

    call: Name
    side: LegSide
    voice: Literal["off", "over", "instead"]


class GuestWord(Asked, tag="guest", kw_only=True):
    """A person who interprets is to be rung, or sent off: whom the call's queue names."""

    call: Name
    wanted: bool


class LookUpWord(Asked, tag="look_up", kw_only=True):
    """What is known of some words, for a call of hers or for none: `found` follows `done`."""

    words: Line
    call: Name = ""


class JudgedWord(Asked, tag="judged", kw_only=True):
    """How calls of hers were judged: `scorecards` follows `done`."""


class HearWord(Asked, tag="hear", kw_only=True):
    """A call of hers that was judged, by its scorecard: `sound` follows `done`."""

    card: Name


Word = (
    SignInWord
    | StateWord
    | WrapUpWord
    | PauseRecordingWord
    | InterpretWord
    | GuestWord
    | LookUpWord
    | JudgedWord
    | HearWord
)


class Told(msgspec.Struct, tag_field="type"):
    """From the node."""


class Challenge(Told, tag="challenge"):
    """The first message: how to prove who one is."""

    realm: str
    nonce: str
    algorithm: str
    uri: str
    method: str


class Welcome(Told, tag="welcome"):
    """Signed in, and again when there are new passwords in `ice`. outcomes, reasons: what an agent may choose
    from; sip: an address, or "" for this host's.
    """

    phone: PhoneTerms
    sip: str
    outcomes: tuple[str, ...]
    reasons: tuple[str, ...]
    ice: IceTerms


class Desk(Told, tag="desk"):
    """now: the node's epoch, for pages whose clock is wrong."""

    now: float
    desk: DeskView


class NoteTold(Told, tag="note"):
    note: Note


class CaptionTold(Told, tag="caption"):
    caption: Caption


class HelpTold(Told, tag="help"):
    """What may help in a call now."""

    help: Help


class Found(Told, tag="found"):
    """What was looked up, the best first; empty where nothing is known."""

    words: str
    found: tuple[Help, ...]


class CardTold(msgspec.Struct, frozen=True):
    """How a call was judged. at: epoch s. score: 0 to 100. form: what supervisors call it. hears: it has a
    recording that she may hear.
    """

    id: str
    form: str
    at: float
    by: str
    queue: str
    score: float
    failed: bool
    comment: str
    answers: tuple[Answer, ...]
    hears: bool


class Scorecards(Told, tag="scorecards"):
    """The newest first. away: the store is, and nobody knows."""

    cards: tuple[CardTold, ...] = ()
    away: bool = False


class Sound(Told, tag="sound"):
    """Where the recordings of a judged call are heard, in their order; empty where they are not any more."""

    card: str
    sources: tuple[str, ...]


class Done(Told, tag="done"):
    re: int


class Refused(Told, tag="refused"):
    """code: a name to program against. detail: a sentence for a person."""

    re: int
    code: str
    detail: str


class Malformed(ValueError):
    """Not one of a page's messages; the text says where."""


_decoder: msgspec.json.Decoder[Word] = msgspec.json.Decoder(Word)
_encoder = msgspec.json.Encoder()


def read(text: str) -> Word:
    """Raises Malformed."""
    if len(text) > LARGEST:
        raise Malformed(f"a message has at most {LARGEST} characters here")
    try:
        return _decoder.decode(text)
    except UnicodeEncodeError:
        raise Malformed("half a character, which no text has") from None
    except msgspec.MsgspecError as error:
        raise Malformed(str(error)) from None
    except RecursionError:
        raise Malformed("nested too deep") from None


def write(told: Told) -> str:
    return _encoder.encode(told).decode()
