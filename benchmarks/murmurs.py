"""Sound of many calls at little cost: every caller says a packet now and then, and what comes back is noted.

All callers share one port; a call is told by the port of the node that its packets come from.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import TracebackType

from benchmarks.sip_tap import Seen

EVERY_S = 0.2
NODE = "127.0.0.1"
SOUND = bytes(160)


class Murmurs:
    """at: where the callers' sound is sent from and comes to. seen: the calls, as a tap sees them. talk_s:
    for how long each is up.
    """

    def __init__(self, at: tuple[str, int], seen: Mapping[bytes, Seen], talk_s: float) -> None:
        self._seen = seen
        self._talk_s = talk_s
        self._numbers: Sequence[bytes] = ()
        self._heard: defaultdict[int, list[float]] = defaultdict(list)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind(at)
        self._over = threading.Event()
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._speak, self._listen)]

    def speak(self, numbers: Sequence[bytes]) -> None:
        """These are the calls."""
        self._numbers = numbers

    def heard(self, number: bytes) -> bool:
        """Whether the caller heard anything while the call was up."""
        seen = self._seen[number]
        if seen.answered is None:
            return False
        times = self._heard[seen.port]
        first = bisect_left(times, seen.answered)
        return first < len(times) and times[first] < seen.answered + self._talk_s

    def __enter__(self) -> Murmurs:
        for each in self._threads:
            each.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._socket.sendto(b"", self._socket.getsockname())
        for each in self._threads:
            each.join()
        self._socket.close()

    def _speak(self) -> None:
        for turn in range(1 << 30):
            if self._over.wait(EVERY_S):
                return
            now = time.monotonic()
            for at, number in enumerate(self._numbers):
                seen = self._seen.get(number)
                if seen is None or seen.answered is None or not seen.port:
                    continue
                if now < seen.answered + self._talk_s:
                    head = struct.pack("!BBHII", 0x80, 8, turn & 0xFFFF, turn * 1600 & 0xFFFFFFFF, at + 1)
                    self._socket.sendto(head + SOUND, (NODE, seen.port))

    def _listen(self) -> None:
        while not self._over.is_set():
            data, source = self._socket.recvfrom(2048)
            if len(data) > 12:
                self._heard[source[1]].append(time.monotonic())
