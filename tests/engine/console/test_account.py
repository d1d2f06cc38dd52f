"""One's own account: each proves to be herself still, and what is secret is shown once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest

from engine.access.role import Permission, Role
from engine.console import account
from engine.console.look import Place
from engine.console.markup import text_of
from tests.engine.access.stand import PASSWORD, run
from tests.engine.console.offices import Office, by_token, office

HERE = "/console/account"
OTHER = "quite another sentence"


@pytest.fixture
def hers(tmp_path: Path) -> Iterator[Office]:
    with office(tmp_path, Role.SUPERVISOR, markets=("de",), teams=("north",)) as made:
        yield made


def test_a_password_is_changed_by_who_knows_it(hers: Office) -> None:
    for given, field in (
        ({"old": "wrong", "new": OTHER, "again": OTHER}, "old"),
        ({"old": PASSWORD, "new": OTHER, "again": "another"}, "again"),
        ({"old": PASSWORD, "new": "short", "again": "short"}, "new"),
    ):
        told = hers.act(HERE, "change_own_password", **given)
        assert told.key == "form.wrong" and list(hers.loaded.faults) == [field]
        made = hers.drawn(HERE)
        assert f'id="password-{field}-fault"' in made and OTHER not in made and PASSWORD not in made
    assert (
        hers.act(HERE, "change_own_password", old=PASSWORD, new=OTHER, again=OTHER).key
        == "account.password.changed"
    )
    assert run(hers.stand.desk.principal_of_session(hers.cookie)) is None, "this session has ended, too"
    run(hers.stand.desk.login("ada", OTHER, "", "192.0.2.1"))


def test_a_second_factor_is_scanned_confirmed_and_given_up(hers: Office) -> None:
    assert hers.act(HERE, "enrol_totp", password="wrong").key == "form.wrong"
    assert hers.act(HERE, "enrol_totp", password=PASSWORD).key == "account.totp.scan"
    made = hers.drawn(HERE)
    secret = hers.loaded.enrolment.secret
    assert 'class="qr"' in made and secret[:4] in text_of(made)
    assert hers.act(HERE, "confirm_totp", code="000000").key == "form.wrong"
    assert hers.loaded.enrolment.secret == secret, "it is there to be tried again"
    code = pyotp.TOTP(secret).at(int(hers.stand.wall.now))
    assert hers.act(HERE, "confirm_totp", code=f"{code[:3]} {code[3:]}").key == "account.totp.on"
    codes = hers.loaded.codes
    assert len(codes) == 10 and all(each in hers.drawn(HERE) for each in codes)
    assert secret not in hers.drawn(HERE)
    hers.loaded = None
    hers.load(HERE)
    assert codes[0] not in hers.drawn(HERE) and 'data-do="give_up_totp"' in hers.drawn(HERE)
    assert hers.act(HERE, "give_up_totp", code="123456").key == "form.wrong"
    assert hers.act(HERE, "give_up_totp", code=codes[0]).key == "account.totp.off"


def test_what_is_shown_once_stays_while_other_forms_are_filled_in(hers: Office) -> None:
    hers.act(HERE, "enrol_totp", password=PASSWORD)
    secret = hers.loaded.enrolment.secret
    assert hers.act(HERE, "create_token", name="", days="1", scopes="board").key == "form.wrong"
    assert hers.act(HERE, "change_own_password", old="wrong", new=OTHER, again=OTHER).key == "form.wrong"
    assert list(hers.loaded.faults) == ["old"] and not hers.loaded.given
    token = {"name": "wallboard", "days": "1", "scopes": "board", "markets": "de", "teams": "north"}
    assert hers.act(HERE, "create_token", **token).key == "token.made"
    assert hers.loaded.enrolment.secret == secret and 'class="qr"' in hers.drawn(HERE)
    code = pyotp.TOTP(secret).at(int(hers.stand.wall.now))
    assert hers.act(HERE, "confirm_totp", code=code).key == "account.totp.on"
    assert hers.loaded.secret.startswith("isot_") and len(hers.loaded.codes) == 10
    assert 'class="qr"' not in hers.drawn(HERE), "its secret is not shown again"


def test_a_token_is_made_within_her_own_rights_and_shown_once(hers: Office) -> None:
    hers.load(HERE)
    assert (
        Permission.MANAGE_USERS not in hers.loaded.scopes and Permission.MAKE_TOKENS not in hers.loaded.scopes
    )
    good = {"name": "wallboard", "days": "30", "scopes": "board\ncalls", "markets": "de", "teams": "north"}
    told = hers.act(HERE, "create_token", **good)
    assert told.key == "token.made" and told.of == f"tokens/{hers.loaded.tokens[0].id}"
    secret = hers.loaded.secret
    assert secret.startswith("isot_") and secret in hers.drawn(HERE)
    found = run(hers.stand.desk.principal_of_token(secret))
    assert found is not None and found.markets == {"de"} and found.permissions == {"board", "calls"}
    hers.loaded = None
    hers.load(HERE)
    assert secret not in hers.drawn(HERE) and "wallboard" in text_of(hers.drawn(HERE))
    assert hers.act(HERE, "revoke_token", token=hers.loaded.tokens[0].id).key == "token.revoked"
    assert run(hers.stand.desk.principal_of_token(secret)) is None


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"days": "0"}, "days"),
        ({"days": "367"}, "days"),
        ({"days": "ten"}, "days"),
        ({"scopes": ""}, "scopes"),
        ({"scopes": "board\nmanage_users"}, "scopes"),
        ({"markets": "es"}, "markets"),
    ],
)
def test_a_token_beyond_her_rights_or_without_sense_is_none(
    hers: Office, given: dict[str, str], field: str
) -> None:
    good = {"name": "wallboard", "days": "30", "scopes": "board", "markets": "de", "teams": "north"}
    assert hers.act(HERE, "create_token", **good | given).key == "form.wrong"
    assert list(hers.loaded.faults) == [field] and f'id="mint-{field}-fault"' in hers.drawn(HERE)
    assert not run(hers.stand.roster.tokens(hers.who.known))


def test_one_without_limits_is_none_of_who_has_some(hers: Office) -> None:
    told = hers.act(HERE, "create_token", name="x", days="1", scopes="board", markets="", teams="north")
    assert told.key == "access.forbidden" and "markets of yours" in str(told.values["why"])


def test_her_sessions_end_and_nobody_elses(hers: Office) -> None:
    hers.stand.user("sue", Role.SUPERVISOR)
    run(hers.stand.desk.login("sue", PASSWORD, "", "192.0.2.8"))
    assert hers.act("/console/account/sue", "end_sessions").values == {"n": 1}
    assert run(hers.stand.desk.principal_of_session(hers.cookie)) is None
    assert len(hers.stand.accounts.sessions_of("sue")) == 1


def test_who_came_with_a_token_has_no_account(hers: Office) -> None:
    hers.loaded = run(account.load(by_token(hers.desk), Place.of(HERE), None))
    assert hers.loaded.user is None and "You are here with a token" in text_of(hers.drawn(HERE))


@pytest.mark.parametrize("code", ["en", "es", "zh", "ar"])
def test_it_is_drawn_in_every_language(hers: Office, code: str) -> None:
    hers.act(HERE, "create_token", name="<b>", days="1", scopes="board", markets="de", teams="north")
    hers.act(HERE, "enrol_totp", password=PASSWORD)
    for _ in range(2):
        made = hers.drawn(HERE, code)
        assert "<b>&lt;" not in made and "&lt;b&gt;" in made and "style=" not in made
        assert not re.findall(r">((?:[a-z_]+\.)+[a-z_]+)<", made)
        ids = re.findall(r'\sid="([^"]+)"', made)
        assert len(ids) == len(set(ids))
        hers.loaded = None
        hers.load(HERE)
