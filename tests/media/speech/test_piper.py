"""Piper's voices: by language and gender, sentence by sentence, out of a process that stays."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from media.speech.io.espeak import EspeakVoice
from media.speech.io.piper import PiperModel, PiperSaying, PiperVoice
from media.speech.io.voices import voices
from media.speech.jobs import Failed, Result, Speak, Spoken
from media.speech.settings import VoiceSettings
from media.speech.speaking import Speaking, Terms
from media.speech.voice import OneOf, VoiceFault
from tests.media.speech import toy_voice

REAL = shutil.which(os.environ.get("ISOGLOSS_PIPER", "piper"))
STAND_IN = (sys.executable, str(Path(__file__).with_name("piper_program.py")))


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(STAND_IN, id="a program that speaks its command line"),
        pytest.param(
            (REAL or "",), id="piper", marks=pytest.mark.skipif(REAL is None, reason="piper is not installed")
        ),
    ],
)
def voice(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PiperVoice]:
    folder = tmp_path_factory.mktemp("voices")
    models = [
        PiperModel(str(toy_voice.make(folder, "anna", "en_US")), gender="female"),
        PiperModel(str(toy_voice.make(folder, "ben", "en_US", 0.5)), gender="male"),
        PiperModel(str(toy_voice.make(folder, "carmen", "es_ES"))),
    ]
    made = PiperVoice(models, request.param)
    yield made
    made.close()


def said(craft: Speaking, *jobs: Speak) -> list[Result]:
    found: list[Result] = []
    for job in jobs:
        craft.take(job, time.monotonic())
    while craft.busy:
        found += craft.work(time.monotonic())
    return found


def read_out(saying: PiperSaying) -> int:
    """How many samples there were."""
    count = 0
    while (sound := saying.read(5.0)) is not None:
        count += len(sound)
    return count


def test_it_speaks_sentence_by_sentence(voice: PiperVoice):
    craft = Speaking(voice)
    told = said(craft, Speak("a", 30.0, "good morning. how are you? fine!", "en-US", "female"))
    assert all(isinstance(each, Spoken) for each in told) and {each.by for each in told} == {"piper anna"}
    assert len(told) >= 3, "a piece a sentence"
    assert 2.0 < sum(len(each.pcm) for each in told) / 32_000 < 8.0


def test_the_process_stays_and_the_next_text_costs_no_loading(voice: PiperVoice):
    craft = Speaking(voice)
    said(craft, Speak("a", 30.0, "one", "en-US", "female"))
    process = voice._speakers[0].process
    told = said(craft, Speak("b", 30.0, "two", "en-US", "female"))
    assert isinstance(told[-1], Spoken) and voice._speakers[0].process is process


@pytest.mark.parametrize(
    ("language", "gender", "wanted", "by"),
    [
        ("en-US", "female", "", "anna"),
        ("en-GB", "male", "", "ben"),
        ("en", "", "", "anna"),
        ("es-MX", "male", "", "carmen"),
        ("es-ES", "", "ben", "ben"),
    ],
)
def test_the_voice_is_of_the_language_and_gender(voice: PiperVoice, language, gender, wanted, by):
    assert voice.say("one", language, gender, wanted).by == f"piper {by}"


def test_a_language_without_a_voice_is_refused_for_good(voice: PiperVoice):
    with pytest.raises(VoiceFault) as fault:
        voice.say("eins", "de-DE")
    assert fault.value.ever


def test_what_nobody_waits_for_any_more_is_not_taken_for_the_next(voice: PiperVoice):
    left = voice.say("a long text. that nobody hears. to its end.", "es-ES")
    left.close()
    saying = voice.say("ab", "es-ES")
    assert 0 < read_out(saying) < 8 * toy_voice.LONG


def test_a_process_that_is_killed_costs_its_text_alone(voice: PiperVoice):
    craft = Speaking(voice)
    process = voice._process(voice._speakers[2])
    process._process.kill()
    process._process.wait()
    told = said(craft, Speak("a", 30.0, "uno", "es-ES"))
    assert isinstance(told[-1], Spoken), "another one is begun"
    saying = voice.say("dos", "es-ES")
    voice._speakers[2].process._process.kill()
    with pytest.raises(VoiceFault) as fault:
        read_out(saying)
    assert not fault.value.ever
    assert isinstance(said(craft, Speak("b", 30.0, "tres", "es-ES"))[-1], Spoken)


def test_a_process_that_hangs_costs_its_text_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made = PiperVoice([PiperModel(str(toy_voice.make(tmp_path, "anna", "en_US")))], STAND_IN)
    assert isinstance(said(Speaking(made), Speak("a", 30.0, "one", "en-US"))[-1], Spoken)
    monkeypatch.setattr("media.speech.io.piper.STUCK_S", 0.2)
    assert isinstance(said(Speaking(made, Terms(stall_s=0.3)), Speak("b", 30.0, "hang", "en-US"))[-1], Failed)
    assert isinstance(said(Speaking(made), Speak("c", 30.0, "two", "en-US"))[-1], Spoken)
    made.close()


def test_nothing_is_left_in_its_folder(voice: PiperVoice):
    said(Speaking(voice), Speak("a", 30.0, "one. two. three.", "en-US", "male"))
    process = voice._speakers[1].process
    assert list(Path(process._folder).iterdir()) == []


def test_its_end_says_what_it_said(tmp_path: Path):
    made = PiperVoice([PiperModel(str(toy_voice.make(tmp_path, "anna", "en_US")))], STAND_IN)
    told = said(Speaking(made), Speak("a", 30.0, "die", "en-US"))
    assert isinstance(told[0], Failed) and not told[0].ever and "no more" in told[0].why
    made.close()


@pytest.mark.parametrize("lacks", ["program", "model", "description"])
def test_what_is_not_there_is_told_when_it_is_set_up(tmp_path: Path, lacks: str):
    path = toy_voice.make(tmp_path, "anna", "en_US")
    if lacks == "model":
        path.unlink()
    if lacks == "description":
        path.with_name("anna.onnx.json").write_text("{", "utf-8")
    program = ("no-such-program",) if lacks == "program" else STAND_IN
    with pytest.raises(VoiceFault) as fault:
        PiperVoice([PiperModel(str(path))], program)
    assert fault.value.ever


def test_other_languages_are_spoken_by_another_voice(voice: PiperVoice):
    both = OneOf([voice, EspeakVoice()], "both")
    for language, by in (("es-ES", "piper carmen"), ("de-DE", "espeak-ng de")):
        saying = both.say("a", language)
        assert saying.by == by
        saying.close()
    assert {"en-us", "de", "es-es"} <= set(both.languages)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (VoiceSettings(), "no Piper voice is configured"),
        (VoiceSettings(models={"en": "/nowhere/anna.onnx"}), "Piper cannot be used"),
    ],
)
def test_what_is_missing_for_a_better_voice_is_told(settings: VoiceSettings, why: str):
    best = voices(settings)
    assert best.name == "espeak-ng" and best.why.startswith(why)


def test_piper_alone_is_not_replaced_in_silence():
    with pytest.raises(VoiceFault):
        voices(VoiceSettings("piper", {"en": "/nowhere/anna.onnx"}))
