"""What the engine and its ear say to each other, on the link that media/messages.py describes.

The ear hears legs by their taps. Times are s on the machine's clock; those in events are of sound as it came.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from media.speech import prosody
from media.speech.jobs import Offer
from media.speech.shedding import Level
from media.speech.utterance import Stage

Voice = Literal["off", "over", "instead"]


class Into(msgspec.Struct, frozen=True):
    """Who reads, or hears, what a leg says. leg: the listener's. language, market: whose words and customs.
    voice: an interpreter speaks over the lowered original, or instead of it. gender: of that voice.
    """

    leg: int
    language: str
    market: str = ""
    formality: str = ""
    voice: Voice = "off"
    gender: str = ""


# --- engine to ear --------------------------------------------------------------------------------------


class Begin(msgspec.Struct, frozen=True, tag=True):
    """The process is no reserve any more: it comes forward to be heard of by others."""


class Attend(msgspec.Struct, frozen=True, tag=True):
    """Hear what the leg's far end says, from now on; said again, on other terms. languages: BCP 47, the
    likeliest first. phrases: all that can be said, where that is known. hints: terms that may be.
    """

    leg: int
    languages: tuple[str, ...]
    into: tuple[Into, ...] = ()
    hints: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()


class Ignore(msgspec.Struct, frozen=True, tag=True):
    """Hear it no more: what it was saying is ended with what there is."""

    leg: int


SpeechCommand = Begin | Attend | Ignore


# --- ear to engine --------------------------------------------------------------------------------------


class Said(msgspec.Struct, frozen=True, tag=True):
    """What a leg said, as far as it is known; each takes the place of the one before of the same utterance,
    of which an ear has no two with one number.

    stands: will not change but grow; guess: comes after it, and may. begin, end: s. by: who recognised it,
    low: with low accuracy. lost_s: of sound that was made up for lost packets. lags: s from the end of speech
    to each stage, where it was reached.
    """

    leg: int
    utterance: int
    serial: int
    stands: str
    guess: str
    begin: float
    end: float
    over: bool
    language: str
    by: str = ""
    low: bool = False
    lost_s: float = 0.0
    lags: dict[Stage, float] = {}


class Rendered(msgspec.Struct, frozen=True, tag=True):
    """The same for a reader, in another language. gist: for the gist alone. marks: what kept it from being
    better, by name: "no_pair", "failed", "shed". lag_s: from the end of speech, once over. took_s: of each
    clause that was translated since the one before, from when its text stood to its translation.
    """

    leg: int
    utterance: int
    reader: int
    serial: int
    language: str
    stands: str
    guess: str
    over: bool
    by: str = ""
    gist: bool = False
    via: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    lag_s: float = 0.0
    took_s: tuple[float, ...] = ()


class Clip(msgspec.Struct, frozen=True, tag=True):
    """An interpreter's voice, ready to be played to the listener. path: a WAV file, the engine's to delete.
    at: when what it says was spoken, s. lags: s from there on to each stage.
    """

    clip: int
    leg: int
    listener: int
    utterance: int
    path: str
    seconds: float
    text: str
    language: str
    by: str
    at: float
    lags: dict[Stage, float] = {}


class Talking(msgspec.Struct, frozen=True, tag=True):
    """A leg begins to speak, or has ended."""

    leg: int
    speaks: bool
    at: float


class Tone(msgspec.Struct, frozen=True, tag=True):
    """How an utterance that is over was said."""

    leg: int
    utterance: int
    voice: prosody.Voice


class Speaks(msgspec.Struct, frozen=True, tag=True):
    """A leg is believed to speak another language than before, or than was expected."""

    leg: int
    language: str


class Settled(msgspec.Struct, frozen=True, tag=True):
    """All was told of what the leg has said so far, and all voices of it were given."""

    leg: int


class Unable(msgspec.Struct, frozen=True, tag=True):
    """Something cannot be done for a leg; told once until it can be again (over). what: "hear", "translate"
    or "speak". why: what is wrong and what to do.
    """

    leg: int
    what: str
    why: str
    over: bool = False


class Strained(msgspec.Struct, frozen=True, tag=True):
    """What speech goes without from now on. text: in words. load: share of what it may use."""

    level: Level
    load: float
    text: str


class Crafts(msgspec.Struct, frozen=True, tag=True):
    """Who hears, translates and speaks, whenever that changes."""

    offers: list[Offer]


OfLeg = Said | Rendered | Clip | Talking | Tone | Speaks | Settled | Unable
SpeechEvent = OfLeg | Strained | Crafts
