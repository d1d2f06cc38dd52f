"""Who would put calls into words on this machine, and what better ones lack, before any model is loaded."""

from __future__ import annotations

from pathlib import Path

import msgspec

from config.schema import Config
from engine.speech.crafts import hearing_of, rendering_of
from media.speech.io import auto, translators, voices
from media.speech.recogniser import RecogniserFault
from media.speech.voice import VoiceFault


def present(config: Config) -> dict[str, str]:
    """By what is done: hears, translates, speaks."""
    return {"hears": _hears(config), "translates": _translates(config), "speaks": _speaks(config)}


def _hears(config: Config) -> str:
    settings = hearing_of(config).hear
    assert settings is not None, "who hears is told what"
    try:
        return auto.choice(settings).why
    except RecogniserFault as fault:
        return f"nobody: {fault}"


def _translates(config: Config) -> str:
    settings = rendering_of(config).translate
    assert settings is not None, "who translates is told what"
    models = [Path(each) for each in settings.models]
    told = [each.name if (each / "model.bin").is_file() else f"no model.bin in {each}" for each in models]
    kind = "apertium" if settings.kind == "auto" and models else settings.kind
    found, why = translators.translators(msgspec.structs.replace(settings, kind=kind, models=()))
    for each in found:
        each.close()
    return "; ".join([*told, why] if settings.kind != "ctranslate2" or not models else told)


def _speaks(config: Config) -> str:
    settings = rendering_of(config).speak
    assert settings is not None, "who speaks is told what"
    try:
        voice = voices.voices(settings)
    except VoiceFault as fault:
        return f"nobody: {fault}"
    voice.close()
    return f"{voice.name}: {voice.why}"
