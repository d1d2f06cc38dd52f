"""HEP packets are taken apart by a decoder of the test's own, made from the specification."""

from __future__ import annotations

import socket
import struct
from random import Random

import pytest

from engine.insight.hep import packet

NEAR, FAR = ("198.51.100.4", 5060), ("203.0.113.9", 40_012)


def decode(data: bytes) -> dict[int, bytes]:
    """Chunks by type (HEP3 rev. 12, section 3): vendor, type and length of two bytes each, then the value."""
    assert data[:4] == b"HEP3" and struct.unpack_from("!H", data, 4)[0] == len(data)
    chunks, at = {}, 6
    while at < len(data):
        vendor, kind, size = struct.unpack_from("!HHH", data, at)
        assert vendor == 0 and size >= 6 and at + size <= len(data) and kind not in chunks
        chunks[kind] = data[at + 6 : at + size]
        at += size
    return chunks


def test_a_message_has_its_addresses_time_and_call() -> None:
    data = packet(1_700_000_000.25, FAR, NEAR, "udp", b"BYE", agent=2001, key="pw", correlation=b"c1@far")
    assert decode(data) == {
        1: bytes([socket.AF_INET]),
        2: bytes([17]),
        3: socket.inet_aton(FAR[0]),
        4: socket.inet_aton(NEAR[0]),
        7: struct.pack("!H", FAR[1]),
        8: struct.pack("!H", NEAR[1]),
        9: struct.pack("!I", 1_700_000_000),
        10: struct.pack("!I", 250_000),
        11: b"\x01",
        12: struct.pack("!I", 2001),
        14: b"pw",
        15: b"BYE",
        17: b"c1@far",
    }


def test_ipv6_and_streams_have_chunks_of_their_own() -> None:
    chunks = decode(packet(0.0, ("2001:db8::4", 5061), ("2001:db8::5", 5061), "tls", b"x", agent=1))
    assert (chunks[1], chunks[2]) == (bytes([10]), bytes([6]))
    assert chunks[5] == socket.inet_pton(socket.AF_INET6, "2001:db8::4")
    assert not {3, 4, 14, 17} & chunks.keys()


@pytest.mark.parametrize("seed", range(3))
def test_any_message_comes_through_whole(seed: int) -> None:
    rng = Random(seed)
    for _ in range(50):
        message = rng.randbytes(rng.randrange(0, 3000))
        assert decode(packet(rng.random() * 4e9, FAR, NEAR, "tcp", message, agent=7))[15] == message


def test_a_packet_is_one_datagram_however_large_the_message() -> None:
    assert len(packet(0.0, FAR, NEAR, "udp", bytes(200_000), agent=1, correlation=bytes(9000))) < 65_000


@pytest.mark.parametrize(("source", "target"), [(("nowhere", 1), NEAR), (FAR, ("2001:db8::4", 1))])
def test_what_has_no_addresses_of_one_family_is_refused(source: tuple, target: tuple) -> None:
    with pytest.raises(ValueError):
        packet(0.0, source, target, "udp", b"x", agent=1)
