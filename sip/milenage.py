"""The functions of authentication and key agreement in mobile networks: MILENAGE (3GPP TS 35.206).

All values are bytes: keys and RAND 16, SQN 6, AMF 2. The block cipher is AES-128 (TS 35.206 section 3).
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

# Section 4.1: how far each function turns its block, in octets (r1 to r5), and what it adds to it (c1 to c5).
_TURNS = (8, 0, 4, 8, 12)
_CONSTANTS = tuple(bytes(15) + bytes([low]) for low in (0, 1, 2, 4, 8))


@dataclass(frozen=True, slots=True)
class Vector:
    """What card and network make of one RAND. res: 8 octets; ak, resync_ak: what hides SQN."""

    res: bytes
    ck: bytes
    ik: bytes
    ak: bytes
    resync_ak: bytes


@dataclass(frozen=True, slots=True)
class Milenage:
    """One subscriber's functions. k: the secret key. opc: the operator's value as it is bound to `k`."""

    k: bytes
    opc: bytes

    def __repr__(self) -> str:
        return "Milenage()"  # both are secrets

    def codes(self, rand: bytes, sqn: bytes, amf: bytes) -> tuple[bytes, bytes]:
        """MAC-A, by which the network proves itself (f1), and MAC-S, by which the card does (f1*)."""
        message = (sqn + amf) * 2
        turned = _turn(_xor(message, self.opc), _TURNS[0])
        block = _xor(_xor(self._temp(rand), turned), _CONSTANTS[0])
        out = _xor(_encrypt(self.k, block), self.opc)
        return out[:8], out[8:]

    def vector(self, rand: bytes) -> Vector:
        """f2, f3, f4, f5 and f5*."""
        temp = self._temp(rand)
        second, third, fourth, fifth = (self._out(temp, number) for number in range(1, 5))
        return Vector(second[8:], third, fourth, second[:6], fifth[:6])

    def _temp(self, rand: bytes) -> bytes:
        return _encrypt(self.k, _xor(rand, self.opc))

    def _out(self, temp: bytes, number: int) -> bytes:
        turned = _turn(_xor(temp, self.opc), _TURNS[number])
        return _xor(_encrypt(self.k, _xor(turned, _CONSTANTS[number])), self.opc)


def bound(k: bytes, op: bytes) -> bytes:
    """OPc: the operator's own value OP as it is bound to one card's key (section 4.1)."""
    return _xor(_encrypt(k, op), op)


def _encrypt(key: bytes, block: bytes) -> bytes:
    # One block is what the functions are made of; nothing longer is ever encrypted this way.
    cipher = Cipher(algorithms.AES(key), modes.ECB())
    encryptor = cipher.encryptor()
    return encryptor.update(block) + encryptor.finalize()


def _turn(block: bytes, octets: int) -> bytes:
    return block[octets:] + block[:octets]


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
