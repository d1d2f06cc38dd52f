"""Summaries by the operator's endpoint, one after the other in a thread of their own that may take its time.

A call has the summary of its own sentences already; what comes takes its place. Of more than can be asked
for, the oldest keep what they have.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

import structlog

from engine.after.endpoint import Endpoint
from engine.store.errors import StoreUnavailable
from engine.store.transcripts import Transcripts
from media.speech.transcript import Line

MOST = 200  # calls that wait

log = structlog.get_logger("after")


class Summaries:
    """endpoint: as it is when a call's turn comes; None where there is none."""

    def __init__(self, transcripts: Transcripts, endpoint: Callable[[], Endpoint | None]) -> None:
        self._transcripts = transcripts
        self._endpoint = endpoint
        self._line: deque[tuple[str, Sequence[Line], str]] = deque(maxlen=MOST)
        self._wake = threading.Condition()
        self._closing = False
        self._thread: threading.Thread | None = None

    def ask(self, call: str, lines: Sequence[Line], language: str) -> None:
        """Have a call summed up, when it has been kept."""
        if self._endpoint() is None or not lines:
            return
        with self._wake:
            self._line.append((call, lines, language))
            self._wake.notify()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="summaries", daemon=True)
            self._thread.start()

    def close(self, timeout_s: float) -> None:
        """Finish what waits, within that time. Blocks."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._line or self._closing)
                if not self._line:
                    return
                call, lines, language = self._line.popleft()
            try:
                self._sum_up(call, lines, language)
            except Exception:  # one odd answer must not end all others
                log.exception("no summary from the endpoint", call=call)

    def _sum_up(self, call: str, lines: Sequence[Line], language: str) -> None:
        endpoint = self._endpoint()
        better = endpoint.summary(lines, language) if endpoint is not None else ""
        if endpoint is None or not better:
            return
        try:
            self._transcripts.sum_up(call, better, endpoint.model)
        except StoreUnavailable as fault:
            log.warning("a summary is not kept", call=call, why=str(fault))
