"""Sends SIP messages to a HOMER collector by HEP3, beside the calls: whatever becomes of it, they go on.

Ladders ── watch ──► bounded line ──► thread: without secrets, as a packet ──► UDP
"""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from engine.insight import hep
from engine.insight.pcap import Address
from sip.hop import Hop
from sip.ladder import Rung
from sip.redaction import redact

MOST = 5000  # messages that wait; more are lost, and counted
LOOK_UP_S = 60.0  # between two looks where the collector is

log = structlog.get_logger("hep")


@dataclass(frozen=True, slots=True)
class Collector:
    """id: by which it knows this node. password: "" for none."""

    host: str
    port: int
    id: int
    password: str = ""


class Exporter:
    """epoch: what is to be added to the times of rungs. own: our address towards a hop. first: the Call-ID of
    a call's first leg, for that of any of its legs and at once.
    """

    def __init__(
        self,
        collector: Collector,
        own: Callable[[Hop], Address],
        epoch: float,
        first: Callable[[bytes], bytes] = bytes,
    ) -> None:
        self.collector = collector
        self.sent = self.lost = 0
        self._own, self._epoch, self._first = own, epoch, first
        self._line: deque[tuple[Rung, bytes]] = deque()
        self._wake = threading.Event()
        self._closing = False
        self._found: tuple[socket.AddressFamily, Address] | None = None
        self._looked = float("-inf")
        self._sockets: dict[socket.AddressFamily, socket.socket] = {}
        self._thread = threading.Thread(target=self._run, name="hep", daemon=True)
        self._thread.start()

    def take(self, rung: Rung, call_id: bytes) -> None:
        """One message; what did not go, is not told twice."""
        if rung.fault:
            return
        if len(self._line) >= MOST:
            self.lost += 1
            return
        self._line.append((rung, self._first(call_id)))
        if not self._wake.is_set():
            self._wake.set()

    def leave(self) -> None:
        """Send what waits, and end; for whoever does not wait for that."""
        self._closing = True
        self._wake.set()

    def close(self, timeout_s: float = 2.0) -> None:
        """Send what waits. Blocks."""
        self.leave()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            while self._line:
                self._send(*self._line.popleft())
            if self._closing:
                break
        for each in self._sockets.values():
            each.close()

    def _send(self, rung: Rung, correlation: bytes) -> None:
        try:
            far, own = (rung.hop.host, rung.hop.port), self._own(rung.hop)
            source, target = (far, own) if rung.inward else (own, far)
            packet = hep.packet(
                self._epoch + rung.at,
                source,
                target,
                rung.hop.transport,
                redact(rung.data),
                agent=self.collector.id,
                key=self.collector.password,
                correlation=correlation,
            )
            family, address = self._where()
            self._socket(family).sendto(packet, address)
            self.sent += 1
        except (
            OSError,
            ValueError,
            LookupError,
            RuntimeError,
        ) as fault:  # the last: tables changed meanwhile
            self.lost += 1
            if self.lost == 1 or self.lost % 10_000 == 0:
                log.warning("not sent to the collector", lost=self.lost, why=str(fault))

    def _where(self) -> tuple[socket.AddressFamily, Address]:
        """The collector's address. Raises OSError."""
        now = time.monotonic()
        if self._found is None or now - self._looked >= LOOK_UP_S:
            self._looked = now
            found = socket.getaddrinfo(self.collector.host, self.collector.port, type=socket.SOCK_DGRAM)
            self._found = found[0][0], (str(found[0][4][0]), self.collector.port)
        return self._found

    def _socket(self, family: socket.AddressFamily) -> socket.socket:
        if family not in self._sockets:
            self._sockets[family] = socket.socket(family, socket.SOCK_DGRAM)
        return self._sockets[family]
