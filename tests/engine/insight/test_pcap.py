"""Captures are read by a library that knows nothing of ours, packet for packet."""

from __future__ import annotations

import io
import socket
from random import Random

import dpkt
import pytest

from engine.insight.pcap import Frame, capture, checksum

NEAR, FAR = ("198.51.100.4", 5060), ("203.0.113.9", 40_012)
NEAR6, FAR6 = ("2001:db8::4", 5061), ("2001:db8:1::9", 5061)


def packets(file: bytes) -> list[tuple[float, dpkt.ethernet.Ethernet]]:
    reader = dpkt.pcap.Reader(io.BytesIO(file))
    assert reader.datalink() == dpkt.pcap.DLT_EN10MB
    return [(at, dpkt.ethernet.Ethernet(data)) for at, data in reader]


def udp_sum(packet: dpkt.ip.IP | dpkt.ip6.IP6, datagram: bytes) -> int:
    """The checksum over pseudo-header and datagram, which is 0 where it is right (RFC 768, RFC 8200)."""
    size = len(datagram)
    if packet.v == 4:
        pseudo = packet.src + packet.dst + bytes([0, 17]) + size.to_bytes(2, "big")
    else:
        pseudo = packet.src + packet.dst + size.to_bytes(4, "big") + bytes([0, 0, 0, 17])
    return checksum(pseudo + datagram)


@pytest.mark.parametrize(("near", "far"), [(NEAR, FAR), (NEAR6, FAR6)])
def test_a_message_is_a_datagram_of_its_own_addresses_ports_and_time(near: tuple, far: tuple) -> None:
    data = b"OPTIONS sip:a@b SIP/2.0\r\n\r\n"
    file = capture(
        [Frame(1_700_000_000.123456, far, near, False, data), Frame(1.7e9 + 1, near, far, True, data)]
    )
    (at, first), (_, second) = packets(file)
    assert at == pytest.approx(1_700_000_000.123456, abs=2e-6)
    family = socket.AF_INET if first.data.v == 4 else socket.AF_INET6
    assert socket.inet_ntop(family, first.data.src) == far[0]
    assert socket.inet_ntop(family, first.data.dst) == near[0]
    datagram = first.data.data
    assert isinstance(datagram, dpkt.udp.UDP)
    assert (datagram.sport, datagram.dport, datagram.data) == (far[1], near[1], data)
    assert (second.data.data.sport, second.data.data.dport) == (near[1], far[1])
    assert first.src == second.dst and first.dst == second.src


@pytest.mark.parametrize("seed", range(4))
def test_checksums_are_right_and_large_messages_are_put_together_again(seed: int) -> None:
    rng = Random(seed)
    for _ in range(40):
        near, far = rng.choice([(NEAR, FAR), (NEAR6, FAR6)])
        data = rng.randbytes(rng.choice([1, 2, 599, 1451, 1452, 1453, 1472, 1473, 4000, 30_000]))
        frames = [packet.data for _, packet in packets(capture([Frame(1.0, far, near, False, data)]))]
        whole = _put_together(frames)
        assert udp_sum(frames[0], whole) == 0
        assert dpkt.udp.UDP(whole).data == data
        for packet in frames:
            assert len(bytes(packet)) <= 1500
            if packet.v == 4:
                assert checksum(bytes(packet)[:20]) == 0


def _put_together(packets: list[dpkt.ip.IP | dpkt.ip6.IP6]) -> bytes:
    pieces: dict[int, bytes] = {}
    for packet in packets:
        if packet.v == 4:
            pieces[8 * (int.from_bytes(bytes(packet)[6:8], "big") & 0x1FFF)] = bytes(packet)[20:]
        elif packet.nxt == 44:
            head = bytes(packet)[40:48]
            assert head[0] == 17
            pieces[int.from_bytes(head[2:4], "big") & ~7] = bytes(packet)[48:]
        else:
            pieces[0] = bytes(packet)[40:]
    whole = b""
    for at in sorted(pieces):
        assert at == len(whole)
        whole += pieces[at]
    return whole


def test_what_is_no_address_is_written_all_the_same() -> None:
    file = capture(
        [Frame(0.0, ("example.com", 70_000), NEAR6, False, b"x"), Frame(0.0, NEAR, NEAR6, True, b"")]
    )
    assert [packet.data.v for _, packet in packets(file)] == [6, 6]


def test_an_empty_capture_is_a_capture() -> None:
    assert packets(capture([])) == []
