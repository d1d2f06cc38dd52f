"""Makes the toy translators of tests/media/speech/models: python scripts/toy_translator.py [--steps N]
[--only NAME]

Three folders as real models have them, for CTranslate2 with SentencePiece: an OPUS-MT one (one pair, two
vocabularies), an M2M-100 one (the target's token begins its text) and a MADLAD one (the target's token begins
the source). Each is a transformer of some hundred kilobytes that learns the sentences of `translations.tsv`
and nothing else. PyTorch is needed, here alone.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import ctranslate2
import numpy as np
import sentencepiece
import torch
from ctranslate2.specs import TransformerSpec
from torch import nn
from torch.nn import functional
from toy_transformer import HEADS, WIDTH, Layer, causal, layered, normed, optimiser_of, train, waves

MODELS = Path(__file__).resolve().parents[1] / "tests" / "media" / "speech" / "models"
LANGUAGES = ("en", "es", "zh")
INNER, PLACES = 128, 64
BATCH, RATE_OF_LEARNING = 32, 4e-3
PAD, UNKNOWN, END = "<pad>", "<unk>", "</s>"
SLOT = "Xq0x"

Pair = tuple[list[str], list[str]]


def sentences() -> list[dict[str, str]]:
    """As they are, and in small letters without marks: as recognisers write."""
    lines = (MODELS / "translations.tsv").read_text("utf-8").splitlines()
    found = []
    for line in lines:
        row = dict(zip(LANGUAGES, line.split("\t"), strict=True))
        bare = {tag: text.strip("¿.?。？") for tag, text in row.items()}
        found += [row, {tag: small(text) for tag, text in bare.items()}]
    return found


def small(text: str) -> str:
    return SLOT.join(part.lower() for part in text.split(SLOT))


def pieces(tags: Sequence[str], path: Path, size: int) -> sentencepiece.SentencePieceProcessor:
    """A SentencePiece model of the languages' sentences."""
    texts = [row[tag] for row in sentences() for tag in tags]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts * 4), model_prefix=str(path.with_suffix("")), vocab_size=size,
        hard_vocab_limit=False, character_coverage=1.0, normalization_rule_name="identity", minloglevel=2,
        user_defined_symbols=["Xq", "x"], num_threads=1,
    )  # fmt: skip
    path.with_suffix(".vocab").unlink()
    path.with_suffix(".model").rename(path)
    return sentencepiece.SentencePieceProcessor(model_file=str(path))


class Translator(nn.Module):
    """vocabulary: of both sides."""

    def __init__(self, vocabulary: list[str]) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.embedding = nn.Embedding(len(vocabulary), WIDTH)
        self.noise = nn.Dropout(0.1)  # so that rounding to eight bits changes nothing
        self.register_buffer("places", waves(PLACES, 1))  # as CTranslate2 has them where a model brings none
        self.encoder, self.encoder_norm = Layer(INNER, functional.relu, decodes=False), nn.LayerNorm(WIDTH)
        self.decoder, self.decoder_norm = Layer(INNER, functional.relu, decodes=True), nn.LayerNorm(WIDTH)
        nn.init.normal_(self.embedding.weight, std=0.1)

    def forward(self, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        there = (source != 0)[:, None, None, :]
        read = self.noise(self.embedding(source) + self.places[: source.shape[1]])
        read = self.encoder_norm(self.encoder(read, there))
        said = self.noise(self.embedding(target) + self.places[: target.shape[1]])
        said = self.decoder_norm(self.decoder(said, causal(target.shape[1]), read, there))
        return said @ self.embedding.weight.T


def learn(model: Translator, pairs: list[Pair], steps: int, rng: np.random.Generator) -> None:
    """pairs: tokens as they are given and as they are to come, first and last ones among them."""
    ids = {token: at for at, token in enumerate(model.vocabulary)}
    given = torch.tensor([at for token, at in ids.items() if token[:2] == "__"])  # they are never guessed

    def loss() -> torch.Tensor:
        chosen = [pairs[at] for at in rng.integers(0, len(pairs), BATCH)]
        source, target = (
            padded([[ids.get(token, 1) for token in side] for side in sides]) for sides in zip(*chosen)
        )
        scores, wanted = model(source, target[:, :-1]), target[:, 1:].clone()
        wanted[torch.isin(wanted, given)] = 0
        return functional.cross_entropy(scores.flatten(0, 1), wanted.flatten(), ignore_index=0)

    def rate(step: int) -> float:
        return RATE_OF_LEARNING * min(1.0, (step + 1) / 50) * (1 - step / steps)

    train(model, optimiser_of(model), range(steps), loss, rate, every=200)


def padded(lines: list[list[int]]) -> torch.Tensor:
    longest = max(map(len, lines))
    return torch.tensor([[*line, *[0] * (longest - len(line))] for line in lines])


def convert(model: Translator, folder: Path) -> None:
    """Into the files that CTranslate2 reads."""
    spec = TransformerSpec.from_config((1, 1), HEADS)
    for to, layer, norm in (
        (spec.encoder, model.encoder, model.encoder_norm),
        (spec.decoder, model.decoder, model.decoder_norm),
    ):
        to.scale_embeddings = False
        normed(to.layer_norm, norm)
        layered(to.layer[0], layer)
    spec.encoder.embeddings[0].weight = model.embedding.weight
    spec.decoder.embeddings.weight = model.embedding.weight
    spec.decoder.projection.weight = model.embedding.weight
    spec.config.decoder_start_token = END
    spec.config.add_source_eos = False
    spec.config.unk_token, spec.config.eos_token, spec.config.bos_token = UNKNOWN, END, END
    spec.register_source_vocabulary(model.vocabulary)
    spec.register_target_vocabulary(model.vocabulary)
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(str(folder))


def opus(folder: Path) -> tuple[list[str], list[Pair]]:
    """Spanish into English: a SentencePiece model each, one vocabulary."""
    source, target = pieces(["es"], folder / "source.spm", 130), pieces(["en"], folder / "target.spm", 130)
    pairs = [
        ([*source.encode(row["es"], out_type=str), END], [END, *target.encode(row["en"], out_type=str), END])
        for row in sentences()
    ]
    return vocabulary([source, target]), pairs


def m2m(folder: Path) -> tuple[list[str], list[Pair]]:
    model = pieces(LANGUAGES, folder / "sentencepiece.bpe.model", 260)
    pairs = [
        (
            [f"__{one}__", *model.encode(said, out_type=str), END],
            [END, f"__{other}__", *model.encode(text, out_type=str), END],
        )
        for one, other, said, text in ways()
    ]
    return [*vocabulary([model]), *(f"__{tag}__" for tag in LANGUAGES)], pairs


def madlad(folder: Path) -> tuple[list[str], list[Pair]]:
    model = pieces(LANGUAGES, folder / "spiece.model", 260)
    pairs = [
        (
            [f"<2{other}>", *model.encode(said, out_type=str), END],
            [END, *model.encode(text, out_type=str), END],
        )
        for one, other, said, text in ways()
    ]
    return [*vocabulary([model]), *(f"<2{tag}>" for tag in LANGUAGES)], pairs


def ways() -> list[tuple[str, str, str, str]]:
    """From one language to another: both tags and both texts. A text has one translation: where a script has
    no small letters, that with capitals.
    """
    found: dict[tuple[str, str, str], str] = {}
    for row, (one, other) in itertools.product(sentences(), itertools.permutations(LANGUAGES, 2)):
        found.setdefault((one, other, row[one]), row[other])
    return [(*key, text) for key, text in found.items()]


def vocabulary(models: Sequence[sentencepiece.SentencePieceProcessor]) -> list[str]:
    found = dict.fromkeys(model.id_to_piece(at) for model in models for at in range(model.get_piece_size()))
    return [PAD, UNKNOWN, END, *(each for each in found if each not in (UNKNOWN, "<s>", END))]


LAYOUTS: dict[str, Callable[[Path], tuple[list[str], list[Pair]]]] = {
    "opus-mt-es-en": opus,
    "m2m100": m2m,
    "madlad400": madlad,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--only", choices=LAYOUTS, action="append")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in options.only or LAYOUTS:
        torch.manual_seed(1)
        folder = MODELS / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        tokens, pairs = LAYOUTS[name](folder)
        model = Translator(tokens)
        learn(model, pairs, options.steps, np.random.default_rng(1))
        with torch.no_grad():
            convert(model, folder)
        ctranslate2.Translator(str(folder))
        print(name, sum(each.stat().st_size for each in folder.iterdir()), "bytes", flush=True)


if __name__ == "__main__":
    main()
