"""A leg's real sockets, seen from the network."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import pytest

from media.io.udp import UdpNetwork

EXPEDITED = 46  # the DSCP of voice, RFC 3246
FAMILIES = {
    "127.0.0.1": (socket.AF_INET, socket.IPPROTO_IP, socket.IP_RECVTOS, socket.IP_TOS),
    "::1": (socket.AF_INET6, socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, socket.IPV6_TCLASS),
}


@pytest.fixture(params=FAMILIES)
def host(request: pytest.FixtureRequest) -> str:
    family = FAMILIES[request.param][0]
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((request.param, 0))
        except OSError:
            pytest.skip(f"this machine has no {request.param}")
    return str(request.param)


@pytest.fixture
def far_end(host: str) -> Iterator[socket.socket]:
    family, level, asked, _ = FAMILIES[host]
    with socket.socket(family, socket.SOCK_DGRAM) as phone:
        phone.bind((host, 0))
        phone.setsockopt(level, asked, 1)
        phone.settimeout(5)
        yield phone


@pytest.mark.parametrize("dscp", [EXPEDITED, 0], ids=["marked", "unmarked"])
def test_sound_and_reports_carry_the_dscp_that_routers_are_to_see(
    host: str, far_end: socket.socket, dscp: int
) -> None:
    network = UdpNetwork(host, (26_000, 26_100), dscp=dscp)
    try:
        network.open(0)
        address = far_end.getsockname()[:2]
        network.aim(0, address)
        network.send([0], [memoryview(b"sound")])
        network.send_report(0, b"report", address)
        seen = {data: mark_of(ancillary) for data, ancillary, *_ in (received(far_end), received(far_end))}
    finally:
        network.shut()
    assert seen == {b"sound": dscp, b"report": dscp}


def received(phone: socket.socket) -> tuple[bytes, list[tuple[int, int, bytes]], int, object]:
    return phone.recvmsg(100, 100)


def mark_of(ancillary: list[tuple[int, int, bytes]]) -> int:
    """The DSCP in what the kernel tells beside a datagram: a byte of IPv4, an int of IPv6."""
    data = ancillary[0][2]
    value = data[0] if len(data) == 1 else struct.unpack("i", data)[0]
    return int(value) >> 2
