"""The shipped configuration in a folder of its own, to be broken in one place."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from config.fault import ConfigError, Fault
from config.load import SHIPPED, load

OTHER_LINES = (
    "carrier.yaml",
    "gateway.yaml",
    "ims.yaml",
)  # read by test_lines; the example will do elsewhere
PROMPTS = ("welcome-support", "welcome-sales", "all-busy", "leave-hint", "overloaded", "goodbye")
Break = Callable[[str, str, str], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped configuration's YAML, with few prompts."""
    to = tmp_path / "config"
    shutil.copytree(
        SHIPPED, to, ignore=shutil.ignore_patterns("*.py", "__pycache__", "prompts", *OTHER_LINES)
    )
    (to / "prompts").mkdir()
    (to / "prompts" / "en.yaml").write_text("prompts: {" + ", ".join(f"{name}: hm" for name in PROMPTS) + "}")
    return to


@pytest.fixture
def edit(folder: Path) -> Break:
    """Put `new` in the place of `old`, which must stand there once."""

    def edited(file: str, old: str, new: str) -> None:
        text = (folder / file).read_text("utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        (folder / file).write_text(text.replace(old, new), "utf-8")

    return edited


@pytest.fixture
def faults(folder: Path) -> Callable[..., list[Fault]]:
    """The faults of the folder as it is now, given the environment."""

    def found(**env: str) -> list[Fault]:
        with pytest.raises(ConfigError) as caught:
            load(folder, env)
        return caught.value.faults

    return found
