"""What the engine and the recorder say to each other; media/messages.py carries it as it carries the rest.

A recording is known by its `name`. Times are seconds since 1970, lengths
seconds of sound.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Format = Literal["opus", "wav"]


class SealKeys(msgspec.Struct, frozen=True, tag=True):
    """The secrets that files are sealed with, by key id; those given before are forgotten."""

    secrets: dict[str, str]

    def __repr__(self) -> str:
        return f"SealKeys({', '.join(self.secrets)}, [hidden])"


class Record(msgspec.Struct, frozen=True, tag=True):
    """Record a tapped leg: left what its far end says, right what it is sent. Answered by RecordingStarted.

    path: of the file to make, in folders that need not be there. key: id of the key to seal it with, "" for
    none. bitrate: of Opus, bit/s for each side. Said again with another leg, the recording goes on with that
    one.
    """

    name: str
    leg: int
    path: str
    format: Format = "opus"
    key: str = ""
    bitrate: int = 28_000
    paused: bool = False


class PauseRecording(msgspec.Struct, frozen=True, tag=True):
    """Write silence from now on (paused), or sound again; the timeline goes on."""

    name: str
    paused: bool


class StopRecording(msgspec.Struct, frozen=True, tag=True):
    """Close the file when what is on its way is in it; answered by RecordingDone."""

    name: str


class RecordingStarted(msgspec.Struct, frozen=True, tag=True):
    """The first of the leg's sound is here. file: the path of what is written, at: when its time 0 was."""

    name: str
    file: str
    at: float


class RecordingDone(msgspec.Struct, frozen=True, tag=True):
    """The file is closed. lost_s: sound that came while it could not be written, silence instead.

    complete: it has its end. file "" and bytes 0: there was nothing to record.
    """

    name: str
    file: str
    seconds: float
    bytes: int
    lost_s: float = 0.0
    complete: bool = True


class RecordingFailed(msgspec.Struct, frozen=True, tag=True):
    """The file cannot be written for now; what was wrong, where, and what to do. The recording is tried on.

    over: it can be written again.
    """

    name: str
    file: str
    what: str
    remedy: str
    over: bool = False


class TapLost(msgspec.Struct, frozen=True, tag=True):
    """A subscriber did not take `ticks` of sound in the last seconds; told by the worker."""

    to: str
    ticks: int


RecordingCommand = SealKeys | Record | PauseRecording | StopRecording
RecordingEvent = RecordingStarted | RecordingDone | RecordingFailed | TapLost
