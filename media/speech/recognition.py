"""Utterances and the recognisers that are asked about them.

An utterance's sound goes to a recogniser every `partial_s` and once more when it is over. What a recogniser
answers is judged by the utterance's policy (media/speech/utterance.py); what stands is translated. Whoever is
asked may be slow, wrong or gone: what stood stands, and what was asked is asked of another, from the
utterance's first sample on if need be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from media.speech import utterance
from media.speech.dispatch import Dispatch
from media.speech.jobs import AnyJob, Failed, Forget, Hear, Heard
from media.speech.listener import Listener, Spell
from media.speech.messages import Said, Settled, Speaks, SpeechEvent
from media.speech.pace import Cost, Pace
from media.speech.rendering import Rendering
from media.speech.segment import Ended
from media.speech.shedding import Kind, Shedding
from media.speech.translation import Interpreter
from media.speech.utterance import Revision, Utterance

FEED_S = 1.0  # how often a recogniser that hears a sound once is given it where no guess is asked for
FIRST_S = 0.3  # of sound that a guess is asked about
TRIES = 3  # of an utterance that recognisers fail at
AGAIN_S = 0.3  # between two tries for its last words
PREPARED = 64  # vocabularies at most
PREPARE_DUE_S = 10.0
ANY_HZ = 8000  # of no sound
BUSY = "the machine is busy; some calls have no captions for a while"


@dataclass(frozen=True, slots=True)
class Terms:
    """partial_s: between two guesses about an utterance, 0 for none before its end. partial_due_s,
    final_due_s: after which a guess is of no use.
    """

    utterance: utterance.Terms = field(default_factory=utterance.Terms)
    partial_s: float = 0.3
    partial_due_s: float = 1.5
    final_due_s: float = 3.5


class Recognition:
    """All utterances of an ear. send: gives a job to a worker. wait: keeps one for a worker that may come.
    name: of the ear, at the beginning of its streams' names.
    """

    def __init__(
        self,
        terms: Terms,
        dispatch: Dispatch,
        shedding: Shedding,
        interpreter: Interpreter,
        tell: Callable[[SpeechEvent], None],
        send: Callable[[int, AnyJob], None],
        wait: Callable[[AnyJob, float], None],
        name: str,
    ) -> None:
        self.terms = terms
        self._dispatch = dispatch
        self._shedding = shedding
        self._interpreter = interpreter
        self._tell = tell
        self._send = send
        self._wait = wait
        self._name = name
        self._spells: dict[str, tuple[Listener, Spell]] = {}  # by stream
        self._keys = 0
        self._begun = 0  # utterances; a leg that is heard anew does not count from 1 while some are not done
        self._costs = {kind: Cost() for kind in (Kind.FINAL, Kind.PARTIAL)}
        self._pace = Pace()
        self._prepared: set[tuple[tuple[str, ...], tuple[str, ...]]] = set()  # vocabularies

    @property
    def open(self) -> int:
        """Utterances that are not done."""
        return len(self._spells)

    def prepare(self, listener: Listener, now: float) -> None:
        """Have a recogniser make ready what its phrases take, before the first of them is said: an utterance
        without a sound is begun and forgotten, and what it took is kept there.
        """
        terms, self._keys = listener.terms, self._keys + 1
        vocabulary = terms.languages[:1], terms.phrases
        if not terms.phrases or vocabulary in self._prepared or len(self._prepared) >= PREPARED:
            return
        stream = f"{self._name}.{listener.leg}.ready{self._keys}"
        job = Hear(
            f"{stream}.{self._keys}", PREPARE_DUE_S, stream, 0, b"", ANY_HZ, now, terms.languages,
            phrases=terms.phrases,
        )  # fmt: skip
        offer = self._dispatch.offer_for(job)
        if offer is None or not offer.streams:
            return
        worker = self._dispatch.give(job, now)
        if worker is not None:
            self._prepared.add(vocabulary)
            self._dispatch.drop(job.key)
            self._dispatch.give(forget := Forget("", 0.0, stream), now)
            self._send(worker, job)
            self._send(worker, forget)

    def unprepared(self) -> None:
        """Who made something ready may be gone."""
        self._prepared.clear()

    def begin(self, listener: Listener, at: float, now: float) -> None:
        """A leg has begun to speak."""
        self._begun += 1
        listener.utterances = self._begun
        said = Utterance(listener.utterances, at, self.terms.utterance)
        stream = f"{self._name}.{listener.leg}.{listener.utterances}"
        spell = Spell(said, stream, listener.rate, bytearray(), now)
        spell.language = listener.belief.language
        listener.begin(spell, at)
        self._spells[stream] = listener, spell

    def end(self, listener: Listener, event: Ended, now: float) -> None:
        """It has ended."""
        spell = listener.end(event, now)
        if spell.shed:
            self._without(spell, now)
            spell.utterance.give_up(now)
        else:
            self._ask(listener, spell, now)

    def tick(self, now: float) -> None:
        """Guesses that are due, and words that stand by their age."""
        cores = self._pace.stuck(self.terms.final_due_s, now)
        if cores is not None:
            self._shedding.found(cores, now)
        for listener, spell in list(self._spells.values()):
            if not (spell.shed or spell.utterance.over) and not self._shedding.does(Kind.FINAL, listener.leg):
                self._shed(listener, spell, now)
            when = spell.utterance.next_timeout()
            if when is not None and now >= when:
                self._revised(listener, spell, spell.utterance.tick(now), now)
            if not spell.owed and self._wants(listener, spell, now):
                self._ask(listener, spell, now)
            self._finish(spell)

    def heard(self, job: Hear, result: Heard, now: float) -> None:
        """A recogniser's answer."""
        cores = self._pace.answered(job.key, result.cost_s, now)
        if cores is not None:
            self._shedding.found(cores, now)
        known = self._spells.get(job.stream)
        if known is None or known[1].shed:
            return
        listener, spell = known
        kind, seconds = self._work(job)
        spell.unpaid_s, spell.paid_s = spell.unpaid_s + seconds, spell.paid_s + result.cost_s
        if result.guess is not None:  # all that it was given has been worked on
            self._costs[kind].learn(spell.unpaid_s, spell.paid_s)
            spell.unpaid_s = spell.paid_s = 0.0
        if spell.owed == job.key:
            spell.owed = ""
        if result.missing is not None:
            spell.sent = result.missing
            self._ask(listener, spell, now)
        elif result.guess is not None:
            listener.able("hear", self._tell)
            self._believe(listener, spell, job, result)
            serial = int(job.key.rpartition(".")[2])
            guess = result.guess._replace(serial=serial, final=job.final)
            revision = spell.utterance.hear(guess, spell.voiced, spell.loud, now, result.hold_s)
            self._revised(listener, spell, revision, now)
            self._finish(spell)

    def failed(self, job: Hear, result: Failed, now: float) -> None:
        """A recogniser could not, or none is there: ask again, or do without."""
        self._pace.dropped(job.key)
        known = self._spells.get(job.stream)
        if known is None or known[1].shed:
            return
        listener, spell = known
        spell.owed, spell.failures = "", TRIES if result.ever else spell.failures + 1
        if spell.failures >= TRIES:
            listener.unable("hear", result.why, self._tell)

    def again(self, job: Hear, now: float) -> None:
        """Who was asked is gone, or somebody is there now."""
        self._pace.dropped(job.key)
        known = self._spells.get(job.stream)
        if known is not None and not known[1].shed and (job.final or not known[1].ended):
            known[1].owed = ""
            self._ask(*known, now)

    def review(self, stream: str) -> None:
        """Perhaps that was the last that an utterance waited for."""
        known = self._spells.get(stream)
        if known is not None:
            self._finish(known[1])

    def _wants(self, listener: Listener, spell: Spell, now: float) -> bool:
        """Whether it is time to ask for a guess, or once more for last words that could not be had."""
        if spell.failures >= TRIES:
            return False
        if spell.ended:
            failed = spell.failures > 0 and not (spell.shed or spell.utterance.over)
            return failed and now - spell.asked_at >= AGAIN_S
        fresh = (spell.samples - spell.sent) / spell.rate
        pause = self.terms.partial_s if self._hurries(listener) else FEED_S
        return fresh >= FIRST_S and now - spell.asked_at >= pause

    def _ask(self, listener: Listener, spell: Spell, now: float) -> None:
        """Ask what it is by now."""
        spell.asked_at = now
        if spell.shed or not self._shedding.does(Kind.FINAL, listener.leg):
            self._shed(listener, spell, now)
            return
        job = self._job(listener, spell)
        offer = self._dispatch.offer_for(job)
        kind, seconds = self._work(job)
        left_out = kind is Kind.PARTIAL and not self._hurries(listener)
        if offer is not None:
            self._shedding.wanted(kind, self._costs[kind].each * seconds, now, done=not left_out)
        if offer is not None and left_out:
            return
        worker = self._dispatch.give(job, now)
        if worker is not None:
            self._pace.asked(job.key, now)
            spell.sent, spell.owed = spell.samples, job.key
            self._send(worker, job)
        elif spell.ended:
            spell.owed = job.key
            self._wait(job, now)

    def _work(self, job: Hear) -> tuple[Kind, float]:
        """What an ask is, and of how much sound. Who hears a sound once has to hear it, guess or not."""
        offer = self._dispatch.offer_for(job)
        streams = offer is not None and offer.streams
        samples = len(job.pcm) // 2 + (0 if streams else job.at)
        return Kind.FINAL if job.final or streams else Kind.PARTIAL, samples / job.rate

    def _shed(self, listener: Listener, spell: Spell, now: float) -> None:
        """It has no captions from here on: what is still to be done about it is left out as well."""
        self._without(spell, now)
        if not spell.shed:
            spell.shed = True
            listener.unable("hear", BUSY, self._tell)
            self._pace.dropped(spell.owed)
            self._dispatch.drop(spell.owed)
            self._forget(spell)
            if spell.ended:
                spell.utterance.give_up(now)

    def _without(self, spell: Spell, now: float) -> None:
        """Sound that is not heard is wanted all the same."""
        seconds = (spell.samples - spell.sent) / spell.rate
        self._shedding.wanted(Kind.FINAL, self._costs[Kind.FINAL].each * seconds, now)
        spell.sent = spell.samples

    def _hurries(self, listener: Listener) -> bool:
        """Whether guesses are wanted, and there is time for them."""
        return self.terms.partial_s > 0 and self._shedding.does(Kind.PARTIAL, listener.leg)

    def _job(self, listener: Listener, spell: Spell) -> Hear:
        begin = spell.sent if self._dispatch.keeps(spell.stream) else 0
        terms, self._keys = listener.terms, self._keys + 1
        return Hear(
            key=f"{spell.stream}.{self._keys}",
            due_s=self.terms.final_due_s if spell.ended else self.terms.partial_due_s,
            stream=spell.stream,
            at=begin,
            pcm=bytes(memoryview(spell.pcm)[2 * begin :]),
            rate=spell.rate,
            begin=spell.utterance.begin,
            languages=listener.belief.order(terms.languages),
            hints=terms.hints,
            phrases=terms.phrases,
            final=spell.ended,
        )

    def _believe(self, listener: Listener, spell: Spell, job: Hear, result: Heard) -> None:
        """Who heard it, and in which language: that of a leg may be another than was expected."""
        spell.by, spell.low = result.by, result.low
        if result.language:
            spell.language = result.language
            several = job.final and len(listener.terms.languages) != 1
            if several and listener.belief.hear(result.language, result.sure, spell.voiced):
                self._tell(Speaks(listener.leg, result.language))

    def _revised(self, listener: Listener, spell: Spell, revision: Revision | None, now: float) -> None:
        """Its text is another now: tell it, and have what stands translated."""
        if revision is None:
            return
        said = spell.utterance
        lags = {stage: at - spell.end for stage, at in said.lags.at.items()} if spell.ended else {}
        end = spell.end if spell.ended else now
        self._tell(
            Said(
                listener.leg, said.number, revision.serial, revision.stands, revision.guess, revision.begin,
                end, revision.over, spell.language, spell.by, spell.low, spell.lost_s, lags,
            )
        )  # fmt: skip
        clauses = said.clauses()
        for into in listener.into:
            rendering = spell.renderings.get(into.leg)
            if rendering is None:
                rendering = spell.renderings[into.leg] = Rendering(into)
            elif rendering.into.language == into.language:
                rendering.into = into  # with a voice or without from the next clause on
            self._interpreter.follow(listener, spell, rendering, clauses, revision, now)

    def _finish(self, spell: Spell) -> None:
        """Let it go when nothing more can come of it."""
        known = self._spells.get(spell.stream)
        if known is None or not spell.done:
            return
        del self._spells[spell.stream]
        known[0].spells.remove(spell)
        if not known[0].spells:
            self._tell(Settled(known[0].leg))
        self._forget(spell)

    def _forget(self, spell: Spell) -> None:
        forget = Forget("", 0.0, spell.stream)
        worker = self._dispatch.give(forget, 0.0)
        if worker is not None:
            self._send(worker, forget)
