"""Sealed files: only with the key, only as they were written, and as far as they were written."""

from __future__ import annotations

import pytest

from media.sealed import (
    NotSealed,
    Opener,
    Seal,
    SealBroken,
    Tampered,
    Truncated,
    UnknownKey,
    WrongKey,
    opened,
)

SECRET = "k" * 32
KEYS = {"2026": SECRET}
PARTS = [b"first", b"second" * 1000, b"", b"last"]


def sealed(parts: list[bytes] = PARTS, salt: bytes = b"s" * 16) -> list[bytes]:
    seal = Seal("2026", SECRET, salt)
    chunks = [seal.chunk(part, last=n == len(parts) - 1) for n, part in enumerate(parts)]
    return [seal.header, *chunks]


def content(data: bytes, step: int = 1000, keys: dict[str, str] = KEYS) -> tuple[bytes, SealBroken | None]:
    """What can be read, and what was wrong."""
    found = bytearray()
    try:
        for piece in opened((data[at : at + step] for at in range(0, len(data), step)), keys):
            found += piece
    except SealBroken as fault:
        return bytes(found), fault
    return bytes(found), None


@pytest.mark.parametrize("step", [1, 7, 100_000])
def test_a_sealed_file_opens_with_its_key(step: int) -> None:
    assert content(b"".join(sealed()), step) == (b"".join(PARTS), None)


def test_nothing_of_the_sound_stands_in_the_file() -> None:
    assert b"second" not in b"".join(sealed())


def test_another_secret_under_the_same_name_is_told_as_such() -> None:
    found, fault = content(b"".join(sealed()), keys={"2026": "x" * 32})
    assert found == b"" and isinstance(fault, WrongKey) and "2026" in str(fault) and fault.remedy


def test_a_key_that_is_not_at_hand_is_named() -> None:
    found, fault = content(b"".join(sealed()), keys={"2027": SECRET})
    assert found == b"" and isinstance(fault, UnknownKey) and "2026" in str(fault)


def test_a_file_that_was_cut_off_opens_up_to_its_last_whole_chunk() -> None:
    pieces = sealed()
    cut = b"".join(pieces[:3]) + pieces[3][:10]
    found, fault = content(cut)
    assert found == PARTS[0] + PARTS[1] and isinstance(fault, Truncated)


def test_a_file_cut_off_between_chunks_is_known_to_have_no_end() -> None:
    found, fault = content(b"".join(sealed()[:-1]))
    assert found == b"".join(PARTS[:-1]) and isinstance(fault, Truncated)


@pytest.mark.parametrize("at", [-1, -30, 70, 5000])
def test_a_changed_byte_is_told(at: int) -> None:
    data = bytearray(b"".join(sealed()))
    data[at] ^= 1
    found, fault = content(bytes(data))
    assert isinstance(fault, Tampered | Truncated) and b"".join(PARTS).startswith(found)


def test_a_changed_header_is_told() -> None:
    data = bytearray(b"".join(sealed()))
    data[14] ^= 1  # of the salt
    assert isinstance(content(bytes(data))[1], WrongKey)


@pytest.mark.parametrize("order", [(0, 2, 1, 3, 4), (0, 1, 3, 4), (0, 1, 2, 3, 4, 4), (0, 1, 4)])
def test_chunks_out_of_place_left_out_or_added_are_told(order: tuple[int, ...]) -> None:
    pieces = sealed()
    assert isinstance(content(b"".join(pieces[i] for i in order))[1], Tampered)


def test_a_chunk_of_another_file_is_told() -> None:
    one, other = sealed(), sealed(salt=b"t" * 16)
    assert isinstance(content(b"".join([one[0], other[1], *one[2:]]))[1], Tampered)


@pytest.mark.parametrize("data", [b"", b"OggS" + bytes(100), b"ISOSEAL1"])
def test_what_is_not_sealed_is_told_as_such(data: bytes) -> None:
    assert isinstance(content(data)[1], NotSealed)


def test_a_length_beyond_all_chunks_is_refused_at_once() -> None:
    opener = Opener(KEYS)
    with pytest.raises(Tampered):
        list(opener.feed(sealed()[0] + b"\xff\xff\xff\xff"))


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError):
        Seal("2026", "short", b"s" * 16)
