"""Second factors lie in the store sealed: nobody reads them there, or puts one in another's place."""

from __future__ import annotations

import asyncio
import sqlite3

import pyotp
import pytest

from engine.access.errors import WrongCredentials
from engine.access.lockbox import Lockbox, Locked
from engine.access.principal import How
from engine.access.rights import of_user
from engine.access.role import Role
from tests.engine.access.stand import PASSWORD, Stand, run

SECRET = "JBSWY3DPEHPK3PXP"
KEYS = {"y1": "a first secret of thirty-two letters", "y2": "a second secret of thirty-two letters"}


def test_what_was_sealed_opens_and_looks_different_each_time() -> None:
    box = Lockbox(KEYS, "y1")
    one, other = box.seal("maria", SECRET), box.seal("maria", SECRET)
    assert one != other and SECRET not in one
    assert box.open("maria", one) == box.open("maria", other) == SECRET
    assert box.seal("maria", "") == ""


def test_it_opens_for_its_owner_alone_and_not_when_it_was_changed() -> None:
    box = Lockbox(KEYS, "y1")
    kept = box.seal("maria", SECRET)
    for whose, given in (
        ("eve", kept),
        ("maria", kept[:-4] + "AAAA"),
        ("maria", "igl1.y1."),
        ("maria", "igl1.y1.é"),
    ):
        with pytest.raises(Locked):
            box.open(whose, given)


def test_a_key_that_is_gone_is_named() -> None:
    kept = Lockbox(KEYS, "y1").seal("maria", SECRET)
    with pytest.raises(Locked, match="no key 'y1'"):
        Lockbox({"y2": KEYS["y2"]}, "y2").open("maria", kept)
    with pytest.raises(Locked, match="not sealed with the key"):
        Lockbox({"y1": KEYS["y2"]}, "y1").open("maria", kept)


def test_a_key_whose_name_begins_like_anothers_is_another() -> None:
    keys = {"2026": KEYS["y1"], "2026.1": KEYS["y2"]}
    kept = Lockbox(keys, "2026.1").seal("maria", SECRET)
    assert Lockbox(keys, "2026").stale(kept) and not Lockbox(keys, "2026.1").stale(kept)


def test_without_a_key_things_stay_as_they_are() -> None:
    box = Lockbox()
    assert box.seal("maria", SECRET) == SECRET == box.open("maria", SECRET)
    assert not box.stale(SECRET)


@pytest.fixture
def sealing(stand: Stand) -> Stand:
    stand.desk.lockbox = Lockbox(KEYS, "y1")
    return stand


def enrolled(stand: Stand, name: str) -> str:
    """A user with a second factor; its secret."""
    principal = of_user(stand.user(name, Role.OPERATOR), How.PASSWORD, 2e9)
    assert principal is not None
    secret = run(stand.roster.enrol(principal, PASSWORD)).secret
    run(stand.roster.confirm(principal, pyotp.TOTP(secret).at(int(stand.wall()))))
    stand.later(30)
    return secret


def login(stand: Stand, name: str, secret: str) -> None:
    code = pyotp.TOTP(secret).at(int(stand.wall()))
    run(stand.desk.login(name, PASSWORD, code, "192.0.2.7"))
    stand.later(30)


def bytes_of(stand: Stand) -> bytes:
    with sqlite3.connect(stand.file) as file:
        file.execute("VACUUM")  # what was deleted is no more
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return b"".join(path.read_bytes() for path in stand.folder.glob("isogloss.db*"))


def test_a_second_factor_works_and_is_not_to_be_found_in_the_stores_file(sealing: Stand) -> None:
    secret = enrolled(sealing, "maria")
    login(sealing, "maria", secret)
    assert secret.encode() not in bytes_of(sealing)


def test_those_of_before_are_sealed_at_the_next_start_and_under_another_key_once_there_is_one(
    stand: Stand,
) -> None:
    secret = enrolled(stand, "maria")
    assert secret.encode() in bytes_of(stand)
    for key, marked in (("y1", "igl1.y1."), ("y2", "igl1.y2.")):
        stand.desk.lockbox = Lockbox(KEYS, key)
        asyncio.run(stand.access.begin())
        kept = stand.accounts.user("maria")
        assert kept is not None and kept.totp.startswith(marked)
        login(stand, "maria", secret)
    assert secret.encode() not in bytes_of(stand)


def test_one_that_cannot_be_opened_lets_nobody_in_and_keeps_no_node_from_starting(sealing: Stand) -> None:
    secret = enrolled(sealing, "maria")
    sealing.desk.lockbox = Lockbox({"y2": KEYS["y2"]}, "y2")
    asyncio.run(sealing.access.begin())
    with pytest.raises(WrongCredentials):
        login(sealing, "maria", secret)
    sealing.desk.lockbox = Lockbox(KEYS, "y2")
    login(sealing, "maria", secret)


def test_a_factor_that_changed_meanwhile_is_not_put_back(sealing: Stand) -> None:
    enrolled(sealing, "maria")
    sealing.accounts.reseal("maria", "something older", "stale")
    kept = sealing.accounts.user("maria")
    assert kept is not None and kept.totp != "stale"
