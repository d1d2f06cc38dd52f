"""`python -m tests.media.full_disk FOLDER`: records to a small disk until it is full, then makes room there.

Prints what the recorder told, and whether its file is what was said, sample by sample. Run by a test,
in a mount namespace of its own.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from random import Random

import numpy as np

from media.io.disk import Disk
from media.recorder import Recorder
from media.recording import Record, RecordingDone, RecordingFailed, StopRecording
from tests.media.reels import frame, read

PATIENCE = 20.0  # s


def main(folder: Path) -> None:
    ballast = folder / "ballast"
    ballast.write_bytes(bytes(96 * 1024))
    recorder = Recorder(Disk(sync_s=0.2), entropy=Random(1).randbytes, epoch=0.0)
    call = folder / "day" / "call.wav"
    recorder.handle(Record("call", 1, str(call), format="wav"), 0.0)
    spoken = np.frombuffer(Random(1).randbytes(2 * 2 * 40_000), "<i2").reshape(2, -1, 160)
    turn = threading.Event()
    slowest, begun, stopped, tick = 0.0, time.monotonic(), False, 0
    while time.monotonic() - begun < PATIENCE:
        tick += 1
        at = time.monotonic()
        if tick <= 250:  # 5 s of sound: 160 kB where there is room for 96
            heard, said = spoken[:, tick - 1]
            recorder.take(1, frame(tick, {1: heard}, {1: said}), tick * 0.02)
        events = recorder.look(tick * 0.02)
        slowest = max(slowest, time.monotonic() - at)
        for event in events:
            if isinstance(event, RecordingFailed) and not event.over:
                print("full:", event.what, "|", event.remedy)
                ballast.unlink()
            elif isinstance(event, RecordingDone):
                print("done:", event.complete, event.seconds, event.lost_s, event.bytes)
                print("waited:", slowest < 1.0)
                print("same:", np.array_equal(read(call.read_bytes(), "wav"), spoken.reshape(2, -1)))
                return
        if tick > 260 and not stopped:
            recorder.handle(StopRecording("call"), tick * 0.02)
            stopped = True
        turn.wait(0.002)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
