"""STUN (RFC 8489) as far as a leg answers it itself: checks of a far end that was chosen already.

Browsers ask every few seconds whether they may go on sending (RFC 7675). Everything else in STUN (finding
the way, choosing it, roles) is the gate's; this is the one message that comes all through a call.
"""

from __future__ import annotations

import hmac
import struct
import zlib
from ipaddress import ip_address

from media.messages import Address

COOKIE = 0x2112A442
REQUEST, RESPONSE = 0x0001, 0x0101  # of the binding method
USERNAME, INTEGRITY, MAPPED, FINGERPRINT, CONTROLLING = 0x0006, 0x0008, 0x0020, 0x8028, 0x802A
MASK = 0x5354554E  # what the fingerprint's CRC is xored with
LARGEST = 548  # bytes; a check has 100 or so
HEADER, TAG = 20, 20  # bytes of a message's header, of HMAC-SHA1

_HEAD = struct.Struct("!HHI")
_ATTRIBUTE = struct.Struct("!HH")
_V4, _V6 = struct.Struct("!BBHI"), struct.Struct("!BBH16s")


def answer(packet: bytes, source: Address, username: bytes, key: bytes) -> bytes | None:
    """The success response to a connectivity check (RFC 8445 section 7.3), None for what is none.

    username: that the check must have, ours first. key: our password. A check with a false integrity or from
    a far end that does not take itself for the controlling one is none: what is to be said to it, the gate
    knows.
    """
    if not HEADER < len(packet) <= LARGEST:
        return None
    kind, length, cookie = _HEAD.unpack_from(packet)
    if kind != REQUEST or cookie != COOKIE or length + HEADER != len(packet):
        return None
    named = controlling = False
    at = HEADER
    while at + 4 <= len(packet):
        attribute, size = _ATTRIBUTE.unpack_from(packet, at)
        if attribute == INTEGRITY:
            genuine = size == TAG and hmac.compare_digest(
                packet[at + 4 : at + 4 + TAG], _integrity(packet[:at], key)
            )
            return _response(packet[8:HEADER], source, key) if genuine and named and controlling else None
        if attribute == USERNAME:
            named = packet[at + 4 : at + 4 + size] == username
        controlling |= attribute == CONTROLLING
        at += 4 + size + (-size & 3)
    return None


def ours(packet: bytes) -> bytes | None:
    """The name that a check has for its receiver: the first part of its user name; None when there is
    none.
    """
    at = HEADER
    while at + 4 <= min(len(packet), LARGEST):
        attribute, size = _ATTRIBUTE.unpack_from(packet, at)
        if attribute == USERNAME:
            return bytes(packet[at + 4 : at + 4 + size]).partition(b":")[0]
        at += 4 + size + (-size & 3)
    return None


def _response(transaction: bytes, source: Address, key: bytes) -> bytes:
    """With the address that the check came from, integrity and fingerprint."""
    mapped = _mapped(transaction, source)
    body = _ATTRIBUTE.pack(MAPPED, len(mapped)) + mapped
    head = _HEAD.pack(RESPONSE, 0, COOKIE) + transaction
    signed = head + body
    signed += _ATTRIBUTE.pack(INTEGRITY, TAG) + _integrity(signed, key)
    whole = _lengthened(signed, len(signed) - HEADER + 8)
    return whole + _ATTRIBUTE.pack(FINGERPRINT, 4) + struct.pack("!I", zlib.crc32(whole) ^ MASK)


def _mapped(transaction: bytes, source: Address) -> bytes:
    """XOR-MAPPED-ADDRESS (RFC 8489 section 14.2)."""
    host, port = ip_address(source[0].partition("%")[0]), source[1] ^ COOKIE >> 16
    if host.version == 4:
        return _V4.pack(0, 1, port, int(host) ^ COOKIE)
    mask = int.from_bytes(COOKIE.to_bytes(4, "big") + transaction, "big")
    return _V6.pack(0, 2, port, (int(host) ^ mask).to_bytes(16, "big"))


def _integrity(before: bytes, key: bytes) -> bytes:
    """HMAC-SHA1 over what stands before the attribute, the length counting it in (RFC 8489 section 14.5)."""
    return hmac.digest(key, _lengthened(before, len(before) - HEADER + 4 + TAG), "sha1")


def _lengthened(message: bytes, length: int) -> bytes:
    return message[:2] + length.to_bytes(2, "big") + message[4:]
