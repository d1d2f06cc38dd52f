"""Recordings: what taps bring, put on a true timeline and into files, for all recordings of a node.

A feed (media.feed) is one worker's taps. While a recording is paused, while its leg hears nobody and where
ticks were lost, silence is written.

A recording follows a leg, not a call's other side: holds and transfers do not concern it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from media import duplex, tap
from media.feed import Feed
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
from media.track import News, Sink, Track

LINGER = 0.1  # s after StopRecording in which sound is still on its way
GAP = 24 * 3600 * 50  # ticks: more at once is another worker's count


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
        feed = self._feeds.get(source)
        if feed is not None:
            for recording in list(feed.recordings.values()):
                self._end(recording)
            del self._feeds[source]

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
