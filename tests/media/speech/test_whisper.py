"""Whisper through the library that runs it, with a model small enough to be kept here.

It is made by scripts/toy_whisper.py and knows the phrases of models/phrases.tsv, by several voices.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from media.speech.hearing import Hearing
from media.speech.io.whisper import WhisperRecogniser
from media.speech.jobs import Hear, Heard
from media.speech.recogniser import RecogniserFault, Said
from media.speech.utterance import Utterance
from media.speech.word import written
from tests.media.speech.spoken import spoken

MODELS = Path(__file__).parent / "models"
PHRASES = [
    (language, text)
    for line in (MODELS / "phrases.tsv").read_text("utf-8").splitlines()
    for language, text in zip(("en", "es"), line.split("\t"))
]
VOICES = {"en": "en-us", "es": "es"}
RATE = 8000
WINDOW_S = 6.0  # that the model hears at once


@pytest.fixture(scope="module")
def whisper() -> Iterator[WhisperRecogniser]:
    made = WhisperRecogniser(str(MODELS / "whisper"))
    yield made
    made.close()


def heard(
    one: WhisperRecogniser, *utterances: tuple[str, str], rate: int = RATE, **more: object
) -> list[Said]:
    """Of texts in languages, all at once."""
    names = [f"s{at}" for at in range(len(utterances))]
    for name, (language, text) in zip(names, utterances):
        one.start(name, rate, **more)
        one.feed(name, spoken(text, VOICES[language], rate))
    said = one.guesses(names, set(names), 0.0)
    for name in names:
        one.stop(name)
    return [said[name] for name in names]


@pytest.mark.parametrize(("rate", "phrases"), [(8000, PHRASES), (16000, PHRASES[2:6])])
def test_phrases_are_heard_to_the_letter_in_the_language_they_are_said_in(
    whisper: WhisperRecogniser, rate: int, phrases: list[tuple[str, str]]
):
    said = heard(whisper, *phrases, rate=rate)
    wrong = [
        (text, written(each.guess.words), each.language)
        for (language, text), each in zip(phrases, said)
        if (written(each.guess.words), each.language) != (text, language)
    ]
    assert wrong == []
    assert all(each.sure > 0.6 and not each.low for each in said)


def test_many_at_once_are_heard_as_each_alone(whisper: WhisperRecogniser):
    together = heard(whisper, *PHRASES[:6])
    alone = [heard(whisper, phrase)[0] for phrase in PHRASES[:6]]
    for one, other in zip(together, alone):
        assert written(one.guess.words) == written(other.guess.words) and one.language == other.language
        assert one.guess.logprob == pytest.approx(other.guess.logprob, abs=0.02)


def test_words_have_times_in_their_order_within_the_sound(whisper: WhisperRecogniser):
    (said,) = heard(whisper, ("en", "I want to cancel my order."))
    words = said.guess.words
    length = len(spoken("I want to cancel my order.", "en-us", RATE)) / 2 / RATE
    assert [word.text for word in words] == [" I", " want", " to", " cancel", " my", " order."]
    assert all(0.0 <= word.begin <= word.end <= length + 0.05 and 0.0 < word.sure <= 1.0 for word in words)
    assert all(one.end <= other.begin + 1e-9 for one, other in pairwise(words))


def test_the_language_is_one_of_those_that_are_likely(whisper: WhisperRecogniser):
    (said,) = heard(whisper, ("es", "Quiero cancelar mi pedido."), languages=("en-GB", "es-MX"))
    assert said.language == "es-MX" and written(said.guess.words) == "Quiero cancelar mi pedido."
    with pytest.raises(RecogniserFault, match="does not hear ja"):
        whisper.start("x", RATE, ["ja"])


def test_hints_go_along_and_those_of_different_length_at_once(whisper: WhisperRecogniser):
    hints = ((), ("order",), ("SKU", "KYC", "refund."))
    for at, each in enumerate(hints):
        whisper.start(f"s{at}", RATE, ("en",), each)
        whisper.feed(f"s{at}", spoken("I want to cancel my order.", "en-us", RATE))
    said = whisper.guesses(["s0", "s1", "s2"], set(), 0.0)
    for name in said:
        whisper.stop(name)
    assert {written(each.guess.words) for each in said.values()} == {"I want to cancel my order."}


def test_silence_and_noise_are_known_as_such(whisper: WhisperRecogniser):
    noise = np.random.default_rng(3).normal(0, 300, 16000).astype("<i2").tobytes()
    for pcm in (bytes(32000), noise):
        whisper.start("a", 16000, ())
        whisper.feed("a", pcm)
        assert whisper.guesses(["a"], {"a"}, 0.0)["a"].guess.silence > 0.6
        whisper.stop("a")


def test_an_utterance_longer_than_the_model_hears_at_once_goes_on(whisper: WhisperRecogniser):
    whisper.start("a", 16000, ("en",))
    texts = ["Where is my order?", "The invoice is wrong.", "I would like a refund.", "Thank you very much."]
    seconds, left = 0.0, ()
    for text in [*texts, ""]:
        pcm = spoken(text, "en-us", 16000) if text else b""
        whisper.feed("a", pcm)
        words = whisper.guesses(["a"], set() if text else {"a"}, 0.0)["a"].guess.words
        assert words[: len(left)] == left, "what it hears no more stays as it was"
        assert all(one.end <= two.end for one, two in pairwise(words))
        seconds += len(pcm) / 32000
        left = tuple(word for word in words if word.end <= seconds - WINDOW_S)
    whisper.stop("a")
    assert left


def test_a_page_sees_an_utterance_grow_to_what_was_said(whisper: WhisperRecogniser):
    """Jobs every 300 ms, through the craft and the policy."""
    text, pcm = "I want to speak to an agent.", spoken("I want to speak to an agent.", "en-us", RATE)
    hearing, one, stands = Hearing(whisper, lambda: 0.0), Utterance(1, 0.0), []
    for at in range(0, len(pcm), 4800):
        final = at + 4800 >= len(pcm)
        now = (at + 4800) / 2 / RATE
        hearing.take(
            Hear(f"{at}", 5.0, "s", at // 2, pcm[at : at + 4800], RATE, 0.0, ("en",), final=final), now
        )
        (answer,) = hearing.work(now)
        assert isinstance(answer, Heard)
        if answer.guess is not None:
            one.hear(answer.guess, now, -20.0, now)
            stands.append(one.text)
    assert all(later.startswith(before) for before, later in pairwise(stands))
    assert one.over and one.text == text


@pytest.mark.parametrize("name", ["/nowhere/at/all", "no such model"])
def test_a_model_that_is_not_there_is_named(name: str):
    with pytest.raises(RecogniserFault, match=name):
        WhisperRecogniser(name)
