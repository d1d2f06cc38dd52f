"""Sequence, loss and jitter of what is received, against RFC 3550's own arithmetic."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from media import rtp
from media.messages import Codec
from media.network import Batch
from media.reception import SILENCE, Reception, accept, measure_jitter, steady
from tests.media.stage import PCMA, PCMU, Phone, Stage, packet

ROW = np.array([0])


class Far:
    """One leg's reception, fed packet by packet."""

    def __init__(self) -> None:
        self.rx = Reception(2)
        self.now = 10.0
        self._batch = Batch(1)

    def come(self, sequence: int, timestamp: int = 0, ssrc: int = 7, after: float = 0.02) -> bool:
        """Whether the packet is used."""
        self.now += after
        data = packet(sequence, timestamp, ssrc, bytes(160))
        self._batch.views[0][: len(data)] = data
        packets, _ = rtp.parse(self._batch, self._batch.fill([0], [len(data)]))
        arrived = self.rx.last[packets.rows]
        keep, self.extended, self.newest = accept(self.rx, packets, self.now)
        if keep[0]:
            stamps = packets.timestamp - self.rx.timestamp[ROW]
            measure_jitter(self.rx.jitter[:1], self.now - arrived, stamps, 8000)
            self.rx.timestamp[ROW] = packets.timestamp
        return bool(keep[0])

    def lost(self) -> int:
        return int(self.rx.lost(ROW)[0])


@pytest.fixture
def far() -> Far:
    return Far()


def test_packets_in_order_lose_nothing(far):
    assert all(far.come(sequence) for sequence in range(65500, 65600))
    assert far.lost() == 0 and far.rx.unique[0] == 100
    assert far.extended[0] == 65599  # not wrapped


def test_a_gap_is_loss_until_the_late_ones_come(far):
    for sequence in (1, 2, 6):
        far.come(sequence)
    assert far.lost() == 3
    assert far.come(4) and not far.newest[0]
    assert far.lost() == 2 and far.rx.reordered[0] == 1


def test_a_packet_ahead_of_its_time_leaves_nothing_out(far):
    """Nobody can have sent a thousand in a fiftieth of a second: it alone changes nothing."""
    for sequence in range(100):
        far.come(sequence)
        assert sequence % 10 or not far.come(sequence + 1000, after=0.001)
    assert far.lost() == 0 and far.rx.unique[0] == 100


def test_a_packet_a_little_ahead_of_its_time_takes_nothing_from_those_before_it(far):
    far.come(0)
    assert far.come(20, after=0.001) and far.lost() == 19
    assert all(far.come(sequence) for sequence in range(1, 20))
    assert not far.come(20) and far.come(21) and far.lost() == 0


def test_what_is_missing_after_an_outage_is_lost(far):
    far.come(0)
    assert far.come(501, after=10.0)
    assert far.lost() == 500


def test_a_packet_that_comes_twice_is_used_once(far):
    for sequence in range(5):
        far.come(sequence)
    assert not far.come(4) and not far.come(2)
    assert far.rx.duplicate[0] == 2 and far.lost() == 0


def test_a_gap_filled_twice_is_filled_once(far):
    far.come(10)
    far.come(12)
    assert far.come(11) and not far.come(11)
    assert (far.rx.reordered[0], far.rx.duplicate[0]) == (1, 1)


def test_a_packet_from_before_the_first_is_not_used(far):
    far.come(10)
    assert not far.come(9)


def test_one_wild_sequence_number_is_not_believed_but_two_in_a_row_are(far):
    for sequence in range(100):
        far.come(sequence)
    stream = far.rx.stream[0]
    assert not far.come(40000)
    assert far.come(100) and far.rx.stream[0] == stream
    assert not far.come(40000)
    assert far.come(40001) and far.rx.stream[0] != stream
    assert far.lost() == 0


def test_another_ssrc_gets_in_only_when_the_one_in_use_is_silent(far):
    far.come(1)
    assert not far.come(500, ssrc=8)
    assert not far.come(501, ssrc=8)
    assert far.come(2)
    assert far.come(502, ssrc=8, after=SILENCE + 0.001)
    assert far.rx.ssrc[0] == 8
    assert not far.come(3, ssrc=7)


def test_losses_of_streams_that_ended_are_not_forgotten(far):
    far.come(1)
    far.come(4)
    far.come(900, ssrc=8, after=0.2)
    far.come(902, ssrc=8)
    assert far.lost() == 3


def test_jitter_is_rfc_3550s_to_the_last_bit(far):
    rng = Random(3)
    transit, jitter = None, 0.0
    for i in range(400):
        timestamp = 1000 + 160 * i
        far.come(i, timestamp, after=0.02 + rng.uniform(-0.01, 0.01))
        arrival = far.now * 8000
        relative = arrival - 160 * i
        if transit is not None:
            jitter += (abs(relative - transit) - jitter) / 16
        transit = relative
        assert far.rx.jitter[0] == pytest.approx(jitter, abs=1e-6)
    assert jitter > 10


def test_random_streams_agree_with_sets_and_sums():
    rng = Random(5)
    for _ in range(20):
        far = Far()
        sent = [s for s in range(1000, 1400) if rng.random() > 0.1]
        order = sorted(sent, key=lambda s: s + rng.uniform(0, 6))
        order = [order[0], *[s for s in order for _ in range(2 if rng.random() < 0.1 else 1)][1:]]
        first = order[0]
        used = [s for s in order if far.come(s & 0xFFFF, after=0.01)]
        assert len(set(used)) == len(used)
        assert set(used) == {s for s in order if s >= first}
        expected = max(order) - first + 1
        assert far.lost() == expected - len(used)


# --- in a worker ----------------------------------------------------------------------------------


def jitter_ms(stage: Stage) -> float:
    rx = stage.control.core.table.rx
    return float(1000 * rx.jitter[0] / rx.clock[0])


def speaking(*codecs: Codec) -> tuple[Stage, Phone]:
    stage = Stage()
    phone = stage.leg(1, *codecs)
    phone.hertz = 440.0
    stage.run(1.0)
    assert jitter_ms(stage) < 0.1
    return stage, phone


def test_a_key_that_is_pressed_is_no_jitter() -> None:
    """Its packets all have the time of its beginning; sound goes on 200 ms later."""
    stage, phone = speaking(PCMU)
    phone.hertz = 0.0
    stamp = phone.timestamp
    for packets in range(10):
        phone.timestamp = stamp
        phone.send(bytes([5, 0x8A if packets > 7 else 0x0A, 0, 160]), 101, 0)
        stage.run(0.02)
    phone.timestamp, phone.hertz, phone.next_at = stamp + 1600, 440.0, stage.now
    stage.run(0.04)
    assert jitter_ms(stage) < 1.0


def test_sound_in_a_codec_that_is_refused_is_no_jitter() -> None:
    """Who changes too often is not followed every time."""
    stage, phone = speaking(PCMU, PCMA)
    for turn in range(40):
        phone.switch((PCMA, PCMU)[turn % 2])
        stage.run(0.1)
    assert jitter_ms(stage) < 0.1


def test_a_change_to_a_codec_of_another_clock_is_no_jitter() -> None:
    stage, phone = speaking(Codec(100, "L16", 16000), PCMU)
    phone.switch(PCMU)
    stage.run(0.1)
    assert jitter_ms(stage) < 0.1


@pytest.mark.parametrize(
    ("packets", "apart", "even"), [(60, 0.0, True), (40, 0.0, False), (60, 0.012, False)]
)
def test_a_stream_comes_evenly_when_it_has_done_so_for_a_second(packets: int, apart: float, even: bool):
    far = Far()
    for number in range(packets):
        far.come(number, 160 * number, after=0.02 + apart * (-1) ** number)
    assert steady(far.rx, ROW).tolist() == [even]
