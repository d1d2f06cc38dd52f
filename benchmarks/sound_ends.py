"""Ends of calls that speak and listen for their own words, which a far end that is there echoes."""

from __future__ import annotations

import selectors
import socket
import struct
import threading
import time
from collections.abc import Sequence
from types import TracebackType

HOST = "127.0.0.2"
FIRST_PORT = 18_000
PACKET_S = 0.02
WORD = bytes(range(0x40, 0x40 + 156))  # of A-law, then the packet's number; nothing else sounds like it
BUFFER_S = 0.06  # of a phone: what comes later than that after the quickest is not heard


class SoundEnds:
    """`count` ends, each at a port of its own."""

    def __init__(self, count: int) -> None:
        self._sockets = [self._bound(n) for n in range(count)]
        self._heard: list[list[tuple[int, float]]] = [[] for _ in range(count)]
        self._sent: list[float] = []
        self._targets: list[tuple[str, int] | None] = [None] * count
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def ports(self) -> Sequence[int]:
        return [each.getsockname()[1] for each in self._sockets]

    def talk(self, at: int, target: tuple[str, int]) -> None:
        """One of them speaks to `target` from now on."""
        self._targets[at] = target

    def heard_since(self, when: float) -> int:
        """How many have heard their words since."""
        return sum(bool(words) and words[-1][1] >= when for words in self._heard)

    def gaps(self, froze: float) -> list[float | None]:
        """Seconds from `froze` until each heard its words again; None for those that did not. Words that were
        on their way then do not count.
        """
        later = ([when for _, when in words if when > froze + 0.5] for words in self._heard)
        return [round(min(times) - froze, 3) if times else None for times in later]

    def quality(self, at: int, began: float, over: float) -> tuple[float, float]:
        """Share of one's words said in that time that were not heard back, and how long they were under way,
        seconds there and back with a phone's buffer.
        """
        said = [number for number, when in enumerate(self._sent) if began <= when < over]
        under_way = {number: when - self._sent[number] for number, when in self._heard[at]}
        least = min((under_way[number] for number in said if number in under_way), default=0.0)
        heard = [n for n in said if n in under_way and under_way[n] <= least + BUFFER_S]
        return 1.0 - len(heard) / len(said), least + BUFFER_S

    def __enter__(self) -> SoundEnds:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        for each in self._sockets:
            each.close()

    def _bound(self, number: int) -> socket.socket:
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        bound.bind((HOST, FIRST_PORT + 2 * number))
        bound.setblocking(False)
        return bound

    def _run(self) -> None:
        due = time.monotonic()
        with selectors.DefaultSelector() as ready:
            for at, each in enumerate(self._sockets):
                ready.register(each, selectors.EVENT_READ, at)
            while not self._over.is_set():
                now = time.monotonic()
                if now >= due:
                    due = max(due + PACKET_S, now - PACKET_S)
                    self._speak(len(self._sent))
                    self._sent.append(now)
                for key, _ in ready.select(max(0.0, due - time.monotonic())):
                    self._listen(key.data)

    def _speak(self, sequence: int) -> None:
        word = WORD + struct.pack("!I", sequence)
        for at, target in enumerate(self._targets):
            if target is not None:
                head = struct.pack("!BBHII", 0x80, 8, sequence & 0xFFFF, sequence * 160 & 0xFFFFFFFF, at + 1)
                self._sockets[at].sendto(head + word, target)

    def _listen(self, at: int) -> None:
        while True:
            try:
                data = self._sockets[at].recv(2048)
            except OSError:
                return
            if data[12:168] == WORD:
                self._heard[at].append((struct.unpack_from("!I", data, 168)[0], time.monotonic()))
