"""The prompt pack: what callers hear, spoken once, kept as WAV files and found by language and name.

    python -m engine.prompts build --to var/prompts

Texts come from config/prompts/<language>.yaml. Every file of a pack is named by the hash of what it says and
who says it, so a build speaks only what changed, two builds at once do no harm, and a running node keeps its
files.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import re
import sys
import tempfile
import wave
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Annotated

import msgspec

from config import document
from engine.music import hold_music
from engine.noise import line_noise
from engine.ring_back import ring_back
from engine.voice import I16, SpeechFault, say, telephone

RATES = (8_000, 16_000)
MUSIC = "music"
MADE: Mapping[str, Callable[[int], I16]] = {  # at a rate
    MUSIC: hold_music,
    "comfort-noise": line_noise,
    "ring-back": ring_back,
}
FORMAT = 1  # raised when the making of the files changes, so that every pack is made anew
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MAX_TEXT = 500
TEXTS = Path(__file__).parent.with_name("config") / "prompts"

Progress = Callable[[str, int, int], None]  # language, files done, files to make in all


class PromptFault(ValueError):
    """A prompt or a pack is not as it should be; the message ends with the remedy."""


class Texts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one language says, and with which voice."""

    voice: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    prompts: dict[str, Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT)]]
    speed: Annotated[int, msgspec.Meta(ge=80, le=400)] = 160
    pitch: Annotated[int, msgspec.Meta(ge=0, le=99)] = 50

    def keys(self) -> dict[str, str]:
        """For each name, the hash of everything that decides how it sounds."""
        return {name: _key(self.voice, self.speed, self.pitch, text) for name, text in self.prompts.items()}


class Index(msgspec.Struct, frozen=True):
    """What a pack holds: the key of each prompt, by language and name."""

    format: int
    prompts: dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class PromptPack:
    """The spoken prompts of a folder; looking one up is two dictionary reads."""

    folder: Path
    index: Index
    fallback: str = "en"

    @classmethod
    def load(cls, folder: Path, fallback: str = "en") -> PromptPack:
        """The pack in `folder`, with every file it promises there. Raises PromptFault."""
        remedy = f"make it with: python -m engine.prompts build --to {folder}"
        try:
            index = msgspec.json.decode((folder / "index.json").read_bytes(), type=Index)
        except FileNotFoundError:
            raise PromptFault(f"there is no prompt pack in {folder}; {remedy}") from None
        except msgspec.MsgspecError as broken:
            raise PromptFault(f"{folder / 'index.json'} is broken ({broken}); {remedy}") from broken
        if index.format != FORMAT:
            raise PromptFault(f"the pack in {folder} is of another version; {remedy}")
        for language, names in index.prompts.items():
            for name, key in names.items():
                if not _is_there(folder, language, name, key):
                    raise PromptFault(f"the pack in {folder} lacks '{name}' in '{language}'; {remedy}")
        if fallback not in index.prompts:
            raise PromptFault(f"the pack in {folder} lacks the fallback language '{fallback}'; {remedy}")
        return cls(folder, index, fallback)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that have prompts of their own."""
        return tuple(language for language in self.index.prompts if language != MUSIC)

    def names(self, language: str) -> frozenset[str]:
        """Every name that `path` finds for a caller of this language."""
        return frozenset(name for source in self._sources(language) for name in self.index.prompts[source])

    def lacks(self, texts: Mapping[str, Texts]) -> bool:
        """Whether it was made before there was all that these texts, or this node, say today."""
        names = {language: set(said.prompts) for language, said in texts.items()} | {MUSIC: set(MADE)}
        return any(wanted - self.index.prompts.get(each, {}).keys() for each, wanted in names.items())

    def path(self, language: str, name: str, rate: int = 8_000) -> str:
        """The WAV file of a prompt: in the language, its base ("es" for "es-MX"), or the fallback language.

        rate: 8000 or 16000 Hz. Music is the same in every language. Raises PromptFault.
        """
        if rate not in RATES:
            raise PromptFault(f"prompts are kept at {' and '.join(map(str, RATES))} Hz, not at {rate}")
        for source in self._sources(language):
            key = self.index.prompts[source].get(name)
            if key is not None:
                return str(_file(self.folder, rate, source, name, key))
        raise PromptFault(
            f"there is no prompt '{name}', in '{language}' or in '{self.fallback}'; add it to config/prompts/"
            f"{language}.yaml and run: python -m engine.prompts build --to {self.folder}"
        )

    def _sources(self, language: str) -> Iterable[str]:
        wanted = (language, language.partition("-")[0], self.fallback, MUSIC)
        return (source for source in dict.fromkeys(wanted) if source in self.index.prompts)


def read_texts(folder: Path = TEXTS) -> dict[str, Texts]:
    """Every language's texts by its code, checked. Raises PromptFault with the file and the remedy."""
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise PromptFault(f"no texts in {folder}; each language is a file there, such as en.yaml")
    return {file.stem: _read(file) for file in files}


def _read(file: Path) -> Texts:
    found, faults = document.read(file, str(file))
    if faults:
        raise PromptFault("\n".join(str(fault) for fault in faults))
    try:
        texts = msgspec.convert(found.tree, Texts)
    except msgspec.ValidationError as wrong:
        raise PromptFault(f"{file}: {wrong}; see the shipped config/prompts/en.yaml for the form") from wrong
    for name, text in texts.prompts.items():
        if not NAME.fullmatch(name):
            raise PromptFault(f"{file}: '{name}' is no name; use small letters, digits and single hyphens")
        if not text.strip():
            raise PromptFault(f"{file}: '{name}' says nothing; give it words or remove it")
    return texts


def build(to: Path, texts: Mapping[str, Texts], progress: Progress = lambda *_: None) -> int:
    """Speak what `to` lacks, compose the music, write the index; how many prompts were made.

    Raises PromptFault, or SpeechFault when espeak-ng is missing or fails.
    """
    wanted = {language: said.keys() for language, said in texts.items()}
    wanted[MUSIC] = {name: _key(name) for name in MADE}
    lacking = [
        (language, name, key)
        for language, names in wanted.items()
        for name, key in names.items()
        if not _is_there(to, language, name, key)
    ]

    def make(language: str, name: str, key: str) -> str:
        made = MADE.get(name) if language == MUSIC else None
        sounds = {rate: made(rate) for rate in RATES} if made else _spoken(texts[language], name)
        for rate, samples in sounds.items():
            _write_wav(_file(to, rate, language, name, key), rate, samples)
        return language

    for rate in RATES:
        for language in wanted:
            (to / str(rate) / language).mkdir(parents=True, exist_ok=True)
    # Threads: espeak-ng is a process of its own, and scipy's filters leave the interpreter free.
    with ThreadPoolExecutor(os.cpu_count()) as crew:
        jobs = [crew.submit(make, *what) for what in reversed(lacking)]  # the music, slowest, first
        try:
            for done, job in enumerate(as_completed(jobs), 1):
                progress(job.result(), done, len(jobs))
        finally:
            crew.shutdown(cancel_futures=True)  # after a fault nobody wants the others
    _replace(to / "index.json", msgspec.json.format(msgspec.json.encode(Index(FORMAT, wanted)), indent=1))
    return len(lacking)


def _spoken(texts: Texts, name: str) -> dict[int, I16]:
    rate, raw = say(texts.prompts[name], voice=texts.voice, speed=texts.speed, pitch=texts.pitch)
    return {to: telephone(raw, rate, to) for to in RATES}


def _key(*what: object) -> str:
    return hashlib.sha256("\0".join(map(str, (FORMAT, *what))).encode()).hexdigest()[:12]


def _is_there(folder: Path, language: str, name: str, key: str) -> bool:
    return all(_file(folder, rate, language, name, key).is_file() for rate in RATES)


def _file(folder: Path, rate: int, language: str, name: str, key: str) -> Path:
    return folder / str(rate) / language / f"{name}.{key}.wav"


def _write_wav(path: Path, rate: int, samples: I16) -> None:
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    _replace(path, content.getvalue())


def _replace(path: Path, content: bytes) -> None:
    """Write whole or not at all: a reader, or a second build, never sees half a file."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".draft-")
    with ExitStack() as undo:
        undo.callback(os.unlink, draft)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(draft, 0o644)
        os.replace(draft, path)
        undo.pop_all()


def show(language: str, done: int, of: int) -> None:
    """One line that counts up on a terminal; elsewhere a line every fifty prompts."""
    if sys.stdout.isatty():
        print(f"\rprompts: {done} of {of}", end="\n" if done == of else "", flush=True)
    elif done % 50 == 0 or done == of:
        print(f"prompts: {done} of {of}", flush=True)


def main(arguments: list[str] | None = None) -> int:
    """`python -m engine.prompts build --to DIR [--config DIR]`; 1 with the remedy when it cannot be built."""
    parser = argparse.ArgumentParser(prog="python -m engine.prompts", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    builder = commands.add_parser("build", help="speak every prompt that is missing or has changed")
    builder.add_argument("--to", type=Path, required=True, help="folder of the pack")
    builder.add_argument("--config", type=Path, default=TEXTS, help="folder of texts (default: %(default)s)")
    options = parser.parse_args(arguments)
    started = monotonic()
    try:
        texts = read_texts(options.config)
        made = build(options.to, texts, show)
    except (PromptFault, SpeechFault) as fault:
        print(f"prompts: {fault}", file=sys.stderr)
        return 1
    spoken = sum(len(said.prompts) for said in texts.values())
    print(
        f"prompts: {spoken} in {len(texts)} languages and the music in {options.to}; "
        f"{made} made in {monotonic() - started:.1f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
