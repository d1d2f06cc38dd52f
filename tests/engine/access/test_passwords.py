"""Passwords: what is kept of them, what is refused, and what a flood of them may cost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from engine.access import passwords as module
from engine.access.errors import Busy, WeakPassword
from engine.access.passwords import Passwords, checked, new_password


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords()
    yield made
    made.close()


def test_a_password_is_kept_as_argon2id_and_matches_itself_alone(passwords: Passwords) -> None:
    kept = asyncio.run(passwords.keep("correct horse staple"))
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$") and not passwords.stale(kept)
    assert asyncio.run(passwords.matches(kept, "correct horse staple"))
    assert not asyncio.run(passwords.matches(kept, "correct horse stapl"))


def test_nobodys_password_takes_the_same_work_and_never_matches(passwords: Passwords) -> None:
    for given in ("", "anything"):
        before = passwords.hashed
        assert not asyncio.run(passwords.matches("", given))
        assert passwords.hashed == before + 1


def test_what_was_kept_and_cannot_be_read_matches_nothing(passwords: Passwords) -> None:
    assert not asyncio.run(passwords.matches("$argon2id$broken", "anything"))


def test_a_flood_is_hashed_one_by_one_and_the_rest_is_refused(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 3)

    async def flood() -> list[object]:
        tries = [passwords.matches("", "guess") for _ in range(40)]
        return await asyncio.gather(*tries, return_exceptions=True)

    outcomes = asyncio.run(flood())
    assert sum(isinstance(each, Busy) for each in outcomes) == 37
    assert passwords.hashed == 3 and passwords._thread._max_workers == 1


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "12 to 256"),
        ("x" * 257, "12 to 256"),
        ("Maria-has-it-all", "user's name"),
        ("aaaaabbbbbccccc", "different"),
    ],
)
def test_a_password_that_could_be_guessed_is_refused(password: str, why: str) -> None:
    with pytest.raises(WeakPassword, match=why):
        checked(password, "maria")


def test_a_password_that_is_made_up_is_good_enough() -> None:
    assert checked(new_password(), "maria") != new_password()
