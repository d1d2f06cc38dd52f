"""Datagrams that no phone would send, from wholly random to nearly right; seeded."""

from __future__ import annotations

import struct
from collections.abc import Callable
from random import Random

from media import rtcp
from tests.media.stage import DTMF, Phone, packet

CN, RED = 13, 121
SIZES = (0, 1, 2, 8, 11, 12, 13, 40, 172, 500, 1599, 1600, 1601, 4000)
PAYLOADS = (1, 4, 20, 80, 160, 160, 481, 1200)


class Rubbish:
    """What arrives at a phone's leg. types: payload types that were agreed on, and others."""

    def __init__(self, rng: Random, phone: Phone, types: tuple[int, ...] = ()) -> None:
        self._rng = rng
        self._phone = phone
        self._types = (*types, 0, 8, CN, 72, 73, DTMF, RED, 127)
        # These change nothing, even from the right address; of those below each may be taken for the phone's.
        self._strange = (self._random, self._foreign, self._again, self._cut, self.report, self.report)
        self._forged = (self._wild, self._next, self._next, self._odd, self._key, self._noise, self._copies)

    def strange(self) -> bytes:
        """A datagram that is not the phone's, as its SSRC or its form says."""
        return self._rng.choice(self._strange)()

    def forged(self) -> bytes:
        """A packet that says to be the phone's, with its SSRC, and holds rubbish."""
        return self._rng.choice(self._forged)()

    def any(self) -> bytes:
        return self.forged() if self._rng.random() < 0.5 else self.strange()

    def _packet(self, payload: bytes, sequence: int, pt: int | None = None, ssrc: int | None = None) -> bytes:
        rng = self._rng
        stamp = (
            rng.getrandbits(32) if rng.random() < 0.5 else self._phone.timestamp + rng.randrange(-999, 999)
        )
        kind = rng.choice(self._types) if pt is None else pt
        return packet(
            sequence, stamp, self._phone.ssrc if ssrc is None else ssrc, payload, kind, rng.random() < 0.3
        )

    def _payload(self) -> bytes:
        return self._rng.randbytes(self._rng.choice(PAYLOADS))

    def _sequence(self) -> int:
        return self._rng.randrange(65536)

    def _near(self) -> int:
        return self._phone.sequence + self._rng.randrange(-70, 4)

    # --- nobody's ---------------------------------------------------------------------------------

    def _random(self) -> bytes:
        return self._rng.randbytes(self._rng.choice(SIZES))

    def _foreign(self) -> bytes:
        ssrc = self._rng.getrandbits(32)
        return self._packet(self._payload(), self._sequence(), ssrc=ssrc + (ssrc == self._phone.ssrc))

    def _again(self) -> bytes:
        """The number of a packet that has come, with other sound."""
        return packet(self._phone.sequence - 2, self._phone.timestamp, self._phone.ssrc, self._payload())

    def _cut(self) -> bytes:
        """Flags that promise more than is there."""
        first = self._rng.choice([0x8F, 0xBF, 0x9F])  # 60 bytes of CSRCs are not in what follows
        return bytes([first]) + self._packet(self._rng.randbytes(20), self._sequence())[1:]

    def report(self) -> bytes:
        """RTCP of all kinds: well formed or not, about streams that are there or not."""
        rng = self._rng
        makers: tuple[Callable[[], bytes], ...] = (
            self._told, self._told, self._extended, self._feedback, self._bare, self._random
        )  # fmt: skip
        data = rng.choice(makers)()
        if rng.random() < 0.4:
            data += rng.choice(makers)()
        if data and rng.random() < 0.2:
            at = rng.randrange(len(data))
            data = data[:at] + rng.randbytes(1) + data[at + 1 :]
        return data[: rng.randrange(len(data) + 1)] if rng.random() < 0.1 else data

    def _ssrc(self) -> int:
        core = self._phone.stage.control.core
        known = [self._phone.ssrc, *core.table.tx.ssrc[core.table.rows()].tolist()]
        return self._rng.choice([*known, self._rng.getrandbits(32)])

    def _told(self) -> bytes:
        rng = self._rng
        bits = rng.getrandbits
        sender = rtcp.SenderInfo(bits(64), bits(32), bits(32), bits(32)) if rng.random() < 0.5 else None
        block = rtcp.Block(
            self._ssrc(), bits(8), rng.randrange(-(1 << 23), 1 << 23), bits(32), bits(32), bits(32), bits(32)
        )
        return rtcp.build(self._ssrc(), sender, block, rng.randbytes(rng.randrange(40)))

    def _extended(self) -> bytes:
        """XR (RFC 3611) with blocks of any kind and length."""
        rng = self._rng
        blocks = b""
        for _ in range(rng.randrange(1, 6)):
            words = rng.choice([0, 1, 2, 3, 6, 8, 8, 8, 20])
            body = struct.pack("!I", self._ssrc()) + rng.randbytes(80)
            told = words if rng.random() < 0.8 else rng.getrandbits(16)
            blocks += struct.pack("!BBH", rng.randrange(9), rng.getrandbits(8), told) + body[: 4 * words]
        return struct.pack("!BBHI", 0x80, 207, 1 + len(blocks) // 4, self._ssrc()) + blocks

    def _feedback(self) -> bytes:
        """Feedback (RFC 4585), transport-wide congestion control among it."""
        rng = self._rng
        body = struct.pack(
            "!IIHHI",
            self._ssrc(),
            self._ssrc(),
            rng.getrandbits(16),
            rng.getrandbits(16),
            rng.getrandbits(32),
        )
        body += rng.randbytes(4 * rng.randrange(12))
        first = 0x80 | rng.choice([15, 15, 15, 1, 31])
        return struct.pack("!BBH", first, rng.choice([205, 205, 206]), len(body) // 4) + body

    def _bare(self) -> bytes:
        rng = self._rng
        head = struct.pack("!BBH", 0x80 | rng.randrange(64), rng.randrange(192, 224), rng.randrange(99))
        return head + struct.pack("!I", self._ssrc()) + self._payload()

    # --- as if the phone's ------------------------------------------------------------------------

    def _wild(self) -> bytes:
        return self._packet(self._payload(), self._sequence())

    def _next(self) -> bytes:
        return self._packet(self._payload(), self._near())

    def _odd(self) -> bytes:
        """Padding, extension or CSRCs of any length."""
        first = self._rng.choice([0x90, 0xA0, 0xB2])
        return bytes([first]) + self._packet(self._payload(), self._near())[1:]

    def _key(self) -> bytes:
        rng = self._rng
        body = struct.pack("!BBH", rng.randrange(256), rng.randrange(256), rng.getrandbits(16))
        return self._packet(body, self._near(), DTMF)

    def _noise(self) -> bytes:
        return self._packet(self._rng.randbytes(self._rng.choice([0, 1, 1, 9, 11, 40])), self._near(), CN)

    def _copies(self) -> bytes:
        """RFC 2198: headers that name types and lengths of all sorts, and no contents to match."""
        rng = self._rng
        heads = b"".join(
            struct.pack("!I", 1 << 31 | rng.choice(self._types) << 24 | rng.getrandbits(24))
            for _ in range(rng.randrange(11))
        )
        return self._packet(heads + bytes([rng.choice(self._types)]) + self._payload(), self._near(), RED)
