"""The crafts of a speech worker, made of what this machine really has."""

from __future__ import annotations

import time
from collections.abc import Sequence

from media.speech.hearing import Hearing
from media.speech.io.apertium import Apertium
from media.speech.io.sphinx import SphinxRecogniser, files
from media.speech.io.voices import voices
from media.speech.jobs import Craft
from media.speech.settings import CraftSettings, TranslatorSettings
from media.speech.speaking import Speaking
from media.speech.translating import Translating
from media.speech.translator import Translator


def build(settings: CraftSettings) -> Sequence[Craft]:
    """The crafts, with their models loaded. What is missing for better ones stands in their offers."""
    crafts: list[Craft] = []
    if settings.hear is not None:
        found = files(settings.hear.model, settings.hear.language_model, settings.hear.dictionary)
        crafts.append(Hearing(SphinxRecogniser(found), time.process_time))
    if settings.translate is not None:
        crafts.append(Translating(translators(settings.translate)))
    if settings.speak is not None:
        crafts.append(Speaking(voices(settings.speak)))
    return crafts


def translators(settings: TranslatorSettings) -> list[Translator]:
    """Those that are there, the good ones first."""
    return [Apertium()]
