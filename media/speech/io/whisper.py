"""Whisper by faster-whisper: open speech in some hundred languages, of many utterances in one pass.

A guess is made anew of all that was heard of an utterance, up to what the model hears at once (30 s); of a
longer one, the words of its older half stay as they were. Utterances of one language go through the decoder
together, all of them through the encoder. The language is taken from the first seconds and looked at again
while it is not sure; after that it stays, so that a word of another does not turn a caption over.

Nothing but what VAD passed comes here, and yet there may be no speech in it: the model's own probability of
that, and of its words, go along with each guess (media/speech/doubt.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from media.columns import F32
from media.resample import Resampling
from media.speech.language import among, nearest
from media.speech.recogniser import RecogniserFault, Said
from media.speech.word import Guess, Word

RATE = 16000
BATCH = 8
LEAST_S = 0.3  # of sound for a guess
LOOK_S = (1.0, 3.0, 6.0)  # of sound at which the language is looked at again
SURE = 0.8  # from which on it stays
EXPECTED = 3.0  # times that the language named first is likelier than another, before anything is heard
TOKENS_S, TOKENS = 12, 16  # that are said in a second at most, and besides: a loop ends there
PUNCTUATION = ("\"'“¿([{-", "\"'.。,，!！?？:：”)]}、")
HINTS = 60  # of a glossary's terms that a prompt has
BEFORE = 20  # words
HOLD_S = 1.0  # sound that ends within a word, or soon after it, is taken for another one
FULL = 0.9  # of what the model hears at once, from which on an utterance is cut
NOTHING = 0  # a token that stands for no words where some are wanted


@dataclass(slots=True)
class Stream:
    """sound: from `offset` s of the utterance on, at 16 kHz. before: words that ended by then. looked: times
    that the language was looked at.
    """

    convert: Resampling
    languages: tuple[str, ...]
    hints: tuple[str, ...]
    sound: list[F32] = field(default_factory=list)
    offset: float = 0.0
    before: tuple[Word, ...] = ()
    language: str = ""
    sure: float = 0.0
    looked: int = 0
    flushed: bool = False

    @property
    def seconds(self) -> float:
        return sum(map(len, self.sound)) / RATE

    def whole(self) -> F32:
        self.sound = [np.concatenate(self.sound)] if self.sound else [np.zeros(0, np.float32)]
        return self.sound[0]


class WhisperRecogniser:
    """model: a folder, or a name that faster-whisper knows. device: auto, cpu or cuda. compute: "int8" and
    others of CTranslate2. fetch: whether a name may be fetched from the model hub.
    """

    streams = False
    low = False
    closed: tuple[str, ...] = ()

    def __init__(
        self,
        model: str,
        device: str = "auto",
        compute: str = "int8",
        threads: int = 1,
        batch: int = BATCH,
        *,
        fetch: bool = False,
    ) -> None:
        self.batch = batch
        self._whisper = _loaded(model, device, compute, threads, fetch=fetch)
        self._window = self._whisper.feature_extractor.n_samples / RATE
        known = self._whisper.hf_tokenizer.token_to_id
        spoken = self._whisper.supported_languages
        self.languages = tuple(each for each in spoken if known(f"<|{each}|>") is not None) or ("en",)
        self.name = f"Whisper {Path(model).name}"
        self._several = bool(self._whisper.model.is_multilingual)
        self._streams: dict[str, Stream] = {}

    def start(
        self,
        stream: str,
        rate: int,
        languages: Sequence[str] = (),
        hints: Sequence[str] = (),
        phrases: Sequence[str] = (),
    ) -> None:
        known = tuple(each for each in languages if among(each, self.languages))
        if languages and not known:
            raise RecogniserFault(f"{self.name} does not hear {', '.join(languages)}")
        self._streams[stream] = Stream(Resampling(rate, RATE), known, (*hints, *phrases)[:HINTS])

    def feed(self, stream: str, pcm: bytes) -> None:
        each = self._streams[stream]
        samples = np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)
        each.sound.append(each.convert.feed(samples))

    def guesses(self, streams: Sequence[str], finals: AbstractSet[str], now: float) -> Mapping[str, Said]:
        said, asked = {}, []
        for name in streams:
            stream = self._streams[name]
            if name in finals and not stream.flushed:
                stream.sound.append(stream.convert.feed(np.zeros(0, np.float32), over=True))
                stream.flushed = True
            if stream.seconds < LEAST_S and not stream.before:
                said[name] = Said(Guess(0, (), name in finals), stream.language or _first(stream.languages))
            else:
                asked.append(name)
        if asked:
            said |= self._heard(asked, finals)
        return said

    def stop(self, stream: str) -> None:
        self._streams.pop(stream, None)

    def close(self) -> None:
        self._streams.clear()

    def _heard(self, names: Sequence[str], finals: AbstractSet[str]) -> dict[str, Said]:
        """One pass for all of one language whose prompts are as long, as those of the same hints are."""
        groups: dict[tuple[int, str], list[str]] = defaultdict(list)
        for name in names:
            stream = self._streams[name]
            groups[len(self._lead(stream)), "" if self._unsure(stream) else stream.language].append(name)
        said: dict[str, Said] = {}
        for (_, language), group in groups.items():
            encoded = self._encoded(group)
            if not language:
                self._look([self._streams[name] for name in group], encoded)
            found = {self._streams[name].language for name in group}
            for each in found:
                own = [name for name in group if self._streams[name].language == each]
                said |= self._said(own, finals, encoded if len(found) == 1 else self._encoded(own))
        return said

    def _encoded(self, names: Sequence[str]) -> Any:
        return self._whisper.encode(np.stack([self._features(self._streams[name]) for name in names]))

    def _said(self, names: Sequence[str], finals: AbstractSet[str], encoded: Any) -> dict[str, Said]:
        """Of one language."""
        said: dict[str, Said] = {}
        streams = [self._streams[name] for name in names]
        for name, stream, (words, silence, logprob) in zip(names, streams, self._told(encoded, streams)):
            final = name in finals
            guess = Guess(0, (*stream.before, *words), final, silence, logprob)
            language = nearest(stream.language, stream.languages) or stream.language
            said[name] = Said(guess, language, stream.sure, hold_s=HOLD_S)
            if not final and stream.seconds > self._window * FULL:
                self._leave_behind(stream, words)
        return said

    def _features(self, stream: Stream) -> F32:
        """float32[mels, frames] of the newest that the model hears at once."""
        extract = self._whisper.feature_extractor
        found = extract(stream.whole()[-extract.n_samples :])[:, : extract.nb_max_frames]
        padded: F32 = np.pad(found, ((0, 0), (0, extract.nb_max_frames - found.shape[1])))
        return padded

    def _look(self, streams: Sequence[Stream], encoded: Any) -> None:
        """What language it is; among those that were named, where any was."""
        for stream, found in zip(streams, self._whisper.model.detect_language(encoded)):
            shares = {token[2:-2]: share for token, share in found if token[2:-2] in self.languages}
            possible = {
                each: share for each, share in shares.items() if among(each, stream.languages)
            } or shares
            first = nearest(_first(stream.languages), possible)
            if first is not None:
                possible[first] *= EXPECTED
            stream.language = max(possible, key=lambda each: possible[each])
            stream.sure = possible[stream.language] / max(sum(possible.values()), 1e-9)
            stream.looked = sum(stream.seconds >= each for each in LOOK_S)

    def _unsure(self, stream: Stream) -> bool:
        if not self._several or len(stream.languages) == 1:
            first = (stream.languages or self.languages)[0]
            stream.language, stream.sure = nearest(first, self.languages) or self.languages[0], 1.0
            return False
        due = sum(stream.seconds >= each for each in LOOK_S)
        return not stream.language or (stream.sure < SURE and due > stream.looked)

    def _told(
        self, encoded: Any, streams: Sequence[Stream]
    ) -> Iterator[tuple[tuple[Word, ...], float, float]]:
        """Words with their times, the probability of silence and the tokens' mean log probability."""
        tokenizer = self._tokenizer(streams[0].language)
        head = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
        prompts = [[*self._lead(stream), *head] for stream in streams]
        seconds = max(min(stream.seconds, self._window) for stream in streams)
        most = len(prompts[0]) + TOKENS + int(TOKENS_S * seconds)
        results = self._whisper.model.generate(
            encoded,
            prompts,
            beam_size=1,
            max_length=min(most, self._whisper.max_length),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
            suppress_tokens=[-1],
        )
        tokens = [[each for each in result.sequences_ids[0] if each < tokenizer.eot] for result in results]
        timed = self._timed(tokenizer, tokens, encoded, streams)
        for result, stream, words in zip(results, streams, timed):
            placed = tuple(_placed(words, stream.offset))
            yield placed, float(result.no_speech_prob), float(result.scores[0])

    def _timed(
        self, tokenizer: Any, tokens: list[list[int]], encoded: Any, streams: Sequence[Stream]
    ) -> list[list[dict[str, Any]]]:
        """Words with when they were said, by what the decoder looked at."""
        from faster_whisper.transcribe import merge_punctuations

        if not any(tokens):
            return [[] for _ in tokens]
        frames = [max(2, int(min(stream.seconds, self._window) * 100)) for stream in streams]
        given = [each or [NOTHING] for each in tokens]
        aligned = self._whisper.find_alignment(tokenizer, given, encoded, frames)
        for words in aligned:
            merge_punctuations(words, *PUNCTUATION)
        return [[word for word in words if word["word"] and said] for words, said in zip(aligned, tokens)]

    def _lead(self, stream: Stream) -> list[int]:
        """What a prompt begins with: terms that may be said, and the words before what is heard."""
        encode = self._whisper.hf_tokenizer.encode
        before = "".join(word.text for word in stream.before[-BEFORE:])
        text = " " + ", ".join(stream.hints) if stream.hints else ""
        tokens = [encode(each, add_special_tokens=False).ids for each in (text, before) if each]
        lead = [token for each in tokens for token in each][: self._whisper.max_length // 2 - 1]
        return [self._whisper.hf_tokenizer.token_to_id("<|startofprev|>"), *lead] if lead else []

    def _tokenizer(self, language: str) -> Any:
        from faster_whisper.tokenizer import Tokenizer

        return Tokenizer(self._whisper.hf_tokenizer, self._several, task="transcribe", language=language)

    def _leave_behind(self, stream: Stream, words: Sequence[Word]) -> None:
        """Words of the older half stay as they are; what follows them is heard on."""
        half = stream.offset + self._window / 2
        old = [word for word in words if word.end <= half]
        cut = old[-1].end if old else half
        stream.sound = [stream.whole()[int((cut - stream.offset) * RATE) :]]
        stream.before = (*stream.before, *old)
        stream.offset = cut


def _loaded(model: str, device: str, compute: str, threads: int, *, fetch: bool) -> Any:
    try:
        from faster_whisper import WhisperModel
    except ImportError as error:
        raise RecogniserFault("faster-whisper is not installed: install the extra `speech`") from error
    try:
        return WhisperModel(
            model, device=device, compute_type=compute, cpu_threads=threads, local_files_only=not fetch
        )
    except (OSError, RuntimeError, ValueError) as error:
        raise RecogniserFault(f"no Whisper model '{model}': {str(error).splitlines()[0]}") from error


def _first(languages: Sequence[str]) -> str:
    return languages[0] if languages else ""


def _placed(words: Sequence[Mapping[str, Any]], offset: float) -> Iterator[Word]:
    """On the utterance's own clock, none ending before it begins or beginning before the last."""
    last = offset
    for word in words:
        begin = max(last, offset + float(word["start"]))
        last = max(begin, offset + float(word["end"]))
        yield Word(str(word["word"]), begin, last, min(1.0, float(word["probability"])))
