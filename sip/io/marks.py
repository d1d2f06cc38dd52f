"""What routers on the way are told of packets to some far ends: DSCP (RFC 2474), by address."""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping

# By the far end's numeric host and port: 0 to 63. Whoever owns it may change it at any time.
Marks = Mapping[tuple[str, int], int]
Ancillary = tuple[int, int, bytes]


def option(family: int) -> tuple[int, int]:
    """Level and name of the socket option; the two bits below the mark are for congestion notification."""
    if family == socket.AF_INET6:
        return socket.IPPROTO_IPV6, socket.IPV6_TCLASS
    return socket.IPPROTO_IP, socket.IP_TOS


def ancillary(family: int, dscp: int) -> list[Ancillary]:
    """What goes with one datagram that is marked."""
    return [(*option(family), struct.pack("i", dscp << 2))]


def mark(sock: socket.socket, dscp: int) -> None:
    """Mark all that a socket sends from now on. Raises OSError."""
    level, name = option(sock.family)
    sock.setsockopt(level, name, dscp << 2)
