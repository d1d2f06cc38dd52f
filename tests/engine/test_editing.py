"""Files of the configuration as they are edited from afar: some alone, whole, never over another's."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from engine import editing
from engine.editing import (
    MOST_BYTES,
    NEW,
    ChangedMeanwhile,
    NotEditable,
    NoText,
    listed,
    place_of,
    read,
    remove,
    write,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "config"
    (made / "lines").mkdir(parents=True)
    for name in ("agents", "queues", "api", "node", "hooks", "lines/carrier"):
        (made / f"{name}.yaml").write_text(f"# {name}\n", "utf-8")
    (made / "lines" / "rates.csv").write_text("prefix,per_minute\n")
    (tmp_path / "secret.yaml").write_text("of somebody else")
    return made


def test_what_is_about_calls_may_be_edited_and_nothing_else(folder: Path) -> None:
    assert listed(folder) == ("agents.yaml", "queues.yaml", "lines/carrier.yaml")


@pytest.mark.parametrize(
    "name",
    [
        "api.yaml", "node.yaml", "hooks.yaml", "lines/rates.csv", "../secret.yaml", "lines/../api.yaml", "",
        "lines/../../secret.yaml", "/etc/passwd", "agents.yaml\n", "lines/.hidden.yaml",
    ],
)  # fmt: skip
def test_another_file_is_neither_read_nor_written(folder: Path, name: str) -> None:
    with pytest.raises(NotEditable):
        read(folder, name)
    with pytest.raises(NotEditable):
        write(folder, name, "x", "")


def test_one_that_is_not_there_is_made_by_who_says_so(folder: Path) -> None:
    with pytest.raises(NotEditable):
        read(folder, "markets/uk.yaml")
    with pytest.raises(ChangedMeanwhile):
        write(folder, "markets/uk.yaml", "a: 1\n", "0" * 64)
    made = write(folder, "markets/uk.yaml", "a: 1\n", NEW)
    assert read(folder, "markets/uk.yaml") == made == write(folder, "markets/uk.yaml", "a: 1\n", NEW)
    with pytest.raises(ChangedMeanwhile) as other:
        write(folder, "markets/uk.yaml", "a: 2\n", NEW)
    assert other.value.now == made.digest
    with pytest.raises(ChangedMeanwhile):
        remove(folder, "markets/uk.yaml", NEW)
    remove(folder, "markets/uk.yaml", made.digest)
    assert listed(folder) == ("agents.yaml", "queues.yaml", "lines/carrier.yaml")


def test_a_link_leads_nowhere(folder: Path, tmp_path: Path) -> None:
    os.symlink(tmp_path / "secret.yaml", folder / "lines" / "away.yaml")
    os.symlink(tmp_path, folder / "markets")
    for name in ("lines/away.yaml", "markets/secret.yaml"):
        with pytest.raises(NotEditable):
            read(folder, name)


def test_a_file_is_written_whole_and_keeps_its_mode(folder: Path) -> None:
    (folder / "agents.yaml").chmod(0o640)
    first = read(folder, "agents.yaml")
    second = write(folder, "agents.yaml", "a: 1\r\nb: ü\r\n", first.digest)
    assert read(folder, "agents.yaml") == second and second.text == "a: 1\nb: ü\n"
    assert (folder / "agents.yaml").stat().st_mode & 0o777 == 0o640
    assert sorted(each.name for each in folder.iterdir() if each.name.startswith(".")) == []


def test_of_two_who_write_over_the_same_one_is_told_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = read(folder, "agents.yaml")
    told: list[object] = []

    def other() -> None:
        try:
            told.append(write(folder, "agents.yaml", "b: 2\n", first.digest))
        except ChangedMeanwhile as changed:
            told.append(changed)

    late, synced = threading.Thread(target=other), os.fsync

    def slow(file: int) -> None:
        monkeypatch.setattr(editing.os, "fsync", synced)
        late.start()  # after what is there was looked at, and before it is replaced
        late.join(0.1)
        synced(file)

    monkeypatch.setattr(editing.os, "fsync", slow)
    write(folder, "agents.yaml", "a: 1\n", first.digest)
    late.join()
    assert isinstance(told[0], ChangedMeanwhile) and read(folder, "agents.yaml").text == "a: 1\n"


def test_what_somebody_else_wrote_meanwhile_stays(folder: Path) -> None:
    first = read(folder, "agents.yaml")
    (folder / "agents.yaml").write_text("# another's\n")
    with pytest.raises(ChangedMeanwhile):
        write(folder, "agents.yaml", "mine", first.digest)
    assert read(folder, "agents.yaml").text == "# another's\n"


@pytest.mark.parametrize("text", ["x" * (MOST_BYTES + 1), "a\0b"])
def test_what_is_too_long_or_no_text_is_refused(folder: Path, text: str) -> None:
    first = read(folder, "agents.yaml")
    with pytest.raises(NoText):
        write(folder, "agents.yaml", text, first.digest)
    (folder / "agents.yaml").write_text(text if len(text) > 9 else "", "utf-8")
    (folder / "queues.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(NoText):
        read(folder, "queues.yaml")


def test_an_entry_is_found_by_its_name() -> None:
    text = "agents:\n  anna:\n    queues: [x]\n  'bob':\n  anna.b: 1\n"
    assert [place_of(text, each) for each in ("anna", "bob", "anna.b", "nobody", "", "4")] == [
        2,
        4,
        5,
        1,
        1,
        4,
    ]
    assert place_of(text, "(a+)+$") == 1 and editing.place_of("", "x") == 1
