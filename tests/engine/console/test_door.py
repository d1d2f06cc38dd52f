"""A token of the API opens the console, for as long as it counts."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from engine.access.role import Permission
from engine.api.guesses import Guesses
from engine.api.settings import Settings, token
from engine.console.door import IDLE_S, MOST_S, SESSIONS, Refusal, Session, TokenDoor

READ, WRITE, SITE = "r" * 20, "w" * 20, "s" * 20
SETTINGS = Settings(
    tokens=(
        token("wall", READ, Permission.CALLS),
        token("ana", WRITE, Permission.CALLS, Permission.CONFIGURE, Permission.LISTEN),
        token("shop", SITE, Permission.CALLERS),
        token("late", "l" * 20, Permission.CALLS, expires_at=100.0),
    )
)


class Street:
    """now: both clocks of the door."""

    def __init__(self) -> None:
        self.now, self.settings = 0.0, SETTINGS
        self.guesses = Guesses()
        self.door = TokenDoor(lambda: self.settings, lambda: self.now, lambda: self.now, self.guesses)

    def enter(self, password: str, name: str = "") -> Session:
        found = asyncio.run(self.door.login(name, password, "", "192.0.2.1"))
        assert isinstance(found, Session)
        return found


@pytest.mark.parametrize("password", ["", "x" * 20, SITE, READ[:-1], f"{READ}x", "\udc00" * 20])
def test_what_is_no_token_for_looking_is_refused(password: str) -> None:
    assert asyncio.run(Street().door.login("ana", password, "", "")) == Refusal("wrong")


def test_who_guesses_at_tokens_waits_for_longer_and_longer_and_so_at_the_api() -> None:
    street = Street()
    found = [asyncio.run(street.door.login("", f"guess-{n:020}", "", "192.0.2.1")) for n in range(12)]
    assert found[:11] == [Refusal("wrong")] * 11
    assert isinstance(found[11], Refusal) and found[11].reason == "locked" and found[11].wait_s > 0
    right = asyncio.run(street.door.login("", READ, "", "192.0.2.1"))
    assert isinstance(right, Refusal) and right.reason == "locked", "not even the right one is looked at"
    assert street.guesses.wait("192.0.2.1", READ, street.now) > 0
    assert isinstance(asyncio.run(street.door.login("", READ, "", "198.51.100.4")), Session)
    street.now += 3600
    street.enter(READ)


def test_who_was_let_in_comes_back_whatever_others_at_the_address_guess() -> None:
    street = Street()
    street.enter(READ)
    for n in range(30):
        asyncio.run(street.door.login("", f"guess-{n:020}", "", "192.0.2.1"))
    street.enter(READ)


def test_a_token_may_in_the_console_what_it_may_by_the_api() -> None:
    street = Street()
    wall, ana = street.enter(READ).principal, street.enter(f" {WRITE}\n").principal
    assert (wall.name, wall.role, wall.rights) == ("wall", "viewer", frozenset({Permission.CALLS}))
    assert (ana.role, sorted(ana.rights)) == ("operator", ["calls", "configure", "listen"])
    assert ana.may(Permission.LISTEN) and not ana.may(Permission.PROBE) and wall.scope != ana.scope


def test_a_session_is_known_by_its_cookie_alone() -> None:
    street = Street()
    one, two = street.enter(READ), street.enter(READ)
    assert one.cookie != two.cookie and len(one.cookie) >= 43
    assert street.door.who(one.cookie) == one.principal
    assert street.door.who("") is None and street.door.who(one.cookie[:-1]) is None


def test_a_session_ends_by_hand_by_idleness_and_by_age() -> None:
    street = Street()
    session = street.enter(READ)
    asyncio.run(street.door.logout(session.cookie))
    assert street.door.who(session.cookie) is None
    idle, busy = street.enter(READ), street.enter(READ)
    while street.now < MOST_S:
        street.now += IDLE_S / 2
        assert (street.door.who(busy.cookie) is None) is (street.now > MOST_S)
    assert street.door.who(idle.cookie) is None
    street.now += 1
    assert street.door.who(busy.cookie) is None


def test_a_session_ends_with_its_token() -> None:
    street = Street()
    session, late = street.enter(WRITE), street.enter("l" * 20)
    street.settings = replace(SETTINGS, tokens=SETTINGS.tokens[:1] + SETTINGS.tokens[3:])
    assert street.door.who(session.cookie) is None
    assert street.door.who(late.cookie) is not None
    street.now = 100.0
    assert street.door.who(late.cookie) is None


def test_there_are_so_many_sessions_and_the_oldest_gives_way() -> None:
    street = Street()
    first = street.enter(READ)
    for _ in range(SESSIONS):
        last = street.enter(READ)
    assert street.door.who(first.cookie) is None and street.door.who(last.cookie) is not None
