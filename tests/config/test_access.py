"""People who sign in: what the files say of them, and what is a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.load import SHIPPED, load
from engine.access.access import provider_of
from engine.access.role import Role


def uncommented(folder: Path) -> None:
    """The provider that the shipped file shows, as an operator would have it."""
    path = folder / "api.yaml"
    head, _, rest = path.read_text("utf-8").partition("# oidc:")
    block, _, tail = rest.partition("\n\n")
    lines = f"# oidc:{block}".splitlines()
    path.write_text(head + "\n".join(line.replace("#", " ", 1) for line in lines) + "\n\n" + tail, "utf-8")


def test_the_provider_that_the_shipped_file_shows_is_taken_as_it_stands(folder: Path):
    uncommented(folder)
    config = load(folder, {"OIDC_SECRET": "hush"})
    assert config.api.access.oidc is not None
    provider = provider_of(config.api.access.oidc)
    assert provider.roles == {"voice-admins": Role.ADMIN, "team-leads": Role.SUPERVISOR}
    assert provider.back == "https://pbx.example.com/v1/session/oidc/callback"
    assert provider.client_secret == "hush" and "hush" not in repr(config) + repr(provider)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("idle_s: 1800", "idle_s: 5", "idle_s"),
        ("longest_s: 43200", "longest_s: 9999999", "longest_s"),
        ("name: admin", "name: Not a Name", "not a name"),
        ("voice-admins: admin", "voice-admins: root", "root"),
        ("https://pbx.example.com ", "pbx.example.com ", "origin of a page"),
        ("{env: OIDC_SECRET}", "hush", "reference"),
    ],
)
def test_mistakes_are_named(folder: Path, faults, edit, old: str, new: str, problem: str):
    uncommented(folder)
    edit("api.yaml", old, new)
    assert any(problem in str(fault) for fault in faults(OIDC_SECRET="hush"))


def test_agents_may_have_a_team():
    config = load(SHIPPED, {})
    assert config.agents["alice"].team == "north" and config.agents["bob"].team is None
