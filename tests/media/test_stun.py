"""Checks of connectivity that a leg answers itself, held against aioice's own reading of STUN."""

from __future__ import annotations

from random import Random

import pytest
from aioice import stun as aioice

from media import stun

KEY, NAME = b"p" * 22, b"ours:theirs"
SOURCES = [("192.0.2.7", 50_000), ("2001:db8::7", 9)]


def check(key: bytes = KEY, role: str = "ICE-CONTROLLING", name: str = "ours:theirs") -> bytes:
    message = aioice.Message(aioice.Method.BINDING, aioice.Class.REQUEST)
    message.attributes.update({"USERNAME": name, "PRIORITY": 1, role: 5, "USE-CANDIDATE": None})
    message.add_message_integrity(key)
    return bytes(message)


@pytest.mark.parametrize("source", SOURCES)
def test_a_check_is_answered_with_where_it_came_from_under_our_password(source: tuple[str, int]):
    reply = stun.answer(check(), source, NAME, KEY)
    assert reply is not None
    read = aioice.parse_message(reply)
    assert read.message_class == aioice.Class.RESPONSE and read.check_message_integrity(KEY)
    assert read.transaction_id == check_id(reply) and read.attributes["XOR-MAPPED-ADDRESS"] == source


def check_id(message: bytes) -> bytes:
    return message[8:20]


@pytest.mark.parametrize(
    "packet",
    [
        check(key=b"q" * 22),
        check(name="ours:others"),
        check(role="ICE-CONTROLLED"),
        check()[:-8],
        check()[:40],
        b"",
        bytes(1500),
    ],
    ids=["forged", "of another", "of the wrong role", "cut", "short", "empty", "zeros"],
)
def test_what_is_no_check_of_the_far_end_is_not_answered(packet: bytes):
    assert stun.answer(packet, SOURCES[0], NAME, KEY) is None


def test_a_check_names_its_receiver():
    assert stun.ours(check()) == b"ours"
    assert stun.ours(check()[:20]) is None


def test_no_mutation_of_a_check_raises_or_is_answered():
    dice, good = Random(1), check()
    for _ in range(500):
        bad = bytearray(good)
        for _ in range(dice.randint(1, 4)):
            bad[dice.randrange(len(bad) - 8)] ^= 1 << dice.randrange(8)  # the fingerprint is not looked at
        stun.ours(bytes(bad))
        assert bytes(bad) == good or stun.answer(bytes(bad), SOURCES[0], NAME, KEY) is None
