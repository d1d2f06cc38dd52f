"""The best recogniser that is there, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from media.speech.io.auto import best, choice
from media.speech.io.sphinx import SphinxRecogniser
from media.speech.io.whisper import WhisperRecogniser
from media.speech.recogniser import RecogniserFault
from media.speech.settings import RecogniserSettings

TOY = str(Path(__file__).parent / "models" / "whisper")


def test_a_whisper_model_that_is_there_is_the_best():
    found = best(RecogniserSettings(model=TOY))
    assert isinstance(found.recogniser, WhisperRecogniser) and TOY in found.why
    assert found.recogniser.languages == ("en", "es") and not found.recogniser.low


def test_without_one_there_is_what_comes_with_the_program_and_what_is_missing_is_said():
    found = choice(RecogniserSettings())
    assert found.kind == "sphinx" and "low accuracy" in found.why
    assert "no Whisper model is named" in found.why and "recogniser.model" in found.why


@pytest.mark.parametrize(
    ("settings", "kind", "words"),
    [
        (RecogniserSettings(model="/nowhere/at/all"), "sphinx", "no folder /nowhere/at/all"),
        (RecogniserSettings(model="large-v3-turbo"), "sphinx", "was not fetched"),
        (RecogniserSettings(model="no such name"), "sphinx", "was not fetched"),
        (RecogniserSettings(url="wss://ears.example"), "vosk", "wss://ears.example"),
        (RecogniserSettings(model=TOY, url="wss://ears.example"), "whisper", TOY),
        (RecogniserSettings(kind="vosk", model=TOY), "vosk", "configured"),
    ],
)
def test_what_is_chosen_is_known_without_loading_it(settings: RecogniserSettings, kind: str, words: str):
    found = choice(settings)
    assert found.kind == kind and words in found.why


def test_a_model_that_is_broken_gives_way_and_one_that_was_asked_for_is_refused(tmp_path: Path):
    (tmp_path / "model.bin").write_bytes(b"nothing")
    found = best(RecogniserSettings(model=str(tmp_path)))
    assert isinstance(found.recogniser, SphinxRecogniser) and "no Whisper model" in found.why
    with pytest.raises(RecogniserFault, match="no Whisper model"):
        best(RecogniserSettings(kind="whisper", model=str(tmp_path)))
    with pytest.raises(RecogniserFault, match="is one of"):
        choice(RecogniserSettings(kind="parrot"))
