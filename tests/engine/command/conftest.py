"""What the tests of commands share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.access.stand import standing
from tests.engine.command.stand import Served, Shell


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder for data whose store is there already, for the tables take their time."""
    with standing(tmp_path):
        return tmp_path


@pytest.fixture
def shell(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Commands as somebody types them, in an environment that says nothing."""
    for name in ("API", "API_TOKEN", "API_TOKEN_FILE", "BACKUP_PASSPHRASE"):
        monkeypatch.delenv(f"ISOGLOSS_{name}", raising=False)
    return Shell(capfdbinary)


@pytest.fixture(scope="session")
def serving() -> Iterator[Served]:
    with Served() as made:
        yield made


@pytest.fixture
def served(serving: Served) -> Served:
    """A node that serves, with an operator's token."""
    serving.anew()
    return serving


@pytest.fixture
def asks(shell: Shell, served: Served, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Commands that ask that node."""
    monkeypatch.setenv("ISOGLOSS_API", served.base)
    monkeypatch.setenv("ISOGLOSS_API_TOKEN", served.token)
    return shell
