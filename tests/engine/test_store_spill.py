"""The spill file keeps lines through anything that can happen to its process."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from engine.store.errors import SpillInUse
from engine.store.rows import Line
from engine.store.spill import MAX_LINE_BYTES, Spill
from tests.engine.store_samples import full_disk


def line(seq: int, data: str = '{"position":1}') -> Line:
    return Line("n1", seq, 1.5 * seq, f"c{seq}", "call.queued", data)


def read(spill: Spill) -> list[int]:
    return [item.seq for chunk in spill.chunks() for item in chunk]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.spill"


def test_lines_come_back_in_the_order_they_went_in(path: Path) -> None:
    spill = Spill(path)
    spill.append([line(1), line(2)])
    spill.append([line(3)])
    assert read(spill) == [1, 2, 3]


def test_a_line_comes_back_whole(path: Path) -> None:
    spill = Spill(path)
    whole = Line(
        "n1", 7, 1.25, "c", "call.ended", '{"a":"ü\\n"}', '{"customer":"x"}', {"call": "c", "talk_s": 1.5}
    )
    spill.append([whole])
    assert next(spill.chunks()) == [whole]


def test_many_lines_come_back_a_chunk_at_a_time(path: Path) -> None:
    spill = Spill(path)
    spill.append([line(seq, '{"x":"' + "y" * 300 + '"}') for seq in range(2000)])
    chunks = list(spill.chunks())
    assert len(chunks) > 1
    assert [item.seq for chunk in chunks for item in chunk] == list(range(2000))


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_line_that_death_cut_short_is_passed_over(path: Path, cut: int) -> None:
    spill = Spill(path)
    spill.append([line(1), line(2)])
    spill.close()
    os.truncate(path, path.stat().st_size - 1 - cut)
    again = Spill(path)
    again.append([line(3)])
    assert read(again) == [1, 3]
    assert again.broken == 1


def test_a_last_line_without_its_newline_counts(path: Path) -> None:
    spill = Spill(path)
    spill.append([line(1)])
    spill.close()
    os.truncate(path, path.stat().st_size - 1)
    assert read(Spill(path)) == [1]


def test_garbage_between_lines_is_passed_over(path: Path) -> None:
    spill = Spill(path)
    spill.append([line(1)])
    spill.close()
    with path.open("ab") as file:
        file.write(b'\xff\xfe\x00 nonsense\n["n1"]\n{}\n\n')
    again = Spill(path)
    again.append([line(2)])
    assert read(again) == [1, 2]
    assert again.broken == 3


def test_a_file_of_one_endless_line_takes_no_endless_memory(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b"x" * (MAX_LINE_BYTES * 3))
    spill = Spill(path)
    assert read(spill) == []
    assert spill.broken > 0


def test_cleared_it_is_empty_and_leaves_no_file_behind(path: Path) -> None:
    spill = Spill(path)
    spill.append([line(1)])
    spill.clear()
    assert not spill and read(spill) == []
    spill.close()
    assert not path.exists()


def test_lines_that_wait_keep_the_file(path: Path) -> None:
    spill = Spill(path)
    spill.append([line(1)])
    spill.close()
    assert read(Spill(path)) == [1]


def test_two_processes_never_share_one(path: Path) -> None:
    first = Spill(path)
    with pytest.raises(SpillInUse):
        Spill(path)
    first.close()
    Spill(path).close()


def test_it_is_its_owners_alone(path: Path) -> None:
    Spill(path).append([line(1)])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_on_a_full_disk_it_says_so_and_adds_nothing(path: Path) -> None:
    spill = Spill(path)
    spill.append([line(1)])
    with full_disk(spill), pytest.raises(OSError) as caught:
        spill.append([line(2)])
    assert caught.value.errno in (errno.ENOSPC, errno.EINVAL)
    spill.append([line(3)])
    assert read(spill) == [1, 3]
