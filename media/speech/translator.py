"""What one that translates is to the craft: an engine with its models, on this machine or behind a network.

It translates batches of one pair and says by a `TranslatorFault` what it cannot. It neither knows terms nor
tone: words that it has to leave alone come as placeholders in a spelling that it is known to pass through
(`Translator.slot`).

    TranslatorFault         .ever: it will never do; otherwise another may, or this one a little later
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from media.speech.language import primary


class TranslatorFault(Exception):
    """why: what was wrong and what to do. ever: there is no use in asking again."""

    def __init__(self, why: str, *, ever: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.ever = ever


class Pair(NamedTuple):
    """From one language into another, without their countries."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Reach:
    """What can be translated: some pairs, from any to any of some languages, or everything."""

    pairs: frozenset[Pair] = frozenset()
    among: frozenset[str] = frozenset()
    everything: bool = False

    def has(self, pair: Pair) -> bool:
        within = pair.source in self.among and pair.target in self.among
        return pair.source != pair.target and (self.everything or within or pair in self.pairs)


class Brief(NamedTuple):
    """How a text is wanted. source, target: BCP 47 with countries. formality: "", "formal" or "informal".
    before: what was said before it. terms: what words of the source have to become, and tone: how readers are
    spoken to, in words; for translators that mind.
    """

    source: str
    target: str
    formality: str = ""
    before: str = ""
    terms: tuple[tuple[str, str], ...] = ()
    tone: str = ""

    @property
    def pair(self) -> Pair:
        return Pair(primary(self.source), primary(self.target))


class Version(NamedTuple):
    """A text in the other language. sure: 0 to 1."""

    text: str
    alternatives: tuple[str, ...] = ()
    sure: float = 1.0


class Translator(Protocol):
    """name: of the engine and its model. gist: its quality is for the gist alone. slot: how a placeholder is
    written, `{}` for its number. minds: it takes what was said before and what is told of tone into account,
    so that one text has many translations.
    """

    @property
    def name(self) -> str: ...

    @property
    def gist(self) -> bool: ...

    @property
    def slot(self) -> str: ...

    @property
    def minds(self) -> bool: ...

    @property
    def reach(self) -> Reach: ...

    def translate(self, texts: Sequence[str], briefs: Sequence[Brief]) -> Sequence[Version | TranslatorFault]:
        """The texts, all of one pair, in their order; one that it cannot do comes as its fault. Raises
        TranslatorFault where it can do none. Has its own time limit.
        """

    def close(self) -> None: ...
