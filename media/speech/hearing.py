"""The craft of hearing: jobs of an ear, done by a recogniser.

The utterances that it knows are fed as their sound comes; what is asked of them waits in line by its deadline
(media/speech/deadlines.py) and is done in batches. Guesses of an utterance are numbered by how much of it was
heard, so that those of a worker which took over go on where the one before ended. Utterances, their length,
the line and the time that any of it is kept are bounded.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import msgspec

from media.speech.deadlines import Ask, Deadlines
from media.speech.jobs import AnyJob, AnyResult, Failed, Forget, Hear, Heard, Offer
from media.speech.phonetics import Names
from media.speech.recogniser import Recogniser, RecogniserFault, Said
from media.speech.word import Guess, Word

LOWEST_HZ, HIGHEST_HZ = 8000, 48000
# What libraries raise when a model cannot do something; anything else is a fault of ours and ends the worker.
BROKEN = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Terms:
    """streams: utterances at once. longest_s: of one. idle_s: after which one that nobody asks for is
    forgotten. most: asks in line; turns: bounded pieces that one ask may take. texts, long: of hints or
    phrases, and characters of each.
    """

    streams: int = 256
    longest_s: float = 60.0
    idle_s: float = 30.0
    most: int = 1024
    turns: int = 2000
    texts: int = 2000
    long: int = 200


@dataclass(slots=True)
class Stream:
    """begin: s on the call's clock of its first sample. samples: that were heard. hints: terms among which
    names may be heard wrongly.
    """

    rate: int
    begin: float
    asked_at: float
    samples: int = 0
    hints: tuple[str, ...] = ()
    language: str = ""


class Hearing:
    """spent: seconds of a core that this process has used, as time.process_time tells. why: how the
    recogniser came to be chosen.
    """

    def __init__(
        self,
        recogniser: Recogniser,
        spent: Callable[[], float],
        terms: Terms | None = None,
        why: str = "",
    ) -> None:
        self.recogniser = recogniser
        self.terms = terms or Terms()
        self.why = why
        self._spent = spent
        self._streams: OrderedDict[str, Stream] = OrderedDict()  # by when they were asked for last
        self._line = Deadlines(recogniser.batch, self.terms.most)
        self._answers: deque[AnyResult] = deque()

    @property
    def offer(self) -> Offer:
        each = self.recogniser
        return Offer(
            "hear",
            each.name,
            each.languages,
            low=each.low,
            closed=each.closed,
            streams=each.streams,
            why=self.why,
        )

    @property
    def busy(self) -> bool:
        return bool(self._answers) or len(self._line) > 0

    def take(self, job: AnyJob, now: float) -> None:
        """Sound is kept at once, whatever becomes of the question."""
        if isinstance(job, Forget):
            self._forget(job.stream)
        elif isinstance(job, Hear):
            self._idle(now)
            answer = self._hear(job, now)
            if answer is not None:
                self._answers.append(answer)
        else:
            self._answers.append(Failed(job.key, why=f"{self.recogniser.name} hears; it does nothing else"))

    def work(self, now: float) -> Sequence[AnyResult]:
        """One batch, and what there was to say before it."""
        told = list(self._answers)
        self._answers.clear()
        told += [self._nothing(ask) for ask in self._line.late(now)]
        asks = self._line.take(now)
        return told + self._done(asks, now) if asks else told

    def close(self) -> None:
        for stream in list(self._streams):
            self._forget(stream)
        self.recogniser.close()

    def _hear(self, job: Hear, now: float) -> AnyResult | None:
        """Keeps the sound and puts the question in line. What can be said at once is returned."""
        before, refused = self._spent(), self._refused(job)
        if refused:
            self._forget(job.stream)
            return Failed(job.key, self.recogniser.name, why=refused)
        stream = self._streams.get(job.stream)
        if stream is None and job.at == 0:
            try:
                stream = self._start(job, now)
            except RecogniserFault as fault:
                return Failed(job.key, self.recogniser.name, why=str(fault), ever=fault.ever)
        heard = stream.samples if stream is not None else 0
        if stream is None or job.at > heard:
            return Heard(job.key, self.recogniser.name, missing=heard)
        pcm = job.pcm[2 * (heard - job.at) :]
        if stream.samples + len(pcm) // 2 > self.terms.longest_s * stream.rate:
            self._forget(job.stream)
            return Failed(job.key, self.recogniser.name, why=f"longer than {self.terms.longest_s:.0f} s")
        if pcm:
            self.recogniser.feed(job.stream, pcm)
        stream.samples += len(pcm) // 2
        stream.asked_at = now
        self._streams.move_to_end(job.stream)
        spent = self._spent() - before
        return self._queued(Ask(job.key, job.stream, now + job.due_s, job.final, spent=spent))

    def _refused(self, job: Hear) -> str:
        """What is wrong with it, if anything is."""
        terms, known = self.terms, self._streams.get(job.stream)
        if not LOWEST_HZ <= job.rate <= HIGHEST_HZ:
            return f"{job.rate} Hz: recognisers hear {LOWEST_HZ} to {HIGHEST_HZ}"
        if known is not None and known.rate != job.rate:
            return f"an utterance of {known.rate} Hz goes on at {job.rate}"
        if len(job.pcm) % 2 or job.at < 0:
            return "not whole samples of 16 bits"
        texts = (*job.languages, *job.hints, *job.phrases)
        if len(texts) > terms.texts or any(len(text) > terms.long for text in texts):
            return f"more than {terms.texts} hints and phrases, or one of over {terms.long} characters"
        return ""

    def _start(self, job: Hear, now: float) -> Stream:
        if len(self._streams) >= self.terms.streams:
            raise RecogniserFault(f"{self.terms.streams} utterances are heard already", ever=False)
        try:
            self.recogniser.start(job.stream, job.rate, job.languages, job.hints, job.phrases)
        except BROKEN as error:
            raise RecogniserFault(f"{type(error).__name__}: {error}", ever=False) from error
        stream = Stream(job.rate, job.begin, now)
        if not job.phrases:
            stream.hints, stream.language = job.hints, (job.languages or ("",))[0]
        self._streams[job.stream] = stream
        return stream

    def _queued(self, ask: Ask) -> AnyResult | None:
        """What it put out of the line is answered, so that nobody waits for it."""
        out = self._line.add(ask)
        if out is None:
            return None
        if out is ask and ask.final:
            return Failed(ask.key, self.recogniser.name, why="too much is asked already", ever=False)
        return self._nothing(out)

    def _nothing(self, ask: Ask) -> AnyResult:
        """To one that is left out: its sound is kept, and nobody waits for it."""
        return Heard(ask.key, self.recogniser.name, ask.spent)

    def _idle(self, now: float) -> None:
        """Forgets those that nobody asked for; they are in the order of when they were."""
        while self._streams:
            name, stream = next(iter(self._streams.items()))
            if now - stream.asked_at < self.terms.idle_s:
                return
            self._forget(name)

    def _forget(self, stream: str) -> None:
        self._line.forget(stream)
        if self._streams.pop(stream, None) is not None:
            self.recogniser.stop(stream)

    def _done(self, asks: Sequence[Ask], now: float) -> list[AnyResult]:
        """Ask the recogniser. One utterance that it cannot do spoils nobody else's."""
        before = self._spent()
        try:
            said = self._guesses(asks, now)
        except RecogniserFault as fault:
            if len(asks) > 1:
                return [answer for ask in asks for answer in self._done([ask], now)]
            self._forget(asks[0].stream)
            return [Failed(asks[0].key, self.recogniser.name, why=str(fault), ever=fault.ever)]
        cost = self._spent() - before
        self._line.cost.learn(len(asks), cost)
        answers: list[AnyResult] = []
        for ask in (ask.again(cost / len(asks)) for ask in asks):
            known = said.get(ask.stream)
            answer = self._answer(ask, known) if known is not None else self._once_more(ask)
            answers += [answer] if answer is not None else []
        return answers

    def _guesses(self, asks: Sequence[Ask], now: float) -> Mapping[str, Said]:
        finals = {ask.stream for ask in asks if ask.final}
        try:
            return self.recogniser.guesses([ask.stream for ask in asks], finals, now)
        except BROKEN as error:
            raise RecogniserFault(f"{type(error).__name__}: {error}", ever=False) from error

    def _once_more(self, ask: Ask) -> AnyResult | None:
        """Into the line again, for the next piece."""
        if ask.turns < self.terms.turns:
            return self._queued(ask)
        self._forget(ask.stream)
        return Failed(ask.key, self.recogniser.name, why="it never came to an end", ever=False)

    def _answer(self, ask: Ask, said: Said) -> AnyResult:
        stream = self._streams[ask.stream]
        words = tuple(_on_clock(word, stream.begin) for word in said.guess.words)
        if stream.hints:
            words = _names(stream.hints, said.language or stream.language).corrected(words)
        serial = 2 * stream.samples + ask.final
        guess = Guess(serial, words, ask.final, said.guess.silence, said.guess.logprob)
        if ask.final:
            self._forget(ask.stream)
        told = guess if words or ask.final else None
        answer = Heard(ask.key, self.recogniser.name, ask.spent, told, said.language, said.sure, said.low)
        return msgspec.structs.replace(answer, hold_s=said.hold_s)


@lru_cache(64)
def _names(hints: tuple[str, ...], language: str) -> Names:
    return Names(hints, language)


def _on_clock(word: Word, begin: float) -> Word:
    return word._replace(begin=begin + word.begin, end=begin + word.end)
