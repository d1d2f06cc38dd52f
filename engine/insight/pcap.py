"""SIP messages as a capture file that Wireshark and tshark read (libpcap format, microseconds).

Frames are made up: the node sees messages, not packets. Addresses, ports and times are the messages' own;
messages of streams, and what TLS hid, are written as the UDP datagrams that they would have been, in plain
text, as collectors of SIP do. A datagram beyond a packet's size goes out in fragments, as IP does it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

MAGIC, VERSION, SNAPLEN, ETHERNET = 0xA1B2C3D4, (2, 4), 262_144, 1
IPV4, IPV6, UDP, FRAGMENT = 0x0800, 0x86DD, 17, 44
MTU = 1500
MAX_PAYLOAD = 65_000  # of a datagram; what is kept of a message is less
# Locally administered addresses, one for each side.
_OURS, _THEIRS = b"\x02\x00\x00\x00\x00\x01", b"\x02\x00\x00\x00\x00\x02"

Address = tuple[str, int]


class Frame(NamedTuple):
    """One message. at: epoch seconds. outward: our side sent it. Hosts are numeric."""

    at: float
    source: Address
    target: Address
    outward: bool
    data: bytes


def capture(frames: Iterable[Frame]) -> bytes:
    """The whole file."""
    parts = [struct.pack("<IHHiIII", MAGIC, *VERSION, 0, 0, SNAPLEN, ETHERNET)]
    for number, frame in enumerate(frames, 1):
        for packet in _packets(frame, number):
            micros = round(frame.at * 1e6)
            head = struct.pack("<IIII", micros // 1_000_000, micros % 1_000_000, len(packet), len(packet))
            parts += (head, packet)
    return b"".join(parts)


def _packets(frame: Frame, number: int) -> list[bytes]:
    """Ethernet frames of one message."""
    source, target = _alike(_numeric(frame.source[0]), _numeric(frame.target[0]))
    datagram = _datagram(source, target, frame)
    macs = _THEIRS + _OURS if frame.outward else _OURS + _THEIRS
    if isinstance(source, IPv4Address):
        kind = IPV4
        packets = _ipv4(source.packed, target.packed, datagram, number)
    else:
        kind = IPV6
        packets = _ipv6(source.packed, target.packed, datagram, number)
    return [macs + kind.to_bytes(2, "big") + packet for packet in packets]


def _datagram(source: IPv4Address | IPv6Address, target: IPv4Address | IPv6Address, frame: Frame) -> bytes:
    data = frame.data[:MAX_PAYLOAD]
    size = 8 + len(data)
    head = struct.pack("!HHHH", frame.source[1] & 0xFFFF, frame.target[1] & 0xFFFF, size, 0)
    # The pseudo-headers of RFC 768 and of RFC 8200 section 8.1.
    middle = struct.pack("!xBH", UDP, size) if source.version == 4 else struct.pack("!IxxxB", size, UDP)
    total = checksum(source.packed + target.packed + middle + head + data)
    return head[:6] + (total or 0xFFFF).to_bytes(2, "big") + data


def _ipv4(source: bytes, target: bytes, datagram: bytes, number: int) -> list[bytes]:
    """RFC 791; the pieces of a datagram begin at multiples of eight bytes."""
    room = (MTU - 20) // 8 * 8
    packets = []
    for begin in range(0, len(datagram), room):
        piece = datagram[begin : begin + room]
        more = 0x2000 if begin + room < len(datagram) else 0
        fields = (0x45, 0, 20 + len(piece), number & 0xFFFF, more | begin // 8, 64, UDP)
        head = struct.pack("!BBHHHBBH", *fields, 0) + source + target
        packets.append(head[:10] + checksum(head).to_bytes(2, "big") + head[12:] + piece)
    return packets


def _ipv6(source: bytes, target: bytes, datagram: bytes, number: int) -> list[bytes]:
    """RFC 8200, with a fragment header where one packet does not hold it (section 4.5)."""
    if len(datagram) <= MTU - 40:
        return [struct.pack("!IHBB", 6 << 28, len(datagram), UDP, 64) + source + target + datagram]
    room = (MTU - 48) // 8 * 8
    packets = []
    for begin in range(0, len(datagram), room):
        piece = datagram[begin : begin + room]
        more = int(begin + room < len(datagram))
        fragment = struct.pack("!BxHI", UDP, begin | more, number)
        head = struct.pack("!IHBB", 6 << 28, 8 + len(piece), FRAGMENT, 64)
        packets.append(head + source + target + fragment + piece)
    return packets


def checksum(data: bytes) -> int:
    """The Internet's (RFC 1071), of any number of bytes."""
    if len(data) % 2:
        data += b"\x00"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _numeric(host: str) -> IPv4Address | IPv6Address:
    """A host; what is no address, of an unknown way, is nowhere."""
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return IPv4Address(0)


def _alike(
    source: IPv4Address | IPv6Address, target: IPv4Address | IPv6Address
) -> tuple[IPv4Address | IPv6Address, IPv4Address | IPv6Address]:
    """Both of one version: an IPv4 address beside one of IPv6 is written as IPv6 maps it."""
    if source.version == target.version:
        return source, target
    return _mapped(source), _mapped(target)


def _mapped(address: IPv4Address | IPv6Address) -> IPv6Address:
    if isinstance(address, IPv6Address):
        return address
    return IPv6Address(b"\x00" * 10 + b"\xff\xff" + address.packed)
