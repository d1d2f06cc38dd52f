"""The instrument that says whether B heard A: it finds what is there and nothing else."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.hearing import heard, is_music, read_wav

RATE = 8000
SPEECH = Path(__file__).resolve().parents[3] / "shared" / "speech"
SENTENCES = (
    "my order number is one two three four five",
    "thank you for calling, please hold the line while we connect you",
    "I would like to know where my parcel is, it should have come yesterday",
    "please hold the line, an agent will be with you shortly",
)
I16 = NDArray[np.int16]
Network = Callable[[I16], I16]


@pytest.fixture(scope="session")
def sentences(tmp_path_factory: pytest.TempPathFactory) -> list[I16]:
    """The sentences as espeak-ng speaks them: one voice, so the wrong ones are as alike as they can be."""
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed")
    folder = tmp_path_factory.mktemp("sentences")
    files = [folder / f"{number}.wav" for number in range(len(SENTENCES))]
    for text, file in zip(SENTENCES, files):
        subprocess.run(["espeak-ng", "-w", str(file), text], check=True)
    return [read_wav(file, RATE) for file in files]


@pytest.fixture(scope="session")
def recordings() -> list[I16]:
    """Real people in several languages: every twelfth file, for the time it takes."""
    files = sorted(SPEECH.glob("*/*.wav"))[::12]
    if not files:
        pytest.skip(f"no real speech at {SPEECH}")
    return [read_wav(file, RATE) for file in files]


def through_g711(samples: I16) -> I16:
    """Coded and decoded by µ-law, continuous form: the same noise as the table's to a fraction of a dB."""
    level = np.log1p(255 * np.abs(samples / 32768.0)) / np.log(256)
    level = np.round(level * 127) / 127
    return np.asarray(np.sign(samples) * np.expm1(level * np.log(256)) / 255 * 32767).astype(np.int16)


def within_silence(samples: I16, before_s: float = 0.7, after_s: float = 1.0) -> I16:
    return np.pad(samples, (int(before_s * RATE), int(after_s * RATE)))


def losing(share: float) -> Network:
    def network(samples: I16) -> I16:
        kept = np.random.default_rng(7).random(-(-len(samples) // 160)) >= share
        return (samples * np.repeat(kept, 160)[: len(samples)]).astype(np.int16)

    return network


def quieter(decibels: float) -> Network:
    return lambda samples: (samples * 10 ** (-decibels / 20)).astype(np.int16)


def noisy(decibels: float) -> Network:
    def network(samples: I16) -> I16:
        level = np.sqrt(np.mean(samples.astype(float) ** 2)) * 10 ** (-decibels / 20)
        noise = np.random.default_rng(3).normal(0, level, len(samples))
        return np.clip(samples + noise, -32768, 32767).astype(np.int16)

    return network


def stretched(samples: I16) -> I16:
    """A jitter buffer that grew by two packets in mid-sentence."""
    middle = len(samples) // 2
    return np.concatenate([samples[:middle], np.zeros(320, np.int16), samples[middle:]])


NETWORKS: dict[str, Network] = {
    "G.711": lambda samples: samples,
    "5 % loss": losing(0.05),
    "15 % loss": losing(0.15),
    "20 dB less": quieter(20),
    "noise at 12 dB": noisy(12),
    "a growing jitter buffer": stretched,
}


@pytest.mark.parametrize("network", NETWORKS.values(), ids=list(NETWORKS))
def test_a_sentence_is_heard_through_a_telephone_network(sentences: list[I16], network: Network) -> None:
    for said in sentences:
        assert heard(said, within_silence(network(through_g711(said))), RATE)


@pytest.mark.parametrize("network", NETWORKS.values(), ids=list(NETWORKS))
def test_real_people_are_heard_through_a_telephone_network(recordings: list[I16], network: Network) -> None:
    for said in recordings:
        assert heard(said, within_silence(network(through_g711(said))), RATE)


def test_delay_and_gain_are_measured(sentences: list[I16]) -> None:
    found = heard(sentences[0], within_silence(quieter(6)(sentences[0]), before_s=1.25), RATE)
    assert found.delay_s == pytest.approx(1.25, abs=0.001)
    assert found.gain_db == pytest.approx(-6.0, abs=0.2)


def test_a_sentence_whose_start_was_cut_is_still_heard(sentences: list[I16]) -> None:
    cut = len(sentences[1]) // 4
    found = heard(sentences[1], sentences[1][cut:], RATE)
    assert found
    assert found.delay_s == pytest.approx(-cut / RATE, abs=0.001)


def test_a_sentence_between_others_is_heard_where_it_is(sentences: list[I16]) -> None:
    received = np.concatenate([sentences[1], within_silence(sentences[2]), sentences[3]])
    found = heard(sentences[2], received, RATE)
    assert found
    assert found.delay_s == pytest.approx(len(sentences[1]) / RATE + 0.7, abs=0.001)


def test_the_same_voice_with_other_words_is_not_taken_for_it(sentences: list[I16]) -> None:
    for number, said in enumerate(sentences):
        others = np.concatenate([within_silence(other) for k, other in enumerate(sentences) if k != number])
        assert not heard(said, through_g711(others), RATE)


def test_other_people_are_not_taken_for_it(recordings: list[I16]) -> None:
    for said, other in zip(recordings, recordings[1:] + recordings[:1]):
        found = heard(said, within_silence(other), RATE)
        assert not found
        assert found.score <= 0.3


@pytest.mark.parametrize("sound", ["silence", "noise", "a tone", "nothing at all"])
def test_a_sentence_is_not_heard_in(sentences: list[I16], sound: str) -> None:
    time = np.arange(10 * RATE) / RATE
    received = {
        "silence": np.zeros(10 * RATE),
        "noise": np.random.default_rng(5).normal(0, 3000, 10 * RATE),
        "a tone": 8000 * np.sin(2 * np.pi * 440 * time),
        "nothing at all": np.zeros(0),
    }[sound].astype(np.int16)
    assert not any(heard(said, received, RATE) for said in sentences)


def test_silence_is_never_heard_as_something_said(sentences: list[I16]) -> None:
    assert not heard(np.zeros(2 * RATE, np.int16), sentences[0], RATE)


@pytest.fixture(scope="session")
def music() -> I16:
    """Eight seconds of chords, each note with its overtones."""
    time = np.arange(RATE) / RATE
    chords = [(262, 330, 392), (220, 262, 330), (175, 220, 262), (196, 247, 294)]
    bars = [
        sum(np.sin(2 * np.pi * note * k * time) / k for note in chord for k in (1, 2, 3)) * np.exp(-2 * time)
        for chord in (*chords, *reversed(chords))
    ]
    return (np.concatenate(bars) * 3000).astype(np.int16)


def test_music_is_recognised_wherever_in_its_loop_it_begins(music: I16) -> None:
    received = through_g711(np.tile(music, 3)[5 * RATE : 17 * RATE])
    assert is_music(received, music, RATE)


def test_music_between_announcements_is_recognised(music: I16, sentences: list[I16]) -> None:
    received = np.concatenate([music[: 4 * RATE], sentences[0], np.tile(music, 2)[3 * RATE : 9 * RATE]])
    assert is_music(received, music, RATE, share=0.3)


def test_speech_is_not_taken_for_music(music: I16, sentences: list[I16]) -> None:
    assert not any(is_music(said, music, RATE) for said in sentences)
