"""Who would hear, translate and speak is told before anything is loaded, with what a better one lacks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from config.language import RecogniserBlock, TranslatorBlock
from config.load import SHIPPED, load
from config.schema import Config
from engine.cli import main
from engine.speech.present import present

MODELS = Path(__file__).resolve().parents[1] / "media" / "speech" / "models"


def told(**language: object) -> dict[str, str]:
    config: Config = load(SHIPPED, {})
    return present(replace(config, language=replace(config.language, **language)))  # type: ignore[arg-type]


def test_what_comes_along_is_told_with_what_better_ones_lack() -> None:
    said = told()
    assert "low accuracy" in said["hears"] and "Whisper model" in said["hears"]
    assert "translator.models" in said["translates"] and "gist" in said["translates"]
    assert "espeak-ng" in said["speaks"]


def test_models_by_path_are_named() -> None:
    said = told(
        recogniser=RecogniserBlock(model=str(MODELS / "whisper")),
        translator=TranslatorBlock(models=(MODELS / "opus-mt-es-en", MODELS / "nowhere")),
    )
    assert "whisper is there" in said["hears"]
    assert "opus-mt-es-en" in said["translates"] and "no model.bin in" in said["translates"]


def test_a_recogniser_that_cannot_be_is_told_not_raised() -> None:
    assert told(recogniser=RecogniserBlock(kind="vosk"))["hears"]


def test_check_says_it_where_a_queue_wants_speech(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--config", str(SHIPPED)]) == 0
    said = capsys.readouterr().out
    assert "no fault found" in said and "speech hears: " in said and "speech speaks: espeak-ng" in said
