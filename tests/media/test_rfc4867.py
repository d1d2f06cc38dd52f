"""Payloads of AMR and AMR-WB against vectors made by hand from RFC 4867, bit by bit."""

from __future__ import annotations

import random

import pytest

from media.codecs.rfc4867 import LONGEST, NARROW, NO_REQUEST, WIDE, pack, unpack

NARROW_SID, WIDE_SID = 8, 9


def frame(kind: int, bits: str, good: bool = True) -> bytes:
    """A frame as the libraries have it: its leading byte, then the bits, filled up with zeros."""
    padded = bits + "0" * (-len(bits) % 8)
    return bytes([kind << 3 | good << 2]) + bytes(int(padded[i : i + 8], 2) for i in range(0, len(padded), 8))


def octets(text: str) -> bytes:
    """Bits, in groups as one likes, as bytes."""
    bits = text.replace(" ", "").replace("\n", "")
    assert len(bits) % 8 == 0
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))


def test_one_frame_bandwidth_efficient():
    """Section 4.3.5.1's layout: CMR 6, one frame of AMR 7.4 (type 4, 148 bits), two bits of padding."""
    speech = "1" + "0" * 146 + "1"
    payload = octets("01100 0100 1" + speech + "00")
    assert payload[:2].hex() == "6260" and payload[-1] == 0x04 and len(payload) == 20
    assert unpack(payload, NARROW, octets=False) == (6, [frame(4, speech)])
    assert pack([frame(4, speech)], NARROW, octets=False, request=6) == payload


def test_several_frames_bandwidth_efficient_run_into_each_other():
    """CMR 1; AMR-WB 6.60 (132 bits), comfort noise (40), no data, 8.85 (177): 377 bits and 7 of padding."""
    low, rest, more = "10" * 66, "1100" * 10, "0" * 176 + "1"
    toc = "1 0000 11 1001 11 1111 10 0001 1"
    payload = octets("0001" + toc + low + rest + more + "0" * 7)
    frames = [frame(0, low), frame(WIDE_SID, rest), frame(15, ""), frame(1, more)]
    assert len(payload) == 48
    assert unpack(payload, WIDE, octets=False) == (1, frames)
    assert pack(frames, WIDE, octets=False, request=1) == payload


def test_one_frame_octet_aligned():
    """Section 4.4.5.1's layout: CMR 6, one frame of AMR 5.9 (type 2, 118 bits)."""
    speech = "01" * 59
    payload = octets("0110 00000 0010 1 00" + speech + "00")
    assert payload[:2].hex() == "6014" and len(payload) == 17
    assert unpack(payload, NARROW, octets=True) == (6, [frame(2, speech)])
    assert pack([frame(2, speech)], NARROW, octets=True, request=6) == payload


def test_two_frames_octet_aligned_have_their_table_first():
    speech, rest = "1" * 253, "0" * 40
    payload = octets("1111 00001 0010 1 000 1001 1 00" + speech + "000" + rest)
    frames = [frame(2, speech), frame(WIDE_SID, rest)]
    assert unpack(payload, WIDE, octets=True) == (NO_REQUEST, frames)
    assert pack(frames, WIDE, octets=True) == payload


def test_a_damaged_frame_says_so():
    payload = octets("1111 00000 1000 0 00" + "1" * 39 + "0")
    assert unpack(payload, NARROW, octets=True) == (15, [frame(NARROW_SID, "1" * 39, good=False)])


@pytest.mark.parametrize(
    ("payload", "aligned"),
    [
        (b"", True),
        (b"", False),
        (b"\xf0", True),
        (b"\xf0", False),
        (octets("1111 00001 0010 1 00"), True),  # another entry is promised
        (octets("1111 00000 0010 1 00") + bytes(3), True),  # half a frame
        (octets("1111 0 0111 1 000000"), False),
        (octets("1111 00000 1010 1 00") + bytes(40), True),  # a type there is none of
        (octets("1111 0 1010 1 000000") + bytes(40), False),
        (bytes([0xF0] + [0x84] * 40 + [0x04]) + bytes(1000), True),  # frames without end
        (b"\xff" * 1400, False),
    ],
)
def test_a_packet_that_does_not_fit_together_is_none(payload, aligned):
    assert unpack(payload, NARROW, aligned) is None


@pytest.mark.parametrize("bits", [NARROW, WIDE], ids=["AMR", "AMR-WB"])
@pytest.mark.parametrize("aligned", [False, True], ids=["bandwidth-efficient", "octet-aligned"])
def test_what_was_packed_is_unpacked(bits, aligned):
    rng = random.Random(4867)
    for _ in range(300):
        kinds = rng.choices(sorted(bits), k=rng.randint(1, LONGEST))
        frames = [
            frame(kind, "".join(rng.choice("01") for _ in range(bits[kind])), rng.random() < 0.9)
            for kind in kinds
        ]
        request = rng.choice((*range(8), NO_REQUEST))
        assert unpack(pack(frames, bits, aligned, request), bits, aligned) == (request, frames)


@pytest.mark.parametrize("bits", [NARROW, WIDE], ids=["AMR", "AMR-WB"])
def test_rubbish_is_taken_or_refused_and_never_raises(bits):
    rng = random.Random(1)
    for _ in range(20_000):
        payload = rng.randbytes(rng.randint(0, 80))
        for aligned in (False, True):
            speech = unpack(payload, bits, aligned)
            assert speech is None or 0 < len(speech.frames) <= LONGEST
