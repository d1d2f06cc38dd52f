"""A place on the way of SIP over UDP where messages are seen, and may be kept from going on.

A tap stands at an address of its own and passes what comes there to its target, and the target's answers
back to whoever asked last under that Call-ID. It notes what each call's messages were and when; what has
become of a load is then known from outside of everything under test. It answers OPTIONS itself, for sipp's
scenarios of calls do not.
"""

from __future__ import annotations

import re
import selectors
import socket
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

Address = tuple[str, int]
SO_TIMESTAMPNS = 35  # Linux: when a datagram came, by the kernel, whatever this process was doing
STAMP = struct.Struct("@ll")
CALL_ID = re.compile(rb"^(?:Call-ID|i)[ \t]*:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
NUMBER = re.compile(rb"^To[^\r\n]*?(\+\d+)", re.IGNORECASE | re.MULTILINE)
CSEQ = re.compile(rb"^CSeq[ \t]*:[ \t]*\d+[ \t]+(\w+)", re.IGNORECASE | re.MULTILINE)
LATER = re.compile(rb"^Retry-After[ \t]*:[ \t]*\d+", re.IGNORECASE | re.MULTILINE)
MEDIA = re.compile(rb"^m=audio (\d+)", re.MULTILINE)


@dataclass(slots=True)
class Seen:
    """What one call to a number was, as it passed here. Times are of the monotonic clock, None for never.

    statuses: of final answers to its INVITE. later: one of them said when to come again. port: of the sound
    that the answer names.
    """

    invited: float | None = None
    trying: float | None = None
    rang: float | None = None
    answered: float | None = None
    refused: float | None = None
    cancelled: float | None = None
    statuses: list[int] = field(default_factory=list)
    later: bool = False
    port: int = 0


class Tap:
    """mode: "pass" or "drop", which sees and swallows. seen: by number, of all calls since the start. target:
    where calls go that begin; those before stay where they are.
    """

    def __init__(self, at: Address, target: Address) -> None:
        self.at = at
        self._target = target
        self._behind = {target}
        self.mode = "pass"
        self.seen: defaultdict[bytes, Seen] = defaultdict(Seen)
        self._peers: dict[bytes, Address] = {}
        self._homes: dict[bytes, Address] = {}  # of calls, by Call-ID
        self._lock = threading.Lock()
        self._socket = self._bound()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def target(self) -> Address:
        return self._target

    @target.setter
    def target(self, target: Address) -> None:
        self._behind = self._behind | {target}
        self._target = target

    def _bound(self) -> socket.socket:
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        bound.bind(self.at)
        bound.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        bound.setblocking(False)
        return bound

    def shut(self) -> None:
        """Nobody listens here any more: the kernel refuses what comes."""
        with self._lock:
            self._socket.close()

    def open(self) -> None:
        with self._lock:
            self._socket = self._bound()

    def calls(self) -> Iterator[tuple[bytes, Seen]]:
        return iter(list(self.seen.items()))

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        while not self._over.is_set():
            with self._lock:
                current = self._socket
            if current.fileno() < 0:
                time.sleep(0.005)
                continue
            with selectors.DefaultSelector() as ready:
                try:
                    ready.register(current, selectors.EVENT_READ)
                except (ValueError, KeyError):
                    continue
                while not self._over.is_set() and current.fileno() >= 0:
                    if ready.select(0.05):
                        self._drain(current)

    def _drain(self, current: socket.socket) -> None:
        while True:
            try:
                data, ancillary, _, source = current.recvmsg(65536, 128)
            except OSError:
                return
            came = _came(ancillary)
            if data.startswith(b"OPTIONS") and source not in self._behind:
                if self.mode == "pass":
                    self._send(current, _alive(data), source)
                continue
            dropped = self.mode == "drop"
            if not dropped or data.startswith(b"INVITE"):
                self._note(data, came)
            if dropped:
                continue
            found = CALL_ID.search(data)
            call = found[1] if found else b""
            if source in self._behind:
                onward = self._peers.get(call)
            else:
                self._peers[call] = source
                onward = self._homes.setdefault(call, self.target)
            if onward is not None:
                self._send(current, data, onward)

    def _send(self, current: socket.socket, data: bytes, onward: Address) -> None:
        try:
            current.sendto(data, onward)
        except OSError:
            return  # as any network may lose it

    def _note(self, data: bytes, now: float) -> None:
        number, method = NUMBER.search(data), CSEQ.search(data)
        if number is None or method is None:
            return
        seen = self.seen[number[1]]
        if data.startswith(b"CANCEL"):
            seen.cancelled = seen.cancelled or now
        if method[1] != b"INVITE":
            return
        if data.startswith(b"INVITE"):
            seen.invited = seen.invited or now
        elif data.startswith(b"SIP/2.0 "):
            self._answer(seen, int(data[8:11]), data, now)

    def _answer(self, seen: Seen, status: int, data: bytes, now: float) -> None:
        if status == 100:
            seen.trying = seen.trying or now
        elif status == 180:
            seen.rang = seen.rang or now
        elif status >= 200 and status not in seen.statuses:
            seen.statuses.append(status)
            if status >= 300:
                seen.refused = now
                seen.later = seen.later or LATER.search(data) is not None
            if status == 200:
                seen.answered = now
                media = MEDIA.search(data)
                seen.port = int(media[1]) if media else 0


def _came(ancillary: Sequence[tuple[int, int, bytes]]) -> float:
    """When a datagram came, of the monotonic clock."""
    now = time.monotonic()
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, nanos = STAMP.unpack_from(data)
            return now - max(0.0, time.time() - seconds - nanos / 1e9)
    return now


def _alive(request: bytes) -> bytes:
    """200 to an OPTIONS."""
    kept = (b"via", b"from", b"to", b"call-id", b"cseq")
    lines = [line for line in request.split(b"\r\n") if line.partition(b":")[0].strip().lower() in kept]
    return b"\r\n".join([b"SIP/2.0 200 OK", *lines, b"Content-Length: 0", b"", b""])
