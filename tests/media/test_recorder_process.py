"""The real recorder beside a real worker: what is on disk when either is killed, or the disk fails."""

from __future__ import annotations

import asyncio
import os
import resource
import shlex
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from media.codecs import g711
from media.io.process import RecorderClient, WorkerClient
from media.messages import LegOpened, OpenLeg, SetGain, Tap
from media.recording import Record, RecordingDone, RecordingFailed, RecordingStarted, SealKeys, StopRecording
from media.sealed import Opener, Truncated
from tests.media.news import News
from tests.media.reels import Sound, onsets, pulse, read
from tests.media.stage import PCMU
from tests.media.test_worker import HOST, Far
from tests.turns import turns

Made = TypeVar("Made")
PORTS = (25_400, 25_500)
SECRET = "a secret of thirty-two characters"
pytestmark = pytest.mark.real_time


class Node(News):
    """A worker, a recorder, and two phones that hear each other; the first is recorded."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.taps = str(folder / "taps")
        self.fars = [Far(), Far()]
        self.ports: list[int] = []
        self.spoken = 0
        self.worker = WorkerClient(
            bind=HOST, ports=PORTS, on_events=self.tell, on_lost=self.lose, reserve=False
        )
        self.recorder = RecorderClient(taps=self.taps, on_events=self.tell, on_lost=self.lose, sync_s=0.2)

    async def start(self, **record: Any) -> Path:
        await asyncio.gather(self.worker.start(), self.recorder.start())
        for leg, far in enumerate(self.fars):
            self.worker.send(OpenLeg(leg, [PCMU], None, far.address))
        await self.until(lambda: len(self.told(LegOpened)) == 2)
        self.ports = [event.port for event in sorted(self.told(LegOpened), key=lambda event: event.leg)]
        path = self.folder / "day" / "call.opus"
        self.recorder.send(SealKeys({"k": SECRET}), Record("call", 0, str(path), **record))
        self.worker.send(SetGain(0, 1), SetGain(1, 0), Tap(0, self.taps))
        return path

    async def talk(self, seconds: float) -> None:
        """Both speak, in real time, with a burst each half second."""
        loop = asyncio.get_running_loop()
        begun, first = loop.time(), self.spoken
        while self.spoken - first < seconds * 50:
            block = pulse() if self.spoken % 25 == 0 else np.zeros(160, np.int16)
            for far, port in zip(self.fars, self.ports):
                far.speak(port, payload=g711.encode(g711.MU, block).tobytes())
            self.spoken += 1
            due = loop.create_future()
            loop.call_at(begun + (self.spoken - first) * 0.02, due.set_result, None)
            await due

    async def close(self) -> None:
        await asyncio.gather(self.worker.close(), self.recorder.close())
        for far in self.fars:
            far.socket.close()


def play(scene: Callable[[Node], Awaitable[Made]], folder: Path) -> Made:
    async def run() -> Made:
        node = Node(folder)
        try:
            return await scene(node)
        finally:
            await node.close()

    return asyncio.run(run())


def recorded(scene: Callable[[Node], Awaitable[Sound]], folder: Path, parts: int) -> None:
    """The recording that the scene gives has bursts in each part and none twice, at all times; a half second
    apart in one of a few, for a host that takes the processors away for 200 ms parts what phones speak.
    """
    for turn in turns("what phones say to a recorder"):
        scratch = folder / str(turn)
        scratch.mkdir()
        sound = play(scene, scratch)
        found, length_s = [onsets(channel) for channel in sound], sound.shape[1] / 8000
        for each in found:
            assert np.histogram(each, parts, (0.0, length_s))[0].min() >= 1, each
            assert np.diff(each).min() > 0.25 and len(each) <= 2 * length_s + 1, each
        if all(len(each) >= 3 and np.abs(np.diff(each) - 0.5).max() <= 0.045 for each in found):
            return
    pytest.fail(f"bursts are not a half second apart: {found}")


def test_a_call_is_recorded_and_its_file_closed(tmp_path: Path) -> None:
    async def scene(node: Node) -> Sound:
        path = await node.start()
        await node.talk(2.0)
        node.recorder.send(StopRecording("call"))
        await node.until(lambda: node.told(RecordingDone))
        (started,), (done,) = node.told(RecordingStarted), node.told(RecordingDone)
        assert started.file == done.file == str(path) and done.complete
        assert done.bytes == path.stat().st_size
        sound = read(path.read_bytes())
        assert sound.shape[1] / 8000 == pytest.approx(done.seconds, abs=0.01)
        return sound

    recorded(scene, tmp_path, parts=2)


def test_a_recorder_that_is_killed_leaves_files_that_open_up_to_the_last_two_seconds(tmp_path: Path) -> None:
    async def scene(node: Node) -> None:
        plain, sealed = await node.start(), tmp_path / "day" / "sealed.opus"
        node.recorder.send(Record("sealed", 1, str(sealed), key="k"))
        node.worker.send(Tap(1, node.taps))
        await node.talk(4.0)
        assert node.recorder.pid is not None
        os.kill(node.recorder.pid, signal.SIGKILL)
        await node.until(lambda: node.lost)
        assert _seconds(plain, "") >= 4.0 - 2.0
        assert _seconds(sealed, "k") >= 4.0 - 2.0
        assert node.worker.pid is not None and not node.told(RecordingDone)

    play(scene, tmp_path)


def test_a_recorder_that_was_killed_is_there_again_and_goes_on_in_another_file(tmp_path: Path) -> None:
    async def scene(node: Node) -> None:
        await node.start()
        await node.talk(0.5)
        assert node.recorder.pid is not None
        os.kill(node.recorder.pid, signal.SIGKILL)
        await node.until(lambda: node.lost and node.recorder.ready)
        second = tmp_path / "call-2.opus"
        node.recorder.send(Record("call-2", 0, str(second)))
        await node.talk(3.5)
        node.recorder.send(StopRecording("call-2"))
        await node.until(lambda: node.told(RecordingDone))
        assert read(second.read_bytes()).shape[1] / 8000 >= 1.5

    play(scene, tmp_path)


def test_a_worker_that_is_killed_ends_the_recording_with_all_that_it_had_sent(tmp_path: Path) -> None:
    async def scene(node: Node) -> None:
        path = await node.start()
        await node.talk(3.0)
        assert node.worker.pid is not None
        os.kill(node.worker.pid, signal.SIGKILL)
        await node.until(lambda: node.told(RecordingDone))
        (done,) = node.told(RecordingDone)
        assert done.complete and done.seconds >= 3.0 - 1.0
        assert _seconds(path, "") == pytest.approx(done.seconds, abs=0.01)

    play(scene, tmp_path)


def _seconds(path: Path, key: str) -> float:
    data = path.read_bytes()
    if key:
        opener = Opener({key: SECRET})
        data = b"".join(opener.feed(data))
        with pytest.raises(Truncated):
            opener.end()
    return float(read(data).shape[1] / 8000)


def test_a_disk_that_is_full_is_told_and_the_recording_goes_on_when_there_is_room(tmp_path: Path) -> None:
    """The limit of a file's size stands for the disk: it can be lifted for another process."""

    async def scene(node: Node) -> Sound:
        path = await node.start(format="wav")
        await node.talk(1.5)
        assert node.recorder.pid is not None
        hard = resource.prlimit(node.recorder.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(node.recorder.pid, resource.RLIMIT_FSIZE, (40_000, hard))
        await node.talk(2.0)
        await node.until(lambda: node.told(RecordingFailed))
        failed = node.told(RecordingFailed)[0]
        assert str(path) in failed.what and failed.remedy and not failed.over
        resource.prlimit(node.recorder.pid, resource.RLIMIT_FSIZE, (hard, hard))
        await node.talk(2.0)
        await node.until(lambda: any(event.over for event in node.told(RecordingFailed)))
        node.recorder.send(StopRecording("call"))
        await node.until(lambda: node.told(RecordingDone))
        (done,) = node.told(RecordingDone)
        assert done.complete and done.seconds >= 4.5 and not done.lost_s
        return read(path.read_bytes(), "wav")

    recorded(scene, tmp_path, parts=3)


def test_a_disk_without_space_is_told_and_nothing_is_lost_when_there_is_room(tmp_path: Path) -> None:
    """A real one of 192 kB, half of it taken."""
    apart = ("unshare", "--map-root-user", "--mount", "sh", "-c")
    mount = f"mount -t tmpfs -o size=192k none {shlex.quote(str(tmp_path))}"
    if subprocess.run([*apart, mount], capture_output=True, check=False).returncode:
        pytest.skip("a disk cannot be mounted here")
    command = f"{mount} && exec {sys.executable} -m tests.media.full_disk {shlex.quote(str(tmp_path))}"
    run = subprocess.run([*apart, command], capture_output=True, text=True, timeout=60, check=False)
    told = dict(line.split(": ", 1) for line in run.stdout.splitlines())
    assert "No space left" in told["full"] and "free space" in told["full"], run.stderr
    complete, seconds, lost, _ = told["done"].split()
    assert (complete, float(seconds), float(lost)) == ("True", 5.0, 0.0)
    assert told["waited"] == "True"
    assert told["same"] == "True", "the file is not what was said while the disk was full"


def test_a_directory_that_cannot_be_made_is_told_and_the_call_goes_on(tmp_path: Path) -> None:
    async def scene(node: Node) -> None:
        (tmp_path / "day").write_text("a file where the folder should be")
        await node.start()
        await node.talk(1.5)
        await node.until(lambda: node.told(RecordingFailed))
        assert str(tmp_path / "day") in node.told(RecordingFailed)[0].what
        heard: list[bytes] = []
        await node.until(lambda: len(heard) >= 60 or heard.extend(node.fars[1].waiting()))

    play(scene, tmp_path)
