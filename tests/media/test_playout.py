"""Play-out on a virtual clock: what a listener gets from packets that come as networks bring them."""

from __future__ import annotations

import numpy as np
import pytest

from media.delay import BufferSettings
from media.playout import Playout

SLOT = np.array([0])
TRUE = np.array([True])


def vowel(rate: int, size: int, seed: int = 1) -> np.ndarray:
    """Something like a voice: harmonics of a gliding pitch, syllables and pauses, int16."""
    rng, t = np.random.default_rng(seed), np.arange(size) / rate
    pitch = 120 + 25 * np.sin(2 * np.pi * 0.4 * t)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    sound = sum(2500 / (1 + k) * np.sin(k * phase + rng.uniform(0, 6)) for k in range(1, 20))
    syllables = np.clip(3 * np.sin(2 * np.pi * 1.3 * t) + 1, 0, 1)
    return (sound * syllables + rng.normal(0, 10, size)).astype(np.int16)


class Line:
    """One stream of 20 ms packets into slot 0, ticks every 20 ms, 5 ms after whole multiples of them."""

    def __init__(
        self,
        rate: int = 8000,
        settings: BufferSettings | None = None,
        *,
        sound: np.ndarray | None = None,
        ptime: int = 20,
        start: int = 70_000,
    ) -> None:
        self.rate, self.span, self.start = rate, rate // 50, start
        self.playout = Playout(rate, 2, settings)
        self.length = ptime * rate // 1000
        self.sound = vowel(rate, 40 * rate) if sound is None else sound
        self.begun, self.newest, self.tick = False, -1, 0
        self.heard: list[np.ndarray] = []

    def packet(self, number: int, now: float, jump: int = 0) -> None:
        stamp = np.array([self.start + jump + number * self.length])
        place = number * self.length % (len(self.sound) - self.length)
        if not self.begun:
            self.playout.begin(SLOT, stamp, now)
            self.begun = True
        newest, self.newest = number > self.newest, max(self.newest, number)
        self.playout.observe(SLOT, stamp, now)
        samples = self.sound[None, place : place + self.length]
        self.playout.write(SLOT, stamp, samples, np.array([newest]), now)

    def run(self, arrivals: dict[int, float], seconds: float) -> np.ndarray:
        """Packets by number at their times, and blocks until `seconds`; returns all that was heard."""
        order = sorted((at, number) for number, at in arrivals.items())
        place = 0
        while self.tick * 0.020 < seconds:
            now = self.tick * 0.020 + 0.005
            while place < len(order) and order[place][0] <= now:
                self.packet(order[place][1], order[place][0])
                place += 1
            block, self.real = self.playout.read(SLOT, 0, now)
            self.heard.append(block[0])
            self.tick += 1
        return np.concatenate(self.heard)

    def value(self, name: str) -> int:
        return int(getattr(self.playout, name)[0])

    @property
    def depth(self) -> float:
        return float(self.playout.depth_ms(SLOT)[0])


def regular(seconds: float, ptime: float = 0.020) -> dict[int, float]:
    """Arrival by number of packets that all take equally long."""
    return {number: number * ptime for number in range(int(seconds / ptime))}


def steps(sound: np.ndarray) -> float:
    """The largest step from a sample to the next: what a click shows itself by."""
    return float(np.abs(np.diff(sound.astype(float))).max())


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("ptime", [10, 20, 30, 40, 50, 60])
def test_any_packet_time_comes_out_as_it_went_in(rate, ptime):
    line = Line(rate, BufferSettings(min_ms=60, start_ms=60), ptime=ptime)
    line.length = ptime * rate // 1000
    heard = line.run(regular(2.0, ptime / 1000), 2.0)
    begin = int(np.flatnonzero(heard)[0])
    assert abs(begin - 2 * line.span) <= 2
    assert (heard[2 * line.span :] == line.sound[: len(heard) - 2 * line.span]).all()
    assert line.value("concealed") == line.value("late") == 0


def test_play_out_begins_with_the_delay_that_is_configured():
    line = Line(settings=BufferSettings(start_ms=100, min_ms=100))
    heard = line.run(regular(0.5), 0.5)
    assert np.flatnonzero(heard)[0] // line.span == 4  # four blocks, and the one being played
    assert line.depth == 100


def test_on_a_clean_line_the_delay_comes_down_to_the_least_and_stays():
    line = Line()
    line.run(regular(30), 30)
    assert line.depth < 25 and line.value("concealed") == 0
    before = line.value("accelerated") + line.value("expanded")
    line.run({n: at for n, at in regular(60).items() if at >= 30}, 60)
    assert line.value("accelerated") + line.value("expanded") == before


def test_a_slot_without_a_stream_is_silent_and_not_real():
    playout = Playout(8000, 4)
    block, real = playout.read(np.arange(4), 0, 0.0)
    assert not block.any() and not real.any()


def test_packets_out_of_order_are_put_in_order():
    arrivals = regular(4)
    for number in range(10, 190, 10):
        arrivals[number] = arrivals[number + 1] + 0.001
    line = Line(settings=BufferSettings(start_ms=60, min_ms=60))
    heard = line.run(arrivals, 4)
    assert (heard[2 * line.span :] == line.sound[: len(heard) - 2 * line.span]).all()


def test_a_packet_twice_changes_nothing():
    line, arrivals = Line(settings=BufferSettings(start_ms=60, min_ms=60)), regular(2)
    for number in range(1, 99, 3):
        heard = line.run({k: v for k, v in arrivals.items() if line.newest < k <= number}, arrivals[number])
        line.packet(number, arrivals[number])
    assert line.value("concealed") == 0 and line.value("late") == 0
    assert (heard[2 * line.span :] == line.sound[: len(heard) - 2 * line.span]).all()


def test_a_lost_packet_is_made_up_and_what_follows_is_in_its_place():
    arrivals = regular(4)
    del arrivals[100]
    line = Line(settings=BufferSettings(start_ms=60, min_ms=60))
    heard = line.run(arrivals, 4)
    lag = 2 * line.span
    assert line.value("concealed") == line.span
    assert (heard[lag + 102 * line.span :] == line.sound[102 * line.span : len(heard) - lag]).all()
    made = heard[lag + 100 * line.span : lag + 101 * line.span]
    assert np.std(made.astype(float)) > 0.3 * np.std(
        line.sound[98 * line.span : 100 * line.span].astype(float)
    )


def test_a_loss_from_a_buffer_that_is_dry_adds_no_delay():
    arrivals = regular(20)
    for number in range(200, 990, 37):
        del arrivals[number]
    line = Line(settings=BufferSettings(start_ms=20))
    line.run(arrivals, 20)
    lost = len(range(200, 990, 37)) * line.span
    assert line.depth <= 25
    assert line.value("concealed") <= lost + 2 * line.span


def test_packets_that_are_all_held_back_are_played_whole_and_the_delay_is_drained():
    arrivals = regular(12)
    for number in range(100, 108):
        arrivals[number] = 2.16
    line = Line()
    line.run({k: v for k, v in arrivals.items() if v < 2.5}, 2.2)
    assert line.value("late") == 0 and line.depth > 100
    assert line.value("concealed") <= 8 * line.span
    line.run({k: v for k, v in arrivals.items() if k > line.newest}, 12)
    assert line.depth <= 45 and line.value("accelerated") > 0.08 * line.rate


def test_a_stall_beyond_the_bounds_ends_within_them():
    arrivals = regular(8)
    for number in range(100, 150):
        arrivals[number] = 3.0
    line = Line()
    line.run(arrivals, 3.04)
    assert line.depth <= 200 + 20
    line.run({k: v for k, v in arrivals.items() if k > line.newest}, 8)
    assert line.depth < 60


def test_a_path_that_becomes_longer_than_the_bounds_is_followed():
    arrivals = {n: at + (0.5 if at > 3 else 0) for n, at in regular(15).items()}
    line = Line()
    heard = line.run(arrivals, 15)
    assert line.value("resets") <= 1 and line.depth < 60
    assert line.value("concealed") < 1.2 * line.rate
    assert np.std(heard[-line.rate :].astype(float)) > 500


def test_a_path_that_becomes_shorter_is_followed_without_a_gap():
    arrivals = {n: at + (0 if at > 5 else 0.1) for n, at in regular(40).items()}
    line = Line()
    line.run({k: v for k, v in arrivals.items() if v < 5}, 5)
    before = line.value("concealed")
    line.run({k: v for k, v in arrivals.items() if k > line.newest}, 40)
    assert line.value("concealed") == before and line.depth <= 60


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("ppm", [300, -300])
def test_clocks_that_drift_apart_are_followed_for_minutes_without_a_glitch(rate, ppm):
    rng, seconds = np.random.default_rng(5), 150
    arrivals = {n: at * (1 + ppm * 1e-6) + rng.uniform(0, 0.002) for n, at in regular(seconds).items()}
    line = Line(rate)
    heard = line.run(arrivals, 5)
    before = line.value("concealed")
    heard = line.run({k: v for k, v in arrivals.items() if k > line.newest}, seconds - 1)
    assert line.value("concealed") == before and line.value("late") == 0
    assert line.depth <= 50
    followed = line.value("accelerated") - line.value("expanded")
    assert abs(followed + ppm * 1e-6 * seconds * rate) < 0.03 * rate
    assert steps(heard) < 1.15 * steps(line.sound)


def test_changes_of_depth_are_made_without_a_click():
    arrivals, late = {}, np.random.default_rng(3)
    for number, at in regular(20).items():
        arrivals[number] = at + (late.uniform(0, 0.09) if 2 < at < 8 else 0)
    line = Line(settings=BufferSettings(start_ms=20))
    heard = line.run(arrivals, 20)
    assert min(line.value("accelerated"), line.value("expanded")) > 0.02 * line.rate
    assert steps(heard) < 1.3 * steps(line.sound)


def test_bursts_of_wifi_cost_the_listener_little():
    rng, arrivals, free = np.random.default_rng(7), {}, 0.0
    for number, at in regular(60).items():
        if rng.random() < 0.02:
            free = at + rng.uniform(0.02, 0.09)
        arrivals[number] = max(at + rng.exponential(0.002), free)
    line = Line()
    line.run(arrivals, 60)
    assert line.value("concealed") < 0.03 * 60 * line.rate
    assert line.value("late") < 20 and line.depth < 110


def test_a_rest_of_the_sender_is_noise_and_speech_begins_with_the_right_delay():
    line, pause = Line(), 3.0
    before = regular(2)
    line.run(before, 2.0)
    line.playout.rest(SLOT, np.array([-60.0], np.float32))
    heard = line.run({}, 2.0 + pause)[-2 * line.rate :]
    assert 15 < np.std(heard.astype(float)) < 65  # -60 dBov are 33
    made = line.value("concealed")
    skipped = int(pause / 0.020)
    line.run({n: at for n, at in regular(8).items() if n >= len(before) + skipped}, 8.0)
    assert line.value("concealed") - made <= 2 * line.span
    assert line.depth <= 45 and line.value("resets") == 0


def test_silence_without_a_word_and_a_stamp_that_stood_still_is_no_end():
    line = Line()
    line.run(regular(2), 2.0)
    later = {n: 7.0 + (n - 100) * 0.020 for n in range(100, 300)}  # on hold for five seconds
    heard = line.run(later, 11.0)
    assert np.std(heard[-line.rate :].astype(float)) > 500
    assert line.depth < 60 and line.value("resets") == 1


def test_another_stream_takes_over_without_a_click():
    line = Line()
    line.run(regular(2), 2.0)
    line.start, line.begun = -(1 << 40), False
    heard = line.run({n: at for n, at in regular(4).items() if n >= 100}, 4.0)
    assert steps(heard) < 1.3 * steps(line.sound)
    assert (heard[-line.span :] != 0).any() and line.value("resets") == 0


def test_a_jump_of_the_stamps_is_believed_when_it_goes_on():
    line = Line()
    line.run(regular(1), 1.0)
    line.packet(50, 1.0, jump=1 << 40)
    assert line.value("resets") == 0
    line.start += 12_345_678
    heard = line.run({n: at for n, at in regular(3).items() if n > 50}, 3.0)
    assert line.value("resets") == 1 and np.std(heard[-line.rate :].astype(float)) > 500


def test_skipped_ticks_take_their_sound_with_them():
    line = Line(settings=BufferSettings(start_ms=100, min_ms=100))
    line.run(regular(1.0), 1.0)
    block, _ = line.playout.read(SLOT, 3, 1.085)
    place = 50 * line.span + 3 * line.span - 4 * line.span
    assert (block[0] == line.sound[place : place + line.span]).all()


def test_more_ticks_skipped_than_a_ring_holds_are_survived():
    line = Line()
    line.run(regular(1.0), 1.0)
    line.playout.read(SLOT, 1_000, 21.0)
    line.tick = 1051
    heard = line.run({n: at for n, at in regular(25).items() if n > 1050}, 25.0)
    assert np.std(heard[-line.rate :].astype(float)) > 500


def test_what_the_decoders_have_to_give_for_the_next_read_is_told():
    line = Line(settings=BufferSettings(start_ms=60, min_ms=60))
    line.run({n: at for n, at in regular(1).items() if n < 48}, 1.0)
    assert line.playout.behind(np.array([0, 1])).tolist() == [line.span, 0]


def test_many_slots_do_not_hear_each_other():
    count, playout = 40, Playout(8000, 8, BufferSettings(min_ms=40))
    playout.grow(count)
    slots = np.arange(count)
    sounds = np.stack([vowel(8000, 8000, seed) for seed in slots.tolist()])
    stamps, heard = slots * 10_000_000, []
    playout.begin(slots, stamps, 0.0)
    for tick in range(50):
        playout.observe(slots, stamps + 160 * tick, tick * 0.020 + 0.010)
        block = sounds[:, 160 * tick : 160 * tick + 160]
        playout.write(slots, stamps + 160 * tick, block, np.ones(count, bool), tick * 0.020 + 0.010)
        heard.append(playout.read(slots, 0, tick * 0.020 + 0.015)[0])
    assert (np.concatenate(heard, axis=1)[:, 160:] == sounds[:, :-160]).all()


def test_a_slot_given_to_another_leg_is_as_new():
    line = Line()
    line.run(regular(1), 1.0)
    line.playout.clear(0)
    block, real = line.playout.read(SLOT, 0, 1.0)
    assert not block.any() and not real[0] and line.value("late") == 0


@pytest.mark.parametrize("rate", [8000, 16000])
def test_random_arrivals_never_raise_nor_grow(rate):
    rng, count = np.random.default_rng(9), 12
    playout, slots = Playout(rate, count), np.arange(count)
    size, now = playout.ring.samples.nbytes, 0.0
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        for _ in range(300):
            some = slots[rng.random(count) < 0.8]
            reach = int(10.0 ** rng.integers(1, 17))
            stamps = rng.integers(-reach, reach, len(some))
            match rng.integers(0, 12):
                case 0:
                    playout.begin(some, stamps, now)
                case 1:
                    playout.rest(some, rng.uniform(-127, 0, len(some)).astype(np.float32))
                case 2:
                    playout.read(some, int(rng.integers(0, 5000)), now)
                case 3:
                    playout.clear(int(rng.integers(0, count)))
                case _:
                    length = int(rng.choice([1, 80, 160, 333, 480]))
                    samples = rng.integers(-32768, 32768, (len(some), length)).astype(np.int16)
                    playout.observe(some, stamps, now)
                    playout.write(some, stamps, samples, rng.random(len(some)) < 0.5, now)
            block, real = playout.read(slots, 0, now)
            assert block.shape == (count, rate // 50) and real.shape == (count,)
            now += 0.020
    assert playout.ring.samples.nbytes == size and len(playout._surprised) <= 1


def test_a_slot_of_the_8_khz_plane_takes_less_than_20_kb():
    playout = Playout(8000, 1)
    parts = (playout, playout.ring, playout.delays, playout.gaps.concealer, playout.gaps.comfort)
    total = sum(
        part.block.nbytes + sum(getattr(part, name).nbytes for name in part.SPEC if name not in part.AT)
        for part in parts
    )
    assert total < 20_000


@pytest.mark.parametrize(
    ("came", "steady", "waits"),
    [(0.010, True, 0), (0.010, False, 160), (0.018, True, 160)],
    ids=["evenly", "who knows how", "evenly, but right before the tick"],
)
def test_sound_begins_at_once_where_no_packet_need_be_waited_for(came: float, steady: bool, waits: int):
    playout = Playout(8000, 1)
    playout.read(SLOT, 0, 5.0)
    before = int(playout.play[0])
    playout.begin(SLOT, np.array([70_000]), np.array([5.0 + came]), np.array([steady]))
    assert playout.end[0] - before == waits
    assert BufferSettings().start_ms == 40


def test_a_fixed_buffer_is_as_deep_as_it_is_told_to_be_however_evenly_packets_come():
    playout = Playout(8000, 1, BufferSettings(fixed=True))
    playout.read(SLOT, 0, 5.0)
    playout.begin(SLOT, np.array([70_000]), np.array([5.01]), TRUE)
    assert playout.end[0] - playout.play[0] == 160
