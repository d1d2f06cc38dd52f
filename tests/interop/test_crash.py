"""What a kill -9 leaves: calls that end with a record that says why, a node that takes the next call."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.interop.conftest import prompts_of
from tests.interop.node import FAR, LINE, Node
from tests.interop.sipp import Sipp

CALLS = 50


class Mortal(Node):
    """A node that can be killed and started again on what it left."""

    def media_workers(self) -> list[int]:
        """Processes that own legs' sockets, the one in reserve included."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [each.pid for each in children if "media.io.worker" in " ".join(each.cmdline())]

    def kill(self) -> None:
        workers = self.media_workers()
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        psutil.wait_procs([psutil.Process(pid) for pid in workers if psutil.pid_exists(pid)], timeout=10)

    def start_again(self) -> None:
        self.process = self._start()

    def talking(self, count: int) -> None:
        """Wait until so many calls talk."""

        def all_talk() -> bool:
            calls = self.get("/v1/calls?limit=200")["items"]
            return sum(call["state"] == "talking" for call in calls) == count

        self._poll(all_talk, 20, f"{count} calls that talk")

    def reasons(self) -> Counter[str]:
        return Counter(record["reason"] for record in self.all_records())

    def all_records(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.get("/v1/records?limit=200")["items"]
        return items

    def recorded(self, count: int) -> None:
        self._poll(lambda: len(self.all_records()) >= count, 10, f"{count} records")


@pytest.fixture
def mortal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Mortal]:
    running = Mortal(tmp_path / "node", prompts_of(request.config.cache))
    yield running
    running.close()


def calls(node: Node, folder: Path, count: int) -> tuple[Sipp, Sipp]:
    """So many calls through the node, that talk until the node hangs up on both sides."""
    end = node.far_end()
    far = Sipp("callee", folder, address=FAR, port=end.port, calls=count, timeout=60)
    near = Sipp(
        "caller_is_hung_up", folder, remote=node.address(), address=LINE, number=end.number, calls=count,
        timeout=60,
    )  # fmt: skip
    return far, near


def test_a_killed_media_worker_ends_its_calls_and_the_next_call_works(
    mortal: Mortal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    far, near = calls(mortal, tmp_path, CALLS)
    with far, near:
        mortal.talking(CALLS)
        for pid in mortal.media_workers():
            os.kill(pid, signal.SIGKILL)
        killed = time.monotonic()
        took = _until_a_call_works(mortal, tmp_path, killed)
    mortal.recorded(CALLS + 1)
    assert mortal.reasons()["media_lost"] == CALLS
    assert len({record["call"] for record in mortal.all_records()}) == len(mortal.all_records())
    mortal.idle()
    with capsys.disabled():
        print(f"\nnext call worked {took:.2f} s after the worker was killed")


def _until_a_call_works(node: Mortal, folder: Path, since: float) -> float:
    """Call again and again until a call goes through; seconds since `since`."""
    while time.monotonic() - since < 20:
        end = node.far_end()
        far = Sipp("callee", folder, address=FAR, port=end.port, timeout=10)
        near = Sipp("caller", folder, remote=node.address(), address=LINE, number=end.number, timeout=10)
        if near.process.wait(15) == 0:
            far.finish()
            return time.monotonic() - since
        near.kill()
        far.kill()
    raise AssertionError("no call worked any more")


def test_a_killed_node_finds_its_journal_whole_and_closes_what_was_open(
    mortal: Mortal, tmp_path: Path
) -> None:
    end = mortal.far_end()
    with (
        Sipp("callee", tmp_path, address=FAR, port=end.port),
        Sipp("caller", tmp_path, remote=mortal.address(), address=LINE, number=end.number),
    ):
        pass
    finished = mortal.record(end.number)
    far, near = calls(mortal, tmp_path, 10)
    mortal.talking(10)
    mortal.kill()
    for peer in (far, near):
        peer.kill()

    mortal.start_again()
    mortal.recorded(11)
    assert finished in mortal.all_records()
    assert mortal.reasons() == {"completed": 1, "node_lost": 10}
    assert all(
        record["ended_by"] == "engine" for record in mortal.all_records() if record["reason"] == "node_lost"
    )
    with sqlite3.connect(mortal.data / "isogloss.db") as store:
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    call = next(record["call"] for record in mortal.all_records() if record["reason"] == "node_lost")
    kinds = [entry["kind"] for entry in mortal.get(f"/v1/calls/{call}/events")["items"]]
    assert kinds[0] == "call.arrived"
    assert kinds[-1] == "call.ended"

    again = mortal.far_end()
    with (
        Sipp("callee", tmp_path, address=FAR, port=again.port),
        Sipp("caller", tmp_path, remote=mortal.address(), address=LINE, number=again.number),
    ):
        pass
    assert mortal.record(again.number)["reason"] == "completed"
