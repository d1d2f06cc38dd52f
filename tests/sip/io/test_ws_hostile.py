"""Anything at all in place of a handshake or of frames: no fault, nothing kept, an end where one is due."""

from __future__ import annotations

from random import Random

import pytest

from sip.head import MAX_HEAD
from sip.io.ws import MAX_HANDSHAKE, WebSocketPolicy, WebSocketWire
from tests.sip.io.peers import request

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: node.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Origin: https://node.example\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n\r\n"
)
BODY = 4096
ROUNDS = 150


def frame(rng: Random, data: bytes, opcode: int, fin: int = 1) -> bytes:
    size = len(data)
    head = bytes([fin << 7 | opcode])
    head += bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    mask = rng.randbytes(4)
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))


def conversation(rng: Random) -> bytes:
    """Frames as clients send them: messages, some in parts, and signs of life in between."""
    message = request(str(rng.randrange(1000)), transport="WSS", size=rng.randrange(400))
    cut = rng.randrange(len(message))
    return b"".join(
        [
            frame(rng, b"\r\n\r\n", 1),
            frame(rng, message[:cut], 2, fin=0),
            frame(rng, b"still there?", 9),
            frame(rng, message[cut:], 0),
            frame(rng, message, 1),
            frame(rng, b"", 10),
        ]
    )


def mutate(rng: Random, data: bytes) -> bytes:
    """Up to eight bytes changed, taken out, put in or repeated."""
    mutated = bytearray(data)
    for _ in range(rng.randrange(1, 9)):
        at = rng.randrange(len(mutated))
        match rng.randrange(4):
            case 0:
                mutated[at] = rng.randrange(256)
            case 1:
                del mutated[at : at + rng.randrange(1, 40)]
            case 2:
                mutated[at:at] = rng.randbytes(rng.randrange(1, 40))
            case _:
                mutated[at:at] = mutated[at : at + rng.randrange(1, 200)]
        mutated = mutated or bytearray(b"\0")
    return bytes(mutated)


def feed(wire: WebSocketWire, rng: Random, data: bytes) -> tuple[int, str]:
    """Messages found, and why it ended; what is kept stays within bounds."""
    found, at = 0, 0
    while at < len(data):
        step = rng.randrange(1, 300)
        taken = wire.feed(data[at : at + step])
        found += len(taken.framed)
        assert len(taken.reply) < 2 * step + 2048
        assert len(wire._parts) <= MAX_HEAD + BODY
        assert len(wire._request or b"") <= MAX_HANDSHAKE + step
        if taken.over:
            return found, taken.over
        at += step
    return found, ""


def test_what_is_mutated_below_is_sound_as_it_is():
    rng = Random(7)
    wire = WebSocketWire(WebSocketPolicy(body=BODY))
    assert feed(wire, rng, HANDSHAKE + conversation(rng)) == (2, "")


@pytest.mark.parametrize("seed", range(4))
def test_mutated_handshakes_let_in_or_end_and_never_raise(seed):
    rng = Random(seed)
    for _ in range(ROUNDS):
        wire = WebSocketWire(WebSocketPolicy(body=BODY))
        feed(wire, rng, mutate(rng, HANDSHAKE) + conversation(rng))


@pytest.mark.parametrize("seed", range(4))
def test_mutated_frames_bring_messages_or_end_and_never_raise(seed):
    rng = Random(seed)
    for _ in range(ROUNDS):
        wire = WebSocketWire(WebSocketPolicy(body=BODY))
        assert feed(wire, rng, HANDSHAKE) == (0, "")
        feed(wire, rng, mutate(rng, conversation(rng)))
        wire.farewell("over")
        assert wire.wrap(b"SIP/2.0 200 OK\r\n\r\n") == b""


def test_random_bytes_are_no_handshake():
    rng = Random(1)
    for _ in range(ROUNDS):
        wire = WebSocketWire(WebSocketPolicy(body=BODY))
        found, over = feed(wire, rng, rng.randbytes(2000) + b"\r\n\r\n")
        assert (found, over) == (0, "handshake unreadable")
