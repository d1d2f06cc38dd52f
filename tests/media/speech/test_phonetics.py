"""Terms that a recogniser wrote down as what they sound like."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.load import SHIPPED_MARKETS
from media.speech.market import hints
from media.speech.phonetics import Names, distance, sounds
from media.speech.word import Word, written

NAMES = ("KYC", "SKU", "Aurora Plus", "Wienstrom", "order", "orders")


def words(text: str, sure: float = 0.4) -> list[Word]:
    return [Word(f" {each}", at * 0.3, at * 0.3 + 0.3, sure) for at, each in enumerate(text.split())]


def corrected(text: str, language: str = "en", sure: float = 0.4) -> str:
    return written(Names(NAMES, language).corrected(words(text, sure)))


@pytest.mark.parametrize(
    ("heard", "language", "said"),
    [
        ("the key why see form", "en", "the KYC form"),
        ("the kay why sea form.", "en", "the KYC form."),
        ("my es kay you please", "en", "my SKU please"),
        ("i have a roar a plus now", "en", "i have Aurora Plus now"),
        ("tengo aurora plas", "es", "tengo Aurora Plus"),
        ("from veen strom", "en", "from Wienstrom"),
    ],
)
def test_what_sounds_like_a_name_becomes_it(heard: str, language: str, said: str):
    assert corrected(heard, language) == said


@pytest.mark.parametrize("text", ["where is my order", "i was in aurora", "the other day", "why see it"])
def test_other_words_stay(text: str):
    assert corrected(text) == text


def test_a_word_that_the_recogniser_is_sure_of_stays_unless_it_sounds_the_same():
    assert corrected("from vien storm", sure=0.95) == "from vien storm"
    assert corrected("the kay why see form", sure=0.95) == "the KYC form"


def test_a_corrected_word_has_the_time_of_all_it_was_heard_as():
    [_, name, _] = Names(NAMES, "en").corrected(words("the key why see form"))
    assert (name.text, round(name.begin, 3), round(name.end, 3)) == (" KYC", 0.3, 1.2)


def test_what_is_right_is_not_touched():
    said = words("I want Aurora Plus and KYC")
    assert Names(NAMES, "en").corrected(said) == tuple(said)


def test_words_before_a_name_are_not_taken_along():
    assert corrected("how much is the Aurora Plus subscription") == "how much is the Aurora Plus subscription"
    assert corrected("the aurora plas please") == "the Aurora Plus please"


@pytest.mark.parametrize("name", sorted(SHIPPED_MARKETS))
def test_what_callers_say_is_not_taken_for_names_however_unsure_it_is(name: str):
    names = Names(hints(SHIPPED_MARKETS[name], name), name)
    folder = Path(__file__).resolve().parents[3] / "benchmarks" / "sentiments"
    for line in (folder / f"{name}.tsv").read_text("utf-8").splitlines()[1:]:
        said = words(line.split("\t")[-1])
        assert names.corrected(said) == tuple(said)


def test_distance_is_bounded():
    assert distance("kitten", "sitting", 5) == 3
    assert distance("kitten", "sitting", 1) == 2
    assert sounds("Wien", "de") == sounds("veen", "en")
