"""Whose turn it is: when an interpreter's clip is spoken to somebody who may be speaking as well.

Nobody is spoken over for long. A clip waits for a pause; one that is short enough not to matter is spoken
after `wait_s` without. What listeners say while a clip plays adds up, and at `over_s` the clip is stopped.
What has waited for so long that it belongs to another moment is dropped, the oldest first; no clip is played
twice, none before one that came earlier.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

from media.speech.utterance import Stage


class Why(StrEnum):
    """A clip was not spoken, or not to its end. OLD: what it says was said too long ago; BEHIND: too much
    waited; OVER: the listener spoke; ENDED: interpretation was; NEVER: nobody told that it had ended.
    """

    OLD = "old"
    BEHIND = "behind"
    OVER = "over"
    ENDED = "ended"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Terms:
    """over_s: that a clip may play while its listener speaks, all in all. wait_s: for a pause, after which a
    clip shorter than over_s is spoken. keep_s: from when its words were said, after which a clip is dropped.
    most_s: of clips that wait; most: of them. slack_s: after its end, for that to be told.
    """

    over_s: float = 1.0
    wait_s: float = 3.0
    keep_s: float = 12.0
    most_s: float = 15.0
    most: int = 16
    slack_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Clip:
    """number: grows with each that is made for a listener. seconds: of sound. at: when the last of its words
    was said, s. text: for those who are told that it was not spoken. lags: s from `at` on to each stage.
    """

    number: int
    seconds: float
    at: float
    text: str = ""
    lags: Mapping[Stage, float] = field(default_factory=dict)

    @property
    def slowest(self) -> Stage | None:
        """The stage that was waited for longest."""
        reached = [each for each in Stage if each in self.lags]
        waits = {stage: self.lags[stage] - self.lags[before] for before, stage in pairwise(reached)}
        return max(waits, key=lambda stage: waits[stage], default=None)


@dataclass(frozen=True, slots=True)
class Dropped:
    """Not spoken. playing: it had begun, and has to be stopped."""

    clip: Clip
    why: Why
    playing: bool = False


class Turns:
    """Of one listener."""

    def __init__(self, terms: Terms | None = None) -> None:
        self.terms = terms or Terms()
        self.playing: Clip | None = None
        self._waiting: deque[tuple[Clip, float]] = deque()  # and since when
        self._newest = -1  # number of a clip that came
        self._began = 0.0
        self._over = 0.0  # s that the listener has spoken over what plays, until they began to again
        self._speaks_since: float | None = None

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def knows(self, clip: Clip) -> bool:
        """Whether it came before, or one that was made after it; asked once of each."""
        known = clip.number <= self._newest
        self._newest = max(self._newest, clip.number)
        return known

    def offer(self, clip: Clip, now: float) -> list[Dropped]:
        """Let a clip wait for its turn; what is dropped for it."""
        self._waiting.append((clip, now))
        dropped = []
        while len(self._waiting) > 1 and (
            len(self._waiting) > self.terms.most or self._seconds() > self.terms.most_s
        ):
            dropped.append(Dropped(self._waiting.popleft()[0], Why.BEHIND))
        return dropped

    def speaks(self, speaks: bool, at: float) -> None:
        """The listener begins to, or has ended."""
        if speaks and self._speaks_since is None:
            self._speaks_since = at
        elif not speaks and self._speaks_since is not None:
            self._over = self._overlap(at)
            self._speaks_since = None

    def ended(self, number: int) -> bool:
        """A clip has played to its end; False where another one plays, or none."""
        if self.playing is None or self.playing.number != number:
            return False
        self.playing = None
        return True

    def next(self, now: float) -> Clip | None:
        """The clip to be played now, if any."""
        if self.playing is not None or not self._waiting:
            return None
        clip, since = self._waiting[0]
        if self._speaks_since is not None and (
            clip.seconds > self.terms.over_s or now < since + self.terms.wait_s
        ):
            return None
        self._waiting.popleft()
        self.playing, self._began, self._over = clip, now, 0.0
        return clip

    def overdue(self, now: float) -> list[Dropped]:
        """What is not to be waited for any more, or has to be stopped."""
        found = []
        while self._waiting and now >= self._waiting[0][0].at + self.terms.keep_s:
            found.append(Dropped(self._waiting.popleft()[0], Why.OLD))
        end = self._end()
        if self.playing is not None and end is not None and now >= end:
            spoken_over = self._overlap(now) >= self.terms.over_s
            found.append(Dropped(self.playing, Why.OVER if spoken_over else Why.NEVER, playing=True))
            self.playing = None
        return found

    def clear(self, *, playing: bool = True) -> list[Dropped]:
        """Drop what waits and, if that is wished, what plays."""
        found = [Dropped(clip, Why.ENDED) for clip, _ in self._waiting]
        self._waiting.clear()
        if playing and self.playing is not None:
            found.append(Dropped(self.playing, Why.ENDED, playing=True))
            self.playing = None
        return found

    def next_timeout(self) -> float | None:
        """When `next` or `overdue` may have something that they have not now."""
        times = [self._end()]
        if self._waiting:
            clip, since = self._waiting[0]
            times.append(clip.at + self.terms.keep_s)
            if self.playing is None and clip.seconds <= self.terms.over_s:
                times.append(since + self.terms.wait_s)
        return min((each for each in times if each is not None), default=None)

    def _seconds(self) -> float:
        return sum(clip.seconds for clip, _ in self._waiting)

    def _overlap(self, now: float) -> float:
        """Seconds for which the listener has spoken over what plays."""
        if self._speaks_since is None:
            return self._over
        return self._over + max(0.0, now - max(self._speaks_since, self._began))

    def _end(self) -> float | None:
        """When what plays has to be over."""
        if self.playing is None:
            return None
        end = self._began + self.playing.seconds + self.terms.slack_s
        if self._speaks_since is None:
            return end
        return min(end, max(self._speaks_since, self._began) + self.terms.over_s - self._over)
