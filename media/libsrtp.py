"""libsrtp on packets where they lie: pylibsrtp's library, called without its copies.

`pylibsrtp.Session` takes and gives bytes, 3 µs a packet; the same functions on pointers into a batch take a
third of that. Only this module knows the binding below that wheel's public face.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi, lib

TRAILER = 4 + 16  # bytes that protection adds at most: SRTCP index and tag
OK = 0

I32 = NDArray[np.int32]
Pointers = Sequence[Any]


class Suite(NamedTuple):
    """A crypto suite (RFC 4568 section 6.2, RFC 7714 section 14.2). Sizes of master key and salt in bytes."""

    profile: int
    key: int
    salt: int


SUITES: Mapping[str, Suite] = {
    "AEAD_AES_256_GCM": Suite(Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 32, 12),
    "AEAD_AES_128_GCM": Suite(Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12),
    "AES_CM_128_HMAC_SHA1_80": Suite(Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14),
    "AES_CM_128_HMAC_SHA1_32": Suite(Policy.SRTP_PROFILE_AES128_CM_SHA1_32, 16, 14),
}


class Context:
    """One direction under one master key: a rollover counter and a replay window for each SSRC.

    key: master key and salt. Raises ValueError for a key that is not of the suite's length.
    """

    __slots__ = ("_session", "pointer", "ssrcs")

    def __init__(self, suite: str, key: bytes, *, inbound: bool) -> None:
        profile, size, salt = SUITES[suite]
        if len(key) != size + salt:
            raise ValueError(f"a key of {suite} has {size + salt} bytes")
        kind = Policy.SSRC_ANY_INBOUND if inbound else Policy.SSRC_ANY_OUTBOUND
        self._session = Session(Policy(key=key, ssrc_type=kind, srtp_profile=profile))
        self.pointer = self._session._srtp[0]
        self.ssrcs: set[int] = set()

    def forget(self, ssrc: int) -> None:
        """Give up the state of one SSRC that was seen."""
        self._session.remove_stream(ssrc)


def join_late(suite: str, key: bytes, packet: bytes | memoryview, wraps: int) -> tuple[Context, bytes] | None:
    """A context for a stream whose sequence numbers had wrapped before its first packet came here, and what
    that packet says; None when it is not authentic after 1 to `wraps` times either.

    Nobody tells a rollover counter (RFC 3711 section 3.3.1). To count one up, a context is given packets of
    our own under the far end's key, each less than half a turn behind the next.
    """
    head, sequence = bytes(packet[8:12]), int.from_bytes(packet[2:4], "big")
    sender, receiver = Context(suite, key, inbound=False), Context(suite, key, inbound=True)

    def pass_on(place: int) -> None:
        ours = protect_one(
            sender, struct.pack("!HHI", 0x8000, place & 0xFFFF, 0) + head + b"\0", report=False
        )
        unprotect_one(receiver, ours or b"", report=False)

    place = sequence + 0xFFFF & 0xFFFF
    pass_on(place)
    for _ in range(wraps + 1):
        plain = unprotect_one(receiver, packet, report=False)
        if not isinstance(plain, int):
            return receiver, plain
        for step in (21845, 21845, 21846):
            place += step
            pass_on(place)
    return None


class Rows:
    """Pointers to each row of a buffer, uint8[n, stride], and to each of as many sizes, `lengths`."""

    def __init__(self, buffer: NDArray[np.uint8]) -> None:
        self.buffer = buffer
        count, stride = buffer.shape
        self.lengths: I32 = np.zeros(count, np.int32)
        first = ffi.cast("char *", ffi.from_buffer(buffer))
        length = ffi.cast("int *", ffi.from_buffer(self.lengths))
        self.packets: Pointers = [first + row * stride for row in range(count)]
        self.sizes: Pointers = [length + row for row in range(count)]


def protect(contexts: Sequence[Context], packets: Pointers, sizes: Pointers) -> list[int]:
    """RTP to SRTP in place (RFC 3711 section 3.3), a status a packet; there must be TRAILER bytes of room."""
    return list(map(lib.srtp_protect, [each.pointer for each in contexts], packets, sizes))


def unprotect(contexts: Sequence[Context], packets: Pointers, sizes: Pointers) -> list[int]:
    """SRTP to RTP in place, a status a packet; one that is refused may be left as garbage."""
    return list(map(lib.srtp_unprotect, [each.pointer for each in contexts], packets, sizes))


_PROTECT = {False: lib.srtp_protect, True: lib.srtp_protect_rtcp}
_UNPROTECT = {False: lib.srtp_unprotect, True: lib.srtp_unprotect_rtcp}


def protect_one(context: Context, packet: bytes | memoryview, *, report: bool) -> bytes | None:
    """The packet protected; report: it is RTCP. None when it cannot be."""
    room = bytearray(len(packet) + TRAILER)
    room[: len(packet)] = packet
    size = ffi.new("int *", len(packet))
    if _PROTECT[report](context.pointer, ffi.from_buffer("char[]", room), size):
        return None
    return bytes(room[: size[0]])


def unprotect_one(context: Context, packet: bytes | memoryview, *, report: bool) -> bytes | int:
    """The packet as it was before protection, or the status with which it is refused."""
    room = bytearray(packet)
    size = ffi.new("int *", len(packet))
    status: int = _UNPROTECT[report](context.pointer, ffi.from_buffer("char[]", room), size)
    return status or bytes(room[: size[0]])
