"""A node's own: the first administrator, made while there is nobody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from config.access import AccessSettings, FirstAdmin, SessionSettings
from config.load import SHIPPED, load
from config.secret import Secret
from engine.access.access import Access, of_node
from engine.access.errors import WrongCredentials
from engine.access.principal import Principal
from engine.access.role import Role
from engine.journal import Journal
from engine.store import database
from engine.views import Health
from tests.engine.access.stand import PASSWORD, run


@contextmanager
def node(data: Path, password: str = PASSWORD) -> Iterator[Access]:
    first = FirstAdmin(name="boss", password=Secret("test", password))
    config = load(SHIPPED, {})
    config = replace(
        config,
        node=replace(config.node, data_dir=data),
        api=replace(
            config.api, access=AccessSettings(first=first, session=SessionSettings(idle_s=60), issuer="Here")
        ),
    )
    url = database.url_of(config)
    with Journal(url, "n1", spill=data / "journal.spill") as journal:
        access = of_node(config, url, journal, [])
        try:
            yield access
        finally:
            access.close()


def signs_in(access: Access, password: str) -> str:
    return run(access.desk.login("boss", password, "", "192.0.2.7")).principal.who


def test_the_first_administrator_is_made_once_and_her_password_is_hers_from_then_on(tmp_path: Path) -> None:
    with node(tmp_path) as access:
        run(access.begin())
        assert signs_in(access, PASSWORD) == "boss"
        assert access.desk.terms.idle_s == 60.0 and access.desk.terms.issuer == "Here"
        run(access.roster.change_password(_boss(access), PASSWORD, "another horse staple"))
        assert access.desk.log.check().status is Health.OK
    with node(tmp_path) as access:
        run(access.begin())
        assert signs_in(access, "another horse staple") == "boss"
        with pytest.raises(WrongCredentials):
            signs_in(access, PASSWORD)
        assert [(user.name, user.role) for user in access.desk.accounts.users()] == [("boss", Role.ADMIN)]


def _boss(access: Access) -> Principal:
    return run(access.desk.login("boss", PASSWORD, "", "192.0.2.7")).principal


def test_a_first_password_that_could_be_guessed_keeps_the_node_from_starting(tmp_path: Path) -> None:
    with node(tmp_path, "boss") as access, pytest.raises(ValueError, match=r"access\.first"):
        run(access.begin())
