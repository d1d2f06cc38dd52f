"""What two sides of a call say to each other, as the ear tells it: captions for both, each in her language.

A talk lasts while two people are connected. Its captions are numbered by the utterances they are of, so that
every newer version takes its place on the pages.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.events import Side
from engine.views import Caption, LegSide
from media.speech.language import alike
from media.speech.market import hints, market_for
from media.speech.messages import Attend, Into, Rendered, Said, Voice

if TYPE_CHECKING:
    from engine.call import Call
    from engine.leg import Leg

VOICES: Mapping[str, Voice] = {"off": "off", "over": "over", "instead": "instead"}
KEPT = 32  # utterances of a side that may still change


@dataclass
class Sentence:
    """An utterance: the newest that is known of it, and of its translation. unspoken: its interpreter's voice
    was not heard, or not to its end.
    """

    line: int
    said: Said
    rendered: Rendered | None = None
    unspoken: bool = False

    @property
    def marks(self) -> tuple[str, ...]:
        marks = self.rendered.marks if self.rendered is not None else ()
        return (*marks, "unspoken") if self.unspoken and "shed" not in marks else marks


@dataclass
class Talk:
    """legs: by number, the customer's and the other's. languages: what each
    speaks and reads. voices: how each wants to hear the other."""

    call: Call
    legs: dict[int, Leg]
    languages: dict[int, str]
    voices: dict[int, Voice]
    sentences: OrderedDict[tuple[int, int], Sentence] = field(default_factory=OrderedDict)
    waiting: dict[int, Voice] = field(default_factory=dict)  # how each wants to, while a person interprets

    @property
    def wanted(self) -> dict[int, Voice]:
        """How each wants to hear the other, whether a person interprets or not."""
        return self.waiting or self.voices

    def other(self, leg: int) -> int:
        return next(each for each in self.legs if each != leg)

    def attends(self, vocabularies: Mapping[str, tuple[str, ...]]) -> list[Attend]:
        """How the ear is to hear both."""
        return [self._attend(leg, vocabularies) for leg in self.legs]

    def _attend(self, leg: int, vocabularies: Mapping[str, tuple[str, ...]]) -> Attend:
        other, language = self.other(leg), self.languages[leg]
        gender = self.call.queue.speech.gender if self.call.queue is not None else ""
        config = self.call.switch.config
        reader = market_for(config.markets, self.call.market, self.languages[other])
        into = Into(
            other,
            self.languages[other],
            market=reader.name if reader is not None else "",
            voice=self.voices[other],
            gender=gender,
        )
        speaker = market_for(config.markets, self.call.market, language)
        phrases = next((said for tag, said in vocabularies.items() if alike(tag, language)), ())
        told = config.language.recogniser.hints
        likely = hints(speaker, language) if speaker is not None and told else ()
        return Attend(leg, (language, *self._possible(leg, language)), (into,), likely, phrases)

    def _possible(self, leg: int, language: str) -> tuple[str, ...]:
        """What else the leg may turn out to speak: a customer, each language of her queue."""
        queue = self.call.queue
        if queue is None or self.legs[leg].side is not Side.CUSTOMER or not queue.speech.detect:
            return ()
        named = (self.call.language, *queue.speech.detect)
        return tuple(each for each in dict.fromkeys(named) if not alike(each, language))

    def choose(self, listener: Side, voice: str) -> None:
        for number, leg in self.legs.items():
            if leg.side is listener:
                self.voices[number] = VOICES[voice]

    def number(self, leg: int, utterance: int) -> int | None:
        """Of the caption of an utterance, where it has one."""
        sentence = self.sentences.get((leg, utterance))
        return sentence.line if sentence is not None else None

    def said(self, told: Said, at: float) -> Caption | None:
        """What a side says now; None where there is nothing to show."""
        key = told.leg, told.utterance
        sentence = self.sentences.get(key)
        if sentence is None:
            if not (told.stands or told.guess):
                return None
            self.call.captioned += 1  # the call's: last words of one talk may come in the next
            sentence = self.sentences[key] = Sentence(self.call.captioned, told)
            while len(self.sentences) > KEPT:
                self.sentences.popitem(last=False)
        elif told.serial < sentence.said.serial:
            return None
        sentence.said = told
        return self._caption(sentence, at)

    def rendered(self, told: Rendered, at: float) -> Caption | None:
        """The same in the reader's language."""
        sentence = self.sentences.get((told.leg, told.utterance))
        if sentence is None or (sentence.rendered is not None and told.serial < sentence.rendered.serial):
            return None
        sentence.rendered = told
        return self._caption(sentence, at)

    def unspoken(self, leg: int, utterance: int, at: float) -> Caption | None:
        """What an interpreter did not say, or not to its end, is to be read; None where that is shown."""
        sentence = self.sentences.get((leg, utterance))
        if sentence is None or sentence.unspoken:
            return None
        sentence.unspoken = True
        return self._caption(sentence, at)

    def _caption(self, sentence: Sentence, at: float) -> Caption | None:
        said, rendered = sentence.said, sentence.rendered
        text, guess = joined(said.stands, said.guess)
        if not text:
            return None
        other = self.languages[self.other(said.leg)]
        waits = not alike(said.language or other, other) and (rendered is None or not rendered.over)
        translation, guess_translated = "", 0
        if rendered is not None:
            between = " " if rendered.stands and rendered.guess else ""
            translation, guess_translated = joined(rendered.stands + between, rendered.guess)
        return Caption(
            call=self.call.id,
            side=LegSide.CUSTOMER if self.legs[said.leg].side is Side.CUSTOMER else LegSide.AGENT,
            line=sentence.line,
            at=at,
            text=text,
            language=said.language or self.languages[said.leg],
            translation=translation,
            to=rendered.language if rendered is not None and translation else "",
            final=said.over and not waits,
            guess=guess,
            guess_translated=guess_translated,
            by=said.by,
            translated_by=rendered.by if rendered is not None else "",
            low_accuracy=said.low,
            gist=rendered is not None and rendered.gist,
            marks=sentence.marks,
        )


def joined(stands: str, guess: str) -> tuple[str, int]:
    """The text of both, and how many characters at its end are a guess."""
    text = f"{stands}{guess}".strip()
    return text, len(text) - len(stands.lstrip()) if guess.strip() else 0
