"""What of a node is somebody's to see."""

from __future__ import annotations

import pytest

from engine.access.principal import EVERYTHING, Directory, How, Place, Principal, reach
from engine.access.role import WHOLE, Permission, Role, granted

DIRECTORY = Directory(
    agents={
        "alice": Place("north", ("es", "all")),
        "bob": Place("south", ("us",)),
        "carol": Place("", ("all",)),
    },
    queues={"es": "es-ES", "us": "en-US", "all": ""},
    lines={"madrid": "es-ES", "any": ""},
)


def principal(markets: str = "", teams: str = "", role: Role = Role.ADMIN) -> Principal:
    return Principal(
        who="maria",
        permissions=granted(role),
        how=How.PASSWORD,
        role=role,
        markets=frozenset(markets.split()),
        teams=frozenset(teams.split()),
    )


def seen(markets: str = "", teams: str = "") -> tuple[str, str, str]:
    found = reach(principal(markets, teams), DIRECTORY)
    return (
        " ".join(name for name in DIRECTORY.queues if found.sees_queue(name)),
        " ".join(name for name in DIRECTORY.agents if found.sees_agent(name)),
        " ".join(name for name in DIRECTORY.lines if found.sees_line(name)),
    )


def test_who_is_not_limited_sees_everything() -> None:
    assert reach(principal(), DIRECTORY) is EVERYTHING
    assert seen() == ("es us all", "alice bob carol", "madrid any")


@pytest.mark.parametrize(
    ("markets", "teams", "expected"),
    [
        ("es-ES", "", ("es", "alice", "madrid")),
        ("es-ES en-US", "", ("es us", "alice bob", "madrid")),
        ("fr-FR", "", ("", "", "")),
        ("", "north", ("es all", "alice", "madrid any")),
        ("es-ES", "north", ("es", "alice", "madrid")),
        ("es-ES", "south", ("", "", "madrid")),
        ("", "west", ("", "", "madrid any")),
    ],
)
def test_limits_leave_what_belongs_to_them_and_nothing_that_belongs_to_none(
    markets: str, teams: str, expected: tuple[str, str, str]
) -> None:
    assert seen(markets, teams) == expected


@pytest.mark.parametrize(
    ("markets", "teams", "call", "sees"),
    [
        ("", "", ("", "", ""), True),
        ("es-ES", "", ("es-ES", "us", "bob"), True),
        ("es-ES", "", ("en-US", "es", "alice"), False),
        ("es-ES", "", ("", "es", "alice"), False),
        ("", "north", ("en-US", "us", "alice"), True),
        ("", "north", ("es-ES", "es", "bob"), False),
        ("", "north", ("es-ES", "es", ""), True),
        ("", "north", ("en-US", "us", ""), False),
        ("", "north", ("es-ES", "es", "one who left"), False),
        ("es-ES", "north", ("en-US", "es", "alice"), False),
    ],
)
def test_a_call_is_seen_by_its_market_and_with_its_agent_or_its_queue(
    markets: str, teams: str, call: tuple[str, str, str], sees: bool
) -> None:
    assert reach(principal(markets, teams), DIRECTORY).sees_call(*call) is sees


@pytest.mark.parametrize("permission", sorted(Permission))
def test_what_cannot_be_cut_into_markets_is_for_those_alone_who_see_all(permission: Permission) -> None:
    assert principal().may(permission)
    assert principal("es-ES").may(permission) is (permission not in WHOLE)
    assert principal("", "north").may(permission) is (permission not in WHOLE)


def test_a_principal_answers_for_itself() -> None:
    maria = principal("es-ES", "north", Role.SUPERVISOR)
    assert maria.sees_market("es-ES") and not maria.sees_market("") and not maria.sees_market("en-US")
    assert maria.sees_team("north") and not maria.sees_team("")
    assert maria.may(Permission.LISTEN) and not maria.may(Permission.CONFIGURE)
