"""Packets to some far ends are marked for routers on the way."""

from __future__ import annotations

import socket

import pytest

from sip.hop import Hop
from sip.io.udp import UdpPort
from tests.sip.io.peers import LOCAL, udp_socket

FAMILIES = {
    LOCAL: (socket.IPPROTO_IP, socket.IP_RECVTOS, socket.IP_TOS),
    "::1": (socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, socket.IPV6_TCLASS),
}


@pytest.mark.parametrize("host", FAMILIES)
def test_a_datagram_to_a_marked_address_has_its_dscp_and_no_other_has(host: str) -> None:
    level, want, kind = FAMILIES[host]
    marks: dict[tuple[str, int], int] = {}
    port = UdpPort(UdpPort.bind(host, 0), lambda data, hop: None, lambda: None, lambda hop, why: None, marks)
    with udp_socket(host) as carrier, udp_socket(host) as phone:
        marks[host, carrier.getsockname()[1]] = 24
        for far_end, dscp in ((carrier, 24), (phone, 0)):
            far_end.setsockopt(level, want, 1)
            port.send(b"OPTIONS", Hop("udp", host, far_end.getsockname()[1]))
            far_end.setblocking(True)
            _, ancillary, *_ = far_end.recvmsg(100, 100)
            seen = [int.from_bytes(value[:1], "little") >> 2 for _, what, value in ancillary if what == kind]
            assert seen == [dscp]
    port.close()
