"""Captions without cards and papers, on whatever page they are shown.

A card is told in several sentences, each a caption of its own. So the last ones of a side are looked through
together, and those that turn out to be a part of one are shown again without it, in the place of what they
were. A number that is still growing is hidden until its sentence is over: by then it is known what it is.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial

from engine.access import mask
from engine.views import Caption, LegSide

LATELY = 6  # sentences of a side: a card in groups, with a word before and after
MOST = 20_000  # sides of calls

Key = tuple[str, LegSide, frozenset[LegSide]]  # call, who speaks, who reads


class HiddenCaptions:
    """What was said lately, as it was said and as it was shown."""

    def __init__(self) -> None:
        self._said: OrderedDict[Key, dict[int, Caption]] = OrderedDict()
        self._shown: dict[Key, dict[int, Caption]] = {}
        self._looked: dict[Key, dict[str, str]] = {}  # what the last look was through, and what it left
        self._keys: dict[str, set[Key]] = {}  # by call

    def put(self, caption: Caption, readers: Collection[LegSide]) -> list[Caption]:
        """What is to be shown of it now: this caption, last, and those before it that have changed by it."""
        key = (caption.call, caption.side, frozenset(readers))
        said = self._said.setdefault(key, {})
        shown = self._shown.setdefault(key, {})
        self._keys.setdefault(caption.call, set()).add(key)
        said[caption.line] = caption
        for line in sorted(said)[:-LATELY]:
            if line != caption.line:
                del said[line]
                shown.pop(line, None)
        while len(self._said) > MOST:
            self.forget(next(iter(self._said))[0])
        looked: dict[str, str] = {}
        hide = partial(_papers, self._looked.get(key, {}), looked)
        hidden = _hidden([said[line] for line in sorted(said)], hide)
        self._looked[key] = looked
        changed = [each for each in hidden if each.line != caption.line and shown.get(each.line) != each]
        shown.update({each.line: each for each in hidden})
        return [*changed, *(each for each in hidden if each.line == caption.line)]

    def forget(self, call: str) -> None:
        for key in self._keys.pop(call, ()):
            self._said.pop(key, None)
            self._shown.pop(key, None)
            self._looked.pop(key, None)


def _papers(before: Mapping[str, str], looked: dict[str, str], said: str) -> str:
    """Of a sentence that grows those around it stay: they are looked through once."""
    found = before.get(said)
    looked[said] = hidden = mask.papers(said) if found is None else found
    return hidden


def _hidden(said: list[Caption], hide: mask.Hide) -> list[Caption]:
    texts = mask.lines([each.text for each in said], hide)
    translations = mask.lines([each.translation for each in said], hide)
    return [
        _with(each, *(words if each.final else mask.growing(words) for words in both))
        for each, *both in zip(said, texts, translations)
    ]


def _with(caption: Caption, text: str, translation: str) -> Caption:
    """What may still change is counted from the end."""
    if (text, translation) == (caption.text, caption.translation):
        return caption
    guess, other = min(caption.guess, len(text)), min(caption.guess_translated, len(translation))
    return replace(caption, text=text, translation=translation, guess=guess, guess_translated=other)
