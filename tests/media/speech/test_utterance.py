"""An utterance on a page: it grows, it ends, and says how late it is."""

from __future__ import annotations

from random import Random

import pytest

from media.speech.doubt import Doubt
from media.speech.utterance import Revision, Stage, Terms, Utterance
from media.speech.word import Guess
from tests.media.speech.guesses import SAID, stream, words

LOUD = -20.0


def said(utterance: Utterance, serial: int, text: str, now: float, *, final: bool = False) -> Revision | None:
    return utterance.hear(Guess(serial, words(text), final=final), 60.0, LOUD, now)


def test_each_version_is_put_in_the_place_of_the_one_before():
    one = Utterance(1, 0.0)
    told = [
        said(one, 0, "good", 0.5),
        said(one, 1, "good morning", 0.8),
        said(one, 2, "good morning sir", 1.1),
    ]
    assert [(each.serial, each.stands, each.guess) for each in told if each] == [
        (1, "", "good"),
        (2, "good", " morning"),
        (3, "good morning", " sir"),
    ]
    assert said(one, 3, "good morning sir", 1.4).stands == "good morning sir"
    assert said(one, 4, "good morning sir", 1.7) is None, "nothing changed"


def test_the_stages_of_its_way_are_timed():
    one = Utterance(1, 0.0)
    said(one, 0, "good morning", 0.8)
    one.ended(0.6, 1.1)
    over = said(one, 1, "Good morning.", 1.4, final=True)
    assert over is not None and over.over and over.stands == "Good morning."
    one.lags.reach(Stage.TRANSLATED, 1.5)
    assert one.lags.since(Stage.NOTICED) == pytest.approx(0.5)
    assert one.lags.since(Stage.WRITTEN) == pytest.approx(0.8)
    assert one.lags.since(Stage.TRANSLATED, Stage.WRITTEN) == pytest.approx(0.1)
    assert one.lags.since(Stage.VOICED) is None


def test_a_recogniser_that_dies_leaves_what_it_had_understood():
    one = Utterance(1, 0.0)
    said(one, 0, "good morning", 0.8)
    one.ended(0.6, 1.1)
    assert one.next_timeout() == pytest.approx(0.3 + Terms().agreement.bound_s)
    last = one.tick(1.1 + Terms().final_s)
    assert last is not None and (last.stands, last.over) == ("good morning", True)
    assert one.next_timeout() is None and one.tick(99.0) is None


def test_nonsense_is_not_shown_and_counted():
    one = Utterance(1, 0.0)
    assert one.hear(Guess(0, words("Thank you for watching!")), 1.0, -80.0, 0.5) is None
    assert one.doubted == [Doubt.ENERGY]
    over = one.hear(Guess(1, words("Thank you for watching!"), final=True), 1.0, -80.0, 0.8)
    assert over is not None and (over.stands, over.over) == ("", True)


def test_clauses_are_given_once_and_make_up_the_text():
    one = Utterance(1, 0.0)
    said(one, 0, "My parcel is lost. Where", 1.5)
    said(one, 1, "My parcel is lost. Where is", 1.8)
    assert [each.text for each in one.clauses()] == ["My parcel is lost."]
    assert one.clauses() == []
    said(one, 2, "My parcel is lost. Where is it?", 2.1, final=True)
    assert [each.text for each in one.clauses()] == ["Where is it?"]


@pytest.mark.parametrize("seed", range(40))
def test_whatever_a_recogniser_does_a_page_sees_text_that_grows_and_clauses_that_make_it_up(seed: int):
    one, stands, told = Utterance(1, 0.0), "", []
    for at, guess in stream(Random(seed)):
        while (due := one.next_timeout()) is not None and due <= at:
            told += [one.tick(due)]
        told += [one.hear(guess, 60.0, LOUD, at)]
    pieces = [each.text for each in one.clauses()]
    for revision in filter(None, told):
        assert revision.stands.startswith(stands)
        stands = revision.stands
    assert one.over and " ".join(pieces) == one.text
    assert abs(len(one.text.split()) - len(SAID)) <= 6
