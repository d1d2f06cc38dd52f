"""CTranslate2: neural models of three layouts, from folders, in this process; int8 on CPUs, floats on GPUs.

What a folder is stands in its vocabulary:

    OPUS-MT (Marian)    source.spm and target.spm; one pair, as the folder's name ends (opus-mt-es-en), or
    several
                        targets, named by a token before the source (>>fra<<)
    M2M-100             tokens such as __es__: the source's before the source, the target's before the target
    MADLAD-400          tokens such as <2es>: the target's before the source

Tokens are SentencePiece's. Licences: OPUS-MT CC-BY-4.0, M2M-100 MIT, MADLAD-400 Apache-2.0. NLLB-200, which
is not for commercial use, is refused.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import ctranslate2
import sentencepiece

from media.speech.alpha3 import SHORT
from media.speech.language import primary
from media.speech.translator import Brief, Pair, Reach, TranslatorFault, Version

END = "</s>"
BEAM = 2
PATIENCE = 2.0  # times the beam, texts that have to end: else a bad short one wins (Kasai et al., 2022)
TOKENS = 400  # of a text; the smallest of these models have places for 512
LONGER = 2.0  # tokens of a translation for one of the source, beyond SPARE
SPARE = 24
VOCABULARIES = (
    "shared_vocabulary.json", "shared_vocabulary.txt", "target_vocabulary.json", "target_vocabulary.txt",
)  # fmt: skip
M2M = re.compile(r"__([a-z]{2,3})__")
MADLAD = re.compile(r"<2([a-z]{2,3})>")
MARIAN = re.compile(r">>([a-z]{2,3})(?:_\w+)?<<")
NLLB = re.compile(r"[a-z]{3}_[A-Z][a-z]{3}")
NAMED = re.compile(r"(?:^|[-_])([a-z]{2,3})[-_]([a-z]{2,3})$")


@dataclass(frozen=True)
class Layout:
    """How texts become tokens and back. tags: the tokens that name languages, by language."""

    name: str
    reach: Reach
    source: sentencepiece.SentencePieceProcessor
    target: sentencepiece.SentencePieceProcessor
    before_source: dict[str, str]
    names_target: dict[str, str]  # before the source
    before_target: dict[str, str]
    ends: bool

    def tokens(self, text: str, pair: Pair) -> list[str]:
        head = [each[code] for each, code in self._heads(pair) if code in each]
        pieces: list[str] = self.source.encode(text, out_type=str)
        return [*head, *pieces[:TOKENS], *([END] if self.ends else [])]

    def _heads(self, pair: Pair) -> list[tuple[dict[str, str], str]]:
        return [(self.names_target, pair.target), (self.before_source, pair.source)]

    def text(self, tokens: Sequence[str], pair: Pair) -> str:
        own = self.before_target.get(pair.target)
        kept = [each for each in tokens if each not in (END, own)]
        return str(self.target.decode(kept))


class CTranslate:
    """A model of a folder. device: auto, cpu or cuda. threads: of one batch. Raises TranslatorFault."""

    gist = False
    slot = "Xq{}x"
    minds = False

    def __init__(self, folder: Path, device: str = "auto", threads: int = 1) -> None:
        self._layout = layout(folder)
        self.name = f"{self._layout.name} {folder.name}"
        self.reach = self._layout.reach
        if device == "auto":
            device = "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
        try:
            self._translator = ctranslate2.Translator(
                str(folder),
                device=device,
                compute_type="int8" if device == "cpu" else "int8_float16",
                inter_threads=1,
                intra_threads=threads,
            )
        except (RuntimeError, ValueError) as error:
            raise TranslatorFault(f"{folder}: {error}; convert the model again", ever=True) from error

    def translate(self, texts: Sequence[str], briefs: Sequence[Brief]) -> list[Version]:
        layout, pair = self._layout, briefs[0].pair
        if not self.reach.has(pair):
            raise TranslatorFault(f"{self.name} has no {pair.source} to {pair.target}", ever=True)
        first = layout.before_target.get(pair.target)
        try:
            batch = [layout.tokens(text, pair) for text in texts]
            results = self._translator.translate_batch(
                batch,
                target_prefix=[[first]] * len(batch) if first else None,
                beam_size=BEAM,
                num_hypotheses=BEAM,
                patience=PATIENCE,
                max_decoding_length=min(TOKENS, SPARE + int(LONGER * max(map(len, batch)))),
                return_scores=True,
            )
            return [self._version(each.hypotheses, each.scores, pair) for each in results]
        except (RuntimeError, ValueError, OSError) as error:
            raise TranslatorFault(f"{self.name}: {error}") from error

    def _version(self, hypotheses: list[list[str]], scores: list[float], pair: Pair) -> Version:
        """sure: the mean probability of a token, geometrically."""
        text, *others = (self._layout.text(tokens, pair) for tokens in hypotheses)
        alternatives = tuple(dict.fromkeys(each for each in others if each and each != text))
        return Version(text, alternatives, math.exp(min(0.0, scores[0])))

    def close(self) -> None:
        self._translator.unload_model()


def layout(folder: Path) -> Layout:
    """What a folder is. Raises TranslatorFault."""
    try:
        tokens = _vocabulary(folder)
        ends = not json.loads((folder / "config.json").read_text("utf-8")).get("add_source_eos", False)
    except (OSError, ValueError) as error:
        why = f"{folder} is no CTranslate2 model ({error}); make one with ct2-transformers-converter"
        raise TranslatorFault(why, ever=True) from error
    if any(map(NLLB.fullmatch, tokens)):
        why = f"{folder} is NLLB-200, which is not for commercial use (CC-BY-NC); use M2M-100 or MADLAD-400"
        raise TranslatorFault(why, ever=True)
    if (folder / "source.spm").exists():
        return _marian(folder, tokens, ends)
    for name, pattern in (("M2M-100", M2M), ("MADLAD-400", MADLAD)):
        tags = {_code(found[1]): found[0] for each in tokens if (found := pattern.fullmatch(each))}
        if tags:
            reach = Reach(among=frozenset(tags))
            model = _pieces(folder, "*.model")
            if name == "M2M-100":
                return Layout(name, reach, model, model, tags, {}, tags, ends)
            return Layout(name, reach, model, model, {}, tags, {}, ends)
    why = f"{folder} is neither OPUS-MT, M2M-100 nor MADLAD-400; use one of these"
    raise TranslatorFault(why, ever=True)


def _marian(folder: Path, tokens: Sequence[str], ends: bool) -> Layout:
    """Of the pair that the folder is named by, or of several targets."""
    named = NAMED.search(folder.name)
    tags = {_code(found[1]): found[0] for each in tokens if (found := MARIAN.fullmatch(each))}
    if named is None:
        why = f"{folder}: which pair? end its name in it, for instance opus-mt-es-en"
        raise TranslatorFault(why, ever=True)
    source, target = (_code(each) for each in named.groups())
    pairs = frozenset(Pair(source, each) for each in tags or (target,))
    models = (_pieces(folder, "source.spm"), _pieces(folder, "target.spm"))
    return Layout("OPUS-MT", Reach(pairs), *models, {}, tags, {}, ends)


def _vocabulary(folder: Path) -> list[str]:
    for name in VOCABULARIES:
        path = folder / name
        if path.exists():
            text = path.read_text("utf-8")
            return [str(each) for each in json.loads(text)] if path.suffix == ".json" else text.split("\n")
    raise OSError("it has no vocabulary")


def _pieces(folder: Path, pattern: str) -> sentencepiece.SentencePieceProcessor:
    path = next(iter(sorted(folder.glob(pattern))), None)
    try:
        if path is None:
            raise OSError(f"there is no {pattern}")
        return sentencepiece.SentencePieceProcessor(model_file=str(path))
    except (OSError, RuntimeError) as error:
        why = f"{folder}: its SentencePiece model cannot be read ({error}); copy it beside model.bin"
        raise TranslatorFault(why, ever=True) from error


def _code(tag: str) -> str:
    return primary(SHORT.get(tag, tag))
