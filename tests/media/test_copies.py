"""Packets with copies (RFC 2198) at a leg: heard by what they hold, not by what the leg sends."""

from __future__ import annotations

import struct
from collections import deque

import pytest

from media import codecs, red
from media.messages import Codec, SetGain
from tests.media.stage import PCMA, PCMU, Phone, Stage, packet, strength

OPUS = Codec(111, "opus", 48000, channels=2)
G722 = Codec(9, "G722", 8000)
AMR_WB = Codec(97, "AMR-WB", 16000)
RED = Codec(121, "red", 8000)
RED_16 = Codec(122, "red", 16000)
RED_48 = Codec(123, "red", 48000, channels=2)


class Wrap:
    """What a phone sends goes out with a copy of the packet before it. lose: one packet in so many."""

    def __init__(self, phone: Phone, outer: Codec, lose: int = 0) -> None:
        self.outer, self.lose, self.count, self.on = outer, lose, 0, True
        self.past: deque[tuple[int, int, bytes]] = deque(maxlen=1)
        phone.tamper = self

    def __call__(self, data: bytes) -> list[bytes]:
        first, stamp, ssrc = struct.unpack_from("!III", data)
        pt, payload = first >> 16 & 127, data[12:]
        blocks = [red.Block(old_pt, stamp - then, old) for old_pt, then, old in self.past if old_pt == pt]
        self.past.append((pt, stamp, payload))
        self.count += 1
        if self.lose and self.count % self.lose == 0:
            return []
        if not self.on:
            return [data]
        whole = red.join([*blocks, red.Block(pt, 0, payload)])
        return [packet(first & 0xFFFF, stamp, ssrc, whole, self.outer.pt)]


def call(inner: Codec, outer: Codec, *agreed: Codec, lose: int = 0) -> tuple[Stage, Phone, Phone, Wrap]:
    """One whose far end agreed on `agreed` and sends `inner` within `outer`; another who listens."""
    for codec in (inner, *agreed):
        if codec.name != "red" and codecs.find(codec.name, codec.rate) is None:
            pytest.skip(f"no library for {codec.name}: {codecs.missing()}")
    stage = Stage()
    speaker, listener = stage.leg(1, *agreed), stage.leg(2, PCMA)
    stage.do(SetGain(1, 2), SetGain(2, 1))
    speaker.switch(inner)
    wrap = Wrap(speaker, outer, lose)
    speaker.hertz = 700.0
    return stage, speaker, listener, wrap


def pitches(listener: Phone, since: float) -> tuple[float, float, float]:
    """How loud an octave below, the tone and an octave above are heard."""
    sound = listener.audio(since)
    return strength(sound, 350), strength(sound, 700), strength(sound, 1400)


def assert_right(listener: Phone, since: float) -> None:
    below, right, above = pitches(listener, since)
    assert right > 6000 and max(below, above) < 400, (below, right, above)


@pytest.mark.parametrize(
    ("inner", "outer", "agreed"),
    [
        (OPUS, RED_48, (PCMU, OPUS, RED_48)),
        (PCMU, RED, (OPUS, PCMU, RED)),
        (G722, RED, (PCMU, G722, RED)),
        (PCMU, RED, (G722, PCMU, RED)),
        (AMR_WB, RED_16, (PCMU, AMR_WB, RED_16)),
        (OPUS, RED_48, (PCMU, RED, RED_48, OPUS)),
    ],
    ids=lambda value: value.name if isinstance(value, Codec) else "+".join(codec.name for codec in value),
)
@pytest.mark.parametrize("lose", [0, 5], ids=["all come", "one in five is lost"])
def test_a_tone_within_copies_has_its_pitch_whatever_the_leg_sends(
    inner: Codec, outer: Codec, agreed: tuple[Codec, ...], lose: int
) -> None:
    stage, _, listener, _ = call(inner, outer, *agreed, lose=lose)
    stage.run(2.0)
    assert_right(listener, stage.now - 1.0)


def test_what_is_within_copies_may_change_in_the_middle_and_with_it_the_rate() -> None:
    stage, speaker, listener, _ = call(PCMU, RED, PCMU, G722, RED)
    for codec in (PCMU, G722, PCMU):
        speaker.switch(codec)
        stage.run(1.5)
        assert_right(listener, stage.now - 0.9)


def test_plain_packets_among_some_with_copies_are_the_same_voice() -> None:
    stage, _, listener, wrap = call(G722, RED, PCMU, G722, RED)
    for _ in range(40):
        wrap.on = not wrap.on
        stage.run(0.06)
    assert_right(listener, stage.now - 1.5)


def test_a_plain_packet_with_the_number_of_one_with_copies_is_not_the_next_of_the_stream() -> None:
    """Else all plain ones after it would be taken for packets with copies, and never be heard again."""
    stage, speaker, listener, wrap = call(G722, RED, PCMU, G722, RED)
    wrap.on = False
    stage.run(0.5)
    stamp, number = speaker.timestamp, speaker.sequence
    whole = red.join([red.Block(G722.pt, 0, bytes(160))])
    speaker.throw(packet(number, stamp, speaker.ssrc, whole, RED.pt))
    stage.run(0.005)
    speaker.throw(packet(number, stamp, speaker.ssrc, bytes(160), G722.pt))
    stage.run(0.005)
    assert stage.control.core.table.rx.highest[0] == number
    stage.run(1.5)
    assert_right(listener, stage.now - 0.9)


def test_what_cannot_be_known_within_copies_is_not_heard() -> None:
    """Opus of 48 kHz in packets that count time in 8 kHz."""
    stage, _, listener, _ = call(OPUS, RED, PCMU, OPUS, RED)
    stage.run(1.5)
    assert max(pitches(listener, stage.now - 1.0)) < 100
    assert stage.control.core.hearing.decoding.failed(0) == 0
    assert not stage.control.core.reports


def test_packets_with_copies_are_not_relayed_as_what_they_hold() -> None:
    stage, _, listener, _ = call(PCMA, RED, PCMA, RED)
    stage.run(1.0)
    assert {heard.pt for heard in listener.got} == {8}
    assert {len(heard.payload) for heard in listener.got} == {160}
    assert_right(listener, stage.now - 0.6)
