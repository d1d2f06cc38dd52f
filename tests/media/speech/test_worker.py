"""A speech worker between two ears: what the one asked for is forgotten, and the next is offered the same."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from pathlib import Path

from media.messages import Frames
from media.speech.io.worker import Bench
from media.speech.jobs import AnyJob, AnyResult, Forget, Hear, Offer
from media.speech.wire import encode


class Overseer:
    since: float | None = None


class Ears:
    """Hears nothing, and keeps what it was asked."""

    offer = Offer("hear", "ears")
    busy = False

    def __init__(self) -> None:
        self.taken: list[AnyJob] = []

    def take(self, job: AnyJob, now: float) -> None:
        self.taken.append(job)

    def work(self, now: float) -> Sequence[AnyResult]:
        return ()

    def close(self) -> None: ...


def asks(listener: socket.socket, *streams: str) -> None:
    """An ear that is offered something, asks for these and is gone."""
    ear, _ = listener.accept()
    with ear:
        ear.settimeout(10)
        frames = Frames()
        while not list(frames.feed(ear.recv(65_536))):
            pass
        ear.sendall(encode([Hear("", 0.0, each, at=0, pcm=b"", rate=8000, begin=0.0) for each in streams]))


def test_an_ear_that_dies_takes_no_worker_along(tmp_path: Path) -> None:
    ears = Ears()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "ear"))
        listener.listen()
        listener.settimeout(10)
        bench = Bench(str(tmp_path / "ear"), [ears], Overseer())  # type: ignore[arg-type]
        threading.Thread(target=bench.run, daemon=True).start()
        asks(listener, "one", "two", "three")
        asks(listener, "four")  # offered by the same worker
        asks(listener)
    forgotten = {job.stream for job in ears.taken if isinstance(job, Forget)}
    assert {"one", "two", "three", "four"} == forgotten
