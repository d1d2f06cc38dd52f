"""The real worker process over loopback UDP, and its supervision."""

from __future__ import annotations

import asyncio
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import numpy as np
import pytest

from media.io import child
from media.io.process import Supervisor, WorkerClient
from media.io.vitals import Vitals
from media.messages import (
    CloseLeg,
    Codec,
    Frames,
    LegClosed,
    LegFailed,
    LegOpened,
    OpenLeg,
    Ping,
    Play,
    PlayDone,
    Pong,
    RtpStarted,
    SetGain,
    SetRemote,
    WorkerReady,
    decode_events,
    encode,
)
from tests.media.news import PATIENCE, News
from tests.media.stage import DTMF, PCMU, packet, tone, write_wav

HOST = "127.0.77.2"  # nodes of other tests, and who speaks to them, are at 127.0.0.1
PORTS = (25_000, 25_200)


class Engine(News):
    """What the engine would be: a client, and everything that it was told."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.client = WorkerClient(bind=HOST, ports=PORTS, on_events=self.tell, on_lost=self.lose, **options)

    async def open(self, leg: int, remote: tuple[str, int], codec: Codec = PCMU) -> int:
        self.client.send(OpenLeg(leg, [codec], DTMF, remote))
        await self.until(lambda: [event for event in self.told(LegOpened) if event.leg == leg])
        return next(event.port for event in self.told(LegOpened) if event.leg == leg)

    async def freeze(self, far: Far) -> int:
        """Stop the worker while it has a call; its process."""
        await self.open(1, far.address)
        pid = self.client.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        return pid


class Far:
    """A far end's socket."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((HOST, 0))
        self.socket.setblocking(False)
        self.address = self.socket.getsockname()
        self.sent = 0

    def speak(self, port: int, count: int = 1, ssrc: int = 7, payload: bytes = bytes(160)) -> None:
        for _ in range(count):
            self.socket.sendto(packet(self.sent, 160 * self.sent, ssrc, payload), (HOST, port))
            self.sent += 1

    async def hear(self) -> bytes:
        loop = asyncio.get_running_loop()
        return await asyncio.wait_for(loop.sock_recv(self.socket, 2000), PATIENCE)

    def waiting(self) -> list[bytes]:
        """Whatever has arrived by now."""
        found = []
        with selectors.DefaultSelector() as selector:
            selector.register(self.socket, selectors.EVENT_READ)
            while selector.select(0):
                found.append(self.socket.recv(2000))
        return found


@pytest.fixture
def fars() -> Iterator[list[Far]]:
    fars = [Far() for _ in range(4)]
    yield fars
    for far in fars:
        far.socket.close()


def with_engine(play: Callable[[Engine], Awaitable[None]], **options: Any) -> None:
    """Run a scene with a worker, and leave none behind."""

    async def scene() -> None:
        engine = Engine(**options)
        try:
            await engine.client.start()
            await play(engine)
        finally:
            await engine.client.close()

    asyncio.run(scene())


def test_two_legs_are_bridged_through_a_process(fars):
    a, b = fars[:2]

    async def play(engine: Engine) -> None:
        first, second = await engine.open(1, a.address), await engine.open(2, b.address)
        engine.client.send(SetGain(1, 2), SetGain(2, 1), Ping(5))
        await engine.until(lambda: engine.told(Pong))
        for i in range(10):
            sound = bytes([i]) * 160
            a.speak(first, payload=sound)
            assert (await b.hear())[12:] == sound
            b.speak(second, payload=sound)
            assert (await a.hear())[12:] == sound
        engine.client.send(CloseLeg(1), CloseLeg(2))
        await engine.until(lambda: len(engine.told(LegClosed)) == 2)
        assert [(event.stats.received, event.stats.sent) for event in engine.told(LegClosed)] == [
            (10, 10)
        ] * 2
        assert {event.remote for event in engine.told(RtpStarted)} == {a.address, b.address}

    with_engine(play, reserve=False)


def test_the_kernel_keeps_strangers_out_and_a_new_address_lets_them_in(fars):
    a, b, stranger, _ = fars

    async def play(engine: Engine) -> None:
        port = await engine.open(1, a.address)
        await engine.open(2, b.address)
        engine.client.send(SetGain(1, 2), Ping(1))
        await engine.until(lambda: engine.told(Pong))
        for _ in range(5):
            a.speak(port)
            await b.hear()
        stranger.speak(port, 10, payload=b"\xee" * 160)
        for _ in range(5):
            a.speak(port)
            assert (await b.hear())[12:] == bytes(160)
        assert not b.waiting() and not stranger.waiting()
        engine.client.send(SetRemote(1, stranger.address, [PCMU], DTMF), Ping(2))
        await engine.until(lambda: len(engine.told(Pong)) == 2)
        stranger.speak(port, payload=b"\xaa" * 160)
        assert (await b.hear())[12:] == b"\xaa" * 160
        await engine.until(lambda: len(engine.told(RtpStarted)) == 2)
        assert engine.told(RtpStarted)[1].remote == stranger.address

    with_engine(play, reserve=False)


def test_a_prompt_is_heard_and_told_done(fars, tmp_path):
    far = fars[0]
    path = write_wav(tmp_path / "prompt.wav", tone(440, 0.2), 8000)

    async def play(engine: Engine) -> None:
        await engine.open(1, far.address)
        engine.client.send(Play(1, 9, [path]))
        await engine.until(lambda: engine.told(PlayDone))
        assert engine.told(PlayDone) == [PlayDone(1, 9, True)]
        packets = far.waiting()
        numbers = np.array([int.from_bytes(data[2:4], "big") for data in packets])
        assert len(packets) >= 10 and (np.diff(numbers) & 0xFFFF == 1).all()

    with_engine(play, reserve=False)


def test_a_port_in_use_by_others_is_passed_over(fars):
    taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.bind((HOST, PORTS[0] + 1))

    async def play(engine: Engine) -> None:
        assert await engine.open(1, fars[0].address) == PORTS[0] + 2

    with_engine(play, reserve=False)
    taken.close()


def test_a_far_port_that_is_closed_harms_nobody(fars):
    a, b, gone, _ = fars

    async def play(engine: Engine) -> None:
        first, second = await engine.open(1, a.address), await engine.open(2, gone.address)
        third = await engine.open(3, b.address)
        engine.client.send(SetGain(1, 2), SetGain(1, 3), SetGain(3, 1), Ping(1))
        gone.speak(second)
        gone.socket.close()
        await engine.until(lambda: engine.told(Pong))
        for i in range(20):
            a.speak(first, payload=bytes([i]) * 160)
            assert (await b.hear())[12:] == bytes([i]) * 160
            b.speak(third)
            await a.hear()

    with_engine(play, reserve=False)


def test_a_killed_worker_is_noticed_and_the_one_in_reserve_takes_over(fars):
    far = fars[0]

    async def play(engine: Engine) -> None:
        await engine.open(1, far.address)
        await engine.until(lambda: engine.client.reserved)
        first = engine.client.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await engine.until(lambda: len(engine.told(WorkerReady)) == 2)
        assert len(engine.lost) == 1 and engine.client.pid != first
        engine.client.send(CloseLeg(1))
        await engine.until(lambda: engine.told(LegFailed))
        assert engine.told(LegFailed) == [LegFailed(1, "unknown")]
        assert await engine.open(2, far.address) == PORTS[0]

    with_engine(play)


def test_without_a_reserve_another_process_is_started():
    async def play(engine: Engine) -> None:
        for turn in (1, 2):
            pid = engine.client.pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await engine.until(lambda turn=turn: len(engine.told(WorkerReady)) == 1 + turn)
            assert len(engine.lost) == turn

    with_engine(play, reserve=False)


def test_a_worker_that_answers_no_ping_is_replaced(fars, monkeypatch):
    monkeypatch.setattr(child, "PING_EVERY", 0.05)

    async def play(engine: Engine) -> None:
        await engine.freeze(fars[0])
        await engine.until(lambda: len(engine.lost) == 1)
        assert re.search(r"did not answer .*: it is stopped, with \d+\.\d s of a processor", engine.lost[0])

    with_engine(play, reserve=False, hung_s=0.5)


@pytest.fixture
def starving(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that says that it lets no worker run. They are stopped, for to starve one takes a machine."""
    monkeypatch.setattr(child, "PING_EVERY", 0.05)
    monkeypatch.setattr(child, "vitals", lambda pid: Vitals("R", 1.0))


def test_a_worker_that_gets_no_processor_is_waited_for_and_keeps_its_calls(
    fars, starving: None, caplog: pytest.LogCaptureFixture
) -> None:
    async def play(engine: Engine) -> None:
        pid = await engine.freeze(fars[0])
        await engine.until(lambda: "media.io.worker got no processor for" in caplog.text)
        os.kill(pid, signal.SIGCONT)
        await engine.open(2, fars[1].address)
        assert engine.client.pid == pid and not engine.lost
        assert caplog.text.count("got no processor") == 1

    with_engine(play, reserve=False, hung_s=0.5)


def test_not_for_ever(fars, starving: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "PATIENCE", 1.0)

    async def play(engine: Engine) -> None:
        await engine.freeze(fars[0])
        await engine.until(lambda: len(engine.lost) == 1)
        assert "it runs or waits for a processor, with 0.0 s of a processor" in engine.lost[0]

    with_engine(play, reserve=False, hung_s=0.5)


def test_one_that_hangs_says_where_it_does(capfd: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.setattr(child, "PING_EVERY", 0.05)

    async def play() -> str:
        news = News()
        deaf = Supervisor("tests.media.deaf", [], news.tell, news.lose, reserve=False, hung_s=0.5)
        await deaf.start()
        await news.until(lambda: news.lost)
        await deaf.close()
        return news.lost[0]

    why = asyncio.run(play())
    assert re.search(r"did not answer .*: it waits for something, with \d+\.\d s of a processor", why)
    assert "in hears_nothing" in capfd.readouterr().err


def test_a_worker_is_not_blamed_for_a_pause_of_the_engine_itself(fars, monkeypatch):
    monkeypatch.setattr(child, "PING_EVERY", 0.05)

    async def play(engine: Engine) -> None:
        await engine.open(1, fars[0].address)
        for _ in range(3):
            threading.Event().wait(0.8)  # the loop does nothing else, as on a machine that is paused
            await engine.until(lambda: True)
        far = fars[1]
        await engine.open(2, far.address)
        assert not engine.lost

    with_engine(play, reserve=False, hung_s=0.5)


def test_a_worker_ends_when_its_engine_is_gone():
    async def scene() -> int:
        engine = Engine(reserve=False)
        await engine.client.start()
        pid = engine.client.pid
        assert pid is not None
        await engine.client.close()
        return pid

    pid = asyncio.run(scene())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_worker_passes_over_a_frame_that_it_does_not_understand(tmp_path):
    path = str(tmp_path / "control")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(path)
        listening.listen()
        listening.settimeout(PATIENCE)
        command = [
            sys.executable,
            "-m",
            "media.io.worker",
            "--socket",
            path,
            "--address",
            HOST,
            "--ports",
            "25000-25010",
        ]
        with subprocess.Popen(command) as process:
            wire, _ = listening.accept()
            wire.settimeout(PATIENCE)
            frames, events = Frames(), []
            wire.sendall(b"\0\0\0\x03\xc1\xc1\xc1" + encode([Ping(4)]))
            while not any(isinstance(event, Pong) for event in events):
                for body in frames.feed(wire.recv(4096)):
                    events += decode_events(body)
            wire.close()
            assert process.wait(PATIENCE) == 0
        assert isinstance(events[0], WorkerReady) and events[0].ports == 5
