"""Recordings: two channels on a true timeline, whatever happens to the call."""

from __future__ import annotations

import io
import itertools
from random import Random
from typing import Any

import av
import numpy as np
import pytest
from scipy import signal

from benchmarks import hearing
from media.duplex import wav_header
from media.recorder import Recorder
from media.recording import (
    PauseRecording,
    Record,
    RecordingDone,
    RecordingFailed,
    RecordingStarted,
    SealKeys,
    StopRecording,
)
from media.sealed import opened
from media.tap import HEARD, SAID
from media.track import HELD
from tests.media import voices
from tests.media.reels import Memory, envelope, frame, onsets, pulse, read
from tests.media.soak_recording import Scene
from tests.media.stage import tone

WORKER = 4711
SILENT = np.zeros(160, np.int16)
SECRET = "s" * 40


class Desk:
    """A recorder, one worker's ticks and a clock."""

    def __init__(self) -> None:
        self.disk = Memory()
        self.recorder = Recorder(self.disk, entropy=Random(1).randbytes, epoch=1_700_000_000.0)
        self.tick = 100
        self.events: list[Any] = []

    @property
    def now(self) -> float:
        return self.tick * 0.02

    def do(self, *commands: Any) -> None:
        for command in commands:
            self.recorder.handle(command, self.now)

    def record(self, name: str = "call-1", leg: int = 1, **more: Any) -> None:
        self.do(Record(name, leg, f"/rec/{name}", **more))

    def hear(
        self,
        heard: dict[int, Any],
        said: dict[int, Any],
        rate: int = 8000,
        skip: int = 0,
        late: dict[tuple[int, int], float] | None = None,
    ) -> None:
        """The next tick; `skip` before it do not come. late: ms, by leg and direction."""
        self.tick += 1 + skip
        self.recorder.take(WORKER, frame(self.tick, heard, said, rate, late or {}), self.now)
        self.events += self.recorder.look(self.now)

    def talk(self, ticks: int, leg: int = 1, level: int = 3000) -> None:
        block = np.full(160, level, np.int16)
        for _ in range(ticks):
            self.hear({leg: block}, {leg: block})

    def sing(self, ticks: int) -> None:
        for n in range(ticks):
            block = tone(700, 0.02, start=160 * n)
            self.hear({1: block}, {1: block})

    def stop(self, name: str = "call-1") -> bytes:
        self.do(StopRecording(name))
        self.events += self.recorder.look(self.now + 1.0)
        self.events += self.recorder.look(self.now + 1.0)
        done = self.told(RecordingDone)[-1]
        return bytes(self.disk.files[done.file]) if done.file else b""

    def told(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def desk() -> Desk:
    return Desk()


FORMATS = pytest.mark.parametrize("format", ["opus", "wav"])


@FORMATS
@pytest.mark.parametrize("late", range(6))
def test_time_zero_is_the_first_tick_with_sound_wherever_it_falls(desk: Desk, format: Any, late: int) -> None:
    desk.record(format=format)
    desk.tick += late
    desk.hear({1: pulse()}, {1: pulse()})
    for _ in range(60):
        desk.hear({1: SILENT}, {1: SILENT})
    sound = read(desk.stop(), format)
    assert onsets(sound[0])[0] == pytest.approx(0.0, abs=0.002)
    assert onsets(sound[1])[0] == pytest.approx(0.0, abs=0.002)
    assert sound.shape[1] / 8000 == pytest.approx(61 * 0.02, abs=0.005)


@FORMATS
def test_the_customer_is_on_the_left_and_what_she_was_sent_on_the_right(desk: Desk, format: Any) -> None:
    desk.record(format=format)
    for n in range(100):
        desk.hear({1: pulse() if n == 25 else SILENT}, {1: pulse() if n == 75 else SILENT})
    left, right = read(desk.stop(), format)
    assert onsets(left) == pytest.approx([0.5], abs=0.002)
    assert onsets(right) == pytest.approx([1.5], abs=0.002)


@FORMATS
def test_ticks_that_were_lost_are_silence_of_their_length(desk: Desk, format: Any) -> None:
    desk.record(format=format)
    desk.talk(10)
    desk.hear({1: pulse()}, {}, skip=1000)
    desk.talk(3, level=0)
    left, _ = read(desk.stop(), format)
    assert onsets(left)[-1] == pytest.approx(1010 * 0.02, abs=0.002)
    assert np.abs(left[8000 * 2 : 8000 * 20]).max() < 20


@FORMATS
@pytest.mark.parametrize(("left_ms", "right_ms"), [(0, 200), (240, 0), (33, 61), (15, 16)])
def test_what_waited_for_play_out_is_put_where_it_came(
    desk: Desk, format: Any, left_ms: int, right_ms: int
) -> None:
    desk.record(format=format)
    waits = {(1, HEARD): left_ms, (1, SAID): right_ms}
    for n in range(150):
        heard = pulse() if n == 50 else SILENT
        said = pulse() if n == 100 else SILENT
        desk.hear({1: heard}, {1: said}, late=waits)
    left, right = read(desk.stop(), format)
    assert onsets(left) == pytest.approx([1.0 - left_ms / 1000], abs=0.002)
    assert onsets(right) == pytest.approx([2.0 - right_ms / 1000], abs=0.002)


def test_a_wait_that_changes_in_a_pause_moves_what_follows_and_nothing_before(desk: Desk) -> None:
    desk.record(format="wav")
    for n in range(200):
        waited = (0, 90, 30, 170)[n // 50]
        desk.hear({1: pulse() if n % 50 == 40 else SILENT}, {}, late={(1, HEARD): waited})
    left, _ = read(desk.stop(), "wav")
    assert onsets(left) == pytest.approx([0.8, 1.71, 2.77, 3.63], abs=0.001)


@pytest.mark.parametrize("waited", [(20, 26), (26, 20)])
def test_in_speech_a_small_change_of_the_wait_waits_for_a_pause(desk: Desk, waited: tuple[int, int]) -> None:
    desk.record(format="wav")
    for n in range(100):
        sound = tone(400, 0.02, start=160 * n) if n < 80 else pulse() if n == 90 else SILENT
        desk.hear({1: sound}, {}, late={(1, HEARD): waited[n >= 40]})
    left, _ = read(desk.stop(), "wav")
    assert (left[: 8 * 1500] == tone(400, 3.0, start=waited[0] * 8)[: 8 * 1500]).all()
    assert onsets(left[8 * 1700 :]) + 1.7 == pytest.approx([1.8 - waited[1] / 1000], abs=0.001)


@pytest.mark.parametrize("waited", [(20, 65), (65, 20)])
def test_in_speech_a_large_one_is_made_without_a_click(desk: Desk, waited: tuple[int, int]) -> None:
    desk.record(format="wav")
    for n in range(100):
        desk.hear({1: tone(150, 0.02, start=160 * n)}, {}, late={(1, HEARD): waited[n >= 40]})
    left, _ = read(desk.stop(), "wav")
    sung = left[: 8 * 1900].astype(int)
    steepest = np.abs(np.diff(tone(150, 1.0).astype(int))).max()
    assert np.abs(np.diff(sung)).max() < 4 * steepest
    assert np.abs(sung[8 * 700 : 8 * 900].reshape(-1, 80)).max(axis=1).min() > 3000, "no hole"


def test_what_waited_from_a_pause_into_the_time_after_it_is_not_kept(desk: Desk) -> None:
    desk.record(format="wav")
    waits = {(1, HEARD): 150.0, (1, SAID): 150.0}
    loud = np.full(160, 9000, np.int16)
    for n in range(150):
        if 50 <= n < 100:
            desk.hear({}, {})
        else:
            desk.hear({1: loud}, {1: loud}, late=waits)
    for channel in read(desk.stop(), "wav"):
        assert (channel[: 8 * 840] == 9000).all() and (channel[8 * 2000 : 8 * 2800] == 9000).all()
        assert not channel[8 * 850 : 8 * 2000].any()


def test_a_tick_that_is_lost_takes_nothing_else_with_it(desk: Desk) -> None:
    desk.record(format="wav")
    for n in range(100):
        if n != 50:
            desk.hear({1: np.full(160, 100 * n, np.int16)}, {}, late={(1, HEARD): 100.0}, skip=int(n == 51))
    left, _ = read(desk.stop(), "wav")
    assert [int(left[8 * (20 * n - 100) + 80]) for n in range(6, 100)] == [
        100 * n * (n != 50) for n in range(6, 100)
    ]


@FORMATS
def test_nothing_of_what_is_said_during_a_pause_is_kept_and_time_goes_on(desk: Desk, format: Any) -> None:
    desk.record(format=format)
    desk.sing(50)
    desk.do(PauseRecording("call-1", True))
    desk.sing(503)
    desk.do(PauseRecording("call-1", False))
    desk.hear({1: pulse()}, {1: pulse()})
    desk.talk(10, level=0)
    for channel in read(desk.stop(), format):
        assert np.abs(channel[: 8000 - 200]).max() > 7000
        assert np.abs(channel[8000 + 480 : 11 * 8000]).max() < 40
        assert onsets(channel)[-1] == pytest.approx(553 * 0.02, abs=0.002)


def test_a_recording_can_begin_paused(desk: Desk) -> None:
    desk.record(paused=True, format="wav")
    desk.talk(100)
    assert np.abs(read(desk.stop(), "wav")).max() == 0


def test_a_recording_goes_on_with_another_leg_when_told_so(desk: Desk) -> None:
    desk.record(format="wav")
    desk.talk(50, leg=1, level=1000)
    desk.record(leg=2, format="wav")
    desk.talk(50, leg=2, level=2000)
    sound = read(desk.stop(), "wav")
    assert sound[0, 4000] == 1000 and sound[0, 12_000] == 2000
    assert len(desk.told(RecordingStarted)) == 1


def test_two_recordings_at_once_do_not_mix(desk: Desk) -> None:
    desk.record("a", 1, format="wav")
    desk.record("b", 2, format="wav")
    for _ in range(40):
        desk.hear({2: SILENT + 200, 1: SILENT + 100}, {1: SILENT + 300})
    a, b = (read(desk.stop(name), "wav") for name in "ab")
    assert set(a[0, :6000]) == {100} and set(a[1, :6000]) == {300}
    assert set(b[0, :6000]) == {200} and set(b[1, :6000]) == {0}


def test_many_recordings_come_and_go_and_each_has_its_own_sound(desk: Desk) -> None:
    for leg in range(1, 41):
        desk.record(f"r{leg}", leg, format="wav")
    for _ in range(40):
        desk.hear({leg: SILENT + leg for leg in range(1, 41)}, {})
    for leg in range(1, 41):
        assert set(read(desk.stop(f"r{leg}"), "wav")[0, :6000]) == {leg}


def test_a_leg_that_changes_to_a_wider_codec_goes_on_in_the_same_file(desk: Desk) -> None:
    desk.record(format="wav")
    desk.talk(50, level=1000)
    for _ in range(50):
        desk.hear({1: np.full(320, 2000)}, {1: np.full(320, 3000)}, rate=16_000)
    sound = read(desk.stop(), "wav")
    assert sound.shape[1] == pytest.approx(16_000, abs=960)
    assert (sound[0, 9000:15_000] == 2000).all() and (sound[1, 9000:15_000] == 3000).all()


def test_wideband_sound_is_kept_wide(desk: Desk) -> None:
    desk.record(format="wav")
    for _ in range(50):
        desk.hear({1: np.full(320, 2000)}, {}, rate=16_000)
    data = desk.stop()
    assert data[:44] == wav_header(16_000, len(data) - 44)


def test_what_is_recorded_is_told_with_its_file_and_length(desk: Desk) -> None:
    desk.record()
    desk.talk(50)
    desk.stop()
    (started,), (done,) = desk.told(RecordingStarted), desk.told(RecordingDone)
    assert started.file == done.file == "/rec/call-1"
    assert started.at == pytest.approx(1_700_000_000 + 101 * 0.02)
    assert done.seconds == pytest.approx(1.0, abs=0.13)
    assert done.complete and done.bytes > 1000 and not done.lost_s


def test_a_call_that_never_had_sound_leaves_no_file_and_says_so(desk: Desk) -> None:
    desk.record()
    assert desk.stop() == b""
    assert not desk.told(RecordingStarted)
    assert desk.told(RecordingDone)[0].seconds == 0.0


def test_a_worker_that_dies_ends_its_recordings_with_what_they_have(desk: Desk) -> None:
    desk.record()
    desk.talk(100)
    desk.recorder.lost(WORKER)
    desk.events += desk.recorder.look(desk.now)
    (done,) = desk.told(RecordingDone)
    assert done.seconds == pytest.approx(2.0, abs=0.13)
    assert read(bytes(desk.disk.files[done.file])).shape[1] / 8000 == pytest.approx(2.0, abs=0.13)


@FORMATS
@pytest.mark.parametrize("seconds", [1.5, 3.3, 7.0])
def test_what_is_in_the_file_at_any_moment_lacks_less_than_two_seconds(
    desk: Desk, format: Any, seconds: float
) -> None:
    desk.record(format=format)
    desk.talk(int(seconds * 50))
    (path,) = desk.disk.files
    sound = read(bytes(desk.disk.files[path]), format)
    assert sound.shape[1] / 8000 >= seconds - 1.2


def test_a_sealed_recording_shows_nothing_and_opens_with_its_key(desk: Desk) -> None:
    desk.do(SealKeys({"2026": SECRET}))
    desk.record(key="2026", format="wav")
    desk.talk(100, level=0x1234)
    data = desk.stop()
    assert desk.told(RecordingDone)[0].file == "/rec/call-1"
    assert b"RIFF" not in data and b"\x34\x12\x34\x12" not in data
    plain = b"".join(opened([data], {"2026": SECRET}))
    samples = np.frombuffer(plain[44:], "<i2")
    assert (samples == 0x1234).sum() >= 2 * 100 * 160


def test_a_key_that_is_missing_fails_the_recording_and_says_what_to_do(desk: Desk) -> None:
    desk.record(key="nobody")
    desk.events += desk.recorder.look(desk.now)
    (failed,), (done,) = desk.told(RecordingFailed), desk.told(RecordingDone)
    assert "nobody" in failed.what and "media.yaml" in failed.remedy
    assert not done.complete and not desk.disk.files


@FORMATS
def test_a_disk_that_takes_nothing_for_a_while_costs_sound_but_not_time(desk: Desk, format: Any) -> None:
    noise = [np.random.default_rng(n).integers(-9000, 9000, 160).astype(np.int16) for n in range(8)]
    desk.record(format=format)
    desk.talk(50)
    desk.disk.stuck = True
    for n in itertools.islice(itertools.cycle(range(8)), 7000):
        desk.hear({1: noise[n]}, {1: noise[n]})
    assert desk.disk.waiting("/rec/call-1") < HELD + 300_000
    desk.disk.flow()
    desk.talk(60, level=0)
    desk.hear({1: pulse()}, {1: pulse()})
    desk.talk(60, level=0)
    left, _ = read(desk.stop(), format)
    assert onsets(left)[-1] == pytest.approx(7110 * 0.02, abs=0.002)
    assert desk.told(RecordingDone)[0].lost_s > 10


@FORMATS
def test_an_hour_with_three_transfers_and_two_pauses_keeps_both_channels_in_time(format: Any) -> None:
    """Pulses on both sides every 10 s or so, the agent's leg changing, the recording paused twice."""
    desk = Desk()
    desk.record(format=format)
    expected: dict[int, list[float]] = {0: [], 1: []}
    pauses = [(40_000, 46_000), (100_003, 109_007)]
    begun = desk.tick + 1
    for tick in range(180_000):
        for begin, end in pauses:
            if tick in (begin, end):
                desk.do(PauseRecording("call-1", tick == begin))
        heard, said = tick % 499 == 7, tick % 499 == 307
        if not (heard or said or tick % 25 == 0):
            desk.tick += 1
            continue  # a quiet tick: the timeline must not need it
        block = pulse()
        # transfers at 30,000, 90,000 and 150,000: for a while nothing is sent to the customer
        sent = not any(0 <= tick - moved < 700 for moved in (30_000, 90_000, 150_000))
        desk.tick = begun + tick - 1
        desk.hear({1: block if heard else SILENT}, {1: block if said else SILENT} if sent else {})
        paused = any(begin <= tick < end for begin, end in pauses)
        for channel, loud in ((0, heard), (1, said and sent)):
            if loud and not paused:
                expected[channel].append(tick * 0.02)
    loud = envelope(desk.stop(), format)
    for channel in (0, 1):
        found = np.flatnonzero(np.diff((loud[channel] > 4000).astype(np.int8)) == 1) / 1000
        found = found[np.diff(found, prepend=-1.0) > 0.1]
        assert len(found) == len(expected[channel]) > 300
        assert np.abs(found - expected[channel]).max() <= 0.020
    assert loud.shape[1] / 1000 == pytest.approx(3600, abs=0.6)


def test_speech_is_kept_as_it_came(desk: Desk) -> None:
    """In Opus, as it is set by default, while both speak: PESQ against what the tap gave."""
    (speech, *_) = voices.speech(8000, seconds=8.0)
    blocks = speech[: len(speech) // 160 * 160].reshape(-1, 160)
    desk.record()
    for n, block in enumerate(blocks):
        desk.hear({1: block}, {1: blocks[n - len(blocks) // 2]})
    with av.open(io.BytesIO(desk.stop())) as file:
        sound = np.concatenate([frame.to_ndarray() for frame in file.decode(audio=0)], axis=1)
    heard = np.rint(signal.resample_poly(sound[0], 1, 6) * 32768).clip(-32768, 32767)[: blocks.size]
    assert hearing.pesq(blocks.reshape(-1)[: len(heard)], heard.astype(np.int16), 8000) >= 4.0


def test_through_a_worker_both_sides_stay_together_over_transfers_holds_pauses_losses_and_drift() -> None:
    """A sample of tests.media.soak_recording."""
    outcome = Scene(1).play(1.2)
    assert sum(map(len, outcome.delays)) > 120 and len(outcome.apart) > 60
    assert np.abs(outcome.apart).max() <= 0.020
    assert abs(outcome.longer) <= 0.020 and not outcome.paused and outcome.missing <= 0.05
