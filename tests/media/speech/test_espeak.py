"""espeak-ng as it is installed: real sound, right voices, no way in for a text."""

from __future__ import annotations

import time

import numpy as np
import pytest

from media.speech.io.espeak import EspeakVoice
from media.speech.io.spoken import ProcessSaying
from media.speech.jobs import Failed, Result, Speak, Spoken
from media.speech.loudness import TARGET
from media.speech.speaking import Speaking
from media.speech.voice import VoiceFault
from tests.media.speech.test_loudness import level

THANKS = {
    "en-US": "Good morning, thank you for calling.",
    "es-MX": "Buenos días, gracias por llamar.",
    "zh-CN": "早上好，感谢您的来电。",
    "ar-SA": "صباح الخير، شكراً لاتصالك.",
    "ja-JP": "おはようございます。",
}


@pytest.fixture(scope="module")
def voice() -> EspeakVoice:
    return EspeakVoice()


def said(voice: EspeakVoice, job: Speak) -> list[Result]:
    craft, found = Speaking(voice), []
    craft.take(job, time.monotonic())
    while craft.busy:
        found += craft.work(time.monotonic())
    return found


@pytest.mark.parametrize("language", THANKS)
@pytest.mark.parametrize("rate", [8_000, 16_000])
def test_it_speaks_at_the_level_and_rate_of_a_call(voice: EspeakVoice, language: str, rate: int):
    told = said(voice, Speak("a", 9.0, THANKS[language], language, rate=rate))
    sound = np.concatenate([np.frombuffer(each.pcm, "<i2") for each in told if isinstance(each, Spoken)])
    assert told[-1].over and len(told) > 1, "it comes in pieces"
    assert 1.0 < len(sound) / rate < 5.0
    assert level(sound[:: rate // 8_000]) == pytest.approx(TARGET, abs=1.5)
    assert 0.0 < told[-1].cost_s < 1.0


@pytest.mark.parametrize(
    ("language", "gender", "wanted", "by"),
    [
        ("en-GB", "", "", "en-gb"),
        ("en-AU", "female", "", "en-gb+f3"),
        ("es-AR", "male", "", "es-419+m3"),
        ("es-ES", "", "", "es"),
        ("pt-BR", "female", "", "pt-br+f3"),
        ("zh-CN", "", "", "cmn-latn-pinyin"),
        ("zh-HK", "", "", "yue"),
        ("de-AT", "", "", "de"),
        ("en-US", "female", "de+f2", "de+f2"),
    ],
)
def test_the_voice_is_of_the_language_and_gender(voice: EspeakVoice, language, gender, wanted, by):
    saying = voice.say("one", language, gender, wanted)
    saying.close()
    assert saying.by == f"espeak-ng {by}"


def test_a_woman_and_a_man_are_two_voices(voice: EspeakVoice):
    women, men = (
        b"".join(each.pcm for each in said(voice, Speak("a", 9.0, "hello", "en-US", gender)))
        for gender in ("female", "male")
    )
    assert women != men


@pytest.mark.parametrize(
    ("text", "language", "wanted"),
    [
        ("hello", "tlh-x-none", ""),
        ("hello", "en-US", "../../etc/passwd"),
        ("hello", "en-US", "en-us+../f1"),
        ("お電話ありがとうございます。", "ja-JP", ""),
    ],
)
def test_what_it_cannot_say_well_it_says_not_at_all(voice: EspeakVoice, text, language, wanted):
    with pytest.raises(VoiceFault) as fault:
        voice.say(text, language, "", wanted)
    assert fault.value.ever


def test_no_text_is_an_option_or_a_phoneme_or_markup(voice: EspeakVoice):
    for text in ("-v de --version one", "[[h@l'oU]] one", "<break time='60s'/> one"):
        told = said(voice, Speak("a", 9.0, text, "en-US"))
        assert isinstance(told[-1], Spoken)
        assert 0.5 < sum(len(each.pcm) for each in told) / 32_000 < 8.0


def read_out(saying: ProcessSaying) -> None:
    while saying.read(1.0) is not None:
        pass


def test_a_process_that_dies_in_the_middle_is_a_fault_for_now(voice: EspeakVoice):
    saying = voice.say("and so on " * 90, "en-US")
    saying.read(1.0)
    saying._process.kill()
    with pytest.raises(VoiceFault) as fault:
        read_out(saying)
    assert not fault.value.ever
    saying.close()


def test_without_espeak_the_fault_says_what_to_install():
    with pytest.raises(VoiceFault, match="apt-get install"):
        EspeakVoice("no-such-program")


def test_a_craft_over_it_refuses_without_a_process(voice: EspeakVoice):
    told = said(voice, Speak("a", 9.0, "hello", "tlh"))
    assert [type(each) for each in told] == [Failed]
