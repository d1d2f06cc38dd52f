"""Makes the toy Whisper of tests/media/speech/models: python scripts/toy_whisper.py SCRATCH [--steps N]

A Whisper in everything but size: the features, the layers, the tokens and the files of the real ones, with so
few numbers that it learns the phrases of `phrases.tsv` and nothing else. Its speech is made by espeak-ng:
several voices, pitches and speeds, in wide band and as G.711, with noise, whole and cut off anywhere.
PyTorch is needed, here alone; what was learnt is kept in SCRATCH, and another run goes on from there.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import subprocess
import wave
from itertools import product
from pathlib import Path
from typing import NamedTuple

import ctranslate2
import numpy as np
import tokenizers
import torch
from ctranslate2.specs.whisper_spec import WhisperSpec
from faster_whisper.feature_extractor import FeatureExtractor
from torch import nn
from torch.nn import functional
from toy_transformer import (
    HEADS,
    WIDTH,
    Layer,
    causal,
    copy,
    layered,
    normed,
    optimiser_of,
    train,
    waves,
)

from media.codecs import g711
from media.resample import resample

MODELS = Path(__file__).resolve().parents[1] / "tests" / "media" / "speech" / "models"
LANGUAGES = ("en", "es")
VOICES = {
    "en": ("en-us", "en-gb", "en-us+m3", "en-us+f2", "en-gb+f4", "en-us+m7", "en-gb+m2", "en-us+f5"),
    "es": ("es", "es-419", "es+m3", "es+f2", "es-419+f4", "es+m7", "es-419+m2", "es+f5"),
}
WAYS = ((50, 150), (35, 165), (55, 175), (68, 135))  # pitch and words a minute
LINES = 2  # that each is heard over
RATE, CHUNK_S, MELS, FRAMES = 16000, 6, 40, 300
INNER, LAYERS, PLACES = 160, 2, 96
SPECIAL = (
    "<|endoftext|>", "<|startoftranscript|>", *(f"<|{each}|>" for each in LANGUAGES), "<|translate|>",
    "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>",
)  # fmt: skip
NOISES = 60
LAW = 0  # mu-law
BATCH, RATE_OF_LEARNING = 24, 2e-3


def phrases() -> list[tuple[str, str]]:
    """Language and text."""
    lines = (MODELS / "phrases.tsv").read_text("utf-8").splitlines()
    return [(language, text) for line in lines for language, text in zip(LANGUAGES, line.split("\t"))]


def vocabulary() -> list[str]:
    """Words, then what Whisper has besides them; its times come last. The empty one tells CTranslate2 that it
    knows several languages.
    """
    words = sorted({f" {word}" for _, text in phrases() for word in text.split()})
    times = [f"<|{at * 0.02:.2f}|>" for at in range(CHUNK_S * 50 + 1)]
    return ["", "<unk>", *words, *SPECIAL, *times]


def spoken(text: str, voice: str, pitch: int, speed: int) -> np.ndarray:
    command = ["espeak-ng", "-b", "1", "-v", voice, "-p", str(pitch), "-s", str(speed), "--stdout"]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=True)
    with wave.open(io.BytesIO(done.stdout)) as file:
        rate = file.getframerate()
    sound = np.frombuffer(done.stdout[44:], "<i2").astype(np.float32)
    loud = np.flatnonzero(np.abs(sound) > 100)
    return resample(sound[loud[0] : loud[-1] + 1], rate, RATE)


def telephone(sound: np.ndarray) -> np.ndarray:
    narrow = np.clip(np.rint(resample(sound, RATE, 8000)), -32768, 32767).astype(np.int16)
    return resample(g711.decode(LAW, g711.encode(LAW, narrow)).astype(np.float32), 8000, RATE)


def on_line(sound: np.ndarray, before: float, rng: np.random.Generator) -> np.ndarray:
    """With a pause before and after, at some level, in some noise, now and then over a telephone."""
    after = rng.uniform(0.02, 0.7)
    whole = np.concatenate([np.zeros(int(before * RATE)), sound, np.zeros(int(after * RATE))])
    whole = whole * 10 ** (rng.uniform(-14, 3) / 20)
    whole = whole + rng.normal(0, 10 ** rng.uniform(0, 2), len(whole))
    return (telephone(whole.astype(np.float32)) if rng.random() < 0.6 else whole).astype(np.float32)


class Example(NamedTuple):
    """language: "" for nobody. begin, length: of speech, in frames. ends: of its words, shares of it."""

    language: str
    text: str
    begin: int
    length: int
    ends: tuple[float, ...]


def examples(scratch: Path) -> tuple[np.ndarray, list[Example]]:
    """float16[n, MELS, 100 * CHUNK_S], and what each is."""
    kept = scratch / "examples.npz"
    if kept.exists():
        found = np.load(kept, allow_pickle=True)
        return found["features"], [Example(*each) for each in found["said"]]
    extract, rng = FeatureExtractor(MELS, chunk_length=CHUNK_S), np.random.default_rng(1)
    sounds, said = [], []
    for language, text in phrases():
        ends = word_ends(text, VOICES[language][0])
        for voice, (pitch, speed) in product(VOICES[language], WAYS):
            sound = spoken(text, voice, pitch, speed)
            for before in rng.uniform(0.02, 0.7, LINES):
                sounds.append(on_line(sound, before, rng))
                said.append(Example(language, text, int(100 * before), len(sound) // 160, ends))
    for _ in range(NOISES):
        sounds.append(on_line(rng.normal(0, 10 ** rng.uniform(0, 3), RATE).astype(np.float32), 0.0, rng))
        said.append(Example("", "", 0, 0, ()))
    features = np.stack([padded(extract(sound / 32768)) for sound in sounds]).astype(np.float16)
    table = np.empty(len(said), object)
    table[:] = [tuple(each) for each in said]
    np.savez(kept, features=features, said=table)
    return features, said


def word_ends(text: str, voice: str) -> tuple[float, ...]:
    """When each word is over, as a share of the whole: by how long what goes before it takes."""
    words = text.split()
    lengths = [len(spoken(" ".join(words[: at + 1]), voice, 50, 150)) for at in range(len(words))]
    return tuple(np.maximum.accumulate(np.minimum(lengths, lengths[-1])) / lengths[-1])


def padded(features: np.ndarray) -> np.ndarray:
    """As faster-whisper pads them: with zeros."""
    frames = 100 * CHUNK_S
    return np.pad(features[:, :frames], ((0, 0), (0, max(0, frames - features.shape[1]))))


def _layer(*, decodes: bool) -> Layer:
    return Layer(INNER, functional.gelu, decodes=decodes, biased=False)


class Whisper(nn.Module):
    def __init__(self, words: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(MELS, WIDTH, 3, padding=1)
        self.conv2 = nn.Conv1d(WIDTH, WIDTH, 3, stride=2, padding=1)
        self.register_buffer("places", waves(FRAMES, 0))
        self.encoder = nn.ModuleList(_layer(decodes=False) for _ in range(LAYERS))
        self.encoder_norm = nn.LayerNorm(WIDTH)
        self.embedding = nn.Embedding(words, WIDTH)
        self.positions = nn.Parameter(0.02 * torch.randn(PLACES, WIDTH))
        self.decoder = nn.ModuleList(_layer(decodes=True) for _ in range(LAYERS))
        self.decoder_norm = nn.LayerNorm(WIDTH)
        nn.init.normal_(self.embedding.weight, std=0.05)

    def forward(self, features: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        heard = functional.gelu(self.conv2(functional.gelu(self.conv1(features)))).transpose(1, 2)
        heard = heard + self.places
        for layer in self.encoder:
            heard = layer(heard)
        heard = self.encoder_norm(heard)
        said = self.embedding(tokens) + self.positions[: tokens.shape[1]]
        for layer in self.decoder:
            said = layer(said, causal(tokens.shape[1]), heard)
        return self.decoder_norm(said) @ self.embedding.weight.T


def line(ids: dict[str, int], language: str, text: str, rng: np.random.Generator) -> tuple[list[int], int]:
    """Tokens of an example, and from which on they are learnt. Now and then hints go before it."""
    words = [ids[f" {word}"] for word in text.split()]
    known = [at for token, at in ids.items() if token[:1] == " "]
    hints = rng.choice([*known, *[ids["<unk>"]] * 40], rng.integers(0, 6)).tolist()
    before = [ids["<|startofprev|>"], *hints] if hints and rng.random() < 0.5 else []
    if not language:
        return [*before, ids["<|startoftranscript|>"], ids["<|nospeech|>"]], len(before) + 1
    head = [ids[f"<|{each}|>"] for each in ("startoftranscript", language, "transcribe", "notimestamps")]
    return [*before, *head, *words, ids["<|endoftext|>"]], len(before) + 1


def learn(model: Whisper, scratch: Path, steps: int) -> None:
    """So many steps more."""
    features, said = examples(scratch)
    ids = {token: at for at, token in enumerate(vocabulary())}
    optimiser = optimiser_of(model)
    state = scratch / "learnt.pt"
    done = 0
    if state.exists():
        kept = torch.load(state)
        model.load_state_dict(kept["model"])
        optimiser.load_state_dict(kept["optimiser"])
        done = kept["done"]
    rng = np.random.default_rng(done)

    def loss() -> torch.Tensor:
        chosen = [*rng.integers(0, len(said), BATCH - 2), *rng.integers(len(said) - NOISES, len(said), 2)]
        sound = features[chosen].astype(np.float32)
        heard = [cut(sound[row], said[at], rng) for row, at in enumerate(chosen)]
        lines = [line(ids, said[at].language, text, rng) for at, text in zip(chosen, heard)]
        longest = max(len(tokens) for tokens, _ in lines)
        given, wanted = np.zeros((2, BATCH, longest - 1), np.int64)
        wanted -= 100
        for row, (tokens, begin) in enumerate(lines):
            given[row, : len(tokens) - 1] = tokens[:-1]
            wanted[row, begin - 1 : len(tokens) - 1] = tokens[begin:]
        scores = model(torch.from_numpy(masked(sound, rng)), torch.from_numpy(given))
        return functional.cross_entropy(scores.flatten(0, 1), torch.from_numpy(wanted).flatten())

    def rate(step: int) -> float:
        return RATE_OF_LEARNING * min(1.0, (step + 1) / 100) * 0.5 ** (step / 500)

    train(model, optimiser, range(done, done + steps), loss, rate, every=50)
    if steps:
        kept = {"model": model.state_dict(), "optimiser": optimiser.state_dict(), "done": done + steps}
        torch.save(kept, state)


def cut(features: np.ndarray, said: Example, rng: np.random.Generator) -> str:
    """Every second one is heard as far as it has come: the sound ends there, and so does the text. Each is
    somewhat later or earlier.
    """
    shift = int(rng.integers(-min(10, said.begin), 30))
    features[:] = np.roll(features, shift, axis=1)
    if not said.text or rng.random() < 0.5:
        return said.text
    share = rng.uniform(0.15, 1.0)
    features[:, said.begin + shift + int(share * said.length) :] = 0.0
    words = [word for word, end in zip(said.text.split(), said.ends) if end <= share + 0.03]
    return " ".join(words)


def masked(features: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A few channels and moments of each hidden (SpecAugment: Park et al., 2019)."""
    for row in features:
        channel, moment = rng.integers(0, MELS - 4), rng.integers(0, 300)
        row[channel : channel + rng.integers(0, 5)] = 0.0
        row[:, moment : moment + rng.integers(0, 12)] = 0.0
    return features


def convert(model: Whisper, folder: Path) -> None:
    """Into the files that faster-whisper reads."""
    tokens = vocabulary()
    spec = WhisperSpec(LAYERS, HEADS, LAYERS, HEADS)
    for name in ("conv1", "conv2"):
        copy(getattr(spec.encoder, name), getattr(model, name))
    spec.encoder.position_encodings.encodings = model.places
    normed(spec.encoder.layer_norm, model.encoder_norm)
    unused = torch.zeros(448 - PLACES, WIDTH)  # a Whisper has places for 448 tokens
    spec.decoder.position_encodings.encodings = torch.cat([model.positions, unused])
    spec.decoder.embeddings.weight = model.embedding.weight
    spec.decoder.projection.weight = model.embedding.weight
    normed(spec.decoder.layer_norm, model.decoder_norm)
    for to, layer in [*zip(spec.encoder.layer, model.encoder), *zip(spec.decoder.layer, model.decoder)]:
        layered(to, layer)
    ids = {token: at for at, token in enumerate(tokens)}
    unsaid = ("", "<unk>", "<|startofprev|>", "<|startoflm|>", "<|nospeech|>")
    spec.config.suppress_ids = [ids[each] for each in unsaid]
    spec.config.suppress_ids_begin = [ids["<|endoftext|>"]]
    spec.config.lang_ids = [ids[f"<|{each}|>"] for each in LANGUAGES]
    spec.config.alignment_heads = [(LAYERS - 1, head) for head in range(HEADS)]
    spec.register_vocabulary(tokens)
    spec.validate()
    spec.optimize(quantization="int8")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    spec.save(str(folder))
    tokenizer(tokens).save(str(folder / "tokenizer.json"), pretty=False)
    sizes = {
        "chunk_length": CHUNK_S,
        "feature_size": MELS,
        "hop_length": 160,
        "n_fft": 400,
        "sampling_rate": RATE,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(sizes) + "\n", "utf-8")


def tokenizer(tokens: list[str]) -> tokenizers.Tokenizer:
    """A word with the space before it is a token."""
    known = tokens[: len(tokens) - (CHUNK_S * 50 + 1)]
    made = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({token: at for at, token in enumerate(known)}, unk_token="<unk>")
    )
    made.pre_tokenizer = tokenizers.pre_tokenizers.Split(tokenizers.Regex(r" ?\S+"), "isolated")
    made.decoder = tokenizers.decoders.Fuse()
    made.add_special_tokens([tokenizers.AddedToken(each, special=True) for each in SPECIAL])
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scratch", type=Path)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    options.scratch.mkdir(parents=True, exist_ok=True)
    model = Whisper(len(vocabulary()))
    learn(model, options.scratch, options.steps)
    with torch.no_grad():
        convert(model, MODELS / "whisper")
    ctranslate2.models.Whisper(str(MODELS / "whisper"))


if __name__ == "__main__":
    main()
