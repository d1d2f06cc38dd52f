"""A translator that knows phrases by heart, and fails when it is told to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from media.speech.translator import Brief, Pair, Reach, TranslatorFault, Version


class Phrasebook:
    """Translates what it knows, puts the target's name before all else. asked: batches, in their order."""

    slot = "<{}>"
    minds = False

    def __init__(
        self,
        pairs: Sequence[tuple[str, str]],
        known: Mapping[str, str] | None = None,
        *,
        name: str = "book",
        gist: bool = False,
        sure: float = 1.0,
    ) -> None:
        self.name, self.gist, self._sure = name, gist, sure
        self.reach = Reach(frozenset(Pair(*pair) for pair in pairs))
        self.known = dict(known or {})
        self.asked: list[list[str]] = []
        self.briefs: list[Brief] = []
        self.broken: TranslatorFault | None = None
        self.never: set[str] = set()
        self.closed = False

    def translate(self, texts: Sequence[str], briefs: Sequence[Brief]) -> list[Version | TranslatorFault]:
        self.asked.append(list(texts))
        self.briefs += briefs
        if self.broken is not None:
            raise self.broken
        return [
            TranslatorFault("it chokes on this", ever=True)
            if text in self.never
            else Version(self.known.get(text, f"{briefs[0].target}: {text}"), sure=self._sure)
            for text in texts
        ]

    def close(self) -> None:
        self.closed = True
