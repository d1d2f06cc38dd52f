"""Who may what: the table, and what docs/access.md says of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.access.role import GRANTS, PEOPLE_ONLY, WHOLE, Permission, Role, granted, outranks

DOCUMENT = (Path(__file__).resolve().parents[3] / "docs" / "access.md").read_text("utf-8")


def test_every_permission_is_somebodys_and_nobody_has_more_than_an_administrator() -> None:
    assert set(GRANTS) == set(Permission)
    assert all(GRANTS.values())
    assert granted(Role.ADMIN) == set(Permission)


def test_the_table_in_docs_is_the_one_of_the_code() -> None:
    told: dict[str, set[str]] = {}
    heads: list[str] = []
    for line in DOCUMENT.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[1:] == [role.value for role in Role]:
            heads = cells[1:]
        elif heads and (found := re.fullmatch(r"`([a-z_]+)`.*", cells[0])):
            told[found[1]] = {head for head, cell in zip(heads, cells[1:]) if cell}
            assert cells[0].endswith("¹") == (found[1] in WHOLE), cells[0]
        elif heads and not line.startswith("|"):
            break
    assert told == {str(name): {str(role) for role in roles} for name, roles in GRANTS.items()}


@pytest.mark.parametrize("role", Role)
def test_a_role_outranks_who_lacks_one_of_its_permissions(role: Role) -> None:
    assert not outranks(granted(role) - PEOPLE_ONLY, role)
    for permission in granted(role) - PEOPLE_ONLY:
        assert outranks(set(Permission) - {permission}, role)


def test_an_agent_sees_no_call_and_an_auditor_no_number_of_anybody() -> None:
    assert not granted(Role.AGENT) & {Permission.CALLS, Permission.LISTEN, Permission.PERSONAL}
    assert Permission.PERSONAL not in granted(Role.AUDITOR)
    assert not any(str(each).startswith("act_") for each in granted(Role.AUDITOR))
