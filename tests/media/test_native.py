"""The helper in C: what it does is what the Python loops do, and without it a node starts all the same."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from media import express
from media.control import Control
from media.io import native
from media.io.native_lane import NativeLane
from media.io.native_udp import NativeUdpNetwork
from media.io.udp import UdpNetwork
from media.io.wav import Files
from media.messages import LegOpened, OpenLeg, SetGain
from tests.media.stage import DTMF, PCMA, PCMU, packet

HOST = "127.0.77.1"  # nodes of other tests, and who speaks to them, are at 127.0.0.1
LINES = 300  # of C: what an optional helper may have


def test_the_helper_is_small_enough_to_be_read_at_once() -> None:
    assert len(native.SOURCE.read_text(encoding="utf-8").splitlines()) < LINES


def test_the_compiler_has_no_complaint_about_it(tmp_path: Path) -> None:
    command = [
        "cc",
        "-O2",
        "-Wall",
        "-Wextra",
        "-Wpedantic",
        "-Wconversion",
        "-Wno-sign-conversion",
        "-Werror",
    ]
    built = ["-shared", "-fPIC", "-o", str(tmp_path / "native.so"), str(native.SOURCE)]
    done = subprocess.run([*command, *built], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# --- building ---------------------------------------------------------------------------------------


def test_it_is_built_once_and_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    native.load([tmp_path])
    (built,) = tmp_path.iterdir()
    monkeypatch.setenv("PATH", "")  # nothing can be compiled any more
    native.load([tmp_path])
    assert [built] == list(tmp_path.iterdir())


def test_another_source_is_built_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    native.load([tmp_path])
    changed = tmp_path / "native.c"
    changed.write_text(native.SOURCE.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    monkeypatch.setattr(native, "SOURCE", changed)
    native.load([tmp_path])
    assert len(list(tmp_path.glob("*.so"))) == 2


def test_a_file_that_was_cut_short_is_replaced(tmp_path: Path) -> None:
    native.load([tmp_path])
    (built,) = tmp_path.iterdir()
    whole = built.read_bytes()
    built.unlink()
    built.write_bytes(whole[:100])
    assert native.load([tmp_path]).version() == native.VERSION


def test_a_folder_that_cannot_be_written_gives_way_to_the_next(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way", encoding="ascii")
    native.load([blocked / "under", tmp_path / "free"])
    assert list((tmp_path / "free").glob("*.so"))


def test_a_library_that_anyone_could_have_changed_is_not_loaded(tmp_path: Path) -> None:
    native.load([tmp_path])
    tmp_path.chmod(0o777)
    with pytest.raises(native.Unavailable, match="not ours"):
        native.load([tmp_path])


@pytest.mark.parametrize(
    ("compiler", "why"),
    [("", "no C compiler"), ("#!/bin/sh\necho no headers here >&2; exit 1\n", "no headers here")],
    ids=["none", "broken"],
)
def test_without_a_compiler_that_works_it_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiler: str, why: str
) -> None:
    if compiler:
        (tmp_path / "cc").write_text(compiler, encoding="ascii")
        (tmp_path / "cc").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(native.Unavailable, match=why):
        native.load([tmp_path / "cache"])


def test_it_can_be_built_ahead_of_the_first_start() -> None:
    command = [sys.executable, "-m", "media.io.native"]
    done = subprocess.run(command, cwd=native.SOURCE.parents[2], capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()).is_file()


# --- the same as in Python --------------------------------------------------------------------------


class Line:
    """A worker's control over real sockets, and far ends that send it what a seed says."""

    def __init__(self, network: UdpNetwork, move: express.Mover, legs: int, seed: int) -> None:
        self.network = network
        self.control = Control(network, Files(), rng=Random(seed), move=move)
        self.rng = random.Random(seed)
        self.now = 100.0
        self.far = [self._far_end() for _ in range(legs)]
        self.ports: list[int] = []
        self.sequence = [self.rng.randrange(65536) for _ in range(legs)]
        self.heard: list[list[bytes]] = [[] for _ in range(legs)]
        self._last, self._last_far = self._far_end(), self._far_end()
        for leg, far in enumerate(self.far):
            codec = PCMA if leg % 6 == 5 else PCMU
            told = self.control.handle(OpenLeg(leg, [codec], DTMF, far.getsockname()), self.now)
            self.ports.extend(event.port for event in told if isinstance(event, LegOpened))
            if leg % 2:
                gain = 0.5 if leg % 8 == 7 else 1.0
                self.control.handle(SetGain(leg, leg - 1, gain), self.now)
                self.control.handle(SetGain(leg - 1, leg, gain), self.now)

    @staticmethod
    def _far_end() -> socket.socket:
        far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        far.bind((HOST, 0))
        far.setblocking(False)
        return far

    def live(self, ticks: int) -> None:
        for tick in range(ticks):
            for leg in range(len(self.far)):
                self._send(leg)
            self._arrive()
            for step in range(4):
                self.control.drain(self.now)
                if step == 3:
                    self.control.tick(self.now)
                self.now += 0.005
            self._arrive()
            for leg, far in enumerate(self.far):
                self._hear(leg, far)
            if tick == ticks // 2:
                self.far[2].close()
                self.far[2] = self._far_end()  # a phone that moved: its leg is reached from elsewhere

    def _arrive(self) -> None:
        """Wait until all that was sent is there: a processor hands packets on in their order, and the test
        stays on one, but when it is busy not at once.
        """
        self._last.sendto(b"last", self._last_far.getsockname())
        self._last_far.setblocking(True)
        assert self._last_far.recv(10) == b"last"

    def _send(self, leg: int) -> None:
        """What a phone on a bad network sends in 20 ms."""
        rng, to = self.rng, (HOST, self.ports[leg])
        kind = rng.random()
        self.sequence[leg] += 1
        sequence, size = self.sequence[leg], 160 if leg % 4 else rng.choice([80, 160, 240])
        if kind < 0.05:
            return
        data = packet(sequence, 160 * sequence, 1000 + leg, rng.randbytes(size), pt=8 if leg % 6 == 5 else 0)
        if kind < 0.08:
            data = rng.randbytes(rng.randrange(2000))
        elif kind < 0.10:
            data = packet(sequence, 160 * sequence, 1000 + leg, rng.randbytes(4), pt=DTMF)
        for _ in range(2 if kind > 0.97 else 1):
            self.far[leg].sendto(data, to)

    def _hear(self, leg: int, far: socket.socket) -> None:
        while True:
            try:
                self.heard[leg].append(far.recv(2000))
            except OSError:
                return

    def figures(self) -> dict[str, Any]:
        table = self.control.core.table
        columns = {
            f"{room}.{name}": getattr(columns, name)[: len(self.far)].copy()
            for room, columns in (("rx", table.rx), ("tx", table.tx), ("common", table.common))
            for name in columns.SPEC
        }
        return columns | {"errors": self.network.errors}

    def close(self) -> None:
        self.network.shut()
        for far in (*self.far, self._last, self._last_far):
            far.close()


@pytest.fixture
def one_processor() -> Iterator[None]:
    """What is sent from another one may overtake it."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    yield
    os.sched_setaffinity(0, before)


@pytest.fixture
def lines(one_processor: None) -> tuple[Line, Line]:
    """The same day twice, over the Python loops and over the helper."""
    ports = (26_600, 26_700)
    pair = []
    helper = native.load()
    ways = (
        (UdpNetwork(HOST, ports), express.move),
        (NativeUdpNetwork(HOST, ports, native=helper), NativeLane(helper).move),
    )
    for network, move in ways:
        line = Line(network, move, legs=16, seed=11)
        line.live(ticks=150)
        line.close()
        pair.append(line)
    return pair[0], pair[1]


def test_a_seeded_day_comes_to_the_same_counters_and_the_same_packets(lines: tuple[Line, Line]) -> None:
    python, helped = lines
    expected, found = python.figures(), helped.figures()
    different = [name for name in expected if not np.array_equal(expected[name], found[name])]
    assert not different
    assert python.heard == helped.heard
    assert sum(map(len, helped.heard)) > 1500


def test_without_a_compiler_the_library_folder_is_left_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(native.Unavailable):
        native.load([tmp_path])
    assert not list(tmp_path.iterdir())
