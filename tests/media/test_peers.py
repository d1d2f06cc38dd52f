"""Unix sockets between processes of one user: who may connect, and in whose place."""

from __future__ import annotations

import logging
import os
import socket
import stat
from pathlib import Path

import pytest

from media.io import peers
from media.io.peers import Load, accept, listen, peer

log = logging.getLogger("test")


def test_only_this_user_may_connect_and_is_known_by_her_process(tmp_path: Path):
    path = tmp_path / "taps"
    with listen(str(path)) as listener, socket.socket(socket.AF_UNIX) as caller:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert accept(listener, log) is None  # nobody came, and nobody waits for one
        caller.connect(str(path))
        found = accept(listener, log)
        assert found is not None and found[1] == os.getpid() and not found[0].getblocking()
        assert peer(caller) == (os.getpid(), os.getuid())
        found[0].close()


def test_a_stranger_is_turned_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(peers, "peer", lambda connection: (1, 65533))
    with listen(str(tmp_path / "taps")) as listener, socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(tmp_path / "taps"))
        assert accept(listener, log) is None and "stranger" in caplog.text
        assert caller.recv(1) == b""


def test_whoever_listened_before_is_replaced(tmp_path: Path):
    path = str(tmp_path / "doors")
    with listen(path, socket.SOCK_DGRAM) as before, listen(path, socket.SOCK_DGRAM) as after:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"here", path)
        assert after.recv(10) == b"here"
        with pytest.raises(BlockingIOError):
            before.recv(10)


def test_a_load_is_the_share_of_a_core_since_it_was_measured(monkeypatch: pytest.MonkeyPatch):
    used = iter([10.0, 10.5])
    monkeypatch.setattr(peers.time, "process_time", lambda: next(used))
    load = Load(100.0)
    assert load.measure(100.9) == 0.0  # too soon to tell
    assert load.measure(102.0) == 0.25 and load.share == 0.25
