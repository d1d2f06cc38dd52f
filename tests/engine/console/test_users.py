"""Users at the console's door: the API's own sessions, and tokens for whoever names nobody."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.access.role import Permission, Role
from engine.api.app import create_app
from engine.api.settings import ConsoleTerms
from engine.console.door import Principal, Refusal, Session, TokenDoor
from engine.console.users import UserDoor
from tests.engine.access.stand import PASSWORD, Stand, run, standing
from tests.engine.api_node import READ, SETTINGS, Node


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    with standing(tmp_path) as made:
        yield made


def door_of(stand: Stand) -> UserDoor:
    return UserDoor(stand.desk, TokenDoor(lambda: SETTINGS, time.monotonic, time.time))


def enter(door: UserDoor, name: str, password: str = PASSWORD, code: str = "") -> Session:
    found = run(door.login(name, password, code, "192.0.2.1"))
    assert isinstance(found, Session)
    return found


def test_a_user_may_here_what_her_role_may_and_sees_what_is_hers(stand: Stand) -> None:
    stand.user("sue", Role.SUPERVISOR, markets=("de",), teams=("north",))
    door = door_of(stand)
    session = enter(door, " sue ")
    who = session.principal
    assert (who.name, who.role, who.markets, who.teams) == (
        "sue", "supervisor", frozenset({"de"}), frozenset({"north"}),
    )  # fmt: skip
    assert who.may(Permission.ACT_ON_AGENTS) and not who.may(Permission.CONFIGURE)
    assert run(door.look(session.cookie)) == who and session.longest_s == stand.desk.terms.longest_s
    known = run(stand.desk.principal_of_session(session.cookie))
    assert known is not None and known.who == "sue", "the session is the API's as well"


def test_what_limits_take_away_is_no_right_here(stand: Stand) -> None:
    stand.user("ola", Role.OPERATOR, markets=("de",))
    stand.user("max", Role.OPERATOR)
    door = door_of(stand)
    limited, whole = enter(door, "ola").principal, enter(door, "max").principal
    assert whole.may(Permission.CONFIGURE) and not limited.may(Permission.CONFIGURE)
    assert limited.scope != whole.scope


@pytest.mark.parametrize(
    ("name", "password", "reason"),
    [("sue", "wrong horse", "wrong"), ("nobody", PASSWORD, "wrong"), ("al", PASSWORD, "barred")],
)
def test_who_is_not_let_in_is_told_why(stand: Stand, name: str, password: str, reason: str) -> None:
    stand.user("sue", Role.SUPERVISOR)
    stand.user("al", Role.AGENT)
    assert run(door_of(stand).login(name, password, "", "192.0.2.1")) == Refusal(reason)


def test_an_agents_session_of_the_api_opens_nothing_here(stand: Stand) -> None:
    stand.user("al", Role.AGENT)
    opened = run(stand.desk.login("al", PASSWORD, "", "192.0.2.1"))
    assert run(door_of(stand).look(opened.secret)) is None


def test_a_second_factor_is_asked_for(stand: Stand) -> None:
    stand.user("sue", Role.SUPERVISOR, totp="JBSWY3DPEHPK3PXP" * 2, totp_on=True)
    door = door_of(stand)
    assert run(door.login("sue", PASSWORD, "", "192.0.2.1")) == Refusal("more")
    assert run(door.login("sue", PASSWORD, "000000", "192.0.2.1")) == Refusal("wrong")


def test_who_keeps_guessing_waits(stand: Stand) -> None:
    stand.user("sue", Role.SUPERVISOR)
    door = door_of(stand)
    for _ in range(100):
        found = run(door.login("sue", "wrong horse", "", "192.0.2.1"))
        if found != Refusal("wrong"):
            break
    assert isinstance(found, Refusal) and found.reason == "locked" and found.wait_s > 0


def test_signing_out_ends_it_for_the_api_too(stand: Stand) -> None:
    stand.user("sue", Role.SUPERVISOR)
    door = door_of(stand)
    session = enter(door, "sue")
    run(door.logout(session.cookie))
    assert run(door.look(session.cookie)) is None
    assert run(stand.desk.principal_of_session(session.cookie)) is None


def test_a_token_is_for_whoever_names_nobody(stand: Stand) -> None:
    door = door_of(stand)
    session = enter(door, "", READ)
    assert session.principal.name == "wallboard" and run(door.look(session.cookie)) == session.principal
    run(door.logout(session.cookie))
    assert run(door.look(session.cookie)) is None
    assert run(door.login("wallboard", READ, "", "192.0.2.1")) == Refusal("wrong")


def test_what_is_done_is_in_the_audit_log(stand: Stand) -> None:
    door = door_of(stand)
    who = Principal("sue", "supervisor", rights=frozenset({Permission.LISTEN}))
    door.note(who, "hangup", "console/calls/c4")
    run(door.keep(who, "listen_recording", "recordings/x.opus"))
    told = [each for each in stand.told() if each[0] == "sue"]
    assert told == [("sue", "hangup", "done"), ("sue", "listen_recording", "done")]


def test_a_node_with_users_has_them_sign_in_at_the_console(stand: Stand) -> None:
    from dataclasses import replace

    app = create_app(Node(), replace(SETTINGS, console=ConsoleTerms()), access=stand.access)
    assert isinstance(app.state.console.desk.door, UserDoor)
    app = create_app(Node(), replace(SETTINGS, console=ConsoleTerms()))
    assert isinstance(app.state.console.desk.door, TokenDoor)
