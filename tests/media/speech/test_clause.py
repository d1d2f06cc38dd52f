"""What is said comes in clauses, each as soon as it can be told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.speech.clause import DEFAULT, clauses
from media.speech.word import Word
from tests.media.speech.guesses import words


def cut(text: str, *, over: bool = True) -> list[str]:
    return [clause.text for clause in clauses(words(text), over=over)[0]]


def test_sentences_are_clauses_and_the_last_waits_until_it_is_over():
    text = "Hello there. My parcel is lost! Where is"
    assert cut(text, over=False) == ["Hello there.", "My parcel is lost!"]
    assert cut(text) == ["Hello there.", "My parcel is lost!", "Where is"]


@pytest.mark.parametrize(
    "text",
    [
        "It costs 3.50 Euros",
        "Ask J. Smith for it",
        "am 3. Mai um neun",
        "see No. 7 please",
        'he said "maybe" twice',
    ],
)
def test_a_full_stop_is_not_always_an_end(text: str):
    assert cut(text) == [text]


def test_a_long_sentence_is_cut_at_its_comma():
    assert cut("when I came home last night, the box was open") == [
        "when I came home last night,",
        "the box was open",
    ]
    assert cut("yes, of course") == ["yes, of course"], "too short to be worth it"


def test_other_scripts_have_marks_of_their_own():
    chinese = tuple(
        Word(each, at * 0.2, at * 0.2 + 0.2) for at, each in enumerate(("你好", "。", "我要", "退货", "。"))
    )
    assert [clause.text for clause in clauses(chinese, over=True)[0]] == ["你好。", "我要退货。"]
    assert cut("أين طلبي؟ شكرا") == ["أين طلبي؟", "شكرا"]


def test_a_pause_ends_a_clause():
    said = (*words("I would like"), *words("no wait", 2.0))
    assert [clause.text for clause in clauses(said, over=True)[0]] == ["I would like", "no wait"]


def test_talk_without_any_mark_is_cut_all_the_same():
    found, used = clauses(words("word " * 60), over=False)
    assert [len(clause.words) for clause in found] == [DEFAULT.most, DEFAULT.most]
    assert used == 2 * DEFAULT.most


@given(st.lists(st.sampled_from(["a", "b.", "c,", "3.", "J.", "d?", "。"]), max_size=60))
def test_what_was_cut_stays_cut_when_more_is_said(parts: list[str]):
    said = words(" ".join(parts))
    whole = [clause.words for clause in clauses(said, over=False)[0]]
    for length in range(len(said)):
        early = [clause.words for clause in clauses(said[:length], over=False)[0]]
        assert early == whole[: len(early)]
    everything = [word for clause in clauses(said, over=True)[0] for word in clause.words]
    assert everything == list(said)
