"""Taps: what subscribers get of a tick, and that a slow one loses ticks and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from media import tap
from media.codecs import g711
from media.messages import CloseLeg, Codec, Play, SetGain, Tap, Untap
from media.recording import TapLost
from media.tap import HEARD, SAID, Frame, NoSubscriber, Part, Reader, Taps
from tests.media.stage import PCMA, PCMU, Stage, strength, tone, write_wav

TO = "recorder"


class Ear:
    """A subscriber that takes up to `room` bytes and reads them at once."""

    def __init__(self, room: float = float("inf")) -> None:
        self.room = room
        self.there = True
        self.frames: list[Frame] = []
        self._reader = Reader()

    def open(self, to: str) -> Ear:
        if not self.there:
            raise NoSubscriber(to)
        self._reader = Reader()
        return self

    def send(self, data: memoryview) -> int:
        if not self.there:
            raise ConnectionResetError
        taken = int(min(self.room, len(data)))
        self.room -= taken
        self.frames.extend(self._reader.feed(data[:taken]))
        return taken

    def close(self) -> None: ...

    def late(self, leg: int, direction: int) -> list[float]:
        """How late its sound was in the newest ticks, ms."""
        parts = [part for frame in self.frames[-20:] for part in frame.parts if part.direction == direction]
        return [float(part.late[part.legs.tolist().index(leg)]) for part in parts if leg in part.legs]

    def sound(self, leg: int, direction: int) -> np.ndarray[Any, Any]:
        """All that came of a leg, a block a tick."""
        blocks = [
            part.samples[part.legs.tolist().index(leg)]
            for frame in self.frames
            for part in frame.parts
            if part.direction == direction and leg in part.legs
        ]
        return np.concatenate(blocks) if blocks else np.empty(0, np.int16)


@pytest.fixture
def ear() -> Ear:
    return Ear()


def call(ear: Ear, *more: Any) -> Stage:
    """Two phones that hear each other: 1 sings at 400 Hz, 2 at 1000; both are tapped."""
    stage = Stage(taps=Taps(ear.open))
    stage.leg(1, PCMU).hertz = 400
    stage.leg(2, *(more or (PCMU,))).hertz = 1000
    stage.do(SetGain(1, 2), SetGain(2, 1))
    stage.do(Tap(1, TO))
    return stage


def part(legs: list[int], direction: int = HEARD, rate: int = 8000, level: int = 1) -> Part:
    samples = np.full((len(legs), rate // 50), level, np.int16)
    return Part(direction, rate, np.array(legs, np.int64), np.zeros(len(legs), np.float32), samples)


def test_a_tapped_leg_of_a_relayed_call_gives_what_it_said_and_what_it_was_sent(ear: Ear) -> None:
    call(ear).run(1.0)
    heard, said = ear.sound(1, HEARD), ear.sound(1, SAID)
    assert strength(heard[-4000:], 400) > 7000 > 50 > strength(heard[-4000:], 1000)
    assert strength(said[-4000:], 1000) > 7000 > 50 > strength(said[-4000:], 400)


def test_a_tap_leaves_the_relay_as_it_is(ear: Ear) -> None:
    stage = call(ear)
    stage.run(0.5)
    sent = [g711.encode(g711.MU, tone(400, 0.02, start=160 * n)).tobytes() for n in range(25)]
    assert [heard.payload for heard in stage.legs[2].got] == sent[: len(stage.legs[2].got)]
    assert len(stage.legs[2].got) == pytest.approx(25, abs=3)


@pytest.mark.parametrize("ptimes", [(10, 10), (10, 20), (20, 30), (60, 20)])
def test_what_comes_several_times_a_tick_or_in_several_sizes_is_heard_in_its_order(
    ear: Ear, ptimes: tuple[int, int]
) -> None:
    stage = Stage(taps=Taps(ear.open))
    for number, ptime in enumerate(ptimes, 1):
        stage.leg(number, PCMU, ptime=ptime).hertz = 400 * number
    stage.do(SetGain(1, 2), SetGain(2, 1), Tap(1, TO))
    stage.run(1.0)
    for direction, hertz in ((HEARD, 400), (SAID, 800)):
        sound = ear.sound(1, direction)[-4000:]
        assert strength(sound, hertz) == pytest.approx(8000, rel=0.02)
        assert np.abs(np.diff(sound.astype(np.int32))).max() < 8000 * 2 * np.pi * hertz / 8000 * 1.2


def test_where_taps_alone_listen_depth_changes_less_often_than_where_people_do(ear: Ear) -> None:
    stage = call(ear)
    stage.run(0.1)
    playout = stage.control.core.planes[0].playout
    assert playout.taped[stage.control.core.planes[0].slots].all()
    stage.do(SetGain(2, 1, 0.5))
    stage.run(0.1)
    plane = stage.control.core.planes[0]
    heard = dict(zip(plane.rows.tolist(), playout.taped[plane.slots].tolist()))
    assert sorted(heard.values()) == [0, 1]


def test_a_rendered_leg_gives_its_mix_before_coding(ear: Ear) -> None:
    stage = call(ear, PCMA)
    stage.run(1.0)
    said = ear.sound(1, SAID)
    assert strength(said[-4000:], 1000) > 7000


def test_music_that_a_waiting_leg_hears_is_what_it_was_sent(ear: Ear, tmp_path: Any) -> None:
    stage = Stage(taps=Taps(ear.open))
    stage.leg(1, PCMU)
    stage.do(Tap(1, TO), Play(1, 1, [write_wav(tmp_path / "a.wav", tone(700, 2.0))]))
    stage.run(1.0)
    assert strength(ear.sound(1, SAID)[-4000:], 700) > 7000


def test_every_tick_has_its_number_also_when_some_were_left_out(ear: Ear) -> None:
    taps = Taps(ear.open)
    taps.tap(7, TO)
    taps.give([part([7])])
    taps.give([part([7])], skipped=3)
    taps.give([])
    assert [frame.tick for frame in ear.frames] == [1, 5, 6]


def test_what_is_no_more_tapped_is_given_no_more_but_time_goes_on(ear: Ear) -> None:
    stage = call(ear)
    stage.run(0.2)
    before = len(ear.sound(1, HEARD))
    stage.do(Untap(1, TO))
    stage.run(0.2)
    assert len(ear.sound(1, HEARD)) == before
    ticks = [frame.tick for frame in ear.frames]
    assert ticks == list(range(ticks[0], ticks[0] + len(ticks)))
    assert len(ticks) >= 19


def test_a_closed_leg_is_tapped_no_more(ear: Ear) -> None:
    stage = call(ear)
    stage.run(0.1)
    stage.do(CloseLeg(1))
    stage.run(0.1)
    assert all(1 not in each.legs for each in ear.frames[-1].parts)


def test_a_subscriber_gets_its_own_legs_alone() -> None:
    one, two = Ear(), Ear()
    taps = Taps(lambda to: {"one": one, "two": two}[to])
    taps.tap(1, "one")
    taps.tap(2, "two")
    taps.give([part([1, 2, 3])])
    assert [each.legs.tolist() for each in one.frames[0].parts] == [[1]]
    assert [each.legs.tolist() for each in two.frames[0].parts] == [[2]]


def test_a_slow_subscriber_loses_whole_ticks_which_are_counted_and_told() -> None:
    ear = Ear(room=1000)
    taps = Taps(ear.open)
    taps.tap(1, TO)
    big = part(list(range(1, 2)), level=5)
    told = [event for _ in range(20_000) for event in taps.give([big])]
    assert told and all(isinstance(event, TapLost) and event.to == TO for event in told)
    ear.room = float("inf")
    taps.flush()
    taps.give([big])
    ticks = [frame.tick for frame in ear.frames]
    lost = 20_001 - len(ticks)
    assert 0 < sum(event.ticks for event in told) <= lost
    assert len(ticks) * 358 <= tap.LIMIT + 2000
    assert all((each.samples == 5).all() for frame in ear.frames for each in frame.parts)


def test_a_subscriber_that_dies_is_looked_for_again(ear: Ear) -> None:
    taps = Taps(ear.open)
    taps.tap(1, TO)
    taps.give([part([1])])
    ear.there = False
    for _ in range(60):
        taps.give([part([1])])
    ear.there = True
    for _ in range(60):
        taps.give([part([1])])
    ticks = [frame.tick for frame in ear.frames]
    assert ticks[0] == 1 and ticks[-1] == 121 and len(ticks) < 121


def test_a_subscriber_who_wants_nothing_and_is_gone_is_forgotten(ear: Ear) -> None:
    taps = Taps(ear.open)
    for number in range(5):
        taps.tap(number, f"{TO} {number}")
    taps.give([])
    for number in range(5):
        taps.untap(number, f"{TO} {number}")
    taps.give([], skipped=tap.TELL_EVERY)
    assert len(taps._subscribers) == 5, "time goes on for those who listen still"
    ear.there = False
    told = [*taps.give([]), *taps.give([], skipped=tap.TELL_EVERY)]
    assert not taps._subscribers and sum(each.ticks for each in told) <= 5


@pytest.mark.parametrize("other", [PCMU, PCMA])
def test_how_long_sound_waited_is_told_by_the_leg_that_said_it(ear: Ear, other: Codec) -> None:
    """Relayed or rendered; phone 2's network shakes, phone 1's does not."""
    stage = call(ear, other)
    shaken, held = stage.phones[("192.0.2.2", 20000)], []

    def shake(data: bytes) -> list[bytes]:
        held.append(data)
        if shaken.sequence % 4:
            return []
        sent = held[:]
        held.clear()
        return sent

    shaken.tamper = shake
    stage.run(4.0)
    assert ear.late(1, HEARD) and max(ear.late(1, HEARD)) <= 45
    assert min(ear.late(1, SAID)) >= 60 and max(ear.late(1, SAID)) <= 120


def test_a_frame_is_read_however_the_stream_is_cut() -> None:
    data = tap.encode(9, [part([1, 2], HEARD, 8000, 3), part([5], SAID, 16000, -4)])
    reader = Reader()
    frames = [frame for at in range(0, len(data), 7) for frame in reader.feed(data[at : at + 7])]
    assert len(frames) == 1 and frames[0].tick == 9
    first, second = frames[0].parts
    assert (first.direction, first.rate, first.legs.tolist()) == (HEARD, 8000, [1, 2])
    assert first.samples.shape == (2, 160) and (first.samples == 3).all()
    assert (second.direction, second.rate, second.legs.tolist()) == (SAID, 16000, [5])
    assert second.samples.shape == (1, 320) and (second.samples == -4).all()


@pytest.mark.parametrize("data", [b"\xff" * 64, b"\x02\0\0\0" + bytes(20)])
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        list(Reader().feed(data))


def test_a_frame_whose_parts_do_not_fill_it_is_refused() -> None:
    whole = bytearray(tap.encode(1, [part([1, 2])]))
    whole[tap.HEAD.size + 8] = 200  # legs that are not there
    with pytest.raises(ValueError):
        list(Reader().feed(bytes(whole)))


def test_what_stands_for_lost_packets_is_told_from_what_was_said_and_from_a_senders_rest(ear: Ear) -> None:
    stage = call(ear)
    stage.run(0.5)

    def made() -> list[bool]:
        """Of leg 1's newest ticks."""
        parts = [part for frame in ear.frames for part in frame.parts if part.direction == HEARD]
        told = [part.made[part.legs.tolist().index(1)] for part in parts if part.made is not None]
        return [bool(each) for each in told]

    assert len(made()) > 20 and not any(made()[-10:])
    before = len(made())
    stage.legs[1].hertz = 0
    stage.run(0.2)
    assert any(made()[before:])
    stage.legs[1].hertz = 400
    stage.run(0.5)
    assert not any(made()[-10:])
