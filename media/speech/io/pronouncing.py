"""Pronunciations of words: those of the CMU dictionary for English, of espeak-ng for any language.

espeak-ng is a process of its own (GPL), asked once for all words of a vocabulary, one a line.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from media.speech.phones import foreign, pronunciations
from media.speech.recogniser import RecogniserFault

TIMEOUT_S = 5.0
KEPT = 8192  # pronunciations
ALTERNATIVE = re.compile(r"\(\d+\)$")
VOICES = {"zh": "cmn", "zh-latn": "cmn-latn-pinyin", "no": "nb", "pt-br": "pt-br", "pt": "pt", "en": "en-us"}


@lru_cache(1)
def spoken_languages() -> tuple[str, ...]:
    """Languages of espeak-ng here, as two or three letters; none where it is not installed."""
    if shutil.which("espeak-ng") is None:
        return ()
    lines = _run(["espeak-ng", "--voices"], "").splitlines()[1:]
    codes = {line.split()[1].split("-")[0] for line in lines if len(line.split()) > 3}
    return tuple(sorted(codes | {"zh"} if "cmn" in codes else codes))


class Pronouncing:
    """dictionary: of English words and ARPAbet, one a line, as the CMU dictionary is."""

    def __init__(self, dictionary: Path) -> None:
        self._dictionary = dictionary
        self._known: OrderedDict[tuple[str, str], tuple[str, ...]] = OrderedDict()

    def of(self, words: Sequence[str], language: str) -> dict[str, tuple[str, ...]]:
        """Every word's, of at least one each. Raises RecogniserFault for a word that cannot be read."""
        missing = [word for word in dict.fromkeys(words) if (language, word) not in self._known]
        if missing and language.split("-", maxsplit=1)[0] == "en":
            self._keep(language, self._from_dictionary(missing))
            missing = [word for word in missing if (language, word) not in self._known]
        if missing:
            self._keep(language, self._from_espeak(missing, language))
        found = {word: self._known[language, word] for word in words}
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return found

    def _keep(self, language: str, found: dict[str, tuple[str, ...]]) -> None:
        self._known.update({(language, word): phones for word, phones in found.items()})

    def _from_dictionary(self, words: Sequence[str]) -> dict[str, tuple[str, ...]]:
        wanted = {word.casefold(): word for word in words}
        found: dict[str, tuple[str, ...]] = {}
        with self._dictionary.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                name, _, phones = line.strip().partition(" ")
                word = wanted.get(ALTERNATIVE.sub("", name))
                if word is not None:
                    found[word] = (*found.get(word, ()), phones.strip())
        return found

    def _from_espeak(self, words: Sequence[str], language: str) -> dict[str, tuple[str, ...]]:
        if shutil.which("espeak-ng") is None:
            raise RecogniserFault(f"espeak-ng is not installed, which reads {language} for this recogniser")
        lines = _ipa(words, language)
        if len(lines) != len(words):  # one was read as several clauses
            lines = [" ".join(_ipa([word], language)) for word in words]
        found = {word: () if foreign(line) else pronunciations(line) for word, line in zip(words, lines)}
        unread = [word for word, phones in found.items() if not phones]
        if unread:
            raise RecogniserFault(
                f"espeak-ng cannot read '{unread[0]}' in {language}: write it as it is said (zh-Latn: pinyin)"
            )
        return found


def _ipa(words: Iterable[str], language: str) -> list[str]:
    code = language.casefold()
    voice = VOICES.get(code) or VOICES.get(code.split("-")[0]) or code.split("-")[0]
    text = _run(["espeak-ng", "-q", "-b", "1", "--ipa", "-v", voice], "\n".join(words) + "\n")
    return [line for line in text.splitlines() if line.strip()]


def _run(command: list[str], text: str) -> str:
    try:
        done = subprocess.run(
            command, input=text.encode(), capture_output=True, timeout=TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise RecogniserFault(f"{command[0]} {' '.join(command[4:])}: {error}", ever=False) from error
    return done.stdout.decode(errors="replace")
