"""A bad network between phones and a node's media ports, in user space and seeded.

The node announces the forwarder's address in place of its own. What a phone sends there arrives at the node
from a port that the forwarder keeps for that phone, and what the node answers goes back the same way, as
through a NAT. Only RTP of phones that are roughened is delayed, reordered and lost, and only from then on:
what they say, or what they hear.
"""

from __future__ import annotations

import heapq
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random

Address = tuple[str, int]
Way = tuple[str, bool]  # a phone's host, and whether what it hears is meant, or what it says


@dataclass(frozen=True)
class Roughness:
    """jitter_ms: mean of an exponential delay, each one's own. loss: share of packets. delay_ms: of each."""

    jitter_ms: float = 0.0
    loss: float = 0.0
    delay_ms: float = 0.0


class Forwarder:
    """Forwards `ports` of `front` to the same ports of `back`, in a thread of its own.

    watch: shown every RTP packet that comes, be it lost or not, by that thread.
    """

    def __init__(
        self,
        front: str,
        back: str,
        ports: Iterable[int],
        seed: int,
        watch: Callable[[Way, bytes], None] | None = None,
    ) -> None:
        self._back = back
        self._seed = seed
        self._watch = watch
        self._rough: dict[Way, Roughness] = {}
        self._dice: dict[Way, Random] = {}
        self._selector = selectors.DefaultSelector()
        self._inner: dict[tuple[int, Address], socket.socket] = {}
        self._held: list[tuple[float, int, socket.socket, bytes, Address | None]] = []
        self._count = 0
        self._front = front
        self._running = True
        for port in ports:
            self._listen(port)
        self._thread = threading.Thread(target=self._run, name="forwarder", daemon=True)
        self._thread.start()

    def roughen(self, host: str, how: Roughness, *, heard: bool = False) -> None:
        """From now on the phone at `host` sends over such a network; heard: or hears over it."""
        self._dice[host, heard] = Random(f"{self._seed} {how}{' heard' if heard else ''}")
        self._rough[host, heard] = how

    def close(self) -> None:
        self._running = False
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._selector.close()

    def _listen(self, port: int) -> None:
        outer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        outer.setblocking(False)
        outer.bind((self._front, port))
        self._selector.register(outer, selectors.EVENT_READ, (port, None))

    def _inside(self, port: int, phone: Address, outer: socket.socket) -> socket.socket:
        """The socket that the node sees as this phone."""
        inner = self._inner.get((port, phone))
        if inner is None:
            inner = self._inner[port, phone] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            inner.setblocking(False)
            inner.bind((self._front, 0))
            inner.connect((self._back, port))
            self._selector.register(inner, selectors.EVENT_READ, (outer, phone))
        return inner

    def _run(self) -> None:
        while self._running:
            now = time.monotonic()
            while self._held and self._held[0][0] <= now:
                _, _, through, data, to = heapq.heappop(self._held)
                _send(through, data, to)
            wait = min(self._held[0][0] - now, 0.05) if self._held else 0.05
            for key, _ in self._selector.select(wait):
                self._read(key.fileobj, key.data)  # type: ignore[arg-type]

    def _read(self, here: socket.socket, towards: tuple[int | socket.socket, Address | None]) -> None:
        for _ in range(64):
            try:
                data, source = here.recvfrom(2048)
            except OSError:
                return
            where, phone = towards
            if phone is not None:
                assert isinstance(where, socket.socket)
                self._pass((phone[0], True), where.getsockname()[1], where, data, phone)
            else:
                assert isinstance(where, int)
                self._pass((source[0], False), where, self._inside(where, source, here), data)

    def _pass(
        self, way: Way, port: int, through: socket.socket, data: bytes, to: Address | None = None
    ) -> None:
        """Send it on as the network that it goes over does. port: of the node; RTP's is even."""
        if self._watch is not None and not port % 2:
            self._watch(way, data)
        how = self._rough.get(way)
        if how is None or port % 2:
            _send(through, data, to)
            return
        dice = self._dice[way]
        lost, delay = (
            dice.random() < how.loss,
            dice.expovariate(1000.0 / how.jitter_ms) if how.jitter_ms else 0.0,
        )
        if not lost:
            self._count += 1
            at = time.monotonic() + how.delay_ms / 1000 + delay
            heapq.heappush(self._held, (at, self._count, through, data, to))


def _send(through: socket.socket, data: bytes, to: Address | None = None) -> None:
    try:
        if to is None:
            through.send(data)
        else:
            through.sendto(data, to)
    except OSError:
        pass  # lost, as on any network
