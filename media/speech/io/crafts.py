"""The crafts of a speech worker, made of what this machine really has."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from media.speech.hearing import Hearing
from media.speech.io.auto import best
from media.speech.io.markets import ToldMarkets
from media.speech.io.translators import translators
from media.speech.io.voices import voices
from media.speech.jobs import Craft
from media.speech.settings import CraftSettings
from media.speech.speaking import Speaking
from media.speech.translating import Translating


def build(settings: CraftSettings, path: Path | None = None) -> Sequence[Craft]:
    """The crafts, with their models loaded. What is missing for better ones stands in their offers. path: of
    the file that the settings are of, where they may change.
    """
    crafts: list[Craft] = []
    if settings.hear is not None:
        recogniser, why = best(settings.hear)
        crafts.append(Hearing(recogniser, time.process_time, why=why))
    if settings.translate is not None:
        chosen, why = translators(settings.translate)
        markets = ToldMarkets(path) if path is not None else settings.translate.markets
        crafts.append(Translating(chosen, markets=markets, why=why))
    if settings.speak is not None:
        crafts.append(Speaking(voices(settings.speak)))
    return crafts
