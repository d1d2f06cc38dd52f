"""Words of any language in the phones of English."""

from __future__ import annotations

import re

import pytest

from media.speech.phones import MOST, PHONES, foreign, pronunciations

ARPABET = set(
    (
        "AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW "
        + "B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH"
    ).split()
)


@pytest.mark.parametrize(
    ("ipa", "phones"),
    [
        ("sˈi", "S IY"),
        ("kjˈeɾo", "K Y EH D OW"),
        ("seɲˈoɾ", "S EH N Y OW D"),
        ("kˈyndɪɡˌʊŋ", "K UW N D IH G UH NG"),
        ("bˈɔ̃", "B AO N"),
        ("nˈɐ̃ʊ̃", "N AH UH N"),
        ("ˈɪç", "IH SH"),
        ("χˈɑu2", "HH AW"),
        ("nʲˈet", "N EH T"),
        ("ɕˈiɛ5", "SH IY EH"),
    ],
)
def test_each_sound_is_put_down_as_the_nearest(ipa: str, phones: str):
    assert pronunciations(ipa)[0] == phones


def test_a_sound_between_two_is_taken_for_either_but_the_same_in_the_whole_word():
    assert pronunciations("ɾoɾ") == ("D OW D", "D AO D", "R OW R", "R AO R")


def test_the_recogniser_knows_all_of_the_phones():
    assert {phone for each in PHONES.values() for some in each for phone in some.split()} <= ARPABET


def test_a_word_that_was_spelt_out_in_another_language_is_known():
    assert foreign("(en)tʃˈaɪniːz(ja)lˈetə") and not foreign("hˈaɪ")


@pytest.mark.parametrize("ipa", ["", "ˈ", "\u0303", "?!", "(en)", "𝔵" * 50])
def test_what_has_no_sound_has_no_pronunciation(ipa: str):
    assert pronunciations(ipa) == ()


def test_nothing_makes_many_or_strange_ones():
    strange = "".join(PHONES) * 20 + "\u0303ɮ"
    found = pronunciations(strange)
    assert len(found) <= MOST
    assert all(re.fullmatch(r"[A-Z]+( [A-Z]+)*", each) for each in found)
