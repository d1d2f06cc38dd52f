"""Disks and certificates are told of before it is too late, each once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from config.load import SHIPPED, load
from config.schema import Config
from engine import upkeep
from engine.upkeep import SCARCE_BYTES, Found, Room, Upkeep, look, watched
from engine.views import Health
from sip.io import certificate

MADE = datetime(2026, 3, 2, tzinfo=UTC)
DAY_S = 86_400.0


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    """A certificate made at MADE."""
    public, _ = certificate.self_signed(["isogloss.test"], MADE)
    path = tmp_path / "sip.pem"
    path.write_bytes(public)
    return path


def node(tmp_path: Path, paper: Path | None = None) -> Config:
    config = load(SHIPPED, {})
    tls = replace(config.sip.tls, certificate=paper)
    return replace(config, node=replace(config.node, data_dir=tmp_path), sip=replace(config.sip, tls=tls))


def kept(tmp_path: Path, paper: Path | None = None, after_s: float = 0.0) -> Upkeep:
    """As it is so long after the certificate was made."""
    made = Upkeep(lambda: node(tmp_path, paper), lambda: MADE.timestamp() + after_s)
    made.look()
    return made


def test_two_folders_of_one_disk_are_one_disk_and_one_need_not_be_there_yet(tmp_path: Path) -> None:
    folders, papers = watched(node(tmp_path))
    assert folders == {"data": tmp_path, "recordings": tmp_path / "recordings"} and not papers
    found = look(folders, papers)
    assert list(found.rooms) == ["data"] and 0 < found.rooms["data"].free <= found.rooms["data"].size


@pytest.mark.parametrize(
    ("free", "size", "scarce"),
    [
        (SCARCE_BYTES - 1, 20 * SCARCE_BYTES, True),
        (SCARCE_BYTES, 20 * SCARCE_BYTES, False),  # of a large disk
        (SCARCE_BYTES // 8, SCARCE_BYTES, False),  # of a small one
        (0, 0, True),
    ],
)
def test_nearly_full_is_little_by_both_measures(free: int, size: int, scarce: bool) -> None:
    assert Room(free, size).scarce is scarce


def test_a_disk_that_is_nearly_full_is_told_with_its_name_and_what_is_left(tmp_path: Path) -> None:
    made = kept(tmp_path)
    made.found = Found({"recordings": Room(1 << 30, 100 << 30)})
    disk, papers = made.checks()
    assert (disk.status, disk.detail) == (Health.DEGRADED, "recordings has 1.0 GiB left, 1%")
    assert papers.status is Health.OK


@pytest.mark.parametrize(
    ("days", "words"),
    [(0, ""), (380, ""), (384, "that of sip ends in 13 days"), (398, "that of sip ended")],
)
def test_a_certificate_is_told_of_two_weeks_before(
    tmp_path: Path, paper: Path, days: int, words: str
) -> None:
    _, papers = kept(tmp_path, paper, days * DAY_S).checks()
    assert papers.detail == words and (papers.status is Health.OK) == (words == "")


def test_what_cannot_be_read_is_a_fault_and_no_end(tmp_path: Path) -> None:
    broken = tmp_path / "sip.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\nnot one\n")
    made = kept(tmp_path, broken)
    assert not made.found.ends and "that of sip cannot be read" in made.checks()[1].detail
    assert "cannot be read" in kept(tmp_path, tmp_path / "gone.pem").checks()[1].detail


def test_prometheus_has_the_same_numbers(tmp_path: Path, paper: Path) -> None:
    registry = CollectorRegistry()
    made = kept(tmp_path, paper, after_s=7 * DAY_S)
    registry.register(made)
    left = registry.get_sample_value("isogloss_certificate_left_seconds", {"use": "sip"})
    assert left == pytest.approx(certificate.LIFE.total_seconds() - 7 * DAY_S)
    size = registry.get_sample_value("isogloss_disk_size_bytes", {"folder": "data"})
    assert size == made.found.rooms["data"].size


def test_a_look_that_fails_is_no_last_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    made = Upkeep(lambda: node(tmp_path), lambda: 0.0)

    def broken(*_: object) -> Found:
        looks.append(1)
        if len(looks) == 2:
            made.close()
        raise ValueError("no such thing")

    monkeypatch.setattr(upkeep, "look", broken)
    monkeypatch.setattr(upkeep, "EVERY_S", 0.0)
    made.start()
    made._thread.join(10.0)
    assert len(looks) == 2
