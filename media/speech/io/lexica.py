"""The lexica that are shipped, one a language, as files beside this package."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from media.speech.language import primary
from media.speech.lexicon import Lexicon, parse

FOLDER = Path(__file__).resolve().parents[1] / "lexica"


def languages() -> tuple[str, ...]:
    """Those that there are lexica of, as subtags."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.tsv")))


def shipped(tag: str) -> Lexicon | None:
    """The lexicon of a BCP 47 tag's language; None where there is none."""
    language = primary(tag)
    return _read(language) if language in languages() else None


@lru_cache(32)
def _read(language: str) -> Lexicon:
    return parse((FOLDER / f"{language}.tsv").read_text("utf-8"), language)
