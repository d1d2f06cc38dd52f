"""Managing users and tokens: nobody gets more than they have, by whatever way."""

from __future__ import annotations

import asyncio
from typing import Any

import pyotp
import pytest

from engine.access.desk import csrf_of
from engine.access.errors import (
    AccessError,
    IllegalNow,
    LastAdmin,
    NameTaken,
    OtherVersion,
    Refused,
    TooSoon,
    UnknownToken,
    UnknownUser,
    WeakPassword,
    WrongCredentials,
)
from engine.access.principal import How, Principal
from engine.access.rights import of_user
from engine.access.role import PEOPLE_ONLY, WHOLE, Permission, Role, granted
from tests.engine.access.stand import PASSWORD, Stand, run
from tests.engine.access.test_desk import HERE, login, who

ALL = tuple(sorted(set(Permission) - PEOPLE_ONLY))


def principal(stand: Stand, name: str = "admin") -> Principal:
    user = stand.accounts.user(name)
    assert user is not None
    found = of_user(user, How.PASSWORD, None)
    assert found is not None
    return found


def change(stand: Stand, who: Principal, name: str, expected: int | None = None, **values: Any) -> Any:
    return run(stand.roster.change(who, name, expected, values))


@pytest.fixture
def admin(stand: Stand) -> Principal:
    stand.user("admin")
    return principal(stand)


def program(stand: Stand, maker: Principal, *scopes: Permission, **more: Any) -> Principal | None:
    """A token's principal, as it is found at the door."""
    _, secret = run(stand.roster.mint(maker, "ci", scopes or ALL, **more))
    return run(stand.desk.principal_of_token(secret))


# --- users ------------------------------------------------------------------------------------------


def test_somebody_new_signs_in_with_the_password_that_was_made_up(stand: Stand, admin: Principal) -> None:
    user, password = run(stand.roster.create(admin, "maria", Role.SUPERVISOR, markets=["es-ES"]))
    assert user.markets == ("es-ES",) and len(password) >= 20
    assert who(stand, login(stand, "maria", password)) == "maria"
    _, none = run(stand.roster.create(admin, "ana", Role.AGENT, password=PASSWORD))
    assert none == "" and who(stand, login(stand, "ana")) == "ana"


def test_a_name_is_one_persons_and_a_plain_one(stand: Stand, admin: Principal) -> None:
    run(stand.roster.create(admin, "maria", Role.AGENT))
    with pytest.raises(NameTaken):
        run(stand.roster.create(admin, "maria", Role.ADMIN))
    for name in ("", "Maria", "a b", "a/b", "x" * 65, "-a", "é"):
        with pytest.raises(IllegalNow):
            run(stand.roster.create(admin, name, Role.AGENT))
    with pytest.raises(WeakPassword):
        run(stand.roster.create(admin, "ana", Role.AGENT, password="ana"))


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMIN}))
def test_only_administrators_manage_users(stand: Stand, admin: Principal, role: Role) -> None:
    stand.user("maria", role)
    maria = principal(stand, "maria")
    asked = [
        lambda: stand.roster.create(maria, "ana", Role.AGENT),
        lambda: stand.roster.change(maria, "maria", None, {"role": Role.ADMIN}),
        lambda: stand.roster.change(maria, "admin", None, {"disabled": True}),
        lambda: stand.roster.reset_password(maria, "admin", ""),
        lambda: stand.roster.remove_totp(maria, "admin"),
    ]
    for ask in asked:
        with pytest.raises(Refused):
            run(ask())
    assert stand.accounts.user("admin") is not None and principal(stand, "maria").role == role


def test_an_administrator_of_one_market_manages_nobody(stand: Stand, admin: Principal) -> None:
    stand.user("local", Role.ADMIN, markets=("es-ES",))
    for ask in (
        stand.roster.create(principal(stand, "local"), "ana", Role.AGENT),
        stand.roster.change(principal(stand, "local"), "local", None, {"markets": ()}),
    ):
        with pytest.raises(Refused):
            run(ask)


@pytest.mark.parametrize(
    "values",
    [{"role": Role.ADMIN}, {"role": Role.AGENT}, {"markets": ()}, {"teams": ("a",)}, {"disabled": True}],
)
def test_nobody_changes_their_own_role_or_limits(
    stand: Stand, admin: Principal, values: dict[str, Any]
) -> None:
    stand.user("other")
    with pytest.raises(Refused):
        change(stand, admin, "admin", **values)
    assert change(stand, admin, "admin", display="The boss").display == "The boss"


def test_the_last_administrator_without_limits_stays(stand: Stand, admin: Principal) -> None:
    stand.user("second")
    stand.user("local", Role.ADMIN, markets=("es-ES",))
    stand.user("shut", Role.ADMIN, disabled=True)
    second = principal(stand, "second")
    change(stand, second, "admin", role=Role.AGENT)
    for values in ({"role": Role.AGENT}, {"disabled": True}, {"markets": ("es-ES",)}, {"teams": ("a",)}):
        with pytest.raises(LastAdmin):
            change(stand, admin, "second", **values)
    change(stand, second, "admin", role=Role.ADMIN)
    change(stand, admin, "second", disabled=True)


def test_of_two_administrators_who_demote_each_other_at_once_one_stays(
    stand: Stand, admin: Principal
) -> None:
    stand.user("second")
    second = principal(stand, "second")

    async def both() -> list[object]:
        down = {"role": Role.AGENT}
        tries = [stand.roster.change(*each, None, down) for each in ((admin, "second"), (second, "admin"))]
        return await asyncio.gather(*tries, return_exceptions=True)

    assert sum(isinstance(each, LastAdmin) for each in run(both())) == 1


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        ({"role": Role.OPERATOR}, True),
        ({"markets": ("es-ES",)}, True),
        ({"teams": ()}, True),
        ({"disabled": True}, True),
        ({"display": "María"}, False),
    ],
)
def test_sessions_end_where_rights_change(
    stand: Stand, admin: Principal, values: dict[str, Any], ends: bool
) -> None:
    stand.user("maria", Role.SUPERVISOR)
    secret = login(stand)
    assert who(stand, secret) == "maria"
    change(stand, admin, "maria", **values)
    assert who(stand, secret) == ("" if ends else "maria")


def test_a_change_of_something_that_was_changed_meanwhile_is_refused(stand: Stand, admin: Principal) -> None:
    stand.user("maria", Role.AGENT)
    assert change(stand, admin, "maria", 1, display="A").version == 2
    with pytest.raises(OtherVersion):
        change(stand, admin, "maria", 1, display="B")
    with pytest.raises(UnknownUser):
        change(stand, admin, "nobody", display="B")


def test_another_password_ends_all_sessions_and_the_old_one(stand: Stand, admin: Principal) -> None:
    stand.user("maria", Role.AGENT)
    secret = login(stand)
    password = run(stand.roster.reset_password(admin, "maria", ""))
    assert who(stand, secret) == ""
    with pytest.raises(WrongCredentials):
        login(stand)
    assert who(stand, login(stand, password=password)) == "maria"


# --- oneself ----------------------------------------------------------------------------------------


def test_ones_own_password_is_changed_by_who_knows_it(stand: Stand) -> None:
    stand.user("maria", Role.AGENT)
    secret, maria = login(stand), principal(stand, "maria")
    with pytest.raises(WrongCredentials):
        run(stand.roster.change_password(maria, "guess", "another horse staple"))
    with pytest.raises(WeakPassword):
        run(stand.roster.change_password(maria, PASSWORD, "short"))
    assert who(stand, secret) == "maria"
    run(stand.roster.change_password(maria, PASSWORD, "another horse staple"))
    assert who(stand, secret) == ""
    assert who(stand, login(stand, password="another horse staple")) == "maria"


def test_who_found_a_page_open_guesses_as_slowly_as_at_the_door(stand: Stand) -> None:
    stand.user("maria", Role.AGENT)
    maria = principal(stand, "maria")
    for _ in range(6):
        with pytest.raises(WrongCredentials):
            run(stand.roster.change_password(maria, "guess", "another horse staple"))
    with pytest.raises(TooSoon):
        run(stand.roster.enrol(maria, PASSWORD))


def test_a_second_factor_counts_once_it_was_shown_and_goes_with_a_code(stand: Stand) -> None:
    stand.user("maria", Role.AGENT)
    maria = principal(stand, "maria")
    with pytest.raises(IllegalNow):
        run(stand.roster.confirm(maria, "000000"))
    app = pyotp.parse_uri(run(stand.roster.enrol(maria, PASSWORD)).uri)
    assert isinstance(app, pyotp.TOTP)
    assert who(stand, login(stand)) == "maria"  # it does not count yet
    with pytest.raises(WrongCredentials):
        run(stand.roster.confirm(maria, "000000"))
    codes = run(stand.roster.confirm(maria, app.at(int(stand.wall()))))
    with pytest.raises(IllegalNow):
        run(stand.roster.enrol(maria, PASSWORD))
    assert who(stand, login(stand, code=codes[0])) == "maria"
    with pytest.raises(WrongCredentials):
        login(stand, code=codes[0])
    with pytest.raises(WrongCredentials):
        run(stand.roster.give_up_totp(maria, "000000"))
    stand.later(30.0)
    run(stand.roster.give_up_totp(maria, app.at(int(stand.wall()))))
    assert who(stand, login(stand)) == "maria"
    assert stand.accounts.recovery_left("maria") == 0


def test_an_administrator_takes_away_what_was_lost_but_not_her_own(stand: Stand, admin: Principal) -> None:
    stand.user("maria", Role.AGENT, totp=pyotp.random_base32(), totp_on=True)
    run(stand.roster.remove_totp(admin, "maria"))
    assert who(stand, login(stand)) == "maria"
    for ask in (stand.roster.remove_totp(admin, "admin"), stand.roster.reset_password(admin, "admin", "")):
        with pytest.raises(Refused):
            run(ask)


# --- tokens -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.OPERATOR, Role.ADMIN])
def test_a_token_has_scopes_among_its_makers_and_never_those_of_people(stand: Stand, role: Role) -> None:
    stand.user("maria", role)
    maria = principal(stand, "maria")
    for scope in Permission:
        if scope in granted(role) - PEOPLE_ONLY:
            found = program(stand, maria, scope)
            assert found is not None and found.permissions == {scope} and found.how == How.TOKEN
        else:
            with pytest.raises(Refused):
                program(stand, maria, scope)


@pytest.mark.parametrize(
    ("limits", "fine"),
    [
        ({"markets": ["es-ES"]}, True),
        ({"markets": ["es-ES", "es-MX"]}, True),
        ({"markets": []}, False),
        ({"markets": ["en-US"]}, False),
        ({"markets": ["es-ES", "en-US"]}, False),
    ],
)
def test_a_token_of_somebody_limited_is_limited_at_least_as_much(
    stand: Stand, limits: dict[str, Any], fine: bool
) -> None:
    stand.user("maria", Role.ADMIN, markets=("es-ES", "es-MX"))
    maria = principal(stand, "maria")
    if fine:
        found = program(stand, maria, Permission.CALLS, **limits)
        assert found is not None and found.markets == set(limits["markets"])
    else:
        with pytest.raises(Refused):
            program(stand, maria, Permission.CALLS, **limits)
    for scope in WHOLE:
        with pytest.raises(Refused):
            program(stand, maria, scope, markets=["es-ES"])


def test_a_token_that_manages_users_makes_none_with_more_than_it_has(stand: Stand, admin: Principal) -> None:
    weak = program(stand, admin, Permission.MANAGE_USERS)
    strong = program(stand, admin, *ALL)
    assert weak is not None and strong is not None
    for role in Role:
        with pytest.raises(Refused):
            run(stand.roster.create(weak, "helper", role))
    for ask in (
        stand.roster.reset_password(weak, "admin", ""),
        stand.roster.change(weak, "admin", None, {"display": "x"}),
        stand.roster.mint(strong, "again", [Permission.MAKE_TOKENS]),
    ):
        with pytest.raises(Refused):
            run(ask)


@pytest.mark.parametrize("role", Role)
def test_a_token_lets_nobody_in_who_would_outlive_it(stand: Stand, admin: Principal, role: Role) -> None:
    stand.user("maria", role, totp=pyotp.random_base32(), totp_on=True)
    stand.user("shut", role, disabled=True)
    strong = program(stand, admin, *ALL)
    assert strong is not None
    for ask in (
        stand.roster.create(strong, "helper", role),
        stand.roster.reset_password(strong, "maria", ""),
        stand.roster.remove_totp(strong, "maria"),
        stand.roster.change(strong, "maria", None, {"role": Role.AGENT}),
        stand.roster.change(strong, "maria", None, {"display": "Maria", "markets": ()}),
        stand.roster.change(strong, "maria", None, {"teams": ("north",)}),
        stand.roster.change(strong, "shut", None, {"disabled": False}),
    ):
        with pytest.raises(Refused):
            run(ask)
    assert {user.name for user in stand.accounts.users()} == {"admin", "maria", "shut"}


def test_a_token_names_people_shuts_them_out_and_ends_sessions(stand: Stand, admin: Principal) -> None:
    stand.user("maria", Role.SUPERVISOR)
    hers = login(stand)
    strong = program(stand, admin, *ALL)
    assert strong is not None
    assert change(stand, strong, "maria", display="Maria").display == "Maria"
    assert run(stand.roster.end_sessions(strong, "maria")) == 1 and who(stand, hers) == ""
    assert change(stand, strong, "maria", disabled=True).disabled


def test_a_token_loses_what_its_maker_loses(stand: Stand, admin: Principal) -> None:
    stand.user("maria", Role.OPERATOR)
    _, secret = run(
        stand.roster.mint(principal(stand, "maria"), "ci", [Permission.CONFIGURE, Permission.BOARD])
    )

    def rights() -> set[str] | None:
        found = run(stand.desk.principal_of_token(secret))
        return None if found is None else {str(each) for each in Permission if found.may(each)}

    assert rights() == {"configure", "board"}
    change(stand, admin, "maria", markets=("es-ES",))
    assert rights() == {"board"}
    change(stand, admin, "maria", role=Role.SUPERVISOR, markets=())
    assert rights() == {"board"}
    change(stand, admin, "maria", disabled=True)
    assert rights() is None


def test_limits_that_have_nothing_in_common_leave_nothing_and_not_everything(
    stand: Stand, admin: Principal
) -> None:
    stand.user("maria", Role.OPERATOR)
    _, secret = run(stand.roster.mint(principal(stand, "maria"), "ci", [Permission.CALLS], markets=["es-ES"]))
    change(stand, admin, "maria", markets=("en-US",))
    assert run(stand.desk.principal_of_token(secret)) is None


def test_a_token_ends_when_it_is_revoked_or_expired_and_says_when_it_was_used(
    stand: Stand, admin: Principal
) -> None:
    key, secret = run(stand.roster.mint(admin, "ci", [Permission.BOARD], life_s=3600.0))
    other, second = run(stand.roster.mint(admin, "cd", [Permission.BOARD]))
    assert run(stand.desk.principal_of_token(secret)) is not None
    assert {each.id: each.used_at for each in run(stand.roster.tokens(admin))} == {
        key.id: stand.wall(),
        other.id: None,
    }
    stand.later(3600.0)
    assert run(stand.desk.principal_of_token(secret)) is None
    assert run(stand.desk.principal_of_token(second)) is not None
    run(stand.roster.revoke(admin, other.id))
    assert run(stand.desk.principal_of_token(second)) is None


def test_nobody_revokes_anothers_token_but_who_manages_users(stand: Stand, admin: Principal) -> None:
    for name in ("maria", "ana"):
        stand.user(name, Role.OPERATOR)
    key, _ = run(stand.roster.mint(principal(stand, "maria"), "ci", [Permission.BOARD]))
    ana = principal(stand, "ana")
    assert run(stand.roster.tokens(ana)) == []
    with pytest.raises(UnknownToken):
        run(stand.roster.revoke(ana, key.id))
    run(stand.roster.revoke(admin, key.id))


@pytest.mark.parametrize("secret", ["", "isot_", "isot_" + "A" * 43, "isot_" + "A" * 42 + "\n", "x" * 5000])
def test_what_is_no_token_is_nobodys(stand: Stand, secret: str) -> None:
    assert run(stand.desk.principal_of_token(secret)) is None


def test_every_fault_knows_its_answer() -> None:
    def every(kind: type[AccessError]) -> list[type[AccessError]]:
        return [kind, *(each for below in kind.__subclasses__() for each in every(below))]

    kinds = [each for each in every(AccessError) if each is not AccessError]
    assert all(400 <= each.status < 600 and each.name != AccessError.name for each in kinds)
    assert csrf_of("a") != csrf_of("b") and HERE
