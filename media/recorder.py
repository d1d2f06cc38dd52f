"""Recordings: what taps bring, put on a true timeline and into files, for all recordings of a node.

A feed is one worker's taps. Its ticks are cut into frames of 120 ms on a grid of its own; a recording begins
at the first tick with its leg's sound and from then on gets every frame of the grid, with silence where there
was none: while it is paused, while the leg heard nobody, where ticks were lost. What a frame begins with
before that first tick is left out, so that time 0 is exactly there.

A recording follows a leg, not a call's other side: holds and transfers do not concern it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from media import duplex, tap
from media.columns import I16, I64
from media.recording import (
    PauseRecording,
    Record,
    RecordingCommand,
    RecordingDone,
    RecordingEvent,
    RecordingFailed,
    RecordingStarted,
    SealKeys,
)
from media.sealed import SALT, Seal
from media.track import CHUNK, News, Sink, Track

TICK_MS = 20
TICKS = duplex.FRAME_MS // TICK_MS  # of a frame
HELD = 512 * 1024  # bytes of a recording that wait for the disk; then silence takes the place of sound
SILENCE = 2000  # frames of silence made up for at once
LINGER = 0.1  # s after StopRecording in which sound is still on its way
GAP = 24 * 3600 * 50  # ticks: more at once is another worker's count


class Feed:
    """One worker's taps: the frame that is being filled, for all its recordings at once."""

    def __init__(self, rows: int = 16) -> None:
        self.tick = -1
        self.recordings: dict[int, Track] = {}  # by slot
        self._slot_of: dict[int, int] = {}  # by leg
        self._free = list(range(rows - 1, -1, -1))
        self._sound = {
            rate: np.zeros((rows, 2, rate * duplex.FRAME_MS // 1000), np.int16) for rate in (8000, 16000)
        }
        self._rate = np.zeros(rows, np.int64)  # by slot; 0 before a recording's first sound
        self._paused = np.zeros(rows, np.bool_)
        self._known: dict[tuple[int, int], tuple[I64, I64, I64]] = {}

    def add(self, recording: Track) -> None:
        if not self._free:
            self._double()
        recording.slot = self._free.pop()
        self.recordings[recording.slot] = recording
        self._paused[recording.slot] = recording.paused
        self.follow(recording, recording.leg)

    def follow(self, recording: Track, leg: int) -> None:
        """The recording's sound is this leg's from now on."""
        if self._slot_of.get(recording.leg) == recording.slot:
            del self._slot_of[recording.leg]
        recording.leg = leg
        self._slot_of[leg] = recording.slot
        self._known.clear()

    def remove(self, recording: Track) -> None:
        if self._slot_of.get(recording.leg) == recording.slot:
            del self._slot_of[recording.leg]
        del self.recordings[recording.slot]
        for sound in self._sound.values():
            sound[recording.slot] = 0
        self._rate[recording.slot], self._paused[recording.slot] = 0, False
        self._free.append(recording.slot)
        self._known.clear()

    def pause(self, recording: Track, paused: bool) -> None:
        recording.paused = self._paused[recording.slot] = paused

    def advance(self, tick: int, sink: Sink) -> None:
        """Another tick begins: frames that are full go to their recordings."""
        if self.tick >= 0:
            passed = tick // TICKS - self.tick // TICKS
            if passed > 0:
                self._emit(sink)
            if passed > 1:
                for recording in self.recordings.values():
                    if recording.began:
                        recording.skip(passed - 1, sink)
        self.tick = tick

    def put(self, part: tap.Part, started: Callable[[Track], None]) -> None:
        """Samples of this tick into the frame."""
        places, slots = self._places(part)
        if not len(slots):
            return
        place = self.tick % TICKS
        block = part.samples.shape[1]
        self._sound[part.rate][slots, part.direction, place * block : (place + 1) * block] = part.samples[
            places
        ]
        odd = (self._rate[slots] != part.rate) | self._paused[slots]
        for i in np.flatnonzero(odd).tolist():
            recording = self.recordings[int(slots[i])]
            if not recording.began:
                recording.begin(part.rate, place * TICK_MS, recording.slot % CHUNK)
                self._rate[recording.slot] = part.rate
                started(recording)
            elif recording.rate != part.rate:
                self._convert(recording, part.samples[places[i]], part.direction, place)
            if recording.paused:
                here = place * TICK_MS * recording.rate // 1000
                self._sound[recording.rate][recording.slot, part.direction, here:] = 0

    def _places(self, part: tap.Part) -> tuple[I64, I64]:
        """Of the part's legs: places of those recorded, and their slots."""
        key = part.direction, part.rate
        known = self._known.get(key)
        if known is None or not np.array_equal(known[0], part.legs):
            slots = np.array([self._slot_of.get(leg, -1) for leg in part.legs.tolist()], np.int64)
            known = self._known[key] = part.legs.copy(), np.flatnonzero(slots >= 0), slots[slots >= 0]
        return known[1], known[2]

    def _convert(self, recording: Track, samples: I16, direction: int, place: int) -> None:
        """Sound at the other rate than the recording's: a leg that changed its codec."""
        if recording.rate == 16_000:
            near = np.append(samples[1:], samples[-1:])
            made = np.stack([samples, (samples.astype(np.int32) + near) >> 1], axis=1).reshape(-1)
        else:
            made = samples.astype(np.int32).reshape(-1, 2).sum(axis=1) >> 1
        block = len(made)
        self._sound[recording.rate][recording.slot, direction, place * block : (place + 1) * block] = made

    def _emit(self, sink: Sink) -> None:
        """Give every recording its frame."""
        quiet = {}
        for rate, sound in self._sound.items():
            if any(each.rate == rate for each in self.recordings.values()):
                quiet[rate] = duplex.quiet(sound), sound.ctypes.data, sound.strides[0]
        for slot, recording in self.recordings.items():
            if recording.began:
                silent, base, stride = quiet[recording.rate]
                left, right = silent[slot]
                recording.take(base + slot * stride, (left, right), sink)
        for sound in self._sound.values():
            sound[:] = 0

    def end(self, recording: Track, sink: Sink) -> None:
        """The last of a recording: what of its frame is there, up to the newest tick."""
        spare = 0
        if recording.began:
            sound = self._sound[recording.rate]
            left, right = duplex.quiet(sound[recording.slot : recording.slot + 1])[0]
            at = sound.ctypes.data + recording.slot * sound.strides[0]
            recording.take(at, (left, right), sink, last=True)
            spare = (TICKS - 1 - self.tick % TICKS) * TICK_MS
        recording.finish(spare, sink)
        self.remove(recording)

    def _double(self) -> None:
        before = len(self._sound[8000])
        for rate, sound in self._sound.items():
            self._sound[rate] = np.concatenate([sound, np.zeros_like(sound)])
        self._rate = np.concatenate([self._rate, np.zeros(before, np.int64)])
        self._paused = np.concatenate([self._paused, np.zeros(before, np.bool_)])
        self._free.extend(range(2 * before - 1, before - 1, -1))


class Recorder:
    """All recordings of the process. entropy: gives so many random bytes. epoch: `now` of 1970, negated."""

    def __init__(self, sink: Sink, *, entropy: Callable[[int], bytes], epoch: float) -> None:
        self.events: list[RecordingEvent] = []
        self._sink = sink
        self._entropy = entropy
        self._epoch = epoch
        self._keys: Mapping[str, str] = {}
        self._recordings: dict[str, Track] = {}
        self._by_leg: dict[int, Track] = {}
        self._by_path: dict[str, Track] = {}
        self._feeds: dict[int, Feed] = {}
        self._ending: list[Track] = []
        self._now = 0.0

    @property
    def active(self) -> int:
        """Recordings whose files are open."""
        return len(self._by_path)

    def handle(self, command: RecordingCommand, now: float) -> None:
        """Do what the engine asks; what names no recording is forgotten."""
        self._now = now
        if isinstance(command, SealKeys):
            self._keys = command.secrets
        elif isinstance(command, Record):
            self._record(command)
        elif command.name in self._recordings:
            recording = self._recordings[command.name]
            if isinstance(command, PauseRecording):
                self._pause(recording, command.paused)
            elif recording.ends == float("inf"):
                recording.ends = now + LINGER
                self._ending.append(recording)

    def take(self, source: int, frame: tap.Frame, now: float) -> None:
        """A tick of one worker's taps; source: which worker's."""
        self._now = now
        feed = self._feeds.get(source)
        if feed is None:
            feed = self._feeds[source] = Feed()
        if feed.tick >= 0 and not feed.tick < frame.tick < feed.tick + GAP:
            return
        feed.advance(frame.tick, self._sink)
        for part in frame.parts:
            if self._by_leg:
                self._adopt(feed, part)
            feed.put(part, self._started)

    def lost(self, source: int) -> None:
        """A worker's taps are over: its legs are gone, its recordings end with what they have."""
        feed = self._feeds.pop(source, None)
        if feed is not None:
            for recording in list(feed.recordings.values()):
                self._end(recording)

    def look(self, now: float) -> list[RecordingEvent]:
        """Whatever is due; what is to be told."""
        self._now = now
        for recording in [each for each in self._ending if now >= each.ends]:
            self._ending.remove(recording)
            self._end(recording)
        self._sink.flush()
        for news in self._sink.news():
            self._read(news)
        told, self.events = self.events, []
        return told

    def close(self) -> None:
        """End all recordings with what they have."""
        for recording in list(self._recordings.values()):
            self._end(recording)

    def _record(self, command: Record) -> None:
        known = self._recordings.get(command.name)
        if known is not None:
            self._move(known, command.leg)
            return
        path, fault = command.path, ""
        seal = None
        if command.key:
            try:
                seal = Seal(command.key, self._keys[command.key], self._entropy(SALT))
            except (KeyError, ValueError) as error:
                fault = f"the key {command.key!r} is not fit to seal with: {error}"
        if fault:
            remedy = "put a secret of 32 characters or more under that name into recording.keys of media.yaml"
            self.events.append(RecordingFailed(command.name, path, fault, remedy))
            self.events.append(RecordingDone(command.name, "", 0.0, 0, complete=False))
            return
        recording = Track(command, path, seal, int.from_bytes(self._entropy(4), "little"))
        self._recordings[command.name] = recording
        self._by_leg[command.leg] = recording
        self._by_path[path] = recording
        self._sink.open(path)

    def _feed_of(self, recording: Track) -> Feed | None:
        """The feed that brings its sound; None before its first."""
        feeds = self._feeds.values()
        return next((feed for feed in feeds if feed.recordings.get(recording.slot) is recording), None)

    def _pause(self, recording: Track, paused: bool) -> None:
        recording.paused = paused
        feed = self._feed_of(recording)
        if feed is not None:
            feed.pause(recording, paused)

    def _move(self, recording: Track, leg: int) -> None:
        feed = self._feed_of(recording)
        if feed is not None:
            feed.follow(recording, leg)
            return
        self._by_leg.pop(recording.leg, None)
        recording.leg = leg
        self._by_leg[leg] = recording

    def _adopt(self, feed: Feed, part: tap.Part) -> None:
        """Recordings that waited for their leg's first sound."""
        for leg in self._by_leg.keys() & set(part.legs.tolist()):
            feed.add(self._by_leg.pop(leg))

    def _started(self, recording: Track) -> None:
        at = self._epoch + self._now
        self.events.append(RecordingStarted(recording.name, recording.path, round(at, 3)))

    def _end(self, recording: Track) -> None:
        if self._recordings.pop(recording.name, None) is None:
            return
        feed = self._feed_of(recording)
        if feed is not None:
            feed.end(recording, self._sink)
        else:
            self._by_leg.pop(recording.leg, None)
            recording.finish(0, self._sink)

    def _read(self, news: News) -> None:
        recording = self._by_path.get(news.path)
        if recording is None:
            return
        if news.kind == "closed":
            del self._by_path[news.path]
            file = news.path if news.size else ""
            lost = round(recording.lost * duplex.FRAME_MS / 1000, 3)
            seconds, whole = round(recording.seconds, 3), news.complete and recording.began
            self.events.append(RecordingDone(recording.name, file, seconds, news.size, lost, whole))
            return
        over = news.kind == "well"
        failed = RecordingFailed(recording.name, news.path, news.what, news.remedy, over)
        self.events.append(failed)
