"""What stands of a recogniser's guesses: never unsaid, never late, and as good as the recogniser."""

from __future__ import annotations

from random import Random

import pytest

from media.speech.agreement import Agreement, Terms
from media.speech.doubt import unlooped
from media.speech.word import Guess, Word, bares
from tests.media.speech.guesses import SAID, stream, words

BOUND_S = Terms().bound_s


def after(*texts: str, now: float = 0.0) -> Agreement:
    found = Agreement()
    for serial, text in enumerate(texts):
        found.hear(Guess(serial, words(text)), now)
    return found


def test_what_two_guesses_begin_with_stands():
    found = after("good", "good morning", "good morning I wood")
    assert found.text == ("good morning", " I wood")
    found.hear(Guess(3, words("good morning I would like")), 0.0)
    assert found.text == ("good morning I", " would like")


def test_a_word_that_stands_is_not_taken_back_whatever_comes():
    found = after("good morning", "good morning")
    for serial, text in enumerate(("food mourning sir", "", "completely different words here", "good"), 2):
        found.hear(Guess(serial, words(text)), 0.0)
        assert found.text.stands.startswith("good morning")


def test_case_punctuation_and_width_are_no_disagreement_and_the_newest_is_shown():
    assert after("hello", "Hello,").text == ("Hello,", "")
    assert after("ＡＢＣ", "abc").text == ("abc", "")


def test_text_without_spaces_is_put_together_without():
    one = (Word("你", 0.0, 0.2), Word("好", 0.2, 0.4), Word("吗", 0.4, 0.6))
    found = Agreement()
    found.hear(Guess(0, one[:2]), 0.6)
    found.hear(Guess(1, one), 0.9)
    assert found.text == ("你好", "吗")


def test_a_late_guess_is_left_out():
    found = after("good morning", "good morning sir")
    assert not found.hear(Guess(0, words("bad evening")), 0.0)
    assert found.text == ("good morning", " sir")


def test_what_was_said_long_ago_stands_though_nobody_agrees():
    found = Agreement()
    for serial in range(20):
        now = 0.3 * (serial + 1)
        found.hear(Guess(serial, words(f"w{serial} " * (serial + 1))), now)
        assert all(word.end + BOUND_S > now for word in found.guess)
    assert found.stands


def test_a_recogniser_that_says_it_is_slow_to_decide_is_waited_for_and_held_to_its_word():
    found = Agreement()
    for serial, now in enumerate((0.6, 0.9, 1.2)):
        found.hear(Guess(serial, words("good morning")), now, 2.0)
    assert found.text == ("", "good morning")
    found.hear(Guess(3, words("good morning")), 2.3, 2.0)
    assert found.text == ("good", " morning")
    for serial in range(4, 20):
        found.hear(Guess(serial, words(f"good w{serial}")), 2.4, 2.0)
    assert found.next_timeout() == pytest.approx(0.6 + 3.0)
    assert found.tick(3.6) and found.text == ("good w19", "")


def test_a_recogniser_that_falls_silent_holds_nothing_up():
    found = Agreement()
    found.hear(Guess(0, words("good morning")), 1.0)
    assert found.next_timeout() == pytest.approx(0.3 + BOUND_S)
    assert found.tick(0.6 + BOUND_S)
    assert found.text == ("good morning", "")
    assert found.next_timeout() is None


def test_the_final_guess_stands_and_ends_it():
    found = after("good morning", "good morning")
    assert found.hear(Guess(2, words("Good morning, sir."), final=True), 0.0)
    assert found.text == ("good morning sir.", "")
    assert not found.hear(Guess(3, words("good morning madam")), 0.0)


def test_words_that_a_guess_says_once_more_are_not_shown_twice():
    found = after("I would like", "I would like")
    shifted = words("would like to order", 0.3)
    found.hear(Guess(2, shifted), 0.0)
    found.hear(Guess(3, shifted), 0.0)
    assert found.text.stands == "I would like to order"


def test_a_word_that_was_said_twice_is_shown_twice():
    assert after("very", "very very", "very very good", "very very good").text.stands == "very very good"


@pytest.mark.parametrize("seed", range(60))
def test_whatever_a_recogniser_does_nothing_is_unsaid_and_nothing_lags(seed: int):
    found, before = Agreement(), ""
    for at, guess in stream(Random(seed)):
        while (due := found.next_timeout()) is not None and due <= at:
            found.tick(due)
            assert found.text.stands.startswith(before)
            before = found.text.stands
        found.hear(guess._replace(words=unlooped(guess.words)), at)
        assert found.text.stands.startswith(before)
        assert all(word.end + BOUND_S > at for word in found.guess)
        before = found.text.stands
    assert found.final and not found.guess


def test_streamed_words_are_nearly_those_of_the_last_guess():
    """A recogniser that muddles its newest words only costs a reader little."""
    wrong = []
    for seed in range(60):
        found = Agreement()
        for at, guess in stream(Random(seed)):
            found.hear(guess._replace(words=unlooped(guess.words)), at)
        said = bares(found.stands)
        wrong.append(_distance(said, bares(words(" ".join(SAID)))) / len(SAID))
    assert sum(wrong) / len(wrong) < 0.05


def _distance(one: list[str], other: list[str]) -> int:
    row = list(range(len(other) + 1))
    for at, a in enumerate(one):
        before, row[0] = row[0], at + 1
        for place, b in enumerate(other, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (a != b))
    return row[-1]
