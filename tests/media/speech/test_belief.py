"""Which language a leg speaks is expected, found out, and found out again."""

from __future__ import annotations

from media.speech.belief import Belief


def test_the_first_sentence_tells_where_nothing_is_expected():
    belief = Belief()
    assert not belief.hear("es", 0.4, 3.0), "a guess is no knowledge"
    assert belief.hear("es", 0.6, 0.5) and belief.language == "es"


def test_a_long_sentence_of_another_language_is_enough():
    belief = Belief("es")
    assert belief.hear("pt", 0.9, 2.0) and belief.language == "pt"
    assert belief.hear("es", 0.9, 2.0) and belief.language == "es", "she may change back"


def test_short_or_doubtful_ones_have_to_be_two_in_a_row():
    belief = Belief("es")
    assert not belief.hear("en", 0.95, 0.6), "ok"
    assert not belief.hear("es", 0.9, 2.0)
    assert not belief.hear("en", 0.95, 0.6), "the count begins anew"
    assert not belief.hear("fr", 0.6, 3.0), "and is of one language"
    assert belief.hear("fr", 0.6, 3.0) and belief.language == "fr"


def test_a_region_is_no_other_language():
    belief = Belief("es-MX")
    assert not belief.hear("es", 0.99, 9.0) and belief.language == "es-MX"


def test_recognisers_are_told_the_one_that_is_believed_first():
    belief = Belief("es")
    belief.hear("en", 0.9, 2.0)
    assert belief.order(("es-MX", "en", "pt")) == ("en", "es-MX", "pt")
    assert belief.order(()) == ()
