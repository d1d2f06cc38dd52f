"""Recordings of calls: begun when a call is in a queue that records, on the customer's leg until it ends.

What a call does to its recording stands here; sound goes from the worker's tap straight to the recorder. A
recorder that dies is started again, and a recording goes on in another file (`part`). Nothing that happens
to a recording ever holds up its call, or keeps it from its record.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from engine.events import RecordingBegan, RecordingEnded, RecordingFault, RecordingPaused, RecordingResumed
from engine.leg import Media
from media.messages import Tap, Untap
from media.recording import (
    PauseRecording,
    Record,
    RecordingDone,
    RecordingEvent,
    RecordingFailed,
    RecordingStarted,
    StopRecording,
    TapLost,
)
from media.sealed import SUFFIX

if TYPE_CHECKING:
    from config.schema import Config
    from engine.call import Call
    from engine.cluster.replica import Recorded
    from engine.leg import Leg
    from engine.ports import RecorderPort
    from engine.switch import Switch
    from routing.queue import RecordingTerms

NOTICE = "recording-notice"
RECORDER_DIED = "the recorder died; what it had written ends within the last seconds"

log = structlog.get_logger("recording")


@dataclass
class Recording:
    """A call's. leg: whose sound it is. files: those that have begun, below `folder`."""

    leg: Leg
    terms: RecordingTerms
    folder: Path
    part: int = 0
    file: str = ""
    paused: bool = False
    noticed: bool = False
    heard: bool = False  # the notice, to its end
    done: bool = False
    files: list[str] = field(default_factory=list)

    def name(self, call: Call) -> str:
        return f"{call.id}-{self.part}"


class Recordings:
    """All of a switch that are open, by name. recorder: None where nothing can be recorded."""

    def __init__(self) -> None:
        self.recorder: RecorderPort | None = None
        self.open: dict[str, Call] = {}
        self.faults: dict[str, str] = {}  # what is wrong, by the name of the recording, while it is


def folder_of(config: Config, terms: RecordingTerms) -> Path:
    """Where recordings on these terms are."""
    chosen = Path(terms.directory) if terms.directory else config.media.recording.directory
    return chosen if chosen.is_absolute() else config.node.data_dir / chosen


def folders(config: Config) -> list[Path]:
    """Every folder that recordings of this node are in."""
    found = [folder_of(config, spec.recording) for spec in config.queues.values()]
    return list(dict.fromkeys(found))


def begin(call: Call, now: float) -> None:
    """Record from now on if the call's queue says so and nothing is recorded yet."""
    queue, switch = call.queue, call.switch
    if (
        queue is None
        or call.origin is not None  # its own node does
        or not queue.recording.wanted
        or call.recording is not None
        or switch.recordings.recorder is None
    ):
        return
    assert call.customer is not None
    call.recording = Recording(call.customer, queue.recording, folder_of(switch.config, queue.recording))
    _order(call, now)


def files(call: Call) -> list[str]:
    """All of the call's, in their order; NODE: stands before those on the disk of another node."""
    return [*call.recorded, *(call.recording.files if call.recording is not None else ())]


def located(call: Call) -> list[str]:
    """The same, as another node is to know them."""
    node = call.switch.config.node.name
    return [file if ":" in file else f"{node}:{file}" for file in files(call)]


def inherited(call: Call, before: Recorded | None) -> None:
    """What was recorded of it before it came here."""
    mine = f"{call.switch.config.node.name}:"
    call.recorded = tuple(file.removeprefix(mine) for file in before.files) if before is not None else ()


def played(call: Call) -> None:
    """The customer heard to its end what was played last."""
    if call.recording is not None and call.recording.noticed:
        call.recording.heard = True


def resumed(call: Call, before: Recorded | None, now: float) -> Recording | None:
    """What another node recorded of the call, to go on with in a file of this one once the leg is open; None
    where nothing was, or can be. A pause is one still; a notice that was not heard out is heard again.
    """
    if before is None or call.customer is None:
        return None
    gap = f"node {call.taken_from[-1]} was lost; what it had written ends within the last seconds"
    remedy = "it is in the file that the record names, on that node's disk"
    recorder = call.switch.recordings.recorder
    mine = None
    if call.queue is None or recorder is None:
        gap += ", and this node cannot go on with it"
        remedy += "; give all nodes the same queues and recordings"
    else:
        terms = call.queue.recording
        mine = Recording(call.customer, terms, folder_of(call.switch.config, terms), part=before.part)
        mine.paused, mine.noticed, mine.heard = before.paused, before.noticed, before.noticed
    call.note(RecordingFault, now, file=call.recorded[-1] if call.recorded else "", what=gap, remedy=remedy)
    return mine


def opened(leg: Leg, now: float) -> None:
    """A leg from another node, or worker, is open: what is to be recorded of it is tapped here."""
    call = leg.call
    mine = call.recording
    if mine is None or mine.done or mine.leg is not leg:
        return
    if mine.file:
        _tap(mine, call.switch, not mine.paused)
    else:
        _order(call, now)


def _order(call: Call, now: float) -> None:
    """Ask for the next part."""
    recording, switch = call.recording, call.switch
    assert recording is not None and switch.recordings.recorder is not None
    settings, terms = switch.config.media.recording, recording.terms
    recording.part += 1
    kind = terms.format or settings.format
    key = terms.key or settings.key or ""
    day = datetime.fromtimestamp(switch.wall(now), UTC).strftime("%Y-%m-%d")
    recording.file = f"{day}/{recording.name(call)}.{kind}{SUFFIX if key else ''}"
    switch.recordings.open[recording.name(call)] = call
    record = Record(
        recording.name(call),
        recording.leg.number,
        str(recording.folder / recording.file),
        "wav" if kind == "wav" else "opus",
        key,
        settings.bitrate,
        recording.paused,
    )
    switch.recordings.recorder.send(record)
    _tap(recording, switch, not recording.paused)


def _tap(recording: Recording, switch: Switch, on: bool) -> None:
    leg = recording.leg
    if leg.media is Media.OPEN and switch.recordings.recorder is not None:
        command = (Tap if on else Untap)(leg.number, switch.recordings.recorder.taps)
        switch.media.send(leg.worker, command)


def follow(call: Call, now: float) -> None:
    """The customer may be on another leg now."""
    recording, switch = call.recording, call.switch
    if recording is None or call.customer is None or call.customer is recording.leg:
        return
    _tap(recording, switch, False)
    recording.leg = call.customer
    if switch.recordings.recorder is not None and not recording.done:
        path = str(recording.folder / recording.file)
        switch.recordings.recorder.send(Record(recording.name(call), recording.leg.number, path))
        _tap(recording, switch, not recording.paused)


def pause(call: Call, paused: bool, now: float, by: str) -> None:
    """Write silence, or sound again. The worker itself gives nothing of a pause, so that nothing on its way
    can reach the disk.
    """
    recording, switch = call.recording, call.switch
    if (
        recording is None
        or recording.done
        or recording.paused == paused
        or switch.recordings.recorder is None
    ):
        return
    recording.paused = paused
    _tap(recording, switch, not paused)
    switch.recordings.recorder.send(PauseRecording(recording.name(call), paused))
    call.note(RecordingPaused if paused else RecordingResumed, now, by=by)
    switch.touched(call, now)


def end(call: Call, now: float) -> None:
    """The call is over."""
    recording, switch = call.recording, call.switch
    if recording is not None and not recording.done and switch.recordings.recorder is not None:
        switch.recordings.recorder.send(StopRecording(recording.name(call)))


def open_file(call: Call) -> bool:
    """Whether the recorder still has to say how the recording ended: not of one that never began here."""
    return call.recording is not None and bool(call.recording.file) and not call.recording.done


def told(switch: Switch, event: RecordingEvent, now: float) -> None:
    """Something the recorder or a worker's taps tell."""
    if isinstance(event, TapLost):
        log.warning("sound was lost on its way to a subscriber", to=event.to, ticks=event.ticks)
        return
    call = switch.recordings.open.get(event.name)
    if isinstance(event, RecordingFailed):
        if event.over:
            switch.recordings.faults.pop(event.name, None)
            log.info("recording goes on", file=event.file)
        else:
            switch.recordings.faults[event.name] = event.what
            log.error("recording", file=event.file, what=event.what, remedy=event.remedy)
    elif isinstance(event, RecordingDone):
        switch.recordings.faults.pop(event.name, None)
    if call is None or call.recording is None:
        return
    recording, id = call.recording, call.id if call.id in switch.calls else ""
    at = switch.wall(now)
    if isinstance(event, RecordingStarted):
        recording.files.append(recording.file)
        switch.touched(call, now)
        switch.note(RecordingBegan(at=at, call=id, file=recording.file))
    elif isinstance(event, RecordingFailed):
        file = recording.file
        switch.note(
            RecordingFault(at=at, call=id, file=file, what=event.what, remedy=event.remedy, over=event.over)
        )
    elif isinstance(event, RecordingDone):
        del switch.recordings.open[event.name]
        recording.done = event.name == recording.name(call)
        switch.note(
            RecordingEnded(
                at=at,
                call=id,
                file=recording.file if event.file else "",
                seconds=event.seconds,
                size=event.bytes,
                lost_s=event.lost_s,
                complete=event.complete,
            )
        )
        call.file_closed(now)


def recorder_ready(switch: Switch, now: float) -> None:
    """A recorder is there, for the first time or after one that died: what was recorded goes on in it."""
    switch.recordings.faults.clear()
    for name, call in list(switch.recordings.open.items()):
        recording = call.recording
        if recording is None or call.id not in switch.calls:
            del switch.recordings.open[name]
            continue
        fault = RecordingFault(
            at=switch.wall(now), call=call.id, file=recording.file, what=RECORDER_DIED, remedy="nothing to do"
        )
        switch.note(fault)
        del switch.recordings.open[name]
        if call.ending:
            recording.done = True
            call.file_closed(now)
        else:
            _order(call, now)
