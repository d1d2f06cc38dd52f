"""Showing who one is: what lets in, what does not, and how long it lasts."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path

import pyotp
import pytest

from engine.access.desk import KNOWN_S, Terms, csrf_of, digest_of
from engine.access.errors import CodeWanted, TooSoon, WrongCredentials
from engine.access.principal import How
from engine.access.role import Permission, Role
from engine.store.accounts import MOST_SESSIONS, Session, User
from engine.store.errors import StoreUnavailable
from tests.engine.access.stand import PASSWORD, T0, Stand, run, standing

HERE = "192.0.2.7"


def login(
    stand: Stand, name: str = "maria", password: str = PASSWORD, code: str = "", source: str = HERE
) -> str:
    """The session's secret."""
    return run(stand.desk.login(name, password, code, source)).secret


def who(stand: Stand, secret: str) -> str:
    found = run(stand.desk.principal_of_session(secret))
    return found.who if found is not None else ""


def test_who_knows_the_password_is_let_in_as_what_she_is(stand: Stand) -> None:
    stand.user("maria", Role.SUPERVISOR, markets=("es-ES",), teams=("north",))
    opened = run(stand.desk.login("maria", PASSWORD, "", HERE))
    found = run(stand.desk.principal_of_session(opened.secret))
    assert found == opened.principal
    assert found is not None and (found.who, found.role, found.how) == (
        "maria",
        Role.SUPERVISOR,
        How.PASSWORD,
    )
    assert found.markets == {"es-ES"} and found.teams == {"north"} and found.may(Permission.LISTEN)
    assert opened.csrf == csrf_of(opened.secret) and opened.csrf != opened.secret
    assert stand.told()[:1] == [("maria", "login", "done")]


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("maria", "wrong horse staple"),
        ("maria", ""),
        ("nobody", PASSWORD),
        ("", PASSWORD),
        ("Maria", PASSWORD),
        ("shut", PASSWORD),
        ("vouched", ""),
        ("maria' OR 1=1", PASSWORD),
        ("\ud800", "\ud800\0"),
    ],
)
def test_nobody_else_is_and_all_are_told_the_same_after_the_same_work(
    stand: Stand, name: str, password: str
) -> None:
    stand.user("maria")
    stand.user("shut", disabled=True)
    stand.accounts.add(stand.accounts.user("shut").__class__(name="vouched", role=Role.ADMIN, subject="x y"))
    before = stand.desk.passwords.hashed
    with pytest.raises(WrongCredentials, match=r"^name, password or code are not right$"):
        login(stand, name, password)
    assert stand.desk.passwords.hashed == before + 1


def test_guessing_is_slowed_by_account_wherever_it_comes_from(stand: Stand) -> None:
    stand.user("maria")
    for number in range(6):
        with pytest.raises(WrongCredentials):
            login(stand, password="guess", source=f"198.51.100.{number}")
    before = stand.desk.passwords.hashed
    with pytest.raises(TooSoon) as slow:
        login(stand, source="203.0.113.9")
    assert slow.value.retry_s == 1.0 and stand.desk.passwords.hashed == before
    stand.later(1.0)
    assert who(stand, login(stand)) == "maria"


def test_guessing_is_slowed_by_address_whatever_names_it_tries(stand: Stand) -> None:
    stand.user("maria")
    for number in range(11):
        with pytest.raises(WrongCredentials):
            login(stand, name=f"user{number}", password="guess")
    with pytest.raises(TooSoon):
        login(stand)
    assert who(stand, login(stand, source="203.0.113.9")) == "maria"


def test_who_signs_in_between_guesses_at_others_is_slowed_all_the_same(stand: Stand) -> None:
    stand.user("maria")
    for number in range(11):
        if number % 3 == 0:
            login(stand)
        with pytest.raises(WrongCredentials):
            login(stand, name=f"victim{number}", password="guess")
    with pytest.raises(TooSoon):
        login(stand)


def test_an_office_behind_one_address_where_many_mistype_and_then_do_not_is_never_slowed(
    stand: Stand,
) -> None:
    for number in range(30):
        stand.user(f"agent{number}")
        for _ in range(3):
            with pytest.raises(WrongCredentials):
                login(stand, name=f"agent{number}", password="mistyped")
        assert who(stand, login(stand, name=f"agent{number}")) == f"agent{number}"


def test_a_right_sign_in_makes_nobody_else_at_the_address_wait_longer(stand: Stand) -> None:
    for name in ("maria", "ana"):
        stand.user(name)
    for number in range(14):
        with pytest.raises(WrongCredentials):
            login(stand, name=f"user{number}", password="guess")
        stand.later(stand.desk._of_sources.wait(HERE, stand.clock()))
    assert who(stand, login(stand)) == "maria" and who(stand, login(stand, name="ana")) == "ana"


def test_a_hundred_guesses_at_once_are_counted_before_they_are_tried(stand: Stand) -> None:
    stand.user("maria")

    async def flood() -> list[object]:
        tries = [stand.desk.login("maria", f"guess {number}", "", HERE) for number in range(100)]
        return await asyncio.gather(*tries, return_exceptions=True)

    outcomes = run(flood())
    assert sum(isinstance(each, WrongCredentials) for each in outcomes) == 6
    assert sum(isinstance(each, TooSoon) for each in outcomes) == 94
    assert stand.desk.passwords.hashed == 6


# --- the second factor ------------------------------------------------------------------------------


def code_of(stand: Stand) -> str:
    user = stand.accounts.user("maria")
    assert user is not None
    return pyotp.TOTP(user.totp).at(int(stand.wall()))


@pytest.fixture
def guarded(stand: Stand) -> Stand:
    """Maria has a second factor."""
    stand.user("maria", totp=pyotp.random_base32(), totp_on=True)
    return stand


def test_a_right_password_alone_is_asked_for_a_code_and_is_no_failure(guarded: Stand) -> None:
    for _ in range(20):
        with pytest.raises(CodeWanted):
            login(guarded)
    assert who(guarded, login(guarded, code=code_of(guarded))) == "maria"


def test_a_wrong_password_is_not_told_from_a_wrong_code(guarded: Stand) -> None:
    for password, code in ((PASSWORD, "000000"), ("guess", code_of(guarded)), ("guess", "")):
        with pytest.raises(WrongCredentials, match=r"^name, password or code are not right$"):
            login(guarded, password=password, code=code)


def test_a_code_that_was_taken_is_refused_the_second_time(guarded: Stand) -> None:
    code = code_of(guarded)
    login(guarded, code=code)
    with pytest.raises(WrongCredentials):
        login(guarded, code=code)
    guarded.later(30.0)
    login(guarded, code=code_of(guarded))


def test_of_two_who_show_one_code_at_once_one_is_let_in(guarded: Stand) -> None:
    code = code_of(guarded)

    async def both() -> list[object]:
        tries = [guarded.desk.login("maria", PASSWORD, code, HERE) for _ in range(2)]
        return await asyncio.gather(*tries, return_exceptions=True)

    assert sorted(type(each).__name__ for each in run(both())) == ["Opened", "WrongCredentials"]


def test_guessing_codes_is_slowed_as_guessing_passwords_is(guarded: Stand) -> None:
    for number in range(6):
        with pytest.raises(WrongCredentials):
            login(guarded, code=f"{number:06}")
    with pytest.raises(TooSoon):
        login(guarded, code=code_of(guarded))


# --- sessions ---------------------------------------------------------------------------------------


def test_a_session_ends_when_nobody_uses_it_and_in_any_case_at_last(tmp_path: Path) -> None:
    with standing(tmp_path, Terms(idle_s=600.0, longest_s=3600.0)) as stand:
        stand.user("maria")
        idle, used = login(stand), login(stand)
        for _ in range(6):
            stand.later(599.0)
            assert who(stand, used) == "maria"
        assert who(stand, idle) == ""
        stand.later(3600.0 - 6 * 599.0)
        assert who(stand, used) == ""


@pytest.mark.parametrize("secret", ["", "x", "A" * 43, "A" * 44, "../" + "A" * 40, "é" * 43])
def test_what_was_not_given_out_here_opens_nothing(stand: Stand, secret: str) -> None:
    assert who(stand, secret) == ""


def test_the_store_has_no_secret_in_it(stand: Stand) -> None:
    stand.user("maria")
    opened = run(stand.desk.login("maria", PASSWORD, "", HERE))
    with sqlite3.connect(stand.file) as raw:
        text = "\n".join(raw.iterdump())
    for secret in (opened.secret, opened.csrf, PASSWORD):
        assert secret not in text
    assert digest_of(opened.secret) in text


def test_signing_out_ends_that_session_alone_and_at_once(stand: Stand) -> None:
    stand.user("maria")
    one, other = login(stand), login(stand)
    assert who(stand, one) == who(stand, other) == "maria"
    run(stand.desk.logout(one))
    assert (who(stand, one), who(stand, other)) == ("", "maria")
    run(stand.desk.logout(one))
    run(stand.desk.logout("nonsense"))


def test_the_oldest_of_too_many_sessions_ends(stand: Stand) -> None:
    stand.user("maria")
    secrets = []
    for _ in range(MOST_SESSIONS + 2):
        stand.later(1.0)
        secrets.append(login(stand))
    alive = [who(stand, secret) for secret in secrets]
    assert alive == ["", "", *["maria"] * MOST_SESSIONS]


def test_sessions_that_are_over_are_deleted_at_the_next_sign_in(stand: Stand) -> None:
    stand.user("maria")
    login(stand)
    stand.later(stand.desk.terms.idle_s)
    login(stand)
    with sqlite3.connect(stand.file) as raw:
        assert raw.execute("SELECT made_at FROM sessions").fetchall() == [(T0 + stand.desk.terms.idle_s,)]


def test_what_another_node_took_away_counts_here_within_two_seconds(stand: Stand) -> None:
    stand.user("maria")
    secret = login(stand)
    assert who(stand, secret) == "maria"
    stand.accounts.end_session(digest_of(secret))  # by another node, which tells nobody
    assert who(stand, secret) == "maria"
    stand.later(KNOWN_S)
    assert who(stand, secret) == ""


async def settled(stand: Stand) -> None:
    """Until the store has said what is asked beside."""
    while stand.desk._asking is not None and not stand.desk._asking.done():
        await stand.desk._asking


def test_who_cannot_wait_is_told_the_same_and_does_not_wait_for_the_store(stand: Stand) -> None:
    stand.user("maria")
    secret, desk, asked = login(stand), stand.desk, list[str]()
    session = stand.accounts.session

    def noted(digest: str) -> tuple[Session, User] | None:
        asked.append(threading.current_thread().name)
        return session(digest)

    stand.accounts.session = noted  # type: ignore[method-assign]

    async def story() -> None:
        with pytest.raises(StoreUnavailable):
            desk.principal_now(secret)
        await settled(stand)
        known = desk.principal_now(secret)
        assert known is not None and known == await desk.principal_of_session(secret)
        for _ in range(5):
            stand.later(KNOWN_S - 0.1)
            assert desk.principal_now(secret) == known, "it is asked again before it counts no more"
            await settled(stand)
        assert desk.principal_now("x") is None
        stand.accounts.end_session(digest_of(secret))  # by another node
        stand.later(KNOWN_S)
        desk.principal_now(secret)
        await settled(stand)
        assert desk.principal_now(secret) is None

    run(story())
    assert len(asked) == 7 and "MainThread" not in asked


def test_who_cannot_wait_is_known_for_some_seconds_while_the_store_is_away(stand: Stand) -> None:
    stand.user("maria")
    secret = login(stand)

    async def story() -> None:
        known = await stand.desk.principal_of_session(secret)
        with sqlite3.connect(stand.file) as raw:
            raw.execute("DROP TABLE sessions")
        for _ in range(6):
            stand.later(1.0)
            assert stand.desk.principal_now(secret) == known
            await settled(stand)
        stand.later(1.0)
        with pytest.raises(StoreUnavailable):
            stand.desk.principal_now(secret)
        await settled(stand)

    run(story())


def test_who_asks_while_a_session_is_ended_keeps_it_no_longer(stand: Stand) -> None:
    stand.user("maria")
    secret, end = login(stand), stand.accounts.end_session

    async def story() -> None:
        loop = asyncio.get_running_loop()

        def late(digest: str) -> None:
            asking = asyncio.run_coroutine_threadsafe(stand.desk.principal_of_session(secret), loop)
            assert asking.result() is not None
            end(digest)

        stand.accounts.end_session = late  # type: ignore[method-assign]
        await stand.desk.logout(secret)
        assert await stand.desk.principal_of_session(secret) is None

    run(story())


def test_one_who_signs_out_has_nobody_else_looked_up_again(stand: Stand) -> None:
    stand.user("maria")
    stand.user("sue")
    one, other = login(stand), login(stand, "sue")

    async def story() -> None:
        known = await stand.desk.principal_of_session(other)
        await stand.desk.logout(one)
        assert stand.desk.principal_now(other) == known and known is not None

    run(story())


def test_a_store_that_is_away_lets_nobody_in(stand: Stand) -> None:
    stand.user("maria")
    secret = login(stand)
    with sqlite3.connect(stand.file) as raw:
        raw.execute("DROP TABLE sessions")
    with pytest.raises(StoreUnavailable):
        who(stand, secret)


def test_the_right_csrf_token_is_the_sessions_own(stand: Stand) -> None:
    stand.user("maria")
    one, other = login(stand), login(stand)
    assert stand.desk.csrf_right(one, csrf_of(one))
    assert not any(stand.desk.csrf_right(one, each) for each in ("", csrf_of(other), one, "\ud800"))
