"""The folder `knowledge/`: read whole, each fault with its file, line and remedy; taken without a restart."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from config.fault import ConfigError
from config.knowledge import read_knowledge
from config.load import SHIPPED, load
from config.reload import plan
from engine.history import files_of
from media.speech.knowledge import Use


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "config", ignore=shutil.ignore_patterns("*.py", "__*")))


def test_what_is_shipped_is_read_by_its_languages_and_uses() -> None:
    found = load(SHIPPED, {}).knowledge
    assert sorted(found) == ["service.en.md", "service.es.md", "upgrades.en.md"]
    assert {each.use for each in found["upgrades.en.md"]} == {Use.UPGRADE}
    assert {each.language for each in found["service.es.md"]} == {"es"}


def test_a_folder_without_any_is_fine(folder: Path) -> None:
    shutil.rmtree(folder / "knowledge")
    assert load(folder, {}).knowledge == {}


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("service.md", "## A\nb", "has no language in its name"),
        ("service.en.md", "## A\n\n## B\nc", "“A” has no text"),
        ("service.en.md", "## A\n" + "x" * 5000, "is over 4000 characters"),
        ("service.en.md", "x" * 1_000_001, "is over 1,000,000 bytes"),
        ("service.en.md", b"\xff\xfe", "cannot be read"),
    ],
)
def test_a_fault_names_its_file_and_what_to_do(
    tmp_path: Path, name: str, text: str | bytes, problem: str
) -> None:
    (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
    (fault,) = read_knowledge(tmp_path, Path("knowledge")).faults
    assert fault.file == f"knowledge/{name}" and problem in fault.problem and fault.remedy


def test_a_node_does_not_begin_with_faulty_knowledge(folder: Path) -> None:
    (folder / "knowledge" / "billing.md").write_text("## A\nb")
    with pytest.raises(ConfigError) as told:
        load(folder, {})
    assert "billing.md" in str(told.value)


def test_it_is_kept_with_each_version_and_what_changed_is_said_in_words(folder: Path) -> None:
    assert folder / "knowledge" / "service.en.md" in set(files_of(folder))
    old = load(folder, {})
    (folder / "knowledge" / "service.en.md").write_text("## A\nb")
    (folder / "knowledge" / "billing.de.md").write_text("## A\nb")
    said = sorted(each.words for each in plan(old, load(folder, {})))
    assert said == ["knowledge billing.de.md is new", "knowledge service.en.md: 5 passages → 1 passages"]
