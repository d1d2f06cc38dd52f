"""Who translates here: what was asked for, or the best that is really there."""

from __future__ import annotations

from pathlib import Path

from media.speech.io.apertium import Apertium
from media.speech.settings import TranslatorSettings
from media.speech.translator import Translator, TranslatorFault


def translators(settings: TranslatorSettings) -> tuple[list[Translator], str]:
    """Those that are there, the good ones first, and how that came, in words. `auto` never asks a server:
    what callers say stays here unless an operator says otherwise.
    """
    found: list[Translator] = []
    why: list[str] = []
    if settings.kind == "endpoint":
        _endpoint(settings, found, why)
    if settings.kind in ("auto", "ctranslate2"):
        _models(settings, found, why)
    if settings.kind != "ctranslate2":
        _apertium(found, why)
    if not found:
        why.append("captions stay in the original")
    return found, "; ".join(why)


def _endpoint(settings: TranslatorSettings, found: list[Translator], why: list[str]) -> None:
    from media.speech.io.endpoint import Endpoint

    try:
        found.append(Endpoint(settings.url, settings.name, settings.key))
        why.append(f"{found[-1].name} is asked first")
    except TranslatorFault as fault:
        why.append(fault.why)


def _models(settings: TranslatorSettings, found: list[Translator], why: list[str]) -> None:
    """Each folder by itself: one that is broken takes no other along."""
    if not settings.models:
        why.append("no CTranslate2 model is configured (language.yaml: translator.models)")
        return
    try:
        from media.speech.io.ctranslate import CTranslate
    except ImportError as error:
        why.append(f"CTranslate2 is not installed ({error.name}); pip install 'isogloss[speech]'")
        return
    for folder in settings.models:
        try:
            found.append(CTranslate(Path(folder), settings.device, settings.threads))
            why.append(found[-1].name)
        except TranslatorFault as fault:
            why.append(fault.why)


def _apertium(found: list[Translator], why: list[str]) -> None:
    apertium = Apertium()
    pairs = len(apertium.reach.pairs)
    if pairs:
        found.append(apertium)
        why.append(f"Apertium has {pairs} pair{'s' * (pairs > 1)} here, for the gist")
    else:
        why.append("no Apertium pair is installed")
