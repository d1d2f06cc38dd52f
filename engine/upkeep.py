"""What a node stands on and nobody looks at until it is too late: room on its disks, certificates' last days.

A thread looks, for a disk over the network may keep who asks waiting; health and metrics tell what it saw.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from cryptography import x509
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from config.schema import Config
from engine.views import Check, Health

EVERY_S = 60.0
SCARCE_SHARE, SCARCE_BYTES = 0.1, 10 << 30  # less than both is nearly full: large disks need no tenth
LATE_S = 14 * 86_400.0  # before a certificate ends; those who renew by themselves do it a month before

log = structlog.get_logger("upkeep")


@dataclass(frozen=True, slots=True)
class Room:
    """Of a folder's disk, bytes."""

    free: int
    size: int

    @property
    def share(self) -> float:
        return self.free / self.size if self.size else 0.0

    @property
    def scarce(self) -> bool:
        return self.share < SCARCE_SHARE and self.free < SCARCE_BYTES


@dataclass(frozen=True, slots=True)
class Found:
    """What was seen last. rooms: by what a disk is for, each disk once. ends: epoch seconds, by what a
    certificate is for. unread, unasked: certificates and folders of which nothing is known, and why.
    """

    rooms: dict[str, Room] = field(default_factory=dict)
    ends: dict[str, float] = field(default_factory=dict)
    unasked: dict[str, str] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)


def look(folders: Mapping[str, Path], certificates: Mapping[str, Path]) -> Found:
    """Blocks."""
    found = Found()
    disks: set[int] = set()
    for name, folder in folders.items():
        try:
            there = _there(folder)
            disk, stat = there.stat().st_dev, os.statvfs(there)
        except OSError as error:
            found.unasked[name] = f"the disk of {name} cannot be asked: {error.strerror}"
            continue
        if disk not in disks:
            found.rooms[name] = Room(stat.f_bavail * stat.f_frsize, stat.f_blocks * stat.f_frsize)
        disks.add(disk)
    for name, path in certificates.items():
        try:
            read = x509.load_pem_x509_certificate(path.read_bytes())
        except (OSError, ValueError) as error:
            found.unread[name] = f"that of {name} cannot be read: {error}"
            continue
        found.ends[name] = read.not_valid_after_utc.timestamp()
    return found


def _there(folder: Path) -> Path:
    """The folder, or what it is to be made in."""
    return next((each for each in (folder, *folder.parents) if each.exists()), folder)


def watched(config: Config) -> tuple[dict[str, Path], dict[str, Path]]:
    """Folders and certificates of a node, by what they are for."""
    data, recordings = config.node.data_dir, config.media.recording.directory
    folders = {"data": data, "recordings": recordings if recordings.is_absolute() else data / recordings}
    return folders, {"sip": config.sip.tls.certificate} if config.sip.tls.certificate is not None else {}


class Upkeep(Collector):
    """config: looked up at each look. wall: epoch seconds. `start` and `close` belong to whoever owns it."""

    def __init__(self, config: Callable[[], Config], wall: Callable[[], float]) -> None:
        self.found = Found()
        self._config, self._wall = config, wall
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Does not wait: a disk that says nothing is no reason for a node to stay."""
        self._stop.set()

    def look(self) -> None:
        """Blocks."""
        self.found = look(*watched(self._config()))

    def _run(self) -> None:
        while True:
            try:
                self.look()
            except Exception:  # the thread's edge: the next look goes on
                log.exception("a fault while disks and certificates were looked at")
            if self._stop.wait(EVERY_S):
                return

    # --- what is told ---------------------------------------------------------------------------------

    def checks(self) -> tuple[Check, Check]:
        """Lines of the node's health; both go on while calls do."""
        found = self.found
        scarce = {
            name: f"{name} has {room.free / (1 << 30):.1f} GiB left, {room.share:.0%}"
            for name, room in found.rooms.items()
            if room.scarce
        }
        left = {name: (end - self._wall()) / 86_400.0 for name, end in found.ends.items()}
        late = {
            name: f"that of {name} ended" if days <= 0 else f"that of {name} ends in {days:.0f} days"
            for name, days in left.items()
            if days * 86_400.0 < LATE_S
        }
        return _check("disk", scarce | found.unasked), _check("certificates", late | found.unread)

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        found = self.found
        free = GaugeMetricFamily("isogloss_disk_free_bytes", "Room on a folder's disk.", labels=["folder"])
        size = GaugeMetricFamily("isogloss_disk_size_bytes", "A folder's disk.", labels=["folder"])
        for name, room in found.rooms.items():
            free.add_metric([name], room.free)
            size.add_metric([name], room.size)
        left = GaugeMetricFamily(
            "isogloss_certificate_left_seconds", "Until a certificate ends.", labels=["use"]
        )
        for name, end in found.ends.items():
            left.add_metric([name], end - self._wall())
        yield from (free, size, left)


def _check(name: str, faults: Mapping[str, str]) -> Check:
    if not faults:
        return Check(name=name, status=Health.OK)
    return Check(name=name, status=Health.DEGRADED, detail="; ".join(faults.values()))
