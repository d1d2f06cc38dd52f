"""Telephone events in and out (RFC 4733)."""

from __future__ import annotations

import struct

import pytest

from media.dtmf import GAP, Dialler, Listener


def event(code: int, duration: int, end: bool = False) -> bytes:
    return struct.pack("!BBH", code, (0x80 if end else 0) | 10, duration)


@pytest.fixture
def listener() -> Listener:
    return Listener()


def test_a_key_press_is_told_once_however_often_its_end_is_repeated(listener):
    told = [listener.packet(800, event(5, 160 * i), 1.0 + i / 50) for i in range(1, 6)]
    told += [listener.packet(800, event(5, 960, end=True), 1.2) for _ in range(3)]
    assert [heard for each in told for heard in each] == [("5", 120)]


def test_one_packet_with_the_end_bit_is_enough(listener):
    assert listener.packet(800, event(11, 800, end=True), 1.0) == [("#", 100)]


def test_the_same_key_twice_is_told_twice(listener):
    assert listener.packet(800, event(1, 400, end=True), 1.0)
    assert listener.packet(2400, event(1, 400, end=True), 1.2) == [("1", 50)]


def test_a_lost_end_is_made_good_by_the_next_key(listener):
    listener.packet(800, event(1, 320), 1.0)
    assert listener.packet(2400, event(2, 160), 1.2) == [("1", 40)]
    assert listener.packet(2400, event(2, 320, end=True), 1.25) == [("2", 40)]


def test_a_lost_end_is_made_good_by_time(listener):
    listener.packet(800, event(10, 320), 1.0)
    assert listener.overdue(1.1) == []
    assert listener.overdue(1.21) == [("*", 40)]
    assert listener.overdue(9.0) == []
    assert listener.packet(800, event(10, 480, end=True), 1.3) == []


def test_a_straggler_of_an_earlier_key_is_not_a_new_one(listener):
    listener.packet(800, event(1, 400, end=True), 1.0)
    listener.packet(2400, event(2, 400, end=True), 1.2)
    assert listener.packet(800, event(1, 400, end=True), 1.25) == []


def test_a_key_held_for_longer_than_a_packet_can_tell_is_one_key(listener):
    listener.packet(1000, event(7, 0xFFFF), 1.0)
    assert listener.packet(1000 + 0xFFFF, event(7, 160), 9.2) == []
    assert [heard.digit for heard in listener.packet(1000 + 0xFFFF, event(7, 320, end=True), 9.3)] == ["7"]


@pytest.mark.parametrize("payload", [b"", b"\x05", event(16, 100, end=True), event(255, 100, end=True)])
def test_what_is_no_digit_is_nothing(listener, payload):
    assert listener.packet(800, payload, 1.0) == [] and not listener.pressed


def test_a_digit_goes_out_as_growing_packets_and_three_ends():
    dialler = Dialler()
    assert dialler.dial("9", 100)
    packets = []
    while dialler.dialling:
        packets += dialler.tick()
    fields = [struct.unpack("!BBH", packet.payload) for packet in packets]
    assert [field[0] for field in fields] == [9] * 7
    assert [field[2] for field in fields] == [160, 320, 480, 640, 800, 800, 800]
    assert [bool(field[1] & 0x80) for field in fields] == [False] * 4 + [True] * 3
    assert [packet.begins for packet in packets] == [True] + [False] * 6


def test_digits_are_kept_apart_by_a_pause():
    dialler = Dialler()
    dialler.dial("12", 40)
    turns = [bool(dialler.tick()) for _ in range(8)]
    assert turns == [True, True] + [False] * GAP + [True, True]


def test_what_is_no_digit_is_not_dialled():
    dialler = Dialler()
    assert not dialler.dial("1x", 100) and not dialler.dial("", 100) and not dialler.dialling


def test_the_queue_of_digits_is_bounded():
    dialler = Dialler()
    assert dialler.dial("1" * 64, 100) and not dialler.dial("2", 100)


def test_what_is_dialled_is_heard():
    dialler, listener, heard = Dialler(), Listener(), []
    dialler.dial("0123456789*#ABCD", 80)
    now, stamp = 1.0, 0
    while dialler.dialling:
        for packet in dialler.tick():
            stamp = int(now * 8000) if packet.begins else stamp
            heard += listener.packet(stamp, packet.payload, now)
        now += 0.02
    assert "".join(digit for digit, _ in heard) == "0123456789*#ABCD"
    assert {ms for _, ms in heard} == {80}
