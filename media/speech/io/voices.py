"""Which voices a worker has: Piper's where its models are, espeak-ng's for all other languages."""

from __future__ import annotations

from media.speech.io.espeak import EspeakVoice
from media.speech.io.piper import PiperModel, PiperVoice
from media.speech.settings import VoiceSettings
from media.speech.voice import OneOf, Voice, VoiceFault


def voices(settings: VoiceSettings) -> Voice:
    """As the settings say; `auto` says in `why` what was missing for a better one. Raises VoiceFault."""
    models = [PiperModel(path, language) for language, path in settings.models.items()]
    if settings.kind == "piper":
        return PiperVoice(models)
    if settings.kind == "espeak":
        return EspeakVoice()
    if not models:
        return OneOf([EspeakVoice()], "no Piper voice is configured")
    try:
        return OneOf([PiperVoice(models), EspeakVoice()], "Piper's where there is one")
    except VoiceFault as fault:
        return OneOf([EspeakVoice()], f"Piper cannot be used: {fault}")
