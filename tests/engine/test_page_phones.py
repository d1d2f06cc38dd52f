"""Accounts for phones in pages: few, short-lived, of one person each."""

from __future__ import annotations

from random import Random

from engine.page_phones import EACH, LIFE_S, MOST, PagePhones


def test_a_phone_is_known_by_its_password_and_by_whose_it_is() -> None:
    phones = PagePhones(Random(1))
    first, second = phones.open("sue", 0.0), phones.open("sue", 1.0)
    assert first is not None and second is not None
    assert first.account in phones and "sue" not in phones
    secret = phones.secret(first.account)
    assert secret is not None and first.password not in repr(first)
    assert phones.owner(first.account) == "sue" and phones.owner("sue") == ""
    assert phones.of("sue") == [second.account, first.account] and phones.of("tom") == []
    assert phones.secret("page-000000000000") is None


def test_one_page_too_many_takes_the_place_of_that_persons_oldest() -> None:
    phones = PagePhones(Random(1))
    made = [phones.open("sue", float(n)) for n in range(EACH + 1)]
    assert made[0] is not None and made[0].account not in phones
    assert len(phones) == EACH


def test_there_are_so_many_and_they_go_after_a_shift() -> None:
    phones = PagePhones(Random(1))
    for n in range(MOST):
        assert phones.open(f"p{n // EACH}", 0.0) is not None
    assert phones.open("sue", 1.0) is None
    assert phones.open("sue", LIFE_S) is not None and len(phones) == 1
