"""Nonsense is known by its looks, in any language."""

from __future__ import annotations

import pytest

from media.speech.doubt import Doubt, doubt, unlooped
from media.speech.word import Guess, Word
from tests.media.speech.guesses import SAID, words

SPOKEN = Guess(0, words(" ".join(SAID)), silence=0.1, logprob=-0.4)
LENGTH_S = 0.3 * len(SAID)


def test_speech_is_believed():
    assert doubt(SPOKEN, LENGTH_S, -20.0) is None
    assert doubt(SPOKEN._replace(silence=0.9), LENGTH_S, -20.0) is None, "sure of its words"
    assert doubt(Guess(0, ()), 0.0, -90.0) is None


def test_a_recogniser_that_hears_nobody_and_is_unsure_is_not_believed():
    assert doubt(SPOKEN._replace(silence=0.8, logprob=-1.5), LENGTH_S, -20.0) is Doubt.SILENCE


def test_thanks_for_watching_is_not_said_by_a_silent_line():
    assert doubt(Guess(0, words("Thank you for watching!")), 1.0, -75.0) is Doubt.ENERGY


def test_more_than_anybody_can_say_is_not_believed():
    assert doubt(SPOKEN, 2.0, -20.0) is Doubt.HURRIED
    chinese = Guess(0, tuple(Word("字", 0.0, 0.1) for _ in range(40)))
    assert doubt(chinese, 1.0, -20.0) is Doubt.HURRIED


@pytest.mark.parametrize(
    "phrase", ["subtitles by the community ", "ご視聴ありがとうございました", "جزاك الله "]
)
def test_text_that_repeats_itself_is_not_believed(phrase: str):
    guess = Guess(0, (Word(phrase * 12, 0.0, 60.0),))
    assert doubt(guess, 60.0, -20.0) is Doubt.PACKED


def test_a_loop_is_cut_after_its_first_turn():
    looping = words("I would like to I would like to I would like to I would like to")
    assert [word.text for word in unlooped(looping)] == [" I", " would", " like", " to"]
    assert len(unlooped(words("please " + "no " * 30))) == 2


def test_what_people_do_say_again_is_left():
    for text in ("no no no", "very very good", "call me back, call me back", "one one two one one two"):
        assert unlooped(words(text)) == words(text)
