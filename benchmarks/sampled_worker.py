"""A media worker that notes what it is at: where the CPU of a leg goes.

    python -m benchmarks.sampled_worker --samples FILE <options of media.io.worker>

A timer interrupts it, at irregular times, for what it does comes every 5 and 20 ms, and the innermost of our
functions on the stack says at what; time in a library's function counts as its caller's, and waiting for what
is next does not count. At the end FILE is a JSON object of counts.
"""

from __future__ import annotations

import json
import signal
import sys
from collections import Counter
from pathlib import Path
from random import Random
from types import FrameType

from media.io import worker

EVERY = (0.0005, 0.0025)  # s from one look to the next, at least and at most
IDLE = ("worker.py", "_wait")

OUTGOING = {"forward", "send", "send_report", "post", "protect", "protect_one"}
# by file, and for files of both ways by function
STAGES = {
    **dict.fromkeys(("udp.py", "native_udp.py", "express.py", "native_lane.py"), "receive"),
    **dict.fromkeys(("rtp.py", "reception.py", "latch.py", "entrance.py", "network.py"), "receive"),
    **dict.fromkeys(("srtp.py", "libsrtp.py"), "open"),
    **dict.fromkeys(("decoding.py", "hearing.py"), "decode"),
    **dict.fromkeys(("playout.py", "plane.py", "delay.py", "ring.py", "stretch.py"), "play-out"),
    **dict.fromkeys(("gaps.py", "plc.py", "comfort.py", "lpc.py", "pitch.py"), "play-out"),
    **dict.fromkeys(("render.py", "mixer.py", "plan.py", "studio.py", "treatment.py", "ramp.py"), "mix"),
    **dict.fromkeys(("encoding.py",), "encode"),
    **dict.fromkeys(("packer.py", "transmission.py"), "send"),
    **dict.fromkeys(("watch.py", "quality.py", "reports.py", "rtcp.py"), "watch"),
    **dict.fromkeys(("adaptation.py", "diagnosis.py"), "watch"),
    **dict.fromkeys(("core.py", "numbering.py"), "receive"),
    **dict.fromkeys(("control.py", "worker.py", "link.py"), "rest"),
}
SENDERS = {"srtp.py": "seal", "libsrtp.py": "seal", "udp.py": "send", "native_udp.py": "send"}
SENDERS |= {"numbering.py": "send", "network.py": "send"}
CODERS = {"encode": "encode", "decode": "decode", "conceal": "decode", "copies": "decode"}


def stage(frame: FrameType | None) -> str:
    """At what a stack is."""
    while frame is not None:
        file, function = Path(frame.f_code.co_filename).name, frame.f_code.co_name
        if file == "opus.py":
            return CODERS.get(function, "rest")
        if file in SENDERS and (function in OUTGOING or function.startswith(("_forward", "_numbered"))):
            return SENDERS[file]
        if file in STAGES:
            return STAGES[file]
        frame = frame.f_back
    return "rest"


def waits(frame: FrameType) -> bool:
    """Whether it is asleep."""
    return (Path(frame.f_code.co_filename).name, frame.f_code.co_name) == IDLE


def main(arguments: list[str]) -> int:
    counts: Counter[str] = Counter()
    dice = Random(1)

    def note(number: int, frame: FrameType | None) -> None:
        if frame is not None and not waits(frame):
            counts[stage(frame)] += 1
        signal.setitimer(signal.ITIMER_REAL, dice.uniform(*EVERY))

    place = arguments.index("--samples")
    file = Path(arguments[place + 1])
    del arguments[place : place + 2]
    signal.signal(signal.SIGALRM, note)
    signal.setitimer(signal.ITIMER_REAL, EVERY[1])
    try:
        return worker.main(arguments)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        file.write_text(json.dumps(counts), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
