"""Speech of all calls of a switch: who is heard now, and what becomes of what the ear tells.

Whether a call is put into words follows from its state alone and is looked at again whenever that changes, so
that holds, transfers and take-overs need no words of their own here. Nothing that happens to speech ever
holds up a call.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from itertools import count
from typing import TYPE_CHECKING

import structlog

from engine.events import Side
from engine.leg import Media
from engine.speech import latency
from engine.speech.interpreting import Interpreting, discard
from engine.speech.talk import VOICES, Talk
from engine.speech_events import InterpreterChanged, LanguageFound, SpeechStrained
from engine.states import WAITING, State
from engine.views import Caption, IllegalState, UnknownCall
from media.messages import Tap, Untap
from media.speech import interpretation as policy
from media.speech.interpretation import Fault
from media.speech.jobs import Offer
from media.speech.language import alike
from media.speech.messages import (
    Clip,
    Crafts,
    Ignore,
    OfLeg,
    Rendered,
    Said,
    Speaks,
    SpeechEvent,
    Strained,
    Tone,
    Unable,
    Voice,
)
from media.speech.shedding import Level

if TYPE_CHECKING:
    from engine.call import Call
    from engine.leg import Leg
    from engine.ports import EarPort
    from engine.switch import Switch

LATE = 512  # legs

log = structlog.get_logger("speech")


class Speech:
    """All of a switch's talks, by the legs that are heard. ear: None where there is none. show: takes
    captions; tell: what a leg is to know of its interpreter. observers: are told what the ear tells, with the
    talk that it is of.
    """

    def __init__(self, switch: Switch) -> None:
        self.ear: EarPort | None = None
        self.offers: tuple[Offer, ...] = ()
        self.level = Level.NOTHING
        self.strained = ""  # in words
        self.faults: dict[tuple[int, str], str] = {}  # why something cannot be done, by leg and what
        self.clips = count(1)  # their numbers, whichever ear made them
        self.show: Callable[[Caption], object] = lambda caption: None
        self.tell: Callable[[Leg, policy.TellOf], object] = lambda leg, told: None
        self.observers: list[Callable[[Talk, SpeechEvent, float], None]] = []
        self._switch = switch
        self._talks: dict[int, Talk] = {}  # by leg
        self._interpreters: dict[str, Interpreting] = {}  # by call
        self._of: dict[str, Talk] = {}  # by call
        self._late: OrderedDict[int, Talk] = OrderedDict()  # by leg, of those that are over

    def reconsider(self, call: Call, now: float) -> None:
        """The call is in another state, or its legs are."""
        if call.queue is None or not call.queue.speech.wanted or self.ear is None or call.origin is not None:
            return
        if call.state in WAITING or call.state is State.TALKING:
            self.ear.wake()
        talk = self._of.get(call.id)
        legs = self._legs(call)
        if talk is not None and tuple(talk.legs) != legs:
            self._end(talk, now)
            talk = None
        if talk is None and legs:
            self._begin(call, legs, now)

    @property
    def talks(self) -> int:
        """Calls that are put into words now."""
        return len(self._of)

    def talk(self, call_id: str) -> Talk | None:
        """The call's, while it is put into words."""
        return self._of.get(call_id)

    def interpreter(self, call_id: str, listener: int) -> tuple[str, str]:
        """How a leg hears the other, off, over or instead, and what keeps it from hearing an interpreter."""
        known = self._interpreters.get(call_id)
        return (known.voice(listener), known.fault(listener)) if known is not None else ("off", "")

    def choose(self, call_id: str, listener: Side, voice: str, now: float) -> None:
        """How a side is to hear the other from now on: off, over or instead. Raises UnknownCall, and
        IllegalState where nothing of it is put into words now.
        """
        if call_id not in self._switch.calls:
            raise UnknownCall(f"no call {call_id} is in progress")
        talk = self._of.get(call_id)
        if talk is None:
            raise IllegalState(
                "the two do not talk, or their queue is not put into words (queues.yaml: speech)"
            )
        if talk.waiting:
            raise IllegalState("a person interprets; send that one off first")
        talk.choose(listener, voice)
        self._hear(talk)
        leg = next(number for number, each in talk.legs.items() if each.side is listener)
        self._interpreter(talk).choose(leg, voice, now)

    def give_way(self, call: Call, now: float) -> None:
        """Somebody interprets in person: until `take_up` no machine speaks."""
        talk = self._of.get(call.id)
        if talk is not None and not talk.waiting:
            talk.waiting = dict(talk.voices)
            self._choose_all(talk, dict.fromkeys(talk.legs, VOICES["off"]), now)

    def take_up(self, call: Call, now: float) -> None:
        """That one is gone: each hears the other as before."""
        talk = self._of.get(call.id)
        if talk is not None and talk.waiting:
            voices, talk.waiting = talk.waiting, {}
            self._choose_all(talk, voices, now)

    def _choose_all(self, talk: Talk, voices: dict[int, Voice], now: float) -> None:
        changed = {leg: voice for leg, voice in voices.items() if talk.voices[leg] != voice}
        talk.voices.update(voices)
        if changed:
            self._hear(talk)
        for leg, voice in changed.items():
            self._interpreter(talk).choose(leg, voice, now)

    def played(self, leg: Leg, play: int, now: float) -> None:
        """A clip of an interpreter's is over."""
        talk = self._talks.get(leg.number)
        if talk is not None and talk.call.id in self._interpreters:
            self._interpreters[talk.call.id].played(leg.number, play, now)

    def told(self, event: SpeechEvent, now: float) -> None:
        """Something that the ear tells."""
        if isinstance(event, Crafts):
            for offer in set(event.offers) - set(self.offers):
                log.info(
                    "speech worker", does=offer.craft, name=offer.name, low_accuracy=offer.low, why=offer.why
                )
            self.offers = tuple(event.offers)
        elif isinstance(event, Strained):
            self._strain(event, now)
        else:
            talk = self._talk_of(event)
            interpreter = self._interpreter_of(event)
            if isinstance(event, Clip) and interpreter is None:
                discard(event.path)  # whoever was to hear it is gone
            if talk is None:
                return
            if isinstance(event, Said | Rendered):
                at = self._switch.wall(now)
                caption = talk.said(event, at) if isinstance(event, Said) else talk.rendered(event, at)
                if caption is not None:
                    self.show(caption)
            elif isinstance(event, Speaks):
                self._speaks(talk, event, now)
            elif isinstance(event, Unable):
                self._unable(talk, event)
            if interpreter is not None:
                interpreter.told(event, now)
            latency.count(talk, event)
            for observer in self.observers:
                observer(talk, event, now)

    def _talk_of(self, event: OfLeg) -> Talk | None:
        """Words that were begun before a hold or a transfer are of the talk before it."""
        talk, before = self._talks.get(event.leg), self._late.get(event.leg)
        if talk is None or before is None or not isinstance(event, Said | Rendered | Tone):
            return talk or before
        key = event.leg, event.utterance
        return before if key in before.sentences and key not in talk.sentences else talk

    def _interpreter_of(self, event: OfLeg) -> Interpreting | None:
        """Who interprets between the two now; a clip is of both, and others' last words are nobody's."""
        talk = self._talks.get(event.leg)
        if talk is None or (isinstance(event, Clip) and event.listener not in talk.legs):
            return None
        return self._interpreters.get(talk.call.id)

    def ready(self, now: float) -> None:
        """An ear is there, for the first time or after one that died: it hears who was heard."""
        for talk in self._of.values():
            self._hear(talk)
        for each in self._interpreters.values():
            each.all_ways(Fault.LOST, True, now)

    def lost(self, now: float) -> None:
        """The ear died. What stood stands; what it was hearing is over."""
        for each in self._interpreters.values():
            each.all_ways(Fault.LOST, False, now)
        for talk in (*self._of.values(), *self._late.values()):
            for sentence in list(talk.sentences.values()):
                if not sentence.said.over:
                    self.told(ended(sentence.said), now)
            talk.sentences.clear()  # the next ear counts from 1 again
        self._late.clear()
        self.offers = ()
        self.faults.clear()
        if self.level is not Level.NOTHING:  # of which the next one knows nothing
            self._strain(Strained(Level.NOTHING, 0.0, "speech begins anew"), now)

    def move(self, ear: EarPort, now: float) -> None:
        """Another ear is there instead, and will say when it is ready."""
        if self.ear is not None:
            self.lost(now)
            for talk in self._of.values():
                for leg in talk.legs.values():
                    self._switch.media.send(leg.worker, Untap(leg.number, self.ear.taps))
        self.ear = ear

    def _legs(self, call: Call) -> tuple[int, ...]:
        """Who is to be heard now: both, while they talk."""
        pair = (call.customer, call.party)
        if call.state is not State.TALKING or not all(leg and leg.media is Media.OPEN for leg in pair):
            return ()
        return tuple(leg.number for leg in pair if leg is not None)

    def _begin(self, call: Call, legs: tuple[int, ...], now: float) -> None:
        assert call.customer is not None and call.party is not None
        agent = self._switch.config.agents.get(call.party.agent)
        spoken = agent.languages if agent is not None else ()
        languages = {
            call.customer.number: call.language,
            call.party.number: spoken[0] if spoken else self._switch.config.language.agents,
        }
        before = call.talked  # what was found of a side, and what both chose, is known after a hold as well
        if before is not None:
            languages |= {leg: tongue for leg, tongue in before.languages.items() if leg in languages}
        voices = dict.fromkeys(legs, _voice(call, languages))
        if before is not None and tuple(before.legs) == legs:
            voices = dict(before.wanted)
        talk = Talk(call, {each: self._switch.legs[each] for each in legs}, languages, voices)
        if call.guest is not None and call.guest.joined:
            talk.waiting, talk.voices = voices, dict.fromkeys(legs, VOICES["off"])
        self._of[call.id] = talk
        self._talks.update(dict.fromkeys(legs, talk))
        self._hear(talk)
        for leg, voice in talk.voices.items():
            if voice != "off":
                self._interpreter(talk).choose(leg, voice, now)

    def _interpreter(self, talk: Talk) -> Interpreting:
        """The talk's, from now on."""
        known = self._interpreters.get(talk.call.id)
        if known is None:
            terms = policy.Terms(late_s=self._switch.config.language.lag_s)
            known = self._interpreters[talk.call.id] = Interpreting(
                talk, terms, self._notice(talk), self._unspoken(talk), self.clips
            )
        return known

    def _notice(self, talk: Talk) -> Callable[[policy.TellOf, float], None]:
        def tell(told: policy.TellOf, now: float) -> None:
            call, leg = talk.call, talk.legs[told.leg]
            if told.leg == told.listener and told.word != "dropped":
                voice, fault = self.interpreter(call.id, told.leg)
                call.note(InterpreterChanged, now, side=leg.side.value, voice=voice, fault=fault)
            self.tell(leg, told)

        return tell

    def _unspoken(self, talk: Talk) -> Callable[[Clip, float], None]:
        """Whoever was to hear it may read it: its caption says so."""

        def show(clip: Clip, now: float) -> None:
            caption = talk.unspoken(clip.leg, clip.utterance, self._switch.wall(now))
            if caption is not None:
                self.show(caption)

        return show

    def _hear(self, talk: Talk) -> None:
        assert self.ear is not None, "talks are where an ear is"
        for attend in talk.attends(self._switch.config.language.vocabularies):
            self.ear.send(attend)
        for leg in talk.legs.values():
            self._switch.media.send(leg.worker, Tap(leg.number, self.ear.taps))

    def _end(self, talk: Talk, now: float) -> None:
        """They talk no more, to each other."""
        assert self.ear is not None
        interpreter = self._interpreters.pop(talk.call.id, None)
        if interpreter is not None:
            interpreter.end(now)
        talk.call.talked = talk
        del self._of[talk.call.id]
        for number, leg in talk.legs.items():
            self._talks.pop(number, None)
            self._late[number] = talk  # its last words are still on their way
            self.ear.send(Ignore(number))
            if leg.media is Media.OPEN:
                self._switch.media.send(leg.worker, Untap(number, self.ear.taps))
        self.faults = {key: why for key, why in self.faults.items() if key[0] not in talk.legs}
        while len(self._late) > LATE:
            self._late.popitem(last=False)

    def _strain(self, event: Strained, now: float) -> None:
        self.level = event.level
        works = event.level < Level.VOICES
        for each in self._interpreters.values():
            each.all_ways(Fault.SHED, works, now)
        self.strained = event.text if event.level is not Level.NOTHING else ""
        log.warning("speech", says=event.text)
        at = self._switch.wall(now)
        self._switch.note(SpeechStrained(at=at, level=int(event.level), load=event.load, text=event.text))

    def _speaks(self, talk: Talk, event: Speaks, now: float) -> None:
        """From now on that side is heard, and told things, in the language that it speaks."""
        if event.leg not in self._talks:
            return
        before = _voice(talk.call, talk.languages)
        talk.languages[event.leg] = event.language
        side = talk.legs[event.leg].side
        talk.call.note(LanguageFound, now, side=side.value, language=event.language)
        self._hear(talk)
        voice = _voice(talk.call, talk.languages)
        if voice != before:
            voices = dict.fromkeys(talk.legs, voice)
            if talk.waiting:
                talk.waiting = voices
            else:
                self._choose_all(talk, voices, now)

    def _unable(self, talk: Talk, event: Unable) -> None:
        if event.over:
            self.faults.pop((event.leg, event.what), None)
            return
        if event.leg in self._talks:  # or nobody would ever take it out again
            self.faults[event.leg, event.what] = event.why
        log.warning("speech", call=talk.call.id, cannot=event.what, why=event.why)


def _voice(call: Call, languages: Mapping[int, str]) -> Voice:
    """How both hear each other unless they choose: by an interpreter where the queue has one and they need
    one.
    """
    wanted = call.queue is not None and not alike(*languages.values())
    return VOICES[call.queue.speech.voice if wanted and call.queue is not None else "off"]


def ended(said: Said) -> Said:
    """The same, with nothing more to come."""
    return Said(
        said.leg, said.utterance, said.serial + 1, said.stands, "", said.begin, said.end, True,
        said.language, said.by, said.low, said.lost_s,
    )  # fmt: skip
