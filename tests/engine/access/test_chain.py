"""Whatever is done to the audit log afterwards is found, and the first row that it was done to is named."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import msgspec
import pytest

from engine.access.chain import GENESIS, Anchor, Entry, Row, Verdict, detail_of, digest, follow, verify

FIELDS = Entry.__struct_fields__


def entries(count: int) -> list[Entry]:
    return [
        Entry(
            f"{number:024x}", 1e9 + number / 7, "n1", "maria", "password", "get_record", f"records/r{number}",
            "done", detail_of({"query": {"words": "señor 张"}, "limit": number}),
        )
        for number in range(count)
    ]  # fmt: skip


ROWS = follow(0, GENESIS, entries(9))
ANCHOR = Anchor(9, ROWS[-1].hash, 0.0)


def test_a_log_as_it_was_written_is_whole() -> None:
    assert verify(ROWS, [ANCHOR]) == Verdict(9)
    assert verify([]) == Verdict(0)
    assert verify([*ROWS, *follow(9, ROWS[-1].hash, entries(3))], [ANCHOR]).rows == 12


def changes(text: str, rng: Random) -> list[str]:
    """The text with any one of its characters changed, dropped or doubled."""
    found = [f"{text}x"]
    for at in range(len(text)):
        other = chr((ord(text[at]) ^ (1 << rng.randrange(6))) or 65)
        found += [text[:at] + other + text[at + 1 :], text[:at] + text[at + 1 :]]
    return [each for each in found if each != text]


@pytest.mark.parametrize("name", [name for name in FIELDS if name != "at"])
def test_any_character_changed_in_an_entry_is_found_at_its_row(name: str) -> None:
    rng = Random(3)
    for at in (0, 4, 8):
        row = ROWS[at]
        for other in changes(getattr(row.entry, name), rng):
            bad = replace(row, entry=msgspec.structs.replace(row.entry, **{name: other}))
            assert verify([*ROWS[:at], bad, *ROWS[at + 1 :]]) == Verdict(at, at + 1, "was changed")


@pytest.mark.parametrize("name", ["prev", "hash"])
def test_any_character_changed_in_a_hash_is_found(name: str) -> None:
    rng = Random(4)
    for at in (0, 4, 8):
        for other in changes(getattr(ROWS[at], name), rng):
            bad = replace(ROWS[at], **{name: other})  # type: ignore[arg-type]
            assert verify([*ROWS[:at], bad, *ROWS[at + 1 :]]).bad == at + 1


def test_a_time_changed_by_the_least_is_found() -> None:
    entry = ROWS[4].entry
    near = msgspec.structs.replace(entry, at=entry.at + 2.4e-7)
    assert near.at != entry.at
    assert verify([*ROWS[:4], replace(ROWS[4], entry=near), *ROWS[5:]]).bad == 5


@pytest.mark.parametrize("at", range(9))
def test_a_row_that_is_taken_out_is_missed(at: int) -> None:
    left = [*ROWS[:at], *ROWS[at + 1 :]]
    assert verify(left, [ANCHOR]).bad == at + 1


@pytest.mark.parametrize("at", range(8))
def test_rows_that_are_swapped_are_found_though_their_numbers_are_mended(at: int) -> None:
    one, other = ROWS[at], ROWS[at + 1]
    swapped = [*ROWS[:at], replace(other, seq=at + 1), replace(one, seq=at + 2), *ROWS[at + 2 :]]
    assert verify(swapped).bad == at + 1


@pytest.mark.parametrize("at", range(1, 9))
def test_a_row_put_in_is_found_though_it_has_a_right_hash(at: int) -> None:
    forged = follow(at, ROWS[at - 1].hash, entries(1))[0]
    behind = [replace(row, seq=row.seq + 1) for row in ROWS[at:]]
    found = verify([*ROWS[:at], forged, *behind])
    assert found.bad == at + 2  # the forged one is right by itself; what comes after does not follow it
    assert verify([*ROWS[:at], forged, *ROWS[at:]]).why == "is there twice"


@pytest.mark.parametrize("left", range(9))
def test_a_log_that_was_cut_off_lacks_the_row_that_was_anchored(left: int) -> None:
    assert verify(ROWS[:left]).whole  # nothing in the rows tells
    found = verify(ROWS[:left], [ANCHOR])
    assert found.bad == left + 1 and "cut off" in found.why


def test_a_log_that_was_written_anew_from_some_row_on_is_not_the_one_that_was_anchored() -> None:
    other = follow(4, ROWS[3].hash, [msgspec.structs.replace(row.entry, who="nobody") for row in ROWS[4:]])
    assert verify([*ROWS[:4], *other]).whole
    assert verify([*ROWS[:4], *other], [ANCHOR]).bad == 9
    assert verify([*ROWS[:4], *other], [ANCHOR, Anchor(5, ROWS[4].hash, 0.0)]).bad == 5


def test_a_hash_is_of_the_place_as_well() -> None:
    row: Row = ROWS[0]
    assert digest(2, row.entry, row.prev) != row.hash != digest(1, row.entry, "1" * 64)
