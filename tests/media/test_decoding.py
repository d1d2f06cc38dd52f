"""Packets of a leg in order: gaps that wait, losses that are declared, copies that fill them, and rubbish."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from benchmarks.hearing import passages
from media import codecs, red
from media.codecs import Tuning, opus
from media.columns import I16
from media.decoding import MOST_WAITING, Decoding, Frame
from media.encoding import Encoding

ROW, BLOCK = 7, 320
OPUS_PT, RED_PT = 96, 97
TYPES = np.full(128, codecs.UNKNOWN, np.int8)
TYPES[[OPUS_PT, RED_PT, 0]] = codecs.OPUS, codecs.RED, codecs.PCMU


@cache
def voice(blocks: int, rate: int = 16_000) -> I16:
    """Somebody who speaks all the time."""
    size = rate // 50
    spoken = passages(rate, seconds=8.0, length=8.0)[0].samples
    spoken = spoken[: len(spoken) // size * size].reshape(-1, size)
    loud = np.abs(spoken.astype(np.int32)).max(axis=1) > 1500
    return spoken[loud][:blocks].ravel()


def packets(kind: int, count: int, copies: int = 0) -> list[bytes]:
    """Payloads of 20 ms."""
    encoding = Encoding()
    encoding.open(ROW, kind, {"useinbandfec": "1"}, pt=OPUS_PT, red_pt=RED_PT)
    encoding.tune(ROW, Tuning(fec_loss=20), copies=copies)
    rate = codecs.KINDS[kind].rate
    sound = voice(count, rate).reshape(count, 1, -1)
    return [packet.payload for block in sound for packet in encoding.add(np.array([ROW]), block)]


class Listener:
    """Feeds packets by number and keeps what comes out."""

    def __init__(self, kind: int = codecs.OPUS, count: int = 60, first: int = 1000, **more: int) -> None:
        self.decoding, self.kind, self.first = Decoding(), kind, first
        self.sent = packets(kind, count, **more)
        self.block = codecs.KINDS[kind].rate // 50
        self.arrives_as = codecs.RED if more.get("copies") else kind

    def take(self, *numbers: int) -> list[Frame]:
        return [
            frame
            for n in numbers
            for frame in self.decoding.take(
                ROW, self.arrives_as, self.first + n, n * self.block, memoryview(self.sent[n]), TYPES
            )
        ]

    def force(self, until: int) -> list[Frame]:
        return self.decoding.force(ROW, until * self.block)


def places(frames: list[Frame], block: int = BLOCK) -> list[tuple[int, bool]]:
    """Of each frame: which packet's time it is, and whether it was sent."""
    return [(frame.stamp // block, frame.real) for frame in frames]


def test_packets_in_order_are_sound_at_once():
    listener = Listener()
    assert places(listener.take(0, 1, 2)) == [(0, True), (1, True), (2, True)]


def test_what_comes_behind_a_gap_waits_for_what_is_missing():
    listener, other = Listener(), Listener()
    listener.take(0)
    assert listener.take(2, 3) == [] and listener.decoding.waits(ROW)
    late = listener.take(1)
    assert places(late) == [(1, True), (2, True), (3, True)]
    in_order = other.take(0, 1, 2, 3)[1:]
    assert all((a.samples == b.samples).all() for a, b in zip(late, in_order, strict=True))


def test_a_gap_that_play_out_needs_is_given_up_and_the_rest_follows():
    listener = Listener()
    listener.take(0, 1, 4, 5)
    assert listener.force(3) == [], "left to the plane: no copy of it has come"
    assert listener.decoding.waits(ROW), "only what is needed is given up"
    assert places(listener.force(4)) == [(3, False), (4, True), (5, True)]


def test_the_packet_before_the_first_that_waits_is_found_in_it():
    whole, listener, blind = Listener(), Listener(), Listener()
    right = whole.take(*range(40))[30].samples.astype(float)
    for each in (listener, blind):
        each.take(*range(30))
    listener.take(31)
    (copied, _) = listener.force(31)
    blind.decoding._legs[ROW].decoder.silent = True  # as if nothing more were to come
    (made, *_) = blind.force(31)
    assert np.mean((copied.samples - right) ** 2) < 0.3 * np.mean((made.samples - right) ** 2)


def test_a_codec_that_cannot_conceal_leaves_the_gap_to_the_plane():
    listener = Listener(codecs.G722)
    listener.take(0, 1, 3)
    assert places(listener.force(3)) == [(3, True)]


def test_a_packet_declared_lost_that_comes_after_all_is_late():
    listener = Listener()
    listener.take(0, 2)
    listener.force(2)
    assert listener.take(1) == [] and listener.decoding.late(ROW) == 1


def test_a_packet_that_comes_after_its_time_but_before_its_followers_still_feeds_the_decoder():
    fed, starved = Listener(), Listener()
    for each in (fed, starved):
        each.take(*range(10))
        each.decoding._legs[ROW].decoder.silent = True
        each.force(11)
    assert places(fed.take(10)) == [(10, True)], "its sound is late for play-out, which will see to that"
    right = Listener().take(*range(12))[11].samples.astype(float)
    starved.take(11)
    errors = [np.mean((each.samples - right) ** 2) for each in (*fed.take(11), *starved.force(12))]
    assert errors[0] < 0.5 * errors[1]


def test_a_gap_is_given_up_when_too_many_wait_for_it():
    listener = Listener()
    listener.take(0)
    came = [(n, True) for n in range(2, 3 + MOST_WAITING)]
    copied = [(1, False)] if opus.has_copy(listener.sent[2]) else []
    assert places(listener.take(*range(2, 3 + MOST_WAITING))) == copied + came


def test_a_pause_without_a_missing_number_is_no_loss():
    listener = Listener()
    listener.take(0)
    frames = listener.decoding.take(ROW, codecs.OPUS, listener.first + 1, 100 * BLOCK, listener.sent[1])
    assert places(frames) == [(100, True)]


def test_a_far_end_that_rests_is_given_its_own_noise_for_a_while():
    listener = Listener(codecs.AMR_WB)
    listener.take(0)
    encoder = codecs.encoder(codecs.AMR_WB, {})
    encoder.tune(Tuning(dtx=True))
    said = [p for p in (encoder.encode(np.zeros(320, np.int16)) for _ in range(60)) if p]
    for n, payload in enumerate(said, 1):
        listener.decoding.take(ROW, codecs.AMR_WB, listener.first + n, n * BLOCK, payload)
    assert listener.decoding.resting(ROW)
    made = listener.force(len(said) + 500)
    assert 10 < len(made) <= 60 and not any(frame.real for frame in made)


def test_another_numbering_is_another_stream():
    listener = Listener()
    listener.take(0, 1)
    listener.first += 30_000
    assert places(listener.take(2, 3)) == [(2, True), (3, True)]


def test_another_stream_takes_nothing_of_the_one_before():
    listener, fresh = Listener(), Listener()
    listener.take(*range(30))
    listener.decoding.restart(ROW)
    listener.first += 17
    assert (listener.take(30)[0].samples == fresh.take(30)[0].samples).all()


def test_a_leg_may_change_its_codec_in_the_middle():
    listener, other = Listener(codecs.OPUS), Listener(codecs.G722)
    listener.take(0, 1, 3)
    other.decoding, other.kind = listener.decoding, codecs.G722
    assert places(other.take(4, 5)) == [(2, False), (3, True), (4, True), (5, True)]


def test_a_payload_longer_than_60_ms_is_cut():
    decoding = Decoding()
    frames = decoding.take(ROW, codecs.L16_16, 1, 0, bytes(2 * 1600))
    assert [len(frame.samples) for frame in frames] == [960, 640] and frames[1].stamp == 960


# --- copies (RFC 2198) ----------------------------------------------------------------------------


def test_a_copy_stands_for_the_packet_that_never_came():
    listener, whole = Listener(copies=2), Listener(copies=2)
    right = whole.take(*range(8))
    frames = listener.take(0, 1, 2, 3, 6, 7)
    assert places(frames) == [(n, True) for n in range(8)]
    assert all((a.samples == b.samples).all() for a, b in zip(frames, right, strict=True))


def test_a_copy_of_what_has_come_changes_nothing():
    listener = Listener(copies=3)
    assert places(listener.take(*range(10))) == [(n, True) for n in range(10)]
    assert listener.decoding.late(ROW) == 0


def test_copies_of_g711_are_decoded_too():
    decoding = Decoding()
    first = red.join([red.Block(0, 0, bytes(160))])
    third = red.join([red.Block(0, 160, bytes([0x80]) * 160), red.Block(0, 0, bytes(160))])
    frames = [
        f for n, p in ((0, first), (2, third)) for f in decoding.take(ROW, codecs.RED, n, 160 * n, p, TYPES)
    ]
    assert places(frames, 160) == [(0, True), (1, True), (2, True)] and (frames[1].samples == 32124).all()


# --- mode requests (RFC 4867 section 4.3.1) ---------------------------------------------------------


class Asker(Listener):
    """A far end that speaks AMR-WB and asks, packet by packet, for a mode."""

    def ask(self, *requests: int) -> int | None:
        """What is to be sent after these, as far as that has changed."""
        for request in requests:
            packet = bytearray(self.sent[0])
            packet[0] = packet[0] & 0x0F | request << 4
            self.first += 1
            self.decoding.take(ROW, self.kind, self.first, self.first * self.block, bytes(packet))
        return self.decoding.wishes.pop(ROW, None)


def test_a_mode_is_asked_for_by_packets_in_a_row():
    far = Asker(codecs.AMR_WB)
    assert far.ask(15, 15, 15, 15) == -1, "any"
    assert far.ask(2, 2) is None and far.ask(2) == 2
    assert far.ask(*[2] * 50) is None, "it is sent already"
    assert far.ask(15, 15, 15) == -1, "no request overrides the one before"


def test_no_packet_alone_asks_for_a_mode_nor_do_several_that_contradict_each_other():
    far = Asker(codecs.AMR_WB)
    far.ask(*[15] * 9)
    assert far.ask(0, 15, 0, 15, 0, 0, 15, 0, 1, 0, 1, 0, 0, 3, 0, 0) is None


def test_requests_for_future_use_are_ignored():
    far = Asker(codecs.AMR_WB)
    assert far.ask(3, 3, 3) == 3
    assert far.ask(*[9] * 5, *[14] * 5) is None


# --- rubbish --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind.number for kind in codecs.KINDS if codecs.available(kind.number)])
def test_ten_thousand_random_packets_neither_raise_nor_pile_up(kind):
    rng = np.random.default_rng(kind)
    decoding = Decoding()
    decoding.open(ROW, {kind: {"octet-align": "1"}} if kind % 2 else {})
    sequence, stamp, heard = 0, 0, 0
    for size, step, jump, act in zip(
        rng.integers(0, 90, 10_000).tolist(),
        rng.choice(
            [-2000, -3, -1, 0, 1, 2, 3, 900, 5000],
            10_000,
            p=[0.01, 0.05, 0.1, 0.04, 0.6, 0.1, 0.08, 0.01, 0.01],
        ).tolist(),
        rng.choice(
            [-(10**12), -320, 0, 160, 320, 960, 10**12], 10_000, p=[0.005, 0.1, 0.1, 0.2, 0.4, 0.19, 0.005]
        ).tolist(),
        rng.random(10_000).tolist(),
    ):
        sequence, stamp = sequence + step, stamp + jump
        as_red = codecs.RED if act > 0.8 else kind
        frames = decoding.take(ROW, as_red, sequence, stamp, rng.bytes(size), TYPES)
        if act < 0.1:
            frames += decoding.force(ROW, stamp + int(act * 100_000))
        heard += sum(len(frame.samples) for frame in frames)
        assert all(0 < len(frame.samples) <= 960 for frame in frames) and len(frames) < 800
        assert len(decoding._legs[ROW].waiting) <= MOST_WAITING
    assert heard and len(decoding) == 1
    decoding.close(ROW)
    assert len(decoding) == 0 and decoding.force(ROW, 10**9) == []
