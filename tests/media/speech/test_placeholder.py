"""Placeholders pass through translators that change case and spaces, and nothing else is taken for one."""

from __future__ import annotations

import pytest

from media.speech.placeholder import clean, numbers, placeholder, spelled, unspelled

ZERO, ONE = placeholder(0), placeholder(1)


def test_a_placeholder_is_a_word_of_its_own():
    assert spelled(f"我的{ZERO}坏了, {ONE}!", "Xq{}x") == "我的 Xq0x 坏了, Xq1x!"


@pytest.mark.parametrize(
    "told", ["the Xq0x is", "the xq0x is", "the XQ0X is", "the Xq 0x is", "the X q 0 x is"]
)
def test_it_is_known_again_whatever_was_done_to_it(told: str):
    assert unspelled(told, "Xq{}x") == f"the {ZERO} is"


def test_numbers_that_were_never_given_are_none():
    assert unspelled("Xq99x", "Xq{}x") == "Xq99x"
    assert numbers(f"{ONE} and {ZERO}") == [1, 0]


def test_private_characters_of_a_strangers_text_are_gone():
    assert clean(f"a{ZERO}b\u202ec\td\u200de", 100) == "a b c d\u200de"
