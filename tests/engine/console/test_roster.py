"""Users as the console manages them: as by the API, with faults at their field and secrets shown once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.access.errors import WrongCredentials
from engine.access.role import Role
from engine.console import roster
from engine.console.desk import Desk
from engine.console.look import Place
from engine.console.markup import text_of
from tests.engine.access.stand import PASSWORD, run
from tests.engine.console.busy import BusyNode
from tests.engine.console.looks import OPERATOR
from tests.engine.console.offices import Office, office

NEW = "/console/users?new=1"


@pytest.fixture
def admin(tmp_path: Path) -> Iterator[Office]:
    with office(tmp_path) as made:
        yield made


def enters(admin: Office, name: str, password: str) -> bool:
    try:
        run(admin.stand.desk.login(name, password, "", "192.0.2.9"))
    except WrongCredentials:
        return False
    return True


def test_a_user_is_made_and_her_password_is_shown_this_once(admin: Office) -> None:
    told = admin.act(
        NEW, "create_user", name="sue", role="supervisor", display="Sue", markets="de\nes", teams="north"
    )
    assert (told.key, told.bad, told.of) == ("user.made", False, "users/sue")
    made = run(admin.stand.roster.user("sue"))
    assert (made.role, made.markets, made.teams, made.display) == (
        Role.SUPERVISOR,
        ("de", "es"),
        ("north",),
        "Sue",
    )
    secret = admin.loaded.secret
    assert enters(admin, "sue", secret) and secret in admin.drawn(NEW)
    assert secret in admin.drawn(NEW, "ar"), "as long as the page is open"
    admin.loaded = None
    admin.load(NEW)
    assert secret not in admin.drawn(NEW)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": "Sue Park"}, "name"),
        ({"name": ""}, "name"),
        ({"name": "ada"}, "name"),
        ({"name": "../etc"}, "name"),
        ({"role": "emperor"}, "role"),
        ({"markets": "atlantis"}, "markets"),
        ({"teams": "north\nsouth"}, "teams"),
        ({"display": "x" * 300}, "display"),
        ({"password": "short"}, "password"),
        ({"password": "sue-sue-sue-sue"}, "password"),
    ],
)
def test_what_is_filled_in_wrongly_is_told_at_its_field(
    admin: Office, given: dict[str, str], field: str
) -> None:
    told = admin.act(NEW, "create_user", **{"name": "sue", "role": "supervisor", **given})
    assert told.bad and told.key == "form.wrong" and list(admin.loaded.faults) == [field]
    made = admin.drawn(NEW)
    assert made.count('aria-invalid="true"') == (0 if field in ("markets", "teams") else 1)
    assert f'id="new-{field}-fault"' in made and "password" not in admin.loaded.given
    assert len(run(admin.stand.roster.users())) == 1


def test_a_user_is_changed_while_nobody_else_changed_her(admin: Office) -> None:
    admin.stand.user("sue", Role.SUPERVISOR)
    at = "/console/users/sue"
    admin.load(at)
    assert 'name="version" value="1"' in admin.drawn(at)
    values = {"display": "Sue", "role": "operator", "markets": "es", "teams": ""}
    assert admin.act(at, "change_user", **values, version="1").key == "user.changed"
    sue = run(admin.stand.roster.user("sue"))
    assert (sue.role, sue.markets) == (Role.OPERATOR, ("es",))
    assert (
        admin.act(at, "change_user", **values | {"display": "S"}, version="1").key == "access.other-version"
    )
    assert admin.act(at, "change_user", **values, version=str(sue.version)).key == "form.same"
    assert admin.act(at, "change_user", **values | {"role": "x"}, version="2").key == "form.wrong"


def test_who_is_shut_out_may_be_let_in_again(admin: Office) -> None:
    admin.stand.user("sue", Role.SUPERVISOR)
    at = "/console/users/sue"
    admin.load(at)
    assert 'data-opens="bar"' in admin.drawn(at)
    assert admin.act(at, "bar_user", disabled="yes").key == "user.barred"
    assert not enters(admin, "sue", PASSWORD) and 'data-disabled="no"' in admin.drawn(at)
    assert admin.act(at, "bar_user", disabled="no").key == "user.let_in"
    assert enters(admin, "sue", PASSWORD)


def test_another_password_ends_sessions_and_is_shown_once(admin: Office) -> None:
    admin.stand.user("sue", Role.SUPERVISOR)
    run(admin.stand.desk.login("sue", PASSWORD, "", "192.0.2.7"))
    at = "/console/users/sue"
    assert "192.0.2.7" in (admin.load(at) and admin.drawn(at))
    assert admin.act(at, "reset_password").key == "user.reset"
    assert not admin.loaded.sessions and not enters(admin, "sue", PASSWORD)
    assert admin.loaded.secret in admin.drawn(at) and enters(admin, "sue", admin.loaded.secret)


def test_sessions_end_one_by_one_or_all(admin: Office) -> None:
    admin.stand.user("sue", Role.SUPERVISOR)
    for source in ("192.0.2.7", "192.0.2.8", "192.0.2.9"):
        admin.stand.later(1.0)
        run(admin.stand.desk.login("sue", PASSWORD, "", source))
    at = "/console/users/sue"
    first = admin.load(at).sessions[0]
    assert first.source == "192.0.2.9"
    assert admin.act(at, "end_sessions", session=first.id).values == {"n": 1}
    assert [each.source for each in admin.load(at).sessions] == ["192.0.2.8", "192.0.2.7"]
    assert admin.act(at, "end_sessions", session="of nobody").values == {"n": 0}
    assert admin.act(at, "end_sessions").values == {"n": 2} and not admin.load(at).sessions


def test_nobody_changes_their_own_role_and_the_last_one_stays(admin: Office) -> None:
    at = "/console/users/ada"
    admin.load(at)
    made = admin.drawn(at)
    assert 'name="role"' not in made and 'data-do="bar_user"' not in made and "/console/account" in made
    assert admin.act(at, "bar_user", disabled="yes").key == "access.forbidden"
    assert admin.act(at, "reset_password").key == "access.forbidden"
    assert admin.act(at, "change_user", display="Ada L.", version="1").key == "user.changed"


def test_who_there_is_not_is_told_so(admin: Office) -> None:
    at = "/console/users/nobody"
    admin.load(at)
    assert "There is no such user" in text_of(admin.drawn(at))
    for name in ("change_user", "bar_user", "reset_password", "remove_totp", "end_sessions"):
        assert admin.act(at, name).key == "access.unknown-user", name
    assert admin.act(at, "revoke_token", token="0" * 16).key == "access.unknown-token"


def test_a_role_that_may_more_is_looked_at_alone(tmp_path: Path) -> None:
    with office(tmp_path) as admin:
        admin.stand.user("sue", Role.SUPERVISOR)
        listens = {each for each in admin.who.rights if each != "listen"}
        object.__setattr__(admin.who, "rights", frozenset(listens))
        at = "/console/users/sue"
        admin.load(at)
        made = admin.drawn(at)
        assert "may more than you may" in text_of(made) and "data-do" not in made
        assert admin.act(at, "bar_user", disabled="yes").key == "access.forbidden"


def test_where_somebody_signed_in_is_cut_for_who_may_not_read_addresses(admin: Office) -> None:
    admin.stand.user("vic", Role.AUDITOR)
    run(admin.stand.desk.login("vic", PASSWORD, "", "203.0.113.57"))
    at = "/console/users/vic"
    assert [each.source for each in admin.load(at).sessions] == ["203.0.113.57"]
    object.__setattr__(admin.who, "rights", admin.who.rights - {"personal"})
    assert [each.source for each in admin.load(at).sessions] == ["203.0.113.x"]


def test_without_users_the_page_says_how_they_begin() -> None:
    desk = Desk(BusyNode(), None, lambda: 0.0).of(OPERATOR)  # type: ignore[arg-type]
    found = asyncio.run(roster.load(desk, Place.of("/console/users"), None))
    assert not found.kept


@pytest.mark.parametrize("code", ["en", "es", "zh", "ar"])
def test_every_page_of_users_is_drawn_in_every_language(admin: Office, code: str) -> None:
    hostile = '"><script>alert(1)</script>'
    admin.stand.user("sue", Role.SUPERVISOR, display=hostile, markets=(hostile,), teams=("north",))
    admin.stand.user("old", Role.AGENT, disabled=True, subject="idp|1")
    admin.stand.user("tom", Role.OPERATOR, totp="JBSWY3DPEHPK3PXP" * 2, totp_on=True)
    for at in ("", "?new=1", "/sue", "/old", "/tom", "/ada", "/gone"):
        admin.loaded = None
        admin.load(f"/console/users{at}")
        made = admin.drawn(f"/console/users{at}", code)
        assert "<script" not in made and "style=" not in made, at
        assert not re.findall(r">((?:[a-z_]+\.)+[a-z_]+)<", made), at
        ids = re.findall(r'\sid="([^"]+)"', made)
        assert len(ids) == len(set(ids)), at


def test_secrets_of_users_are_on_no_page(admin: Office) -> None:
    kept: Any = admin.stand.user("sue", Role.SUPERVISOR, totp="JBSWY3DPEHPK3PXP" * 2, totp_on=True)
    admin.load("/console/users/sue")
    made = admin.drawn("/console/users/sue")
    assert kept.password not in made and kept.totp not in made
