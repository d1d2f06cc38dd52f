"""Transport-wide numbers on what leaves, and what the far end's feedback on them does."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from media import codecs, rtcp
from media.codecs import adapt
from media.messages import Codec, SetGain, SetRemote
from media.rtcp import Block
from media.twcc import ENOUGH, Figures, Path
from tests.media.stage import DTMF, PCMA, PCMU, Heard, Stage, packet

NUMBER = 3
OPUS = Codec(111, "opus", 48_000, channels=2)


def numbers(got: list[Heard]) -> list[int]:
    """Of these packets, as their extension has them."""
    found = []
    for heard in got:
        profile, words, head, number = struct.unpack_from("!HHBH", heard.payload)
        assert (profile, words, head) == (0xBEDE, 1, NUMBER << 4 | 1)
        found.append(number)
    return found


@pytest.mark.parametrize("codec", [PCMU, PCMA], ids=["relayed", "rendered"])
def test_packets_carry_numbers_one_after_the_other_and_their_payload_behind_them(codec: Codec):
    stage = Stage()
    browser, phone = stage.leg(1, PCMU, transport_cc=NUMBER), stage.leg(2, codec)
    stage.do(SetGain(2, 1))
    phone.hertz = 440.0
    stage.run(0.5)
    assert len(browser.got) > 20 and numbers(browser.got) == list(range(len(browser.got)))
    if codec is PCMU:
        assert [heard.payload[8:] for heard in browser.got] == phone.sent[: len(browser.got)]


def test_other_legs_get_none():
    stage = Stage()
    stage.leg(1, PCMU, transport_cc=NUMBER)
    one, other = stage.leg(2, PCMU), stage.leg(3, PCMU)
    stage.do(SetGain(2, 3))
    one.hertz = 440.0
    stage.run(0.2)
    assert [heard.payload for heard in other.got] == one.sent[: len(other.got)] and other.got


def test_an_extension_of_the_far_end_s_does_not_keep_its_packets_from_the_express_lane():
    stage = Stage()
    browser, phone = stage.leg(1, PCMU, transport_cc=NUMBER), stage.leg(2, PCMU)
    stage.do(SetGain(1, 2))

    def extend(data: bytes) -> list[bytes]:
        extension = struct.pack("!HHBHB", 0xBEDE, 1, NUMBER << 4 | 1, browser.sequence & 0xFFFF, 0)
        return [bytes([data[0] | 0x10]) + data[1:12] + extension + data[12:]]

    browser.tamper, browser.hertz = extend, 440.0
    stage.run(0.2)
    assert stage.control.core.table.rx.armed[0] >= 0
    assert [heard.payload for heard in phone.got] == browser.sent[: len(phone.got)] and phone.got


@pytest.mark.parametrize("words", [0, 1, 30, 39, 40, 41, 0xFFFF])
def test_an_extension_of_any_length_leaves_what_it_leaves(words: int):
    stage = Stage()
    browser = stage.leg(1, PCMU, transport_cc=NUMBER)
    head = packet(1, 160, 7, b"")
    browser.throw(bytes([head[0] | 0x10]) + head[1:] + struct.pack("!HH", 0xBEDE, words) + bytes(160))
    stage.run(0.02)
    assert stage.control.core.table.rx.received[0] == (words < 40)


def test_digits_are_numbered_with_the_sound():
    stage = Stage()
    browser, phone = stage.leg(1, PCMU, transport_cc=NUMBER), stage.leg(2, PCMU)
    stage.do(SetGain(2, 1))
    phone.hertz = 440.0
    stage.run(0.1)
    phone.press(5)
    stage.run(0.1)
    assert any(heard.pt == DTMF for heard in browser.got)
    assert numbers(browser.got) == list(range(len(browser.got)))


def feedback(base: int, arrived: list[float], ssrc: int) -> bytes:
    """A message on packets that all came, at these ms."""
    reference = int(arrived[0] // 64)
    before, deltas = reference * 64.0, b""
    for at in arrived:
        deltas += struct.pack("!h", round((at - before) / 0.25))
        before += round((at - before) / 0.25) * 0.25
    body = (
        struct.pack("!IIHHIH", 1, ssrc, base, len(arrived), reference << 8, 2 << 13 | len(arrived)) + deltas
    )
    body += bytes(-len(body) % 4)
    return struct.pack("!BBH", 0x80 | 15, 205, len(body) // 4) + body


def cost(stage: Stage) -> float:
    """kb/s of what the leg in the first row is sent now, with headers."""
    adaptation = stage.control._watch.adaptation
    return adapt.cost(adaptation._links[0], adaptation._sent[0].choice)


def queueing(slope: float) -> Stage:
    """A call whose far end gets each packet `slope` ms later than the one before."""
    stage = Stage()
    browser, phone = stage.leg(1, OPUS, transport_cc=NUMBER), stage.leg(2, PCMU)
    stage.do(SetGain(2, 1))
    phone.hertz = 440.0
    told = 0
    for _ in range(6):
        stage.run(1.0)
        fresh = browser.got[told:]
        if fresh:
            arrived = [1000.0 * heard.at + slope * (told + i) for i, heard in enumerate(fresh)]
            block = Block(fresh[-1].ssrc, 0, 0, browser.highest, 0, 0, 0)
            report = rtcp.build(browser.ssrc, None, block, b"browser")
            browser.throw(report + feedback(told, arrived, fresh[-1].ssrc), to=1)
            told += len(fresh)
    return stage


@pytest.mark.skipif(not codecs.available(codecs.OPUS), reason="libopus is not installed")
def test_a_queue_on_the_way_makes_the_stream_smaller_and_a_steady_way_does_not():
    assert cost(queueing(3.0)) < 0.9 * cost(queueing(0.0))


def test_jitter_is_no_queue_but_a_delay_that_stays_is():
    path, dice = Path(), np.random.default_rng(1)
    for _ in range(50):
        path.take(Figures(0.0, 30.0, 0.0, 5, 1000.0 + float(dice.uniform(0, 80))))
    assert path.look() == (0.0, None)
    for _ in range(50):
        path.take(Figures(0.1, 30.0, 0.0, 5, 1060.0 + float(dice.uniform(0, 80))))
    loss, kbps = path.look()
    assert loss == pytest.approx(0.1) and kbps == pytest.approx(30.0)
    path.take(Figures(0.5, 30.0, 0.0, ENOUGH - 1, 1060.0))
    assert path.look() == (None, None)


def test_a_leg_may_agree_on_other_things_later():
    stage = Stage()
    browser, phone = stage.leg(1, PCMU, transport_cc=NUMBER), stage.leg(2, PCMU)
    stage.do(SetGain(2, 1))
    phone.hertz = 440.0
    stage.run(0.1)
    before = len(browser.got)
    stage.do(SetRemote(1, browser.address, [PCMU], DTMF))
    stage.run(0.1)
    assert len(numbers(browser.got[:before])) == before
    assert all(len(heard.payload) == 160 for heard in browser.got[before:])
