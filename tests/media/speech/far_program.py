"""A far worker whose craft takes its time: python -m tests.media.speech.far_program REDIS NAME SECONDS."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence

from media.speech.io.far import FarBench, settings_of
from media.speech.jobs import AnyJob, AnyResult, Offer, Speak, Spoken

OFFER = Offer("speak", "slow", languages=("en",))


class Slow:
    """Says each text after so many seconds, in two pieces: who it is, and the text."""

    offer = OFFER

    def __init__(self, name: str, seconds: float) -> None:
        self._name, self._seconds = name, seconds
        self._line: list[tuple[float, Speak]] = []
        self._nothing = threading.Event()

    @property
    def busy(self) -> bool:
        return bool(self._line)

    def take(self, job: AnyJob, now: float) -> None:
        if isinstance(job, Speak):
            self._line.append((now + self._seconds, job))

    def work(self, now: float) -> Sequence[AnyResult]:
        ready = [job for at, job in self._line if at <= now]
        self._line = [each for each in self._line if each[0] > now]
        if not ready:
            self._nothing.wait(0.01)
        return [
            Spoken(job.key, self._name, 0.0, pcm, over=over)
            for job in ready
            for pcm, over in ((self._name.encode(), False), (job.text.encode(), True))
        ]

    def close(self) -> None: ...


if __name__ == "__main__":
    where, name, seconds = sys.argv[1:]
    FarBench(settings_of(where), [Slow(name, float(seconds))], name).run()
