"""SIP messages as HOMER wants them: packets of the Homer Encapsulation Protocol, version 3 (rev. 12).

A packet is `HEP3`, its length, and chunks of vendor, type, length and value; all numbers are big-endian.
"""

from __future__ import annotations

import struct
from ipaddress import ip_address

from engine.insight.pcap import Address

MAGIC = b"HEP3"
GENERIC = 0  # the vendor of the chunks that the specification names
FAMILY, PROTOCOL, SOURCE4, TARGET4, SOURCE6, TARGET6 = 1, 2, 3, 4, 5, 6
SOURCE_PORT, TARGET_PORT, SECONDS, MICROS, KIND, AGENT, KEY, PAYLOAD, CORRELATION = (
    7, 8, 9, 10, 11, 12, 14, 15, 17,
)  # fmt: skip
AF_INET, AF_INET6 = 2, 10
SIP = 1
PROTOCOLS = {"udp": 17, "tcp": 6, "tls": 6, "ws": 6, "wss": 6}
MAX_PAYLOAD = 60_000  # bytes, so that a packet is one datagram


def packet(
    at: float,
    source: Address,
    target: Address,
    transport: str,
    message: bytes,
    *,
    agent: int,
    key: str = "",
    correlation: bytes = b"",
) -> bytes:
    """One message. at: epoch seconds. agent: the number by which HOMER knows this node. key: its password.

    correlation: what messages of all legs of a call have in common, the Call-ID of its first. Raises
    ValueError for a host that is no address.
    """
    whence, whither = ip_address(source[0].partition("%")[0]), ip_address(target[0].partition("%")[0])
    if whence.version != whither.version:
        raise ValueError(f"{whence} and {whither} are of two families")
    six = whence.version == 6
    micros = round(at * 1e6)
    chunks = [
        _chunk(FAMILY, "!B", AF_INET6 if six else AF_INET),
        _chunk(PROTOCOL, "!B", PROTOCOLS[transport]),
        _bytes(SOURCE6 if six else SOURCE4, whence.packed),
        _bytes(TARGET6 if six else TARGET4, whither.packed),
        _chunk(SOURCE_PORT, "!H", source[1]),
        _chunk(TARGET_PORT, "!H", target[1]),
        _chunk(SECONDS, "!I", micros // 1_000_000),
        _chunk(MICROS, "!I", micros % 1_000_000),
        _chunk(KIND, "!B", SIP),
        _chunk(AGENT, "!I", agent),
    ]
    if key:
        chunks.append(_bytes(KEY, key.encode()))
    if correlation:
        chunks.append(_bytes(CORRELATION, correlation[:1024]))
    chunks.append(_bytes(PAYLOAD, message[:MAX_PAYLOAD]))
    body = b"".join(chunks)
    return MAGIC + struct.pack("!H", 6 + len(body)) + body


def _chunk(kind: int, form: str, value: int) -> bytes:
    return _bytes(kind, struct.pack(form, value))


def _bytes(kind: int, value: bytes) -> bytes:
    return struct.pack("!HHH", GENERIC, kind, 6 + len(value)) + value
