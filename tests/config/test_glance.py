"""Commands find a node's data and API whatever is wrong with its other files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from config.glance import glance
from config.load import SHIPPED


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("node.yaml", "api.yaml"):
        shutil.copy(SHIPPED / name, tmp_path)
    return tmp_path


def test_two_files_are_enough(folder: Path) -> None:
    (folder / "queues.yaml").write_text("nonsense: [")
    seen = glance(folder, {})
    assert seen.data_dir == Path("var")
    assert seen.api is not None and "console" in seen.api.tokens


def test_a_file_with_faults_tells_nothing_and_the_other_does(folder: Path) -> None:
    (folder / "api.yaml").write_text("prot: 8080")
    assert glance(folder, {}).api is None and glance(folder, {}).data_dir == Path("var")
    (folder / "node.yaml").unlink()
    assert glance(folder, {}).data_dir is None


def test_a_secret_that_is_not_there_is_a_fault(folder: Path) -> None:
    (folder / "api.yaml").write_text("tokens: {a: {token: {env: SOME_TOKEN}}}")
    assert glance(folder, {}).api is None
    seen = glance(folder, {"SOME_TOKEN": "0123456789abcdef"}).api
    assert seen is not None and seen.tokens["a"].token.reveal() == "0123456789abcdef"


def test_a_copy_is_read_in_their_place(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    copy = tmp_path_factory.mktemp("copy")
    shutil.copytree(folder, copy, dirs_exist_ok=True)
    (folder / "api.yaml").write_text("prot: 8080")
    assert glance(folder, {}, copy).api is not None
