"""What is shown of translations of what is still being said."""

from __future__ import annotations

from random import Random

import pytest

from media.speech.rewording import Changes, Rewording, Terms


def shown(rewording: Rewording, *texts: str) -> list[str]:
    return [rewording.guess(text) for text in texts]


def test_a_word_is_shown_once_two_translations_agree_on_it():
    rewording = Rewording("en")
    texts = shown(
        rewording, "I want", "I want to speak", "I want to speak with", "I want to speak with a person"
    )
    assert texts == ["", "I want", "I want to speak", "I want to speak with"]


def test_what_was_shown_stays_while_a_translation_differs():
    rewording = Rewording("en")
    texts = shown(
        rewording, "where is", "where is my", "my order where", "where is my order", "where is my order"
    )
    assert texts == ["", "where is", "where is", "where is", "where is my order"]
    assert rewording.changes.taken == 0


def test_what_goes_on_differing_is_reworded_in_the_end():
    rewording = Rewording("en", Terms(patience=3))
    texts = shown(rewording, "the bank", "the bank", "the bench", "the bench is", "the bench is wet")
    assert texts[:4] == ["", "the bank", "the bank", "the bank"]
    assert texts[4] == "the bench is"
    assert rewording.changes == Changes(shown=4, taken=1)


def test_a_translation_that_is_shorter_for_once_takes_nothing_away():
    assert shown(Rewording("en"), "a b c", "a b c", "a", "a b c") == ["", "a b c", "a b c", "a b c"]


def test_the_clause_that_stands_is_shown_as_it_is_and_capitals_and_marks_are_no_change():
    rewording = Rewording("en")
    shown(rewording, "i want help", "i want help now")
    assert rewording.stands("I want help, now.") == "I want help, now."
    assert rewording.changes == Changes(shown=4, taken=0)
    assert shown(rewording, "and", "and then") == ["", "and"]


def test_scripts_without_spaces_are_shown_by_characters():
    rewording = Rewording("zh-CN")
    assert shown(rewording, "我的", "我的订单", "我的订单在") == ["", "我的", "我的订单"]


@pytest.mark.parametrize("seed", range(20))
def test_whatever_a_translator_does_less_is_taken_away_than_if_all_were_shown(seed: int):
    rng = Random(seed)
    words = [f"w{at}" for at in range(20)]
    texts = []
    for upto in range(1, 21):
        line = words[:upto]
        if rng.random() < 0.4:
            at = rng.randrange(upto)
            line = [*line[:at], f"x{rng.randrange(3)}", *line[at + 1 :]]
        texts.append(" ".join(line))
    rewording, naive = Rewording("en"), Changes()
    before: list[str] = []
    for text in texts:
        rewording.guess(text)
        naive.turn(before, text.split())
        before = text.split()
    final = " ".join(words)
    naive.turn(before, words)
    assert rewording.stands(final) == final
    assert rewording.changes.taken <= naive.taken / 2
