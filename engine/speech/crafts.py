"""What speech workers are told, from the configuration."""

from __future__ import annotations

from pathlib import Path

from config.schema import Config
from media.speech.settings import CraftSettings, RecogniserSettings, TranslatorSettings, VoiceSettings


def hearing_of(config: Config) -> CraftSettings:
    """Of one that hears."""
    given = config.language.recogniser
    return CraftSettings(
        hear=RecogniserSettings(
            kind=given.kind,
            model=_model(config, given.model),
            device=given.device,
            compute=given.compute,
            url=given.url,
            language_model=_path(config, given.language_model),
            dictionary=_path(config, given.dictionary),
        )
    )


def rendering_of(config: Config) -> CraftSettings:
    """Of one that translates and speaks."""
    translator, voice = config.language.translator, config.language.voice
    key = translator.endpoint.key
    return CraftSettings(
        translate=TranslatorSettings(
            kind=translator.kind,
            models=tuple(_path(config, each) for each in translator.models),
            device=translator.device,
            url=translator.endpoint.url,
            name=translator.endpoint.model,
            key=key.reveal() if key is not None else "",
            markets=dict(config.markets),
        ),
        speak=VoiceSettings(
            kind=voice.kind, models={tag: _path(config, path) for tag, path in voice.models.items()}
        ),
    )


def _path(config: Config, path: Path | None) -> str:
    """Relative ones are below the configuration's folder."""
    return "" if path is None else str(config.folder / path)


def _model(config: Config, model: str) -> str:
    """A folder where there is one of that name, else a name that the machine may know."""
    folder = config.folder / model
    return str(folder) if model and folder.is_dir() else model
