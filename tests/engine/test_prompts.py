"""The prompt pack: real speech in every language, found by name, made once; and music that never ends."""

from __future__ import annotations

import os
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
import yaml

from engine.music import BAND_HZ, BEAT_S, hold_music
from engine.prompts import MADE, MUSIC, RATES, PromptFault, PromptPack, build, main, read_texts
from engine.voice import block_levels, say, speech_level, telephone

LANGUAGES = ("en", "es", "zh")
NEEDED = (
    "welcome welcome-support all-busy leave-hint connecting goodbye closed unknown-number line-trouble "
    "position-more wait-less-than-1 wait-more agent-logged-in agent-logged-out agent-paused agent-resumed "
    "agent-wrap-up-over agent-not-possible recording-notice recording-paused recording-resumed"
).split()


def samples(path: str | Path) -> tuple[int, np.ndarray]:
    """The rate and the samples, in -1..1, of a WAV file that must be 16-bit mono."""
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> PromptPack:
    folder = tmp_path_factory.mktemp("pack")
    assert build(folder, read_texts()) > 150
    return PromptPack.load(folder)


def test_every_language_says_the_same_names():
    texts = read_texts()
    assert tuple(texts) == LANGUAGES
    names = {language: set(said.prompts) for language, said in texts.items()}
    assert names["en"] == names["es"] == names["zh"]
    assert names["en"] >= {*NEEDED, *(f"position-{n}" for n in range(1, 21))}
    assert names["en"] >= {f"wait-{minutes}" for minutes in (1, 2, 3, 5, 10, 15, 20, 30, 60)}


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_prompt_is_speech_of_a_sensible_length_and_level(pack, language, rate):
    for name in pack.names(language) - set(MADE):
        found, speech = samples(pack.path(language, name, rate))
        assert found == rate
        assert 0.5 < len(speech) / rate < 8.0, name
        assert -21.5 < speech_level(speech, rate) < -18.5, name
        assert np.abs(speech).max() <= 10 ** (-3 / 20) + 0.001, name


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_prompt_begins_and_ends_with_no_more_than_a_breath(pack, language):
    for name in pack.names(language) - set(MADE):
        rate, speech = samples(pack.path(language, name))
        levels = block_levels(speech, rate)
        loud = np.flatnonzero(levels > levels.max() * 0.01)
        assert loud[0] <= 4, name
        assert len(levels) - loud[-1] <= 11, name


def test_different_words_sound_different_and_longer_words_last_longer(pack):
    assert len({Path(pack.path("en", name)).read_bytes() for name in pack.names("en")}) == len(
        pack.names("en")
    )
    lengths = {name: len(samples(pack.path("zh", name))[1]) for name in ("busy", "all-busy")}
    assert lengths["all-busy"] > lengths["busy"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_voice_reads_its_own_language_and_never_changes_to_another(language):
    # espeak-ng's `cmn` falls into English for most characters; its phonemes then say "(en)".
    texts = read_texts()[language]
    said = subprocess.run(
        ["espeak-ng", "-v", texts.voice, "-q", "--ipa", "-b", "1", "--stdin"],
        input="\n".join(texts.prompts.values()).encode(),
        capture_output=True,
        check=True,
    ).stdout.decode()
    assert "(" not in said


def test_a_prompt_is_found_in_the_language_then_its_base_then_the_fallback(pack, tmp_path):
    assert pack.path("es-MX", "goodbye") == pack.path("es", "goodbye")
    assert pack.path("fi", "goodbye") == pack.path("en", "goodbye")
    assert pack.path("zh", MUSIC) == pack.path("en", MUSIC)
    assert pack.languages == LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_prompt_that_the_shipped_configuration_names_is_there(pack, language):
    folder = Path(__file__).resolve().parents[2] / "config"
    queues = yaml.safe_load((folder / "queues.yaml").read_text("utf-8"))
    named = {name for queue in queues.values() for name in (*queue["welcome"], queue["music"])}
    for queue in queues.values():
        named |= {
            queue[way]["announce"] for way in ("overflow", "leave_to") if "announce" in queue.get(way, {})
        }
    assert named
    assert named <= pack.names(language)


def test_an_unknown_name_is_refused_with_the_file_to_add_it_to(pack):
    with pytest.raises(PromptFault, match=r"no prompt 'hullo'.*config/prompts/es\.yaml"):
        pack.path("es", "hullo")
    with pytest.raises(PromptFault, match="8000 and 16000 Hz"):
        pack.path("es", "goodbye", 48_000)


def test_a_second_build_makes_nothing_and_a_changed_text_only_itself(pack):
    assert build(pack.folder, read_texts()) == 0
    texts = read_texts()
    changed = {**texts["en"].prompts, "goodbye": "So long."}
    before = pack.path("en", "goodbye")
    assert build(pack.folder, {**texts, "en": type(texts["en"])(texts["en"].voice, changed, 155)}) == 1
    after = PromptPack.load(pack.folder).path("en", "goodbye")
    assert before != after
    assert Path(before).exists(), "a node that runs goes on playing the pack it loaded"


def test_a_missing_pack_names_the_command_that_makes_it(tmp_path):
    with pytest.raises(PromptFault, match=f"python -m engine.prompts build --to {tmp_path}"):
        PromptPack.load(tmp_path)


def test_a_pack_that_lost_a_file_is_not_loaded(tmp_path):
    texts = read_texts()["en"]
    build(tmp_path, {"en": type(texts)(texts.voice, {"goodbye": "Goodbye."})})
    Path(PromptPack.load(tmp_path).path("en", "goodbye", 16_000)).unlink()
    with pytest.raises(PromptFault, match="lacks 'goodbye' in 'en'"):
        PromptPack.load(tmp_path)


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("voice: en\nprompts: {Hello: Hi}\n", "'Hello' is no name"),
        ("voice: en\nprompts: {hello: '  '}\n", "says nothing"),
        ("voice: en\nprompts: {hello: Hi}\nvolume: 11\n", "volume"),
        ("voice: en\nspeed: 5\nprompts: {hello: Hi}\n", "speed"),
        ("prompts: {hello: Hi}\n", "voice"),
        ("voice: [\n", "en.yaml"),
    ],
)
def test_a_faulty_text_file_is_refused_with_what_is_wrong(tmp_path, capsys, written, complaint):
    (tmp_path / "en.yaml").write_text(written, encoding="utf-8")
    assert main(["build", "--to", str(tmp_path / "pack"), "--config", str(tmp_path)]) == 1
    assert complaint in capsys.readouterr().err


def test_without_espeak_the_remedy_is_printed(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "engine.prompts", "build", "--to", str(tmp_path)],
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "apt-get install -y espeak-ng" in done.stderr
    assert "Traceback" not in done.stderr


def test_text_is_never_taken_for_an_option():
    rate, raw = say("--version", voice="en-us")
    assert len(telephone(raw, rate, 8_000)) > 4_000


@pytest.mark.parametrize("rate", RATES)
def test_the_music_is_a_quiet_minute(rate):
    music = hold_music(rate) / 32768
    assert len(music) == round(64 * BEAT_S * rate) == 60 * rate
    assert 20 * np.log10(np.sqrt(np.mean(music**2))) == pytest.approx(-24, abs=0.1)
    seconds = 20 * np.log10(np.sqrt(np.mean(music.reshape(60, -1) ** 2, axis=1)))
    assert seconds.min() > -30
    assert seconds.max() < -20, "never loud, never gone"
    assert np.abs(music).max() < 0.5


@pytest.mark.parametrize("rate", RATES)
def test_the_loop_has_no_seam(rate):
    music = hold_music(rate).astype(float)
    steps = np.abs(np.diff(music))
    assert abs(music[0] - music[-1]) <= steps.max()
    # Curvature shows a click that the step alone may hide.
    bends = np.abs(np.diff(np.concatenate((music[-200:], music[:200])), 2))
    assert bends.max() <= np.abs(np.diff(music, 2)).max()


def test_the_music_fits_in_a_telephone_and_is_tones_not_noise():
    music = hold_music(16_000) / 32768
    power = np.abs(np.fft.rfft(music)) ** 2
    frequency = np.fft.rfftfreq(len(music), 1 / 16_000)
    outside = power[(frequency < BAND_HZ[0]) | (frequency > BAND_HZ[-1])].sum()
    assert outside < 1e-4 * power.sum()
    strongest = np.sort(power)[::-1]
    assert strongest[: len(power) // 100].sum() > 0.8 * power.sum(), (
        "most of it in a hundredth of the spectrum"
    )


def test_both_rates_are_the_same_piece():
    low, high = hold_music(8_000).astype(float), hold_music(16_000)[::2].astype(float)
    assert np.corrcoef(low, high)[0, 1] > 0.999
