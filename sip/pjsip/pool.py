"""Phones for calls that are placed to try something out: so many processes at once, each for one trial.

A process takes four calls, and gets one: what happens in a trial, be it a crash, must not be another's. To
start one costs 0.13 s of a core and half a second, to keep one would cost its memory and whatever an earlier
call left in it. None outlives its trial: it is killed where it fell silent, where it took too long, and when
the pool is closed. Threads may take phones side by side.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sip.pjsip.process import Softphone, SoftphoneError


class PoolExhausted(SoftphoneError):
    """No phone became free in time, or the pool was closed."""


class Pool:
    """start: makes a phone. most: at once. patience_s: how long to wait for one. longest_s: that anybody may
    keep one.
    """

    def __init__(
        self,
        start: Callable[[], Softphone] = Softphone,
        *,
        most: int = 4,
        patience_s: float = 60.0,
        longest_s: float = 120.0,
    ) -> None:
        self._start = start
        self._most = most
        self._room = threading.BoundedSemaphore(most)
        self._patience_s = patience_s
        self._longest_s = longest_s
        self._lock = threading.Lock()
        self._taken: set[Softphone] = set()
        self._closed = False

    @property
    def taken(self) -> int:
        return len(self._taken)

    @contextmanager
    def phone(self) -> Iterator[Softphone]:
        """A phone, for the block alone. Raises PoolExhausted, or SoftphoneError when it does not start."""
        if not self._room.acquire(timeout=self._patience_s):
            raise PoolExhausted(f"all {self._most} phones were in use for {self._patience_s:g} s")
        try:
            phone = self._begin()
            watch = threading.Timer(self._longest_s, phone.process.kill)
            watch.daemon = True
            watch.start()
            try:
                yield phone
            except BaseException:
                phone.process.kill()  # it is asked for no good-byes: it may not be able to say any
                raise
            finally:
                watch.cancel()
                self._taken.discard(phone)
                phone.close()
        finally:
            self._room.release()

    def close(self) -> None:
        """End every phone; who waits for one, or asks it something, is told so."""
        with self._lock:
            self._closed = True
            for phone in list(self._taken):
                phone.process.kill()

    def _begin(self) -> Softphone:
        phone = self._start()
        with self._lock:
            if self._closed:
                phone.kill()
                raise PoolExhausted("the pool is closed")
            self._taken.add(phone)
        return phone
