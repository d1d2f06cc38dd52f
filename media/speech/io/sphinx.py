"""CMU Sphinx as a recogniser: it comes with the program, and no model has to be fetched.

Open speech is heard in English alone, with low accuracy. What can be said may also be given, as phrases, in
any language that espeak-ng reads: a grammar of one or more of them is heard with few errors. A model of
English by path (`models/en-8k` for telephones) is used in place of the wheel's.

Each utterance has a decoder of its own while it lasts. Those of open speech are large and kept for the next,
which share the statistics of English; those of phrases are made in milliseconds. Of the decoders of open
speech one is kept for last words: a partial guess waits for a free one and is empty until then.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from media.columns import I16
from media.resample import Resampling
from media.speech.io.pronouncing import Pronouncing, spoken_languages
from media.speech.recogniser import RecogniserFault, Said
from media.speech.word import Guess, Word

PIECE_S = 0.6  # of sound that is worked on at once
FIRST_S = 0.6  # that is needed for a first guess: the sound of the line is measured on it
MEASURED_S = 2.0  # and anew on twice as much, up to this: 55 % of words wrong come down to 49
# Noise that is laid where there is digital silence, in stretches of so many samples with nothing above it, or
# in the upper half of a narrow sound's band: the features of a sound are logarithms, and it has none.
HISS, SILENT, NEAR = 8.0, 8.0, 80
# For how long a word changes: what was guessed twice has a fifth more of wrong words than the last guess, and
# where it is so old, too, 2 % more.
HOLD_S = 3.0
HOLD_CLOSED_S = 1.0  # the same of a word among phrases
FRAMES = 100  # a second
DECODERS = 8  # of open speech, 50 to 90 MB each
KEPT = 32  # decoders of phrases that wait to be used again
# Pruning that is twice as fast as the library's own and as good on telephone speech: docs/language.md.
FAST = {"fwdflat": False, "maxhmmpf": 3000, "maxwpf": 10}
# What is best for phrases: of 64 sentences 59 instead of 51, at half the cost.
EXACT = {"fwdflat": False, "bestpath": False}
OWN = "CMU Sphinx en-us"


@dataclass(frozen=True, slots=True)
class Files:
    """Where a model's parts are. rate: Hz that it hears."""

    name: str
    acoustic: Path
    rate: int
    language_model: Path
    dictionary: Path


def files(model: str = "", language_model: str = "", dictionary: str = "") -> Files:
    """Of the wheel where nothing else is named. Raises RecogniserFault."""
    try:
        import pocketsphinx
    except ImportError as error:
        raise RecogniserFault("pocketsphinx is not installed: install the extra 'speech'") from error
    own = Path(pocketsphinx.get_model_path()) / "en-us"
    acoustic = Path(model) if model else own / "en-us"
    if not _has_model(acoustic):
        raise RecogniserFault(f"no Sphinx model in {acoustic}: a folder with mdef, means and feat.params")
    found = Files(
        f"CMU Sphinx {acoustic.name}" if model else OWN,
        acoustic,
        _rate(acoustic),
        Path(language_model) if language_model else own / "en-us.lm.bin",
        Path(dictionary) if dictionary else own / "cmudict-en-us.dict",
    )
    for part in (found.language_model, found.dictionary):
        if not part.is_file():
            raise RecogniserFault(f"no file {part}")
    return found


def _has_model(acoustic: Path) -> bool:
    """The library does not end on an empty file."""
    try:
        head = (acoustic / "mdef").open("rb").read(4)
    except OSError:
        return False
    return head in (b"BMDF", b"FDMB") or head[:2] == b"0."


def _rate(acoustic: Path) -> int:
    """Hz, by the highest frequency that its features have."""
    try:
        text = (acoustic / "feat.params").read_text("utf-8", errors="replace").split()
    except OSError as error:
        raise RecogniserFault(f"a Sphinx model without feat.params: {error}") from error
    params = dict(zip(text[::2], text[1::2]))
    return 8000 if float(params.get("-upperf", "6800")) <= 4000 else 16000


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What can be said."""

    language: str
    phrases: tuple[str, ...]


@dataclass(slots=True)
class Decoder:
    """vocabulary: None for open speech. shown: each word of its grammar, as it is written."""

    engine: Any
    vocabulary: Vocabulary | None = None
    shown: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Stream:
    """waiting: sound, at the model's rate, that was not decoded yet; begun: what was, while it may have to be
    once more; measured: samples that the line's sound was measured on. done: samples that were decoded.
    """

    vocabulary: Vocabulary | None
    convert: Resampling
    narrow: bool  # its rate is lower than the model's
    waiting: bytearray = field(default_factory=bytearray)
    begun: bytearray = field(default_factory=bytearray)
    measured: int = 0
    done: int = 0
    decoder: Decoder | None = None
    flushed: bool = False
    chance: np.random.Generator = field(default_factory=lambda: np.random.default_rng(1))

    def take(self, samples: I16, *, over: bool = False) -> None:
        sound = self.convert.feed(samples.astype(np.float32), over=over)
        near = np.maximum.reduceat(np.abs(sound), np.arange(0, len(sound), NEAR)) if len(sound) else sound
        narrow = self.narrow
        silent = np.repeat((near <= SILENT) | narrow, NEAR)[: len(sound)]
        noise = self.chance.normal(0.0, HISS, len(sound)) * silent
        self.waiting += np.clip(np.rint(sound + noise), -32768, 32767).astype("<i2").tobytes()


class SphinxRecogniser:
    """decoders: of open speech at once, at most, but two; one is made at the start."""

    batch = 1
    streams = True
    low = True
    languages = ("en",)

    def __init__(self, found: Files, decoders: int = DECODERS) -> None:
        self.files = found
        self.name = found.name
        self.closed = tuple(sorted({"en", *spoken_languages()}))
        self._most = max(2, decoders)
        self._pronouncing = Pronouncing(found.dictionary)
        self._streams: dict[str, Stream] = {}
        self._open = 0  # decoders of open speech that there are
        self._idle: list[Decoder] = []
        self._closed: OrderedDict[int, Decoder] = OrderedDict()  # idle ones, the oldest first
        self._ear = self._phrases_decoder(Vocabulary("en", ("hello",)))
        first = self._open_decoder()
        self._shared = first.engine.get_lm()
        self._idle.append(first)

    def start(
        self,
        stream: str,
        rate: int,
        languages: Sequence[str] = (),
        hints: Sequence[str] = (),
        phrases: Sequence[str] = (),
    ) -> None:
        language = languages[0] if languages else "en"
        vocabulary = Vocabulary(language, tuple(phrases)) if phrases else None
        if vocabulary is None and languages and not any(_base(each) == "en" for each in languages):
            raise RecogniserFault(
                f"{self.name} hears open speech in English alone, not {language}: configure a Whisper model, "
                "or give the phrases that can be said"
            )
        made = Stream(vocabulary, Resampling(rate, self.files.rate), rate < self.files.rate)
        if vocabulary is not None:
            made.decoder = self._for_phrases(vocabulary)
        self._streams[stream] = made

    def feed(self, stream: str, pcm: bytes) -> None:
        self._streams[stream].take(np.frombuffer(pcm, "<i2"))

    def guesses(self, streams: Sequence[str], finals: AbstractSet[str], now: float) -> Mapping[str, Said]:
        said = {name: self._guess(self._streams[name], name in finals) for name in streams}
        return {name: each for name, each in said.items() if each is not None}

    def stop(self, stream: str) -> None:
        each = self._streams.pop(stream, None)
        if each is None or each.decoder is None:
            return
        if each.done:
            each.decoder.engine.end_utt()
        self._give_back(each.decoder)

    def close(self) -> None:
        for stream in list(self._streams):
            self.stop(stream)
        self._idle.clear()
        self._closed.clear()

    def _guess(self, stream: Stream, final: bool) -> Said | None:
        """None while there is more to work on."""
        if final and not stream.flushed:
            stream.take(np.zeros(0, np.int16), over=True)
            stream.flushed = True
        nothing = Said(Guess(0, (), final), self._language(stream), low=self._low(stream))
        if not stream.done:
            if not final and len(stream.waiting) < 2 * FIRST_S * self.files.rate:
                return nothing
            if stream.decoder is None and not self._lend(stream, final):
                return None if final else nothing
            if not stream.waiting:
                return nothing
            self._begin(stream)
        elif self._knows_better(stream):
            assert stream.decoder is not None, "lent"
            stream.decoder.engine.end_utt()
            stream.waiting[:0] = stream.begun
            stream.begun.clear()
            stream.done = 0
            self._begin(stream)
        self._decode(stream)
        if stream.waiting:
            return None
        return self._said(stream, final)

    def _begin(self, stream: Stream) -> None:
        """Measures the sound of the line, which the model takes off: by itself it learns it too late."""
        assert stream.decoder is not None, "lent"
        first = bytes(stream.waiting[: 2 * int(MEASURED_S * self.files.rate)])
        stream.measured = len(first) // 2
        ear = self._ear.engine
        ear.start_utt()
        ear.process_raw(first, no_search=True)
        mean = ear.get_cmn(True)
        ear.end_utt()
        stream.decoder.engine.set_cmn(mean)
        stream.decoder.engine.start_utt()

    def _knows_better(self, stream: Stream) -> bool:
        """Whether there is so much more of the line's sound that it is worth another beginning."""
        there = stream.done + len(stream.waiting) // 2
        return stream.measured < MEASURED_S * self.files.rate and there >= 2 * stream.measured

    def _decode(self, stream: Stream) -> None:
        assert stream.decoder is not None, "lent"
        size = 2 * int(PIECE_S * self.files.rate)
        piece = bytes(stream.waiting[:size])
        del stream.waiting[:size]
        if piece:
            stream.decoder.engine.process_raw(piece)
        if stream.measured < MEASURED_S * self.files.rate:
            stream.begun += piece
        stream.done += len(piece) // 2

    def _said(self, stream: Stream, final: bool) -> Said:
        decoder = stream.decoder
        assert decoder is not None, "lent"
        if final:
            decoder.engine.end_utt()
            stream.done = 0
        words = tuple(_words(decoder, final=final))
        hold = HOLD_S if stream.vocabulary is None else HOLD_CLOSED_S
        return Said(Guess(0, words, final), self._language(stream), low=self._low(stream), hold_s=hold)

    def _language(self, stream: Stream) -> str:
        return stream.vocabulary.language if stream.vocabulary is not None else "en"

    def _low(self, stream: Stream) -> bool:
        """Phrases of English are heard well; others by an Englishman's ear."""
        return stream.vocabulary is None or _base(stream.vocabulary.language) != "en"

    def _lend(self, stream: Stream, final: bool) -> bool:
        """A decoder of open speech, where one is free. The last of several is for last words."""
        if not self._idle and self._open < self._most:
            self._idle.append(self._open_decoder())
        spare = len(self._idle) + self._most - self._open
        if not self._idle or (spare <= 1 and not final):
            return False
        stream.decoder = self._idle.pop()
        return True

    def _give_back(self, decoder: Decoder) -> None:
        if decoder.vocabulary is None:
            self._idle.append(decoder)
            return
        self._closed[id(decoder)] = decoder
        while len(self._closed) > KEPT:
            self._closed.popitem(last=False)

    def _for_phrases(self, vocabulary: Vocabulary) -> Decoder:
        for key, decoder in self._closed.items():
            if decoder.vocabulary == vocabulary:
                return self._closed.pop(key)
        return self._phrases_decoder(vocabulary)

    def _open_decoder(self) -> Decoder:
        engine = self._engine(dict=str(self.files.dictionary), **FAST)
        if self._open:
            engine.add_lm("english", self._shared)
        else:
            engine.add_lm_file("english", str(self.files.language_model))
        engine.activate_search("english")
        self._open += 1
        return Decoder(engine)

    def _phrases_decoder(self, vocabulary: Vocabulary) -> Decoder:
        """A grammar of one or more of the phrases, with the words' pronunciations."""
        spoken = [[word for word in phrase.split() if _plain(word)] for phrase in vocabulary.phrases]
        words = list(dict.fromkeys(word for phrase in spoken for word in phrase))
        if not words:
            raise RecogniserFault("phrases without a word that can be said")
        phones = self._pronouncing.of([_plain(word) for word in words], vocabulary.language)
        engine = self._engine(dict=None, **EXACT)
        names = {word: f"w{at}" for at, word in enumerate(words)}
        for word, name in names.items():
            for at, sounds in enumerate(phones[_plain(word)]):
                engine.add_word(name if at == 0 else f"{name}({at + 1})", sounds, False)
        choices = " | ".join(" ".join(names[word] for word in phrase) for phrase in spoken if phrase)
        engine.add_jsgf_string("phrases", f"#JSGF V1.0; grammar g; public <said> = ({choices})+;")
        engine.activate_search("phrases")
        return Decoder(engine, vocabulary, {name: word for word, name in names.items()})

    def _engine(self, **options: Any) -> Any:
        """A decoder of the library. What the model's feat.params says stands against any argument but
        `samprate` and `nfft`.
        """
        from pocketsphinx import Decoder as Engine

        sound = {"samprate": self.files.rate, "nfft": 512}
        try:
            return Engine(hmm=str(self.files.acoustic), lm=None, loglevel="FATAL", **sound, **options)
        except (RuntimeError, ValueError) as error:
            raise RecogniserFault(f"no Sphinx model in {self.files.acoustic}: {error}") from error


def _words(decoder: Decoder, *, final: bool) -> list[Word]:
    """What was recognised, without silence and noises."""
    logs = decoder.engine.logmath
    found = []
    for each in decoder.engine.seg() or ():
        name = each.word.partition("(")[0]
        if each.word[0] in "<[+" or not name:
            continue
        text = decoder.shown.get(name, name)
        sure = min(1.0, math.exp(logs.log_to_ln(each.prob))) if final else 1.0
        found.append(Word(f" {text}", each.start_frame / FRAMES, (each.end_frame + 1) / FRAMES, sure))
    return found


def _plain(word: str) -> str:
    """As it is looked up and read: without marks around it."""
    return word.strip("\"'.,;:!?¿¡…()[]«»„“”‚‘’-").casefold()


def _base(language: str) -> str:
    return language.casefold().split("-")[0]
