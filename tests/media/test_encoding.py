"""Blocks of a tick into packets: packet times, silence, marks, copies."""

from __future__ import annotations

import numpy as np
import pytest

from media import codecs, red
from media.codecs import Tuning
from media.encoding import Encoding, Packet

ROW = 3


def fed(encoding: Encoding, kind: int, blocks: int, loud: bool = True) -> list[Packet]:
    """Ticks of noise or of silence."""
    rng = np.random.default_rng(blocks)
    size = codecs.KINDS[kind].rate // 50
    sound = (rng.normal(size=(blocks, 1, size)) * (2000 if loud else 0)).astype(np.int16)
    return [packet for block in sound for packet in encoding.add(np.array([ROW]), block)]


def opened(kind: int, ptime: int = 20, **params: str) -> Encoding:
    encoding = Encoding()
    encoding.open(ROW, kind, params, ptime=ptime, pt=96, red_pt=97)
    return encoding


@pytest.mark.parametrize(
    ("kind", "ptime", "count", "duration"),
    [
        (codecs.G722, 10, 12, 80),
        (codecs.G722, 30, 4, 240),
        (codecs.G722, 50, 2, 400),
        (codecs.OPUS, 10, 12, 480),
        (codecs.OPUS, 60, 2, 2880),
        (codecs.AMR, 20, 6, 160),
        (codecs.AMR, 60, 2, 480),
        (codecs.AMR_WB, 40, 3, 640),
        (codecs.L16_16, 30, 4, 480),
    ],
)
def test_a_packet_covers_its_time_in_units_of_its_clock(kind, ptime, count, duration):
    """Of 120 ms; G.722's clock runs at half its samples, that of Opus at 48 kHz."""
    sent = fed(opened(kind, ptime), kind, 6)
    assert [packet.duration for packet in sent] == [duration] * count
    assert all(packet.payload and packet.row == ROW for packet in sent)


def test_the_packet_time_may_change_at_any_tick_and_no_sample_is_lost():
    encoding = opened(codecs.L16_16, 60)
    before = fed(encoding, codecs.L16_16, 2)
    encoding.tune(ROW, Tuning(), ptime=20)
    after = fed(encoding, codecs.L16_16, 2)
    assert before == [] and [len(packet.payload) for packet in after] == [640] * 4


def test_the_first_packet_is_marked_and_no_other():
    sent = fed(opened(codecs.OPUS), codecs.OPUS, 5)
    assert [packet.marker for packet in sent] == [True, False, False, False, False]


def test_speech_after_silence_is_marked_and_time_passes_in_silence():
    encoding = opened(codecs.AMR_WB)
    encoding.tune(ROW, Tuning(dtx=True))
    fed(encoding, codecs.AMR_WB, 5)
    hush = fed(encoding, codecs.AMR_WB, 60, loud=False)
    assert sum(not packet.payload for packet in hush) > 30
    assert all(packet.duration == 320 for packet in hush) and not any(packet.marker for packet in hush)
    assert fed(encoding, codecs.AMR_WB, 3)[0].marker


def test_copies_of_the_packets_before_go_along():
    encoding = opened(codecs.OPUS)
    plain = fed(encoding, codecs.OPUS, 3)
    encoding.tune(ROW, Tuning(), copies=2)
    (packet, *_) = fed(encoding, codecs.OPUS, 2)
    assert packet.copies and not plain[0].copies
    blocks = red.split(packet.payload)
    assert [(block.pt, block.back) for block in blocks] == [(96, 1920), (96, 960), (96, 0)]
    assert [block.payload for block in blocks[:2]] == [each.payload for each in plain[-2:]]


def test_no_copies_are_sent_to_those_who_take_none():
    encoding = Encoding()
    encoding.open(ROW, codecs.OPUS, {}, pt=96)
    encoding.tune(ROW, Tuning(), copies=2)
    assert not any(packet.copies for packet in fed(encoding, codecs.OPUS, 4))


def test_an_encoder_goes_on_through_a_renegotiation_that_changes_nothing_of_it():
    encoding, other = opened(codecs.OPUS), opened(codecs.OPUS)
    for each in (encoding, other):
        each.tune(ROW, Tuning(bitrate=12_000))
        fed(each, codecs.OPUS, 4)
    encoding.open(ROW, codecs.OPUS, {}, pt=111, red_pt=-1)
    assert [p.payload for p in fed(encoding, codecs.OPUS, 4)] == [
        p.payload for p in fed(other, codecs.OPUS, 4)
    ]


def test_tuning_outlives_a_change_of_codec():
    encoding = opened(codecs.AMR)
    encoding.tune(ROW, Tuning(mode=0))
    encoding.open(ROW, codecs.AMR_WB, {}, pt=98)
    assert all(len(packet.payload) == 18 for packet in fed(encoding, codecs.AMR_WB, 3))


def test_what_fills_no_packet_is_dropped_when_something_else_is_sent():
    encoding = opened(codecs.G722, 60)
    fed(encoding, codecs.G722, 2)
    encoding.rest(ROW)
    assert fed(encoding, codecs.G722, 2) == []
    (packet,) = fed(encoding, codecs.G722, 1)
    assert packet.marker
    encoding.close(ROW)
    assert len(encoding) == 0


def efforts(encoding: Encoding, monkeypatch: pytest.MonkeyPatch, levels: list[int]) -> list[bool]:
    """Ticks of noise whose largest samples are so large; behind each whether the encoder rests."""
    told = [False]
    monkeypatch.setattr(type(encoding._legs[ROW].encoder), "rest", lambda self, rests: told.append(rests))
    rng, rests = np.random.default_rng(1), []
    for level in levels:
        block = (rng.uniform(-1, 1, (1, 320)) * level).astype(np.int16)
        block[0, 0] = -level
        encoding.add(np.array([ROW]), block)
        rests.append(told[-1])
    return rests


@pytest.mark.parametrize(
    ("levels", "rests"),
    [
        ([8000] * 3 + [50] * 8 + [4000], [False] * 8 + [True] * 3 + [False]),
        ([0] * 7, [False] * 5 + [True] * 2),
        ([8000] * 3 + [400] * 12, [False] * 15),
        ([8000] + [50] * 4 + [900] + [50] * 5, [False] * 11),
    ],
    ids=["a pause, and speech again", "silence", "a soft voice", "gaps between words"],
)
def test_the_encoder_rests_in_pauses_and_only_there(levels, rests, monkeypatch):
    assert efforts(opened(codecs.OPUS), monkeypatch, levels) == rests


def test_an_encoder_that_rests_codes_the_same_form_and_is_back_with_the_first_loud_block():
    encoding = opened(codecs.OPUS)
    fed(encoding, codecs.OPUS, 3)
    quiet = fed(encoding, codecs.OPUS, 10, loud=False)
    encoding.tune(ROW, Tuning(complexity=8))
    loud = fed(encoding, codecs.OPUS, 2)
    assert all(packet.payload for packet in quiet + loud)
    assert len({packet.payload[0] >> 3 for packet in loud}) == 1
