"""Machines that are far apart, on this one: namespaces whose packets a relay in user space holds back.

Each place has a namespace with a TUN device. What is sent there comes to the relay, which passes it on to the
place that has its destination after half of the round trip between the two addresses, and noise: its own for
each packet, exponential, and now and then a spike. Seeded; packets of one pair may overtake each other. Needs
root.
"""

from __future__ import annotations

import ctypes
import fcntl
import heapq
import os
import selectors
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Protocol

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
DEVICE = "way0"
CLONE_NEWNET = 0x40000000


class Impossible(Exception):
    """This machine or user cannot have namespaces; says what lacks."""


@dataclass(frozen=True)
class Noise:
    """mean_ms: of the exponential delay of each packet. spikes: share of packets that have one of spike_ms in
    the mean, beside that.
    """

    mean_ms: float = 1.5
    spikes: float = 0.01
    spike_ms: float = 60.0


def able() -> None:
    """Raises Impossible."""
    if os.geteuid() != 0:
        raise Impossible("namespaces need root: run it as root, or with sudo")
    lacking = [tool for tool in ("ip", "nsenter", "unshare") if shutil.which(tool) is None]
    if lacking or not Path("/dev/net/tun").exists():
        what = ", ".join(lacking) or "/dev/net/tun"
        raise Impossible(f"{what} is not there: apt-get install iproute2 util-linux")


class Place:
    """A namespace, with addresses of its own."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self.addresses = tuple(addresses)
        self._holder = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE)
        there = f"/proc/{self._holder.pid}/ns/net"
        while os.path.samefile(there, "/proc/self/ns/net"):
            os.sched_yield()  # unshare is on its way
        self.device = _tun(there)
        self.run("ip", "link", "set", "lo", "up")
        lines = [f"address add {each}/32 dev {DEVICE}" for each in addresses]
        lines += [f"link set {DEVICE} up", f"route add default dev {DEVICE}"]
        self.run("ip", "-batch", "-", told="\n".join(lines))

    def run(self, *command: str, told: str = "") -> None:
        subprocess.run([*self.enter(), *command], check=True, input=told.encode(), capture_output=True)

    def enter(self) -> list[str]:
        """What to put before a command that is to run there."""
        return ["nsenter", "--target", str(self._holder.pid), "--net"]

    @contextmanager
    def inside(self) -> Iterator[None]:
        """The thread that asks is there meanwhile: sockets that it makes, and processes that it starts."""
        with (
            open("/proc/thread-self/ns/net", encoding="ascii") as back,
            open(f"/proc/{self._holder.pid}/ns/net", encoding="ascii") as there,
        ):
            _go(there.fileno())
            try:
                yield
            finally:
                _go(back.fileno())

    def close(self) -> None:
        os.close(self.device)
        self._holder.kill()
        self._holder.wait()


def _go(namespace: int) -> None:
    """Have this thread be in a namespace, by its file. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def _tun(namespace: str) -> int:
    """A TUN device in that namespace, opened by a thread that goes there and ends."""
    opened: list[int] = []

    def there() -> None:
        with open(namespace, encoding="ascii") as net:
            try:
                _go(net.fileno())
            except OSError:
                return
        device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", DEVICE.encode(), IFF_TUN | IFF_NO_PI))
        opened.append(device)

    thread = threading.Thread(target=there)
    thread.start()
    thread.join()
    if not opened:
        raise Impossible("a namespace cannot be entered: CAP_SYS_ADMIN is needed")
    return opened[0]


class End(Protocol):
    """What a relay needs of a place. device: a descriptor of its TUN device."""

    @property
    def device(self) -> int: ...

    @property
    def addresses(self) -> Sequence[str]: ...


class Relay:
    """Passes packets between places, in a thread of its own. rtt_ms: between two addresses, without noise."""

    def __init__(
        self, places: Sequence[End], rtt_ms: Callable[[str, str], float], noise: Noise, seed: int
    ) -> None:
        self._to = {
            socket.inet_aton(address): place.device for place in places for address in place.addresses
        }
        self._rtt_ms = rtt_ms
        self._noise = noise
        self._rng = Random(seed)
        self._half: dict[bytes, float] = {}  # one-way seconds, by both addresses
        self._held: list[tuple[float, int, int, bytes]] = []
        self._count = 0
        self._running = True
        self._selector = selectors.DefaultSelector()
        for place in places:
            self._selector.register(place.device, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self._thread.start()

    @property
    def passed(self) -> int:
        """Packets so far."""
        return self._count

    def close(self) -> None:
        self._running = False
        self._thread.join()
        self._selector.close()

    def _run(self) -> None:
        while self._running:
            wait = min(0.05, max(0.0, self._held[0][0] - time.monotonic())) if self._held else 0.05
            for key, _ in self._selector.select(wait):
                self._drain(key.fd)
            self._deliver(time.monotonic())

    def _drain(self, device: int) -> None:
        for _ in range(64):
            try:
                packet = os.read(device, 4096)
            except BlockingIOError:
                return
            if packet[0] >> 4 == 4:
                self._hold(packet)

    def _hold(self, packet: bytes) -> None:
        to = self._to.get(packet[16:20])
        if to is None:
            return
        self._count += 1
        due = time.monotonic() + self._way(packet[12:20]) + self._thrown()
        heapq.heappush(self._held, (due, self._count, to, packet))

    def _way(self, pair: bytes) -> float:
        found = self._half.get(pair)
        if found is None:
            ends = socket.inet_ntoa(pair[:4]), socket.inet_ntoa(pair[4:])
            found = self._half[pair] = self._rtt_ms(*ends) / 2000
        return found

    def _thrown(self) -> float:
        noise, rng = self._noise, self._rng
        spike = rng.expovariate(1 / noise.spike_ms) if rng.random() < noise.spikes else 0.0
        return (rng.expovariate(1 / noise.mean_ms) + spike) / 1000

    def _deliver(self, now: float) -> None:
        while self._held and self._held[0][0] <= now:
            _, _, to, packet = heapq.heappop(self._held)
            try:
                os.write(to, packet)
            except OSError:
                pass  # its place is gone, or full: a packet is lost
