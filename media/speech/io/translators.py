"""Who translates here: what was asked for, or the best that is really there."""

from __future__ import annotations

from media.speech.io.apertium import Apertium
from media.speech.settings import TranslatorSettings
from media.speech.translator import Translator


def translators(settings: TranslatorSettings) -> tuple[list[Translator], str]:
    """Those that are there, the good ones first, and how that came, in words."""
    apertium = Apertium()
    if not apertium.reach.pairs:
        return [], "no Apertium pair is installed: captions stay in the original"
    return [apertium], f"Apertium has {len(apertium.reach.pairs)} pairs here, for the gist"
